"""What every move of an account would change, all of them at once.

A move is the least change of one order, and with it as many steps of another order of the same
account as its cash or its class can take.
"""

import numpy as np

from trimtab.rules.plan.problem import Floats, Ints, floats, ints
from trimtab.rules.plan.table import Table, beyond

_DUST = 1e-9


def changes(table: Table, first: Ints, steps: Ints, columns: Ints) -> tuple[Floats, Floats]:
    """What each move would change with each further order (V, R, C), and the steps of that."""
    classes, problem = table.problem.classes, table.problem
    rates = _rates(table)
    worth = (table.worth[first] * steps)[:, None]
    spent, cash = (table.unit[first] * steps)[:, None], (table.cash[first] * steps)[:, None]
    of_row = table.of_class[first][:, None]
    taxed = np.where(steps > 0, table.next[first] @ rates, table.last[first] @ rates)
    alone = ((table.cost[first] + taxed) * steps)[:, None]
    of_column = table.of_class[columns]
    is_same = (of_row == of_column) & (steps != 0)[:, None]
    beside = np.where(is_same, worth, 0.0)
    free = float(table.free[int(table.account[columns[0]])])
    room = free + spent
    more = _more(table, columns, room, beside, cash, _top(table, first, steps, columns))
    left = room + more * table.unit[columns]
    weight, goal, tolerance = classes.weight, classes.goal, classes.tolerance
    off = table.held - goal
    now = weight * np.maximum(0.0, np.abs(off) - tolerance)
    changed = beside + more * table.worth[columns]
    change = (
        weight[of_column] * np.maximum(0.0, np.abs(off[of_column] + changed) - tolerance[of_column])
        - now[of_column]
    )
    row_off = np.abs(off[of_row] + worth) - tolerance[of_row]
    mine = weight[of_row] * np.maximum(0.0, row_off) - now[of_row]
    change += np.where(is_same, 0.0, mine) + alone
    up, down = table.next[columns] @ rates, table.last[columns] @ rates
    change += more * table.cost[columns] + np.where(more > 0, more * up, more * down)
    in_cash, account = problem.in_cash, int(table.account[columns[0]])
    if problem.in_total[account]:
        away, at_first = table.away(), float(table.left[account])
        moved = np.maximum(0.0, at_first + cash + more * table.cash[columns])
        moved -= max(0.0, at_first)
        tolerance_cash = float(in_cash.tolerance[0])
        off_cash = np.maximum(0.0, np.abs(away + moved) - tolerance_cash)
        change += float(in_cash.weight[0]) * (off_cash - beyond(away, tolerance_cash))
    if table.opening.any():
        change += _opened(table, columns, more) + _opened(table, first, steps)[:, None]
    is_itself = (first[:, None] == columns) & (steps != 0)[:, None] & (more != 0)
    fails = is_itself | (left < min(0.0, free) - _DUST)
    return np.where(fails, np.inf, np.round(change, 7)), more


def _opened(table: Table, rows: Ints, steps: Floats | Ints) -> Floats:
    """What *steps* more cost by making orders where there were none, or ending some."""
    count = table.count[rows]
    opened: Floats = table.opening[rows] * (
        ((count + steps) > 0).astype(float) - (count > 0).astype(float)
    )
    return opened


def _top(table: Table, first: Ints, steps: Ints, columns: Ints) -> Floats:
    """How many steps more the limits let of each of *columns* with each move (R, C)."""
    top = np.broadcast_to(
        (table.most[columns] - table.count[columns]).astype(float), (len(first), len(columns))
    )
    worth = np.abs(table.worth[columns])
    left = table.turnover_left()
    if left < np.inf:
        added = np.where(first < table.sales, np.abs(table.worth[first]) * steps, 0.0)[:, None]
        by_turnover = np.floor(np.maximum(0.0, left - added) / worth + _DUST)
        top = np.where(columns < table.sales, np.minimum(top, by_turnover), top)
    if table.is_limited[columns].any():
        symbol = ints([table.orders[one].symbol for one in columns])
        room = floats([table.limited.get(one, np.inf) for one in symbol.tolist()])
        moved = np.where(steps != 0, table.worth[first] * steps, 0.0)[:, None]
        of_first = ints([table.orders[one].symbol for one in first])[:, None]
        room = np.maximum(0.0, room - np.where(of_first == symbol, moved, 0.0))
        by_limit = np.minimum(top, np.floor(room / worth + _DUST))
        top = np.where(columns < table.sales, top, by_limit)
    return top


def _more(
    table: Table, columns: Ints, room: Floats, beside: Floats, cash: Floats, top: Floats
) -> Floats:
    """How many steps of each of *columns* go with each move: several answers (V, R, C)."""
    classes = table.problem.classes
    of_column, count = table.of_class[columns], table.count[columns]
    worth, unit = table.worth[columns], table.unit[columns]
    gap = (classes.goal - table.held)[of_column] - beside
    tolerance = classes.tolerance[of_column]
    most = np.floor(room / np.maximum(np.abs(unit), _DUST) + _DUST)
    is_sale = worth < 0
    limit = np.where(is_sale, -most, most)
    per_step = np.where(table.cash[columns] == 0, np.inf, table.cash[columns])
    idle = (-table.away() - cash) / per_step
    one = np.ones_like(limit)
    several = [0 * one, limit, one, -one, np.rint(gap / worth)]
    several.append(np.rint(np.broadcast_to(idle, limit.shape)))
    if tolerance.any():
        several += [np.rint((gap - tolerance) / worth), np.rint((gap + tolerance) / worth)]
    wanted = np.stack(several)
    more = np.where(is_sale, np.maximum(wanted, limit), np.minimum(wanted, limit))
    more[0] = 0.0
    more = np.clip(more, np.minimum(table.low[columns] - count, top), top)
    after = count + more
    is_small = (after > 0) & (after < table.least[columns]) & (after != table.whole[columns])
    allowed = np.where(more < 0, 0, table.least[columns])
    is_stuck = (allowed < table.low[columns]) | (allowed - count > top)
    snapped = np.where(is_stuck, 0, allowed - count)
    return np.where(is_small & (more != 0), snapped, more)


def _rates(table: Table) -> Floats:
    """The tax of one more dollar of short gain, of long gain, and of tax ittable."""
    best: tuple[float, int, Floats] | None = None
    for number, planes in enumerate(table.problem.year.branches):
        heights = planes[:, 0] + planes[:, 1:] @ table.realized[:2]
        top = int(np.argmax(heights))
        if best is None or (float(heights[top]), number) < best[:2]:
            best = (float(heights[top]), number, planes[top])
    assert best is not None, "a year's tax has a branch"
    return floats([float(best[2][1]), float(best[2][2]), 1.0])
