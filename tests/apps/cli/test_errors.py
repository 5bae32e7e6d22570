import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from tests.apps.cli.command_line import document_of, in_a_process, trimtab

from trimtab.adapters.lease import Lease
from trimtab.apps.cli import ENTRIES, main
from trimtab.apps.cli.group import Entry

READERS = (("status",), ("plan",), ("run",), ("verify",), ("tax", "log"), ("policy",), ("explain",))


def _is_one_sentence(err: str) -> bool:
    return err.startswith("trimtab: ") and "Traceback" not in err and err.count("\n") == 1


@pytest.mark.parametrize("command", [*READERS, ("check",), ("watch",)], ids=" ".join)
def test_a_folder_that_is_not_there_is_named_in_one_sentence(tmp_path, command):
    ended = trimtab(*command, "--folder", tmp_path / "nowhere")
    assert ended.status == 2
    assert _is_one_sentence(ended.err)
    assert "nowhere" in ended.err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_an_empty_household_is_told_what_it_lacks_and_nothing_is_written(tmp_path, command):
    (tmp_path / "household.toml").write_text("")
    ended = trimtab(*command, "--folder", tmp_path)
    assert ended.status == 2
    assert "household" in ended.err
    assert "Traceback" not in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["household.toml"]


def test_a_folder_in_place_of_a_file_is_one_sentence(demo):
    (demo / "lots.csv").unlink()
    (demo / "lots.csv").mkdir()
    ended = trimtab("plan", "--folder", demo)
    assert ended.status == 2
    assert "lots.csv" in ended.err
    assert "Traceback" not in ended.err


def test_a_file_in_place_of_the_folder_is_one_sentence(demo):
    ended = trimtab("plan", "--folder", demo / "lots.csv")
    assert ended.status == 2
    assert _is_one_sentence(ended.err)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_one_sentence(demo):
    (demo / "household.toml").chmod(0)
    ended = trimtab("plan", "--folder", demo)
    assert ended.status == 2
    assert _is_one_sentence(ended.err)


@pytest.mark.parametrize("command", [("status",), ("plan",), ("run",), ("verify",)], ids=" ".join)
def test_a_journal_that_is_no_database_ends_with_six_and_stays_as_it_was(demo, command):
    for name in ("journal.sqlite-wal", "journal.sqlite-shm"):
        (demo / name).unlink(missing_ok=True)
    (demo / "journal.sqlite").write_text("dear diary")
    ended = trimtab(*command, "--folder", demo)
    assert ended.status == 6
    assert _is_one_sentence(ended.err)
    assert (demo / "journal.sqlite").read_text() == "dear diary"


@pytest.mark.parametrize("command", [("plan",), ("run",), ("verify",)], ids=" ".join)
def test_books_of_the_paper_broker_that_cannot_be_read_end_with_five(demo, command):
    (demo / "paper.json").write_text('{"accounts": ')
    ended = trimtab(*command, "--folder", demo)
    assert ended.status == 5
    assert _is_one_sentence(ended.err)
    assert (demo / "paper.json").read_text() == '{"accounts": '


@pytest.mark.parametrize("command", [("run",), ("verify",), ("paper", "deposit", "joint", "5")])
def test_while_another_process_works_a_second_one_ends_with_seven(demo, command):
    with Lease(demo / "journal.sqlite", command="trimtab run"):
        ended = trimtab(*command, "--folder", demo)
        assert "`trimtab run`" in trimtab("status", "--folder", demo).out
    assert ended.status == 7
    assert "`trimtab run`" in ended.err


def test_with_json_an_error_is_a_document_too(tmp_path):
    ended = trimtab("plan", "--json", "--folder", tmp_path)
    document = document_of(ended)
    assert document["schema"] == "trimtab/error/1"
    assert document["exit_status"] == ended.status == 2
    assert f"trimtab: {document['error']}\n" == ended.err


