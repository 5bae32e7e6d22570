"""How long a household's journal takes to grow, and to be read, checked and remembered.

Ten thousand events of a household with twelve classes that trades in every cycle: about four years
of daily turns. Each figure stands beside a baseline measured in the same run: the same payloads
decoded by msgspec alone, the same rows read by SQLite alone, the same row written by SQLite alone.

    python benchmarks/bench_fold.py
"""

import datetime as dt
import platform
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

import msgspec

from trimtab.adapters.journal import SqliteJournal
from trimtab.domain.events import (
    AccountOpened,
    CycleEnded,
    CycleStarted,
    Decided,
    Event,
    HouseholdOpened,
    OrderAnswered,
    OrderFilled,
    OrderIntended,
    ValueMarked,
)
from trimtab.domain.memory import Memory, remember
from trimtab.domain.trades import (
    Decision,
    Disposal,
    Drift,
    Evidence,
    Fill,
    LotPick,
    Order,
    OrderStatus,
    Plan,
    Receipt,
    Side,
    Term,
    Trade,
)
from trimtab.domain.values import Lot

EVENTS = 10_000
APPENDS = 200
BATCH = 10
ROUNDS = 7
START = dt.datetime(2023, 1, 3, 15, 30, tzinfo=dt.UTC)
CLASSES = (
    *("us-large", "us-small", "us-value", "developed", "emerging", "reits"),
    *("bonds", "tips", "short-bonds", "gold", "bitcoin", "cash"),
)
GATES = (
    *("session", "spread", "age", "liquidity", "volume"),
    *("turnover", "orders", "notional", "jump", "breaker"),
)


def main() -> None:
    events = tuple(islice(household(), EVENTS))
    with tempfile.TemporaryDirectory() as folder:
        print(f"{platform.machine()}, Python {platform.python_version()}, ", end="")
        print(f"SQLite {sqlite3.sqlite_version}, files in {Path(folder).parent}")
        path = Path(folder, "journal.sqlite")
        figures = reading(path, events) | writing(Path(folder), events)
        size = path.stat().st_size
    print(f"{len(events):,} events, {size / len(events):,.0f} bytes each in the file\n")
    print(f"{'':<36} {'median':>9}   {'min .. max':<18} ratio")
    for name, (times, baseline) in figures.items():
        middle = 1e3 * median(times)
        spread = f"{1e3 * min(times):.2f} .. {1e3 * max(times):.2f}"
        line = f"{name:<36} {middle:>6.2f} ms   {spread:<18}"
        if baseline is not None:
            line += f" {middle / 1e3 / median(figures[baseline][0]):.2f} x {baseline}"
        print(line)


Figures = dict[str, tuple[list[float], str | None]]
"""Seconds of every round, and the name of the baseline, itself a figure, to compare with."""


def reading(path: Path, events: tuple[Event, ...]) -> Figures:
    decodes, reads = "msgspec decodes the payloads", "sqlite reads the rows"
    decoder = msgspec.json.Decoder(Event)
    payloads = [msgspec.json.encode(event) for event in events]
    with SqliteJournal.open(path, create=True) as journal:
        plain = sqlite3.connect(path)
        for start in range(0, len(events), BATCH):
            journal.append(events[start : start + BATCH], at=START, cycle=f"c{start}")
        entries = tuple(journal.entries())
        figures: Figures = {
            decodes: (timed(lambda: [decoder.decode(payload) for payload in payloads]), None),
            reads: (timed(lambda: plain.execute("SELECT * FROM journal").fetchall()), None),
            "read, check and decode": (timed(lambda: list(journal.entries())), decodes),
            "remember": (timed(lambda: remember(Memory(), entries)), decodes),
            "read, check, decode and remember": (
                timed(lambda: remember(Memory(), list(journal.entries()))),
                decodes,
            ),
        }
    plain.close()
    return figures


def writing(folder: Path, events: tuple[Event, ...]) -> Figures:
    plain = sqlite3.connect(folder / "plain.sqlite", isolation_level=None)
    plain.execute("PRAGMA journal_mode = WAL")
    plain.execute("PRAGMA synchronous = FULL")
    plain.execute("CREATE TABLE rows (sequence INTEGER PRIMARY KEY, payload TEXT)")
    payloads = [msgspec.json.encode(event).decode() for event in events]
    with SqliteJournal.open(folder / "growing.sqlite", create=True) as journal:
        ones, tens, baseline = [], [], []
        # In turns, so that a disk that is slow for a while is slow for all of them.
        for number in range(APPENDS):
            some = events[BATCH * number : BATCH * (number + 1)]
            row = (payloads[BATCH * number],)
            baseline += timed(
                partial(plain.execute, "INSERT INTO rows (payload) VALUES (?)", row), rounds=1
            )
            append = partial(journal.append, at=START, cycle="c1")
            ones += timed(partial(append, some[:1]), rounds=1)
            tens += timed(partial(append, some), rounds=1)
    plain.close()
    writes = "sqlite writes one row, durably"
    return {
        writes: (baseline, None),
        "append one event, durably": (ones, writes),
        f"append {BATCH} events, durably": (tens, writes),
    }


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    seconds = []
    for _ in range(rounds):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return seconds


