"""A household's files checked together: every fault of every file at once, or what they say."""

import datetime as dt
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from trimtab.apps.home import Home, looking, read_household, recall
from trimtab.apps.observed import observe
from trimtab.apps.outlook import (
    layer_faults,
    outlook_of,
    past_of,
    strategies_of,
    strategy_warnings,
)
from trimtab.apps.world import House, edited_openings, take_snapshot
from trimtab.domain.aim import Aim, Layer
from trimtab.domain.errors import DataSuspect, InputError, StrategyFault
from trimtab.domain.facts import facts_of
from trimtab.domain.household import accounts_of, instruments_of
from trimtab.domain.numbers import Money, to_decimal
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.ports import Clock
from trimtab.domain.trades import Drift
from trimtab.domain.values import Instrument, trade_date
from trimtab.rules.drift import measure
from trimtab.rules.holdings import Holdings, bands_of, cash_class, class_of, holdings, targets_of
from trimtab.rules.look import due_of, leaving_of, look_at
from trimtab.rules.precommitment import changes, policy_next
from trimtab.rules.side_fund import long_past, standings
from trimtab.rules.tax.lots import is_long_term
from trimtab.rules.words import money

if TYPE_CHECKING:
    from trimtab.adapters.prices import FilePrices

SESSIONS_A_YEAR = 252
_T = TypeVar("_T")


class Coverage(NamedTuple):
    """Prices of one symbol: from when to when, and how much it moved in a year (a fraction)."""

    symbol: str
    asset_class: str
    first: dt.date | None
    last: dt.date | None
    sessions: int
    volatility: float | None


class Checked(NamedTuple):
    """What a household without a fault says. *value* is None where a price cannot be trusted.

    `edit` says by which policy the drifts are measured, where it is not the one in force.
    """

    file: HouseholdFile
    lots: int
    sales: int
    value: Money | None
    drifts: tuple[Drift, ...]
    coverage: tuple[Coverage, ...]
    remarks: tuple[str, ...]
    edit: str | None = None


