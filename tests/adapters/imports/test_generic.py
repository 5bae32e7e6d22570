import datetime as dt
from decimal import Decimal

import pytest
from tests.adapters.imports.broker_files import faults_of, has_note

from trimtab.adapters.imports import import_file
from trimtab.domain.errors import FileFaults
from trimtab.domain.history import Reporting, TaxAccount, TransactionKind
from trimtab.domain.trades import LotPick, Term
from trimtab.domain.values import AccountKind, OwnerRole

HEADER = (
    "date,account,action,symbol,quantity,price,amount,fee,lots,method,basis,acquired,to,ratio\n"
)


@pytest.fixture
def read(tmp_path):
    def read(text: str):
        path = tmp_path / "mine.csv"
        path.write_text(text, encoding="utf-8")
        return import_file(path)

    return read


def one(read, row: str, header: str = HEADER):
    (transaction,) = read(f"{header}{row}\n").transactions
    return transaction


def faults(read, *rows: str, header: str = HEADER) -> tuple[str, ...]:
    return faults_of(read, header + "".join(f"{row}\n" for row in rows))


# --------------------------------------------------------------------------- one line, one kind


def test_a_purchase_is_worth_its_quantity_times_its_price(read):
    buy = one(read, "2024-01-16,taxable,buy,VTI,10,240.10,,1.50,,,,,,")
    assert (buy.kind, buy.quantity, buy.amount, buy.fee) == (
        TransactionKind.BUY,
        Decimal(10),
        Decimal(2401),
        Decimal("1.50"),
    )
    assert (buy.id, buy.source) == ("2024-01-16:taxable:buy:VTI:1", "mine.csv line 2")


def test_an_amount_counts_before_a_price(read):
    assert one(read, "2024-01-16,taxable,buy,VTI,3,33.33,100,,,,,,,").amount == Decimal(100)


def test_a_purchase_may_name_its_lot(read):
    assert one(read, "2024-01-16,taxable,reinvest,VTI,1,240,,,drip7,,,,,").id == "drip7"


def test_a_sale_names_its_lots_and_is_then_specified(read):
    sale = one(read, "2024-03-15,taxable,sell,VTI,-15,230,,1,t1:10;t2:5,,,,,")
    assert sale.quantity == Decimal(15)
    assert sale.method == "specified"
    assert sale.picks == (
        LotPick(lot_id="t1", quantity=Decimal(10)),
        LotPick(lot_id="t2", quantity=Decimal(5)),
    )


def test_one_lot_without_a_number_is_all_of_the_sale(read):
    sale = one(read, "2024-03-15,taxable,sell,VTI,4,230,,,t1,specific,,,,")
    assert sale.picks == (LotPick(lot_id="t1", quantity=Decimal(4)),)


@pytest.mark.parametrize(
    ("word", "method"),
    [("", "fifo"), ("FIFO", "fifo"), ("hifo", "hifo"), ("lifo", "lifo"), ("Min-Tax", "min_tax")],
)
def test_a_sale_may_name_its_method(word, method, read):
    assert one(read, f"2024-03-15,taxable,sell,VTI,4,230,,,,{word},,,,").method == method


def test_a_gift_keeps_the_basis_and_the_day_of_the_giver(read):
    gift = one(read, '2024-03-21,taxable,gift,VOO,3,,,,,,"$1,900.00",2/13/2020,,')
    assert (gift.basis, gift.acquired) == (Decimal(1900), dt.date(2020, 2, 13))


def test_a_transfer_goes_to_another_account(read):
    moved = one(read, "2024-03-22,taxable,transfer,VOO,1,,,,t1:1,,,,joint,")
    assert (moved.to_account, moved.picks[0].lot_id) == ("joint", "t1")


@pytest.mark.parametrize(
    ("ratio", "parts"),
    [("2:1", (2, 1)), ("2-for-1", (2, 1)), ("1 for 10", (1, 10)), ("1.5", (3, 2)), ("3/2", (3, 2))],
)
def test_a_split_is_written_in_several_ways(ratio, parts, read):
    split = one(read, f"2024-03-23,taxable,split,VOO,,,,,,,,,,{ratio}")
    assert (split.numerator, split.denominator) == parts


