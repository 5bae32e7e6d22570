"""A household's folder, and the household wired together from what lies in it."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from trimtab.apps.outlook import CurveSource, PastSource, no_curve
from trimtab.apps.world import House, Opening, RateSource, SplitSource, load
from trimtab.domain.errors import DataSuspect, InputError
from trimtab.domain.household import (
    accounts_of,
    apply_policy,
    decode_household,
    instruments_of,
)
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ONE
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.ports import Clock, Journal, Prices
from trimtab.domain.trades import Disposal
from trimtab.domain.values import Instrument, InstrumentKind, Rate
from trimtab.rules.tax.lots import is_long_term

if TYPE_CHECKING:
    from trimtab.adapters.calendars import MarketCalendars
    from trimtab.adapters.treasury_curve import CurveFile
    from trimtab.lab.paper import PaperBroker
    from trimtab.lab.paper_store import Store

BROKERS = ("paper", "file")
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Home(NamedTuple):
    """Where a household's files lie."""

    folder: Path

    @property
    def household_toml(self) -> Path:
        """The written rules."""
        return self.folder / "household.toml"

    @property
    def journal(self) -> Path:
        """Everything that happened."""
        return self.folder / "journal.sqlite"

    @property
    def paper(self) -> Path:
        """The paper broker's own books."""
        return self.folder / "paper.json"

    @property
    def watch(self) -> Path:
        """What `trimtab watch` holds a lease on, so that there is one watch for each household."""
        return self.folder / "watch"

    @property
    def pause_flag(self) -> Path:
        """Its presence stops a running cycle before its next order."""
        return self.folder / "pause.flag"


def read_household(home: Home) -> HouseholdFile:
    """household.toml, decoded and checked.

    Raises:
        InputError: there is none, or it cannot be read.
        FileFaults: all of its faults.
    """
    from trimtab.adapters.calendars import MarketCalendars

    require_household(home)
    try:
        text = home.household_toml.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{home.household_toml} cannot be read as a text file in UTF-8 ({error})."
        raise InputError(msg) from error
    file = decode_household(
        text, str(home.household_toml), knows_calendar=MarketCalendars().is_known
    )
    for name, rule in file.accounts.items():
        if rule.broker not in BROKERS:
            msg = (
                f"{home.household_toml}: accounts.{name}.broker is {rule.broker!r}, which trimtab "
                f"does not know: write one of {', '.join(BROKERS)}."
            )
            raise InputError(msg)
    return with_identity(file)


def with_identity(file: HouseholdFile) -> HouseholdFile:
    """*file* with every group of identical symbols that its level makes in `tax.identical`.

    Raises:
        InputError: what it declares different is identical all the same.
    """
    from trimtab.adapters.identity import read_identity

    coins = [
        symbol
        for symbol, rule in file.instruments.items()
        if rule.kind in {InstrumentKind.CRYPTO, InstrumentKind.FOREX}
    ]
    tax = file.tax
    identity = read_identity().without(coins)
    groups = identity.groups(tax.identity, tax.identical, tax.not_identical)
    return replace(file, tax=replace(tax, identical=groups))


def require_household(home: Home) -> None:
    """Refuse a folder in which no household lives; whether it can be read is not asked.

    Raises:
        InputError: there is no household.toml.
    """
    if not home.household_toml.exists():
        msg = (
            f"there is no household.toml in {home.folder}: `trimtab init` writes one there, and "
            f"`--folder` names another place."
        )
        raise InputError(msg)


def flagged(home: Home) -> str | None:
    """The reason in the pause flag; None when there is no flag."""
    try:
        text = home.pause_flag.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    return " ".join(text.split()) or "pause.flag is there and says no reason"


def recall(home: Home) -> Memory:
    """What the journal remembers; an empty memory where nothing has run yet."""
    from trimtab.adapters.journal import SqliteJournal

    if not home.journal.exists():
        return Memory()
    with SqliteJournal.open(home.journal, create=False, read_only=True) as journal:
        return load(journal)


