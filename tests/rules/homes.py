"""Households by chance: whatever a planner may meet, small enough to read when it fails."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from hypothesis import strategies as st
from msgspec.structs import replace
from tests.houses import START, OpenCalendars

from trimtab.adapters.law import read_law
from trimtab.domain.facts import Facts
from trimtab.domain.memory import BandMemory, Memory
from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Weight
from trimtab.domain.policy import (
    PRESETS,
    BandRule,
    ClassRule,
    DefensiveRule,
    FlowRule,
    GateRule,
    HarvestRule,
    LotMethod,
    OrderRule,
    Policy,
    ReserveRule,
    TaxRule,
)
from trimtab.domain.trades import BandState, Decision, Disposal, Side, Term, Trade
from trimtab.domain.values import (
    Account,
    AccountKind,
    Balance,
    Instrument,
    InstrumentKind,
    Lot,
    Quote,
    Relief,
    Snapshot,
    trade_date,
)
from trimtab.rules.cycle import decide
from trimtab.rules.holdings import may_hold
from trimtab.rules.plan import apply_trades
from trimtab.rules.tax.books import books_at, piece_id, tax_lots

TODAY = trade_date(START)
STATUTES = read_law().statutes
NO_LIMITS = GateRule(turnover_max=ONE, volume_max=ONE, orders_max=1000)


class Home(NamedTuple):
    """A household at an instant, its policy and its past."""

    snapshot: Snapshot
    policy: Policy
    tax: TaxRule
    memory: Memory
    harvest: HarvestRule = HarvestRule()
    contributions: tuple[FlowRule, ...] = ()
    withdrawals: tuple[FlowRule, ...] = ()

    def __repr__(self) -> str:
        """What differs from one household to the next, a line each, for a test that fails."""
        snapshot, policy = self.snapshot, self.policy
        lines = [
            *(f"{a.id}: {a.kind}, {a.relief}" for a in snapshot.accounts.values()),
            *(f"{name}: {rule}" for name, rule in policy.classes.items()),
            *(f"{q.symbol}: {q.bid} to {q.ask}" for q in snapshot.quotes.values()),
            *(str(lot) for lot in snapshot.lots),
            *(str(balance) for balance in snapshot.balances),
            *(str(disposal) for disposal in self.memory.disposals),
            str((policy.bands.preset, policy.orders, policy.reserve, policy.cash_reserves)),
            str((self.tax, self.memory.bands)),
        ]
        return "\n".join(["", *lines])

    def decide(self, cycle: str = "1") -> Decision:
        return decide(self.snapshot, self.policy, self.memory, self.facts, STATUTES, cycle=cycle)

    @property
    def facts(self) -> Facts:
        return Facts(
            tax=self.tax,
            harvest=self.harvest,
            contributions=self.contributions,
            withdrawals=self.withdrawals,
        )

    def trades(self) -> tuple[Trade, ...]:
        plan = self.decide().plan
        return () if plan is None else plan.trades


def after(home: Home, decision: Decision, *, at_limit: bool = True) -> Home:
    """*home* once every trade of the plan was filled, at its limit or at its quote."""
    slippage = home.policy.orders.slippage_max_bps * BASIS_POINT if at_limit else ZERO
    trades = () if decision.plan is None else decision.plan.trades
    bands = dict(home.memory.bands)
    for change in decision.transitions:
        ended = home.snapshot.at if change.before is BandState.CORRECTING else None
        bands[change.asset_class] = BandMemory(
            state=change.after, since=home.snapshot.at, ended_at=ended
        )
    memory = replace(
        home.memory,
        bands=bands,
        disposals=(*home.memory.disposals, *disposals_of(home, trades, slippage)),
    )
    snapshot = apply_trades(home.snapshot, trades, slippage=slippage)
    return home._replace(snapshot=snapshot, memory=memory)


def disposals_of(
    home: Home, trades: tuple[Trade, ...], slippage: Weight = ZERO
) -> tuple[Disposal, ...]:
    """What the plan's sales would write into the tax log, lot by lot."""
    books = books_at(home.snapshot, home.memory, home.tax)
    lots = {lot.id: lot for lot in tax_lots(home.snapshot.lots, books)}
    disposals = []
    for trade in trades:
        is_taxed = home.snapshot.accounts[trade.account].kind.is_taxed
        for pick in trade.lots:
            lot = lots[piece_id(pick)]
            cost = trade.cost * pick.quantity / trade.quantity
            disposals.append(
                Disposal(
                    id=f"{trade.account}-{piece_id(pick)}",
                    account=trade.account,
                    symbol=trade.symbol,
                    lot_id=pick.lot_id,
                    quantity=pick.quantity,
                    acquired=lot.acquired,
                    holding_since=lot.holding_since,
                    sold=TODAY,
                    proceeds=pick.quantity * trade.price * (ONE - slippage) - cost,
                    basis=lot.basis * pick.quantity / lot.quantity,
                    term=Term.SHORT,
                    is_taxed=is_taxed,
                )
            )
    return tuple(disposals)


