"""Sixty-one days: what may not be bought after a loss, and not sold at one after a purchase."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.houses import TOML, lot

from trimtab.domain.household import decode_household, instruments_of
from trimtab.domain.numbers import ONE
from trimtab.domain.trades import Disposal, Term
from trimtab.rules.tax.wash import identical_symbols, purchase_locks, recent_purchases

INSTRUMENTS = instruments_of(decode_household(TOML))
SOLD = dt.date(2026, 3, 9)
GROUP = (("VTI", "ITOT"),)


@pytest.mark.parametrize(
    ("days", "is_locked"),
    [
        pytest.param(0, True, id="the day of the sale"),
        pytest.param(30, True, id="the thirtieth day still counts"),
        pytest.param(31, False, id="the thirty-first is the first safe day"),
        pytest.param(-1, False, id="a loss that is still to come"),
    ],
)
def test_what_was_sold_at_a_loss_may_not_be_bought_for_thirty_days(days, is_locked):
    locks = purchase_locks([_sale()], SOLD + dt.timedelta(days=days), (), INSTRUMENTS)
    assert ("VTI" in locks) == is_locked
    if is_locked:
        assert locks["VTI"].safe_from == dt.date(2026, 4, 9)


def test_a_loss_locks_everything_identical_and_nothing_else():
    locks = purchase_locks([_sale()], SOLD, GROUP, INSTRUMENTS)
    assert set(locks) == {"VTI", "ITOT"}
    assert locks["ITOT"].symbol == "VTI"
    assert identical_symbols("BND", GROUP) == {"BND"}


@pytest.mark.parametrize(
    "sale",
    [
        pytest.param({"proceeds": "100"}, id="neither gain nor loss"),
        pytest.param({"is_taxed": False}, id="a loss inside an IRA is none"),
        pytest.param({"symbol": "BTC-USD"}, id="coins are property, not securities"),
    ],
)
def test_some_sales_open_no_window(sale):
    assert purchase_locks([_sale(**sale)], SOLD, (), INSTRUMENTS) == {}


def test_of_two_losses_the_later_one_locks():
    later = _sale(sold=SOLD + dt.timedelta(days=10))
    for sales in ([_sale(), later], [later, _sale()]):
        locks = purchase_locks(sales, later.sold, (), INSTRUMENTS)
        assert locks["VTI"].sold == later.sold


@pytest.mark.parametrize(("days", "counts"), [(0, True), (30, True), (31, False), (-1, False)])
def test_a_purchase_of_the_last_thirty_days_would_wash_a_loss_of_today(days, counts):
    bought = lot("ira", "ITOT", "1", "100", (SOLD - dt.timedelta(days=days)).isoformat())
    found = recent_purchases([bought], [], SOLD, GROUP, INSTRUMENTS)
    assert ("VTI" in found) == counts


@pytest.mark.parametrize(("days", "counts"), [(0, True), (30, True), (31, False), (-1, False)])
def test_a_purchase_counts_although_its_units_were_sold_since(days, counts):
    acquired = SOLD - dt.timedelta(days=days)
    sale = replace(_sale(symbol="ITOT", is_taxed=False, proceeds="110"), acquired=acquired)
    found = recent_purchases([], [sale], SOLD, GROUP, INSTRUMENTS)
    assert [one.acquired for one in found.get("VTI", ())] == ([acquired] if counts else [])


def test_a_lot_sold_in_part_was_bought_once():
    bought = lot("taxable", "VTI", "1", "100", SOLD.isoformat())
    sale = replace(_sale(), lot_id=bought.id, acquired=bought.acquired)
    found = recent_purchases([bought], [sale], SOLD, GROUP, INSTRUMENTS)
    assert [one.lot_id for one in found["VTI"]] == [bought.id]


def test_a_recent_purchase_of_coins_washes_nothing():
    bought = lot("wallet", "BTC-USD", "1", "100", SOLD.isoformat())
    assert recent_purchases([bought], [], SOLD, (), INSTRUMENTS) == {}


def _sale(
    *, symbol: str = "VTI", proceeds: str = "90", is_taxed: bool = True, sold: dt.date = SOLD
) -> Disposal:
    return Disposal(
        id=f"{symbol}-{sold}",
        account="taxable",
        symbol=symbol,
        lot_id="l",
        quantity=ONE,
        acquired=dt.date(2025, 1, 2),
        holding_since=dt.date(2025, 1, 2),
        sold=sold,
        proceeds=Decimal(proceeds),
        basis=Decimal(100),
        term=Term.LONG,
        is_taxed=is_taxed,
    )
