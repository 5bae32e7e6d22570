"""The solver against every set of bounds tried one by one, and against random weights."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.rules.targets.active_set import descend, nothing_held, pivot
from trimtab.rules.targets.feasible import Called, independent, within
from trimtab.rules.targets.quadratic import (
    EXACT,
    Group,
    Limits,
    _convex,
    minimize,
    violation,
)

KINDS = ("definite", "short", "twins", "short twins", "mixes", "whole numbers")


def question(seed, kind, most=7):
    """A covariance of the kind, a gain that may be nothing, and limits that may contradict."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, most + 1))
    periods = max(2, count // 3) if "short" in kind else 2 * count + 3
    past = rng.normal(size=(periods, count)) * np.exp(0.8 * rng.normal(size=count))
    past += rng.normal(size=(periods, 1))
    if "twins" in kind:
        for _ in range(max(1, count // 3)):
            one, other = rng.integers(0, count, 2)
            past[:, one] = past[:, other]
    if kind == "mixes" and count > 3:  # all but three are mixes of these, so many are equally good
        shares = rng.integers(-2, 4, size=(3, count - 3))
        shares[0] += 1 - shares.sum(axis=0)
        past[:, 3:] = past[:, :3] @ shares
    past -= past.mean(axis=0)
    linear = rng.normal(size=count) * rng.choice([0.0, 0.0, 0.1, 1.0, 100.0])
    lower = rng.choice([0.0, -0.3]) * rng.random(count)
    upper = lower + rng.random(count) * rng.choice([2.0, 4.0, 8.0]) / count
    if kind == "whole numbers":  # ties and vertices in plenty
        past = rng.integers(-2, 3, size=(max(1, count - 1), count)).astype(float)
        linear = rng.integers(-2, 3, size=count).astype(float)
        lower = rng.integers(-2, 1, size=count) / 4
        upper = lower + rng.integers(0, 5, size=count) / 4
    groups = []
    for number in range(int(rng.integers(0, 4))):
        members = tuple(np.flatnonzero(rng.random(count) < 0.5).tolist())
        low, high = rng.choice([-math.inf, 0.0, 0.25]), rng.choice([math.inf, 0.25, 0.5, 0.75])
        groups.append(Group(f"g{number}", members, float(low), float(high)))
    return past.T @ past / len(past), Limits(lower, upper, tuple(groups)), linear


def answered(covariance, limits, linear=None):
    try:
        return minimize(covariance, limits, linear)
    except InputError:
        return None


questions = st.builds(question, st.integers(0, 2**32 - 1), st.sampled_from(KINDS))


@settings(max_examples=300, deadline=None)
@given(questions)
def test_an_answer_meets_the_conditions_of_karush_kuhn_and_tucker(asked):
    covariance, limits, linear = asked
    answer = answered(covariance, limits, linear)
    if answer is None:
        return
    w, size = answer.weights, max(covariance.diagonal().mean(), np.abs(linear).max(), 1e-300)
    slope = covariance @ w - linear - answer.price_total - answer.price_lower + answer.price_upper
    for number, group in enumerate(limits.groups):
        members = list(group.members)
        slope[members] -= answer.price_low[number] - answer.price_high[number]
        added = w[members].sum()
        assert group.low - EXACT <= added <= group.high + EXACT
        assert answer.price_low[number] == 0 or abs(added - group.low) <= EXACT
        assert answer.price_high[number] == 0 or abs(added - group.high) <= EXACT
    assert np.abs(slope).max() <= EXACT * size
    assert abs(w.sum() - 1.0) <= EXACT
    assert (w >= limits.lower - EXACT).all()
    assert (w <= limits.upper + EXACT).all()
    prices = (answer.price_lower, answer.price_upper, answer.price_low, answer.price_high)
    assert all((price >= 0).all() for price in prices)
    assert np.abs((w - limits.lower) * answer.price_lower).max() <= EXACT * size
    assert np.abs((limits.upper - w) * answer.price_upper).max() <= EXACT * size
    assert answer.missed <= EXACT
    assert violation(covariance, limits, answer, linear) == answer.missed


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_an_answer_is_the_best_of_all_sets_of_bounds(seed):
    covariance, limits, linear = question(seed, "definite", most=5)
    limits = limits._replace(groups=limits.groups[:1])
    answer = answered(covariance, limits, linear)
    best = by_trying(covariance, limits, linear)
    if answer is None:
        assert best is None
        return
    size = max(covariance.diagonal().mean(), np.abs(linear).max())
    assert answer.objective == pytest.approx(best[0], abs=1e-9 * size)
    assert np.abs(answer.weights - best[1]).max() <= 1e-6


def by_trying(covariance, limits, linear):
    """The least over every choice of bounds that hold, each solved by itself."""
    count = len(covariance)
    rows: list[tuple[np.ndarray, tuple[float | None, ...]]] = [(np.ones(count), (1.0,))]
    for group in limits.groups:
        row = np.zeros(count)
        row[list(group.members)] = 1.0
        rows.append((row, (None, group.low, group.high)))
    best = None
    sides = [(None, limits.lower[place], limits.upper[place]) for place in range(count)]
    for choice in itertools.product(*sides, *(goals for _, goals in rows)):
        held = [
            (np.eye(count)[place], goal)
            for place, goal in enumerate(choice[:count])
            if goal is not None
        ]
        held += [
            (row, goal)
            for (row, _), goal in zip(rows, choice[count:], strict=True)
            if goal is not None and math.isfinite(goal)
        ]
        matrix = np.array([row for row, _ in held])
        system = np.block([[covariance, matrix.T], [matrix, np.zeros((len(held),) * 2)]])
        right = np.concatenate((linear, [goal for _, goal in held]))
        w = np.linalg.lstsq(system, right)[0][:count]
        if not keeps(w, limits, 1e-9) or np.abs(matrix @ w - right[count:]).max() > 1e-9:
            continue
        value = w @ covariance @ w / 2 - linear @ w
        if best is None or value < best[0]:
            best = value, w
    return best


def keeps(w, limits, slack):
    sums = [w[list(group.members)].sum() for group in limits.groups]
    return (
        abs(w.sum() - limits.total) <= slack
        and bool((w >= limits.lower - slack).all() and (w <= limits.upper + slack).all())
        and all(
            group.low - slack <= added <= group.high + slack
            for group, added in zip(limits.groups, sums, strict=True)
        )
    )


@pytest.mark.parametrize("count", [2, 10, 50, 200])
def test_no_random_weights_within_the_bounds_are_better(count):
    rng = np.random.default_rng(count)
    past = rng.normal(size=(3 * count, count)) * np.exp(0.5 * rng.normal(size=count))
    covariance = np.cov(past + 0.7 * rng.normal(size=(len(past), 1)), rowvar=False)
    halves = tuple(range(count // 2)), tuple(range(0, count, 2))
    groups = (Group("first", halves[0], 0.3, 0.7), Group("even", halves[1], high=0.6))
    limits = Limits(np.zeros(count), np.full(count, min(0.8, 5 / count)), groups)
    answer = minimize(covariance, limits)
    even = np.full(count, 1 / count)
    ways = rng.normal(size=(10_000, count)) * rng.choice([0.01, 1.0, 5.0], size=(10_000, count))
    ways -= ways.mean(axis=1, keepdims=True)
    edges = [(ways, -even, limits.upper - even)]
    edges += [
        (
            ways[:, list(group.members)].sum(axis=1, keepdims=True),
            group.low - even[list(group.members)].sum(),
            group.high - even[list(group.members)].sum(),
        )
        for group in groups
    ]
    far = np.full(len(ways), np.inf)
    for way, low, high in edges:
        room = np.where(way > 0, high / way, low / np.where(way == 0, -1e-300, way))
        far = np.minimum(far, room.min(axis=1))
    drawn = even + ways * (far * rng.choice([1.0, 1.0, 0.5], size=len(ways)))[:, np.newaxis]
    assert all(keeps(one, limits, 1e-9) for one in drawn[:200])
    variances = np.einsum("ij,jk,ik->i", drawn, covariance, drawn)
    assert 2 * answer.objective <= variances.min() + 1e-12
    assert answer.missed <= EXACT


@settings(max_examples=150, deadline=None)
@given(questions, st.randoms(use_true_random=False))
def test_the_order_of_the_assets_changes_nothing(asked, shuffle):
    covariance, limits, linear = asked
    answer = answered(covariance, limits, linear)
    order = list(range(len(covariance)))
    shuffle.shuffle(order)
    turned = limits._replace(
        lower=limits.lower[order],
        upper=limits.upper[order],
        groups=tuple(
            group._replace(members=tuple(order.index(member) for member in group.members))
            for group in limits.groups
        ),
    )
    other = answered(covariance[np.ix_(order, order)], turned, linear[order])
    assert (answer is None) == (other is None)
    if answer is not None:
        assert np.abs(other.weights - answer.weights[order]).max() <= 1e-8


@settings(max_examples=100, deadline=None)
@given(questions, st.sampled_from([1e-8, 1e-3, 252.0, 1e6]))
def test_the_unit_of_returns_changes_nothing(asked, factor):
    covariance, limits, linear = asked
    answer = answered(covariance, limits, linear)
    scaled = answered(factor * covariance, limits, factor * linear)
    assert (answer is None) == (scaled is None)
    if answer is not None:
        assert np.abs(scaled.weights - answer.weights).max() <= 1e-8


@settings(max_examples=100, deadline=None)
@given(questions, st.integers(0, 1000))
def test_a_former_answer_as_a_start_changes_nothing(asked, seed):
    covariance, limits, linear = asked
    answer = answered(covariance, limits, linear)
    if answer is None:
        return
    former = answered(covariance, limits, linear + np.random.default_rng(seed).normal())
    warm = minimize(covariance, limits, linear, start=former)
    assert np.abs(warm.weights - answer.weights).max() <= 1e-8


def test_a_start_from_other_limits_changes_nothing():
    matrix = np.array([[0.04, 0.016], [0.016, 0.01]])
    for former in (minimize(matrix, Limits()), minimize(np.eye(3), Limits())):
        found = minimize(matrix, Limits(lower=-math.inf), start=former)
        assert found.weights.tolist() == pytest.approx([-1 / 3, 4 / 3])


def test_the_same_question_has_the_same_answer_to_the_last_bit():
    covariance, _, linear = question(11, "short twins", most=40)
    first, second = (minimize(covariance, Limits(upper=0.2), linear) for _ in range(2))
    assert first.weights.tobytes() == second.weights.tobytes()


@settings(max_examples=100, deadline=None)
@given(questions)
def test_moving_one_bound_at_a_time_ends_where_pivoting_ends(asked):
    covariance, limits, linear = asked
    covariance = covariance + 0.1 * np.eye(len(covariance))
    answer = answered(covariance, limits, linear)
    if answer is None:
        return
    convex = independent(_convex(covariance, limits, linear)[0])
    names = Called([""] * len(covariance), [""] * len(limits.groups))
    point = descend(convex, within(convex, names, None))
    assert np.abs(point.x - answer.weights).max() <= 1e-8
    pivoted, is_least = pivot(convex, nothing_held(convex))
    if pivoted is not None and is_least:
        assert np.abs(pivoted.x - answer.weights).max() <= 1e-8


# ------------------------------------------------------------------ equally good weights


def test_identical_assets_get_equal_weights():
    covariance = np.array([[0.04, 0.04, 0.01], [0.04, 0.04, 0.01], [0.01, 0.01, 0.03]])
    weights = minimize(covariance, Limits()).weights
    assert weights.tolist() == pytest.approx([0.2, 0.2, 0.6], abs=1e-12)


def test_a_cap_on_one_of_identical_assets_leaves_the_rest_to_the_others_equally():
    capped = Limits(upper=np.array([0.1, 1.0, 1.0]))
    weights = minimize(np.full((3, 3), 0.04), capped).weights
    assert weights.tolist() == pytest.approx([0.1, 0.45, 0.45], abs=1e-12)


def test_a_floor_under_one_of_identical_assets_leaves_the_rest_to_the_others_equally():
    raised = Limits(lower=np.array([0.5, 0.0, 0.0]))
    weights = minimize(np.full((3, 3), 0.04), raised).weights
    assert weights.tolist() == pytest.approx([0.5, 0.25, 0.25], abs=1e-12)


def test_without_any_risk_the_weights_are_equal():
    assert minimize(np.zeros((4, 4)), Limits()).weights.tolist() == pytest.approx([0.25] * 4)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["short twins", "mixes"]))
@example(462, "mixes")
@example(594, "mixes")
def test_of_equally_good_weights_the_ones_of_least_norm_are_taken(seed, kind):
    covariance, _, linear = question(seed, kind)
    limits = Limits(0.0, np.full(len(covariance), 1.0))
    answer = answered(covariance, limits, 0 * linear)
    if answer is None:
        return
    values, vectors = np.linalg.eigh(covariance)
    none = vectors[:, values < 1e-12 * values[-1]]
    rng = np.random.default_rng(seed)
    ways = none @ rng.normal(size=(none.shape[1], 200))
    for way in ways.T:
        even = way - way.sum() * (none @ none.sum(axis=0)) / max(
            (none.sum(axis=0) ** 2).sum(), 1e-9
        )
        for step in (1e-2, 1e-4):
            moved = answer.weights + step * even
            if keeps(moved, limits, 1e-13):
                assert moved @ moved >= answer.weights @ answer.weights - 1e-9


@pytest.mark.parametrize("periods", [60, 250])
def test_two_of_each_of_many_assets_are_held_alike(periods):
    rng = np.random.default_rng(periods)
    past = np.repeat(rng.normal(size=(periods, 60)) + rng.normal(size=(periods, 1)), 2, axis=1)
    answer = minimize(np.cov(past, rowvar=False), Limits(upper=0.03))
    assert answer.missed <= EXACT
    assert np.abs(answer.weights[::2] - answer.weights[1::2]).max() <= 1e-12


# ------------------------------------------------------------------ bounds of every kind


def test_caps_that_leave_one_answer_are_kept_exactly():
    caps = np.array([0.7, 0.2, 0.1])  # 0.9999999999999999 in binary
    weights = minimize(np.diag([3.0, 2.0, 1.0]), Limits(upper=caps)).weights
    assert weights.tolist() == pytest.approx(caps.tolist(), abs=1e-15)


def test_a_fixed_weight_stays_and_the_others_are_at_their_best():
    fixed = Limits(lower=np.array([0.5, 0.0, 0.0]), upper=np.array([0.5, 1.0, 1.0]))
    weights = minimize(np.diag([1.0, 1.0, 4.0]), fixed).weights
    assert weights.tolist() == pytest.approx([0.5, 0.4, 0.1], abs=1e-15)


def test_one_asset_takes_everything():
    assert minimize(np.array([[0.04]]), Limits()).weights.tolist() == [1.0]


def test_a_group_that_must_have_an_exact_sum_has_it():
    halves = Limits(groups=(Group("first", (0, 1), 0.7, 0.7), Group("second", (2,), 0.3, 0.3)))
    answer = minimize(np.diag([1.0, 3.0, 1.0]), halves)
    assert answer.weights.tolist() == pytest.approx([0.525, 0.175, 0.3], abs=1e-12)
    assert answer.missed <= EXACT


def test_overlapping_groups_bind_together():
    groups = (Group("left", (0, 1), high=0.5), Group("right", (1, 2), high=0.6))
    answer = minimize(np.diag([1.0, 1.0, 1.0, 100.0]), Limits(groups=groups))
    assert answer.group_at.tolist() == [1, 1]
    assert answer.weights[:2].sum() == pytest.approx(0.5)
    assert answer.weights[1:3].sum() == pytest.approx(0.6)
    assert (answer.price_high > 0).all()


def test_weights_against_a_base_may_add_up_to_nothing():
    answer = minimize(np.eye(3), Limits(-0.1, 0.1, total=0.0), np.array([0.05, 0.0, -0.05]))
    assert answer.weights.tolist() == pytest.approx([0.05, 0.0, -0.05], abs=1e-15)


def test_a_strong_gain_drives_weights_to_their_bounds():
    answer = minimize(np.eye(3), Limits(0.0, 0.6), np.array([3.0, 2.0, 1.0]))
    assert answer.weights.tolist() == pytest.approx([0.6, 0.4, 0.0], abs=1e-15)


def test_five_hundred_assets_with_fewer_periods_and_groups_are_exact():
    rng = np.random.default_rng(5)
    past = rng.normal(size=(120, 500)) + rng.normal(size=(120, 1))
    groups = tuple(Group(f"{k}", tuple(range(k, 500, 5)), 0.15, 0.25) for k in range(5))
    answer = minimize(np.cov(past, rowvar=False), Limits(upper=0.02, groups=groups))
    assert answer.missed <= EXACT


# ------------------------------------------------------------------ refused with a sentence


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        pytest.param(Limits(upper=0.2), "add up to 0.6, below the 1 needed", id="caps too low"),
        pytest.param(Limits(lower=0.4), "add up to 1.2, above the 1 allowed", id="floors too high"),
        pytest.param(
            Limits(np.array([0.0, 0.5, 0.0]), np.array([1.0, 0.3, 1.0]), names=("A", "B", "C")),
            "lower bound 0.5 of B is above its upper bound 0.3",
            id="crossed",
        ),
        pytest.param(
            Limits(upper=0.3, groups=(Group("bonds", (0, 1), low=0.7),)),
            "upper bounds in group bonds add up to 0.6, below the 0.7 needed",
            id="a group out of reach",
        ),
        pytest.param(
            Limits(groups=(Group("bonds", (0,), 0.7, 0.2),)),
            "lower bound 0.7 of group bonds is above its upper bound 0.2",
            id="a crossed group",
        ),
        pytest.param(
            Limits(
                groups=(Group("a", (0,), low=0.6), Group("b", (1,), low=0.6)), names=tuple("XYZ")
            ),
            "all weights add up to 1, group a at least 0.6, group b at least 0.6, Z at least 0",
            id="two groups together",
        ),
        pytest.param(
            Limits(groups=(Group("a", (0, 1), high=0.3), Group("b", (1, 2), high=0.3))),
            "group a at most 0.3, group b at most 0.3, asset 2 at least 0",
            id="overlapping groups leave too little",
        ),
        pytest.param(Limits(lower=math.nan), "not a number", id="no number"),
        pytest.param(Limits(lower=math.inf), "which no weight", id="an infinite floor"),
    ],
)
def test_bounds_that_contradict_are_named(limits, words):
    with pytest.raises(InputError) as refused:
        minimize(np.eye(3), limits)
    assert words in str(refused.value)


@settings(max_examples=200, deadline=None)
@given(questions)
@example(question(10, "definite"))
def test_bounds_are_refused_only_if_no_weights_keep_them(asked):
    covariance, limits, linear = asked
    if answered(covariance, limits, linear) is not None:
        return
    lp = linear_program(limits, len(covariance))
    assert lp is None, f"{lp} keeps all bounds"


def linear_program(limits, count):
    """Any weights that keep the limits, found by HiGHS; None if there are none."""
    import highspy

    solver = highspy.Highs()
    solver.silent()
    for place in range(count):
        solver.addVar(float(limits.lower[place]), float(limits.upper[place]))
    for group in (Group("all", tuple(range(count)), 1.0, 1.0), *limits.groups):
        members = np.array(group.members, dtype=np.int32)
        solver.addRow(group.low, group.high, len(members), members, np.ones(len(members)))
    solver.run()
    status = solver.getModelStatus()
    found = np.array(solver.getSolution().col_value)
    return found if status == highspy.HighsModelStatus.kOptimal else None


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        pytest.param(np.ones((2, 3)), "one row and one column", id="not square"),
        pytest.param(np.array([[1.0, 0.5], [0.2, 1.0]]), "not symmetric", id="not symmetric"),
        pytest.param(np.diag([1.0, -1.0]), "a variance < 0", id="a negative variance"),
        pytest.param(np.diag([1.0, math.nan]), "not a number", id="not a number"),
        pytest.param(
            np.array([[1.0, 2.0], [2.0, 1.0]]), "some mix would have a negative", id="indefinite"
        ),
    ],
)
def test_what_is_no_covariance_is_refused(matrix, words):
    with pytest.raises(InputError, match=words):
        minimize(matrix, Limits())


def test_a_gain_without_risk_and_bounds_is_refused():
    with pytest.raises(InputError, match="Nothing bounds the weights"):
        minimize(np.zeros((2, 2)), Limits(lower=-math.inf), np.array([1.0, 0.0]))


def test_a_gain_that_almost_no_risk_holds_back_is_refused_without_bounds():
    gain = np.array([0.4, 6.4, -11.2, -4.1, 4.9, 14.0, 3.6]) * 1e-7
    deviations = np.array([3.6e-3, 3.6e-3, 0.169, 3.6e-3, 8.2e-6, 3.0e-4, 3.1e-3])
    moves = deviations * np.where(np.arange(7) % 2, -1.0, 1.0)
    with pytest.raises(InputError, match="Nothing bounds the weights"):
        minimize(np.outer(moves, moves), Limits(-math.inf, math.inf, (), 0.9), gain)
