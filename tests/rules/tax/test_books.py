"""From the journal's facts to the tax ledger, and from its lots to what a plan may sell."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.houses import TOML, lot

from trimtab.domain.events import AccountOpened, Entry, Event, OrderFilled, SalesRecorded
from trimtab.domain.history import Transaction, TransactionKind, WashRule
from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ZERO
from trimtab.domain.trades import Disposal, Fill, LotPick, Side, Split, Term, Trade
from trimtab.domain.values import LotPiece
from trimtab.rules.booking import book
from trimtab.rules.tax.books import as_instructed, books_of, piece_id, tax_accounts, tax_lots
from trimtab.rules.tax.chronology import in_order, on_their_days
from trimtab.rules.tax.ledger import Ledger

FILE = decode_household(TOML)
ACCOUNTS, INSTRUMENTS = accounts_of(FILE), instruments_of(FILE)
TAX = replace(FILE.tax, identical=(("VTI", "ITOT"),))


def at(day: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day}T15:00:00+00:00")


class Journal:
    """Events remembered one after the other, as a cycle records them."""

    def __init__(self) -> None:
        self.memory = Memory(base_currency="USD")

    def record(self, event: Event, day: str) -> None:
        entry = Entry(sequence=1, at=at(day), cycle="", event=event, hash="")
        self.memory = remember(self.memory, [entry])

    def open(self, account: str, *lots, day: str = "2026-01-02") -> None:
        self.record(AccountOpened(account=account, lots=lots, cash={}, source="file"), day)

    def trade(
        self, side: Side, account: str, symbol: str, quantity: str, price: str, day: str
    ) -> None:
        fill = Fill(
            id=f"{side}-{account}-{symbol}-{day}",
            account=account,
            order_id=f"order-{side}-{account}-{symbol}-{day}",
            symbol=symbol,
            side=side,
            quantity=Decimal(quantity),
            price=Decimal(price),
            fee=ZERO,
            at=at(day),
            settles_on=dt.date.fromisoformat(day),
        )
        event = book(fill, self.memory, ACCOUNTS[account], {})
        assert isinstance(event, OrderFilled)
        self.record(event, day)

    def ledger(self):
        return books_of(self.memory, TAX, ACCOUNTS, INSTRUMENTS)

    def lots(self):
        return tax_lots(self.memory.lots.values(), self.ledger())


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    journal.open("taxable", lot("taxable", "VTI", "10", "1000", "2025-01-06", "old"))
    return journal


def test_a_purchase_after_a_loss_takes_the_loss_into_its_basis_and_holding_period(journal):
    journal.trade(Side.SELL, "taxable", "VTI", "10", "80", "2026-03-02")
    journal.trade(Side.BUY, "taxable", "ITOT", "4", "50", "2026-03-20")
    (bought,) = journal.lots()
    assert (bought.basis, bought.paid) == (280, 200)
    assert bought.holding_since == dt.date(2026, 3, 20) - (
        dt.date(2026, 3, 2) - dt.date(2025, 1, 6)
    )
    (sold,) = journal.ledger().sales()
    assert (sold.disallowed, sold.gain) == (80, -120)


def test_a_replacement_of_part_of_a_lot_leaves_two_pieces_with_names_of_their_own(journal):
    journal.trade(Side.SELL, "taxable", "VTI", "10", "80", "2026-03-02")
    journal.trade(Side.BUY, "taxable", "ITOT", "15", "50", "2026-03-20")
    front, rest = journal.lots()
    assert [(one.quantity, one.basis) for one in (front, rest)] == [(10, 700), (5, 250)]
    assert isinstance(front, LotPiece)
    assert isinstance(rest, LotPiece)
    assert (front.piece, rest.piece) == ("1", "")
    assert front.id != rest.id
    assert front.lot_id == rest.lot_id == rest.id


def test_a_sale_that_names_a_piece_takes_that_piece(journal):
    journal.trade(Side.SELL, "taxable", "VTI", "10", "80", "2026-03-02")
    journal.trade(Side.BUY, "taxable", "ITOT", "15", "50", "2026-03-20")
    lots = {one.id: one for one in journal.lots()}
    rest = next(one for one in lots.values() if isinstance(one, LotPiece) and one.piece == "")
    trade = Trade(
        account="taxable",
        symbol="ITOT",
        asset_class="stocks",
        side=Side.SELL,
        quantity=Decimal(5),
        price=Decimal(60),
        lots=(LotPick(lot_id=rest.id, quantity=Decimal(5)),),
    )
    (pick,) = as_instructed(trade, lots).lots
    assert (pick.lot_id, pick.piece) == (rest.lot_id, "")
    assert piece_id(pick) == rest.id


def test_a_purchase_in_an_ira_destroys_the_loss_for_good(journal):
    journal.trade(Side.SELL, "taxable", "VTI", "10", "80", "2026-03-02")
    journal.trade(Side.BUY, "ira", "VTI", "10", "80", "2026-03-30")
    (sold,) = journal.ledger().sales()
    assert (sold.disallowed, sold.permanent) == (200, 200)
    assert [one.basis for one in journal.lots()] == [800]


def test_what_a_file_tells_again_changes_nothing_in_the_ledger(journal):
    journal.trade(Side.SELL, "taxable", "VTI", "4", "80", "2026-03-02")
    journal.open("ira", lot("ira", "VTI", "5", "400", "2026-03-20", "told"), day="2026-03-21")
    before = journal.ledger()
    journal.open("ira", lot("ira", "VTI", "5", "400", "2026-03-20", "told"), day="2026-03-25")
    after = journal.ledger()
    assert after.lots() == before.lots()
    assert after.sales() == before.sales()
    assert [sale.permanent for sale in after.sales()] == [80]


def test_units_that_a_file_tells_of_no_more_leave_from_the_front_of_their_lot(journal):
    journal.open("ira", lot("ira", "VTI", "5", "400", "2025-03-20", "told"), day="2026-03-21")
    journal.open("ira", lot("ira", "VTI", "2", "160", "2025-03-20", "told"), day="2026-03-25")
    (held,) = [one for one in journal.ledger().lots() if one.account == "ira"]
    assert (held.quantity, held.basis) == (2, 160)


def test_a_lot_that_a_file_tells_differently_is_told_anew(journal):
    journal.open("ira", lot("ira", "VTI", "5", "400", "2025-03-20", "told"), day="2026-03-21")
    journal.open("ira", lot("ira", "VTI", "5", "450", "2025-03-20", "told"), day="2026-03-25")
    (held,) = [one for one in journal.ledger().lots() if one.account == "ira"]
    assert (held.quantity, held.basis) == (5, 450)


def test_the_rest_of_a_purchase_is_no_replacement_of_what_was_sold_before_the_records():
    journal = Journal()
    sale = Disposal(
        id="sale",
        account="taxable",
        symbol="VTI",
        lot_id="sold",
        quantity=Decimal(3),
        acquired=dt.date(2025, 12, 10),
        holding_since=dt.date(2025, 12, 10),
        sold=dt.date(2025, 12, 29),
        proceeds=Decimal(240),
        basis=Decimal(300),
        term=Term.SHORT,
        is_taxed=True,
        source="sales.csv",
    )
    journal.record(SalesRecorded(disposals=(sale,), source="file"), "2026-01-02")
    journal.open(
        "taxable",
        lot("taxable", "VTI", "7", "700", "2025-12-10", "rest"),
        lot("taxable", "ITOT", "1", "50", "2025-12-11", "other"),
    )
    (sold,) = journal.ledger().sales()
    assert (sold.replaced, sold.disallowed) == (1, 20)
    bases = {one.lot_id: one.basis for one in journal.ledger().lots()}
    assert bases == {"rest": 700, "other": 70}


def test_lots_and_ledger_hold_the_same_units_after_a_split_that_rounds(journal):
    journal.trade(Side.BUY, "taxable", "VTI", "1", "90", "2026-02-02")
    split = Split(
        id="split",
        account="taxable",
        symbol="VTI",
        numerator=1,
        denominator=3,
        at=at("2026-02-10"),
    )
    journal.record(book(split, journal.memory, ACCOUNTS["taxable"], {}), "2026-02-10")
    told = {one.id: (one.quantity, one.basis) for one in journal.memory.lots.values()}
    assert {one.id: (one.quantity, one.basis) for one in journal.lots()} == told


def sale_told(quantity: str, proceeds: str, cost: str, acquired: str, sold: str) -> Disposal:
    """A line of a file of sales about the account `ira`'s owner or `taxable`."""
    return Disposal(
        id=f"told-{acquired}-{sold}",
        account="taxable",
        symbol="VTI",
        lot_id=f"told-{acquired}",
        quantity=Decimal(quantity),
        acquired=dt.date.fromisoformat(acquired),
        holding_since=dt.date.fromisoformat(acquired),
        sold=dt.date.fromisoformat(sold),
        proceeds=Decimal(proceeds),
        basis=Decimal(cost),
        term=Term.SHORT,
        is_taxed=True,
        source="sales.csv",
    )


