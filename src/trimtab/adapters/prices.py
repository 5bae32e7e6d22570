"""Prices from files: UTC, base currency, raw for orders and adjusted for statistics.

A row becomes known at its market's close, less the lead, and never before: whatever is asked at
an instant is answered from rows known at it.
"""

import datetime as dt
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np

from trimtab.adapters.calendars import NEW_YORK_STOCK_EXCHANGE, MarketCalendars
from trimtab.adapters.past_returns import PastReturns, find_pair
from trimtab.adapters.prices_table import FloatArray, History, read_histories
from trimtab.domain.errors import DataSuspect
from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Price, Quantity, Weight
from trimtab.domain.values import Instrument, InstrumentKind, Quote, Rate

SPLIT_RATIOS = ((3, 2), (2, 1), (3, 1), (4, 1), (5, 1), (10, 1), (20, 1))
"""New units for old ones in the usual splits; a reverse split is the inverse of one."""
SPLIT_TOLERANCE = 0.03
VOLUME_ROWS = 20

_CAN_SPLIT = {InstrumentKind.EQUITY, InstrumentKind.ETF, InstrumentKind.FUND}


def load_prices(  # noqa: PLR0913  what a file does not say, the caller must
    paths: Sequence[Path],
    instruments: Mapping[str, Instrument],
    calendars: MarketCalendars,
    *,
    base_currency: str,
    stale_after_days: int,
    spread_bps: Mapping[InstrumentKind, Weight] | None = None,
    lead: dt.timedelta = dt.timedelta(0),
) -> "FilePrices":
    """The prices in *paths* for *instruments*, and the currency pairs found beside them.

    *spread_bps* is the whole spread assumed where a row has neither bid nor ask. A replay that
    decides shortly before the close gives a *lead*: every row is then known so much earlier.

    Raises:
        InputError: a file or a calendar does not exist.
        FileFaults: all that is wrong with the rows, each with its line and symbol.
        MissingExtra: pandas or exchange_calendars is needed and not installed.
    """
    histories = read_histories(
        paths, instruments, calendars, base_currency=base_currency, lead=lead
    )
    return FilePrices(
        histories,
        calendars,
        base_currency=base_currency,
        stale_after_days=stale_after_days,
        spread_bps=spread_bps or {},
        lead=lead,
    )


