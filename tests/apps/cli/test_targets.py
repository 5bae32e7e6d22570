"""`trimtab targets`: what the household aims at, its pictures, its options, the owner's re-arm."""

import datetime as dt
import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from tests.apps.cli.command_line import Ended, document_of, trimtab

from trimtab.adapters.journal import SqliteJournal
from trimtab.apps.home import Home, recall
from trimtab.domain.events import BreakerTripped
from trimtab.domain.household import decode_household

ALL = '[strategy]\nlayers = ["minimum_variance", "momentum", "cppi"]\n'
LOCKING = '[strategy]\nlayers = ["cppi"]\n[strategy.cppi]\nfloor = "fixed"\namount = 100000000\n'
PANELS = ("Targets", "Volatility of the mix", "CPPI: savings")


def with_strategy(folder: Path, text: str = ALL) -> Path:
    path = folder / "household.toml"
    path.write_text(path.read_text() + "\n" + text)
    return folder


def targets(folder: Path, *more: str | Path) -> Ended:
    return trimtab("targets", "--folder", folder, *more)


def test_without_a_strategy_the_households_own_targets_hold(demo):
    ended = targets(demo)
    assert ended.status == 0
    assert ended.out.startswith("The household holds its own targets; no strategy changes them.")
    assert re.search(r"^us-stocks +45\.0 % +45\.0 % ", ended.out, re.MULTILINE)
    document = document_of(targets(demo, "--json"))
    assert document["layers"] == []
    assert document["estimated_on"] is None


def test_each_layer_says_what_it_wants_and_why(untouched):
    out = targets(with_strategy(untouched)).out
    header = next(line for line in out.splitlines() if line.startswith("class "))
    assert header.split() == [
        *("class", "own", "minimum_variance", "momentum", "cppi"),
        *("in", "force", "next", "turn", "weight", "off"),
    ]
    assert "- Over 756 sessions the mix that moved least moved " in out
    assert "as fitted (too low)" in out
    assert "volatility a year to expect" in out
    assert "returned most from 12 months ago to 1 ago" in out
    assert "above the floor of" in out
    assert "No turn has run with this strategy" in out
    assert f"The next turn puts the new targets in force: `trimtab run --folder {untouched}`" in out


def test_after_a_turn_the_targets_are_in_force(untouched):
    with_strategy(untouched)
    assert trimtab("run", "--folder", untouched, "--execute").status == 0
    out = targets(untouched).out
    assert re.search(r"^- In force since \d{4}-\d\d-\d\d\.$", out, re.MULTILINE)
    document = document_of(targets(untouched, "--json"))
    assert document["since"] == document["estimated_on"]
    assert document["next_estimate"] > document["estimated_on"]
    assert sum(Decimal(one["in_force"]) for one in document["classes"]) == 1
    aimed = document["layers"][-1]["targets"]
    for one in document["classes"]:
        assert abs(Decimal(one["in_force"]) - Decimal(aimed[one["asset_class"]])) < Decimal("0.02")


def test_it_writes_nothing(untouched):
    with_strategy(untouched)
    before = {path.name: path.read_bytes() for path in untouched.iterdir()}
    assert targets(untouched).status == 0
    assert {path.name: path.read_bytes() for path in untouched.iterdir()} == before


def test_the_document_tells_what_is_fitted_beside_what_to_expect(untouched):
    layer = document_of(targets(with_strategy(untouched), "--json"))["layers"][0]
    assert layer["name"] == "minimum_variance"
    figures = layer["figures"]
    assert 0 < float(figures["volatility_in_sample"]) < float(figures["volatility_to_expect"])


def test_a_glide_path_says_its_next_point(untouched):
    points = "".join(
        f"[[glide.points]]\non = {day}\ntargets = {{ us-stocks = {stocks}, world-stocks = 0.2, "
        f"bonds = {bonds}, bitcoin = 0 }}\n"
        for day, stocks, bonds in (("2020-01-01", 0.5, 0.3), ("2999-01-01", 0.3, 0.5))
    )
    out = targets(with_strategy(untouched, points)).out
    assert out.startswith("The household glides from target to target by date.")
    assert "- The next point of the glide path is 2999-01-01." in out


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_the_picture_has_a_panel_for_each_thing_to_see(untouched, tmp_path, ending):
    picture = tmp_path / f"targets.{ending}"
    ended = targets(with_strategy(untouched), "--chart", picture)
    assert ended.status == 0, ended.err
    assert ended.out.endswith(f"The picture is in {picture}.\n")
    if ending == "png":
        assert picture.read_bytes().startswith(b"\x89PNG")
        return
    text = picture.read_text()
    for panel in PANELS:
        assert f"<!-- {panel}" in text


