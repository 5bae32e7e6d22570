"""What counts as substantially identical: listings, their indexes, and the groups that follow.

The law (26 USC 1091) does not say what "substantially identical" means for funds, so the household
chooses one of three levels, each wider than the one before. What is known of a listing is dated
data (`trimtab.adapters.identity`); this module only draws the conclusions.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import Literal

from msgspec import Struct

from trimtab.domain.errors import InputError

IdentityLevel = Literal["same_security", "same_index", "correlated"]
"""`same_security`: the share classes of one fund. `same_index`: also all funds on one index, and
all trusts that hold one metal or coin. `correlated`: also funds of nearly the same holdings."""
ListingKind = Literal["etf", "fund", "trust"]
Groups = tuple[tuple[str, ...], ...]
Apart = Sequence[Sequence[str]]
"""What a household declares different; see `Identity`."""

_SHOWN_MAX = 4


class Listing(Struct, frozen=True, kw_only=True):
    """A symbol, and what is known of it.

    `fund` is one key for all share classes of a fund; `index` the key of the index that it tracks
    (or of the metal or coin that it holds), empty for an active fund; `exposure` the key of
    everything that moves nearly alike. `is_collectible`: a gain may be taxed at up to 28 % (26 USC
    1(h)(4)). `checked_on` is when the row was last gone through, `source` against what;
    `is_to_be_checked` says that its index is from memory only.
    """

    symbol: str
    name: str
    fund: str
    index: str = ""
    exposure: str
    kind: ListingKind
    is_collectible: bool = False
    checked_on: dt.date
    source: str = ""
    is_to_be_checked: bool = False


class Identity(Struct, frozen=True, kw_only=True):
    """The listings that are known, by symbol; their order ranks the substitutes of an exposure.

    A symbol that is not known is identical to itself only, and to what the household says.

    In every method *extra* are the household's own groups, which merge with those of the level,
    and *apart* what it declares different: of the symbols of one entry none is identical to
    another; an entry of one symbol sets its fund apart from every other fund (but not from a fund
    in a group of *extra*). Share classes of one fund cannot be set apart.
    """

    listings: dict[str, Listing]

    def is_known(self, symbol: str) -> bool:
        """Whether there is a listing of *symbol*."""
        return symbol in self.listings

    def index_of(self, symbol: str) -> str:
        """The key of the index that *symbol* tracks; empty if it is active or not known."""
        listing = self.listings.get(symbol)
        return listing.index if listing else ""

    def is_collectible(self, symbol: str) -> bool:
        """Whether *symbol* is known to hold metal: a long-term gain may be taxed at 28 %."""
        listing = self.listings.get(symbol)
        return listing is not None and listing.is_collectible

    def without(self, symbols: Iterable[str]) -> "Identity":
        """The same less *symbols*, which name something else in this household.

        The coin that a household calls `BTC` is not the trust listed under that symbol.
        """
        left_out = set(symbols)
        kept = {symbol: one for symbol, one in self.listings.items() if symbol not in left_out}
        return Identity(listings=kept)

    def groups(
        self, level: IdentityLevel, extra: Sequence[Sequence[str]] = (), apart: Apart = ()
    ) -> Groups:
        """The sets of two or more symbols that count as identical; no symbol is in two of them.

        Symbols are in alphabetical order, and so are the groups.

        Raises:
            InputError: what is declared different is identical all the same, through others.
        """
        joined = self._join(level, extra, apart)
        conflicts = tuple(self._conflicts(joined, extra, apart))
        if conflicts:
            raise InputError(" ".join(conflicts))
        return joined.groups()

    def why(
        self,
        symbol: str,
        other: str,
        level: IdentityLevel,
        extra: Sequence[Sequence[str]] = (),
        apart: Apart = (),
    ) -> str:
        """One sentence that says whether *symbol* and *other* count as identical, and why.

        Raises:
            InputError: as in `groups`.
        """
        if symbol == other:
            return f"{symbol} is one and the same security."
        together = any({symbol, other} <= set(group) for group in self.groups(level, extra, apart))
        if together:
            return self._why_identical(symbol, other, level, extra, apart)
        return self._why_not(symbol, other, level, apart)

    def substitutes(
        self,
        symbol: str,
        level: IdentityLevel,
        extra: Sequence[Sequence[str]] = (),
        apart: Apart = (),
    ) -> tuple[Listing, ...]:
        """What may stand in for *symbol* after a loss, the best first; nothing if it is not known.

        A substitute has the same exposure, is not identical at *level*, and tracks another index
        than *symbol* and all that is identical to it. What trades in the same way (on an exchange,
        or once a day) comes first, then what tracks an index that has been checked, then index
        funds before active ones. At the level `correlated` there is none, except what *apart* sets
        apart: all of one exposure is identical there.

        Raises:
            InputError: as in `groups`.
        """
        mine = self.listings.get(symbol)
        if mine is None:
            return ()
        groups = self.groups(level, extra, apart)
        identical = {symbol}.union(*(group for group in groups if symbol in group))
        indexes = {self.index_of(one) for one in identical} - {""}
        found = [
            one
            for one in self.listings.values()
            if one.exposure == mine.exposure
            and one.symbol not in identical
            and one.index not in indexes
        ]
        return tuple(
            sorted(
                found,
                key=lambda one: (
                    (one.kind == "fund") != (mine.kind == "fund"),
                    one.is_to_be_checked,
                    not one.index,
                ),
            )
        )

    def _fund(self, symbol: str) -> str:
        """The key of its fund; a symbol that is not known is a fund of its own."""
        listing = self.listings.get(symbol)
        return listing.fund if listing else f"?{symbol}"

    def _join(
        self, level: IdentityLevel, extra: Sequence[Sequence[str]], apart: Apart
    ) -> "_Joined":
        joined = _Joined()
        for group in (*extra, *self._by(lambda one: one.fund)):
            joined.add_all(group)
        links: list[list[str]] = []
        if level in {"same_index", "correlated"}:
            links += self._by(lambda one: one.index)
        if level == "correlated":
            links += self._by(lambda one: one.exposure)
        is_apart = self._is_apart(apart)
        for group in links:
            for first, second in combinations(group, 2):
                if not is_apart(first, second):
                    joined.add_all((first, second))
        return joined

    def _by(self, key_of: Callable[[Listing], str]) -> list[list[str]]:
        """The symbols that have one key, for every key; an empty key is none."""
        found: dict[str, list[str]] = {}
        for listing in self.listings.values():
            key = key_of(listing)
            if key:
                found.setdefault(key, []).append(listing.symbol)
        return list(found.values())

    def _is_apart(self, apart: Apart) -> Callable[[str, str], bool]:
        """Whether the household declares two symbols different, by their funds."""
        entries = [{self._fund(symbol) for symbol in entry} for entry in apart]
        alone = {self._fund(entry[0]) for entry in apart if len(set(entry)) == 1}
        pairs = {pair for entry in entries for pair in map(frozenset, combinations(entry, 2))}

        def is_apart(first: str, second: str) -> bool:
            one, other = self._fund(first), self._fund(second)
            if one == other:
                return False
            return one in alone or other in alone or frozenset((one, other)) in pairs

        return is_apart

    def _conflicts(
        self, joined: "_Joined", extra: Sequence[Sequence[str]], apart: Apart
    ) -> Iterator[str]:
        """A sentence for every two symbols declared different that are identical all the same."""
        for entry in apart:
            for first, second in combinations(dict.fromkeys(entry), 2):
                if joined.root(first) != joined.root(second):
                    continue
                declared = f"{first} and {second} are declared not identical"
                if self._fund(first) == self._fund(second):
                    yield (
                        f"{declared}, but they are share classes of one fund, which always are: "
                        "take them out of that list."
                    )
                elif any({first, second} <= set(group) for group in extra):
                    yield (
                        f"{declared}, and one of your own groups says that they are: take them "
                        "out of one of the two lists."
                    )
                else:
                    own = {self._fund(first), self._fund(second)}
                    through = [s for s in joined.members(first) if self._fund(s) not in own]
                    yield (
                        f"{declared}, but {_some(through)} would be identical to both: write "
                        f'["{second}"] to set {second} apart from every other fund, or declare '
                        "those not identical to one of the two as well."
                    )

    def _why_identical(
        self,
        symbol: str,
        other: str,
        level: IdentityLevel,
        extra: Sequence[Sequence[str]],
        apart: Apart,
    ) -> str:
        pair = f"{symbol} and {other}"
        one, two = self.listings.get(symbol), self.listings.get(other)
        if any({symbol, other} <= set(group) for group in extra):
            return f"{pair} count as identical because a group of your own says so."
        if one and two and one.fund == two.fund:
            return f"{pair} are shares of one fund, so they count as identical at every level."
        if one and two and not self._is_apart(apart)(symbol, other):
            if one.index and one.index == two.index:
                how = f"{_follows(one)} alike" if one.kind == "trust" else f"both {_follows(one)}"
                return f"{pair} {how}, so they count as identical at the level {level}."
            if one.exposure == two.exposure and level == "correlated":
                return (
                    f"{pair} follow different rules but move nearly alike ({one.exposure}), so "
                    "they count as identical at the level correlated."
                )
        return f"{pair} count as identical because a group of your own links them through others."

    def _why_not(self, symbol: str, other: str, level: IdentityLevel, apart: Apart) -> str:
        pair = f"{symbol} and {other}"
        if self._is_apart(apart)(symbol, other):
            return f"{pair} do not count as identical because your own list sets them apart."
        unknown = [name for name in (symbol, other) if name not in self.listings]
        if unknown:
            verb = "are" if len(unknown) > 1 else "is"
            return (
                f"{pair} do not count as identical: nothing is known of {' and '.join(unknown)}, "
                f"which {verb} identical to nothing else unless a group of your own says so."
            )
        one, two = self.listings[symbol], self.listings[other]
        if one.index and one.index == two.index:
            return (
                f"{pair} both {_follows(one)} but are different funds, which do not count as "
                f"identical at the level {level}."
            )
        differently = f"{symbol} {_does(one)} and {other} {_does(two)}"
        if one.exposure == two.exposure:
            return (
                f"{pair} move nearly alike ({one.exposure}), but {differently}: not identical at "
                f"the level {level}."
            )
        return f"{pair} are not identical at any level: {differently}."


class _Joined:
    """Symbols joined to sets without overlap (union-find)."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def add_all(self, symbols: Iterable[str]) -> None:
        """Make one set of everything that is in the sets of *symbols*."""
        roots = [self.root(symbol) for symbol in symbols]
        for root in roots[1:]:
            first, second = sorted((self.root(roots[0]), self.root(root)))
            self._above[second] = first

    def root(self, symbol: str) -> str:
        """The first symbol, by the alphabet, of the set that *symbol* is in."""
        above = self._above.setdefault(symbol, symbol)
        while above != symbol:
            symbol, above = above, self._above[above]
        return symbol

    def members(self, symbol: str) -> list[str]:
        """The set that *symbol* is in, in alphabetical order."""
        root = self.root(symbol)
        return sorted(one for one in list(self._above) if self.root(one) == root)

    def groups(self) -> Groups:
        """Every set of two or more."""
        found: dict[str, list[str]] = {}
        for symbol in sorted(self._above):
            found.setdefault(self.root(symbol), []).append(symbol)
        return tuple(tuple(group) for group in found.values() if len(group) > 1)


def _follows(listing: Listing) -> str:
    """`track sp-500`, or `hold gold` for a trust: of several."""
    if listing.kind == "trust":
        return f"hold {listing.exposure}"
    return f"track {listing.index}"


def _does(listing: Listing) -> str:
    """`tracks sp-500`, `holds gold`, or `is active`: of one."""
    if not listing.index:
        return "is active"
    if listing.kind == "trust":
        return f"holds {listing.exposure}"
    return f"tracks {listing.index}"


def _some(symbols: list[str]) -> str:
    """The first few of *symbols*, and how many more there are."""
    shown = symbols[:_SHOWN_MAX]
    if len(symbols) > len(shown):
        return f"{', '.join(shown)} and {len(symbols) - len(shown)} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]])) if shown else "others"
