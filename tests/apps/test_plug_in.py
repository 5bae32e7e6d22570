"""A strategy in a package of its own: installed, found by its name, in force in a household."""

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tests.apps.cli.command_line import trimtab
from tests.houses import START, TOML, FixedPrices, ManualClock, house_of

from trimtab.apps import outlook as outlook_module
from trimtab.apps.demo import make_demo
from trimtab.apps.outlook import outlook_of, strategies_of, strategy_warnings
from trimtab.apps.run import run_once
from trimtab.apps.world import House
from trimtab.domain.errors import InputError, StrategyFault
from trimtab.rules.targets.aim import aim_of
from trimtab.rules.targets.view import Savings

EXAMPLE = Path(__file__).parents[2] / "examples" / "inverse-volatility"
MODULE = "trimtab_inverse_volatility"
PRICES = {"VTI": "250", "ITOT": "110", "BND": "72", "BTC-USD": "90000", "EURUSD": "1.1"}
LAYERED = TOML + '[strategy]\nlayers = ["inverse_volatility"]\n'
VOLATILITIES = np.array([0.010, 0.004, 0.040])


def run(*command: str, folder: Path, path: tuple[Path, ...] = ()) -> None:
    paths = os.pathsep.join([*map(str, path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of the example, and where pip installed it, without any network."""
    copy = tmp_path_factory.mktemp("copy") / "example"
    target = tmp_path_factory.mktemp("site")
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--no-compile"]
    run("pip", "install", *options, "--target", str(target), ".", folder=copy)
    return copy, target


@pytest.fixture
def plugged_in(installed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Entry points are looked for once in a process, so that is forgotten before and after."""
    monkeypatch.syspath_prepend(str(installed[1]))
    outlook_module._plugged.cache_clear()
    yield
    outlook_module._plugged.cache_clear()
    sys.modules.pop(MODULE, None)


def past(symbols, until):
    """Sessions in which the classes moved up and down by their volatilities."""
    count = 300
    first = until.date() - dt.timedelta(days=count)
    sessions = tuple(first + dt.timedelta(days=number) for number in range(count))
    signs = np.where(np.arange(count) % 2, 1.0, -1.0)[:, np.newaxis]
    returns = signs * VOLATILITIES
    returns[:-100] *= [3.0, 1.0, 1.0]
    return sessions, returns


def house(toml: str = LAYERED):
    return house_of((), {}, FixedPrices(PRICES), toml=toml)._replace(past=past)


def targets(toml: str = LAYERED):
    home = house(toml)
    policy = home.file.policy()
    outlook = outlook_of(home, policy, START)
    aim = aim_of(policy, outlook, None, START.date(), Savings(Decimal(100_000)))
    assert aim is not None
    return aim


def test_a_household_that_names_it_aims_at_what_it_wants(plugged_in):
    parts = 1 / (VOLATILITIES * [np.sqrt((200 - 48) / 252 * 9 + 100 / 252), 1.0, 1.0])
    wanted = dict(zip(("stocks", "bonds", "bitcoin"), parts / parts.sum(), strict=True))
    aim = targets()
    assert sum(aim.targets.values()) == 1
    assert {name: float(weight) for name, weight in aim.targets.items()} == pytest.approx(
        wanted, abs=2e-5
    )
    (layer,) = aim.layers
    assert layer.name == "inverse_volatility"
    assert layer.sentences[0].startswith("Over 252 sessions bonds moved least (6.4 % a year)")


def test_its_settings_in_the_policy_reach_it(plugged_in):
    fresh = targets(LAYERED + '[strategy.settings.inverse_volatility]\nsessions = "100"\n')
    assert fresh.layers[0].sentences[0].startswith("Over 100 sessions ")
    parts = 1 / VOLATILITIES
    assert float(fresh.targets["stocks"]) == pytest.approx(parts[0] / parts.sum(), abs=2e-6)
    assert fresh.targets != targets().targets


def test_only_the_past_that_it_asks_for_is_shown(plugged_in):
    home = house(LAYERED + '[strategy.settings.inverse_volatility]\nsessions = "100"\n')
    shown = outlook_of(home, home.file.policy(), START).past
    assert shown is not None
    assert len(shown.sessions) == 100


def test_a_setting_that_is_none_is_told_in_a_sentence(plugged_in):
    wrong = LAYERED + '[strategy.settings.inverse_volatility]\nsessions = "ten"\n'
    with pytest.raises(
        InputError, match=r"strategy\.settings\.inverse_volatility\.sessions: 'ten'"
    ):
        strategies_of(house(wrong).file.policy())
    (fault,) = targets(wrong).faults
    assert "'ten' is no number" in fault
    assert fault.endswith("Until then inverse_volatility leaves the weights as they are.")


def test_without_the_package_its_name_is_unknown():
    outlook_module._plugged.cache_clear()
    with pytest.raises(StrategyFault, match='no strategy is called "inverse_volatility"'):
        strategies_of(house().file.policy())


def test_the_tests_of_the_example_pass_in_a_copy_of_it(installed):
    copy, target = installed
    run("pytest", "-q", "-p", "no:cacheprovider", folder=copy, path=(target,))


def test_the_example_says_what_it_is_installed_as():
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    project = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    for word in ("inverse_volatility", MODULE):
        assert word in readme
        assert word in project


# ------------------------------------------------------------------ plug-ins that break promises

BAD = """
import sys
from typing import NamedTuple
from trimtab.domain.aim import Layer
from decimal import Decimal


def made(nickname, answer):
    class Made(NamedTuple):
        name: str = nickname
        sessions: int = 0
        watches: bool = False

        @classmethod
        def of(cls, policy):
            return cls()

        def wants(self, view):
            return answer(self, view)

    return Made


def even(self, view):
    third = dict.fromkeys(view.classes, Decimal(1) / 3)
    return Layer(name=self.name, targets=third, sentences=("All are alike.",))


def in_floats(self, view):
    return Layer(name=self.name, targets=dict.fromkeys(view.classes, 0.25))


Even = made("even", even)
Floats = made("floats", in_floats)
Nothing = made("nothing", lambda self, view: None)
Quits = made("quits", lambda self, view: sys.exit(3))


class Unmade:
    @classmethod
    def of(cls, policy):
        raise KeyError("oops")


class NoStrategy:
    @classmethod
    def of(cls, policy):
        return None
"""
NAMES = {
    "even": "Even",
    "floats": "Floats",
    "nothing": "Nothing",
    "quits": "Quits",
    "unmade": "Unmade",
    "nostrategy": "NoStrategy",
    "cppi": "Even",
}


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which a package with such plug-ins is installed."""
    site = tmp_path / "site"
    metadata = site / "bad_mixes-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "bad_mixes.py").write_text(BAD)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-mixes\nVersion: 1.0\n")
    points = "".join(f"{name} = bad_mixes:{made}.of\n" for name, made in NAMES.items())
    (metadata / "entry_points.txt").write_text(f"[trimtab.strategies]\n{points}")
    monkeypatch.syspath_prepend(str(site))
    outlook_module._plugged.cache_clear()
    yield site
    outlook_module._plugged.cache_clear()
    sys.modules.pop("bad_mixes", None)


def strategy(name: str) -> str:
    return f'[strategy]\nlayers = ["{name}"]\nevery = "day"\n'


FAULTS = [
    ("floats", "The strategy floats weighs stocks with a float, 0.25; a weight is a Decimal"),
    ("nothing", "The strategy nothing answered with nothing, and has to answer with a Layer"),
    ("quits", "The strategy quits failed (SystemExit: 3); its author has to mend it"),
    ("unmade", """strategy.layers: the plug-in "unmade" cannot be made (KeyError: 'oops'); its"""),
    ("nostrategy", 'strategy.layers: the plug-in "nostrategy" made no strategy: it has no name'),
]


@pytest.mark.parametrize(("name", "sentence"), FAULTS)
@pytest.mark.parametrize("command", ["check", "targets"])
def test_the_fault_of_a_plug_in_is_told_by_its_name_as_bad_input(
    bad, tmp_path, command, name, sentence
):
    folder = make_demo(tmp_path / "demo", seed=3, today=START.date(), replace=False).folder
    path = folder / "household.toml"
    path.write_text(path.read_text() + strategy(name))
    ended = trimtab(command, "--folder", folder)
    said = " ".join((ended.out + ended.err).split())
    assert ended.status == 2
    assert sentence.replace("stocks", "us-stocks") in said
    assert "bug" not in said


@pytest.mark.parametrize(("name", "sentence"), FAULTS)
def test_a_plug_in_at_fault_moves_nothing_in_a_turn_and_the_turn_goes_on(bad, name, sentence):
    home = house(TOML + strategy("even"))
    before = run_once(home, executes=True).memory.aim
    assert before is not None
    later = home._replace(file=house(TOML + strategy(name)).file)
    _clock(later).at += dt.timedelta(days=4)
    run_once(later, executes=True)  # the edit is proposed
    _clock(later).at += dt.timedelta(days=4)
    outcome = run_once(later, executes=True)
    assert outcome.memory.policy is not None
    assert outcome.memory.policy.strategy.layers == (name,)
    assert outcome.memory.aim is not None
    assert outcome.memory.aim.targets == before.targets
    assert sentence in outcome.sentence
    assert outcome.decision is not None


def test_a_plug_in_may_not_take_the_name_of_a_strategy_of_trimtab(bad):
    rule = house(TOML + strategy("cppi")).file.policy()
    (made,) = strategies_of(rule)
    assert type(made).__module__ == "trimtab.rules.targets.guarded"
    (warning,) = strategy_warnings(rule, START.date())
    assert warning == (
        'The package bad-mixes registers a strategy "cppi", which is one of trimtab\'s own: it is '
        "refused, and trimtab's is asked."
    )


def test_a_turn_goes_on_without_a_plug_in_that_was_uninstalled_until_its_edit_holds(bad):
    home = house(TOML + strategy("even"))
    before = run_once(home, executes=True).memory.aim
    assert before is not None
    assert set(before.targets.values()) == {Decimal("0.333333"), Decimal("0.333334")}
    uninstall(bad)
    without = home._replace(file=house(TOML).file)
    _clock(without).at += dt.timedelta(days=1)
    outcome = run_once(without, executes=True)
    assert outcome.status != "held"
    assert outcome.memory.aim is not None
    assert outcome.memory.aim.targets == before.targets
    proposed = outcome.memory.proposed
    assert proposed is not None
    assert 'no strategy is called "even"; the edit that drops it' in outcome.sentence
    day = proposed.effective_at.date()
    assert f"the edit that drops it takes effect on {day}. Until then even leaves" in (
        outcome.sentence
    )
    _clock(without).at += dt.timedelta(days=4)
    done = run_once(without, executes=True)
    assert "even" not in done.sentence
    assert done.memory.policy is not None
    assert done.memory.policy.strategy.layers == ()


def test_a_plug_in_that_is_installed_again_is_asked_again(bad):
    home = house(TOML + strategy("even"))
    run_once(home, executes=True)
    uninstall(bad)
    _clock(home).at += dt.timedelta(days=1)
    assert "no strategy is called" in run_once(home, executes=True).sentence
    (bad.with_name("gone")).rename(bad)
    outlook_module._plugged.cache_clear()
    _clock(home).at += dt.timedelta(minutes=5)
    assert "no strategy is called" not in run_once(home, executes=True).sentence


def uninstall(site: Path) -> None:
    site.rename(site.with_name("gone"))
    outlook_module._plugged.cache_clear()
    sys.modules.pop("bad_mixes", None)


def _clock(home: House) -> ManualClock:
    assert isinstance(home.clock, ManualClock)
    return home.clock