def test_units_held_at_the_beginning_have_a_basis_and_a_day(read):
    row = "2024-01-01,taxable,opening,VTI,5,,,,old,,900,2020-02-03,,"
    opening = one(read, row)
    assert (opening.kind, opening.id, opening.basis) == (TransactionKind.OPENING, "old", 900)


def test_a_closed_lot_tells_what_was_sold_before_the_records(read):
    header = "date,account,action,symbol,quantity,amount,basis,acquired,lot,disallowed,form\n"
    closed = one(
        read, "2024-01-05,taxable,closed,VTI,5,800,900,2023-02-03,old,60,1099B_unreported", header
    )
    assert (closed.kind, closed.lot_id, closed.disallowed) == (TransactionKind.CLOSED, "old", 60)
    assert closed.reporting is Reporting.BASIS_UNREPORTED


def test_a_dividend_has_its_amount_per_share(read):
    header = "date,account,action,symbol,quantity,per share,preferred,nonqualified\n"
    dividend = one(read, "2024-03-22,taxable,dividend,VTI,,0.91,no,yes", header)
    assert (dividend.per_share, dividend.is_preferred) == (Decimal("0.91"), False)
    assert dividend.is_nonqualified


def test_a_dividend_that_is_only_money_is_kept_as_money_and_noted(read):
    imported = read(f"{HEADER}2024-03-22,taxable,dividend,VTI,,,9.10,,,,,,,\n")
    assert imported.transactions == ()
    assert imported.cash_lines[0].amount == Decimal("9.10")
    assert has_note(imported, "line 2", "without its amount per share")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            "2024-03-15,taxable,sell short,VTI,4,230,,,,,,,,",
            'the action "sell short" is not judged',
        ),
        ("2024-03-15,taxable,buy,AAPL 01/16/2026 250.00 C,1,4,,,,,,,,", "an option"),
        ("2024-03-15,taxable,bought back,VTI,4,230,,,,,,,,", "is not known"),
        ("2024-03-15,taxable,bye,VTI,4,230,,,,,,,,", "did you mean buy?"),
        ("2024-03-15,taxable,buy,VTI,XXX,230,,,,,,,,", "masked"),
        ("2024-03-15,taxable,buy,VTI,4,XX.XX,,,,,,,,", "masked"),
    ],
)
def test_what_no_rule_judges_is_left_for_a_person_and_noted(row, reason, read):
    imported = read(f"{HEADER}{row}\n")
    assert imported.counts["review"] == 1
    assert reason in imported.transactions[0].text
    assert has_note(imported, "line 2", "left for you to look at")


def test_an_unknown_action_is_told_which_there_are(read):
    imported = read(f"{HEADER}2024-03-15,taxable,Kauf,VTI,4,230,,,,,,,,\n")
    assert has_note(imported, '"Kauf" is not known', "buy, sell, reinvest", "mapping")


@pytest.mark.parametrize(
    "row",
    [
        "2025-02-20,taxable,buy to open,VTI 03/21/2025 290.00 C,2",
        "2025-02-20,taxable,buy,-VTI250321C290,2",
        "2025-02-20,taxable,review,VTI  250321C00290000,2",
    ],
)
@pytest.mark.parametrize("text", ["", "two calls"])
def test_an_option_is_filed_under_the_share_that_it_is_on(row, text, read):
    review = one(read, f"{row},4,{text}", "date,account,action,symbol,quantity,price,text\n")
    assert (review.kind, review.symbol) == (TransactionKind.REVIEW, "VTI")
    assert row.split(",")[3] in review.text
    assert text in review.text


def test_a_review_of_ones_own_keeps_its_words(read):
    header = "date,account,action,symbol,quantity,text\n"
    review = one(read, "2024-03-15,taxable,review,VTI,4,a merger: ask the broker", header)
    assert (review.kind, review.quantity) == (TransactionKind.REVIEW, Decimal(4))
    assert review.text == "a merger: ask the broker"
    assert review.text == "a merger: ask the broker"


