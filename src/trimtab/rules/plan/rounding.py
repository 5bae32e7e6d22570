"""Whole steps that cost nearly as little as the amounts they come from.

Counts of steps are improved one move at a time: a step more or less of one order, and with it as
many steps of another order of the same account as its cash or its class can take. Each move makes
the plan's own objective less, and none makes an account short, so it ends; the number of moves is
bounded besides. Ties go to what stands first, so that the same plan comes out everywhere.
"""

import numpy as np

from trimtab.rules.plan.moves import changes
from trimtab.rules.plan.problem import Ints
from trimtab.rules.plan.table import WORTH, Move, Table

_LOOKS_MOST = 48
"""More often than this no account is looked at for moves."""
_ROWS, _COLUMNS = 24, 32
"""So many orders of an account are moved by a step, each with so many others."""
_TRIES = 24
_NEAR = 5e-7
"""A two-hundredth of a basis point of the value is not worth a look."""


def improve(table: Table, best: float) -> None:
    """Make every move that pays, until the orders cost next to *best*."""
    spare = table.objective() - best - _NEAR * table.problem.value
    if spare <= 0 or not table.orders:
        return
    table.prepare(spare)
    for _ in range(2):
        moved = [_improve(table, account) for account in sorted(table.free)]
        if not any(moved):
            break


def _improve(table: Table, account: int) -> bool:
    """Make every move of *account* that pays; whether there was one."""
    mine = np.flatnonzero(table.account == account)
    if not len(mine):
        return False
    has_moved = False
    for _ in range(_LOOKS_MOST):
        if table.spare <= 0:
            break
        # Moves of one order are found much sooner than those of two.
        if not _look(table, mine[:0], mine):
            near = _promising(table, mine, _COLUMNS)
            if not _look(table, _promising(table, mine, _ROWS), near):
                break
        has_moved = True
    return has_moved


def _promising(table: Table, mine: Ints, most: int) -> Ints:
    """The orders with which most can be mended in their classes."""
    if len(mine) <= most:
        return mine
    classes = table.problem.classes
    off = np.maximum(0.0, np.abs(table.held - classes.goal) - classes.tolerance)
    of_class, worth = table.of_class[mine], np.abs(table.worth[mine])
    after = np.abs(off[of_class] - np.maximum(1.0, np.rint(off[of_class] / worth)) * worth)
    could = np.round(classes.weight[of_class] * (off[of_class] - after), 7)
    return np.sort(mine[np.argsort(-could, kind="stable")[:most]])


def _look(table: Table, rows: Ints, columns: Ints) -> bool:
    """Make the best moves of a step of one of *rows* with *columns*; whether any paid."""
    first, steps = _single(table, rows)
    change, more = changes(table, first, steps, columns)
    flat = change.ravel()
    if flat.size > _TRIES:
        # By value and not by position, so that ties are cut alike on every machine.
        worst = min(-WORTH, float(np.partition(flat, _TRIES - 1)[_TRIES - 1]))
        best = np.flatnonzero(flat <= worst)
    else:
        best = np.flatnonzero(flat <= -WORTH)
    has_moved = False
    for place in best[np.argsort(flat[best], kind="stable")][:_TRIES].tolist():
        _, row, column = np.unravel_index(place, change.shape)
        move = Move(int(first[row]), int(steps[row]), int(columns[column]), int(more.flat[place]))
        if table.make(move, float(flat[place]) / 2 if has_moved else 0.0):
            has_moved = True
            if table.spare <= 0:
                break
    return has_moved


def _single(table: Table, rows: Ints) -> tuple[Ints, Ints]:
    """No change, and the least changes of *rows*: one step, or as many as are allowed."""
    count, least = table.count[rows], table.least[rows]
    whole, low, most = table.whole[rows], table.low[rows], table.most[rows]
    firsts = [np.zeros(1, dtype=np.int64)]
    steps = [np.zeros(1, dtype=np.int64)]
    for by, instead in ((-1, np.zeros_like(least)), (1, least)):
        to = count + by
        is_small = (to > 0) & (to < least) & (to != whole)
        to = np.where(is_small, instead, to)
        may = (to >= low) & (to <= most)
        firsts.append(rows[may])
        steps.append((to - count)[may])
    return np.concatenate(firsts), np.concatenate(steps)
