"""Plans of small households, one rule each: what is sold, what is kept and what is said of it."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.houses import START, TOML, FixedPrices, OpenCalendars, lot
from tests.rules.homes import TODAY, Home, sales

from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.memory import Memory
from trimtab.domain.policy import DefensiveRule, OrderRule
from trimtab.domain.trades import Disposal, Side, Term
from trimtab.domain.values import Lot, Relief, ScheduledPurchase, Snapshot


@pytest.mark.parametrize(("days", "is_kept"), [(30, True), (31, False)])
def test_a_loss_is_kept_while_a_replacement_is_sold_by_the_same_plan(days, is_kept):
    bought = (TODAY - dt.timedelta(days=days)).isoformat()
    lots = [
        lot("ira", "VTI", "10", "1200", bought, "replacement"),
        lot("taxable", "VTI", "800", "90000", "2024-01-02", "old"),
    ]
    sold = {pick.lot_id for t in sales(_home(TOML, lots).trades()) for pick in t.lots}
    assert sold == ({"replacement"} if is_kept else {"old"})


@pytest.mark.parametrize(("days", "is_kept"), [(30, True), (31, False)])
@pytest.mark.parametrize("source", ["journal", "sales.csv"])
def test_a_loss_is_kept_although_the_replacement_was_sold_before(days, is_kept, source):
    sale = Disposal(
        id="d",
        account="ira",
        symbol="VTI",
        lot_id="replacement",
        quantity=Decimal(10),
        acquired=TODAY - dt.timedelta(days=days),
        holding_since=TODAY - dt.timedelta(days=days),
        sold=TODAY - dt.timedelta(days=14),
        proceeds=Decimal(1100),
        basis=Decimal(1000),
        term=Term.SHORT,
        is_taxed=False,
        source=source,
    )
    lots = [lot("taxable", "VTI", "800", "90000", "2024-01-02", "old")]
    home = _home(TOML, lots)._replace(memory=Memory(disposals=(sale,)))
    assert (sales(home.trades()) == ()) is is_kept


BONDS_HEAVY = [
    lot("taxable", "VTI", "450", "20000", "2024-01-02"),
    lot("taxable", "BND", "500", "20000", "2024-01-02"),
    lot("wallet", "BTC-USD", "50", "1000", "2024-01-02"),
]


def test_what_is_heavy_is_not_sold_where_its_proceeds_could_buy_nothing():
    home = _home(TOML, BONDS_HEAVY)
    assert [trade.symbol for trade in home.trades()] == ["BND", "VTI"]
    reduce_only = replace(home.policy, defensive=DefensiveRule(posture="reduce_only"))
    fallen = home._replace(memory=Memory(breaker="it fell"), policy=reduce_only)
    no_buy = replace(home.policy, orders=OrderRule(no_buy=("VTI", "ITOT")))
    for stuck in (fallen, home._replace(policy=no_buy)):
        decision = stuck.decide()
        assert decision.plan is None
        assert (
            "bonds stays 10,000.00 USD above its goal: its proceeds could buy nothing that is "
            "light now, so a sale would mend nothing."
        ) in [refusal.sentence for refusal in decision.refusals]


def test_the_defensive_posture_sells_what_is_risky_and_heavy_even_into_cash():
    lots = [
        lot("taxable", "VTI", "650", "20000", "2024-01-02"),
        lot("taxable", "BND", "300", "20000", "2024-01-02"),
        lot("wallet", "BTC-USD", "50", "1000", "2024-01-02"),
    ]
    home = _home(TOML, lots)
    orders = OrderRule(no_buy=("BND",))
    calm = home._replace(policy=replace(home.policy, orders=orders))
    assert calm.trades() == ()
    posture = DefensiveRule(posture="reduce_only")
    fallen = calm._replace(
        memory=Memory(breaker="it fell"), policy=replace(calm.policy, defensive=posture)
    )
    assert [(t.symbol, t.side) for t in fallen.trades()] == [("VTI", Side.SELL)]


def test_what_the_household_wants_none_of_is_sold_even_into_cash():
    toml = TOML.replace("target = 0.55", "target = 0.95").replace("target = 0.40", "target = 0")
    home = _home(toml, BONDS_HEAVY)
    orders = OrderRule(no_buy=("VTI", "ITOT"))
    stuck = home._replace(policy=replace(home.policy, orders=orders))
    assert [(t.symbol, t.quantity) for t in stuck.trades()] == [("BND", Decimal(500))]


def test_what_the_no_sell_list_keeps_is_refused_by_name():
    home = _home(TOML, BONDS_HEAVY)
    kept = replace(home.policy, orders=OrderRule(no_sell=("BND",)))
    decision = home._replace(policy=kept).decide()
    assert decision.plan is None
    assert "BND in taxable is kept: it is on the policy's no_sell list." in [
        refusal.sentence for refusal in decision.refusals
    ]


def test_where_proceeds_wait_for_their_settlement_no_deposit_is_asked_for():
    home = _home(TOML, BONDS_HEAVY)
    waits = replace(home.policy, orders=OrderRule(unsettled="wait"))
    decision = home._replace(policy=waits).decide()
    assert decision.plan is not None
    assert [trade.symbol for trade in decision.plan.trades] == ["BND"]
    (refusal,) = [one for one in decision.refusals if one.asset_class == "stocks"]
    assert "in taxable settles on the next business day and can buy it then." in refusal.sentence


@pytest.mark.parametrize(
    ("relief", "method", "words"),
    [
        (Relief.FIFO, "min_tax", "first in, first out, as the account's broker books them"),
        (Relief.HIFO, "min_tax", "highest cost first, as the account's broker books them"),
        (Relief.SPECIFIC, "hifo", "highest cost first, as the policy says"),
        (Relief.SPECIFIC, "lifo", "last in, first out, as the policy says"),
        (Relief.SPECIFIC, "min_tax", "these lots cost the least tax that the account allows"),
    ],
)
def test_a_sale_says_in_which_order_it_took_its_lots(relief, method, words):
    home = _home(TOML, BONDS_HEAVY)
    accounts = dict(home.snapshot.accounts)
    accounts["taxable"] = replace(accounts["taxable"], relief=relief)
    policy = replace(home.policy, orders=OrderRule(lot_method=method))
    own = home._replace(snapshot=replace(home.snapshot, accounts=accounts), policy=policy)
    (sale,) = sales(own.trades())
    assert f"; {words}: a gain of " in sale.reason


def test_units_bought_with_unsettled_money_are_sold_from_the_day_on_which_it_settled():
    for days, is_kept in ((1, True), (0, False)):
        waiting = replace(BONDS_HEAVY[1], sellable_from=TODAY + dt.timedelta(days=days))
        home = _home(TOML, [BONDS_HEAVY[0], waiting, BONDS_HEAVY[2]])
        assert (sales(home.trades()) == ()) is is_kept


TWINS = TOML.replace('"VTI", "ITOT"', '"VTI"').replace('["BND"]', '["ITOT", "BND"]')
"""Two funds that the household calls identical, each the first member of its own class."""


def test_what_is_identical_to_a_sale_of_the_same_account_is_passed_over():
    lots = [
        lot("taxable", "VTI", "700", "60000", "2024-01-02"),
        lot("taxable", "BND", "250", "20000", "2024-01-02"),
    ]
    at_loss = [replace(lots[0], basis=Decimal(90_000)), lots[1]]
    group = (("VTI", "ITOT"),)
    sold, bought = _home(TWINS, lots).trades()
    assert (sold.symbol, bought.symbol) == ("VTI", "ITOT")
    sold, bought = _home(TWINS, lots, group).trades()
    assert (sold.symbol, bought.symbol) == ("VTI", "BND")
    assert "BND is bought instead because VTI is sold here" in bought.reason
    sold, bought = _home(TWINS, at_loss, group).trades()
    assert (sold.symbol, bought.symbol) == ("VTI", "BND")
    assert "BND is bought instead because VTI is sold at a loss in this plan" in bought.reason


def test_a_gain_that_slippage_and_fees_could_turn_into_a_loss_is_taken_for_one():
    """The bid is 99.99, of which 99.84 can be counted on; the same fund was bought last week."""
    recent = lot("ira", "VTI", "1", "100", "2026-03-02", "recent")
    recent = replace(recent, sellable_from=dt.date(2026, 3, 10))
    dear, cheap = (
        lot("taxable", "VTI", "700", basis, "2024-01-02", "old") for basis in ("69930", "69881")
    )
    assert _home(TOML, [recent, dear]).trades() == ()
    assert [trade.account for trade in sales(_home(TOML, [recent, cheap]).trades())] == ["taxable"]


def test_an_account_that_lacks_of_its_reserve_fills_it_before_anything_is_bought():
    lots = [lot("taxable", "VTI", "40", "1", "2024-01-02")]
    assert [trade.symbol for trade in _home(TOML, lots, reserve="4100").trades()] == ["VTI"]
    assert [trade.symbol for trade in _home(TOML, lots, reserve="900").trades()] == ["VTI", "BND"]


def test_coins_are_sold_down_to_their_part_of_all_savings_dollars_in_the_wallet_counted():
    lots = [lot("wallet", "BTC-USD", "100", "1", "2024-01-02")]
    (sale,) = _home(TOML, lots).trades()
    assert (sale.side, sale.quantity) == (Side.SELL, Decimal(95))


def test_a_household_of_nothing_has_nothing_to_do():
    assert _home(TOML, []).trades() == ()


def _home(
    toml: str,
    lots: list[Lot],
    identical: tuple[tuple[str, ...], ...] = (),
    *,
    reserve: str = "0",
) -> Home:
    """A household without cash, at a price of 100 for everything; the taxable account's reserve."""
    file = decode_household(toml)
    prices = FixedPrices(dict.fromkeys(["VTI", "ITOT", "BND", "BTC-USD"], "100"))
    snapshot = Snapshot(
        at=START,
        base_currency="USD",
        accounts=accounts_of(file),
        instruments=instruments_of(file),
        lots=tuple(lots),
        balances=(),
        quotes=dict(prices.quotes(prices.prices, START)),
        rates={},
        hours={name: OpenCalendars().hours(name, START) for name in ("XNYS", "24/7")},
    )
    policy = replace(file.policy(), cash_reserves={"taxable": Decimal(reserve)})
    return Home(snapshot, policy, replace(file.tax, identical=identical), Memory())