def test_a_trade_in_another_currency_is_left_to_convert(read):
    header = "date,account,action,symbol,quantity,price,currency\n"
    imported = read(f"{header}2024-03-15,taxable,buy,VWCE,4,110,EUR\n")
    assert imported.transactions[0].kind is TransactionKind.REVIEW
    assert has_note(imported, "in EUR")


# -------------------------------------------------------------------------------- order and ids


ROWS = [
    "2024-03-15,a,buy,VTI,1,10,,,,,,,,",
    "2024-03-15,a,sell,VTI,1,11,,,,,,,,",
    "2024-03-16,a,buy,VTI,2,12,,,,,,,,",
    "2024-03-18,a,sell,VTI,2,13,,,,,,,,",
]


def test_the_order_of_a_day_is_that_of_the_file(read):
    imported = read(HEADER + "\n".join(ROWS))
    assert [t.kind.value for t in imported.transactions] == ["buy", "sell", "buy", "sell"]


def test_a_file_that_runs_backwards_is_turned_round(read):
    forwards = read(HEADER + "\n".join(ROWS)).transactions
    backwards = read(HEADER + "\n".join(ROWS[::-1])).transactions
    assert [(t.id, t.amount) for t in backwards] == [(t.id, t.amount) for t in forwards]


def test_a_file_without_order_is_sorted_by_date_and_says_so(read):
    imported = read(HEADER + "\n".join([ROWS[2], ROWS[0], ROWS[1], ROWS[3]]))
    assert [t.date.day for t in imported.transactions] == [15, 15, 16, 18]
    assert [t.kind.value for t in imported.transactions[:2]] == ["buy", "sell"]
    assert has_note(imported, "up and down")


def test_ids_of_ones_own_are_kept_and_may_not_repeat(read):
    header = "id,date,account,action,symbol,quantity,price\n"
    row = "t1,2024-03-15,a,buy,VTI,1,10"
    assert one(read, row, header).id == "t1"
    assert "lines 2, 3, id" in faults(read, row, row, header=header)[0]


# ------------------------------------------------------------------------------------- accounts


def test_accounts_may_be_described_on_any_of_their_lines(read):
    header = "date,account,action,symbol,quantity,price,owner,role,account kind\n"
    imported = read(
        f"{header}2024-01-16,joint,buy,VTI,1,10,ann,,\n2024-01-17,joint,buy,VTI,1,10,,self,\n"
        "2024-01-18,ira,buy,VTI,1,10,bob,spouse,Roth IRA\n2024-01-18,other,buy,VTI,1,10,,,\n"
        "2024-01-19,wallet,buy,BTC,1,10,ann,,crypto\n"
    )
    assert imported.tax_accounts == (
        TaxAccount(id="joint", owner="ann"),
        TaxAccount(id="ira", owner="bob", role=OwnerRole.SPOUSE, kind=AccountKind.ROTH_IRA),
        TaxAccount(id="wallet", owner="ann", kind=AccountKind.CRYPTO),
    )
    assert imported.accounts == ("joint", "ira", "other", "wallet")
    assert imported.coins == {"BTC"}


def test_two_lines_may_not_contradict_each_other_about_an_account(read):
    header = "date,account,action,symbol,quantity,price,owner\n"
    rows = ("2024-01-16,joint,buy,VTI,1,10,ann", "2024-01-17,joint,buy,VTI,1,10,bob")
    assert 'of "joint" is ann above' in faults(read, *rows, header=header)[0]


def test_a_file_without_an_account_is_an_account_of_its_own_name(read):
    imported = read("date,action,symbol,quantity,price\n2024-01-16,buy,VTI,1,10\n")
    assert imported.transactions[0].account == "mine.csv"
    assert has_note(imported, "does not name its account")


