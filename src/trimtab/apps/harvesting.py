"""What a harvest looks at: the source, the household's own words, and past prices."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.apps.home import Home, looking
from trimtab.apps.tax_source import TaxSource
from trimtab.apps.tax_year import Given, years
from trimtab.domain.errors import DataSuspect, InputError
from trimtab.domain.numbers import BASIS_POINT, Price, Weight, to_float
from trimtab.domain.policy import HarvestRule, HouseholdFile, PaperRule, PurchaseRule, TaxRule
from trimtab.domain.ports import Clock
from trimtab.rules.tax.guard import Outlook
from trimtab.rules.tax.harvest import Rules, find_harvests
from trimtab.rules.tax.losses import Harvest
from trimtab.rules.tax.saving import YearToDate, year_to_date
from trimtab.rules.tax.substitution import Market, SwapBack, swaps_back, swaps_made
from trimtab.rules.words import listing

_HISTORY = dt.timedelta(days=366)

PastReturns = Mapping[str, Sequence[float]]


class Wanted(NamedTuple):
    """What the command was told: prices, substitutes, the spread, plans and carryovers."""

    prices: Mapping[str, Price]
    substitutes: Mapping[str, tuple[str, ...]] = {}
    spread_bps: Weight | None = None
    purchases: tuple[PurchaseRule, ...] = ()
    given: Given = Given()


class Found(NamedTuple):
    """The losses, the substitutes to go back from, the year so far, and what to know of it all."""

    on: dt.date
    so_far: YearToDate
    harvests: tuple[Harvest, ...]
    swaps: tuple[SwapBack, ...]
    notes: tuple[str, ...]


def look_for_losses(
    source: TaxSource,
    wanted: Wanted,
    file: HouseholdFile | None = None,
    past_returns: PastReturns | None = None,
) -> Found:
    """What is worth taking now; *file* is the household's where there is one.

    Raises:
        InputError: the rates are not known, or the records reach beyond the day.
    """
    if source.tax is None:
        msg = (
            "what a loss saves depends on your rates: give them with --short-rate and --long-rate, "
            "and the filing status with --status."
        )
        raise InputError(msg)
    rule = _rule(source.harvest, wanted.substitutes)
    market = _market(source, wanted, rule, file, past_returns or {})
    so_far, notes = _year_so_far(source, source.tax, wanted.given)
    rules = Rules(harvest=rule, tax=source.tax, statutes=source.law.statutes)
    swaps = swaps_made(source.ledger, rule, market.candidates)
    return Found(
        on=source.today,
        so_far=so_far,
        harvests=find_harvests(source.ledger, rules, so_far, market),
        swaps=swaps_back(source.ledger, swaps, market),
        notes=(*_without_price(source, market), *notes),
    )


def past_returns_of(home: Home, clock: Clock, symbols: Iterable[str]) -> PastReturns:
    """Daily returns of the last year, by symbol, of those that the household has prices of."""
    from trimtab.adapters.prices import FilePrices
    from trimtab.lab.market import InventedMarket

    now = clock.now()
    with looking(home, clock=clock) as house:
        known = sorted(set(symbols) & set(house.instruments))
        if isinstance(house.prices, InventedMarket):
            days = [now.date() - dt.timedelta(days=ago) for ago in range(_HISTORY.days, 0, -1)]
            days = [day for day in days if day.weekday() < 5 and day >= house.prices.first_day]  # noqa: PLR2004  Monday to Friday
            return {
                symbol: _returns([to_float(one) for one in house.prices.history(symbol, days)])
                for symbol in known
            }
        if not isinstance(house.prices, FilePrices):
            return {}
        known = [symbol for symbol in known if symbol in house.prices.symbols]
        try:
            sessions, table = house.prices.returns(known, now)
        except DataSuspect:
            return {}
        first = next((at for at, day in enumerate(sessions) if day >= now.date() - _HISTORY), 0)
        return {symbol: table[first:, at].tolist() for at, symbol in enumerate(known)}


def _returns(closes: Sequence[float]) -> list[float]:
    return [later / before - 1 for before, later in pairwise(closes)]


def _rule(rule: HarvestRule, substitutes: Mapping[str, tuple[str, ...]]) -> HarvestRule:
    """*rule* with the *substitutes* that the command names before its own."""
    merged = dict(rule.substitutes)
    for symbol, others in substitutes.items():
        kept = tuple(one for one in merged.get(symbol, ()) if one not in others)
        merged[symbol] = (*others, *kept)
    return replace(rule, substitutes=merged)


def _market(
    source: TaxSource,
    wanted: Wanted,
    rule: HarvestRule,
    file: HouseholdFile | None,
    past_returns: PastReturns,
) -> Market:
    symbols = symbols_of(source)
    candidates = {symbol: _candidates(source, symbol, file) for symbol in symbols}
    every = {*symbols, *(one for others in candidates.values() for one in others)}
    every |= {one for others in rule.substitutes.values() for one in others}
    paper = PaperRule() if file is None else file.paper
    return Market(
        on=source.today,
        prices=wanted.prices,
        costs={symbol: _cost(source, symbol, paper, wanted.spread_bps) for symbol in every},
        candidates=candidates,
        past_returns=past_returns,
        permitted=_permitted(every, file),
        reliefs={} if file is None else {name: one.relief for name, one in file.accounts.items()},
        outlook=Outlook(
            to_review=source.ledger.to_review(),
            purchases=(*source.purchases, *wanted.purchases),
            reinvesting=source.reinvesting,
            incomplete=source.incomplete,
            prices=wanted.prices,
        ),
    )


def symbols_of(source: TaxSource) -> tuple[str, ...]:
    """Everything that is held or was sold."""
    held = {lot.symbol for lot in source.ledger.lots()}
    return tuple(sorted(held | {sale.symbol for sale in source.ledger.sales()}))


def candidates_of(source: TaxSource, symbol: str) -> tuple[str, ...]:
    """What may stand in for *symbol*, the best first; a coin needs no substitute."""
    if symbol in source.ledger.rule.exempt:
        return ()
    apart = () if source.tax is None else source.tax.not_identical
    found = source.identity.substitutes(symbol, source.level, source.groups, apart)
    return tuple(one.symbol for one in found)


def _candidates(source: TaxSource, symbol: str, file: HouseholdFile | None) -> tuple[str, ...]:
    """The same, what the household knows already before the rest."""
    known = frozenset() if file is None else frozenset(file.instruments)
    return tuple(sorted(candidates_of(source, symbol), key=lambda one: one not in known))


def _permitted(symbols: Iterable[str], file: HouseholdFile | None) -> frozenset[str] | None:
    if file is None or not file.orders.no_buy:
        return None
    return frozenset(symbols) - frozenset(file.orders.no_buy)


def _cost(source: TaxSource, symbol: str, paper: PaperRule, spread_bps: Weight | None) -> Weight:
    """What one trade costs: half the spread, and the fee."""
    is_coin = symbol in source.ledger.rule.exempt
    usual = paper.crypto_spread_bps if is_coin else paper.spread_bps
    return ((usual if spread_bps is None else spread_bps) / 2 + paper.fee_bps) * BASIS_POINT


def _year_so_far(
    source: TaxSource, tax: TaxRule, given: Given
) -> tuple[YearToDate, tuple[str, ...]]:
    """The household's year with what is carried into it, as `tax year` counts it."""
    year = source.today.year
    so_far = year_to_date(source.ledger.sales(), source.accounts, tax, year)
    mine = [one for one in source.returns if one.id == "household"]
    if len(mine) != 1:
        names = listing([one.id for one in source.returns])
        note = (
            f"Several returns are filed ({names}): what a loss saves is counted as if the gains of "
            "all of them were one return's."
        )
        return so_far, (note,)
    (of_year,) = years(source, year, given, mine[0].id)
    return replace(so_far, carry=of_year.carried_in), of_year.remarks


def _without_price(source: TaxSource, market: Market) -> Iterable[str]:
    missing = sorted(
        {
            lot.symbol
            for lot in source.ledger.lots()
            if source.accounts[lot.account].is_taxed and lot.symbol not in market.prices
        }
    )
    if missing:
        yield (
            f"There is no price of {listing(missing)}, so no loss of it was looked for: give one "
            f"with --price {missing[0]}=PRICE."
        )
