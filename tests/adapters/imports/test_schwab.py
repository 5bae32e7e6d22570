import datetime as dt
from decimal import Decimal

import pytest
from tests.adapters.imports.broker_files import (
    SCHWAB_LOTS,
    SCHWAB_LOTS_ADJUSTED,
    SCHWAB_POSITIONS_2025,
    SCHWAB_REALIZED,
    broker_file,
    faults_of,
    has_note,
)

from trimtab.adapters.imports import import_file
from trimtab.domain.history import TransactionKind
from trimtab.domain.trades import Term


@pytest.fixture
def read(tmp_path):
    def read(text: str):
        path = tmp_path / "export.csv"
        path.write_text(text, encoding="utf-8")
        return import_file(path)

    return read


def real(name: str):
    return import_file(broker_file(f"schwab/{name}"))


# ------------------------------------------------------------------------------- positions


def test_positions_of_all_accounts_stand_each_under_its_own_account():
    imported = real("positions_all_accounts_2021-09-26.csv")
    assert imported.as_of == dt.date(2021, 9, 26)
    assert imported.accounts == ("XXXX-1234", "XXXX-5678")
    held = [(p.account, p.symbol, p.quantity, p.price, p.basis) for p in imported.positions]
    assert held == [
        ("XXXX-1234", "SCHB", Decimal(961), Decimal("117.42"), Decimal("100975.73")),
        ("XXXX-5678", "VOO", Decimal(10), Decimal(211), Decimal(2010)),
        ("XXXX-5678", "IAU", Decimal(50), Decimal(111), Decimal(5050)),
    ]
    assert [(c.account, c.amount) for c in imported.cash] == [
        ("XXXX-1234", Decimal("42.82")),
        ("XXXX-5678", Decimal("42.82")),
    ]
    assert has_note(imported, "XXXX-1234 (Individual)", "XXXX-5678 (Roth IRA)")


def test_totals_that_do_not_add_up_are_noted_and_not_repaired():
    imported = real("positions_all_accounts_2021-09-26.csv")
    assert has_note(imported, "value of XXXX-1234", "23755.44", "23273.44")
    assert has_note(imported, "cost basis of XXXX-5678", "23975.73", "7060.00")
    assert has_note(imported, "line 5", "961 SCHB at 117.42", "23230.62")


def test_positions_of_2022_have_their_columns_in_another_order():
    imported = real("positions_individual_2022.csv")
    (position,) = imported.positions
    assert position.account == "...234"
    assert position.price == Decimal("48.08")
    assert (position.value, position.basis) == (Decimal(24040), Decimal("22951.97"))
    assert position.kind == "ETFs & Closed End Funds"
    assert imported.as_of == dt.date(2023, 4, 23)
    assert imported.cash[0].amount == Decimal("650.37")


def test_positions_of_2025_have_other_headings_and_the_same_meaning(read):
    imported = read(SCHWAB_POSITIONS_2025)
    stock, option = imported.positions
    assert (stock.account, stock.symbol, stock.quantity) == ("...724", "VTI", Decimal(16))
    assert (stock.value, stock.basis) == (Decimal(5768), Decimal("3073.28"))
    assert (option.quantity, option.kind) == (Decimal(-1), "Option")
    assert imported.cash[0].amount == Decimal("1000.95")
    assert imported.notes == ("accounts: ...724 (Joint Tenant)",)


def test_a_masked_quantity_leaves_the_position_out_with_a_note(read):
    imported = read(SCHWAB_POSITIONS_2025.replace('"16"', '"XX"'))
    assert [p.symbol for p in imported.positions] == ["VTI 06/19/2026 380.00 C"]
    assert has_note(imported, "line 4", "quantity is masked")
    assert has_note(imported, "line 4", "left out")


