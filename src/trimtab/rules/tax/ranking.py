"""The pieces of a row by the basis of one unit, kept in order while they change.

`hifo` and `min_tax` ask for the dearest piece at every sale. Sorting all pieces each time costs
their number; here each change costs its logarithm, so that a long history stays linear.
"""

import datetime as dt
import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING

from trimtab.domain.numbers import Price, Weight
from trimtab.rules.tax.lots import long_term_from

if TYPE_CHECKING:
    from trimtab.rules.tax.pieces import Piece

Rank = tuple[Price, tuple[dt.date, int], Price]
"""The basis of a unit, negative, then age and place: the dearest first, a tie by age."""


class Ranking:
    """Two lists of pieces, short term and long term as of the last sale, the dearest first."""

    __slots__ = ("_aging", "_number", "_pieces", "_ranks", "_short")

    def __init__(self, pieces: Iterable["Piece"]) -> None:
        """All of *pieces*, taken for short term until a sale asks."""
        self._ranks: dict[bool, list[Rank]] = {True: [], False: []}
        self._pieces: dict[Rank, Piece] = {}
        self._short: dict[Piece, tuple[Rank, bool]] = {}
        self._aging: list[tuple[dt.date, int, Piece]] = []
        self._number = count()
        for piece in pieces:
            self.add(piece)

    def add(self, piece: "Piece") -> None:
        """Take *piece* in."""
        rank = (-piece.unit, piece.lot.age, piece.place)
        self._pieces[rank] = piece
        self._short[piece] = (rank, True)
        insort(self._ranks[True], rank)
        heapq.heappush(self._aging, (piece.since, next(self._number), piece))

    def discard(self, piece: "Piece") -> None:
        """Leave *piece* out."""
        rank, is_short = self._short.pop(piece)
        del self._pieces[rank]
        ranks = self._ranks[is_short]
        del ranks[bisect_left(ranks, rank)]

    def dearest(self) -> Iterator["Piece"]:
        """All pieces, the highest basis of a unit first; ties go to the older one."""
        for rank in heapq.merge(self._ranks[True], self._ranks[False]):
            yield self._pieces[rank]

    def least_taxed(
        self, net_price: Price, sold: dt.date, rates: tuple[Weight, Weight]
    ) -> Iterator["Piece"]:
        """All pieces, the least tax on a unit first; ties go to the older one.

        *rates* are short and long, both above zero: then within a term the dearest is the least
        taxed.
        """
        self._turn_long(sold)
        short, long = rates
        heads = heapq.merge(
            (self._taxed(rank, net_price, short) for rank in self._ranks[True]),
            (self._taxed(rank, net_price, long) for rank in self._ranks[False]),
        )
        for _, _, _, rank in heads:
            yield self._pieces[rank]

    def _taxed(
        self, rank: Rank, net_price: Price, rate: Weight
    ) -> tuple[Price, tuple[dt.date, int], Price, Rank]:
        unit, age, place = rank
        return (net_price + unit) * rate, age, place, rank

    def _turn_long(self, sold: dt.date) -> None:
        """Move what is long term on *sold* to the other list; sales come in order of time."""
        while self._aging and long_term_from(self._aging[0][0]) <= sold:
            since, _, piece = heapq.heappop(self._aging)
            known = self._short.get(piece)
            if known is None or piece.since != since or not known[1]:
                continue
            rank = known[0]
            ranks = self._ranks[True]
            del ranks[bisect_left(ranks, rank)]
            insort(self._ranks[False], rank)
            self._short[piece] = (rank, False)
