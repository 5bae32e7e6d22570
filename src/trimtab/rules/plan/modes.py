"""The either/or choices of each class, spelled out: which lots may go and what may be bought.

Of an identical group the household either sells at a loss or buys (26 USC 1091). A *mode* of a
class chooses one side for each of its groups; with a mode chosen, what is left is convex.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from trimtab.rules.plan.problem import Flags, Floats, Ints, Problem

MODES_MOST = 64
"""Of a class with more modes than this, only those are spelled out that change one group's side.

Buying one contested group is never dearer than buying several; recent lots need not go whole in
those modes, so that they bound the others from below.
"""


class Stance(NamedTuple):
    """What one group does: sells losses, or buys, or neither.

    `forces` says that its recent lots must go whole; `alone` that no loss goes but that of its only
    recent lot.
    """

    sells_losses: bool
    buys: bool
    forces: bool = False
    alone: bool = False


class Modes(NamedTuple):
    """All modes of all classes; rows stand class by class, mode by mode.

    Of each mode (M,): its class and the stance of every group of its class. Rows are lots that a
    mode may sell, and options that it may buy. `is_cut` (C,) where not all modes of a class stand.
    """

    of_class: Ints
    is_cut: Flags
    stances: tuple[dict[int, Stance], ...]
    lot: Ints
    lot_mode: Ints
    lot_is_forced: Flags
    buy: Ints
    buy_mode: Ints


class Index(NamedTuple):
    """Where each lot and option stands: account, symbol, group and class.

    `sellable` is what of each symbol may be sold, in dollars.
    """

    lot_account: Ints
    lot_symbol: Ints
    lot_group: Ints
    lot_class: Ints
    buy_account: Ints
    buy_symbol: Ints
    buy_group: Ints
    buy_class: Ints
    sellable: Floats


def index(problem: Problem) -> Index:
    """The account, symbol, group and class of every lot and option."""
    places, groups = problem.places, problem.groups
    lot_group = places.group[problem.lots.place]
    lot_symbol = places.symbol[problem.lots.place]
    buy_group = places.group[problem.options.place]
    return Index(
        lot_account=places.account[problem.lots.place],
        lot_symbol=lot_symbol,
        lot_group=lot_group,
        lot_class=groups.of_class[lot_group],
        buy_account=places.account[problem.options.place],
        buy_symbol=places.symbol[problem.options.place],
        buy_group=buy_group,
        buy_class=groups.of_class[buy_group],
        sellable=np.bincount(
            lot_symbol, problem.lots.value, minlength=int(places.symbol.max(initial=-1)) + 1
        ).astype(np.float64),
    )


def modes(problem: Problem, where: Index) -> Modes:
    """The modes of every class of *problem*."""
    shelf = _Shelf(problem, where)
    rows = _Rows(shelf)
    of_group = _members(problem.groups.of_class, len(problem.classes.goal))
    for number, groups in enumerate(of_group):
        several = [shelf.stances(group) for group in groups]
        combined, is_cut = _combined(several)
        rows.is_cut.append(is_cut)
        for chosen in combined:
            rows.add(number, dict(zip(groups, chosen, strict=True)), forces=not is_cut)
    return rows.done()


def _members(of: Ints, count: int) -> list[list[int]]:
    """The positions of each number 0 .. count - 1 in *of*, in their order."""
    members: list[list[int]] = [[] for _ in range(count)]
    for position, number in enumerate(of.tolist()):
        members[number].append(position)
    return members


def _combined(several: list[list[Stance]]) -> tuple[list[tuple[Stance, ...]], bool]:
    """The modes of a class, and whether they were cut."""
    if len(several) == 1:
        return [(stance,) for stance in several[0]], False
    count = 1
    for stances in several:
        count *= len(stances)
    if count <= MODES_MOST:
        return list(product(*several)), False
    first = tuple(stances[0] for stances in several)
    found = [first]
    for number, stances in enumerate(several):
        found += [(*first[:number], other, *first[number + 1 :]) for other in stances[1:]]
    return found, True


class _Shelf:
    """Lots and options by group, so that whatever a stance may trade is one slice of an array.

    Most groups need two slices, all lots and those without a loss; where recent lots or a broker's
    order come in, what a stance may sell is written out behind.
    """

    def __init__(self, problem: Problem, where: Index) -> None:
        lots, count = problem.lots, len(problem.groups.of_class)
        self.problem = problem
        order = np.lexsort((lots.is_loss, where.lot_group))
        self.parts = [order]
        self.forced = [np.zeros(len(order), dtype=np.bool_)]
        self.length = len(order)
        groups = where.lot_group
        self.losses = np.bincount(groups[lots.is_loss], minlength=count).tolist()
        twins = problem.groups.twin
        recent = np.bincount(twins[groups[lots.is_recent]], minlength=int(twins.max(initial=0)) + 1)
        self.recent = recent[twins].tolist()
        alone = np.zeros(int(twins.max(initial=0)) + 1, dtype=np.bool_)
        alone[twins[groups[lots.goes_alone]]] = True
        self.alone = alone[twins].tolist()
        is_ordered = problem.places.is_ordered[lots.place]
        self.ordered = np.bincount(groups[is_ordered], minlength=count).tolist()
        self.start = np.searchsorted(groups[order], np.arange(count + 1)).tolist()
        self.buys = np.argsort(where.buy_group, kind="stable")
        self.buy_start = np.searchsorted(where.buy_group[self.buys], np.arange(count + 1)).tolist()
        self._slices: dict[tuple[int, Stance], tuple[int, int]] = {}

    def stances(self, group: int) -> list[Stance]:
        """What the group can do; the first one sells whatever can be sold."""
        can_buy = self.buy_start[group] < self.buy_start[group + 1]
        has_recent = self.recent[group] > 0
        found: list[Stance] = []
        if self.losses[group] > 0:
            found.append(_SELLS_AND_FORCES if has_recent else _SELLS)
        if self.alone[group]:
            found.append(_ALONE)
        if can_buy:
            found.append(_BUYS)
        elif (has_recent and not self.alone[group]) or not found:
            found.append(_NEITHER)
        return found

    def sellable(self, group: int, stance: Stance) -> tuple[int, int]:
        """The slice of what *stance* may sell of the group."""
        start, stop = self.start[group], self.start[group + 1]
        is_all = stance.sells_losses or self.losses[group] == 0
        if not stance.forces and not stance.alone and not self.ordered[group]:
            return start, stop if is_all else stop - self.losses[group]
        known = self._slices.get((group, stance))
        if known is None:
            known = self._slices[group, stance] = self._written_out(group, stance)
        return known

    def purchases(self, group: int) -> tuple[int, int]:
        """The slice of the group's options."""
        return self.buy_start[group], self.buy_start[group + 1]

    def _written_out(self, group: int, stance: Stance) -> tuple[int, int]:
        lots = np.sort(self.parts[0][self.start[group] : self.start[group + 1]])
        losses = self.problem.lots.is_loss[lots]
        may = np.full(len(lots), fill_value=True) if stance.sells_losses else ~losses
        if stance.alone:
            may |= self.problem.lots.goes_alone[lots]
        forced = self.problem.lots.is_recent[lots] & stance.forces
        places = self.problem.lots.place[lots]
        for place in np.unique(places[self.problem.places.is_ordered[places]]):
            here = np.flatnonzero(places == place)
            may[here] = np.logical_and.accumulate(may[here])
            forced[here] = np.logical_or.accumulate(forced[here][::-1])[::-1]
        start, self.length = self.length, self.length + int(may.sum())
        self.parts.append(lots[may])
        self.forced.append(forced[may])
        return start, self.length