class _Reader:
    """Reads file after file, and keeps what is wrong with each until all were read."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def read(self, call: Callable[[], _T], otherwise: _T) -> _T:
        """What *call* gives, or *otherwise* after keeping its fault."""
        try:
            return call()
        except InputError as error:
            if str(error) not in self.faults:
                self.faults.append(str(error))
            return otherwise

    def raise_if_any(self) -> None:
        """Raise all that is wrong.

        Raises:
            InputError: something is.
        """
        if self.faults:
            raise InputError("\n".join(self.faults))


def check(home: Home, clock: Clock) -> Checked:
    """Read household.toml and every file that it names; nothing is written.

    Raises:
        InputError: all that is wrong with all of the files, or with a strategy.
    """
    reader = _Reader()
    file = reader.read(partial[HouseholdFile | None](read_household, home), None)
    if file is None:
        _read_as_far_as_possible(home, reader)
        reader.raise_if_any()
    assert file is not None, "a household that was not read is a fault"
    policy = file.policy()
    reader.faults += layer_faults(policy.strategy.layers)
    if not reader.faults:
        reader.read(lambda: len(strategies_of(policy)), 0)
    sales, coverage = _read_files(home, file, clock, reader)
    reader.raise_if_any()
    return _checked(home, file, clock, sales, coverage)


def _read_as_far_as_possible(home: Home, reader: _Reader) -> None:
    """With a faulty household.toml, strategies and lists are read against what it names."""
    from trimtab.adapters.files import read_cash, read_lots

    try:
        document = tomllib.loads(home.household_toml.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return
    strategy = document.get("strategy")
    layers = strategy.get("layers") if isinstance(strategy, dict) else None
    if isinstance(layers, list):
        reader.faults += layer_faults([name for name in layers if isinstance(name, str)])
    accounts, instruments = document.get("accounts"), document.get("instruments")
    data = document.get("data", {})
    if not isinstance(accounts, dict) or not isinstance(instruments, dict):
        return
    names = data if isinstance(data, dict) else {}
    lots, cash = names.get("lots", "lots.csv"), names.get("cash", "cash.csv")
    if isinstance(lots, str):
        reader.read(lambda: len(read_lots(home.folder / lots, accounts, instruments)), 0)
    if isinstance(cash, str):
        reader.read(lambda: len(read_cash(home.folder / cash, accounts)), 0)


def _read_files(
    home: Home, file: HouseholdFile, clock: Clock, reader: _Reader
) -> tuple[int, tuple[Coverage, ...]]:
    """How many earlier sales there are, and what the price files cover."""
    from trimtab.adapters.files import read_cash, read_lots, read_sales
    from trimtab.adapters.treasury_curve import CurveFile

    accounts, instruments = accounts_of(file), instruments_of(file)
    reader.read(lambda: len(read_lots(home.folder / file.data.lots, accounts, instruments)), 0)
    nothing: dict[str, dict[str, Money]] = {}
    cash = reader.read(lambda: read_cash(home.folder / file.data.cash, accounts), nothing)
    foreign = {code for held in cash.values() for code in held} - {file.household.base_currency}
    no_pairs: tuple[str, ...] = ()
    pairs = reader.read(lambda: _pairs(file, sorted(foreign), instruments), no_pairs)
    sales = 0
    name = file.data.sales
    if name is not None:
        sales = reader.read(
            lambda: len(read_sales(home.folder / name, accounts, instruments, is_long_term)), 0
        )
    curve = file.yields.curve
    if curve is not None:
        reader.read(lambda: CurveFile(home.folder / curve).check(), None)
    coverage: tuple[Coverage, ...] = ()
    if file.data.market == "files":
        coverage = reader.read(lambda: _coverage(home, file, instruments, clock, pairs), ())
    return sales, coverage


def _pairs(
    file: HouseholdFile, foreign: Iterable[str], instruments: Mapping[str, Instrument]
) -> tuple[str, ...]:
    """The pair that gives the rate of each currency of cash.csv.

    Raises:
        InputError: a currency has none.
    """
    base, found = file.household.base_currency, []
    for currency in foreign:
        pair, inverse = f"{currency}{base}", f"{base}{currency}"
        if pair not in instruments and inverse not in instruments:
            msg = (
                f"{file.data.cash}: there is no rate for {currency}: describe "
                f'[instruments.{pair}] with kind = "forex".'
            )
            raise InputError(msg)
        found.append(pair if pair in instruments else inverse)
    return tuple(found)


def _coverage(
    home: Home,
    file: HouseholdFile,
    instruments: Mapping[str, Instrument],
    clock: Clock,
    pairs: Iterable[str],
) -> tuple[Coverage, ...]:
    """What the price files hold of each member of a class.

    Raises:
        InputError: a file has a fault, or no file holds the rate of one of *pairs*.
    """
    from trimtab.adapters.calendars import MarketCalendars
    from trimtab.adapters.prices import FilePrices
    from trimtab.adapters.prices_table import read_histories

    base = file.household.base_currency
    calendars = MarketCalendars()
    histories = read_histories(
        [home.folder / name for name in file.data.prices],
        instruments,
        calendars,
        base_currency=base,
        lead=dt.timedelta(0),
    )
    for pair in pairs:
        if pair not in histories:
            msg = (
                f"{file.data.cash} holds money whose rate is {pair}, and no price file has a line "
                f"of {pair}: add them."
            )
            raise InputError(msg)
    prices = FilePrices(
        histories,
        calendars,
        base_currency=base,
        stale_after_days=file.data.stale_after_days,
        spread_bps={},
        lead=dt.timedelta(0),
    )
    classes = class_of(file.policy())
    found = []
    for symbol in (symbol for symbol in instruments if symbol in classes):
        history = histories.get(symbol)
        if history is None:
            found.append(Coverage(symbol, classes[symbol], None, None, 0, None))
            continue
        sessions = history.sessions
        volatility = _volatility(prices, symbol, clock.now())
        found.append(
            Coverage(symbol, classes[symbol], sessions[0], sessions[-1], len(sessions), volatility)
        )
    return tuple(found)


def _volatility(prices: "FilePrices", symbol: str, until: dt.datetime) -> float | None:
    """Standard deviation of the past returns, annualized; None for fewer than a month of them."""
    try:
        _, returns = prices.returns([symbol], until)
    except DataSuspect:
        return None
    if len(returns) < SESSIONS_A_YEAR // 12:
        return None
    return float(returns[:, 0].std(ddof=1)) * math.sqrt(SESSIONS_A_YEAR)


def _checked(
    home: Home, file: HouseholdFile, clock: Clock, sales: int, coverage: tuple[Coverage, ...]
) -> Checked:
    policy = file.policy()
    remarks: list[str] = []
    value: Money | None = None
    drifts: tuple[Drift, ...] = ()
    with looking(home, clock=clock, file=file) as house:
        lots = sum(len(opening.lots) for opening in house.openings.values())
        memory = observe(house, "check").memory
        remarks += edited_openings(house)
        try:
            snapshot = take_snapshot(house, memory)
        except DataSuspect as error:
            remarks.append(f"No value can be told: {error}")
        else:
            held = holdings(snapshot, policy)
            value = snapshot.value()
            today = trade_date(snapshot.at)
            outlook = outlook_of(house, policy, snapshot.at, memory.proposed)
            facts = facts_of(file)
            aim = look_at(
                snapshot,
                policy,
                memory,
                outlook,
                due=due_of(snapshot, policy, memory, facts),
                leaving=leaving_of(snapshot, policy, memory, facts),
            ).aim
            if aim is not None and aim.faults:
                raise StrategyFault("\n".join(aim.faults))
            base = snapshot.base_currency
            targets = targets_of(policy, today, aim, base_currency=base, is_defensive=False)
            drifts = measure(held.values, held.total, targets, bands_of(policy))
            remarks += _held_remarks(held, file)
            averaged = standings(snapshot, policy, memory, facts)
            told = (long_past(one, memory, today, snapshot.base_currency) for one in averaged)
            remarks += [sentence for sentence in told if sentence]
            remarks += [" ".join(layer.sentences) for layer in _doubting(aim)]
            remarks += _without_cushion(aim, base)
            remarks += [one for one in _stuck(house, snapshot.at) if one not in " ".join(remarks)]
        classes = class_of(policy)
        owned = {lot.symbol for lot in memory.lots.values()}
    remarks += strategy_warnings(policy, trade_date(clock.now()))
    remarks += [
        f"{symbol} is held and belongs to no class: it is valued, and never traded."
        for symbol in sorted(owned - set(classes))
    ]
    remarks += [
        f"{found.symbol} of class {found.asset_class} has no price in the files."
        for found in coverage
        if found.last is None
    ]
    journaled = recall(home)
    pending = changes(journaled.policy or policy, policy)
    is_due = policy_next(journaled, policy, clock.now()) == policy
    when = "In force from the next turn on" if is_due else "Not in force yet"
    remarks += [f"{when}: {change.sentence}" for change in pending]
    edit = None
    if pending:
        since = "is due and holds from the next turn on" if is_due else "is not in force yet"
        edit = f"The drift is measured by the edited policy of household.toml, which {since}."
    return Checked(file, lots, sales, value, tuple(drifts), coverage, tuple(remarks), edit)


def _stuck(house: House, at: dt.datetime) -> tuple[str, ...]:
    """What is to be said of classes whose prices seem stuck in the last three years."""
    from trimtab.rules.targets.still import stuck_sentences

    policy = house.file.policy()
    past = past_of(house, policy, at).last(3 * SESSIONS_A_YEAR)
    safe = frozenset(name for name, rule in policy.classes.items() if rule.risk == "safe")
    cash = cash_class(policy, house.file.household.base_currency)
    return stuck_sentences(tuple(policy.classes), past, safe, cash)


def _doubting(aim: Aim | None) -> list[Layer]:
    """The strategies that cannot tell what they want."""
    return [] if aim is None else [layer for layer in aim.layers if layer.doubt]


def _without_cushion(aim: Aim | None, currency: str) -> list[str]:
    """That a floor above the savings has all risk sold."""
    told = []
    for layer in () if aim is None else aim.layers:
        figures = {name: to_decimal(figure, 2) for name, figure in layer.figures.items()}
        if layer.name != "cppi" or figures["cushion"] > 0 or figures["held"] <= 0:
            continue
        floor, held = money(figures["floor"], currency), money(figures["held"], currency)
        savings = money(figures["floor"] + figures["cushion"], currency)
        told.append(
            f"cppi: the floor of {floor} is not below the savings of {savings}, so the next turn "
            f"plans to sell all {held} that is in risky classes: write a lower floor in "
            "[strategy.cppi], or leave cppi out of strategy.layers."
        )
    return told


def _held_remarks(held: Holdings, file: HouseholdFile) -> list[str]:
    currency = file.household.base_currency
    return [
        f"{account} lacks {money(lacking, currency)} of the cash that stays there: nothing of its "
        f"cash is invested."
        for account, lacking in held.short.items()
    ]