def test_a_position_that_breaks_off_is_a_fault(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("\n".join(SCHWAB_POSITIONS_2025.split("\n")[:4])[:-60] + '"')
    assert "where the header has" in faults_of(import_file, path)[0]


# ------------------------------------------------------------------------------------ lots


def test_lot_details_give_the_lots_of_the_symbol_in_the_title(read):
    imported = read(SCHWAB_LOTS)
    assert imported.format == "schwab_lots_csv"
    assert imported.as_of == dt.date(2020, 9, 26)
    first, second = imported.lots
    assert (first.account, first.symbol) == ("XXXX-4321", "SCHA")
    assert (first.acquired, first.quantity) == (dt.date(2019, 1, 15), Decimal(10))
    assert (first.basis, first.term, first.unadjusted_basis) == (Decimal(600), Term.LONG, None)
    assert (second.acquired, second.quantity) == (dt.date(2020, 8, 3), Decimal("2.5"))
    assert second.term is Term.SHORT
    assert imported.notes == ()


def test_later_lot_details_give_the_cost_before_a_wash_sale_too(read):
    imported = read(SCHWAB_LOTS_ADJUSTED)
    (lot,) = imported.lots
    assert (lot.basis, lot.unadjusted_basis) == (Decimal(1240), Decimal(1160))
    assert has_note(imported, "cost basis of the lots", "1250.00", "1240.00")


# ------------------------------------------------------------------------------- realized


def test_the_realized_gains_of_2021_have_no_opened_date_and_say_so():
    imported = real("realized_gain_loss_2021.csv")
    (sale,) = imported.sales
    assert (sale.account, sale.symbol, sale.quantity) == ("...234", "VEA", Decimal(3))
    assert (sale.sold, sale.acquired) == (dt.date(2021, 9, 27), None)
    assert (sale.proceeds, sale.basis, sale.gain) == (Decimal(12), Decimal(10), Decimal(2))
    assert (sale.term, sale.disallowed) == (None, Decimal(0))
    assert imported.as_of == dt.date(2021, 9, 28)
    assert imported.realized_gain == Decimal(2)
    assert has_note(imported, "no opened dates")
    assert has_note(imported, "line 3", "both long and short")


def test_realized_lot_details_repeat_their_header_for_each_account(read):
    imported = read(SCHWAB_REALIZED)
    assert imported.format == "schwab_realized_csv"
    assert imported.as_of == dt.date(2026, 5, 3)
    assert [sale.account for sale in imported.sales] == [
        "...234",
        "...234",
        "...234",
        "Joint Tenant",
    ]
    first, last = imported.sales[0], imported.sales[-1]
    assert (first.acquired, first.term) == (dt.date(2016, 11, 23), Term.LONG)
    assert (last.acquired, last.line) == (None, 14)
    assert has_note(imported, "...678", "no sales")


def test_a_wash_sale_counts_by_its_disallowed_loss_whichever_gain_is_printed(read):
    sales = read(SCHWAB_REALIZED).sales
    washed, other = sales[1], sales[2]
    assert (washed.disallowed, washed.gain) == (Decimal("3.43"), Decimal(0))
    assert (other.disallowed, other.gain) == (Decimal(50), Decimal(0))


def test_a_gain_that_is_neither_before_nor_after_the_wash_sale_is_noted(read):
    imported = read(SCHWAB_REALIZED)
    assert has_note(imported, "line 14", "25.00", "20.00")
    assert not has_note(imported, "line 5:")
    assert imported.realized_gain == Decimal("192.75") + Decimal(20)


# ---------------------------------------------------------------------------- transactions


def test_two_accounts_in_one_history_stay_apart():
    imported = real("history_2021.csv")
    buy, sell = imported.transactions
    assert (buy.account, buy.kind, buy.symbol) == ("...234", TransactionKind.BUY, "SCHB")
    assert (buy.quantity, buy.amount) == (Decimal(961), Decimal("100975.73"))
    assert (sell.account, sell.kind, sell.date) == (
        "...678",
        TransactionKind.SELL,
        dt.date(2021, 9, 27),
    )
    transfer = imported.cash_lines[0]
    assert (transfer.kind, transfer.amount) == ("transfer", Decimal(101000))
    assert has_note(imported, "total of the transactions", "524.82", "124.27")


def test_the_day_after_as_of_is_the_one_that_counts():
    interest = next(line for line in real("history_2021.csv").cash_lines if line.kind == "interest")
    assert interest.date == dt.date(2021, 7, 15)


def test_a_history_runs_backwards_within_a_day_too():
    imported = real("transactions_cgt_calc.csv")
    trades = [(t.date.day, t.kind.value, t.amount, t.fee) for t in imported.transactions]
    assert trades == [
        (2, "buy", Decimal(2500), Decimal(6)),
        (3, "sell", Decimal(2600), Decimal(5)),
        (3, "buy", Decimal(1350), Decimal(5)),
        (3, "sell", Decimal(1400), Decimal(5)),
        (3, "buy", Decimal(2900), Decimal(5)),
        (3, "buy", Decimal(120), Decimal(0)),
        (3, "sell", Decimal(3224), Decimal(5)),
        (6, "buy", Decimal(2880), Decimal(5)),
        (6, "sell", Decimal(2970), Decimal(5)),
        (2, "buy", Decimal("921.1"), Decimal(4)),
    ]


def test_a_history_that_runs_forwards_is_not_turned_round():
    imported = real("transactions_cgt_calc_2023.csv")
    assert [t.symbol for t in imported.transactions] == ["BAR", "BAR", "FOO", "FOO", "QUX", "QUX"]
    assert imported.transactions[-1].amount == Decimal("221457.79")
    assert imported.transactions[-1].fee == Decimal("1.2")
    assert imported.accounts == ("transactions_cgt_calc_2023.csv",)
    assert has_note(imported, "does not name its account")


def test_a_merger_for_money_is_left_for_a_person():
    imported = real("transactions_cash_merger.csv")
    assert imported.counts == {"rows": 6, "cash_lines": 3, "buy": 1, "review": 2}
    assert has_note(imported, "line 2", "a merger for money")


def test_the_long_history_is_read_line_by_line():
    imported = real("transactions_export_to_ghostfolio.csv")
    assert imported.counts == {
        "rows": 119,
        "cash_lines": 63,
        "buy": 1,
        "sell": 2,
        "reinvest": 40,
        "review": 13,
    }
    kinds: dict[str, int] = {}
    for line in imported.cash_lines:
        kinds[line.kind] = kinds.get(line.kind, 0) + 1
    assert kinds == {
        "dividend": 42,
        "interest": 5,
        "fee": 11,
        "long-term capital gain distribution": 1,
        "transfer": 3,
        "tax": 1,
    }
    reinvested = [t for t in imported.transactions if t.kind is TransactionKind.REINVEST]
    assert sum(t.amount for t in reinvested) == Decimal("14423.59")
    assert has_note(imported, "lines 108, 111, 112", "a split, whose ratio")
    assert has_note(imported, "line 62", "without their basis")


def test_a_quantity_with_thousands_is_a_sale_of_all_of_them():
    imported = real("transactions_export_to_ghostfolio.csv")
    sale = next(t for t in imported.transactions if t.symbol == "SNAXX" and t.kind == "sell")
    assert (sale.quantity, sale.amount) == (Decimal(500135), Decimal(500135))


_HEADER = '"Date","Action","Symbol","Description","Quantity","Price","Fees & Comm","Amount"\n'


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('"01/05/2026","Sell Short","VTI","V","-5","$100","","$500.00"', '"Sell Short"'),
        ('"01/05/2026","Cancel Buy","VTI","V","5","$100","","$500.00"', '"Cancel Buy"'),
        ('"01/05/2026","Buy to Open","VTI 06/19/2026 380.00 C","C","1","$4","","-$400"', "Open"),
        ('"01/05/2026","Buy","VTI 06/19/2026 380.00 C","C","1","$4","","-$400"', "an option"),
        ('"01/05/2026","Buy","VTI","V","5","$100","","$500.00"', "wrong sign"),
        ('"01/05/2026","Buy","VTI","V","XX","$100","","-$500.00"', "no quantity"),
        ('"01/05/2026","Security Transfer","VTI","TOA ACAT","5","","",""', "without their basis"),
        ('"01/05/2026","Conjure","VTI","V","5","","",""', '"Conjure"'),
        ('"01/05/2026","Buy","VTI","V","5","$100",""', "7 fields where the header has 8"),
    ],
)
def test_what_no_rule_judges_is_left_for_a_person(row, reason, read):
    imported = read(_HEADER + row + '\n"01/02/2026","Buy","BND","B","1","$70","","-$70"\n')
    review = imported.transactions[-1]
    assert review.kind is TransactionKind.REVIEW
    assert review.source == "export.csv line 2"
    assert reason in review.text
    assert has_note(imported, "line 2", "left for you to look at")