@pytest.mark.parametrize("asked_on", ["2026-03-12", "2026-03-23", "2026-09-01"])
def test_it_does_not_matter_when_the_files_were_told(asked_on):
    journal = Journal()
    sale = sale_told("100", "9000", "10000", "2025-06-02", "2026-02-20")
    journal.record(SalesRecorded(disposals=(sale,), source="file"), asked_on)
    journal.open("ira", lot("ira", "VTI", "20", "1800", "2026-03-10", "x1"), day=asked_on)
    (sold,) = journal.ledger().sales()
    assert (sold.disallowed, sold.permanent) == (200, 200)


def test_sales_told_late_and_in_the_wrong_order_count_in_their_own():
    first = sale_told("10", "900", "1000", "2025-06-02", "2026-03-05")
    second = sale_told("10", "950", "1000", "2025-06-03", "2026-03-27")
    bought = lot("taxable", "ITOT", "10", "900", "2026-04-02", "new")
    found = []
    for told in ([first, second], [second, first]):
        journal = Journal()
        for sale in told:
            journal.record(SalesRecorded(disposals=(sale,), source="file"), "2026-04-03")
        journal.open("taxable", bought, day="2026-04-03")
        found.append({row.sold: row.disallowed for row in journal.ledger().sales()})
    assert found[0] == found[1] == {first.sold: 100, second.sold: 0}


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(("50", "4510"), id="a corrected cost"),
        pytest.param(("30", "2700.00"), id="some units gone"),
        pytest.param(("30", "2699.99"), id="some units gone, the rest rounded"),
        pytest.param(("100", "4500"), id="a split"),
    ],
)
def test_a_lot_told_again_replaces_no_second_loss_and_keeps_what_it_took_up(journal, later):
    quantity, cost = later
    journal.trade(Side.SELL, "taxable", "VTI", "10", "80", "2026-02-20")
    journal.open("taxable", *journal.memory.lots.values(), day="2026-02-21")
    held = lot("taxable", "VTI", "50", "4500", "2026-03-10", "x1")
    journal.open("taxable", held, day="2026-03-11")
    before = journal.ledger()
    assert [match.disallowed for match in before.matches()] == [200]
    told = replace(held, quantity=Decimal(quantity), basis=Decimal(cost))
    journal.open("taxable", told, day="2026-03-20")
    after = journal.ledger()
    assert after.matches() == before.matches()
    paid = sum((piece.paid for piece in after.lots()), ZERO)
    assert abs(paid - Decimal(cost)) <= Decimal("0.01")
    assert all(piece.acquired == held.acquired for piece in after.lots())


