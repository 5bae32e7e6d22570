"""CPPI's gap risk in the household's own prices: the slow way window by window, and the words."""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.targets.views import (
    CLASSES,
    LAST,
    invented,
    sessions_before,
    weights,
    without_price,
)

from trimtab.domain.aim import LOCKED, Layer
from trimtab.domain.aims import CppiRule
from trimtab.domain.errors import DataSuspect
from trimtab.domain.numbers import to_float
from trimtab.rules.targets.cppi import exposure
from trimtab.rules.targets.cppi_gaps import Gaps, Held, gaps_of, sentences
from trimtab.rules.targets.cppi_markov import gap_chance
from trimtab.rules.targets.cppi_risk import Insurance, Market, gap_risk, simulate
from trimtab.rules.targets.view import Floats, Past

BASE = weights(stocks="0.60", world="0.20", bonds="0.15", cash="0.05")
HELD = Held(BASE, frozenset({"bonds", "cash"}))
BILLS = Decimal("0.04")


def rule_of(**rule: object) -> CppiRule:
    return CppiRule(**({"floor": "fixed", "amount": Decimal(80)} | rule))  # type: ignore[arg-type]  # tests name fields


def layer_of(floor: float = 80, since: str = "") -> Layer:
    """What CPPI answered for savings of 100; locked *since* a day, if one is given."""
    figures = {"floor": floor, "cushion": 100 - floor}
    state = {LOCKED: since} if since else {}
    return Layer(name="cppi", targets=dict(BASE), figures=figures, state=state)


def past_of(returns: Floats) -> Past:
    return Past(sessions_before(LAST, len(returns)), returns)


def gaps(returns: Floats, rule: CppiRule | None = None, **more: object) -> Gaps:
    rule = rule_of() if rule is None else rule
    asked = {"looks": "month", "bills": BILLS, "layer": layer_of()} | more
    found = gaps_of(rule, held=HELD, past=past_of(returns), **asked)  # type: ignore[arg-type]  # as above
    assert found is not None
    return found


def monthly(returns: Floats) -> list[list[float]]:
    """Each class's returns of the whole months, month by month and session by session."""
    sessions, found = sessions_before(LAST, len(returns)), []
    months = [(day.year, day.month) for day in sessions]
    for month in sorted(set(months))[1:-1]:
        rows = [row for row, of in enumerate(months) if of == month]
        found.append([math.prod(1 + returns[row, at] for row in rows) - 1 for at in range(4)])
    return found


@settings(max_examples=25)
@given(
    seed=st.integers(0, 500),
    multiplier=st.sampled_from(["3", "6", "10"]),
    floor=st.sampled_from(["fixed", "ratchet", "accruing"]),
    cap=st.sampled_from(["0.6", "1"]),
)
def test_every_year_of_own_months_is_counted_as_one_would_by_hand(seed, multiplier, floor, cap):
    returns = 3 * invented(600, seed)
    rule = rule_of(floor=floor, multiplier=Decimal(multiplier), cap=Decimal(cap))
    months, broken = monthly(returns), 0
    windows = [months[at : at + 12] for at in range(len(months) - 11)]
    for window in windows:
        value, protected, is_broken = 1.0, 0.8, False
        for stocks, world, bonds, cash in window:
            risked = float(exposure(Decimal(value), Decimal(protected), rule.multiplier, rule.cap))
            value = risked * (1 + 0.75 * stocks + 0.25 * world) + (value - risked) * (
                1 + 0.75 * bonds + 0.25 * cash
            )
            if floor == "accruing":
                protected *= 1.04 ** (1 / 12)
            elif floor == "ratchet":
                protected = max(protected, 0.8 * value)
            is_broken = is_broken or value < protected - 1e-12
        broken += is_broken
    found = gaps(returns, rule)
    assert (found.months, found.real.windows, found.real.breached) == (
        len(months),
        len(windows),
        broken,
    )


def test_the_closed_form_knows_the_volatility_and_counts_on_no_premium():
    returns = 3 * invented(900)
    found = gaps(returns, rule_of(multiplier=Decimal(8), cap=None))
    logs = [math.log1p(0.75 * month[0] + 0.25 * month[1]) for month in monthly(returns)]
    sigma = float(np.std(logs, ddof=1)) * math.sqrt(12)
    assert found.volatility == pytest.approx(sigma, rel=1e-12)
    rate = math.log(1.04)
    market = Market(mu=rate, sigma=sigma, rate=rate)
    closed = gap_risk(100, 80, years=1, steps=12, market=market, multiplier=8)
    assert found.textbook == pytest.approx(closed.shortfall, rel=1e-9)
    assert 0 < found.textbook < 1


@given(
    floor=st.integers(1, 99),
    multiplier=st.integers(1, 10),
    cap=st.sampled_from(["0.25", "0.6", "1", None]),
)
def test_a_fall_breaks_the_floor_only_beyond_what_the_cushion_is_of_the_exposure(
    floor, multiplier, cap
):
    """One period with a fall a little below and a little above one over the multiplier now."""
    most = None if cap is None else float(cap)
    rule = Insurance(float(multiplier), floor / 100, most)
    broken = [
        simulate(np.array([[-share / rule.multiplier_now]]), np.zeros((1, 1)), rule).values[0, 1]
        < floor / 100
        for share in (0.999, 1.001)
    ]
    assert broken == [False, True]
    assert rule.multiplier_now <= multiplier


