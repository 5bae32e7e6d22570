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
from tests.houses import START, TOML, FixedPrices, house_of

from trimtab.apps import outlook as outlook_module
from trimtab.apps.outlook import outlook_of
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
        targets(wrong)


def test_without_the_package_its_name_is_unknown():
    outlook_module._plugged.cache_clear()
    with pytest.raises(StrategyFault, match='no strategy is called "inverse_volatility"'):
        targets()


def test_the_tests_of_the_example_pass_in_a_copy_of_it(installed):
    copy, target = installed
    run("pytest", "-q", "-p", "no:cacheprovider", folder=copy, path=(target,))


def test_the_example_says_what_it_is_installed_as():
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    project = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    for word in ("inverse_volatility", MODULE):
        assert word in readme
        assert word in project
