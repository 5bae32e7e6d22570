"""`trimtab targets`: what the household aims at, its pictures, its options, the owner's re-arm."""

import datetime as dt
import re
import tomllib
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tests.apps.cli.command_line import Ended, document_of, trimtab

from trimtab.adapters.calendars import MarketCalendars
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


def test_an_edited_policy_that_waits_is_told_before_and_after_a_turn_has_read_it(untouched):
    trimtab("run", "--folder", untouched)
    path = untouched / "household.toml"
    before = path.read_text()
    assert "edited policy" not in targets(untouched).out
    with_strategy(untouched, LOCKING)
    unread = targets(untouched).out
    assert unread.startswith("The household holds its own targets; no strategy changes them.")
    assert re.search(
        r"^- An edited policy that no turn has read yet holds from \S+ \S+ UTC on, or later if "
        r"that turn is later; it is not shown here\. "
        rf"`trimtab policy --folder {untouched}` tells the changes\.$",
        unread,
        re.MULTILINE,
    )
    told = "An edited policy that no turn has read yet holds from"
    assert told in trimtab("status", "--folder", untouched).out
    trimtab("run", "--folder", untouched)
    read = document_of(targets(untouched, "--json"))["edit"]
    assert re.fullmatch(r"An edited policy waits until \S+ \S+ UTC and is not shown here\.", read)
    path.write_text(before)
    assert document_of(targets(untouched, "--json"))["edit"] is None
    path.write_text(before.replace("turnover_max = 0.30", "turnover_max = 0.20"))
    tighter = "An edited policy is due and holds from the next turn on; it is shown here."
    for command in ("targets", "status"):
        document = document_of(trimtab(command, "--folder", untouched, "--json"))
        assert document["edit"] == tighter


def test_each_layer_says_what_it_wants_and_why(untouched):
    out = targets(with_strategy(untouched)).out
    header = next(line for line in out.splitlines() if line.startswith("class "))
    assert header.split() == [
        *("class", "own", "minimum_variance", "momentum", "cppi"),
        *("in", "force", "next", "turn", "weight", "off"),
    ]
    assert "- Over 756 sessions the mix that moves least by the estimate (Ledoit-Wolf " in out
    assert "volatility a year of these sessions (fitted: too low)" in out
    assert "volatility a year to expect, at most" in out
    assert "Estimated on " in out
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
    most = float(figures["volatility_expected_most"])
    assert 0 < float(figures["volatility_in_sample"]) < most


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


def test_before_the_first_turn_the_bars_tell_targets_in_force_from_those_to_come(
    untouched, tmp_path
):
    picture = tmp_path / "targets.svg"
    labels = ("target in force", "target of the next turn", "weight")
    targets(untouched, "--chart", picture)
    assert [f"<!-- {label} -->" in picture.read_text() for label in labels] == [True, False, True]
    targets(with_strategy(untouched), "--chart", picture)
    assert all(f"<!-- {label} -->" in picture.read_text() for label in labels)


def test_the_picture_shows_what_cppi_wants_beside_what_is_held(untouched, tmp_path):
    picture = tmp_path / "targets.svg"
    targets(with_strategy(untouched), "--chart", picture)
    for label in ("to hold in risky classes", "held in risky classes"):
        assert f"<!-- {label} -->" in picture.read_text()


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
    "block",
    re.findall(r"```toml\n(.+?)```", GUIDE.read_text(), re.DOTALL),
    ids=["mix", "floor", "year"],
)
def test_what_the_guide_writes_into_a_household_can_be_used(untouched, block):
    with_strategy(untouched, block)
    assert trimtab("check", "--folder", untouched).status == 0
    assert targets(untouched).status == 0


# ------------------------------------------------------------------ what CPPI cannot have


def test_a_strategy_that_watches_is_asked_at_every_look_and_has_no_next_estimate(untouched):
    with_strategy(untouched, '[strategy]\nlayers = ["cppi"]\n')
    out = targets(untouched).out
    assert "- Asked at every look.\n" in out
    assert "Estimated on" not in out
    assert document_of(targets(untouched, "--json"))["next_estimate"] is None


def test_what_the_plan_could_not_sell_is_told_beside_what_is_wanted(untouched):
    lists = re.findall(
        r'^members = \[("V[^]]+)\]', (untouched / "household.toml").read_text(), re.MULTILINE
    )
    with_strategy(untouched, LOCKING + f"[orders]\nno_sell = [{', '.join(lists)}]\n")
    assert "is held in risky classes and" not in targets(untouched).out
    assert trimtab("run", "--folder", untouched, "--execute").status == 0
    out = targets(untouched).out
    assert re.search(
        r"^- [\d,.]+ USD is held in risky classes and 0\.00 USD wanted: the plan of "
        r"\d{4}-\d\d-\d\d could not sell enough of us-stocks and world-stocks; `trimtab plan` "
        r"says why\.$",
        out,
        re.MULTILINE,
    )
    (layer,) = document_of(targets(untouched, "--json"))["layers"]
    assert any("could not sell enough" in sentence for sentence in layer["sentences"])
    assert float(layer["figures"]["held"]) > 0 == float(layer["figures"]["exposure"])


