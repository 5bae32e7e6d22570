import re

import click
import pytest
from tests.apps.cli.command_line import in_a_process, trimtab

from trimtab.apps.cli import ENTRIES, main
from trimtab.apps.cli.door import MEANINGS
from trimtab.domain import errors

HEAVY = ("numpy", "pandas", "sqlite3", "rich", "exchange_calendars")
LOADED = f"import sys; print([name for name in {HEAVY!r} if name in sys.modules])"


def _leaves() -> list[tuple[str, ...]]:
    context = click.Context(main, info_name="trimtab")
    found: list[tuple[str, ...]] = []
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, child) for child in command.list_commands(context)]
    return found


def _command(path: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


def test_every_command_that_the_program_lists_exists_under_its_name():
    for name in ENTRIES:
        assert _command((name,)).name == name


def test_the_list_of_commands_says_what_each_command_says_of_itself():
    for name, entry in ENTRIES.items():
        assert (_command((name,)).help or "").splitlines()[0] == entry.summary


@pytest.mark.parametrize("path", _leaves(), ids=" ".join)
def test_every_command_has_help_with_an_example_that_names_it(path):
    ended = trimtab(*path, "--help")
    assert ended.status == 0
    assert re.search(rf"Examples?:\n +trimtab {path[0]}", ended.out)


@pytest.mark.parametrize("path", [p for p in _leaves() if p not in {("tax",), ("paper",)}])
def test_every_command_that_reads_a_household_takes_its_folder(path):
    if path in {("demo",), ("import",)}:
        return
    assert any("--folder" in parameter.opts for parameter in _command(path).params)


@pytest.mark.parametrize("option", ["--help", "--version", "-h"])
def test_help_and_version_load_no_numpy_no_pandas_and_no_database(option):
    code = f"import sys\nfrom trimtab.apps.cli import main\ntry:\n main()\nfinally:\n {LOADED}"
    ended = in_a_process(option, code=code)
    assert ended.status == 0
    assert ended.out.splitlines()[-1] == "[]"
    assert "msgspec" not in ended.out


@pytest.mark.parametrize("name", list(ENTRIES))
def test_the_help_of_each_command_stays_as_light(name):
    code = f"import sys\nfrom trimtab.apps.cli import main\ntry:\n main()\nfinally:\n {LOADED}"
    assert in_a_process(name, "--help", code=code).out.splitlines()[-1] == "[]"


def test_without_a_command_the_program_says_what_there_is():
    ended = trimtab()
    assert ended.status == 0
    assert "trimtab demo" in ended.out


def test_the_help_names_every_exit_status_with_its_meaning():
    shown = trimtab("--help").out
    for status, meaning in MEANINGS.items():
        assert f"{status:>3}  {meaning}" in shown


def test_every_error_of_the_tree_ends_with_a_status_that_is_explained():
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.TrimtabError):
            assert kind is errors.TrimtabError or kind.exit_status in MEANINGS


def test_the_page_on_exit_statuses_says_the_same(request):
    page = (request.config.rootpath / "docs/reference/exit-statuses.md").read_text()
    told = re.findall(r"^\| (\d+) \| (.+?) \|", page, re.MULTILINE)
    assert {int(status): meaning for status, meaning in told} == MEANINGS


def test_a_mistyped_command_is_answered_with_the_one_that_was_meant():
    ended = trimtab("statuss")
    assert ended.status == 2
    assert "Did you mean 'status'" in ended.err
    assert "Traceback" not in ended.err


def test_a_mistyped_option_is_one_sentence_that_names_the_help():
    ended = trimtab("plan", "--exceute")
    assert ended.status == 2
    assert ended.err.startswith("trimtab: No such option")
    assert "`trimtab plan --help`" in ended.err
