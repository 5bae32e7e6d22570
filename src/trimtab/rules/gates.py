"""What may refuse a plan. Every gate leaves evidence for every plan, passed or not.

A gate that judges a trade alone holds that trade; a gate that judges the household holds the plan.
"""

import datetime as dt
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.memory import Memory
from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Money, Weight, to_cents
from trimtab.domain.policy import Policy
from trimtab.domain.trades import Evidence, Held, Side, Trade
from trimtab.domain.values import NEW_YORK, InstrumentKind, Snapshot, trade_date
from trimtab.rules.breaker import falls, market_wide_halt
from trimtab.rules.holdings import class_of, kept_in_cash
from trimtab.rules.words import instant, listing, money, percent, units

PLAN_GATES = ("pause", "data", "breaker", "limits")
TRADE_GATES = ("account", "hours", "spread", "volume", "posture", "liquidity")
_BY_HAND = (
    "is known from files only: place this order at its broker yourself, then update the files."
)


class Gating(Struct, frozen=True, kw_only=True):
    """What the gates look at: the plan's trades in their household, at one instant."""

    trades: tuple[Trade, ...]
    snapshot: Snapshot
    policy: Policy
    memory: Memory
    value: Money
    unit: Money
    suspects: tuple[str, ...]
    is_defensive: bool


def check(gating: Gating) -> tuple[Evidence, ...]:
    """The evidence of every gate on every trade, in the order of the gates."""
    evidence = [gate(gating) for gate in (_pause, _data, _breaker, _limits)]
    for trade_gate in (_account, _hours, _spread, _volume, _posture):
        evidence += [trade_gate(gating, trade) for trade in gating.trades]
    evidence += _liquidity(gating, _passing(gating.trades, evidence))
    return tuple(evidence)


def held_by(evidence: Sequence[Evidence]) -> tuple[Held, ...]:
    """The refusals among *evidence*."""
    return tuple(
        Held(gate=e.gate, sentence=e.sentence, account=e.account, symbol=e.symbol)
        for e in evidence
        if not e.passed
    )


def reasons(held: Sequence[Held]) -> list[str]:
    """Each reason of *held* once; accounts whose orders the owner places are told together."""
    by_hand = dict.fromkeys(one.account for one in held if one.sentence.endswith(_BY_HAND))
    if len(by_hand) < 2:  # noqa: PLR2004  one account has a sentence of its own
        return list(dict.fromkeys(one.sentence for one in held))
    together = (
        f"{listing(list(by_hand))} are known from files only: place these orders at their brokers "
        "yourself, then update the files."
    )
    told = (together if one.sentence.endswith(_BY_HAND) else one.sentence for one in held)
    return list(dict.fromkeys(told))


def allowed(trades: Sequence[Trade], held: Sequence[Held]) -> tuple[Trade, ...]:
    """The trades that nothing holds."""
    if any(refusal.account == "" for refusal in held):
        return ()
    stopped = {(refusal.account, refusal.symbol) for refusal in held}
    return tuple(trade for trade in trades if (trade.account, trade.symbol) not in stopped)


def suspects(snapshot: Snapshot, policy: Policy) -> tuple[str, ...]:
    """Prices that moved more since the previous close than the policy believes, one sentence each.

    A bad tick looks like a crash; nothing is decided on it until a later look confirms it.
    """
    found = []
    for symbol, quote in sorted(snapshot.quotes.items()):
        if quote.previous_close is None:
            continue
        is_crypto = snapshot.instruments[symbol].kind is InstrumentKind.CRYPTO
        limit = policy.gates.crypto_jump_max if is_crypto else policy.gates.price_jump_max
        change = quote.price / quote.previous_close - ONE
        if abs(change) >= limit:
            found.append(
                f"{symbol} at {quote.price.normalize():f} on {quote.session} is {percent(change)} "
                f"from its previous close {quote.previous_close.normalize():f}: more than "
                f"{percent(limit)} in a day is taken for bad data"
            )
    return tuple(found)


