"""The program as a person meets it: run in this process, on a demo that is made once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner, Result

from trimtab.apps.cli import main


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def trimtab(*arguments: str | Path) -> Ended:
    result: Result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return Ended(result.exit_code, result.stdout, result.stderr)


def in_a_process(*arguments: str, code: str = "from trimtab.apps.cli import main; main()") -> Ended:
    """The same in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def document_of(ended: Ended) -> dict[str, Any]:
    lines = ended.out.splitlines()
    assert len(lines) == 1, "one JSON object on one line"
    document: dict[str, Any] = json.loads(lines[0])
    return document
