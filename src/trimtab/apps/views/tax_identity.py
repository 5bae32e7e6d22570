"""Why symbols counted as identical, in sentences, and what that rests on."""

from collections.abc import Iterable

from trimtab.apps.tax_source import TaxSource
from trimtab.domain.identity import Apart, Identity, Listing
from trimtab.rules.words import listing

Pair = tuple[str, str]


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


def _open_question(source: TaxSource) -> str:
    how = (
        'identity = "same_security" in [tax] of household.toml'
        if source.is_household
        else "--identity same_security"
    )
    return (
        "No ruling says whether different funds on one index are substantially identical; they "
        f"are taken to be, which is the careful answer. With {how} only share classes of one fund "
        "are."
    )


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