_SELLS = Stance(sells_losses=True, buys=False)
_SELLS_AND_FORCES = Stance(sells_losses=True, buys=False, forces=True)
_ALONE = Stance(sells_losses=False, buys=False, alone=True)
_BUYS = Stance(sells_losses=False, buys=True)
_NEITHER = Stance(sells_losses=False, buys=False)


class _Rows:
    """Collects the slices of all modes and spells them out at the end."""

    def __init__(self, shelf: _Shelf) -> None:
        self.shelf = shelf
        self.of_class: list[int] = []
        self.is_cut: list[bool] = []
        self.stances: list[dict[int, Stance]] = []
        self.sales: list[tuple[int, int, int]] = []
        self.purchases: list[tuple[int, int, int]] = []

    def add(self, of_class: int, chosen: dict[int, Stance], *, forces: bool) -> None:
        """Take in one mode of a class; unless it *forces*, recent lots may stay."""
        mode = len(self.of_class)
        self.of_class.append(of_class)
        self.stances.append(chosen)
        for group, stance in chosen.items():
            free = stance if forces else stance._replace(forces=False)
            self.sales.append((mode, *self.shelf.sellable(group, free)))
            if stance.buys:
                self.purchases.append((mode, *self.shelf.purchases(group)))

    def done(self) -> Modes:
        """All rows, mode by mode."""
        at, lot_mode = _spelled_out(self.sales)
        lots = np.concatenate(self.shelf.parts)[at]
        forced = np.concatenate(self.shelf.forced)[at]
        bought, buy_mode = _spelled_out(self.purchases)
        return Modes(
            of_class=np.asarray(self.of_class, dtype=np.int64),
            is_cut=np.asarray(self.is_cut, dtype=np.bool_),
            stances=tuple(self.stances),
            lot=lots,
            lot_mode=lot_mode,
            lot_is_forced=forced,
            buy=self.shelf.buys[bought],
            buy_mode=buy_mode,
        )


def _spelled_out(slices: list[tuple[int, int, int]]) -> tuple[Ints, Ints]:
    """Positions and modes, one row for each position in the slices (mode, start, stop)."""
    table = np.asarray(slices, dtype=np.int64).reshape(-1, 3)
    sizes = table[:, 2] - table[:, 1]
    ends = np.cumsum(sizes)
    slice_of = np.repeat(np.arange(len(table)), sizes)
    total = int(ends[-1]) if len(ends) else 0
    within = np.arange(total) - np.repeat(ends - sizes, sizes)
    return table[slice_of, 1] + within, table[slice_of, 0]
