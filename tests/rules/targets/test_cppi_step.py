"""CPPI look by look: the floor of the day, money that comes and goes, the lock, and its end."""

import datetime as dt
from decimal import Decimal
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trimtab.domain.aims import CppiRule, FloorKind
from trimtab.domain.errors import InputError
from trimtab.domain.numbers import ZERO
from trimtab.rules.targets.cppi import accrued, path
from trimtab.rules.targets.cppi_step import CppiDay, CppiState, step

D = Decimal
START = dt.date(2026, 1, 5)
FIXED = CppiRule(floor="fixed", amount=D(80))
RATCHET = CppiRule(floor="ratchet", keeps=D("0.80"))
cents = st.integers(0, 10**8).map(lambda number: D(number) / 100)


def _day(number: int, value: str, **more) -> CppiDay:
    return CppiDay(date=START + dt.timedelta(days=number), value=D(value), **more)


def _rule(kind: FloorKind, **more) -> CppiRule:
    return CppiRule(floor=kind, amount=D(80_000), keeps=D("0.8"), until=dt.date(2027, 1, 5), **more)


days_seen = st.builds(
    lambda gap, value, held, flow, rate, rearmed: (gap, value, held, flow, rate, rearmed),
    st.integers(0, 60),
    cents,
    cents,
    st.integers(-(10**6), 10**6).map(D),
    st.integers(-100, 900).map(lambda number: D(number) / 10_000),
    st.booleans(),
)


@given(st.sampled_from(get_args(FloorKind)), st.lists(days_seen, max_size=8), st.integers(0, 150))
def test_no_look_ever_leaves_the_exposure_below_zero_or_above_the_cap(kind, seen, cap):
    rule, state, today = _rule(kind, cap=D(cap) / 100), None, START
    for gap, value, held, flow, rate, rearmed in seen:
        today += dt.timedelta(days=gap)
        day = CppiDay(
            date=today,
            value=value,
            held=held,
            flow=flow,
            rate=rate,
            rearmed=rearmed,
            reserve=D(42_000),
        )
        found = step(rule, state, day)
        assert 0 <= found.exposure <= rule.cap * value
        assert found.exposure == (found.wanted if found.moves else held)
        if found.state.locked_since is not None:
            assert found.exposure == 0
        assert found.sentences
        state = msgspec.json.decode(msgspec.json.encode(found.state), type=CppiState)
        assert state == found.state


@given(st.lists(st.tuples(cents, cents), min_size=1, max_size=12))
def test_a_ratchet_never_falls_while_nothing_is_withdrawn(looks):
    state = None
    for number, (value, flow) in enumerate(looks):
        later = step(RATCHET, state, CppiDay(date=_date(number), value=value, flow=flow)).state
        assert later.floor >= D("0.8") * value
        if state is not None:
            assert later.floor >= state.floor
        state = later