def test_a_replacement_sold_in_an_account_known_from_files_realizes_what_it_took_up(journal):
    journal.trade(Side.SELL, "taxable", "VTI", "10", "80", "2026-02-20")
    held = lot("taxable", "VTI", "10", "900", "2026-03-01", "x1")
    journal.open("taxable", held, day="2026-03-02")
    journal.open("taxable", day="2026-04-11")
    sale = sale_told("10", "850", "900", "2026-03-01", "2026-04-10")
    journal.record(SalesRecorded(disposals=(sale,), source="file"), "2026-04-12")
    _, sold = journal.ledger().sales()
    assert (sold.basis, sold.gain, sold.term) == (1100, -250, Term.LONG)
    assert journal.ledger().lots() == ()


def test_a_lot_that_left_one_account_and_came_to_another_moved(journal):
    ours = replace(FILE.accounts["taxable"])
    accounts = {**ACCOUNTS, "second": replace(ACCOUNTS["taxable"], id="second")}
    assert ours.owner == accounts["second"].owner
    journal.trade(Side.SELL, "taxable", "VTI", "10", "80", "2026-02-20")
    held = lot("taxable", "VTI", "4", "360", "2026-03-01", "x1")
    journal.open("taxable", held, day="2026-03-02")
    for order in (("second", "taxable"), ("taxable", "second")):
        told = Journal()
        told.memory = journal.memory
        for account in order:
            lots = (replace(held, account="second"),) if account == "second" else ()
            told.open(account, *lots, day="2026-03-05")
        ledger = books_of(told.memory, TAX, accounts, INSTRUMENTS)
        (piece,) = ledger.lots()
        assert (piece.account, piece.basis, piece.is_used) == ("second", Decimal(440), True)
        assert len(ledger.matches()) == 1
        assert tax_lots(told.memory.lots.values(), ledger)