@contextmanager
def working(
    home: Home,
    *,
    command: str,
    clock: Clock,
    says: Callable[[str], None] = lambda _: None,
    stops: Callable[[], str | None] = lambda: None,
    lead: dt.timedelta = dt.timedelta(0),
) -> Iterator[House]:
    """The household to work on: its lease is ours and what is done is written down.

    Raises:
        LeaseHeld: another process works on it.
    """
    from trimtab.adapters.lease import writing
    from trimtab.lab.paper_store import FileStore

    file = read_household(home)
    with writing(home.journal, command=command, create=True) as journal:
        yield _wire(
            home,
            file,
            clock,
            journal,
            FileStore(home.paper),
            says=says,
            stops=lambda: stops() or _pause_of(home),
            lead=lead,
        )


@contextmanager
def looking(
    home: Home,
    *,
    clock: Clock,
    says: Callable[[str], None] = lambda _: None,
    file: HouseholdFile | None = None,
) -> Iterator[House]:
    """The household to look at: whatever is done to it leaves no trace."""
    from trimtab.adapters.journal import SqliteJournal
    from trimtab.adapters.scratch import ScratchJournal
    from trimtab.lab.paper_store import FileStore, MemoryStore

    file = read_household(home) if file is None else file
    journal = ScratchJournal()
    if home.journal.exists():
        with SqliteJournal.open(home.journal, create=False, read_only=True) as kept:
            journal = ScratchJournal(kept.entries())
    store = MemoryStore(FileStore(home.paper).load())
    yield _wire(home, file, clock, journal, store, says=says)


def read_openings(
    home: Home, file: HouseholdFile
) -> tuple[dict[str, Opening], tuple[Disposal, ...]]:
    """What the household's files say of each account, and the sales made before trimtab.

    Raises:
        InputError: a file is missing.
        FileFaults: all faults of a file.
    """
    from trimtab.adapters.files import read_cash, read_lots, read_sales

    accounts, instruments = accounts_of(file), instruments_of(file)
    lots = read_lots(home.folder / file.data.lots, accounts, instruments)
    cash = read_cash(home.folder / file.data.cash, accounts)
    sales: tuple[Disposal, ...] = ()
    if file.data.sales is not None:
        sales = read_sales(home.folder / file.data.sales, accounts, instruments, is_long_term)
    openings = {
        name: Opening(
            lots=tuple(lot for lot in lots if lot.account == name),
            cash=cash.get(name, {}),
            source=file.data.lots,
        )
        for name in accounts
    }
    return openings, sales


def _wire(
    home: Home,
    file: HouseholdFile,
    clock: Clock,
    journal: Journal,
    store: "Store",
    *,
    says: Callable[[str], None],
    stops: Callable[[], str | None] = lambda: None,
    lead: dt.timedelta = dt.timedelta(0),
) -> House:
    from trimtab.adapters.calendars import MarketCalendars
    from trimtab.adapters.law import read_law
    from trimtab.lab.paper import PaperBroker

    bound = load(journal).policy
    rules = file if bound is None else apply_policy(file, bound)
    accounts, instruments = accounts_of(file), instruments_of(rules)
    says("reading files")
    openings, sales = read_openings(home, file)
    calendars = MarketCalendars()
    prices, rates, splits, past = _prices(home, rules, instruments, calendars, lead)
    on_paper = {name: account for name, account in accounts.items() if account.broker == "paper"}
    paper = PaperBroker(
        accounts=on_paper,
        instruments=instruments,
        prices=prices,
        calendars=calendars,
        clock=clock,
        rule=file.paper,
        store=store,
        settlement=calendars.settlement_date,
        base_currency=file.household.base_currency,
    )
    # In this order: the files of an account that is new tell its lots as they are after the splits.
    _carry_out_splits(paper, splits, journal, clock, on_paper)
    for name in on_paper:
        paper.open_account(name, openings[name].lots, openings[name].cash)
    return House(
        file=file,
        accounts=accounts,
        instruments=instruments,
        openings=openings,
        past_sales=sales,
        brokers={"paper": paper},
        prices=prices,
        rates=rates,
        calendars=calendars,
        clock=clock,
        journal=journal,
        statutes=read_law().statutes,
        stops=stops,
        says=says,
        splits=splits,
        flagged=lambda: flagged(home),
        past=past,
        curve=_curve(home, file),
    )


