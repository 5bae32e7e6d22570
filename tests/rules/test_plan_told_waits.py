"""What a plan says of years to come, of other hands, and of what has to wait."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules.homes import TODAY, Home
from tests.rules.plan_homes import WIDE_BAND, held, household, realized

from trimtab.domain.numbers import ZERO
from trimtab.domain.policy import ClassRule, OrderRule, PlanRule
from trimtab.domain.trades import Motive, Side, Term, Trade
from trimtab.domain.values import AccountKind, InstrumentKind, OwnerRole, ScheduledPurchase

TWO = {"taxable": AccountKind.TAXABLE, "ira": AccountKind.TRADITIONAL_IRA}
HEAVY = [held("taxable", "AAA", 80_000, 20_000), held("taxable", "BBB", 20_000, 20_000)]
AT_A_LOSS = [held("taxable", "AAA", 80_000, 90_000), held("taxable", "BBB", 20_000, 20_000)]
ALWAYS = PlanRule(harvests="always")
NO_MARGIN = OrderRule(minimum=ZERO, slippage_max_bps=ZERO, fee_buffer_bps=ZERO)


def sale_of(home: Home, symbol: str = "AAA") -> Trade:
    (sale,) = [one for one in home.trades() if one.side is Side.SELL and one.symbol == symbol]
    return sale


def told(home: Home) -> list[str]:
    return [one.sentence for one in home.decide().refusals]


def told_of(home: Home, name: str) -> str:
    (sentence,) = [one for one in told(home) if one.startswith(f"{name} stays ")]
    return sentence


# ------------------------------------------------------------------ this year, and later ones


@pytest.mark.parametrize(
    ("before", "words"),
    [
        # Of 10,000 lost 3,000 are deducted this year, at 30 %.
        ((), " of tax, 900.00 USD of it this year."),
        ((realized(-20_000, Term.SHORT),), " of tax, none of it this year."),
        ((realized(20_000, Term.SHORT),), "saves 3,000.00 USD of tax."),
    ],
    ids=["the limit", "beyond the limit", "a gain to set it against"],
)
def test_a_loss_says_how_much_of_its_saving_falls_into_this_year(before, words):
    home = household(AT_A_LOSS, disposals=before)
    assert sale_of(home).reason.endswith(words)


def test_a_gain_that_uses_up_a_carryover_costs_later_years_too():
    home = household(HEAVY, disposals=(realized(-100_000, Term.LONG),))
    reason = sale_of(home).reason
    assert "which costs " in reason
    assert reason.endswith(" of tax, none of it this year.")


# ------------------------------------------------------------------ other hands, other accounts


def _with_child(home: Home) -> Home:
    child = replace(home.snapshot.accounts["kid"], role=OwnerRole.OTHER)
    accounts = {**home.snapshot.accounts, "kid": child}
    return home._replace(snapshot=replace(home.snapshot, accounts=accounts))


def test_what_a_child_buys_keeps_no_place_of_a_parents_loss():
    lots = [held("taxable", "AAA", 80_000, 90_000)]
    accounts = {"taxable": AccountKind.TAXABLE, "kid": AccountKind.TAXABLE}
    classes = {
        "stocks": ClassRule(target=Decimal("0.6"), members=("AAA",)),
        "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
    }
    home = _with_child(household(lots, {"kid": 20_000}, accounts=accounts, classes=classes))
    (by_the_child,) = [one for one in home.trades() if one.account == "kid"]
    assert by_the_child.reason == (
        "it takes the place of a part of the stocks that is sold in taxable: no cash moves between "
        "accounts."
    )
    sale = sale_of(home)
    assert sale.motive is Motive.DRIFT
    assert "keeps the place" not in sale.reason
    assert all(one.motive is not Motive.HARVEST for one in home.trades())


def test_only_what_the_same_hands_buy_is_named_as_the_substitute():
    accounts = {"taxable": AccountKind.TAXABLE, "kid": AccountKind.TAXABLE}
    home = _with_child(household(AT_A_LOSS, {"kid": 50_000}, accounts=accounts))
    assert {one.symbol for one in home.trades() if one.account == "kid"} >= {"AAA"}
    assert "its loss is taken while AAB keeps the place of AAA; " in sale_of(home).reason


def test_two_substitutes_keep_the_place_of_what_is_sold():
    classes = {
        "stocks": ClassRule(target=Decimal("0.6"), members=("AAA", "AAB", "AAC")),
        "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
    }
    limited = PlanRule(holdings_max={"AAB": Decimal("0.3"), "AAC": Decimal("0.4")})
    home = household(AT_A_LOSS, classes=classes, plan=limited)
    assert "its loss is taken while AAB and AAC keep the place of AAA; " in sale_of(home).reason


def test_what_is_light_and_moves_to_another_account_says_so():
    """Bonds belong in the IRA, which has the room that world stocks leave."""
    classes = {
        "stocks": ClassRule(target=Decimal("0.5"), members=("AAA",)),
        "world": ClassRule(target=Decimal("0.2"), members=("CCC",)),
        "bonds": ClassRule(target=Decimal("0.3"), members=("BBB",), ordinary_yield=Decimal("0.05")),
    }
    lots = [
        held("taxable", "AAA", 60_000, 60_000),
        held("taxable", "BBB", 20_000, 20_000),
        held("ira", "AAA", 10_000, 1),
        held("ira", "CCC", 10_000, 1),
    ]
    home = household(lots, accounts=TWO, classes=classes)
    assert sale_of(home, "CCC").reason.startswith(
        "world is bought in taxable instead, and its sale here pays for bonds: no cash moves "
        "between accounts; "
    )


# ------------------------------------------------------------------ losses that must wait


@pytest.mark.parametrize("harvests", ["always", "with_trades"])
def test_a_large_loss_that_a_purchase_washes_is_told_once_where_losses_call_for_a_plan(harvests):
    lots = [
        held("taxable", "AAA", 20_000, 30_000, 700),
        held("taxable", "AAA", 40_000, 60_000, 800),
        held("ira", "AAA", 100, 100, 5),
        held("taxable", "BBB", 40_000, 40_000),
    ]
    home = household(lots, accounts=TWO, bands=WIDE_BAND, plan=PlanRule(harvests=harvests))
    day = TODAY - dt.timedelta(days=5)
    sentence = (
        f"A loss of 30,000.00 USD on AAA in taxable is not taken: AAA was bought in ira on {day}, "
        f"so it would be a wash sale until {day + dt.timedelta(days=31)}."
    )
    assert told(home) == ([sentence] if harvests == "always" else [])


def test_a_loss_before_a_purchase_that_happens_by_itself_waits_for_the_day_after_its_window():
    day = TODAY + dt.timedelta(days=10)
    while day.weekday() > 4:
        day += dt.timedelta(days=1)
    coming = ScheduledPurchase(account="ira", symbol="AAA", date=day)
    lots = [held("taxable", "AAA", 60_000, 90_000), held("taxable", "BBB", 40_000, 40_000)]
    home = household(lots, accounts=TWO, bands=WIDE_BAND, plan=ALWAYS, scheduled=(coming,))
    (sentence,) = told(home)
    assert sentence == (
        "A loss of 30,000.00 USD on AAA in taxable is not taken: AAA will be bought by itself in "
        f"ira on {day}, so it would be a wash sale until {day + dt.timedelta(days=31)} at the "
        "earliest."
    )


@pytest.mark.parametrize("basis", [61_000, 60_100], ids=["small for its basis", "tiny"])
def test_a_loss_that_would_not_be_taken_anyway_is_not_told(basis):
    lots = [
        held("taxable", "AAA", 60_000, basis),
        held("ira", "AAA", 100, 100, 5),
        held("taxable", "BBB", 40_000, 40_000),
    ]
    assert told(household(lots, accounts=TWO, bands=WIDE_BAND, plan=ALWAYS)) == []


# ------------------------------------------------------------------ why the rest was not done


def test_what_may_not_be_bought_beyond_its_limit_makes_a_sale_mend_nothing():
    limited = PlanRule(holdings_max={"BBB": Decimal("0.25")})
    home = household(HEAVY, plan=limited)
    assert told_of(home, "stocks").endswith(
        ": its proceeds could buy nothing that is light now, so a sale would mend nothing."
    )
    assert told_of(home, "bonds").endswith(": BBB may be 25.0 % of the savings at most.")


def test_the_minimum_that_stops_everything_is_named():
    orders = replace(NO_MARGIN, minimum=Decimal(1_000_000))
    least = "no order may be smaller than 1,000,000.00 USD, the policy's minimum."
    assert told(household(HEAVY, orders=orders)) == [
        f"stocks stays 20,000.00 USD above its goal: {least}",
        f"bonds stays 20,000.00 USD below its goal: {least}",
    ]


THREE = {
    "stocks": ClassRule(target=Decimal("0.4"), members=("AAA",)),
    "bonds": ClassRule(target=Decimal("0.3"), members=("BBB",)),
    "world": ClassRule(target=Decimal("0.3"), members=("CCC",)),
}
WAITING = replace(NO_MARGIN, unsettled="wait")


@pytest.mark.parametrize(
    ("in_the_ira", "bonds", "world"),
    [
        (20_000, "some of it then, shared with world.", "some of it then, shared with bonds."),
        (70_000, "it then.", "it then."),
    ],
    ids=["too little for both", "enough for both"],
)
def test_money_that_has_not_settled_is_not_promised_to_two_classes(in_the_ira, bonds, world):
    """At this price of drift the gain of the taxable account is too dear to realize."""
    lots = [held("ira", "AAA", in_the_ira, 1), held("taxable", "AAA", 100_000 - in_the_ira, 1)]
    plan = PlanRule(drift_price=Decimal("0.1"))
    home = household(lots, accounts=TWO, classes=THREE, orders=WAITING, plan=plan)
    assert told_of(home, "bonds").endswith(f" next business day and can buy {bonds}")
    assert told_of(home, "world").endswith(f" next business day and can buy {world}")


def test_a_sale_mends_nothing_where_money_on_its_way_takes_all_that_may_be_bought():
    """Both limits leave room for 20,000, and the IRA's 20,000 buy that when they have settled."""
    lots = [held("ira", "AAA", 40_000, 1), held("taxable", "AAA", 60_000, 50_000)]
    limits = {"BBB": Decimal("0.1"), "CCC": Decimal("0.1")}
    plan = PlanRule(holdings_max=limits)
    home = household(lots, accounts=TWO, classes=THREE, orders=WAITING, plan=plan)
    assert told_of(home, "stocks").endswith(
        ": money that is on its way takes all that may be bought of what is light, so a sale would "
        "mend nothing."
    )