class FilePrices:
    """Quotes, rates, splits and past returns out of loaded price files (the port `Prices`)."""

    def __init__(
        self,
        histories: Mapping[str, History],
        calendars: MarketCalendars,
        *,
        base_currency: str,
        stale_after_days: int,
        spread_bps: Mapping[InstrumentKind, Weight],
        lead: dt.timedelta,
    ) -> None:
        """Answer from *histories*; made by `load_prices`."""
        self._histories = dict(histories)
        self._calendars = calendars
        self._base_currency = base_currency
        self._stale_after_days = stale_after_days
        self._half_spreads = {
            kind: Decimal(bps) * BASIS_POINT / 2 for kind, bps in spread_bps.items()
        }
        self._lead = lead
        self._doubts = {symbol: _split_doubts(rows) for symbol, rows in self._histories.items()}
        self._past = PastReturns(
            self._histories,
            calendars,
            base_currency=base_currency,
            known_for=dt.timedelta(days=stale_after_days),
            lead=lead,
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """Everything that has at least one row, currency pairs included."""
        return tuple(self._histories)

    @property
    def unadjusted(self) -> tuple[str, ...]:
        """Symbols without adjusted closes: their returns leave out dividends."""
        return tuple(
            symbol
            for symbol, history in self._histories.items()
            if np.isnan(history.adjusted).all()
        )

    def quotes(self, symbols: Iterable[str], at: dt.datetime) -> dict[str, Quote]:
        """The last quote of each symbol known at *at*, in the base currency.

        `previous_close` is the close of the row before, in units of after a recorded split and at
        the rate of the quote, so that the two differ by the price's own move alone. `volume`
        averages the last twenty sessions that are over, in units as they were traded.

        Raises:
            DataSuspect: symbols have no price, or none that can be trusted: all in one message.
        """
        quotes: dict[str, Quote] = {}
        doubts: list[str] = []
        for symbol in symbols:
            try:
                quotes[symbol] = self._quote(symbol, at)
            except _Doubt as doubt:
                doubts.append(str(doubt))
        _raise_if_any(doubts, at)
        return quotes

    def rates(self, currencies: Iterable[str], at: dt.datetime) -> dict[str, Rate]:
        """What one unit of each currency is worth in the base currency, as last known at *at*.

        EURUSD is dollars for one euro; the inverse pair USDEUR serves as well.

        Raises:
            DataSuspect: a currency has no rate, or an old one only: all in one message.
        """
        rates: dict[str, Rate] = {}
        doubts: list[str] = []
        for currency in currencies:
            try:
                rates[currency] = self._rate(currency, at)
            except _Doubt as doubt:
                doubts.append(str(doubt))
        _raise_if_any(doubts, at)
        return rates

    def splits(
        self, after: dt.datetime, until: dt.datetime
    ) -> tuple[tuple[str, dt.date, int, int], ...]:
        """Recorded splits that became known after *after* and by *until*, oldest first.

        Each is (symbol, session, numerator, denominator): in that session, for the first time,
        numerator units stand where denominator units stood.
        """
        found = [
            (history.instants[at], symbol, history.sessions[at], *split)
            for symbol, history in self._histories.items()
            for at, split in history.splits.items()
            if after < history.instants[at] <= until
        ]
        return tuple(
            (symbol, session, numerator, denominator)
            for _, symbol, session, numerator, denominator in sorted(found)
        )

    def returns(
        self,
        symbols: Sequence[str],
        until: dt.datetime,
        *,
        calendar: str = NEW_YORK_STOCK_EXCHANGE,
    ) -> tuple[tuple[dt.date, ...], FloatArray]:
        """Past simple returns in the base currency, session to session of *calendar*.

        One row a session that was over at *until*, one column a symbol; adjusted closes, or raw
        ones corrected for recorded splits where none are given (see `unadjusted`). A coin or a
        currency pair, whose bar is a whole day, counts by the bar that ends nearest to the
        session's close, and the session is over once that has ended. A symbol of another exchange
        counts as last known at the close. Sessions in which a symbol has no return are left out
        (see `dropped_sessions`); every return spans one session.

        Raises:
            DataSuspect: a symbol has no prices at all.
        """
        self._refuse_missing(symbols, until)
        sessions, returns = self._past.until(symbols, until, calendar)
        whole = np.flatnonzero(~np.isnan(returns).any(axis=1))
        return tuple(sessions[row] for row in whole.tolist()), returns[whole]

    def past(
        self,
        symbols: Sequence[str],
        until: dt.datetime,
        *,
        calendar: str = NEW_YORK_STOCK_EXCHANGE,
    ) -> tuple[tuple[dt.date, ...], FloatArray]:
        """What strategies see: every session over at *until*, whoever lacks a price in it.

        As `returns`, but no session is left out: a symbol without a price has no number there, and
        what it returned over the hole stands in the first session after.

        Raises:
            DataSuspect: a symbol has no prices at all.
        """
        self._refuse_missing(symbols, until)
        return self._past.since_last(symbols, until, calendar)

    def dropped_sessions(
        self,
        symbols: Sequence[str],
        until: dt.datetime,
        *,
        calendar: str = NEW_YORK_STOCK_EXCHANGE,
    ) -> int:
        """How many sessions `returns` leaves out, counted from the first price of the youngest.

        Raises:
            DataSuspect: a symbol has no prices at all.
        """
        self._refuse_missing(symbols, until)
        _, returns = self._past.until(symbols, until, calendar)
        return int(np.isnan(returns).any(axis=1).sum())

    def _refuse_missing(self, symbols: Iterable[str], at: dt.datetime) -> None:
        missing = [symbol for symbol in symbols if symbol not in self._histories]
        _raise_if_any([_missing(symbol) for symbol in missing], at)

    def _quote(self, symbol: str, at: dt.datetime) -> Quote:
        history, row = self._known_row(symbol, at)
        self._refuse_stale(history, row, at)
        doubt = self._doubt(symbol, row)
        if doubt:
            raise _Doubt(doubt)
        instrument = history.instrument
        close = Price(history.close[row])
        bid, ask = self._market(history, row, close)
        rate = self._rate(instrument.currency, at).rate
        is_converted = instrument.currency != self._base_currency
        return Quote(
            symbol=symbol,
            bid=bid * rate,
            ask=ask * rate,
            at=history.instants[row],
            session=history.sessions[row],
            currency=instrument.currency,
            original=(bid + ask) / 2 if is_converted else None,
            rate=rate,
            volume=self._volume(history, row),
            previous_close=_previous_close(history, row, rate),
            source=history.sources[row],
        )

    def _known_row(self, symbol: str, at: dt.datetime) -> tuple[History, int]:
        """The last row of *symbol* known at *at*."""
        assert at.tzinfo is not None, "an instant has a time zone"
        history = self._histories.get(symbol)
        if history is None:
            raise _Doubt(_missing(symbol))
        row = bisect_right(history.instants, at) - 1
        if row < 0:
            raise _Doubt(
                f"{symbol} has no price yet, its first is of {history.sessions[0]}:"
                " add earlier prices"
            )
        return history, row

    def _refuse_stale(self, history: History, row: int, at: dt.datetime) -> None:
        """Count the sessions of the symbol's own calendar that are over since its last row."""
        session, calendar = history.sessions[row], history.instrument.calendar
        today = at.astimezone(dt.UTC).date()
        if (today - session).days <= self._stale_after_days:
            return
        later = self._calendars.sessions(calendar, session + dt.timedelta(days=1), today)
        is_over = (self._calendars.close_of(calendar, day) - self._lead <= at for day in later[-2:])
        missed = len(later[:-2]) + sum(is_over)
        if missed > self._stale_after_days:
            raise _Doubt(
                f"{history.instrument.symbol} was last priced on {session}, {missed} sessions of"
                f" {calendar} ago, and {self._stale_after_days} are allowed: add newer prices"
            )

    def _doubt(self, symbol: str, row: int) -> str:
        """What makes the row, or one shortly before it, look like a split got wrong.

        Lots stay wrong after the day of the split, so the doubt holds as long as a price may be
        old before it counts as stale: the owner has that long to see it.
        """
        doubts = self._doubts[symbol]
        if not doubts:
            return ""
        first = max(row - self._stale_after_days, 0)
        return next((doubts[at] for at in range(row, first - 1, -1) if at in doubts), "")

    def _market(self, history: History, row: int, close: Price) -> tuple[Price, Price]:
        """Bid and ask of the row, or the close less and plus half of the usual spread."""
        bid_text, ask_text = history.bid[row], history.ask[row]
        if not bid_text and not ask_text:
            half = close * self._half_spreads.get(history.instrument.kind, ZERO)
            return close - half, close + half
        where = f"{history.instrument.symbol} on {history.sessions[row]}"
        if not bid_text or not ask_text:
            lacking = "ask" if bid_text else "bid"
            raise _Doubt(f"{where} has no {lacking}: write both bid and ask, or neither")
        bid, ask = Price(bid_text), Price(ask_text)
        if bid <= 0 or ask <= 0:
            raise _Doubt(f"{where} has a bid of {bid} and an ask of {ask}: both must be above zero")
        if bid > ask:
            raise _Doubt(f"{where} has a bid of {bid} above its ask of {ask}: correct them")
        return bid, ask

    def _volume(self, history: History, row: int) -> Quantity | None:
        """Average of the last rows' volumes; with a lead, today's is not known yet."""
        end = row if self._lead else row + 1
        texts = history.volume[max(end - VOLUME_ROWS, 0) : end]
        volumes = [Quantity(text) for text in texts if text]
        return sum(volumes, ZERO) / len(volumes) if volumes else None

    def _rate(self, currency: str, at: dt.datetime) -> Rate:
        if currency == self._base_currency:
            return Rate(currency=currency, rate=ONE, pair="", at=at)
        direct = currency + self._base_currency
        pair = find_pair(self._histories, currency, self._base_currency)
        if pair is None:
            raise _Doubt(
                f"{currency} has no rate: add prices of {direct}, the {self._base_currency} for one"
                f" {currency}"
            )
        history, row = self._known_row(pair, at)
        self._refuse_stale(history, row, at)
        close = Price(history.close[row])
        return Rate(
            currency=currency,
            rate=close if pair == direct else ONE / close,
            pair=pair,
            at=history.instants[row],
            source=history.sources[row],
        )


class _Doubt(Exception):
    """Why one symbol cannot be trusted; collected into one DataSuspect."""


def _raise_if_any(doubts: Sequence[str], at: dt.datetime) -> None:
    if not doubts:
        return
    count = f"{len(doubts)} price{'' if len(doubts) == 1 else 's'}"
    listed = "\n".join(f"  - {doubt}" for doubt in doubts)
    raise DataSuspect(f"{count} cannot be trusted at {at:%Y-%m-%d %H:%M} UTC:\n{listed}")


def _missing(symbol: str) -> str:
    return f"{symbol} is in none of the price files: add its prices"


def _previous_close(history: History, row: int, rate: Price) -> Price | None:
    """Close of the row before, for as many units as one unit was before the row's split."""
    if row == 0:
        return None
    numerator, denominator = history.splits.get(row, (1, 1))
    return Price(history.close[row - 1]) * denominator / numerator * rate


def _split_doubts(history: History) -> dict[int, str]:
    """By row: closes that moved as in a split that nobody recorded, and the other way round."""
    if history.instrument.kind not in _CAN_SPLIT:
        return {}
    moves = history.closes[1:] / history.closes[:-1]
    known_moves = history.adjusted[1:] / history.adjusted[:-1]
    unexplained = moves / np.where(np.isnan(known_moves), 1.0, known_moves)
    doubts = {}
    for ratio in (*SPLIT_RATIOS, *((after, before) for before, after in SPLIT_RATIOS)):
        is_near = np.abs(unexplained * ratio[0] / ratio[1] - 1) <= SPLIT_TOLERANCE
        for row in (np.flatnonzero(is_near) + 1).tolist():
            if row not in history.splits:
                doubts[row] = _unrecorded(history, row, *ratio)
    for row, (numerator, denominator) in history.splits.items():
        factor = numerator / denominator
        if row and _is_plain_to_see(factor) and not _follows(float(moves[row - 1]), factor):
            doubts[row] = _unfounded(history, row, numerator, denominator)
    return doubts


def _is_plain_to_see(factor: float) -> bool:
    """Whether a split moves the price more than a market day does."""
    return abs(math.log(factor)) > math.log(1.25)


def _follows(move: float, factor: float) -> bool:
    """Whether a price's *move* is nearer to that of a split by *factor* than to none."""
    return abs(math.log(move * factor)) < abs(math.log(move))


def _unrecorded(history: History, row: int, numerator: int, denominator: int) -> str:
    return (
        f"{_move(history, row)}, as in a {numerator}-for-{denominator} split, and none is"
        f" recorded: write {numerator}:{denominator} in the split column or, where the price"
        " truly moved so, the adjusted close beside it"
    )


def _unfounded(history: History, row: int, numerator: int, denominator: int) -> str:
    return (
        f"{_move(history, row)}, and a {numerator}-for-{denominator} split is recorded that the"
        " closes do not show: give closes as they were traded, or remove the split"
    )


def _move(history: History, row: int) -> str:
    before, after, day = history.close[row - 1], history.close[row], history.sessions[row]
    return f"{history.instrument.symbol} went from {before} to {after} on {day}"