def test_the_chance_under_the_cap_stands_beside_the_closed_form_and_is_said():
    """A floor of 40 under 100: five times the cushion is 300, and the cap leaves 100."""
    returns = 4 * invented(900)
    capped = gaps(returns, rule_of(amount=Decimal(40), multiplier=Decimal(5)), layer=layer_of(40))
    assert capped.multiplier == 5
    assert capped.multiplier_now == pytest.approx(100 / 60)
    rate = math.log(1.04)
    market = Market(mu=rate, sigma=capped.volatility, rate=rate)
    closed = gap_risk(100, 40, years=1, steps=12, market=market, multiplier=5)
    held_back = gap_risk(100, 40, years=1, steps=12, market=market, multiplier=100 / 60)
    assert capped.textbook == pytest.approx(closed.shortfall, rel=1e-9)
    rule = Insurance(5.0, 0.4, 1.0, grows=0.0)
    assert capped.capped == pytest.approx(gap_chance(rule, years=1, steps=12, market=market))
    assert capped.capped is not None
    assert held_back.shortfall < capped.capped < closed.shortfall
    told = sentences(capped)[0]
    assert f"a chance of {100 * capped.capped:.2f} % under your cap" in told
    assert f"of {100 * capped.textbook:.2f} % by the closed form, which knows none" in told
    free = gaps(returns, rule_of(cap=None))
    assert free.capped is None
    assert "cap" not in sentences(free)[0]


def test_the_worst_fall_is_that_between_two_looks_of_the_household():
    returns = invented(600)
    returns[300, :2] = -0.25
    day, month = gaps(returns, looks="day"), gaps(returns)
    sessions = sessions_before(LAST, 600)
    assert (day.worst, day.worst_on) == (Decimal("0.25"), sessions[300])
    assert day.multiplier_max == 4
    assert month.worst is not None
    assert month.worst_on is not None
    assert month.worst_on.month != (month.worst_on + dt.timedelta(days=4)).month
    assert month.worst != day.worst
    assert to_float(month.worst) == pytest.approx(
        -min(0.75 * one[0] + 0.25 * one[1] for one in monthly(returns)), abs=1e-6
    )


@pytest.mark.parametrize("looks", ["day", "month"])
def test_a_hole_in_a_safe_class_hides_no_fall_of_the_risky_ones(looks):
    returns = invented(600)
    returns[300, :2] = -0.25
    whole = gaps(returns, looks=looks)
    torn = gaps(without_price(without_price(returns, 300, 2), 298, 2), looks=looks)
    assert torn == whole._replace(real=torn.real)
    assert torn.real.breached == whole.real.breached
    assert torn.real.mean_terminal == pytest.approx(whole.real.mean_terminal, rel=1e-12)


def test_a_fall_over_a_hole_of_a_risky_class_belongs_to_the_day_on_which_it_is_known():
    returns = invented(600)
    returns[300, :2] = -0.25
    whole = gaps(returns)
    torn = gaps(without_price(returns, 300, 0), looks="day")
    over = (1 + returns[300, :2]) * (1 + returns[301, :2]) - 1
    assert torn.worst is not None
    assert to_float(torn.worst) == pytest.approx(-(0.75 * over[0] + 0.25 * over[1]), abs=1e-6)
    assert torn.worst_on == sessions_before(LAST, 600)[301]
    assert torn.volatility == pytest.approx(whole.volatility, rel=1e-12)


def test_a_month_end_that_a_class_has_no_price_near_is_told():
    returns = invented(600)
    whole = gaps(returns)
    row = sessions_before(LAST, 600).index(whole.last)
    near, torn = without_price(returns, row, 2), returns
    for back in range(5):
        torn = without_price(torn, row - back, 2)
    assert (whole.bridged, gaps(near).bridged, gaps(torn).bridged) == (0, 0, 1)
    assert "one month a class had no price" in sentences(gaps(torn))[1]
    assert "no price" not in sentences(gaps(near))[1]


def test_what_never_fell_has_no_worst_day():
    rising = np.full((600, len(CLASSES)), 0.001)
    found = gaps(rising)
    assert (found.worst, found.multiplier_max, found.fall) == (None, None, None)
    assert found.real.breached == 0
    assert "worst" not in sentences(found)[1]


def test_while_nothing_is_risked_there_is_no_gap_to_tell():
    for layer in (layer_of(since="2026-03-01"), layer_of(floor=100), layer_of(floor=120)):
        assert gaps_of(rule_of(), layer, HELD, past_of(invented(600)), "day", BILLS) is None


def test_where_the_targets_of_before_hold_no_floor_is_there_to_tell_of():
    layer = Layer(name="cppi", targets=dict(BASE))
    assert gaps_of(rule_of(), layer, HELD, past_of(invented(600)), "day", BILLS) is None


def test_less_than_a_year_of_months_says_nothing_and_says_so():
    with pytest.raises(DataSuspect, match="hold 6 whole months of every class, and a year"):
        gaps(invented(150))
    unknown = past_of(invented(600))._replace(doubt="VTI has no price")
    with pytest.raises(DataSuspect, match="VTI has no price"):
        gaps_of(rule_of(), layer_of(), HELD, unknown, "day", BILLS)


def test_the_words_put_the_worst_on_record_beside_a_past_that_has_seen_little():
    first, second = sentences(gaps(invented(600), looks="day"))
    assert "with one look a month for a year the floor breaks with a chance of" in first
    assert "never jump" in first
    assert "by 22.6 % on record" in second
    assert "of up to 4.4 the other" in second
