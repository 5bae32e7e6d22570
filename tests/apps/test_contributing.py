"""What `contribute` makes of contributions that are late, and the total it places money against."""

import datetime as dt
from decimal import Decimal

import pytest
from tests.houses import TOML, FixedPrices, ManualClock, house_of, lot

from trimtab.apps.assumptions import read_assumptions
from trimtab.apps.contributing import Contributing, contribute
from trimtab.apps.hypothetical import Look, today, what_if
from trimtab.apps.run import run_once
from trimtab.apps.views.contribute import verdict
from trimtab.apps.world import House
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.trades import Side
from trimtab.lab.paper import PaperBroker
from trimtab.rules.holdings import class_of

PRICES = {"VTI": "100", "ITOT": "50", "BND": "50", "BTC-USD": "40000"}
STEP = Decimal(100)
"""The dearest unit that a plan buys here."""
PAYS = '[[contributions]]\naccount = "taxable"\namount = {}\nfirst = {}\nevery = "{}"\n'
LEAVES = '[[withdrawals]]\naccount = "taxable"\namount = {}\nfirst = {}\n'


def house(more: str = "", *, vti: str = "550", cash: str = "1000", stocks: str = "0.55") -> House:
    """A household that keeps 1,000 in cash; it is in its bands with 550 VTI."""
    toml = TOML.replace("target = 0.55", f"target = {stocks}")
    lots = [
        lot("taxable", "VTI", vti, "54000", "2020-01-02"),
        lot("taxable", "BND", "800", "40000", "2020-01-02"),
        lot("wallet", "BTC-USD", "0.125", "4000", "2020-01-02"),
    ]
    return house_of(lots, {"taxable": cash}, FixedPrices(PRICES), toml=toml + more)


def look(made: House, day: str = "2026-03-09") -> Look:
    assert isinstance(made.clock, ManualClock)
    made.clock.at = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(15), tzinfo=dt.UTC)
    return today(made, run_once(made, executes=False))


def told(made: House, day: str) -> str:
    return verdict(contribute(made, look(made, day)))


def pay(made: House, amount: int, day: str) -> None:
    look(made, day)
    broker = made.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    broker.deposit("taxable", Decimal(amount))


# ------------------------------------------------------------------- paid, late, and not known

MONTHLY = PAYS.format(2000, "2026-03-12", "month")


@pytest.mark.parametrize("day", ["2026-03-13", "2026-03-21", "2026-03-31"])
def test_a_contribution_that_has_not_come_is_told_with_its_day_all_month(day):
    made = house(MONTHLY)
    look(made)
    said = "2,000.00 USD into taxable (due on 2026-03-12 and not come yet)"
    assert told(made, day) == f"Put in this month: {said}."


def test_one_of_last_month_is_told_as_long_as_the_cash_of_a_withdrawal_would_be_kept():
    made = house(PAYS.format(2000, "2026-03-31", "once"))
    look(made)
    late = "Put in this month: 2,000.00 USD into taxable (due on 2026-03-31 and not come yet)."
    assert told(made, "2026-04-01") == late
    assert told(made, "2026-04-08") == late
    assert told(made, "2026-04-09") == "No money is due this month."


def test_a_part_that_came_leaves_the_rest_and_the_rest_ends_it():
    made = house(MONTHLY)
    look(made)
    pay(made, 500, "2026-03-13")
    said = "1,500.00 USD into taxable (due on 2026-03-12 and not come yet)"
    assert told(made, "2026-03-16") == f"Put in this month: {said}."
    pay(made, 1500, "2026-03-20")
    assert told(made, "2026-03-20") == "What was due this month is paid already."


@pytest.mark.parametrize("paid", ["2026-03-09", "2026-03-12", "2026-03-20"])
def test_what_came_is_paid_until_the_end_of_the_month(paid):
    made = house(MONTHLY)
    look(made)
    pay(made, 2000, paid)
    assert told(made, "2026-03-30") == "What was due this month is paid already."


def test_what_was_due_before_the_account_was_taken_over_is_neither_paid_nor_late():
    made = house(PAYS.format(2000, "2026-03-02", "month"))
    assert told(made, "2026-03-09") == "No more money is due this month."


def test_late_money_is_placed_today_and_in_the_document_with_its_day():
    made = house(MONTHLY)
    look(made)
    found = contribute(made, look(made, "2026-03-16"))
    (one,) = found.incoming
    assert str(one.day) == "2026-03-12"
    assert sum(place.amount for place in found.places) == 2000
    assert {place.day for place in found.places} == {dt.date(2026, 3, 16)}


# --------------------------------------------------------------------- the total that is divided


def placed(found: Contributing) -> dict[str, Money]:
    """Money by class; what stays cash is none."""
    sums: dict[str, Money] = {}
    for place in found.places:
        sums[place.asset_class] = sums.get(place.asset_class, ZERO) + place.amount
    return {name: amount for name, amount in sums.items() if name}