def _passing(trades: Sequence[Trade], evidence: Sequence[Evidence]) -> tuple[Trade, ...]:
    return allowed(trades, held_by(evidence))


def _passes(gate: str, sentence: str, trade: Trade | None = None, /, **figures: object) -> Evidence:
    """What a gate says that lets *trade*, or the whole plan, through."""
    return Evidence(
        gate=gate,
        passed=True,
        sentence=sentence,
        account="" if trade is None else trade.account,
        symbol="" if trade is None else trade.symbol,
        figures={name: str(figure) for name, figure in figures.items()},
    )


def _refuses(
    gate: str, sentence: str, trade: Trade | None = None, /, **figures: object
) -> Evidence:
    """What a gate says that holds *trade*, or the whole plan."""
    return replace(_passes(gate, sentence, trade, **figures), passed=False)


def _pause(gating: Gating) -> Evidence:
    because = gating.memory.paused
    if because is None:
        return _passes("pause", "The owner has not paused trading.")
    return _refuses("pause", f"The owner paused trading: {because}.", because=because)


def _data(gating: Gating) -> Evidence:
    if gating.suspects:
        text = "; ".join(gating.suspects)
        return _refuses("data", f"Data suspect: {text}.", count=len(gating.suspects))
    return _passes("data", "No price moved more since its last close than is believable.")


def _breaker(gating: Gating) -> Evidence:
    """The breaker holds a plan only at the moment it trips; after that the posture governs."""
    if gating.suspects:
        return _passes("breaker", "Not judged on suspect data: a bad tick is no crash.")
    gates, memory = gating.policy.gates, gating.memory
    session = gating.snapshot.at.astimezone(NEW_YORK).date()
    found = falls(memory, session, gating.unit, gates)
    figures = {"unit_value": gating.unit, "peak": memory.peak}
    if found and not gating.is_defensive:
        text = " and ".join(fall.sentence for fall in found)
        return _refuses("breaker", f"Circuit breaker: {text}.", **figures)
    if gating.is_defensive:
        text = "The circuit breaker has tripped before; the defensive posture holds"
        return _passes("breaker", f"{text}: {memory.breaker}.", **figures)
    below = max(ZERO, ONE - gating.unit / memory.peak)
    return _passes(
        "breaker",
        f"The savings are {percent(below)} below their peak; the limits are "
        f"{percent(gates.fall_daily_max)} in a day and {percent(gates.fall_from_peak_max)} from "
        "the peak.",
        **figures,
    )


def _limits(gating: Gating) -> Evidence:
    gates, currency = gating.policy.gates, gating.snapshot.base_currency
    sold = sum((t.value for t in gating.trades if t.side is Side.SELL), ZERO)
    sold_before = sold_on(gating.memory, trade_date(gating.snapshot.at))
    turnover, value = sold + sold_before, gating.value
    faults = []
    if sold > 0 and turnover > gates.turnover_max * value:
        part = f", {percent(turnover / value)} of the savings," if value > 0 else ""
        faults.append(
            f"it would sell {money(sold, currency)} after {money(sold_before, currency)} earlier "
            f"today, together {money(turnover, currency)}{part} and the limit is "
            f"{percent(gates.turnover_max)}; raise turnover_max, which takes the cooling-off, or "
            "carry it out in parts by hand"
        )
    if len(gating.trades) > gates.orders_max:
        faults.append(f"it needs {len(gating.trades)} orders and the limit is {gates.orders_max}")
    if gates.notional_max is not None:
        faults += [
            f"{trade.side} {units(trade.quantity)} {trade.symbol} in {trade.account} is "
            f"{money(trade.value, currency)} and the limit for one order is "
            f"{money(gates.notional_max, currency)}"
            for trade in gating.trades
            if trade.value > gates.notional_max
        ]
    figures = {
        "turnover": to_cents(turnover),
        "sold_before": to_cents(sold_before),
        "orders": len(gating.trades),
    }
    if faults:
        text = "; ".join(faults)
        return _refuses("limits", f"The plan is beyond the policy's limits: {text}.", **figures)
    text = f"{len(gating.trades)} order{'' if len(gating.trades) == 1 else 's'}"
    return _passes(
        "limits",
        f"{text}, {money(sold, currency)} to sell and {money(sold_before, currency)} sold earlier "
        "today are within the limits.",
        **figures,
    )


