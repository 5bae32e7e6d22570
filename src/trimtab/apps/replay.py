"""The very same cycle over past days, on the paper broker: what these rules would have done.

Each session is decided five minutes before its close at that session's closing prices, and traded
at them: the usual convention of a test on daily data, a little kinder than life. Nothing of it
touches the household's own journal.
"""

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trimtab.adapters.calendars import MarketCalendars
from trimtab.adapters.journal import SqliteJournal
from trimtab.apps.clock import ManualClock
from trimtab.apps.fold import Fold
from trimtab.apps.home import Home, read_household, working
from trimtab.apps.replay_flows import Moved, Mover
from trimtab.apps.run import Outcome, run_once
from trimtab.apps.views.canvas import require_picture, write_picture
from trimtab.domain.errors import InputError
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.trades import BandState, Disposal, Drift, Side
from trimtab.domain.values import ScheduledFlow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAD = dt.timedelta(minutes=5)


class Day(NamedTuple):
    """One session of a replay, and what its cycle came to."""

    session: dt.date
    outcome: Outcome
    moved: Moved


class Replay(NamedTuple):
    """A replay's days, what the household remembered at the end, and its journal's last hash.

    `unfinished` is what withdrawals still lacked when it ended.
    """

    days: tuple[Day, ...]
    memory: Memory
    entries: int
    head: str
    unfinished: tuple[ScheduledFlow, ...]

    @property
    def trading_days(self) -> tuple[Day, ...]:
        """The sessions on which an order was filled."""
        return tuple(
            day for day in self.days if any(done.filled > 0 for done in day.outcome.executions)
        )

    @property
    def turnover(self) -> Money:
        """Money bought plus money sold, over two."""
        filled = (
            done.filled * done.trade.price for day in self.days for done in day.outcome.executions
        )
        return sum(filled, ZERO) / 2

    @property
    def ended(self) -> dt.datetime:
        """The close of the last session, from which on its prices are known."""
        assert self.memory.last_started is not None, "a replay has a session"
        return self.memory.last_started + LEAD

    @property
    def paid_in(self) -> Money:
        """What [[contributions]] brought in."""
        return sum((flow.amount for day in self.days for flow in day.moved.paid_in), ZERO)

    @property
    def taken_out(self) -> Money:
        """What [[withdrawals]] took out."""
        return sum((flow.amount for day in self.days for flow in day.moved.taken_out), ZERO)

    def untaken(self) -> tuple[ScheduledFlow, ...]:
        """What withdrawals lacked to the end, the earliest first."""
        lost = [flow for day in self.days for flow in day.moved.untaken]
        return (*lost, *self.unfinished)

    def disposals(self) -> tuple[Disposal, ...]:
        """Lots sold during the replay."""
        return tuple(sold for sold in self.memory.disposals if sold.source == "journal")


def replay(
    home: Home,
    start: dt.date,
    end: dt.date,
    *,
    into: Path,
    executes: bool = True,
    says: Callable[[str], None] = lambda _: None,
    tells: Callable[[Day], None] = lambda _: None,
) -> Replay:
    """Run the cycle on every session from *start* to *end* (inclusive), in the empty folder *into*.

    The files of *home* say what is held at *start*; what its [[contributions]] and [[withdrawals]]
    move comes and goes on its days, whether or not it *executes*. The journal and the paper
    broker's books are written into *into*. What a day wrote is read back and checked against the
    chain before it, and the whole journal from its first entry at the end.

    Raises:
        InputError: the dates, the folder, or an account that is not on paper.
    """
    file = read_household(home)
    calendars = MarketCalendars()
    sessions = calendars.sessions(file.schedule.calendar, start, end)
    _require_usable(home, into, start, end, sessions, [a.broker for a in file.accounts.values()])
    place = _place(home, into)
    clock = ManualClock(dt.datetime.combine(start, dt.time(), tzinfo=dt.UTC))
    days, fold = list[Day](), Fold()
    with working(place, command="trimtab replay", clock=clock, says=says, lead=LEAD) as house:
        assert isinstance(house.journal, SqliteJournal), "a replay keeps a journal of its own"
        mover = Mover(house, start)
        for session in sessions:
            clock.at = calendars.close_of(file.schedule.calendar, session) - LEAD
            moved = mover.move(session)
            day = Day(session, run_once(house, executes=executes, fold=fold), moved)
            fold.read(house.journal)
            days.append(day)
            tells(day)
        head = house.journal.integrity()
    memory = days[-1].outcome.memory
    return Replay(tuple(days), memory, head.sequence, head.hash, mover.give_up())


