"""What a person sees on a terminal of a given width."""

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX's")


def on_a_terminal(columns: int, *arguments: str) -> str:
    """Standard output of trimtab on a terminal *columns* wide."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        environment.pop(name, None)
    code = "from trimtab.apps.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # Linux says so when the other end is closed
            pass
        finally:
            os.close(ours)
        assert process.wait(timeout=60) == 0
    return shown.decode()


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", [("status",), ("plan",), ("tax", "log")], ids=" ".join)
def test_on_a_terminal_every_line_fits_and_no_figure_is_cut(untouched: Path, command, columns):
    lines = ANSI.sub("", on_a_terminal(columns, *command, "--folder", str(untouched))).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= columns
    assert not any("…" in line for line in lines)


def test_a_terminal_gets_colour_and_the_same_words(untouched: Path):
    shown = on_a_terminal(120, "status", "--folder", str(untouched))
    assert ANSI.search(shown)
    assert "armed" in shown
    assert "us-stocks" in shown


def test_a_narrow_terminal_says_what_a_wider_one_also_shows(untouched: Path):
    shown = ANSI.sub("", on_a_terminal(80, "plan", "--folder", str(untouched)))
    assert "A wider terminal also shows:" in shown
