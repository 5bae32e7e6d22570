"""Why symbols counted as identical, in sentences, and what that rests on."""

from collections.abc import Iterable

from trimtab.apps.tax_source import TaxSource
from trimtab.apps.tax_wash import Similar
from trimtab.domain.identity import Apart, Identity, IdentityLevel, Listing
from trimtab.rules.words import listing, units

Pair = tuple[str, str]
_SHOWN = 4
"""So many trades fit into a sentence."""


def identity_sentences(source: TaxSource, pairs: Iterable[Pair]) -> tuple[str, ...]:
    """Why each of *pairs* counts as identical, a sentence each."""
    identity, apart = _known(source), _apart(source)
    by_default = identity.groups(source.level, (), apart)

    def why(symbol: str, other: str) -> str:
        is_default = any({symbol, other} <= set(group) for group in by_default)
        extra = () if is_default else source.groups
        return identity.why(symbol, other, source.level, extra, apart if is_default else ())

    return tuple(why(symbol, other) for symbol, other in pairs)


def identity_warnings(source: TaxSource, pairs: Iterable[Pair]) -> tuple[str, ...]:
    """What is not settled about *pairs*: the law's own question, and indexes from memory."""
    identity, apart = _known(source), _apart(source)
    by_default = identity.groups(source.level, (), apart)
    unsettled: set[str] = set()
    for symbol, other in pairs:
        is_default = any({symbol, other} <= set(group) for group in by_default)
        one, two = identity.listings.get(symbol), identity.listings.get(other)
        if is_default and one and two and one.fund != two.fund:
            unsettled |= {one.symbol, two.symbol}
    if not unsettled:
        return ()
    listings = [identity.listings[symbol] for symbol in sorted(unsettled)]
    return tuple(filter(None, (_open_question(source), _to_be_checked(listings))))


def similar_purchase_sentence(source: TaxSource, one: Similar) -> str:
    """Which purchases near a loss were not counted, and what would count them."""
    return (
        f"Not counted as identical to {one.trade.symbol} at the level {source.level}: "
        f"{_traded(one)}, bought within 30 days of its loss of {one.trade.date}; "
        f"{_setting(source, one.level)} would count them."
    )


def similar_loss_sentence(source: TaxSource, one: Similar) -> str:
    """Which losses near a purchase were not counted, and what would count them."""
    return (
        f"Not counted as identical to {one.trade.symbol} at the level {source.level}: "
        f"{_traded(one)}, sold at a loss within 30 days; {_setting(source, one.level)} would "
        "count them."
    )


def _traded(one: Similar) -> str:
    """`4 ITOT in joint on 2025-02-20`: each of the other trades, or the first few."""
    others = sorted(one.others, key=lambda other: other.date)
    shown = [
        f"{units(other.quantity)} {other.symbol} in {other.account} on {other.date}"
        for other in others[:_SHOWN]
    ]
    more = len(others) - len(shown)
    return listing([*shown, f"{more} more"] if more else shown)


def _open_question(source: TaxSource) -> str:
    how = _setting(source, "same_security")
    return (
        "No ruling says whether different funds on one index are substantially identical; they "
        f"are taken to be, which is the careful answer. With {how} only share classes of one fund "
        "are."
    )


def _setting(source: TaxSource, level: IdentityLevel) -> str:
    """How the level of what is identical is set, for a household or without one."""
    if source.is_household:
        return f'identity = "{level}" in [tax] of household.toml'
    return f"--identity {level}"


def _to_be_checked(listings: Iterable[Listing]) -> str:
    unsure = [one.symbol for one in listings if one.is_to_be_checked]
    if not unsure:
        return ""
    what = "its index is" if len(unsure) == 1 else "their indexes are"
    return (
        f"{listing(unsure)}: {what} given from memory and to be checked; look into the prospectus "
        "before you rely on it."
    )


def _known(source: TaxSource) -> Identity:
    """The listings less those whose symbol is a coin or a currency of this household."""
    return source.identity.without(source.ledger.rule.exempt)


def _apart(source: TaxSource) -> Apart:
    return () if source.tax is None else source.tax.not_identical
