"""Where errors end: one sentence on standard error, an exit status, and never a traceback."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from trimtab.domain.errors import TrimtabError

DONE = 0
WRONG_INPUT = 2
HELD = 3
DISCREPANCIES = 4
DATA_SUSPECT = 5
BROKER = 8
BUG = 70
INTERRUPTED = 130
BROKEN_PIPE = 141

MEANINGS = {
    DONE: "done, or nothing to do",
    WRONG_INPUT: "wrong input",
    HELD: "held: something was to be done and is not, by a gate or a stop (run, tax guard)",
    DISCREPANCIES: "journal or records and broker disagree (verify, run, tax reconcile)",
    DATA_SUSPECT: "a price or a file of the broker cannot be trusted",
    6: "the journal cannot be read or written",
    7: "another trimtab works on this household",
    BROKER: "the broker did not answer or refused",
    BUG: "a bug in trimtab",
    INTERRUPTED: "interrupted",
    BROKEN_PIPE: "whoever read the output stopped reading",
}
"""What each exit status means; docs/reference/exit-statuses.md says more."""

_INTERRUPTED = "interrupted; the journal says where to go on, and the next run settles the rest."
CRASH_FILE = "trimtab-crash.txt"


def exit_status_of(call: Callable[[], object], arguments: Sequence[str]) -> int:  # noqa: PLR0911  one line for each way to end: a table
    """Run *call* and give its exit status; whatever it raises is told in one sentence."""
    wants_json = "--json" in arguments
    try:
        status = call()
        sys.stdout.flush()
    except TrimtabError as error:
        return _tell(str(error), error.exit_status, wants_json=wants_json)
    except click.ClickException as error:
        return _tell(_usage_sentence(error), WRONG_INPUT, wants_json=wants_json)
    except (click.Abort, KeyboardInterrupt):
        return _tell(_INTERRUPTED, INTERRUPTED, wants_json=wants_json)
    except BrokenPipeError:
        return leave_pipe()
    except OSError as error:
        return _tell(_os_sentence(error), WRONG_INPUT, wants_json=wants_json)
    except Exception as error:  # noqa: BLE001  the last door: what comes here is a bug of ours
        return _tell(_bug_sentence(error, arguments), BUG, wants_json=wants_json)
    return status if isinstance(status, int) else DONE


def leave_pipe() -> int:
    """Whoever read us has gone: what is left in the buffer goes nowhere, without a complaint."""
    with Path(os.devnull).open("wb") as nowhere:
        for stream in (sys.stdout, sys.stderr):
            try:
                os.dup2(nowhere.fileno(), stream.fileno())
            except (OSError, ValueError):
                continue
    return BROKEN_PIPE


def _tell(sentence: str, status: int, *, wants_json: bool) -> int:
    try:
        click.echo(_wrapped(f"trimtab: {sentence}"), err=True)
        if wants_json:
            from trimtab.apps.cli.terminal import show_document
            from trimtab.apps.views.documents import ErrorDocument

            show_document(ErrorDocument(error=sentence, exit_status=status))
            sys.stdout.flush()
    except BrokenPipeError:
        leave_pipe()
    return status


def _wrapped(text: str) -> str:
    """*text* in lines as wide as the terminal; as it is where nobody reads it there."""
    if not sys.stderr.isatty():
        return text
    import shutil
    import textwrap

    width = max(40, shutil.get_terminal_size().columns)
    lines = text.splitlines()
    return "\n".join(
        textwrap.fill(line, width, subsequent_indent="    ", break_long_words=False)
        for line in lines
    )


def _usage_sentence(error: click.ClickException) -> str:
    sentence = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        sentence += f" `{error.ctx.command_path} --help` shows what there is."
    return sentence


def _os_sentence(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}; nothing more was sent to a broker."


def _bug_sentence(error: Exception, arguments: Sequence[str]) -> str:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return (
        f"this is a bug in trimtab, not in your files ({what}); nothing more was sent to a broker; "
        f"the traceback is in {_keep_traceback(error, arguments)}: please report it with that file."
    )


def _keep_traceback(error: Exception, arguments: Sequence[str]) -> str:
    """Where the traceback was written: beside household.toml, else in the temporary folder."""
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    for folder in (_folder_of(arguments), Path(tempfile.gettempdir())):
        if folder is None:
            continue
        path = folder / CRASH_FILE
        try:
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue
        return str(path)
    return "no file, as none could be written"


def _folder_of(arguments: Sequence[str]) -> Path | None:
    folder = Path()
    for at, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name in {"--folder", "--into"}:
            folder = Path(value or (arguments[at + 1] if at + 1 < len(arguments) else "."))
    return folder if (folder / "household.toml").is_file() else None