def test_the_picture_leaves_out_what_is_no_layer(demo, tmp_path):
    picture = tmp_path / "targets.svg"
    assert targets(demo, "--chart", picture).status == 0
    text = picture.read_text()
    assert [f"<!-- {panel}" in text for panel in PANELS] == [True, False, False]


def test_the_picture_marks_the_days_on_which_all_is_safe(untouched, tmp_path):
    with_strategy(untouched, LOCKING)
    trimtab("run", "--folder", untouched)
    picture = tmp_path / "targets.svg"
    assert targets(untouched, "--chart", picture).status == 0
    assert "<!-- all safe since the floor was hit" in picture.read_text()


def test_a_picture_that_cannot_be_written_is_one_sentence(demo, tmp_path):
    ended = targets(demo, "--chart", tmp_path / "nowhere" / "targets.svg")
    assert ended.status == 2
    assert "cannot be written" in ended.err
    assert len(ended.err.splitlines()) == 1


# ------------------------------------------------------------------ options


def test_the_options_that_it_prints_can_be_appended_to_a_household(untouched):
    options = trimtab("targets", "--options").out
    decode_household((untouched / "household.toml").read_text() + options)


def test_the_options_that_stand_as_comments_are_ones_that_there_are(untouched):
    options = trimtab("targets", "--options").out
    part = options[options.index("# [strategy.minimum_variance]") :]
    lines = [re.sub(r"^# ", "", line) for line in part.splitlines()]
    bare = [line for line in lines if re.match(r"^(\[|[a-z_]+ = )", line)]
    table = [line for line in bare if line.startswith(("[strategy", "[[strategy"))]
    assert {"[strategy.cppi]", "[strategy.momentum]"} <= {
        line.split(" #")[0].strip() for line in table
    }
    text = (
        (untouched / "household.toml").read_text()
        + "\n[strategy]\n"
        + "\n".join(
            bare[: next((at for at, line in enumerate(bare) if _is_elsewhere(line)), len(bare))]
        )
    )
    tomllib.loads(text)
    decode_household(text)


def _is_elsewhere(line: str) -> bool:
    return line.startswith("[") and not line.startswith(("[strategy", "[[strategy"))


GUIDE = Path(__file__).parents[3] / "docs/how-to/choose-a-strategy.md"


@pytest.mark.parametrize(
    "block", re.findall(r"```toml\n(.+?)```", GUIDE.read_text(), re.DOTALL), ids=["mix", "floor"]
)
def test_what_the_guide_writes_into_a_household_can_be_used(untouched, block):
    with_strategy(untouched, block)
    assert trimtab("check", "--folder", untouched).status == 0
    assert targets(untouched).status == 0


# ------------------------------------------------------------------ the owner's word


def test_nothing_is_rearmed_that_is_not_locked(untouched):
    with_strategy(untouched)
    trimtab("run", "--folder", untouched)
    ended = targets(untouched, "--rearm", "why not")
    assert ended.status == 2
    assert "nothing to re-arm" in ended.err


def test_a_locked_cppi_is_rearmed_with_a_reason_that_the_journal_keeps(untouched):
    with_strategy(untouched, LOCKING)
    trimtab("run", "--folder", untouched)
    assert "everything stays safe" in targets(untouched).out
    assert targets(untouched, "--rearm", " ").status == 2
    ended = targets(untouched, "--rearm", "we looked at it together")
    assert ended.status == 0, ended.err
    assert ended.out == "cppi is re-armed; nothing was sent. The next turn heeds it.\n"
    assert "Re-arming CPPI changes nothing" in targets(untouched).out
    assert trimtab("verify", "--folder", untouched).status == 0
    assert recall(Home(untouched)).rearmed.keys() == {"cppi"}