# ------------------------------------------------------------------ an invented household


def household() -> Iterator[Event]:
    """Events without end; each cycle sells the lot that the one before bought."""
    first = lot(0)
    yield HouseholdOpened(name="The Millers", base_currency="USD")
    yield AccountOpened(
        account="joint", lots=(first,), cash={"USD": Decimal("250000.00")}, source="lots.csv"
    )
    number = 0
    while True:
        number += 1
        at = START + dt.timedelta(days=number)
        decision = decided(number, at)
        yield CycleStarted(number=number, executes=True)
        yield Decided(decision=decision)
        for trade in decision.allowed[:2]:
            order = intended(number, at, trade)
            yield OrderIntended(order=order)
            yield OrderAnswered(
                receipt=Receipt(
                    order_id=order.id, broker_id=f"b-{order.id}", status=OrderStatus.WORKING
                )
            )
            yield filled(number, at, order)
        yield ValueMarked(
            session=at.date(),
            value=Decimal("1043271.55") + number,
            flow=Decimal(0),
            unit_value=Decimal("1.0432715500"),
        )
        yield CycleEnded(
            outcome="traded",
            sentence="Two of twelve classes were brought back to their targets.",
            next_look=at + dt.timedelta(days=1),
        )


def decided(number: int, at: dt.datetime) -> Decision:
    drifts = tuple(
        Drift(
            asset_class=name,
            target=Decimal("0.0833"),
            value=Decimal("86939.2958") + number,
            weight=Decimal("0.0833333333"),
            drift=Decimal("0.0000333333"),
            half_width=Decimal("0.0208250000"),
            is_breached=name == "gold",
        )
        for name in CLASSES
    )
    trades = tuple(
        Trade(
            account="joint",
            symbol="VTI",
            asset_class="us-large",
            side=side,
            quantity=Decimal("12.5"),
            price=Decimal("241.37"),
            lots=(LotPick(lot_id=lot(number - 1).id, quantity=Decimal("12.5")),)
            if side is Side.SELL
            else (),
            gain=Decimal("-41.1250"),
            tax=Decimal("-13.1600"),
            cost=Decimal("0.6034"),
            reason="us-large stands 2.1 points above its target, beyond its band of 2.08 points.",
        )
        for side in (Side.SELL, Side.BUY)
    )
    sentence = "Sell 12.5 VTI and buy 12.5 VTI: two classes stand outside their bands."
    return Decision(
        at=at,
        value=Decimal("1043271.55") + number,
        drifts=drifts,
        transitions=(),
        plan=Plan(
            id=f"p{number:08d}",
            at=at,
            trades=trades,
            before=drifts,
            after=drifts,
            sentence=sentence,
        ),
        allowed=trades,
        evidence=tuple(
            Evidence(
                gate=gate,
                passed=True,
                sentence=f"The {gate} of VTI is 3 basis points, within the limit of 50.",
                account="joint",
                symbol="VTI",
                figures={"found": "3", "limit": "50"},
            )
            for gate in GATES
        ),
        held=(),
        refusals=(),
        least_deposit=Decimal("18211.04"),
        sentence=sentence,
    )


def intended(number: int, at: dt.datetime, trade: Trade) -> Order:
    return Order(
        id=f"tt-{number:08d}-{trade.side}",
        plan_id=f"p{number:08d}",
        account=trade.account,
        symbol=trade.symbol,
        side=trade.side,
        quantity=trade.quantity,
        limit=trade.price,
        good_until=at + dt.timedelta(hours=5),
        lots=trade.lots,
        reason=trade.reason,
    )


def filled(number: int, at: dt.datetime, order: Order) -> OrderFilled:
    fill = Fill(
        id=f"f-{order.id}",
        account=order.account,
        order_id=order.id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=order.limit,
        fee=Decimal("0.03"),
        at=at,
        settles_on=at.date() + dt.timedelta(days=1),
    )
    if order.side is Side.BUY:
        return OrderFilled(fill=fill, lot=lot(number))
    sold = lot(number - 1)
    disposal = Disposal(
        id=fill.id,
        account=sold.account,
        symbol=sold.symbol,
        lot_id=sold.id,
        quantity=sold.quantity,
        acquired=sold.acquired,
        holding_since=sold.holding_since,
        sold=at.date(),
        proceeds=Decimal("3017.0950"),
        basis=sold.basis,
        term=Term.SHORT,
        is_taxed=True,
        order_id=order.id,
    )
    return OrderFilled(fill=fill, disposals=(disposal,))


def lot(number: int) -> Lot:
    bought = START.date() + dt.timedelta(days=number)
    return Lot(
        id=f"lot-{number:08d}",
        account="joint",
        symbol="VTI",
        quantity=Decimal("12.5"),
        basis=Decimal("3058.2200"),
        acquired=bought,
        holding_since=bought,
    )


if __name__ == "__main__":
    main()