def planned(made: House, seen: Look, amount: int) -> dict[str, Money]:
    """What the plan buys by class with *amount* in the taxable account; it sells nothing."""
    then = what_if(made, seen, read_assumptions([f"deposit:taxable={amount}"], made.file))
    plan = then.decision.plan
    trades = () if plan is None else plan.trades
    assert all(trade.side is Side.BUY for trade in trades)
    classes, sums = class_of(made.file.policy()), dict[str, Money]()
    for trade in trades:
        name = classes[trade.symbol]
        sums[name] = sums.get(name, ZERO) + trade.value
    return sums


LUMP = """
[[averaging]]
account = "taxable"
by = "parts"
amount = 8000
parts = 4
first = 2026-03-05
every = "month"
"""
HOUSES = {
    "nothing is due": house,
    "light in stocks": lambda: house(vti="530"),
    "cash that leaves lies ready": lambda: house(LEAVES.format(30000, "2026-03-12"), cash="31000"),
    "cash that leaves, and light in stocks": lambda: house(
        LEAVES.format(30000, "2026-03-12"), cash="31000", vti="530"
    ),
    "new money pays for what leaves": lambda: house(LEAVES.format(3000, "2026-03-12"), vti="540"),
    "the reserve of an account is short": lambda: house(cash="200"),
    "what leaves and the operating reserve": lambda: house(
        '[reserve]\nmonthly_costs = 300\nmonths = 5\naccount = "taxable"\n'
        + LEAVES.format(9000, "2026-03-10"),
        cash="11000",
        vti="520",
    ),
    "a lump waits for its money": lambda: house(LUMP),
    "some of a lump is there": lambda: house(LUMP, cash="1084.16"),
    "the days of a lump are to come": lambda: house(LUMP.replace("03-05", "05-05")),
    "cash is a class": lambda: house(
        '[classes.cash]\ntarget = 0\nmembers = ["USD"]\n' + LEAVES.format(20000, "2026-03-12"),
        cash="21000",
    ),
}


@pytest.mark.parametrize("name", HOUSES)
@pytest.mark.parametrize("amount", [5000, 12000])
def test_new_money_is_placed_as_the_plan_would_invest_it(name, amount):
    made = HOUSES[name]()
    seen = look(made)
    found = placed(contribute(made, seen, Decimal(amount), "taxable"))
    bought = planned(made, seen, amount)
    for one in found.keys() | bought.keys():
        assert abs(found.get(one, ZERO) - bought.get(one, ZERO)) <= 2 * STEP


def test_cash_that_leaves_is_nothing_to_be_placed_beside():
    """Without what leaves, the household is the same, and so is where new money goes."""
    leaves = house(LEAVES.format(30000, "2026-03-12"), cash="31000", vti="530")
    without = house(vti="530")
    one, other = (
        contribute(made, look(made), Decimal(6000), "taxable") for made in (leaves, without)
    )
    assert one.places == other.places


def test_what_an_account_lacks_for_a_withdrawal_stays_cash_and_says_so():
    made = house(LEAVES.format(3000, "2026-03-12"))
    kept, *_ = contribute(made, look(made), Decimal(5000), "taxable").places
    assert kept.amount == 3000
    assert kept.symbol == ""
    assert kept.why == "It stays cash: taxable lacks it for withdrawals and its reserve."


def test_money_that_is_coming_counts_in_what_is_divided_as_in_the_plan():
    made = house(PAYS.format(40000, "2026-03-12", "once"))
    (stocks, *_) = contribute(made, look(made), Decimal(6000), "taxable").places
    # 55 % of 100,000, of the 40,000 and of the 6,000, less the 55,000 that are there
    assert stocks.why.startswith("stocks lacks 25,300.00 USD of its target")


def test_money_that_is_coming_is_in_the_class_of_cash_already():
    toml = '[classes.cash]\ntarget = 0.10\nmembers = ["USD"]\n'
    made = house(toml + PAYS.format(40000, "2026-03-12", "once"), stocks="0.45")
    assert "cash" not in placed(contribute(made, look(made), Decimal(6000), "taxable"))
    without = house(toml, stocks="0.45")
    assert "cash" in placed(contribute(without, look(without), Decimal(6000), "taxable"))


def test_a_part_of_a_lump_that_is_soon_due_counts_like_a_contribution_that_is_coming():
    weekly = LUMP.replace("03-05", "03-02").replace("month", "week")
    waits, comes = house(weekly), house(PAYS.format(2000, "2026-03-12", "once"))
    (*at_once, kept) = contribute(waits, look(waits), Decimal(12000), "taxable").places
    assert kept.amount == 4000
    assert at_once == [*contribute(comes, look(comes), Decimal(8000), "taxable").places]