def sold_on(memory: Memory, day: dt.date) -> Money:
    """The proceeds of what trimtab sold earlier on *day* in New York."""
    return sum(
        (
            sale.proceeds
            for sale in memory.disposals
            if sale.source == "journal" and sale.sold == day
        ),
        ZERO,
    )


def _account(gating: Gating, trade: Trade) -> Evidence:
    name = trade.account
    found = gating.memory.discrepancies.get(name, ())
    if found:
        text = f"{name} is blocked: {found[0].sentence}"
        return _refuses("account", text, trade, count=len(found))
    account = gating.snapshot.accounts[name]
    if account.broker == "file":
        text = f"{name} {_BY_HAND}"
        return _refuses("account", text, trade, broker=account.broker)
    waiting = [known for known in gating.memory.open_orders() if known.order.account == name]
    if waiting:
        text = f"{name} waits for the broker's word about {len(waiting)} earlier order(s)."
        return _refuses("account", text, trade, orders=len(waiting))
    return _passes("account", f"{name} agrees with its broker.", trade)


def _hours(gating: Gating, trade: Trade) -> Evidence:
    instrument = gating.snapshot.instruments[trade.symbol]
    hours = gating.snapshot.hours[instrument.calendar]
    halt = _halt(gating, instrument.kind)
    figures = {"opens": hours.opens, "closes": hours.closes, "session": hours.session}
    if halt is not None and hours.is_open:
        return _refuses("hours", halt, trade, **figures)
    if hours.is_open:
        until = f" until {instant(hours.closes)}" if hours.closes else " around the clock"
        half = ", a half day" if hours.is_half_day else ""
        return _passes("hours", f"{hours.calendar} is open{until}{half}.", trade, **figures)
    opens = f"; it opens {instant(hours.opens)}" if hours.opens else ""
    text = f"{trade.symbol}: {hours.calendar} is closed{opens}."
    return _refuses("hours", text, trade, **figures)


def _halt(gating: Gating, kind: InstrumentKind) -> str | None:
    """The market-wide halt in force for securities, when the policy names an index to watch."""
    symbol = gating.policy.gates.market_index
    if symbol is None or kind in {InstrumentKind.CRYPTO, InstrumentKind.FOREX}:
        return None
    quote = gating.snapshot.quotes.get(symbol)
    if quote is None or quote.previous_close is None:
        return None
    hours = gating.snapshot.hours[gating.snapshot.instruments[symbol].calendar]
    level, action = market_wide_halt(
        prior_close=quote.previous_close,
        index_level=quote.price,
        time_new_york=gating.snapshot.at.astimezone(NEW_YORK).time(),
        already_triggered=(),
        early_close=hours.is_half_day,
    )
    if action == "none":
        return None
    return (
        f"{symbol} is {percent(ONE - quote.price / quote.previous_close)} below its close: a level "
        f"{level} market-wide halt (NYSE Rule 7.12) is due; no order is sent into it."
    )


def _spread(gating: Gating, trade: Trade) -> Evidence:
    quote, gates = gating.snapshot.quotes[trade.symbol], gating.policy.gates
    is_crypto = gating.snapshot.instruments[trade.symbol].kind is InstrumentKind.CRYPTO
    limit = gates.crypto_spread_max_bps if is_crypto else gates.spread_max_bps
    spread_bps = quote.spread / BASIS_POINT
    age_minutes = (gating.snapshot.at - quote.at).total_seconds() / 60
    faults = []
    if spread_bps > limit:
        faults.append(f"its spread is {spread_bps:.1f} bp and the limit is {limit} bp")
    if age_minutes > gates.quote_age_max_minutes:
        faults.append(
            f"its quote of {instant(quote.at)} is {age_minutes:.0f} minutes old and the limit is "
            f"{gates.quote_age_max_minutes}"
        )
    if age_minutes < 0:
        faults.append(f"its quote is stamped {instant(quote.at)}, in the future")
    figures = {"spread_bps": f"{spread_bps:.2f}", "age_minutes": f"{age_minutes:.1f}"}
    if faults:
        text = f"{trade.symbol}: {' and '.join(faults)}."
        return _refuses("spread", text, trade, **figures)
    text = f"{trade.symbol}: spread {spread_bps:.1f} bp, quote {age_minutes:.0f} minutes old."
    return _passes("spread", text, trade, **figures)


