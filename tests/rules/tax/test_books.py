"""From the journal's facts to the tax ledger, and from its lots to what a plan may sell."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.houses import TOML, lot

from trimtab.domain.events import AccountOpened, Entry, Event, OrderFilled, SalesRecorded
from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ZERO
from trimtab.domain.trades import Disposal, Fill, LotPick, Side, Split, Term, Trade
from trimtab.domain.values import LotPiece
from trimtab.rules.booking import book
from trimtab.rules.tax.books import as_instructed, books_of, piece_id, tax_lots

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
