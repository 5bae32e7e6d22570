"""What a plan is made from, and that a look which builds nothing would have found nothing."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.houses import START, TOML, FixedPrices, OpenCalendars, lot
from tests.rules.homes import STATUTES, TODAY, Home, homes
from tests.rules.plan_homes import COUPLE, FREE, WIDE_BAND, held, household, is_planned

from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.memory import BandMemory, Memory
from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.policy import BandRule, FlowRule, TaxRule
from trimtab.domain.tax_facts import opening_fact
from trimtab.domain.trades import BandState, Disposal, Term
from trimtab.domain.values import Balance, Snapshot
from trimtab.rules.look import look_at, prepare
from trimtab.rules.plan import Planning, make_plan, may_plan
from trimtab.rules.tax.saving import YearToDate

IN_BAND = {"stocks": "55000", "bonds": "40000", "bitcoin": "5000"}
BETWEEN = {"stocks": "57000", "bonds": "38000", "bitcoin": "5000"}
DRIFTED = {"stocks": "65000", "bonds": "30000", "bitcoin": "5000"}
IN_A_WEEK = TODAY + dt.timedelta(days=7)
HARVESTS = TOML + '[plan]\nharvests = "always"\n'
RESTS = "[bands]\ncooldown_days = 7\n"
UNWANTED = TOML.replace("0.40", "0").replace("0.55", "0.95") + RESTS


@st.composite
def calm_homes(draw: st.DrawFn) -> Home:
    """Random households between two looks: no class is under correction, few have cash to spend."""
    home = draw(homes())
    resting = BandMemory(state=BandState.RESTING, ended_at=START)
    asleep = draw(st.booleans())
    bands = dict.fromkeys(home.policy.classes, resting) if asleep else {}
    rule = BandRule(preset=home.policy.bands.preset, cooldown_days=30, look_every_days=14)
    orders = home.policy.orders
    if draw(st.sampled_from([True, True, True, False])):
        orders = replace(orders, invest_cash_from=Decimal(100_000))
    return home._replace(
        policy=replace(home.policy, bands=rule, orders=orders),
        memory=replace(home.memory, bands=bands, last_look=START - dt.timedelta(days=1)),
    )


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.one_of(homes(), calm_homes()))
def test_where_nothing_calls_for_a_plan_the_planner_would_have_found_nothing(home):
    calls = _calls_for_a_plan(home)
    event(f"calls for a plan: {calls}")
    if not calls:
        planned = make_plan(*_prepared(home))
        assert (planned.trades, planned.refusals, planned.certificate) == ((), (), None)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(calm_homes())
def test_the_decision_is_the_same_as_if_the_tax_ledger_had_been_built(home):
    """A plan is the trades and the refusals, and nothing else of a decision comes from the lots."""
    decision = home.decide()
    trades, refusals = make_plan(*_prepared(home))[:2]
    assert (decision.plan is None) == (not trades)
    assert decision.refusals[: len(refusals)] == refusals
    standing = decision.refusals[len(refusals) :]
    assert all(refusal.asset_class == "" for refusal in standing)
    assert decision.value == home.snapshot.value()


def test_a_household_in_its_bands_is_decided_without_its_tax_ledger():
    """The journal of this one lacks three of four lots, which nobody sees who needs no lot."""
    quiet, drifted = _home(IN_BAND), _home(DRIFTED)
    quiet, drifted = _with_one_lot_told(quiet), _with_one_lot_told(drifted)
    assert quiet.decide().sentence.startswith("Inside the bands: nothing to do.")
    with pytest.raises(AssertionError, match="the tax ledger has 0 units"):
        drifted.decide()


def test_a_household_in_its_bands_calls_for_no_plan():
    assert not _calls_for_a_plan(_home(IN_BAND))


@pytest.mark.parametrize(
    "home",
    [
        pytest.param(lambda: _home(DRIFTED), id="a class is out"),
        pytest.param(lambda: _home(BETWEEN, _in_state(BandState.CORRECTING)), id="an open episode"),
        pytest.param(lambda: _home(IN_BAND, cash={"ira": "500"}), id="cash is worth an order"),
        pytest.param(lambda: _home(IN_BAND, cash={"wallet": "500"}), id="so it is in a wallet"),
        pytest.param(lambda: _home(IN_BAND, Memory(breaker="it fell")), id="posture"),
        pytest.param(lambda: _home(IN_BAND, toml=HARVESTS), id="losses on any day"),
        pytest.param(
            lambda: _home(IN_BAND, _in_state(BandState.RESTING), UNWANTED), id="an unwanted class"
        ),
        pytest.param(lambda: _due(IN_A_WEEK), id="a withdrawal is due in seven days"),
        pytest.param(lambda: _due(TODAY), id="a withdrawal is due today"),
    ],
)
def test_this_calls_for_a_plan(home):
    assert _calls_for_a_plan(home())


@pytest.mark.parametrize(
    "home",
    [
        pytest.param(lambda: _home(IN_BAND, cash={"ira": "499.99"}), id="too little cash"),
        pytest.param(lambda: _home(IN_BAND, cash={"taxable": "1499.99"}), id="cash kept back"),
        pytest.param(lambda: _due(IN_A_WEEK + dt.timedelta(days=1)), id="a withdrawal later"),
        pytest.param(lambda: _due(TODAY - dt.timedelta(days=1)), id="a withdrawal of yesterday"),
        pytest.param(lambda: _due(TODAY, "0"), id="a withdrawal of nothing"),
        pytest.param(lambda: _home(BETWEEN), id="a drift inside the band"),
        pytest.param(
            lambda: _home(DRIFTED, _in_state(BandState.RESTING), TOML + RESTS), id="a class at rest"
        ),
    ],
)
def test_this_does_not(home):
    assert not _calls_for_a_plan(home())


@pytest.mark.parametrize(
    ("days", "cash", "is_invested"),
    [
        pytest.param(0, 999, False, id="a twentieth of 20,000 is left over: it waits"),
        pytest.param(0, 1_001, True, id="more is new money"),
        pytest.param(1, 999, True, id="the next day it is idle"),
        pytest.param(1, 499, False, id="it is not worth an order"),
    ],
)
def test_what_todays_orders_left_over_is_not_invested_before_tomorrow(days, cash, is_invested):
    home = household(
        [held("ira", "AAA", 40_000, 40_000), held("ira", "BBB", 20_000, 20_000, days)],
        {"ira": cash},
        accounts=COUPLE,
        bands=WIDE_BAND,
        orders=replace(FREE, invest_cash_from=Decimal(500)),
    )
    assert is_planned(home) is is_invested


def test_a_cash_class_keeps_its_cash():
    toml = TOML.replace('members = ["BND"]', 'members = ["USD"]')
    home = _home({"stocks": "55000", "bitcoin": "5000"}, toml=toml, cash={"ira": "40000"})
    assert not _calls_for_a_plan(home)


def test_flows_of_one_account_add_up_over_the_days_that_the_policy_provides_for():
    weekly = FlowRule(account="ira", amount=Decimal(100), first=TODAY, every="week")
    once = FlowRule(account="ira", amount=Decimal(30), first=TODAY)
    other = FlowRule(account="taxable", amount=Decimal(5), first=IN_A_WEEK)
    late = FlowRule(account="wallet", amount=Decimal(9), first=IN_A_WEEK + dt.timedelta(days=1))
    home = _home(IN_BAND)._replace(withdrawals=(weekly, once, other, late), contributions=(weekly,))
    planning = _prepared(home)[1]
    assert planning.due == {"ira": Decimal(230), "taxable": Decimal(5)}
    assert planning.coming == {"ira": Decimal(200)}


def test_the_year_so_far_has_the_sales_of_this_year_and_the_carryover_into_it():
    tax = TaxRule(
        filing_status="single",
        short_term_rate=Decimal("0.3"),
        long_term_rate=Decimal("0.15"),
        short_carryover=Decimal(700),
        carryover_into=TODAY.year,
    )
    sold = tuple(
        Disposal(
            id=str(day),
            account="taxable",
            symbol="ITOT",
            lot_id="gone",
            quantity=ONE,
            acquired=dt.date(2020, 1, 2),
            holding_since=dt.date(2020, 1, 2),
            sold=day,
            proceeds=Decimal(90),
            basis=Decimal(50),
            term=Term.LONG,
            is_taxed=True,
        )
        for day in (dt.date(2025, 12, 31), dt.date(2026, 1, 2))
    )
    home = _home(IN_BAND, Memory(disposals=sold))._replace(tax=tax)
    year = _prepared(home)[1].year
    assert (year.year, year.short, year.long) == (2026, ZERO, Decimal(40))
    assert isinstance(year, YearToDate)
    assert (year.carry.st, year.carry.lt) == (Decimal(700), ZERO)


def _in_state(state: BandState) -> Memory:
    return Memory(bands=dict.fromkeys(("stocks", "bonds"), BandMemory(state=state, ended_at=START)))


def _calls_for_a_plan(home: Home) -> bool:
    look = look_at(home.snapshot, home.policy, home.memory)
    due = _prepared(home)[1].due
    return may_plan(
        home.snapshot,
        home.policy,
        look.held,
        look.drifts,
        due=due,
        is_defensive=look.is_defensive,
    )


def _prepared(home: Home) -> tuple[Snapshot, Planning]:
    look = look_at(home.snapshot, home.policy, home.memory)
    return prepare(home.snapshot, home.policy, home.memory, home.facts, STATUTES, look)


def _due(day: dt.date, amount: str = "50") -> Home:
    rule = FlowRule(account="ira", amount=Decimal(amount), first=day)
    return _home(IN_BAND)._replace(withdrawals=(rule,))


def _with_one_lot_told(home: Home) -> Home:
    first = home.snapshot.lots[0]
    return home._replace(memory=replace(home.memory, history=(opening_fact(first, TODAY),)))


def _home(
    values: dict[str, str],
    memory: Memory | None = None,
    toml: str = TOML,
    *,
    cash: dict[str, str] | None = None,
) -> Home:
    """A household with this much in each class, all of it at a price of 100."""
    file = decode_household(toml)
    prices = FixedPrices(dict.fromkeys(["VTI", "ITOT", "BND", "BTC-USD"], "100"))
    members = {"stocks": "VTI", "bonds": "BND", "bitcoin": "BTC-USD"}
    return Home(
        Snapshot(
            at=START,
            base_currency="USD",
            accounts=accounts_of(file),
            instruments=instruments_of(file),
            lots=tuple(
                lot(
                    "wallet" if name == "bitcoin" else "ira",
                    members[name],
                    str(Decimal(worth) / 100),
                    worth,
                    "2024-01-02",
                )
                for name, worth in values.items()
            ),
            balances=tuple(
                Balance(account=name, currency="USD", amount=Decimal(text), settled=Decimal(text))
                for name, text in {"taxable": "1000", **(cash or {})}.items()
            ),
            quotes=dict(prices.quotes(prices.prices, START)),
            rates={},
            hours={name: OpenCalendars().hours(name, START) for name in ("XNYS", "24/7")},
        ),
        file.policy(),
        file.tax,
        Memory() if memory is None else memory,
    )