@pytest.mark.parametrize(("days", "is_kept"), [(0, True), (30, True), (31, False)])
def test_a_loss_is_kept_before_a_purchase_that_happens_by_itself(days, is_kept):
    day = TODAY + dt.timedelta(days=days)
    lots = [lot("taxable", "VTI", "800", "90000", "2024-01-02", "old")]
    home = _home(TOML, lots)
    coming = ScheduledPurchase(account="ira", symbol="VTI", date=day, amount=Decimal(500))
    home = home._replace(snapshot=replace(home.snapshot, scheduled=(coming,)))
    assert (sales(home.trades()) == ()) is is_kept
    sentences = " ".join(refusal.sentence for refusal in home.decide().refusals)
    assert (f"VTI will be bought by itself in ira on {day}" in sentences) is is_kept


def test_a_loss_says_that_reinvested_dividends_may_wash_a_part_of_it():
    lots = [
        lot("taxable", "VTI", "800", "90000", "2024-01-02", "old"),
        lot("ira", "VTI", "1", "90", "2024-01-02", "other"),
    ]
    home = _home(TOML, lots)
    accounts = dict(home.snapshot.accounts)
    accounts["ira"] = replace(accounts["ira"], reinvests=True)
    home = home._replace(snapshot=replace(home.snapshot, accounts=accounts))
    reasons = [trade.reason for trade in sales(home.trades()) if trade.account == "taxable"]
    assert reasons
    assert all("dividends reinvested in ira may wash a part of it." in each for each in reasons)