# --------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",taxable,buy,VTI,1,10,,,,,,,,", "date: is empty"),
        ("2024-02-30,taxable,buy,VTI,1,10,,,,,,,,", "not a day of the calendar"),
        ("3/4/2024,taxable,buy,VTI,1,10,,,,,,,,", "may be 2024-03-04 or 2024-04-03"),
        ("2024-01-16,,buy,VTI,1,10,,,,,,,,", "account: is empty"),
        ("2024-01-16,taxable,,VTI,1,10,,,,,,,,", "action: is empty"),
        ("2024-01-16,taxable,buy,,1,10,,,,,,,,", "symbol: is empty"),
        ("2024-01-16,taxable,buy,=VTI,1,10,,,,,,,,", "spreadsheet formula"),
        ("2024-01-16,taxable,buy,VTI,,10,,,,,,,,", "quantity: is empty"),
        ("2024-01-16,taxable,buy,VTI,0,10,,,,,,,,", "not above zero"),
        ("2024-01-16,taxable,buy,VTI,-1,10,,,,,,,,", "not above zero"),
        ("2024-01-16,taxable,buy,VTI,ten,10,,,,,,,,", "is not a number"),
        ("2024-01-16,taxable,buy,VTI,1,,,,,,,,,", "amount: is empty, and so is price"),
        ("2024-01-16,taxable,buy,VTI,1,-10,,,,,,,,", "price: is below zero"),
        ("2024-01-16,taxable,buy,VTI,1,10,,-1,,,,,,", "fee: a cost is not below zero"),
        ("2024-01-16,taxable,sell,VTI,1,,-10,,,,,,,", "amount: is below zero"),
        ("2024-01-16,taxable,buy,VTI,10,240,2401.5,1.5,,,,,,", "seems to hold the fee"),
        ("2024-01-16,taxable,sell,VTI,10,240,2398.5,1.5,,,,,,", "seems to hold the fee"),
        ("2024-01-16,taxable,sell,VTI,10,240,,,t1:4,,,,,", "name 4 units of 10"),
        ("2024-01-16,taxable,sell,VTI,10,240,,,t1:x,,,,,", "is not a number"),
        ("2024-01-16,taxable,sell,VTI,10,240,,,t1:5;t1:5,,,,,", "a lot twice"),
        ("2024-01-16,taxable,sell,VTI,10,240,,,t1:10,hifo,,,,", "leave one of the two empty"),
        ("2024-01-16,taxable,sell,VTI,10,240,,,,specified,,,,", "lots: is empty"),
        ("2024-01-16,taxable,sell,VTI,10,240,,,,best,,,,", '"best" is not known'),
        ("2024-01-16,taxable,gift,VTI,10,,,,,,,2020-01-02,,", "basis: is empty"),
        ("2024-01-16,taxable,gift,VTI,10,,,,,,100,,,", "acquired: is empty"),
        ("2024-01-16,taxable,gift,VTI,10,,,,,,100,2025-01-02,,", "is after 2024-01-16"),
        ("2024-01-16,taxable,transfer,VTI,10,,,,,,,,,", "to: is empty"),
        ("2024-01-16,taxable,transfer,VTI,10,,,,,,,,taxable,", "the same account"),
        ("2024-01-16,taxable,split,VTI,,,,,,,,,,two", "is no split"),
        ("2024-01-16,taxable,split,VTI,,,,,,,,,,0:1", "is no split"),
        ("2024-01-16,taxable,split,VTI,,,,,,,,,,2:0", "is no split"),
        ("2024-01-16,taxable,dividend,VTI,,,,,,,,,,", "per_share: is empty"),
        ("2024-01-16,taxable,buy,VTI,1,10", "6 fields where the header has 14"),
        ("2024-01-16,taxable,buy,VTI,1,10,,,,,,,,,,x", "16 fields where the header has 14"),
    ],
)
def test_a_line_that_cannot_be_used_is_a_fault_that_names_it(row, words, read):
    (fault,) = faults(read, row)
    assert fault.startswith("line 2")
    assert words in fault


def test_the_faults_of_all_lines_are_told_together(read):
    found = faults(
        read,
        "2024-01-16,taxable,buy,VTI,ten,10,,,,,,,,",
        "2024-01-16,taxable,buy,VTI,1,10,,,,,,,,",
        "2024-13-16,taxable,buy,VTI,1,ten,,,,,,,,",
    )
    assert [fault.partition(":")[0] for fault in found] == [
        "line 2, quantity",
        "line 4, date",
        "line 4, price",
    ]


