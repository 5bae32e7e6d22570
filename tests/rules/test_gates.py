"""Every gate, once passed and once refused, each with its figures in the sentence."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from tests.houses import START, TOML, FixedPrices, OpenCalendars, lot
from tests.rules.homes import homes

from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.memory import Mark, Memory, OrderMemory
from trimtab.domain.numbers import ONE
from trimtab.domain.policy import DefensiveRule, GateRule, OrderRule, Policy
from trimtab.domain.trades import (
    Discrepancy,
    Disposal,
    Evidence,
    Held,
    Order,
    OrderStatus,
    Side,
    Term,
    Trade,
)
from trimtab.domain.values import (
    Balance,
    Hours,
    Instrument,
    InstrumentKind,
    Snapshot,
    trade_date,
)
from trimtab.rules.gates import (
    PLAN_GATES,
    TRADE_GATES,
    Gating,
    allowed,
    check,
    held_by,
    reasons,
    suspects,
)

FILE = decode_household(TOML)
HOUR = dt.timedelta(hours=1)


def test_a_household_in_order_passes_every_gate():
    evidence = check(_gating())
    assert [one.sentence for one in evidence if not one.passed] == []
    assert {one.gate: one.sentence for one in evidence} == {
        "pause": "The owner has not paused trading.",
        "data": "No price moved more since its last close than is believable.",
        "breaker": "The savings are 0.0 % below their peak; the limits are 20.0 % in a day and "
        "35.0 % from the peak.",
        "limits": "1 order, 0.00 USD to sell and 0.00 USD sold earlier today are within the "
        "limits.",
        "account": "taxable agrees with its broker.",
        "hours": "XNYS is open until 2026-03-09 21:00 UTC.",
        "spread": "VTI: spread 2.0 bp, quote 0 minutes old.",
        "volume": "VTI: 10 are 0.1000 % of a day's volume; the limit is 1.00 %.",
        "posture": "The posture in force permits it.",
        "liquidity": "taxable: 5,000.00 USD cash (5,000.00 USD settled), 0.00 USD expected from "
        "sales, 1,000.00 USD kept back; purchases need 1,001.60 USD with slippage and fees.",
    }


def test_the_owners_pause_holds_the_plan():
    refused = _refusals(memory=Memory(paused="we buy a house"))
    assert refused == {"pause": "The owner paused trading: we buy a house."}


def test_a_price_that_is_not_to_be_believed_holds_the_plan_and_trips_no_breaker():
    memory = Memory(mark=_yesterday("1.00"))
    doubt = "VTI at 69 on 2026-03-09 is -31.0 % from its previous close 100"
    refused = _refusals(memory=memory, suspects=(doubt,), unit=Decimal("0.60"))
    assert refused == {"data": f"Data suspect: {doubt}."}


@pytest.mark.parametrize(
    ("symbol", "close", "is_suspect"),
    [
        pytest.param("VTI", "142.86", True, id="a fund that lost 30 % and a little"),
        pytest.param("VTI", "142.80", False, id="a fund that lost a little less"),
        pytest.param("VTI", "76.92", True, id="a fund that gained 30 %"),
        pytest.param("BTC-USD", "142.86", False, id="coins may fall 30 % in a day"),
        pytest.param("BTC-USD", "250", True, id="but not 60 %"),
    ],
)
def test_a_jump_beyond_belief_is_suspect_and_named_with_its_figures(symbol, close, is_suspect):
    snapshot = _snapshot(closes={symbol: close})
    found = suspects(snapshot, FILE.policy())
    assert len(found) == is_suspect
    assert all(symbol in text and f"previous close {close}" in text for text in found)


def test_a_price_without_a_previous_close_cannot_be_judged():
    assert suspects(_snapshot(), FILE.policy()) == ()


def test_the_breaker_holds_the_plan_when_it_trips_and_says_by_how_much():
    memory = Memory(mark=_yesterday("1.00"))
    refused = _refusals(memory=memory, unit=Decimal("0.79"))
    assert refused == {
        "breaker": "Circuit breaker: the savings fell 21.0 % since 2026-03-08, the daily limit is "
        "20.0 %."
    }
    assert _refusals(memory=memory, unit=Decimal("0.81")) == {}


def test_a_breaker_that_has_tripped_holds_no_more_and_the_posture_governs():
    memory = Memory(mark=_yesterday("1.00"), breaker="it fell")
    gating = {"memory": memory, "unit": Decimal("0.70"), "is_defensive": True}
    assert _refusals(**gating) == {"posture": "The defensive posture buys no stocks."}
    safe = _trade(symbol="BND", asset_class="bonds")
    assert _refusals(trades=(safe,), **gating) == {}
    assert _refusals(trades=(_sale(),), **gating) == {}
    own = DefensiveRule(posture="targets", targets={"bonds": ONE})
    assert _refusals(policy=_policy(defensive=own), **gating) == {}


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        pytest.param(
            GateRule(turnover_max=Decimal("0.099")),
            "it would sell 999.90 USD after 0.00 USD earlier today, together 999.90 USD, 10.0 % of "
            "the savings, and the limit is 9.9 %; raise turnover_max, which takes the cooling-off, "
            "or carry it out in parts by hand",
            id="turnover",
        ),
        pytest.param(
            GateRule(orders_max=1), "it needs 2 orders and the limit is 1", id="number of orders"
        ),
        pytest.param(
            GateRule(notional_max=Decimal(1000)),
            "buy 10 VTI in taxable is 1,000.10 USD and the limit for one order is 1,000.00 USD",
            id="size of an order",
        ),
    ],
)
def test_a_plan_beyond_the_policys_limits_is_held(rule, sentence):
    trades = (_sale(symbol="BND", asset_class="bonds"), _trade())
    refused = _refusals(trades=trades, policy=_policy(gates=rule), value=Decimal(9999))
    assert refused == {"limits": f"The plan is beyond the policy's limits: {sentence}."}


@pytest.mark.parametrize(
    ("changes", "is_held"),
    [
        pytest.param({}, True, id="earlier the same day"),
        pytest.param({"sold": trade_date(START) - dt.timedelta(days=1)}, False, id="yesterday"),
        pytest.param({"source": "sales.csv"}, False, id="by hand, known from a file"),
        pytest.param({"proceeds": Decimal("500.10")}, False, id="exactly the limit together"),
    ],
)
def test_what_was_sold_earlier_the_same_day_counts_as_turnover_too(changes, is_held):
    earlier = Disposal(
        id="d",
        account="ira",
        symbol="BND",
        lot_id="gone",
        quantity=Decimal(6),
        acquired=dt.date(2024, 1, 2),
        holding_since=dt.date(2024, 1, 2),
        sold=trade_date(START),
        proceeds=Decimal("500.11"),
        basis=Decimal(100),
        term=Term.LONG,
        is_taxed=False,
    )
    memory = Memory(disposals=(replace(earlier, **changes),))
    tight = _policy(gates=GateRule(turnover_max=Decimal("0.15")))
    refused = _refusals(trades=(_sale(),), policy=tight, memory=memory)
    assert ("limits" in refused) is is_held
    if is_held:
        assert "sell 999.90 USD after 500.11 USD earlier today" in refused["limits"]


def test_a_plan_that_only_sells_turns_over_what_it_sells():
    tight = _policy(gates=GateRule(turnover_max=Decimal("0.0999")))
    assert "limits" in _refusals(trades=(_sale(),), policy=tight)


def test_buying_with_new_money_is_no_turnover():
    tight = _policy(gates=GateRule(turnover_max=Decimal("0.01")))
    assert _refusals(policy=tight) == {}


def test_an_account_that_disagrees_with_its_broker_is_blocked():
    found = Discrepancy(
        kind="cash-differs",
        account="taxable",
        subject="USD",
        expected="1",
        found="2",
        sentence="taxable: the journal holds 1 USD in cash and the broker says 2.",
    )
    refused = _refusals(memory=Memory(discrepancies={"taxable": (found,)}))
    assert refused == {"account": f"taxable is blocked: {found.sentence}"}


def test_an_account_known_from_files_is_told_what_to_do_by_hand():
    snapshot = _snapshot()
    by_hand = {**snapshot.accounts}
    by_hand["taxable"] = replace(by_hand["taxable"], broker="file")
    refused = _refusals(snapshot=replace(snapshot, accounts=by_hand))
    assert refused == {
        "account": "taxable is known from files only: place this order at its broker yourself, "
        "then update the files."
    }


def test_accounts_whose_orders_the_owner_places_are_told_together_once():
    by_hand = (
        "is known from files only: place this order at its broker yourself, then update the files."
    )
    names = ("roth", "hsa", "roth", "wallet")
    refusals = [Held(gate="account", sentence=f"{name} {by_hand}", account=name) for name in names]
    other = Held(gate="hours", sentence="VTI: XNYS is closed.", account="ira", symbol="VTI")
    together = (
        "roth, hsa and wallet are known from files only: place these orders at their brokers "
        "yourself, then update the files."
    )
    assert reasons([other, *refusals]) == [other.sentence, together]
    assert reasons([refusals[0], refusals[2]]) == [f"roth {by_hand}"]


def test_an_account_waits_until_its_earlier_order_is_settled():
    order = Order(
        id="o1",
        plan_id="p",
        account="taxable",
        symbol="BND",
        side=Side.BUY,
        quantity=ONE,
        limit=ONE,
        good_until=START,
    )
    waiting = Memory(orders={"o1": OrderMemory(order=order, status=OrderStatus.UNKNOWN)})
    done = Memory(orders={"o1": OrderMemory(order=order, status=OrderStatus.FILLED)})
    assert _refusals(memory=waiting) == {
        "account": "taxable waits for the broker's word about 1 earlier order(s)."
    }
    assert _refusals(memory=done) == {}


@pytest.mark.parametrize(
    ("hours", "passes", "sentence"),
    [
        pytest.param(
            {"is_half_day": True, "closes": START + HOUR},
            True,
            "XNYS is open until 2026-03-09 16:00 UTC, a half day.",
            id="half day",
        ),
        pytest.param(
            {"is_open": False, "opens": START + 24 * HOUR, "closes": START + 30 * HOUR},
            False,
            "VTI: XNYS is closed; it opens 2026-03-10 15:00 UTC.",
            id="holiday",
        ),
        pytest.param(
            {"is_open": True, "opens": None, "closes": None},
            True,
            "XNYS is open around the clock.",
            id="a market that never closes",
        ),
        pytest.param(
            {"is_open": False, "opens": None, "closes": None},
            False,
            "VTI: XNYS is closed.",
            id="a market without another session",
        ),
    ],
)
def test_a_trade_waits_for_its_own_market(hours, passes, sentence):
    snapshot = _snapshot()
    own = Hours(
        **{
            "calendar": "XNYS",
            "is_open": True,
            "opens": START,
            "closes": START + HOUR,
            "session": trade_date(START),
            **hours,
        }
    )
    changed = replace(snapshot, hours={**snapshot.hours, "XNYS": own})
    (found,) = _evidence("hours", snapshot=changed)
    assert (found.passed, found.sentence) == (passes, sentence)


@pytest.mark.parametrize(
    ("index", "refused"),
    [
        pytest.param("93.01", False, id="a little above level 1"),
        pytest.param("93", True, id="level 1 is reached"),
    ],
)
def test_no_order_is_sent_into_a_market_wide_halt(index, refused):
    snapshot = _with_index(index)
    policy = _policy(gates=GateRule(market_index="^SPX", volume_max=ONE))
    found = _evidence("hours", snapshot=snapshot, policy=policy)[0]
    assert found.passed is not refused
    if refused:
        assert found.sentence == (
            "^SPX is 7.0 % below its close: a level 1 market-wide halt (NYSE Rule 7.12) is due; no "
            "order is sent into it."
        )
    coins = _trade(account="wallet", symbol="BTC-USD", asset_class="bitcoin")
    assert _evidence("hours", snapshot=snapshot, policy=policy, trades=(coins,))[0].passed


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        pytest.param({"ask": Decimal("100.51")}, "its spread is 50.9 bp", id="wide"),
        pytest.param({"at": START - 16 * HOUR / 60}, "is 16 minutes old", id="old"),
        pytest.param({"at": START + HOUR}, "in the future", id="from tomorrow"),
    ],
)
def test_a_quote_that_is_wide_old_or_from_the_future_holds_its_trade(quote, words):
    snapshot = _snapshot()
    changed = replace(snapshot.quotes["VTI"], bid=Decimal(100), **quote)
    wide = replace(snapshot, quotes={**snapshot.quotes, "VTI": changed})
    assert words in _refusals(snapshot=wide)["spread"]


def test_a_spread_exactly_at_its_limit_passes_and_coins_have_a_limit_of_their_own():
    snapshot = _snapshot()
    edge = replace(snapshot.quotes["VTI"], bid=Decimal("99.75"), ask=Decimal("100.25"))
    assert _refusals(snapshot=replace(snapshot, quotes={**snapshot.quotes, "VTI": edge})) == {}
    coin = replace(snapshot.quotes["BTC-USD"], bid=Decimal("99.6"), ask=Decimal("100.4"))
    coins = _trade(account="wallet", symbol="BTC-USD", asset_class="bitcoin", quantity="1")
    changed = replace(snapshot, quotes={**snapshot.quotes, "BTC-USD": coin})
    assert "spread" not in _refusals(snapshot=changed, trades=(coins,))


def test_an_order_is_no_more_than_its_part_of_a_days_volume():
    big, limit = _trade(quantity="100.01"), _trade(quantity="100")
    refused = _refusals(trades=(big,), policy=_policy(gates=GateRule(turnover_max=ONE)))
    assert refused["volume"] == ("VTI: 100.01 are 1.0001 % of a day's volume; the limit is 1.00 %.")
    assert "volume" not in _refusals(trades=(limit,))


def test_where_no_volume_is_known_there_is_nothing_to_compare_with():
    snapshot = _snapshot()
    unknown = {**snapshot.quotes, "VTI": replace(snapshot.quotes["VTI"], volume=None)}
    (found,) = _evidence("volume", snapshot=replace(snapshot, quotes=unknown))
    assert (found.passed, found.sentence) == (True, "VTI: no volume is known to compare with.")


def test_a_purchase_that_the_account_cannot_pay_is_held():
    refused = _refusals(snapshot=_snapshot(cash="1999"))
    assert refused["liquidity"].endswith(
        "purchases need 1,001.60 USD with slippage and fees, which is more than there is."
    )
    assert _refusals(snapshot=_snapshot(cash="2001.61")) == {}


def test_the_liquidity_of_a_purchase_is_said_although_another_gate_holds_it():
    snapshot = _snapshot()
    wide = replace(snapshot.quotes["VTI"], ask=Decimal(120))
    changed = replace(snapshot, quotes={**snapshot.quotes, "VTI": wide})
    (found,) = _evidence("liquidity", snapshot=changed)
    assert found.passed
    assert found.sentence.endswith(
        "purchases need 0.00 USD with slippage and fees, and 1,001.60 USD more for those that "
        "another gate holds."
    )


def test_proceeds_pay_for_a_purchase_only_if_unsettled_money_may_be_used_and_their_sale_goes():
    trades = (_sale(symbol="BND", asset_class="bonds", quantity="11"), _trade())
    poor = _snapshot(cash="1000")
    policy = _policy(gates=GateRule(turnover_max=ONE))
    assert _refusals(snapshot=poor, trades=trades, policy=policy) == {}
    waits = replace(policy, orders=OrderRule(unsettled="wait"))
    assert set(_refusals(snapshot=poor, trades=trades, policy=waits)) == {"liquidity"}
    wide = replace(poor.quotes["BND"], ask=Decimal(120))
    stopped = replace(poor, quotes={**poor.quotes, "BND": wide})
    assert set(_refusals(snapshot=stopped, trades=trades, policy=policy)) == {
        "spread",
        "liquidity",
    }


def test_a_refusal_without_an_account_holds_everything_and_one_with_holds_that_trade():
    trades = (_trade(), _trade(account="ira"))
    whole = (Held(gate="pause", sentence="no"),)
    part = (Held(gate="hours", sentence="no", account="ira", symbol="VTI"),)
    assert allowed(trades, whole) == ()
    assert allowed(trades, part) == trades[:1]
    assert allowed(trades, ()) == trades


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(homes())
def test_every_trade_of_every_plan_has_evidence_of_every_gate(home):
    decision = home.decide()
    trades = () if decision.plan is None else decision.plan.trades
    asked = {(one.gate, one.account, one.symbol) for one in decision.evidence}
    assert asked == {(gate, "", "") for gate in PLAN_GATES} | {
        (gate, trade.account, trade.symbol) for gate in TRADE_GATES for trade in trades
    }
    assert len(asked) == len(decision.evidence)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(homes())
def test_what_any_gate_holds_is_never_allowed_and_the_rest_is(home):
    rule = GateRule(spread_max_bps=Decimal(5), crypto_spread_max_bps=Decimal(5))
    decision = home._replace(policy=replace(home.policy, gates=rule)).decide()
    trades = () if decision.plan is None else decision.plan.trades
    stopped = {(held.account, held.symbol) for held in decision.held}
    assert held_by(decision.evidence) == decision.held
    for trade in trades:
        is_held = ("", "") in stopped or (trade.account, trade.symbol) in stopped
        assert (trade in decision.allowed) is not is_held


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(homes())
def test_what_the_planner_wants_to_buy_the_liquidity_gate_finds_paid_for(home):
    assert "liquidity" not in {held.gate for held in home.decide().held}


def _gating(**changes: object) -> Gating:
    gating = Gating(
        trades=(_trade(),),
        snapshot=_snapshot(),
        policy=_policy(),
        memory=Memory(),
        value=Decimal(10_000),
        unit=ONE,
        suspects=(),
        is_defensive=False,
    )
    return replace(gating, **changes)


def _evidence(gate: str, **changes: object) -> list[Evidence]:
    return [one for one in check(_gating(**changes)) if one.gate == gate]


def _refusals(**changes: object) -> dict[str, str]:
    """The sentences of the gates that refuse, by gate."""
    return {one.gate: one.sentence for one in held_by(check(_gating(**changes)))}


def _policy(**changes: object) -> Policy:
    policy = replace(FILE.policy(), gates=GateRule(turnover_max=ONE))
    return replace(policy, **changes)


def _trade(
    *,
    account: str = "taxable",
    symbol: str = "VTI",
    asset_class: str = "stocks",
    side: Side = Side.BUY,
    quantity: str = "10",
) -> Trade:
    price = Decimal("100.01") if side is Side.BUY else Decimal("99.99")
    return Trade(
        account=account,
        symbol=symbol,
        asset_class=asset_class,
        side=side,
        quantity=Decimal(quantity),
        price=price,
    )


def _sale(*, symbol: str = "VTI", asset_class: str = "stocks", quantity: str = "10") -> Trade:
    return _trade(symbol=symbol, asset_class=asset_class, side=Side.SELL, quantity=quantity)


def _snapshot(*, cash: str = "5000", closes: dict[str, str] | None = None) -> Snapshot:
    prices = FixedPrices(dict.fromkeys(["VTI", "ITOT", "BND", "BTC-USD"], "100"))
    prices.closes = {symbol: Decimal(text) for symbol, text in (closes or {}).items()}
    quotes = {
        symbol: replace(quote, volume=Decimal(10_000))
        for symbol, quote in prices.quotes(prices.prices, START).items()
    }
    return Snapshot(
        at=START,
        base_currency="USD",
        accounts=accounts_of(FILE),
        instruments=instruments_of(FILE),
        lots=(lot("taxable", "VTI", "50", "4000", "2024-01-02"),),
        balances=(
            Balance(account="taxable", currency="USD", amount=Decimal(cash), settled=Decimal(cash)),
            Balance(account="wallet", currency="USD", amount=Decimal(900), settled=Decimal(900)),
        ),
        quotes=quotes,
        rates={},
        hours={name: OpenCalendars().hours(name, START) for name in ("XNYS", "24/7")},
    )


def _with_index(level: str) -> Snapshot:
    snapshot = _snapshot()
    quote = replace(
        snapshot.quotes["VTI"],
        symbol="^SPX",
        bid=Decimal(level),
        ask=Decimal(level),
        previous_close=Decimal(100),
    )
    index = Instrument(symbol="^SPX", kind=InstrumentKind.EQUITY)
    return replace(
        snapshot,
        quotes={**snapshot.quotes, "^SPX": quote},
        instruments={**snapshot.instruments, "^SPX": index},
    )


def _yesterday(unit: str) -> Mark:
    return Mark(
        at=START - 24 * HOUR,
        session=trade_date(START) - dt.timedelta(days=1),
        value=Decimal(10_000),
        unit_value=Decimal(unit),
    )
