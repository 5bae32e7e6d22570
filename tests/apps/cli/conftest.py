import shutil
from pathlib import Path

import pytest
from tests.apps.cli.command_line import trimtab


@pytest.fixture(scope="session")
def _demo_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("once") / "demo"
    ended = trimtab("demo", "--into", folder, "--seed", "1")
    assert ended.status == 0, ended.err
    return folder


@pytest.fixture
def demo(_demo_once: Path, tmp_path: Path) -> Path:
    """A copy of a demo that has traded once, to do with as a test likes."""
    return Path(shutil.copytree(_demo_once, tmp_path / "demo"))


@pytest.fixture
def untouched(_demo_once: Path, tmp_path: Path) -> Path:
    """The same household before its first turn."""
    folder = tmp_path / "untouched"
    folder.mkdir()
    for name in ("household.toml", "lots.csv", "cash.csv", "sales.csv"):
        shutil.copy(_demo_once / name, folder / name)
    return folder
