"""How much of a problem is left open for HiGHS, stage by stage.

First every class keeps the mode that most of the mixture of answers has; then what the mixture
mixes is open; then all that could still be better; and at last everything.
"""

from collections.abc import Sequence

import numpy as np

from trimtab.rules.plan.core import Opening
from trimtab.rules.plan.dual import Priced
from trimtab.rules.plan.kernel import Answer, Kernel
from trimtab.rules.plan.problem import Flags, Floats, Ints, Problem

LAST = 3
"""The stage at which everything is open."""
SLIVER = 1e-7
"""Fewer dollars than this are not traded."""
_FIRST_LOTS = 50
_MORE_LOTS = 1000
_BESIDE = 2
_NODES_FEW = 40


def opening(kernel: Kernel, priced: Priced, stage: int, gap: float) -> Opening:
    """What stays open at a *stage*: the edge of the best prices first, everything at last."""
    problem, where = kernel.problem, kernel.where
    if stage == LAST:
        return Opening(
            lots=np.ones(len(problem.lots.value), dtype=np.bool_),
            options=np.ones(len(problem.options.cost), dtype=np.bool_),
            modes=np.ones(kernel.count, dtype=np.bool_),
            sold=priced.answer.sold,
            bought=priced.answer.bought,
            is_whole=True,
        )
    base, modes = _base(kernel, priced)
    if stage > 0:
        for one in priced.used:
            modes[one.mode] = True
    if stage > 1:
        modes |= priced.answer.excess <= gap
    classes = len(problem.classes.goal)
    differs = _differing(priced.used, base)
    is_open = _open_classes(kernel, base, differs)
    if stage > 1:
        is_open[:] = True
    is_open |= np.bincount(kernel.modes.of_class, modes, minlength=classes) > 1
    shared = _sharing(kernel)
    is_open |= shared
    modes |= shared[kernel.modes.of_class]
    lots = _open_lots(kernel, base, differs[0], is_open, stage)
    options = is_open[where.buy_class]
    if problem.order_cost > 0:
        sells, buys = _traded(kernel, (base, *priced.used))
        lots &= sells[problem.lots.place]
        options &= buys
    return Opening(
        lots=lots,
        options=options,
        modes=modes,
        sold=base.sold,
        bought=base.bought,
        is_quick=stage == 0,
        nodes=_NODES_FEW,
    )


def _traded(kernel: Kernel, answers: Sequence[Answer]) -> tuple[Flags, Flags]:
    """Places that are sold, and options that are bought, by any of the *answers*.

    Where an order costs money, nothing else begins to trade.
    """
    problem = kernel.problem
    sells = np.zeros(len(problem.places.account), dtype=np.bool_)
    buys = np.zeros(len(problem.options.cost), dtype=np.bool_)
    for one in answers:
        sells[problem.lots.place[one.sold > SLIVER]] = True
        buys |= one.bought > SLIVER
    return sells, buys


def _base(kernel: Kernel, priced: Priced) -> tuple[Answer, Flags]:
    """Of each class the answer that is most of the mixture, and its mode."""
    where = kernel.where
    chosen = np.argmax(priced.share, axis=0)
    sold, bought = np.zeros(len(where.lot_class)), np.zeros(len(where.buy_class))
    mode = np.zeros(len(chosen), dtype=np.int64)
    for number, one in enumerate(priced.used):
        is_chosen = chosen == number
        mode = np.where(is_chosen, one.mode, mode)
        sold = np.where(is_chosen[where.lot_class], one.sold, sold)
        bought = np.where(is_chosen[where.buy_class], one.bought, bought)
    modes = np.zeros(kernel.count, dtype=np.bool_)
    modes[mode] = True
    return priced.answer._replace(sold=sold, bought=bought, mode=mode), modes


def _differing(answers: Sequence[Answer], base: Answer) -> tuple[Flags, Flags]:
    """Lots and options on which *answers* disagree with *base*."""
    lots = np.zeros(len(base.sold), dtype=np.bool_)
    options = np.zeros(len(base.bought), dtype=np.bool_)
    for one in answers:
        lots |= np.abs(one.sold - base.sold) > SLIVER
        options |= np.abs(one.bought - base.bought) > SLIVER
    return lots, options