@pytest.mark.parametrize(
    ("day", "amount", "settings"),
    [
        ("02.01.2025", "10", ['date_format = "DD.MM.YYYY"']),
        ("2.1.2025", "10", ['date_format = "D.M.YYYY"']),
        ("25/01/2025", "10", ['date_format = "DD/MM/YYYY"']),
        ("2025-01-02", "1.000,5", ['decimal = ","']),
        ("2025-01-02", "1000,50", ['decimal = ","']),
        ("2025-01-02", "1,5", ['decimal = ","']),
        ("02.01.2025", "1.000,5", ['date_format = "DD.MM.YYYY"', 'decimal = ","']),
    ],
)
def test_a_european_file_is_told_which_mapping_reads_it(day, amount, settings, read):
    header = "date;account;action;symbol;quantity;amount\n"
    first, *others = faults(read, *[f"{day};a;buy;VTI;1;{amount}"] * 2, header=header)
    assert f", or say {' and '.join(settings)} in a mapping" in first
    assert others
    assert all("mapping" not in other for other in others)


def test_what_no_mapping_would_read_is_not_told_of_one(read):
    (fault,) = faults(read, "2024-01-16,taxable,buy,VTI,ten,10,,,,,,,,")
    assert "mapping" not in fault


def test_a_date_that_shows_the_month_first_explains_the_others(read):
    first, second = read(
        f"{HEADER}3/4/2024,a,buy,VTI,1,10,,,,,,,,\n3/25/2024,a,buy,VTI,1,10,,,,,,,,\n"
    ).transactions
    assert (first.date, second.date) == (dt.date(2024, 3, 4), dt.date(2024, 3, 25))


def test_a_time_with_a_zone_counts_in_new_york(read):
    buy = one(read, "2024-03-05T03:00:00Z,a,buy,VTI,1,10,,,,,,,,")
    assert buy.date == dt.date(2024, 3, 4)


def test_a_column_that_stands_twice_is_a_fault(read):
    header = "date,account,action,symbol,quantity,price,Price\n"
    row = "2024-01-16,a,buy,VTI,1,10,11"
    assert 'two columns are called "price"' in faults(read, row, header=header)[0]


# ------------------------------------------------------------------------------- lots and sales


def test_a_list_of_lots_is_told_by_its_columns(read):
    imported = read(
        "account,symbol,quantity,cost,acquired\ntaxable,VTI,10,2000,2021-02-03\n"
        "ira,BND,2.5,180.25,2022-03-04\n"
    )
    assert imported.format == "generic_lots_csv"
    assert [(lot.account, lot.symbol, lot.quantity, lot.basis) for lot in imported.lots] == [
        ("taxable", "VTI", Decimal(10), Decimal(2000)),
        ("ira", "BND", Decimal("2.5"), Decimal("180.25")),
    ]
    assert imported.lots[1].acquired == dt.date(2022, 3, 4)


def test_the_cost_of_one_unit_serves_as_well(read):
    header = "account,symbol,quantity,unit cost,acquired\n"
    (lot,) = read(f"{header}taxable,VTI,3,100.10,2021-02-03\n").lots
    assert lot.basis == Decimal("300.30")


def test_a_list_of_sales_is_what_a_broker_tells(read):
    imported = read(
        "account,symbol,quantity,date sold,proceeds,date acquired,cost basis,disallowed,term,form\n"
        "taxable,VTI,4,2024-03-15,920,2024-01-16,960.40,40.40,short,1099b_reported\n"
        "taxable,BND,1,2024-03-15,70,various,80,,long term,\n"
    )
    assert imported.format == "generic_sales_csv"
    first, second = imported.sales
    assert (first.disallowed, first.gain) == (Decimal("40.40"), Decimal(0))
    assert (first.term, first.reporting) == (Term.SHORT, Reporting.BASIS_REPORTED)
    assert (second.acquired, second.term, second.disallowed) == (None, Term.LONG, None)
    assert imported.realized_gain == Decimal(-10)


def test_a_line_with_a_bad_date_tells_its_other_faults_too(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "date,account,action,symbol,quantity,price\n2025-13-40,a,buy,VTI,ten,=1+1\n",
        encoding="utf-8",
    )
    with pytest.raises(FileFaults) as caught:
        import_file(path)
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "line 2, date",
        "line 2, quantity",
        "line 2, price",
    ]