def _volume(gating: Gating, trade: Trade) -> Evidence:
    volume = gating.snapshot.quotes[trade.symbol].volume
    if not volume:
        return _passes("volume", f"{trade.symbol}: no volume is known to compare with.", trade)
    part, limit = trade.quantity / volume, gating.policy.gates.volume_max
    says = _passes if part <= limit else _refuses
    return says(
        "volume",
        f"{trade.symbol}: {units(trade.quantity)} are {percent(part, 4)} of a day's volume; the "
        f"limit is {percent(limit, 2)}.",
        trade,
        volume=volume,
    )


def _posture(gating: Gating, trade: Trade) -> Evidence:
    policy = gating.policy
    rule = policy.classes[class_of(policy)[trade.symbol]]
    is_risky = rule.is_risky(gating.snapshot.base_currency)
    is_risky_purchase = trade.side is Side.BUY and is_risky
    if gating.is_defensive and policy.defensive.posture == "reduce_only" and is_risky_purchase:
        text = f"The defensive posture buys no {trade.asset_class}."
        return _refuses("posture", text, trade)
    return _passes("posture", "The posture in force permits it.", trade)


def _liquidity(gating: Gating, passing: Sequence[Trade]) -> list[Evidence]:
    """Each account's cash over its passing trades, sales first, at limit prices and with fees."""
    orders = gating.policy.orders
    margin = (orders.slippage_max_bps + orders.fee_buffer_bps) * BASIS_POINT
    kept = kept_in_cash(gating.snapshot, gating.policy)
    base = gating.snapshot.base_currency
    evidence = []
    for account in gating.snapshot.accounts:
        own = [trade for trade in gating.trades if trade.account == account]
        if not own:
            continue
        going = [trade for trade in own if trade in passing]
        cash, settled = _cash(gating.snapshot, account)
        proceeds = sum((t.value - t.cost for t in going if t.side is Side.SELL), ZERO)
        spendable = (cash + proceeds if orders.unsettled == "use" else settled) - kept[account]
        needed = _to_pay(going, margin)
        held_back = _to_pay(own, margin) - needed
        held_text = f", and {money(held_back, base)} more for those that another gate holds"
        held_text = held_text if held_back > 0 else ""
        is_enough = needed <= spendable
        sentence = (
            f"{account}: {money(cash, base)} cash ({money(settled, base)} settled), "
            f"{money(proceeds, base)} expected from sales, {money(kept[account], base)} kept back; "
            f"purchases need {money(needed, base)} with slippage and fees"
            f"{'' if is_enough else ', which is more than there is'}{held_text}."
        )
        figures = {"cash": cash, "settled": settled, "reserve": kept[account]}
        for trade in own:
            says = _passes if trade.side is Side.SELL or is_enough else _refuses
            evidence.append(says("liquidity", sentence, trade, needed=to_cents(needed), **figures))
    return evidence


def _to_pay(trades: Sequence[Trade], margin: Weight) -> Money:
    """What the purchases among *trades* cost at their limit prices, with fees."""
    return sum((t.value * (ONE + margin) for t in trades if t.side is Side.BUY), ZERO)


def _cash(snapshot: Snapshot, account: str) -> tuple[Money, Money]:
    own = [
        balance
        for balance in snapshot.balances
        if balance.account == account and balance.currency == snapshot.base_currency
    ]
    return sum((b.amount for b in own), ZERO), sum((b.settled for b in own), ZERO)
