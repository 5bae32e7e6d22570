"""An edited policy whose waiting is over: who looks sees what the next turn will find."""

import datetime as dt
from pathlib import Path

import msgspec
import pytest
from tests.houses import ManualClock

from trimtab.apps import aiming, standing
from trimtab.apps.check import check
from trimtab.apps.demo import make_demo
from trimtab.apps.home import Home, looking, read_household, recall, working
from trimtab.apps.run import run_once
from trimtab.apps.views.check import check_page
from trimtab.apps.views.page import Block, Sentence, Table
from trimtab.apps.views.policy import policy_document, policy_page
from trimtab.apps.views.status import status_document, status_page
from trimtab.apps.views.targets import targets_document, targets_page
from trimtab.domain.trades import Decision
from trimtab.rules.precommitment import policy_next

NOON = dt.datetime(2026, 3, 9, 17, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DUE = "An edited policy is due and holds from the next turn on; it is shown here"
EDITS = {
    "other targets": (("target = 0.45", "target = 0.60"), ("target = 0.30", "target = 0.15")),
    "a new class": (
        ("target = 0.30", "target = 0.20"),
        ("[bands]", '[classes.gold]\ntarget = 0.10\nmembers = ["GLD"]\n[bands]'),
        ("EURUSD =", 'GLD = { kind = "etf" }\nEURUSD ='),
    ),
}


def edit(home: Home, changes: tuple[tuple[str, str], ...]) -> None:
    text = home.household_toml.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    home.household_toml.write_text(text)


@pytest.fixture(params=list(EDITS))
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """The demo's household, whose edited policy waits."""
    home = make_demo(tmp_path / "demo", seed=1, today=NOON.date(), replace=False)
    turn(home, NOON)
    edit(home, EDITS[request.param])
    turn(home, NOON + HOUR)
    return home


def turn(home: Home, at: dt.datetime) -> None:
    with working(home, command="test", clock=ManualClock(at)) as house:
        run_once(house, executes=False)


def moment(home: Home, late: dt.timedelta) -> ManualClock:
    """So long after the edited policy is due."""
    proposed = recall(home).proposed
    assert proposed is not None
    return ManualClock(proposed.effective_at + late)


def decision(home: Home, clock: ManualClock) -> Decision:
    with looking(home, clock=clock) as house:
        decided = run_once(house, executes=False).decision
    assert decided is not None
    return decided


@pytest.mark.parametrize("late", [-HOUR, dt.timedelta(0), HOUR], ids=["before", "at", "after"])
def test_status_and_targets_show_the_policy_under_which_plan_plans(home, late):
    clock = moment(home, late)
    files = {path: path.read_bytes() for path in (home.journal, home.paper)}
    planned = decision(home, clock)
    wanted, held = read_household(home).policy(), recall(home).policy
    found, aim = standing.gather(home, clock), aiming.gather(home, clock)
    assert found.policy == aim.policy == (held if late < dt.timedelta(0) else wanted)
    assert found.decision is not None
    assert aim.look is not None
    assert found.decision.drifts == aim.look.drifts == planned.drifts
    assert found.decision.sentence == planned.sentence
    assert files == {path: path.read_bytes() for path in files}


def test_every_page_says_that_the_edited_policy_is_due_and_shown(home):
    clock = moment(home, HOUR)
    found, aim = standing.gather(home, clock), aiming.gather(home, clock)
    assert status_document(found).edit == targets_document(aim).edit == f"{DUE}."
    assert any(DUE in block.text for block in sentences(status_page(found, ".")))
    page = targets_page(aim, ".")
    assert any(DUE in block.text for block in sentences(page))
    assert "next turn" in columns(page)
    file, memory = read_household(home), recall(home)
    policy = sentences(policy_page(file, memory, clock.now(), "."))
    assert DUE[3:] in policy[0].text
    assert memory.policy_digest in policy[0].text
    assert any("goes from" in block.text or "is new" in block.text for block in policy)


def test_the_document_of_a_due_policy_has_its_classes_and_no_day_since_when(home):
    file, memory = read_household(home), recall(home)
    before = policy_document(file, memory, moment(home, -HOUR).now())
    after = policy_document(file, memory, moment(home, HOUR).now())
    assert memory.proposed is not None
    assert (before.digest, before.since) == (memory.policy_digest, memory.policy_since)
    assert (after.digest, after.since) == (memory.proposed.digest, None)
    assert [one.asset_class for one in after.classes] == list(file.classes)
    assert after.changes == before.changes != ()


def test_targets_in_force_stay_those_of_the_journal_until_the_turn(home):
    clock = moment(home, HOUR)
    before, after = aiming.gather(home, moment(home, -HOUR)), aiming.gather(home, clock)
    kept = {name: before.in_force.get(name, 0) for name in after.policy.classes}
    assert after.in_force == kept
    turn(home, clock.now())
    now = aiming.gather(home, clock)
    assert now.look is not None
    assert now.in_force == now.look.targets == after.own


def test_where_prices_cannot_be_trusted_targets_shows_the_due_policy_without_a_look(home):
    books = msgspec.json.decode(home.paper.read_bytes())
    books["accounts"]["jon-ira"]["lots"][0]["quantity"] = "1"
    home.paper.write_bytes(msgspec.json.encode(books))
    found = aiming.gather(home, moment(home, HOUR))
    assert found.missing is not None
    assert [one.asset_class for one in targets_document(found).classes] == list(
        read_household(home).classes
    )


@pytest.mark.parametrize(
    ("late", "since"),
    [(-HOUR, "is not in force yet."), (HOUR, "is due and holds from the next turn on.")],
    ids=["before", "after"],
)
def test_check_says_by_which_policy_it_measures_the_drift(home, late, since):
    clock = moment(home, late)
    told = f"The drift is measured by the edited policy of household.toml, which {since}"
    checked = check(home, clock)
    assert checked.edit == told
    assert told in [block.text for block in sentences(check_page(checked, "."))]
    turn(home, moment(home, HOUR).now())
    assert check(home, clock).edit is None


def test_before_the_first_turn_the_file_is_the_policy_and_nothing_is_due(tmp_path):
    home = make_demo(tmp_path / "demo", seed=1, today=NOON.date(), replace=False)
    found = standing.gather(home, ManualClock(NOON))
    assert found.policy == read_household(home).policy()
    assert status_document(found).edit is None
    assert policy_next(recall(home), found.policy, NOON) == found.policy
    assert check(home, ManualClock(NOON)).edit is None


def sentences(blocks: list[Block]) -> list[Sentence]:
    return [block for block in blocks if isinstance(block, Sentence)]


def columns(blocks: list[Block]) -> list[str]:
    return [one.title for block in blocks if isinstance(block, Table) for one in block.columns]


@pytest.mark.parametrize(("change", "is_shown"), [("0.0003", False), ("0.002", True)])
def test_a_move_of_targets_below_the_printed_digit_is_not_promised_for_the_next_turn(
    tmp_path, change, is_shown
):
    home = make_demo(tmp_path / "demo", seed=1, today=NOON.date(), replace=False)
    turn(home, NOON)
    found = aiming.gather(home, ManualClock(NOON + HOUR))
    assert found.look is not None
    by = {"us-stocks": 1, "bonds": -1}
    wanted = {
        name: weight + by.get(name, 0) * type(weight)(change)
        for name, weight in found.look.targets.items()
    }
    moved = found._replace(look=msgspec.structs.replace(found.look, targets=wanted))
    assert ("next turn" in columns(targets_page(moved, "."))) is is_shown