def cents(least: int, most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(least, most).map(lambda number: Decimal(number) / 100)


@st.composite
def targets(draw: st.DrawFn, count: int) -> list[Decimal]:
    """Weights in whole hundredths that add up to one; some may be zero."""
    marks = sorted(draw(st.lists(st.integers(0, 100), min_size=count - 1, max_size=count - 1)))
    edges = [0, *marks, 100]
    return [Decimal(b - a) / 100 for a, b in pairwise(edges)]


@st.composite
def homes(
    draw: st.DrawFn,
    *,
    kinds: tuple[AccountKind, ...] = (
        AccountKind.TAXABLE,
        AccountKind.TAXABLE,
        AccountKind.TRADITIONAL_IRA,
        AccountKind.ROTH_IRA,
        AccountKind.CRYPTO,
    ),
    lot_methods: tuple[LotMethod, ...] = ("min_tax", "hifo", "lifo", "fifo", "specified"),
    is_defensive: bool = False,
) -> Home:
    """1 to 4 accounts, 2 to 5 classes of 1 to 3 members or of cash, 0 to 30 lots, any cash."""
    accounts = draw(_accounts(kinds))
    classes, instruments = draw(_classes())
    quotes = {symbol: draw(_quotes(symbol)) for symbol in instruments}
    lots = draw(_lots(accounts, instruments, quotes))
    balances = tuple(draw(_balances(account)) for account in accounts.values())
    symbols = sorted(instruments)
    some = st.lists(st.sampled_from(symbols), max_size=2, unique=True).map(tuple)
    method = draw(st.sampled_from(lot_methods))
    ids = [lot.id for lot in lots]
    orders = OrderRule(
        minimum=Decimal(draw(st.sampled_from([0, 100, 1000]))),
        invest_cash_from=Decimal(draw(st.sampled_from([0, 500, 5000]))),
        lot_method=method,
        specified=tuple(draw(st.permutations(ids)))[: draw(st.integers(0, len(ids)))],
        unsettled=draw(st.sampled_from(["use", "wait"])),
        no_buy=draw(st.one_of(st.just(()), some)),
        no_sell=draw(st.one_of(st.just(()), some)),
    )
    preset = draw(st.sampled_from(sorted(PRESETS)))
    reserve = None
    if draw(st.booleans()):
        reserve = ReserveRule(
            monthly_costs=draw(cents(0, 200_000)), account=draw(st.sampled_from(sorted(accounts)))
        )
    policy = Policy(
        classes=classes,
        bands=BandRule(preset=preset),
        orders=orders,
        gates=NO_LIMITS,
        defensive=DefensiveRule(posture="reduce_only"),
        reserve=reserve,
        cash_reserves={name: account.cash_reserve for name, account in accounts.items()},
    )
    group = draw(st.one_of(st.just(()), st.lists(st.sampled_from(symbols), min_size=2, max_size=3)))
    tax = TaxRule(
        filing_status="single",
        short_term_rate=draw(st.sampled_from([ZERO, Decimal("0.32")])),
        long_term_rate=Decimal("0.15"),
        identical=(tuple(group),) if group else (),
    )
    memory = Memory(
        name="Test",
        policy=policy,
        disposals=draw(_past_losses(accounts, instruments)),
        breaker="it fell" if is_defensive else None,
        bands={
            name: BandMemory(state=BandState.CORRECTING, since=START - dt.timedelta(days=1))
            for name in draw(st.sets(st.sampled_from(sorted(classes))))
        },
    )
    snapshot = Snapshot(
        at=START,
        base_currency="USD",
        accounts=accounts,
        instruments=instruments,
        lots=lots,
        balances=balances,
        quotes=quotes,
        rates={},
        hours={name: OpenCalendars().hours(name, START) for name in ("XNYS", "24/7")},
    )
    return Home(snapshot, policy, tax, memory)


@st.composite
def _accounts(draw: st.DrawFn, kinds: tuple[AccountKind, ...]) -> dict[str, Account]:
    accounts = {}
    for number in range(draw(st.integers(1, 4))):
        name = f"a{number}"
        accounts[name] = Account(
            id=name,
            owner="ann",
            kind=draw(st.sampled_from(kinds)),
            broker="paper",
            relief=draw(st.sampled_from(list(Relief))),
            cash_reserve=Decimal(draw(st.sampled_from([0, 0, 1000]))),
        )
    return accounts


@st.composite
def _classes(draw: st.DrawFn) -> tuple[dict[str, ClassRule], dict[str, Instrument]]:
    count = draw(st.integers(2, 5))
    weights = draw(targets(count))
    classes: dict[str, ClassRule] = {}
    instruments: dict[str, Instrument] = {}
    cash_at = draw(st.sampled_from([None, None, 0]))
    for number, weight in enumerate(weights):
        if number == cash_at:
            classes["cash"] = ClassRule(target=weight, members=("USD",), risk="safe")
            continue
        is_crypto = draw(st.sampled_from([False, False, False, True]))
        members = []
        for member in range(draw(st.integers(1, 3))):
            symbol = f"{'C' if is_crypto else 'E'}{number}{'abc'[member]}"
            kind = InstrumentKind.CRYPTO if is_crypto else InstrumentKind.ETF
            step = "0.00000001" if is_crypto else draw(st.sampled_from(["1", "1", "0.001"]))
            instruments[symbol] = Instrument(
                symbol=symbol,
                kind=kind,
                step=Decimal(step),
                calendar="24/7" if is_crypto else "XNYS",
            )
            members.append(symbol)
        classes[f"k{number}"] = ClassRule(
            target=weight, members=tuple(members), risk=draw(st.sampled_from(["risky", "safe"]))
        )
    return classes, instruments


@st.composite
def _quotes(draw: st.DrawFn, symbol: str) -> Quote:
    price = draw(cents(100, 50_000))
    half = price * draw(st.sampled_from([0, 1, 10])) / 10_000
    return Quote(symbol=symbol, bid=price - half, ask=price + half, at=START, session=TODAY)


@st.composite
def _lots(
    draw: st.DrawFn,
    accounts: Mapping[str, Account],
    instruments: Mapping[str, Instrument],
    quotes: Mapping[str, Quote],
) -> tuple[Lot, ...]:
    places = [
        (account.id, symbol)
        for account in accounts.values()
        for symbol, instrument in instruments.items()
        if may_hold(account.kind, instrument)
    ]
    if not places:
        return ()
    lots = []
    for number in range(draw(st.integers(0, 30))):
        account, symbol = draw(st.sampled_from(places))
        steps = draw(st.integers(1, 20_000)) * draw(cents(1, 500))
        step = instruments[symbol].step
        worth = steps / quotes[symbol].ask
        quantity = max(step, (worth / step).to_integral_value() * step)
        ratio = draw(cents(50, 180))
        acquired = TODAY - dt.timedelta(days=draw(st.sampled_from([0, 5, 30, 31, 200, 365, 366])))
        is_waiting = draw(st.sampled_from([False] * 9 + [True]))
        lots.append(
            Lot(
                id=f"l{number:02}",
                account=account,
                symbol=symbol,
                quantity=quantity,
                basis=(quantity * quotes[symbol].price * ratio).quantize(Decimal("0.01")),
                acquired=acquired,
                holding_since=acquired,
                sellable_from=TODAY + dt.timedelta(days=1) if is_waiting else None,
            )
        )
    return tuple(lots)


@st.composite
def _balances(draw: st.DrawFn, account: Account) -> Balance:
    amount = draw(st.one_of(st.just(ZERO), cents(0, 5_000_000)))
    settled = amount * draw(st.sampled_from([ZERO, Decimal("0.5"), ONE, ONE]))
    return Balance(account=account.id, currency="USD", amount=amount, settled=settled)


@st.composite
def _past_losses(
    draw: st.DrawFn, accounts: Mapping[str, Account], instruments: Mapping[str, Instrument]
) -> tuple[Disposal, ...]:
    losses = []
    if not instruments:
        return ()
    for number in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        day = TODAY - dt.timedelta(days=draw(st.sampled_from([1, 30, 31])))
        losses.append(
            Disposal(
                id=f"old{number}",
                account=draw(st.sampled_from(sorted(accounts))),
                symbol=draw(st.sampled_from(sorted(instruments))),
                lot_id="gone",
                quantity=ONE,
                acquired=day,
                holding_since=day,
                sold=day,
                proceeds=Decimal(90),
                basis=Decimal(100),
                term=Term.SHORT,
                is_taxed=True,
            )
        )
    return tuple(losses)


def sales(trades: tuple[Trade, ...]) -> tuple[Trade, ...]:
    return tuple(trade for trade in trades if trade.side is Side.SELL)


def purchases(trades: tuple[Trade, ...]) -> tuple[Trade, ...]:
    return tuple(trade for trade in trades if trade.side is Side.BUY)