# ------------------------------------------------------------------ the owner's word


def test_nothing_is_rearmed_that_is_not_locked(untouched):
    with_strategy(untouched)
    trimtab("run", "--folder", untouched)
    ended = targets(untouched, "--rearm", "why not")
    assert ended.status == 2
    assert "nothing to re-arm" in ended.err


def test_what_would_lock_again_at_once_is_refused_and_never_called_rearmed(untouched):
    with_strategy(untouched, LOCKING)
    trimtab("run", "--folder", untouched)
    ended = targets(untouched, "--rearm", "we looked at it together")
    assert ended.status == 2
    assert ended.out == ""
    assert "so re-arming it changes nothing: add money, or lower the floor" in ended.err


def test_a_locked_cppi_is_rearmed_with_a_reason_that_the_journal_keeps(untouched):
    with_strategy(untouched, LOCKING.replace('floor = "fixed"\n', ""))
    trimtab("run", "--folder", untouched)
    assert "everything stays safe" in targets(untouched).out
    assert targets(untouched, "--rearm", " ").status == 2
    ended = targets(untouched, "--rearm", "we looked at it together")
    assert ended.status == 0, ended.err
    assert ended.out == "cppi is re-armed; nothing was sent. The next turn heeds it.\n"
    assert "Re-arming CPPI changes nothing" not in targets(untouched).out
    assert trimtab("verify", "--folder", untouched).status == 0
    assert recall(Home(untouched)).rearmed.keys() == {"cppi"}


