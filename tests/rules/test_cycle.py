"""One look at a household: the same in, the same out, and a sentence for every outcome."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, assume, given, settings
from tests.houses import START, TOML, FixedPrices, OpenCalendars, lot
from tests.rules.homes import Home, homes

from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.memory import BandMemory, Mark, Memory
from trimtab.domain.numbers import ONE
from trimtab.domain.trades import BandState, Decision, Discrepancy, Disposal, Side, Term
from trimtab.domain.values import Balance, Snapshot, trade_date
from trimtab.rules.holdings import holdings
from trimtab.rules.words import money, percent

QUIET = {"stocks": "55000", "bonds": "40000", "bitcoin": "5000"}
HEAVY = {"stocks": "65000", "bonds": "30000", "bitcoin": "5000"}


def test_inside_the_bands_the_sentence_names_every_distance_and_the_least_deposit():
    decision = _decide({"stocks": "57000", "bonds": "38000", "bitcoin": "5000"})
    assert decision.plan is None
    assert decision.least_deposit == Decimal("3642.19")
    assert decision.sentence == (
        "Inside the bands: nothing to do. stocks 57.0 % is 3.0 points from its trigger; "
        "bonds 38.0 % is 3.0 points from its trigger; bitcoin 5.0 % is 1.3 points from its "
        "trigger. A deposit of 3,642.19 USD would bring stocks back to its target without a sale."
    )


def test_exactly_on_target_there_is_nothing_to_deposit():
    decision = _decide(QUIET)
    assert decision.least_deposit is None
    assert decision.deposit_into_bands is None
    assert decision.sentence.endswith("bitcoin 5.0 % is 1.3 points from its trigger.")


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(homes())
def test_the_least_deposit_heals_the_worst_drift_without_a_sale(home):
    """Light, it may buy the class itself; heavy, the others."""
    decision = home.decide()
    deposit = decision.least_deposit
    assume(deposit is not None)
    assert deposit is not None
    total = holdings(home.snapshot, home.policy).total
    healed = [
        drift.asset_class
        for drift in decision.drifts
        if (drift.value < drift.target * total <= drift.value + deposit * (ONE - drift.target))
        or drift.target * total < drift.value <= drift.target * (total + deposit)
    ]
    assert healed, "all of it into the light class, or none of it into the heavy one"
    if decision.plan is None:
        words = money(deposit, "USD")
        told = [f"{words}, all of it into {name}, would bring {name} back" for name in healed]
        told += [f"{words} would bring {name} back to its target" for name in healed]
        assert any(f"deposit of {text}" in decision.sentence for text in told)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(homes())
def test_where_nothing_is_done_every_class_is_named_with_its_weight(home):
    decision = home.decide()
    assume(decision.plan is None)
    for drift in decision.drifts:
        assert f"{drift.asset_class} {percent(drift.weight)} is " in decision.sentence


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(homes())
def test_the_same_household_is_decided_alike_wherever_and_whenever_it_is_computed(home):
    assert home.decide() == home.decide()
    one, other = home.decide("1").plan, home.decide("2").plan
    if one is not None and other is not None:
        assert one.id != other.id
        assert one.trades == other.trades


def test_a_class_on_its_trigger_opens_an_episode_with_one_alert_and_is_brought_back():
    decision = _decide(HEAVY)
    assert [(c.asset_class, c.alert) for c in decision.transitions] == [
        ("stocks", True),
        ("bonds", True),
    ]
    assert decision.plan is not None
    assert decision.allowed == decision.plan.trades
    assert [(t.account, t.side, t.asset_class) for t in decision.plan.trades] == [
        ("ira", Side.SELL, "stocks"),
        ("ira", Side.BUY, "bonds"),
    ]
    assert decision.sentence.endswith("largest drift 10.00 % before, 0.10 % after.")
    assert decision.plan.tax == 0


def test_an_open_episode_gives_no_second_alert():
    bands = {name: BandMemory(state=BandState.CORRECTING) for name in ("stocks", "bonds")}
    decision = _decide(HEAVY, memory=Memory(bands=bands))
    assert decision.transitions == ()
    assert decision.plan is not None


def test_while_a_class_rests_nothing_happens_and_the_sentence_says_so():
    rests = BandMemory(state=BandState.RESTING, ended_at=START - dt.timedelta(days=3))
    memory = Memory(bands=dict.fromkeys(("stocks", "bonds"), rests))
    decision = _decide(HEAVY, memory=memory, toml=TOML + "[bands]\ncooldown_days = 7\n")
    assert (decision.plan, decision.transitions) == (None, ())
    assert decision.sentence.startswith("Nothing can be done now about bonds and stocks.")
    # 65,000 is 60 % of 108,333.33; costs of 16 bp and a share of 100 of bonds more.
    assert decision.deposit_into_bands == Decimal("8507.95")
    assert decision.sentence.endswith(
        " A deposit of 8,507.95 USD in taxable would bring every class back into its band without "
        "a sale."
    )
    sooner = _decide(HEAVY, memory=memory, toml=TOML + "[bands]\ncooldown_days = 3\n")
    assert sooner.plan is not None


@pytest.mark.parametrize(
    ("days", "looks"), [pytest.param(13, False, id="too soon"), pytest.param(14, True, id="due")]
)
def test_nobody_looks_more_often_than_the_policy_says(days, looks):
    memory = Memory(last_look=START - dt.timedelta(days=days))
    toml = TOML + '[bands]\npreset = "daryanani"\n'
    decision = _decide({"stocks": "70000", "bonds": "25000", "bitcoin": "5000"}, memory, toml)
    assert (decision.looked, decision.plan is not None) == (looks, looks)


def test_between_two_looks_the_sentence_says_when_the_policy_looks_again():
    memory = Memory(last_look=START - dt.timedelta(days=13))
    toml = TOML + '[bands]\npreset = "daryanani"\n'
    decision = _decide({"stocks": "70000", "bonds": "25000", "bitcoin": "5000"}, memory, toml)
    assert decision.sentence.startswith(
        "bonds and stocks are out of the band: the policy looks again on 2026-03-10. stocks 70.0 %"
    )


def test_a_look_at_suspect_data_is_not_used_up():
    toml = TOML + '[bands]\npreset = "daryanani"\n'
    assert not _decide(HEAVY, toml=toml, closes={"VTI": "200"}).looked


def test_on_suspect_data_nothing_is_said_but_what_is_suspect():
    decision = _decide(QUIET, closes={"VTI": "200"})
    assert decision.least_deposit is None
    assert decision.sentence == (
        "Data suspect: VTI at 100 on 2026-03-09 is -50.0 % from its previous close 200: more than "
        "30.0 % in a day is taken for bad data."
    )


def test_a_correction_under_way_goes_on_between_two_looks():
    memory = Memory(
        last_look=START - dt.timedelta(days=1),
        bands={name: BandMemory(state=BandState.CORRECTING) for name in ("stocks", "bonds")},
    )
    toml = TOML + '[bands]\npreset = "daryanani"\n'
    decision = _decide({"stocks": "70000", "bonds": "25000", "bitcoin": "5000"}, memory, toml)
    assert not decision.looked
    assert decision.plan is not None


def test_on_suspect_data_no_episode_opens_and_nothing_is_allowed():
    decision = _decide(HEAVY, closes={"VTI": "200"})
    assert (decision.transitions, decision.allowed) == ((), ())
    assert {held.gate for held in decision.held} == {"data"}
    assert "Data suspect: VTI at 100 on 2026-03-09" in decision.sentence


def test_a_crash_trips_the_breaker_and_holds_the_plan_of_that_look():
    mark = Mark(
        at=START - dt.timedelta(days=1),
        session=trade_date(START) - dt.timedelta(days=1),
        value=Decimal(127_000),
        unit_value=ONE,
    )
    decision = _decide(HEAVY, memory=Memory(mark=mark))
    assert decision.allowed == ()
    assert {held.gate for held in decision.held} == {"breaker"}
    assert "Held: 2 of 2 trades. Circuit breaker: the savings fell 20.5 %" in decision.sentence


def test_a_withdrawal_of_the_same_size_trips_nothing():
    mark = Mark(
        at=START - dt.timedelta(days=1),
        session=trade_date(START) - dt.timedelta(days=1),
        value=Decimal(127_000),
        unit_value=ONE,
    )
    memory = Memory(mark=mark, pending_flow=Decimal(-26_000))
    assert _decide(HEAVY, memory=memory).held == ()


def test_a_class_beyond_its_trigger_that_nobody_may_trade_is_said_to_be_beyond_it():
    toml = TOML.replace("[gates]", '[orders]\nno_sell = ["VTI", "BND"]\n[gates]')
    decision = _decide(HEAVY, toml=toml)
    assert decision.sentence.startswith(
        "Nothing can be done now about bonds and stocks. stocks 65.0 % is 5.0 points beyond its "
        "trigger; bonds 30.0 % is 5.0 points beyond its trigger; bitcoin 5.0 % is 1.3 points from"
    )


def test_an_account_with_a_discrepancy_is_planned_around():
    found = Discrepancy(
        kind="cash-differs",
        account="ira",
        subject="USD",
        expected="1",
        found="2",
        sentence="ira: the journal holds 1 USD in cash and the broker says 2.",
    )
    decision = _decide(HEAVY, memory=Memory(discrepancies={"ira": (found,)}))
    assert decision.plan is not None
    assert {trade.account for trade in decision.plan.trades} == {"taxable"}


def test_a_reserve_that_is_not_filled_is_said():
    decision = _decide(QUIET, cash={"taxable": "900"})
    (note,) = decision.refusals
    assert note.sentence == (
        "taxable lacks 100.00 USD of the 1,000.00 USD that stay in cash there: no cash of it is "
        "invested; a deposit would fill it."
    )


@pytest.mark.parametrize("cash", ["-5000", "900"])
def test_a_reserve_that_the_plan_fills_is_not_said_to_be_short(cash):
    decision = _decide(HEAVY, cash={"taxable": cash})
    assert decision.plan is not None
    assert not any("deposit would fill it" in one.sentence for one in decision.refusals)


def test_only_what_the_plan_leaves_of_a_shortage_is_said():
    toml = TOML + '[orders]\nno_sell = ["VTI"]\n'
    decision = _decide(HEAVY, cash={"taxable": "900", "ira": "20000"}, toml=toml)
    assert decision.plan is not None
    (note,) = [one for one in decision.refusals if one.account == "taxable" and not one.symbol]
    assert note.sentence.startswith("taxable lacks 100.00 USD of the 1,000.00 USD")


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ("ira", "ira is overdrawn by 500.00 USD: no cash of it is invested"),
        (
            "taxable",
            "taxable is overdrawn by 500.00 USD and should keep 1,000.00 USD in cash: no cash",
        ),
    ],
)
def test_an_account_that_is_overdrawn_is_said_to_be(account, words):
    decision = _decide(QUIET, cash={account: "-500"})
    (note,) = [refusal for refusal in decision.refusals if refusal.account == account]
    assert note.sentence.startswith(words)


def test_a_sale_in_an_untaxed_account_is_preferred_and_a_loss_to_both():
    """The same excess of stocks, first with a gain in the taxable account, then with a loss."""
    gain = _decide(HEAVY, basis="10000").plan
    loss = _decide(HEAVY, basis="40000").plan
    assert gain is not None
    assert loss is not None
    assert gain.trades[0].account == "ira"
    assert (loss.trades[0].account, loss.tax < 0) == ("taxable", True)


def test_while_the_first_member_is_locked_its_substitute_is_bought():
    loss = Disposal(
        id="d1",
        account="taxable",
        symbol="VTI",
        lot_id="gone",
        quantity=ONE,
        acquired=dt.date(2025, 1, 2),
        holding_since=dt.date(2025, 1, 2),
        sold=dt.date(2026, 2, 20),
        proceeds=Decimal(90),
        basis=Decimal(100),
        term=Term.LONG,
        is_taxed=True,
    )
    light = {"stocks": "45000", "bonds": "50000", "bitcoin": "5000"}
    plan = _decide(light, memory=Memory(disposals=(loss,))).plan
    assert plan is not None
    bought = plan.trades[-1]
    assert (bought.symbol, bought.side) == ("ITOT", Side.BUY)
    assert bought.reason.endswith(
        "ITOT is bought instead because VTI was sold at a loss in taxable on 2026-02-20; VTI may "
        "be bought again from 2026-03-23."
    )
    unlocked = _decide(light).plan
    assert unlocked is not None
    assert unlocked.trades[-1].symbol == "VTI"


def _decide(
    values: dict[str, str],
    memory: Memory | None = None,
    toml: str = TOML,
    *,
    cash: dict[str, str] | None = None,
    basis: str = "25000",
    closes: dict[str, str] | None = None,
) -> Decision:
    """The decision about these classes, of whose stocks 30,000 USD lie in the taxable account."""
    file = decode_household(toml)
    prices = FixedPrices(dict.fromkeys(["VTI", "ITOT", "BND", "BTC-USD"], "100"))
    prices.closes = {symbol: Decimal(text) for symbol, text in (closes or {}).items()}
    units = {name: Decimal(text) / 100 for name, text in values.items()}
    places = [
        ("taxable", "VTI", Decimal(300), basis),
        ("ira", "VTI", units["stocks"] - 300, "10000"),
        ("ira", "BND", units["bonds"], "40000"),
        ("wallet", "BTC-USD", units["bitcoin"], "1000"),
    ]
    snapshot = Snapshot(
        at=START,
        base_currency="USD",
        accounts=accounts_of(file),
        instruments=instruments_of(file),
        lots=tuple(
            lot(account, symbol, str(quantity), cost, "2024-01-02")
            for account, symbol, quantity, cost in places
        ),
        balances=tuple(
            Balance(account=name, currency="USD", amount=Decimal(text), settled=Decimal(text))
            for name, text in {"taxable": "1000", **(cash or {})}.items()
        ),
        quotes=dict(prices.quotes(prices.prices, START)),
        rates={},
        hours={name: OpenCalendars().hours(name, START) for name in ("XNYS", "24/7")},
    )
    home = Home(snapshot, file.policy(), file.tax, Memory() if memory is None else memory)
    return home.decide()