@pytest.mark.parametrize(
    ("fallback", "said"),
    [
        ("bonds = 1.0", "its targets are in force, whatever else is wanted."),
        ("bonds = 0, us-stocks = 1.0", "what is aimed at risks less than its targets"),
    ],
)
def test_the_defensive_posture_is_said_first(untouched, fallback, said):
    rest = "".join(
        f", {name} = 0" for name in ("us-stocks", "world-stocks", "bitcoin") if name not in fallback
    )
    posture = f'[defensive]\nposture = "targets"\ntargets = {{ {fallback}{rest} }}\n'
    with_strategy(untouched, posture + '[strategy]\nlayers = ["momentum"]\n')
    assert trimtab("run", "--folder", untouched).status == 0
    fell = BreakerTripped(rule="breaker", sentence="the savings fell by 40 %")
    with SqliteJournal.open(untouched / "journal.sqlite", create=False) as journal:
        journal.append((fell,), at=dt.datetime.now(dt.UTC), cycle="test")
    ended = targets(untouched)
    first = ended.out.splitlines()[0]
    assert first.startswith("The defensive posture holds")
    assert said in first
    assert "The circuit breaker has tripped: the savings fell by 40 %." in ended.out
    assert document_of(targets(untouched, "--json"))["is_defensive"]


def test_a_multiplier_that_the_worst_day_would_have_broken_is_warned_of(untouched):
    with_strategy(untouched, ALL + "[strategy.cppi]\nmultiplier = 6\n")
    for command in ("check", "targets"):
        out = trimtab(command, "--folder", untouched).out
        assert "The CPPI multiplier of 6 is above the usual 2 to 4." in out
        assert "there was one of 22.6 % (the Dow Jones industrial average on 19 October" in out
    assert len(document_of(targets(untouched, "--json"))["warnings"]) == 2
    path = untouched / "household.toml"
    path.write_text(path.read_text().replace("multiplier = 6", "multiplier = 3"))
    assert document_of(targets(untouched, "--json"))["warnings"] == []


# ------------------------------------------------------------------ faults


@pytest.mark.parametrize("command", ["check", "targets", "plan", "run"])
def test_a_layer_that_does_not_exist_is_one_sentence(untouched, command):
    with_strategy(untouched, '[strategy]\nlayers = ["minimum_varience"]\n')
    ended = trimtab(command, "--folder", untouched)
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err == (
        'trimtab: strategy.layers: no strategy is called "minimum_varience"; write one of '
        f"{_known(ended.err)}.\n"
    )
    assert '"minimum_variance"' in ended.err


def _known(sentence: str) -> str:
    return sentence.rpartition("write one of ")[2].rstrip().removesuffix(".")


def test_check_tells_of_it_together_with_every_other_fault(untouched):
    with_strategy(untouched, '[strategy]\nlayers = ["minimum_varience"]\n')
    (untouched / "cash.csv").unlink()
    ended = trimtab("check", "--folder", untouched)
    assert ended.status == 2
    assert "cash.csv" in ended.err
    assert 'no strategy is called "minimum_varience"' in ended.err


def test_check_tells_bounds_that_leave_no_mix(untouched):
    bounds = "".join(
        f"[[strategy.minimum_variance.bounds]]\nclasses = {classes}\nmost = {most}\n"
        for classes, most in (('["bonds"]', 0.1), ('["us-stocks", "world-stocks", "bitcoin"]', 0.5))
    )
    with_strategy(untouched, '[strategy]\nlayers = ["minimum_variance"]\n' + bounds)
    ended = trimtab("check", "--folder", untouched)
    assert ended.status == 2
    assert "strategy.minimum_variance.bounds: " in ended.err


def test_check_tells_of_strategies_that_know_too_little_of_the_past(tmp_path):
    assert trimtab("init", "--folder", tmp_path).status == 0
    path = tmp_path / "household.toml"
    path.write_text(path.read_text() + '\n[strategy]\nlayers = ["minimum_variance"]\n')
    ended = trimtab("check", "--folder", tmp_path)
    assert ended.status == 0, ended.err
    assert "minimum_variance needs 20 sessions in which every class has a price" in ended.out
    assert "Until then minimum_variance leaves the weights as they are." in ended.out
    layer = document_of(targets(tmp_path, "--json"))["layers"][0]
    assert "needs 20 sessions" in layer["doubt"]