def _date(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


@pytest.mark.parametrize("kind", ["fixed", "accruing", "ratchet"])
def test_looks_without_band_and_lock_follow_the_path_of_the_formula(kind):
    risky = [D(one) for one in ("0.10", "-0.15", "0.05", "-0.08", "0.12", "-0.02", "0.20")]
    safe = [D("0.03")] * len(risky)
    rule = CppiRule(
        floor=kind,
        amount=D(80),
        keeps=D("0.8"),
        multiplier=D(4),
        band_rel=ZERO,
        rearm_cushion=ZERO,
        rearm_after_days=0,
    )
    walked, state = path(rule, D(100), risky, safe), None
    for year, risked in enumerate(walked.exposures):
        day = _day(365 * year, str(walked.values[year]), rate=D("0.03"))
        found = step(rule, state, day)
        assert abs(found.exposure - risked) < D("1e-18")
        assert abs(found.state.floor - walked.floors[year]) < D("1e-18")
        state = found.state


def test_the_first_look_says_how_the_exposure_comes_about():
    found = step(FIXED, None, _day(0, "100"))
    assert found.exposure == 60
    assert found.state == CppiState(date=START, floor=D(80), peak=D(100))
    (said,) = found.sentences
    assert said == (
        "The savings of 100.00 USD are 20.00 USD above the floor of 80.00 USD; 3 times that is "
        "60.00 USD in risky classes."
    )
    (capped,) = step(replace(FIXED, cap=D("0.5")), None, _day(0, "100")).sentences
    assert capped.endswith(
        "3 times that, at most 50.0 % of the savings, is 50.00 USD in risky classes."
    )


def test_what_is_held_inside_the_band_stays_and_says_so():
    found = step(FIXED, None, _day(0, "100", held=D(55)))
    assert (found.exposure, found.wanted, found.moves) == (D(55), D(60), False)
    assert found.sentences[-1] == (
        "The 55.00 USD held are inside the band around that, so the exposure stays."
    )


def test_no_more_is_risked_than_the_targets_divide():
    found = step(FIXED, None, _day(0, "200", divided=D(150), held=D(100)))
    assert (found.exposure, found.wanted) == (D(150), D(150))
    assert found.sentences[-1].endswith(
        "3 times that, at most what the targets divide, is 150.00 USD in risky classes."
    )
    whole = step(FIXED, None, _day(0, "200", divided=D(200), held=D(100)))
    assert whole.exposure == 200
    assert "at most 100.0 % of the savings," in whole.sentences[-1]
    assert step(FIXED, None, _day(0, "200", divided=D(-5))).exposure == 0


def test_the_floor_of_each_kind_on_its_day():
    reserve = _day(0, "100000", reserve=D(42_000), rate=D("0.04"))
    assert step(_rule("fixed"), None, reserve).state.floor == 80_000
    assert step(_rule("accruing"), None, reserve).state.floor == 80_000
    assert step(_rule("ratchet"), None, reserve).state.floor == 80_000
    assert step(_rule("reserve"), None, reserve).state.floor == 42_000
    assert step(_rule("dated"), None, reserve).state.floor == D(80_000) * D("1.04") ** -1
    given_rate = step(_rule("dated", rate=D("0.02")), None, reserve)
    assert given_rate.state.floor == D(80_000) * D("1.02") ** -1
    late = _day(4000, "100000")
    assert step(_rule("dated"), None, late).state.floor == 80_000


def test_an_accruing_floor_earns_the_rate_of_each_stretch():
    state = step(_rule("accruing"), None, _day(0, "100000", rate=D("0.99"))).state
    state = step(_rule("accruing"), state, _day(100, "100000", rate=D("0.04"))).state
    state = step(_rule("accruing"), state, _day(150, "100000", rate=D("0.05"))).state
    assert state.floor == accrued(accrued(D(80_000), D("0.04"), 100), D("0.05"), 50)


def test_a_deposit_brings_its_own_floor_and_hides_no_fall():
    state = step(RATCHET, None, _day(0, "100")).state
    state = step(RATCHET, state, _day(30, "90")).state
    assert state.floor == 80
    after = step(RATCHET, state, _day(60, "190", flow=D(100)))
    assert after.state.floor == 160
    assert after.cushion == 30  # 10 of the old money, 20 of the new


def test_a_deposit_brings_its_own_floor_also_where_the_ratchet_began_higher():
    high = replace(RATCHET, amount=D(90))
    state = step(high, None, _day(0, "100")).state
    assert step(high, state, _day(30, "200", flow=D(100))).state.floor == 170


def test_a_withdrawal_lowers_a_ratchet_in_its_own_proportion_and_no_sum_that_was_named():
    state = step(RATCHET, None, _day(0, "100")).state
    state = step(RATCHET, state, _day(30, "90")).state
    half = step(RATCHET, state, _day(60, "45", flow=D(-45)))
    assert (half.state.floor, half.state.peak) == (D(40), D(50))
    all_of_it = step(RATCHET, state, _day(60, "0", flow=D(-90)))
    assert all_of_it.state.floor == 0
    named = step(FIXED, step(FIXED, None, _day(0, "100")).state, _day(9, "90", flow=D(-10)))
    assert named.state.floor == 80


def test_at_the_floor_everything_is_locked_and_stays_so_when_bills_lift_it_a_little():
    locked = step(FIXED, None, _day(0, "80", held=D(12)))
    assert (locked.exposure, locked.moves) == (ZERO, True)
    assert locked.state.locked_since == START
    (said,) = locked.sentences
    assert said == (
        "The savings of 80.00 USD reached the floor of 80.00 USD on 2026-01-05: everything stays "
        "safe until 2026-02-05 at least, and until 5.0 % of the savings are above the floor, or "
        "the owner re-arms CPPI."
    )
    later = step(FIXED, locked.state, _day(90, "80.60"))
    assert later.exposure == 0
    assert later.state.locked_since == START


@pytest.mark.parametrize(
    ("day", "value", "rearm", "lifts"),
    [
        pytest.param(31, "84.22", "cushion", True, id="31 days and five percent: lifts"),
        pytest.param(30, "84.22", "cushion", False, id="a day too early"),
        pytest.param(31, "84.20", "cushion", False, id="too small a cushion"),
        pytest.param(400, "99", "owner", False, id="only the owner may"),
    ],
)
def test_the_lock_lifts_by_itself_after_its_time_and_with_a_cushion(day, value, rearm, lifts):
    rule = replace(FIXED, rearm=rearm)
    locked = step(rule, None, _day(0, "79")).state
    found = step(rule, locked, _day(day, value))
    assert (found.state.locked_since is None) == lifts
    assert (found.exposure > 0) == lifts
    if lifts:
        assert found.sentences[0] == (
            "CPPI is re-armed: 31 days after the floor was hit the cushion is 5.0 % of the "
            "savings again."
        )


def test_who_has_nothing_yet_has_hit_no_floor_and_invests_the_first_deposit():
    empty = step(RATCHET, None, _day(0, "0"))
    assert empty.exposure == 0
    assert empty.state.locked_since is None
    assert step(RATCHET, empty.state, _day(1, "100", flow=D(100))).exposure == 60


def test_a_locked_ratchet_says_what_the_owners_word_would_do():
    state = step(replace(RATCHET, rearm="owner"), None, _day(0, "100")).state
    (said,) = step(replace(RATCHET, rearm="owner"), state, _day(1, "70")).sentences
    assert said == (
        "The savings of 70.00 USD reached the floor of 80.00 USD on 2026-01-06: everything stays "
        "safe until the owner re-arms CPPI, which begins the floor anew at 80.0 % of the savings."
    )


def test_the_owner_lifts_the_lock_as_soon_as_there_is_a_cushion():
    locked = step(FIXED, None, _day(0, "79")).state
    in_vain = step(FIXED, locked, _day(1, "79.90", rearmed=True))
    assert in_vain.exposure == 0
    assert in_vain.sentences[0].startswith("Re-arming CPPI changes nothing while the savings are")
    lifted = step(FIXED, locked, _day(1, "81", rearmed=True))
    assert lifted.exposure == 3
    assert lifted.sentences[0] == "CPPI is re-armed by the owner's word."


def test_a_ratchet_begins_anew_from_the_present_value_by_the_owners_word():
    state = step(RATCHET, None, _day(0, "100")).state
    gap = step(RATCHET, state, _day(1, "70"))
    assert gap.state.locked_since == _date(1)
    anew = step(RATCHET, gap.state, _day(2, "70", rearmed=True))
    assert (anew.state.floor, anew.state.peak) == (D(56), D(70))
    assert anew.exposure == 42
    word = step(RATCHET, state, _day(2, "95", rearmed=True))
    assert word.state.floor == 80  # nothing was locked: the word changes nothing


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        pytest.param(CppiRule(floor="dated", amount=D(1)), "needs until", id="no day"),
        pytest.param(CppiRule(floor="reserve"), r"write a \[reserve\] table", id="no reserve"),
        pytest.param(CppiRule(floor="accruing"), "needs amount", id="no amount"),
    ],
)
def test_a_rule_that_lacks_a_number_is_refused_in_a_sentence(rule, sentence):
    with pytest.raises(InputError, match=sentence):
        step(rule, None, _day(0, "100"))


def test_a_day_before_the_last_look_is_refused():
    state = step(FIXED, None, _day(5, "100")).state
    with pytest.raises(
        InputError, match="last looked at on 2026-01-10 and is asked for 2026-01-09"
    ):
        step(FIXED, state, _day(4, "100"))
