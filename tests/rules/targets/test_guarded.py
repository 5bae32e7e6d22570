"""The strategy `cppi`: exposure as weights, what is remembered, the lock and how it lifts."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from itertools import permutations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.targets.views import LAST, view_of, weights

from trimtab.domain.aim import LOCKED, Layer
from trimtab.domain.aims import CppiRule
from trimtab.domain.errors import InputError
from trimtab.domain.numbers import Money
from trimtab.domain.yield_facts import BillRate, RateRule, YieldsRule
from trimtab.rules.targets.aim import checked
from trimtab.rules.targets.cppi_risk import Fall
from trimtab.rules.targets.guarded import Cppi
from trimtab.rules.targets.view import Savings, View
from trimtab.rules.yields import bill_rate

CLASSES = ("stocks", "world", "bonds", "cash")
NO_PAST = np.empty((0, 4))
BASE = weights(stocks="0.60", world="0.20", bonds="0.15", cash="0.05")
WORD = dt.datetime(2026, 3, 3, 9, tzinfo=dt.UTC)


def guarding(**rule: object) -> Cppi:
    fields = {"floor": "fixed", "amount": Decimal(80_000), "multiplier": Decimal(3)} | rule
    return Cppi(CppiRule(**fields))  # type: ignore[arg-type]  # tests name fields


def seen(value: str = "100000", risky: str = "0", **more: object) -> View:
    """A look at savings of *value* with *risky* of it in stocks and the rest in bonds."""
    held = {"stocks": Decimal(risky), "bonds": Decimal(value) - Decimal(risky)}
    savings = Savings(Decimal(value), held=held)
    fields: dict[str, object] = {"savings": savings, "base": BASE}
    return view_of(NO_PAST, **(fields | more))  # type: ignore[arg-type]  # as above


def after(layer: Layer, days: int, **more: object) -> View:
    """The next look, *days* later, with what *layer* asked to be remembered, from the journal."""
    kept = msgspec.json.decode(msgspec.json.encode(layer), type=Layer)
    fields: dict[str, object] = {
        "today": LAST + dt.timedelta(days=days),
        "state": kept.state,
        "last": kept.targets,
    }
    return seen(**(fields | more))  # type: ignore[arg-type]  # as above


def risky_part(targets: Mapping[str, Money]) -> Decimal:
    return targets["stocks"] + targets["world"]


def test_risky_classes_get_a_multiple_of_the_cushion_in_their_own_proportions():
    layer = guarding().wants(seen())
    assert layer.figures == {
        "floor": 80_000,
        "cushion": 20_000,
        "exposure": 60_000,
        "held": 0,
    }
    assert layer.targets["stocks"] == Decimal("0.45")
    assert layer.targets["world"] == Decimal("0.15")
    assert layer.targets["bonds"] == Decimal("0.30")
    assert layer.targets["cash"] == Decimal("0.10")
    assert layer.insists


def test_the_cash_of_the_reserve_is_insured_and_never_risked():
    view = seen("500000")
    kept = view.savings._replace(value=Decimal(470_000), kept=Decimal(30_000))
    layer = guarding().wants(view._replace(savings=kept))
    assert layer.figures["exposure"] == 470_000
    assert layer.figures["cushion"] == 420_000
    assert risky_part(layer.targets) == 1
    assert "at most what the targets divide, is 470,000.00 USD" in layer.sentences[0]


def test_cash_is_safe_though_no_class_rule_says_so():
    layer = guarding(cap=Decimal("0.5")).wants(seen())
    assert layer.targets["cash"] == Decimal("0.125")


@given(
    value=st.integers(1, 500_000),
    risky=st.integers(0, 100),
    multiplier=st.integers(1, 10),
    cap=st.sampled_from(["0", "0.30", "1"]),
)
def test_exposure_is_never_below_nothing_nor_above_the_cap(value, risky, multiplier, cap):
    rule = guarding(multiplier=Decimal(multiplier), cap=Decimal(cap))
    money = str(value)
    view = seen(money, str(Decimal(value) * risky / 100 * Decimal(cap)))
    layer = checked(rule.wants(view), view.classes)
    part = risky_part(layer.targets)
    assert 0 <= part <= Decimal(cap) + Decimal("0.000001")
    assert sum(layer.targets.values()) == 1


def test_inside_the_band_around_it_what_is_held_is_what_is_wanted():
    layer = guarding().wants(seen(risky="63000"))
    assert not layer.insists
    assert risky_part(layer.targets) == Decimal("0.63")
    assert "inside the band" in " ".join(layer.sentences)
    assert guarding().wants(seen(risky="70000")).insists


@pytest.mark.parametrize(
    ("risky", "most"),
    [
        pytest.param("63000", "0.63", id="held above the formula"),
        pytest.param("57000", "0.60", id="held below it"),
        pytest.param("70000", "0.60", id="outside the band"),
    ],
)
def test_new_money_bounds_the_targets_at_what_is_held_or_the_formula_wants(risky, most):
    rule, view = guarding(), seen(risky=risky)
    paid_in = view._replace(savings=view.savings._replace(flow=Decimal(500)))
    assert rule.wants(paid_in).risky_max == Decimal(most)
    for flow in (0, -500):
        quiet = view._replace(savings=view.savings._replace(flow=Decimal(flow)))
        assert rule.wants(quiet).risky_max is None


def test_money_for_a_withdrawal_is_no_new_money_and_a_withdrawal_called_off_is():
    rule, due = guarding(floor="ratchet"), Decimal(2_000)
    first = rule.wants(seen(risky="60000"))
    savings = seen("102000", "60000").savings._replace(due=due, flow=due)
    told = rule.wants(after(first, 1, savings=savings))
    assert told.risky_max is None
    called_off = rule.wants(
        after(told, 2, savings=savings._replace(due=Decimal(0), flow=Decimal(0)))
    )
    assert called_off.risky_max == Decimal(61_200) / 102_000


@pytest.mark.parametrize("order", list(permutations(CLASSES))[::5], ids="-".join)
def test_the_weights_follow_the_classes_when_these_are_given_in_another_order(order):
    one = guarding().wants(seen())
    other = guarding().wants(seen(classes=order, base={name: BASE[name] for name in order}))
    assert list(other.targets) == list(order)
    assert other.targets == one.targets


def test_the_cash_of_reserves_is_insured_though_it_is_not_divided():
    savings = Savings(Decimal(90_000), held={"bonds": Decimal(90_000)}, kept=Decimal(10_000))
    layer = guarding().wants(seen(savings=savings))
    assert layer.figures["exposure"] == 60_000
    assert abs(risky_part(layer.targets) - Decimal(2) / 3) < Decimal("1e-20")


def test_what_has_to_be_raised_for_a_withdrawal_is_no_part_of_what_the_weights_divide():
    """10,000 are to leave: 3 times the cushion of 10,000 is a third of the 90,000 that stay."""
    savings = Savings(Decimal(100_000), due=Decimal(10_000), short=Decimal(10_000))
    layer = guarding().wants(seen(savings=savings))
    assert layer.figures["exposure"] == 30_000
    assert abs(risky_part(layer.targets) - Decimal(1) / 3) < Decimal("1e-20")


def test_the_operating_reserve_is_a_floor():
    savings = Savings(Decimal(100_000), held={}, reserve=Decimal(30_000))
    layer = guarding(floor="reserve", amount=None, cap=None).wants(seen(savings=savings))
    assert layer.figures["floor"] == 30_000
    with pytest.raises(InputError, match="operating reserve"):
        guarding(floor="reserve", amount=None).wants(seen())


def test_a_floor_that_grows_does_so_at_its_rate_and_one_without_says_so():
    first = guarding(floor="accruing", rate=Decimal("0.0365")).wants(seen())
    year = guarding(floor="accruing", rate=Decimal("0.0365")).wants(after(first, 365))
    assert year.figures["floor"] > 82_000
    assert not any("has no rate" in told for told in year.sentences)
    assert 'floor "accruing" has no rate' in guarding(floor="accruing").wants(seen()).sentences[-1]


def test_more_risk_than_the_layer_before_wants_is_said():
    little = weights(stocks="0.10", world="0.05", bonds="0.80", cash="0.05")
    told = guarding().wants(seen(base=little)).sentences[-1]
    assert "the weights before it have 15.0 % in risky classes" in told
    assert not any("before it" in one for one in guarding().wants(seen()).sentences)


# ------------------------------------------------------------------ memory


def test_what_it_remembers_survives_the_journal():
    rule = guarding(floor="ratchet", amount=None, keeps=Decimal("0.80"))
    first = rule.wants(seen("100000"))
    high = rule.wants(after(first, 1, value="120000"))
    assert high.figures["floor"] == 96_000
    fallen = rule.wants(after(high, 2, value="110000"))
    assert fallen.figures["floor"] == 96_000


def test_a_second_look_on_the_same_day_remembers_the_same():
    rule = guarding(floor="ratchet", amount=None)
    first = rule.wants(seen(risky="60000"))
    again = rule.wants(after(first, 0, value="100000", risky="60000"))
    assert again.state == first.state
    assert again.targets == first.targets


def test_another_floor_begins_anew_and_the_same_one_does_not():
    old = guarding(floor="accruing", amount=Decimal(90_000), rate=Decimal("0.04")).wants(seen())
    assert guarding(amount=Decimal(70_000)).wants(after(old, 1)).figures["floor"] == 70_000
    lower = guarding(floor="accruing", amount=Decimal(70_000), rate=Decimal("0.04"))
    assert lower.wants(after(old, 1)).figures["floor"] == 70_000
    same = guarding(floor="accruing", amount=Decimal(90_000), rate=Decimal("0.04"))
    assert same.wants(after(old, 1)).figures["floor"] > 90_000


def test_a_deposit_is_protected_by_a_ratchet_as_the_rest():
    rule = guarding(floor="ratchet", amount=None, keeps=Decimal("0.80"))
    first = rule.wants(seen("100000"))
    savings = Savings(Decimal(110_000), held={}, flow=Decimal(10_000))
    assert rule.wants(after(first, 1, savings=savings)).figures["floor"] == 88_000


# ------------------------------------------------------------------ the lock


def hit(**rule: object) -> tuple[Cppi, Layer]:
    """A CPPI whose savings fell through the floor on the second day."""
    guard = guarding(**rule)
    locked = guard.wants(after(guard.wants(seen()), 1, value="79000"))
    assert locked.state[LOCKED] == str(LAST + dt.timedelta(days=1))
    assert risky_part(locked.targets) == 0
    assert locked.risky_max == 0
    return guard, locked


def test_at_the_floor_everything_is_safe_and_stays_so_for_a_month():
    guard, locked = hit()
    assert sum(locked.targets.values()) == 1
    for days in (2, 31):
        layer = guard.wants(after(locked, days))
        assert risky_part(layer.targets) == 0
        assert LOCKED in layer.state


def test_with_the_cushion_back_and_the_days_over_it_arms_itself():
    guard, locked = hit()
    poor = guard.wants(after(locked, 32, value="83000"))
    assert LOCKED in poor.state
    again = guard.wants(after(locked, 32))
    assert LOCKED not in again.state
    assert risky_part(again.targets) == Decimal("0.6")
    assert "re-armed" in " ".join(again.sentences)


def test_only_the_owners_word_arms_one_that_waits_for_it_and_does_so_once():
    guard, locked = hit(rearm="owner")
    assert LOCKED in guard.wants(after(locked, 300)).state
    armed = guard.wants(after(locked, 2, rearmed=WORD))
    assert LOCKED not in armed.state
    assert "by the owner's word" in " ".join(armed.sentences)
    again = guard.wants(after(armed, 3, value="79500", rearmed=WORD))
    assert LOCKED in again.state, "the old word does not lift a new lock"
    still = guard.wants(after(again, 4, rearmed=WORD))
    assert LOCKED in still.state
    later = WORD + dt.timedelta(days=3)
    assert LOCKED not in guard.wants(after(still, 5, rearmed=later)).state


def test_a_word_given_while_nothing_is_above_the_floor_changes_nothing_and_says_so():
    guard, locked = hit(rearm="owner")
    vain = guard.wants(after(locked, 2, value="79000", rearmed=WORD))
    assert LOCKED in vain.state
    assert "changes nothing" in vain.sentences[0]
    assert LOCKED in guard.wants(after(vain, 3, rearmed=WORD)).state, "it was heeded once"


def test_a_locked_ratchet_begins_anew_at_the_value_there_is():
    guard = guarding(floor="ratchet", amount=None, keeps=Decimal("0.80"), rearm="owner")
    locked = guard.wants(after(guard.wants(seen()), 1, value="70000"))
    assert LOCKED in locked.state
    armed = guard.wants(after(locked, 2, value="70000", rearmed=WORD))
    assert armed.figures["floor"] == 56_000
    assert risky_part(armed.targets) == Decimal("0.6")


def test_another_floor_lifts_the_lock():
    _, locked = hit(rearm="owner")
    lower = guarding(amount=Decimal(60_000), rearm="owner").wants(after(locked, 2, value="79000"))
    assert LOCKED not in lower.state


# ------------------------------------------------------------------ bills, and what is to leave


def paying(rate: str, days_ago: int = 1) -> BillRate:
    return BillRate(rate=Decimal(rate), of="the bill fund", on=LAST - dt.timedelta(days=days_ago))


@pytest.mark.parametrize("floor", ["accruing", "dated"])
def test_a_floor_without_a_rate_of_its_own_grows_at_what_bills_pay_and_says_whose(floor):
    rule = {"floor": floor, "until": LAST + dt.timedelta(days=730)}
    own, by_bills = guarding(**rule, rate=Decimal("0.05")), guarding(**rule)
    assert by_bills.rule.needs_bills
    assert not own.rule.needs_bills
    first, other = own.wants(seen()), by_bills.wants(seen(bills=paying("0.05")))
    assert first.figures == other.figures
    assert first.figures["floor_growth"] == 0.05
    assert other.sentences[-1] == (
        "The floor grows by 5.00 % a year, what the bill fund paid on 2026-03-01 ([yields])."
    )
    assert first.sentences[-1] == "The floor grows by 5.00 % a year, as [strategy.cppi] says."
    year = by_bills.wants(after(other, 365, bills=paying("0.05", -364)))
    same = own.wants(after(first, 365))
    assert year.figures["floor"] == same.figures["floor"] > first.figures["floor"]


def test_a_floor_without_a_rate_says_what_yields_can_tell_it():
    """A Treasury bond of twenty years is in [yields] and is no bill."""
    rates = (
        RateRule(
            name="bond",
            rate=Decimal("0.05"),
            kind="treasury",
            as_of=LAST,
            risk="none",
            term_months=240,
        ),
    )
    found = bill_rate(YieldsRule(rates=rates), None, LAST)
    assert found is None
    assert guarding(floor="accruing").wants(seen(bills=found)).sentences[-1] == (
        'The floor "accruing" has no rate and does not move: write rate, what bills pay a year, in '
        "[strategy.cppi], or tell in [yields] a curve or a rate of kind "
        '"treasury" that is bound for a year at most.'
    )
    year = YieldsRule(rates=(replace(rates[0], term_months=12),))
    assert bill_rate(year, None, LAST) is not None


def test_money_is_told_in_the_base_currency():
    first = guarding().wants(seen(currency="EUR"))
    told = " ".join(
        first.sentences + guarding().wants(seen(risky="63000", currency="EUR")).sentences
    )
    locked = guarding().wants(after(first, 1, value="79000", currency="EUR"))
    assert "USD" not in told + locked.sentences[0]
    assert (
        "The savings of 100,000.00 EUR are 20,000.00 EUR above the floor of 80,000.00 EUR" in told
    )
    assert "The 63,000.00 EUR held are inside the band" in told
    assert "reached the floor of 80,000.00 EUR" in locked.sentences[0]


def test_an_old_bill_rate_says_how_old_it_is():
    told = guarding(floor="accruing").wants(seen(bills=paying("0.05", 40))).sentences[-1]
    assert "paid on 2026-01-21, 40 days ago" in told


def test_a_floor_that_does_not_grow_needs_no_bills():
    assert not guarding().rule.needs_bills
    assert guarding().wants(seen(bills=paying("0.05"))).figures.keys() == {
        *("floor", "cushion", "exposure", "held")
    }


@given(due=st.integers(1, 50_000), floor=st.sampled_from(["fixed", "ratchet"]))
def test_what_is_to_leave_is_not_insured_and_neither_its_notice_nor_its_leaving_is_a_loss(
    due, floor
):
    rule = guarding(floor=floor, amount=Decimal(40_000), keeps=Decimal("0.80"))
    without = rule.wants(seen("100000"))
    told = Savings(Decimal(100_000), held={}, due=Decimal(due))
    noticed = rule.wants(after(without, 1, savings=told))
    kept = Decimal(100_000 - due)
    gone = Savings(kept, held={}, flow=Decimal(-due))
    left = rule.wants(after(noticed, 2, savings=gone))
    straight = rule.wants(after(without, 1, savings=gone))
    assert noticed.figures["floor"] == left.figures["floor"] == straight.figures["floor"]
    assert noticed.figures["cushion"] == left.figures["cushion"]
    assert left.figures["exposure"] == straight.figures["exposure"]
    assert left.state.keys() == straight.state.keys()


def test_the_worst_fall_of_ones_own_is_warned_of_where_it_was_worse_than_the_one_on_record():
    rule = guarding(multiplier=Decimal(3))
    assert rule.warnings(1) == ()
    assert rule.warnings(1, Fall(Decimal("0.20"), "your own classes")) == ()
    (told,) = rule.warnings(1, Fall(Decimal("0.40"), "your own classes"))
    assert "there was one of 40.0 % (your own classes)" in told