def _with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make `trimtab plan` raise *error*."""

    @click.command("plan")
    @click.option("--folder", default=".")
    @click.option("--json", is_flag=True)
    def command(folder: str, json: bool) -> None:
        raise error

    monkeypatch.setattr(sys.modules[__name__], "broken", command, raising=False)
    monkeypatch.setitem(ENTRIES, "plan", Entry(__name__, "Broken.", "broken"))
    assert main.entries is ENTRIES


def test_a_bug_says_that_it_is_one_and_keeps_its_traceback_beside_the_household(demo, monkeypatch):
    _with(monkeypatch, AssertionError("a quantity step is positive"))
    ended = trimtab("plan", "--folder", demo)
    assert ended.status == 70
    assert _is_one_sentence(ended.err)
    assert "bug in trimtab" in ended.err
    assert "nothing more was sent" in ended.err
    assert "AssertionError: a quantity step" in (demo / "trimtab-crash.txt").read_text()


def test_where_there_is_no_household_a_bug_keeps_its_traceback_among_temporary_files(
    tmp_path, monkeypatch
):
    _with(monkeypatch, KeyError("x"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert trimtab("plan", "--folder", tmp_path / "nowhere").status == 70
    assert (tmp_path / "trimtab-crash.txt").exists()


def test_an_interruption_ends_with_130_and_no_traceback(monkeypatch):
    _with(monkeypatch, KeyboardInterrupt())
    ended = trimtab("plan")
    assert ended.status == 130
    assert "interrupted" in ended.err


def test_a_system_error_that_nobody_foresaw_is_one_sentence(monkeypatch):
    _with(monkeypatch, OSError(28, "No space left on device", "tax.csv"))
    ended = trimtab("plan")
    assert ended.status == 2
    assert "tax.csv: No space left on device" in ended.err


@pytest.mark.skipif(os.name != "posix", reason="pipes close this way on POSIX systems")
def test_a_reader_that_leaves_early_gets_no_complaint(demo):
    program = f"{sys.executable} -c 'from trimtab.apps.cli import main; main()'"
    line = f"{program} explain joint --folder {demo} | head -0; echo ${{PIPESTATUS[0]}}"
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash tells the status of each part of a pipe")
    done = subprocess.run([bash, "-c", line], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() in {"0", "141"}


def test_a_name_that_the_terminal_cannot_write_ends_nothing(demo):
    rules = demo / "household.toml"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("Maya and Jon", "Łucja"), encoding="utf-8")
    code = (
        "import sys, io; sys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'latin-1'); "
        "from trimtab.apps.cli import main; main()"
    )
    ended = in_a_process("status", "--folder", str(demo), code=code)
    assert ended.status == 0, ended.err
    assert "household of ?ucja" in ended.out


@pytest.mark.skipif(os.name != "posix", reason="signals are sent this way on POSIX systems")
def test_a_watch_prints_the_document_of_each_look_on_a_line(untouched):
    rules = untouched / "household.toml"
    rules.write_text(f"{rules.read_text()}\n[schedule]\nminutes_after_open = 0\n")
    with _watching(untouched, "--execute", "--json") as process:
        assert process.stdout is not None
        look = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
    assert rest == ""
    assert look["schema"] == "trimtab/run/1"
    assert look["status"] == "executed"
    assert look["executions"]
    assert look["realized"]
    lots = [lot for trade in look["decision"]["trades"] for lot in trade["lots"]]
    assert lots
    assert all(lot["acquired"] for lot in lots)


@pytest.mark.skipif(os.name != "posix", reason="signals are sent this way on POSIX systems")
def test_a_watch_that_is_told_to_stop_ends_with_zero(demo):
    with _watching(demo) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        rest, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "UTC" in first
    assert "stopped by SIGTERM" in first + rest


def _watching(folder: Path, *options: str) -> "subprocess.Popen[str]":
    code = "from trimtab.apps.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-u", "-c", code, "watch", "--folder", str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