@pytest.mark.parametrize(
    ("fallback", "said"),
    [
        ("bonds = 1.0", "waits unless it puts less into risky classes."),
        (
            "bonds = 0, us-stocks = 1.0",
            "what is aimed at puts less into risky classes than its targets",
        ),
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


def test_the_gap_risk_is_told_in_words_and_as_figures(untouched):
    with_strategy(untouched, ALL + "[strategy.cppi]\nmultiplier = 6\n")
    ended = targets(untouched)
    document = document_of(targets(untouched, "--json"))
    risk = document["gap_risk"]
    assert document["gap_doubt"] is None
    for sentence in risk["sentences"]:
        assert f"- {sentence}" in ended.out
    assert 0 < risk["capped"] <= risk["textbook"] < 1
    assert risk["breached"] <= risk["windows"] == risk["months"] - 11
    assert risk["looks"] == "day"
    assert 1 / float(risk["multiplier_max"]) == pytest.approx(float(risk["worst"]))


def test_without_a_year_of_prices_the_gap_risk_is_said_not_to_be_known(tmp_path):
    assert trimtab("init", "--folder", tmp_path).status == 0
    with_strategy(tmp_path, '[strategy]\nlayers = ["cppi"]\n')
    assert "- The gap risk cannot be told: " in targets(tmp_path).out
    document = document_of(targets(tmp_path, "--json"))
    assert document["gap_risk"] is None
    assert "whole months" in document["gap_doubt"]


def test_without_cppi_there_is_no_gap_risk(untouched):
    document = document_of(
        targets(with_strategy(untouched, '[strategy]\nlayers = ["momentum"]\n'), "--json")
    )
    assert (document["gap_risk"], document["gap_doubt"]) == (None, None)


BILLS = """
[strategy]
layers = ["cppi"]
[strategy.cppi]
floor = "accruing"
amount = 200000
[yields]
curve = "curve.csv"
"""


@pytest.mark.parametrize("command", ["targets", "status", "plan", "run"])
def test_a_curve_that_a_floor_needs_and_that_is_not_there_is_one_sentence(untouched, command):
    with_strategy(untouched, BILLS)
    ended = trimtab(command, "--folder", untouched)
    assert "curve.csv" in ended.err + ended.out
    assert "Traceback" not in ended.err
    assert ended.status == 2 or command == "status"


def test_a_floor_that_grows_with_bills_names_their_rate_and_its_day(untouched):
    with_strategy(untouched, BILLS)
    (untouched / "curve.csv").write_text("date,y_3m\n2020-01-02,4.00\n2099-01-01,9.00\n")
    out = targets(untouched).out
    assert "- The floor grows by 4.04 % a year, what Treasury bills of 3 months paid on" in out
    assert re.search(r"^growth of the floor, a year +4\.0 %$", out, re.MULTILINE)


# ------------------------------------------------------------------ faults


def test_prices_that_seem_stuck_are_doubted_and_move_no_target(tmp_path):
    assert trimtab("init", "--folder", tmp_path).status == 0
    with_strategy(tmp_path, '[strategy]\nlayers = ["minimum_variance"]\n')
    last = dt.date.fromisoformat((tmp_path / "prices.csv").read_text().split()[-1][:10])
    days = MarketCalendars().sessions("XNYS", last - dt.timedelta(days=170), last)
    rows = ["date,symbol,close"]
    for at, (symbol, price) in enumerate({"VTI": 337, "VXUS": 75, "BND": 74}.items()):
        moved = np.random.default_rng(at).normal(0, 0.01, len(days))
        moved[-40:] = 0.0 if symbol == "VXUS" else moved[-40:]
        closes = price * np.cumprod(1 + moved)
        rows += [f"{day},{symbol},{close:.2f}" for day, close in zip(days, closes, strict=True)]
    (tmp_path / "prices.csv").write_text("\n".join(rows) + "\n")
    told = "world-stocks did not move on "
    assert told in trimtab("check", "--folder", tmp_path).out
    assert told in targets(tmp_path).out
    (layer,) = document_of(targets(tmp_path, "--json"))["layers"]
    assert layer["doubt"].startswith(told)
    for one in document_of(targets(tmp_path, "--json"))["classes"]:
        assert Decimal(one["next"]) == Decimal(one["own"])
    path = tmp_path / "household.toml"
    path.write_text(path.read_text().replace('layers = ["minimum_variance"]', "layers = []"))
    assert told in trimtab("check", "--folder", tmp_path).out


def test_check_reads_the_curve_and_tells_its_faults_with_those_of_other_files(untouched):
    with_strategy(untouched, '[yields]\ncurve = "curve.csv"\n')
    (untouched / "cash.csv").unlink()
    ended = trimtab("check", "--folder", untouched)
    assert ended.status == 2
    assert "cash.csv" in ended.err
    assert "curve.csv" in ended.err
    (untouched / "curve.csv").write_text("date,y_3m\n2020-01-02,4.0\nsoon,4\n")
    assert 'line 3, date: "soon" is not a date' in trimtab("check", "--folder", untouched).err
    (untouched / "curve.csv").write_text("date,y_3m\n2020-01-02,four\n2020-01-03,4.1\n")
    assert 'line 2: "four" is not a number' in trimtab("check", "--folder", untouched).err


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


def test_check_tells_all_settings_that_can_do_nothing_at_once(untouched):
    text = """[strategy]
layers = ["minimum_variance", "cppi"]
[strategy.cppi]
floor = "reserve"
amount = 80000
[[strategy.minimum_variance.bounds]]
classes = ["bonds"]
[[strategy.minimum_variance.bounds]]
classes = ["bonds", "bonds"]
most = 0.5
[strategy.settings.cppi]
floor = "fixed"
"""
    ended = trimtab("check", "--folder", with_strategy(untouched, text))
    assert ended.status == 2
    for fault in (
        'strategy.cppi.amount: floor = "reserve" takes its own amount; remove this line',
        "strategy.minimum_variance.bounds[1]: it bounds nothing; write least or most",
        "strategy.minimum_variance.bounds[2].classes: bonds stands there 2 times; name it once",
        "strategy.settings.cppi: settings are those of plug-ins; write [strategy.cppi]",
    ):
        assert fault in ended.err


def test_a_ratchet_that_keeps_everything_is_refused(untouched):
    text = '[strategy]\nlayers = ["cppi"]\n[strategy.cppi]\nkeeps = 1.0\n'
    ended = trimtab("check", "--folder", with_strategy(untouched, text))
    assert ended.status == 2
    assert "strategy.cppi.keeps: 1 leaves nothing above the floor" in ended.err


def test_a_day_and_a_rate_that_the_floor_does_not_use_are_remarked_on(untouched):
    text = '[strategy]\nlayers = ["cppi"]\n[strategy.cppi]\nuntil = 2036-01-02\nrate = 0.04\n'
    said = trimtab("check", "--folder", with_strategy(untouched, text)).out
    for key in ("until", "rate"):
        assert f'strategy.cppi.{key} does nothing with floor = "ratchet"' in said


@pytest.mark.parametrize("command", ["check", "targets"])
def test_a_dated_floor_whose_day_is_past_and_settings_without_a_layer_are_remarked_on(
    untouched, command
):
    text = """[strategy]
layers = ["cppi"]
[strategy.cppi]
floor = "dated"
amount = 80000
until = 2020-01-02
[strategy.momentum]
months = 6
[strategy.settings.quiet_mix]
sessions = "9"
"""
    ended = trimtab(command, "--folder", with_strategy(untouched, text))
    said = " ".join(ended.out.split())
    assert ended.status == 0, ended.err
    assert "strategy.cppi.until is past (2020-01-02), so the floor stays at its amount" in said
    assert (
        '[strategy.momentum] does nothing, since strategy.layers does not name "momentum"' in said
    )
    assert "[strategy.settings.quiet_mix] does nothing" in said


def test_options_that_were_added_twice_are_told_by_the_table(untouched):
    options = trimtab("targets", "--options").out
    ended = trimtab("check", "--folder", with_strategy(untouched, options + options))
    assert ended.status == 2
    assert "the table [strategy] stands there for the second time; keep one of the two" in ended.err
    assert "(" not in ended.err.partition("column")[2]


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