def draw_bands(done: Replay, path: Path) -> None:
    """Draw each class's weight, its band and its trades over the replay, as SVG or PNG by name.

    Readable without colour: solid line the weight, dashed the triggers, dotted the target, a
    triangle up a purchase and down a sale.

    Raises:
        InputError: matplotlib is not installed, or the file cannot be written.
    """
    require_picture(path)
    try:
        from matplotlib import rc_context
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
    except ImportError:
        msg = "pictures need matplotlib: pip install 'trimtab[charts]'."
        raise InputError(msg) from None
    names = [drift.asset_class for drift in _drifts(done.days[0])]
    figure = Figure(figsize=(9, 1.2 + 2.1 * len(names)), layout="constrained")
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)
    for panel, name in zip(panels[:, 0], names, strict=True):
        _draw_class(panel, done.days, name)
    first, last = done.days[0].session, done.days[-1].session
    figure.suptitle(f"Weights, bands and trades, {first} to {last}")
    panels[-1, 0].legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=6, frameon=False, fontsize=8
    )
    locator = AutoDateLocator(maxticks=8)
    panels[-1, 0].xaxis.set_major_locator(locator)
    panels[-1, 0].xaxis.set_major_formatter(ConciseDateFormatter(locator))
    with rc_context({"svg.hashsalt": "trimtab"}):
        write_picture(figure, path, dpi="figure")


def _draw_class(panel: "Axes", days: Sequence[Day], name: str) -> None:
    from matplotlib.dates import date2num

    decided = [day for day in days if day.outcome.decision is not None]
    dates = [date2num(day.session) for day in decided]
    panel.xaxis_date()
    drifts = [next(d for d in _drifts(day) if d.asset_class == name) for day in decided]
    percent = [float(drift.weight * 100) for drift in drifts]
    upper = [float((drift.target + drift.half_width) * 100) for drift in drifts]
    lower = [float((drift.target - drift.half_width) * 100) for drift in drifts]
    panel.plot(dates, percent, color="black", linewidth=1.4, label="weight at the look")
    panel.plot(dates, [float(d.target * 100) for d in drifts], ":", color="0.35", label="target")
    panel.plot(dates, upper, "--", color="0.35", linewidth=0.9, label="triggers")
    panel.plot(dates, lower, "--", color="0.35", linewidth=0.9)
    panel.fill_between(dates, lower, upper, color="0.93", zorder=0)
    for side, marker, face in ((Side.BUY, "^", "white"), (Side.SELL, "v", "black")):
        hits = [
            (at, weight)
            for at, day, weight in zip(dates, decided, percent, strict=True)
            if _traded(day, name, side)
        ]
        label = "bought" if side is Side.BUY else "sold"
        panel.plot(
            [at for at, _ in hits],
            [weight for _, weight in hits],
            linestyle="none",
            marker=marker,
            markersize=9,
            markerfacecolor=face,
            markeredgecolor="black",
            label=label,
        )
    corrected = [drift.state is BandState.CORRECTING for drift in drifts]
    panel.fill_between(
        dates,
        0,
        1,
        where=corrected,
        transform=panel.get_xaxis_transform(),
        facecolor="none",
        edgecolor="0.7",
        hatch="///",
        linewidth=0,
        label="under correction",
    )
    panel.set_title(name, loc="left", fontsize=10)
    panel.set_ylabel("% of the savings", fontsize=8)
    panel.margins(x=0.01)


def _traded(day: Day, name: str, side: Side) -> bool:
    return any(
        done.filled > 0 and done.trade.asset_class == name and done.trade.side is side
        for done in day.outcome.executions
    )


def _drifts(day: Day) -> tuple[Drift, ...]:
    return () if day.outcome.decision is None else day.outcome.decision.drifts


def _place(home: Home, into: Path) -> Home:
    """A folder for the replay with the household's own files beside a journal of its own."""
    into.mkdir(parents=True, exist_ok=True)
    file = read_household(home)
    names = ["household.toml", file.data.lots, file.data.cash]
    names += file.data.prices if file.data.market == "files" else ()
    more = [file.data.sales, file.yields.curve if _has_curve(home, file) else None]
    for name in [*names, *(one for one in more if one is not None)]:
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copyfile(home.folder / name, target)
    return Home(into)


def _has_curve(home: Home, file: HouseholdFile) -> bool:
    """Whether the file of yields is there; who needs it says so where it is not."""
    return file.yields.curve is not None and (home.folder / file.yields.curve).exists()


def _require_usable(
    home: Home,
    into: Path,
    start: dt.date,
    end: dt.date,
    sessions: Sequence[dt.date],
    brokers: Sequence[str],
) -> None:
    if start > end or not sessions:
        msg = f"there is no session from {start} to {end}: give --from and --to in that order."
        raise InputError(msg)
    if any(broker != "paper" for broker in brokers):
        msg = 'only accounts on the paper broker can be replayed: write broker = "paper".'
        raise InputError(msg)
    if into.resolve() == home.folder.resolve() or (into.exists() and any(into.iterdir())):
        msg = f"{into} is not an empty folder: a replay needs one for its own journal."
        raise InputError(msg)