def test_an_opening_line_told_late_counts_on_the_day_of_its_purchase():
    facts = [
        _told("b", "buy", "2024-01-02", "10", "1000"),
        _told("s", "sell", "2024-03-01", "10", "800"),
        replace(
            _told("o", "opening", "2024-04-10", "10", "0", account="ira"),
            basis=Decimal(800),
            acquired=dt.date(2024, 3, 20),
        ),
    ]
    accounts = tax_accounts([ACCOUNTS["taxable"], ACCOUNTS["ira"]])
    ledger = Ledger(accounts, WashRule())
    ledger.extend(on_their_days(facts))
    (sold,) = ledger.sales()
    assert sold.permanent == 200


def _told(name: str, kind: str, day: str, quantity: str, amount: str, account: str = "taxable"):
    return Transaction(
        id=name,
        date=dt.date.fromisoformat(day),
        account=account,
        kind=TransactionKind(kind),
        symbol="VTI",
        quantity=Decimal(quantity),
        amount=Decimal(amount),
    )


SECOND = {**ACCOUNTS, "second": replace(ACCOUNTS["taxable"], id="second")}


def told_lots(journal: Journal, day: str, *lots, account: str = "taxable"):
    """What a file says on *day*, with the ledger that follows; the plan's own check included."""
    journal.open(account, *lots, day=day)
    ledger = books_of(journal.memory, TAX, SECOND, INSTRUMENTS)
    tax_lots(journal.memory.lots.values(), ledger)
    return ledger


def told_sale(journal: Journal, day: str, *sale: str):
    journal.record(SalesRecorded(disposals=(sale_told(*sale),), source="file"), day)
    ledger = books_of(journal.memory, TAX, SECOND, INSTRUMENTS)
    tax_lots(journal.memory.lots.values(), ledger)
    return ledger


def test_a_lot_may_move_in_portions():
    journal = Journal()
    whole = lot("taxable", "VTI", "100", "9000", "2026-01-05", "L1")
    rest = lot("taxable", "VTI", "60", "5400", "2026-01-05", "L1")
    first = lot("second", "VTI", "40", "3600", "2026-01-05", "Y1")
    last = lot("second", "VTI", "60", "5400", "2026-01-05", "Y2")
    told_lots(journal, "2026-02-02", whole)
    told_lots(journal, "2026-02-03", rest)
    told_lots(journal, "2026-02-03", first, account="second")
    told_lots(journal, "2026-02-04")
    told_lots(journal, "2026-02-04", first, last, account="second")
    ledger = told_lots(journal, "2026-02-09", first, account="second")
    assert [(one.lot_id, one.quantity) for one in ledger.lots()] == [("Y1", Decimal(40))]


def test_what_came_and_went_again_did_not_come_from_where_it_went():
    journal = Journal()
    bought = lot("second", "VTI", "10", "900", "2026-02-02", "L1")
    told_lots(journal, "2026-02-02", bought, account="second")
    told_lots(journal, "2026-02-05", account="second")
    told_lots(journal, "2026-02-05", replace(bought, account="taxable", id="M2"))
    told_lots(journal, "2026-02-09")
    ledger = told_sale(journal, "2026-02-09", "10", "950", "900", "2026-02-02", "2026-02-08")
    (sold,) = ledger.sales()
    assert (sold.account, sold.gain) == ("taxable", 50)


def test_a_sale_told_after_a_split_took_the_units_of_its_own_day():
    journal = Journal()
    told_lots(journal, "2026-02-02", lot("taxable", "VTI", "10", "3000", "2026-01-05", "L"))
    told_lots(journal, "2026-02-03", lot("taxable", "VTI", "6", "1800", "2026-01-05", "L"))
    told_lots(journal, "2026-02-10", lot("taxable", "VTI", "12", "1800", "2026-01-05", "L"))
    ledger = told_sale(journal, "2026-02-11", "4", "1300", "1200", "2026-01-05", "2026-02-03")
    (sold,) = ledger.sales()
    assert (sold.sold, sold.basis) == (dt.date(2026, 2, 3), Decimal(1200))


def test_a_part_sold_and_told_on_one_day_has_its_part_of_the_cost():
    journal = Journal()
    told_lots(journal, "2026-02-02", lot("taxable", "VTI", "3", "1000.00", "2026-01-05", "L"))
    told_lots(journal, "2026-02-03", lot("taxable", "VTI", "2", "666.67", "2026-01-05", "L"))
    ledger = told_sale(journal, "2026-02-03", "1", "339", "333.33", "2026-01-05", "2026-02-03")
    (sold,) = ledger.sales()
    assert abs(sold.basis - Decimal("333.33")) < Decimal("0.01")
    facts = in_order(journal.memory.history, tax_accounts(SECOND.values()))
    assert all(fact.kind is not TransactionKind.REMOVED for fact in facts)