def test_money_that_has_not_settled_buys_no_more_than_a_limit_lets():
    lots = [held("ira", "AAA", 100_000, 1)]
    plan = PlanRule(holdings_max={"BBB": Decimal("0.1")})
    home = household(lots, accounts=TWO, classes=THREE, orders=WAITING, plan=plan)
    bonds = told_of(home, "bonds")
    assert "can buy 10,000.00 USD of it then, the most that the policy's holdings_max" in bonds


def test_coins_that_stay_above_their_goal_for_the_dollars_of_their_wallet_say_so():
    accounts = {"taxable": AccountKind.TAXABLE, "wallet": AccountKind.CRYPTO}
    classes = {
        "stocks": ClassRule(target=Decimal("0.9"), members=("AAA",)),
        "coins": ClassRule(target=Decimal("0.1"), members=("CCC",)),
    }
    lots = [held("taxable", "AAA", 60_000, 60_000), held("wallet", "CCC", 40_000, 40_000)]
    home = household(lots, accounts=accounts, classes=classes)
    kinds = {
        name: replace(one, kind=InstrumentKind.CRYPTO) if name == "CCC" else one
        for name, one in home.snapshot.instruments.items()
    }
    home = home._replace(snapshot=replace(home.snapshot, instruments=kinds))
    assert told_of(home, "coins").endswith(
        ", which counts no dollars of a wallet: coins are sold down to 10.0 % of the savings with "
        "those dollars in, and no further."
    )