def _prices(
    home: Home,
    file: HouseholdFile,
    instruments: Mapping[str, Instrument],
    calendars: "MarketCalendars",
    lead: dt.timedelta,
) -> tuple[Prices, RateSource, SplitSource, PastSource]:
    base = file.household.base_currency
    if file.data.market == "invented":
        from trimtab.lab.market import InventedMarket

        assert file.data.start is not None, "an invented market has a start"
        market = InventedMarket(file.data.seed, file.data.start, instruments, base_currency=base)
        rates = _rates_from_quotes(market, instruments, base)
        return market, rates, lambda _after, _until: (), market.returns
    from trimtab.adapters.prices import load_prices

    spreads = {
        kind: file.paper.crypto_spread_bps
        if kind is InstrumentKind.CRYPTO
        else file.paper.spread_bps
        for kind in InstrumentKind
    }
    prices = load_prices(
        [home.folder / name for name in file.data.prices],
        instruments,
        calendars,
        base_currency=base,
        stale_after_days=file.data.stale_after_days,
        spread_bps=spreads,
        lead=lead,
    )
    return prices, prices.rates, prices.splits, prices.past


def _curve(home: Home, file: HouseholdFile) -> CurveSource:
    """The curve by day of the file that [yields] names, which is read when it is first asked."""
    name = file.yields.curve
    if name is None:
        return no_curve

    @cache
    def opened() -> "CurveFile":
        from trimtab.adapters.treasury_curve import CurveFile

        return CurveFile(home.folder / name)

    return lambda day: opened().until(day)


def _rates_from_quotes(
    prices: Prices, instruments: Mapping[str, Instrument], base: str
) -> RateSource:
    def rates(currencies: tuple[str, ...], at: dt.datetime) -> Mapping[str, Rate]:
        found = {}
        for currency in currencies:
            pair, inverse = f"{currency}{base}", f"{base}{currency}"
            known = pair if pair in instruments else inverse
            if known not in instruments:
                msg = f'no rate for {currency}: describe [instruments.{pair}] with kind = "forex".'
                raise DataSuspect(msg)
            quote = prices.quotes([known], at)[known]
            rate = quote.price if known == pair else ONE / quote.price
            found[currency] = Rate(
                currency=currency, rate=rate, pair=known, at=quote.at, source=quote.source
            )
        return found

    return rates


def _pause_of(home: Home) -> str | None:
    return "the owner paused trading." if home.pause_flag.exists() else None


def _carry_out_splits(
    paper: "PaperBroker",
    splits: SplitSource,
    journal: Journal,
    clock: Clock,
    on_paper: Iterable[str],
) -> None:
    """Let the paper broker carry out the splits that the price files record since the last turn.

    Before the first turn they count from when the first of its accounts was opened. It keeps the
    dates of those it has done, so that none is done twice.
    """
    now = clock.now()
    if not splits(_LONG_AGO, now):
        return
    memory = load(journal)
    opened = [memory.opened_at[name] for name in on_paper if name in memory.opened_at]
    since = memory.last_started or min(opened, default=None)
    if since is None:
        return
    for symbol, session, numerator, denominator in splits(since, now):
        at = dt.datetime.combine(session, dt.time(9), tzinfo=dt.UTC)
        paper.apply_split(symbol, numerator, denominator, at)