@pytest.mark.parametrize("resold", ["0", "6", "10"])
def test_a_replacement_counts_although_no_list_ever_showed_it(resold):
    journal = Journal()
    told_sale(journal, "2026-03-20", "10", "2400", "3000", "2025-06-02", "2026-03-02")
    left = 10 - int(resold)
    if resold != "0":
        cost = f"{250 * int(resold)}"
        told_sale(journal, "2026-03-20", resold, cost, cost, "2026-03-05", "2026-03-16")
    lots = [lot("taxable", "VTI", f"{left}", f"{250 * left}", "2026-03-05", "N")] if left else []
    ledger = told_lots(journal, "2026-03-20", *lots)
    assert sum(match.disallowed for match in ledger.matches()) == 600


def test_a_lot_by_another_name_or_another_day_is_the_same_lot():
    journal = Journal()
    told_sale(journal, "2026-03-03", "20", "4800", "6000", "2025-06-02", "2026-03-02")
    bought = lot("taxable", "VTI", "10", "2500", "2026-03-10", "old")
    told_lots(journal, "2026-03-11", bought)
    renamed = told_lots(journal, "2026-03-12", replace(bought, id="new"))
    assert [(one.lot_id, one.basis) for one in renamed.lots()] == [("new", Decimal(3100))]
    assert sum(match.quantity for match in renamed.matches()) == 10
    day = dt.date(2026, 5, 10)
    corrected = replace(bought, id="new", acquired=day, holding_since=day)
    assert told_lots(journal, "2026-05-12", corrected).matches() == ()
    again = told_lots(journal, "2026-05-13", replace(bought, id="new"))
    assert sum(match.quantity for match in again.matches()) == 10


def test_of_two_lots_of_one_day_a_sale_takes_the_one_whose_cost_it_tells():
    journal = Journal()
    cheap = lot("taxable", "VTI", "10", "3300", "2025-06-02", "L3")
    dear = lot("taxable", "VTI", "10", "5000", "2025-06-02", "L4")
    told_lots(journal, "2026-02-02", cheap, dear)
    told_lots(journal, "2026-02-05")
    told_sale(journal, "2026-02-05", "10", "4900", "5000", "2025-06-02", "2026-02-03")
    ledger = told_sale(journal, "2026-02-05", "10", "3390", "3300", "2025-06-02", "2026-02-04")
    assert [sale.raw_gain for sale in ledger.sales()] == [-100, 90]


@pytest.mark.parametrize("sold_first", [True, False])
def test_lots_that_their_place_in_a_file_names_are_known_by_what_they_are(sold_first):
    journal = Journal()
    big = lot("taxable", "VTI", "10", "3400", "2025-06-02")
    small = lot("taxable", "VTI", "5", "1500", "2025-06-02")
    rows = [big, small] if sold_first else [small, big]
    told_lots(journal, "2026-02-02", *(replace(one, id=f"n{n}") for n, one in enumerate(rows)))
    told_lots(journal, "2026-02-03", replace(small, id="n0"))
    ledger = told_sale(journal, "2026-02-03", "10", "3390", "3400", "2025-06-02", "2026-02-03")
    assert [sale.gain for sale in ledger.sales()] == [-10]
    assert [(one.lot_id, one.basis) for one in ledger.lots()] == [("n0", Decimal(1500))]


def test_sales_of_one_day_that_files_tell_count_by_the_age_of_what_was_sold():
    found = []
    rows = [
        ("3", "700", "900", "2025-12-20", "2026-02-16"),
        ("10", "3000", "2500", "2026-01-25", "2026-02-16"),
    ]
    for told in (rows, rows[::-1]):
        journal = Journal()
        for row in told:
            ledger = told_sale(journal, "2026-02-17", *row)
        found.append(sorted((sale.acquired, sale.disallowed) for sale in ledger.sales()))
    assert found[0] == found[1]
    assert found[0][0][1] == 200


def test_a_lot_that_a_file_parts_in_two_keeps_all_of_its_units():
    journal = Journal()
    told_sale(journal, "2026-04-15", "20", "400", "600", "2025-06-02", "2026-04-14")
    told_lots(journal, "2026-04-16", lot("taxable", "VTI", "6", "192", "2026-04-16", "L4"))
    parts = [lot("taxable", "VTI", "3", "96", "2026-04-16", name) for name in ("L4", "M6")]
    ledger = told_lots(journal, "2026-05-10", *parts)
    assert sorted((one.lot_id, one.basis) for one in ledger.lots()) == [
        ("L4", Decimal(126)),
        ("M6", Decimal(126)),
    ]
    assert sum(match.quantity for match in ledger.matches()) == 6