def _open_classes(kernel: Kernel, answer: Answer, differs: tuple[Flags, Flags]) -> Flags:
    """Classes on which the answers disagree, or whose trades break a rule that prices do not see.

    Where cash is short or idle, the classes next to the edge are open too, so that it can go.
    """
    problem, where = kernel.problem, kernel.where
    is_open = np.zeros(len(problem.classes.goal), dtype=np.bool_)
    is_open[where.lot_class[differs[0]]] = True
    is_open[where.buy_class[differs[1]]] = True
    is_open[where.lot_class[small_sales(problem, answer.sold)[problem.lots.place]]] = True
    options = problem.options
    small = (answer.bought > 0) & (answer.bought < options.least - SLIVER)
    count = len(where.sellable)
    net = np.bincount(where.buy_symbol, answer.bought, minlength=count) - np.bincount(
        where.lot_symbol, answer.sold, minlength=count
    )
    over = (answer.bought > 0) & (net[where.buy_symbol] > options.most)
    is_open[where.buy_class[small | over]] = True
    if problem.order_cost > 0:
        is_open[where.lot_class[answer.sold > 0]] = True
        is_open[where.buy_class[answer.bought > 0]] = True
    return is_open


def _open_lots(kernel: Kernel, base: Answer, differs: Flags, is_open: Flags, stage: int) -> Flags:
    """Lots of open classes that the answers disagree on or that are near the edge.

    Where a broker books in order, the window around the place at which its sale stops.
    """
    problem, where = kernel.problem, kernel.where
    place, value = problem.lots.place, problem.lots.value
    limit = _MORE_LOTS if stage > 1 else _FIRST_LOTS
    among = is_open[where.lot_class]
    ordered = problem.places.is_ordered[place]
    free = among & ~ordered
    lots = (free & (differs | problem.lots.is_recent)) | _nearest(base.distance, free, limit)
    lots |= free & small_sales(problem, base.sold)[place]
    if not (among & ordered).any():
        return lots
    lots |= among & ordered & _to_the_least(problem, base.sold)
    stops = _stops(place, base.sold, value)
    if stage == 0:
        return lots | (among & ordered & stops)
    many = limit > _FIRST_LOTS
    edge = among & ordered & (differs | stops | problem.lots.is_recent)
    for shift in range(1, 1 + (_BESIDE * 10 if many else _BESIDE)):
        before, after = np.zeros_like(edge), np.zeros_like(edge)
        before[:-shift] = edge[shift:] & (place[:-shift] == place[shift:])
        after[shift:] = edge[:-shift] & (place[:-shift] == place[shift:])
        lots |= before | after
    return _filled(lots | edge, place, ordered & among)


def _stops(place: Ints, sold: Floats, value: Floats) -> Flags:
    """The first lot of each place that is not sold whole."""
    kept = sold < value - SLIVER
    first = np.zeros(len(place), dtype=np.bool_)
    rows = np.flatnonzero(kept)
    _, at = np.unique(place[rows], return_index=True)
    first[rows[at]] = True
    return first


def _filled(lots: Flags, place: Ints, ordered: Flags) -> Flags:
    """*lots* without holes: in an ordered place all between the first and the last open one."""
    filled = lots.copy()
    rows = np.flatnonzero(lots & ordered)
    if len(rows) == 0:
        return filled
    _, first = np.unique(place[rows], return_index=True)
    last = np.append(first[1:], len(rows)) - 1
    for start, stop in zip(rows[first].tolist(), rows[last].tolist(), strict=True):
        filled[start : stop + 1] = True
    return filled


def small_sales(problem: Problem, sold: Floats) -> Flags:
    """The places (P,) where less is sold than may be."""
    places = problem.lots.place
    count = len(problem.places.account)
    held = np.bincount(places, problem.lots.value, minlength=count)
    taken = np.bincount(places, sold, minlength=count)
    small: Flags = (taken > 0) & (taken < problem.places.sell_least - SLIVER)
    return small & ~(problem.places.is_all & (taken >= held - SLIVER))


def _to_the_least(problem: Problem, sold: Floats) -> Flags:
    """The lots of each place with a sale that is too small, as far as the least one reaches."""
    lots = problem.lots
    place = lots.place
    before = np.cumsum(lots.value) - lots.value
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    before -= np.repeat(before[starts], np.diff(starts, append=len(before)))
    reached: Flags = before < problem.places.sell_least[place]
    return reached & small_sales(problem, sold)[place]


def _sharing(kernel: Kernel) -> Flags:
    """Classes with a group that another class has too, or with more modes than are spelled out."""
    groups = kernel.problem.groups
    is_shared = np.bincount(groups.twin, minlength=len(groups.twin) + 1)[groups.twin] > 1
    found = kernel.modes.is_cut.copy()
    if not is_shared.any():
        return found
    found[groups.of_class[is_shared]] = True
    several = np.bincount(kernel.modes.of_class, minlength=len(found)) > 1
    return found & several


def _nearest(distance: Floats, among: Flags, limit: int) -> Flags:
    """The *limit* lots *among* these that are closest to the edge."""
    candidates: Ints = np.flatnonzero(among)
    if len(candidates) <= limit:
        return among.copy()
    order = np.argsort(distance[candidates], kind="stable")[:limit]
    nearest = np.zeros(len(distance), dtype=np.bool_)
    nearest[candidates[order]] = True
    return nearest
