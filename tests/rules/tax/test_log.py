import datetime as dt
from decimal import Decimal

from trimtab.domain.history import LotSale
from trimtab.domain.trades import Term
from trimtab.rules.tax.log import tax_rows, tax_totals


def sale(
    proceeds: str, basis: str, *, sold: str = "2026-03-09", long: bool = False, taxed: bool = True
) -> LotSale:
    return LotSale(
        sale_id="fill",
        id=f"fill-{sold}-{proceeds}",
        account="joint" if taxed else "ira",
        symbol="VTI",
        lot_id="lot",
        quantity=Decimal(1),
        acquired=dt.date(2020, 1, 2),
        holding_since=dt.date(2020, 1, 2),
        sold=dt.date.fromisoformat(sold),
        proceeds=Decimal(proceeds),
        basis=Decimal(basis),
        term=Term.LONG if long else Term.SHORT,
        is_taxed=taxed,
        order_id="tt-1",
    )


def test_the_log_of_a_year_holds_the_sales_of_that_year_in_their_order():
    sales = (
        sale("3", "1", sold="2026-12-31"),
        sale("1", "1", sold="2025-12-31"),
        sale("2", "1", sold="2026-01-01"),
    )
    assert [row.proceeds for row in tax_rows(sales, 2026)] == [2, 3]
    assert [row.proceeds for row in tax_rows(sales)] == [1, 2, 3]


def test_a_row_keeps_the_digits_of_its_sale():
    (row,) = tax_rows([sale("100.0000000001", "33.3333333333")])
    assert row.gain == Decimal("66.6666666668")
    assert (row.account, row.lot_id, row.order_id) == ("joint", "lot", "tt-1")


def test_totals_are_exact_sums_of_the_taxed_accounts_by_term():
    sales = (
        sale("10.004", "1"),
        sale("10.004", "1"),
        sale("5", "9", long=True),
        sale("1000", "1", taxed=False),
    )
    short, long = tax_totals(tax_rows(sales))
    assert (short.term, short.proceeds, short.gain) == (
        Term.SHORT,
        Decimal("20.008"),
        Decimal("18.008"),
    )
    assert (long.term, long.gain) == (Term.LONG, Decimal(-4))


def test_a_year_without_sales_has_two_totals_of_zero():
    totals = tax_totals(())
    assert [total.term for total in totals] == [Term.SHORT, Term.LONG]
    assert [total.gain for total in totals] == [0, 0]