@pytest.mark.parametrize(
    ("action", "symbol"),
    [
        ("Buy to Open", "VTI 03/21/2025 290.00 C"),
        ("Buy", "VTI   250321C00290000"),
        ("Assigned", "VTI 21MAR25 290 P"),
    ],
)
def test_an_option_is_filed_under_the_share_that_it_is_on(action, symbol, read):
    imported = read(f'{_HEADER}"02/20/2025","{action}","{symbol}","C","2","$4","","-$800"\n')
    (review,) = imported.transactions
    assert review.symbol == "VTI"
    assert symbol in review.text


def test_a_sale_may_be_written_with_a_negative_quantity(read):
    sale = read(_HEADER + '"02/07/2024","Sell","AMZN","A","-1,471","$170.07","","$250,172.97"\n')
    assert sale.transactions[0].quantity == Decimal(1471)


def test_the_same_days_of_another_export_give_the_same_ids(read):
    day = '"02/07/2024","Sell","VTI","V","1","$230","","$230"\n'
    older = '"02/06/2024","Buy","VTI","V","1","$200","","-$200"\n'
    short, long = read(_HEADER + day + day), read(_HEADER + day + day + older)
    assert [t.id for t in short.transactions] == [t.id for t in long.transactions[1:]]
    assert len({t.id for t in long.transactions}) == 3


def test_every_fault_of_a_history_is_told_at_once(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(
        _HEADER + '"13/45/2024","Buy","VTI","V","1","$1","","-$1"\n'
        '"01/05/2024","Buy","VTI","V","one","$1","","-$1"\n'
    )
    first, second = faults_of(import_file, path)
    assert first.startswith("line 2, date")
    assert second.startswith("line 3, quantity")
