"""Writes a file whole or not at all, and never over what a command reads."""

import shutil
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import click

_INPUTS = ("transactions", "brokers", "files", "accounts", "identical", "mapping", "scheduled")
"""The parameters of tax commands that name files to read."""


def write_new(path: Path, text: str, option: str) -> None:
    """Write *text* whole into a file beside *path*, then put it in place.

    A link is followed: the file that it names is written.

    Raises:
        InputError: it cannot be written, is no ordinary file, or is read by the command itself;
            *option* is what named it.
    """
    from trimtab.domain.errors import InputError

    try:
        target = path.resolve()
        refusal = _refusal(path, target)
        if not refusal:
            _put(target, text)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that go round in a circle
        what = getattr(error, "strerror", None) or error
        msg = f"{path} cannot be written ({what}): name another file with {option}."
        raise InputError(msg) from error
    if refusal:
        msg = f"{path} {refusal}: name another file with {option}. Nothing was written."
        raise InputError(msg)


def require_free(path: Path, option: str) -> None:
    """Refuse to write over anything that `write_new` would not write over.

    Raises:
        InputError: as there.
    """
    from trimtab.domain.errors import InputError

    refusal = _refusal(path, path.resolve())
    if refusal:
        msg = f"{path} {refusal}: name another file with {option}. Nothing was written."
        raise InputError(msg)


def _refusal(path: Path, target: Path) -> str:
    """Why nothing may be written over *target*; empty where it may."""
    if path.is_dir():
        return "is a folder"
    if path.exists() and not path.is_file():
        return "is no ordinary file"
    context = click.get_current_context(silent=True)
    for own in () if context is None else _inputs(context.params):
        if own.resolve() == target or (own.exists() and target.exists() and own.samefile(target)):
            also = "" if own == path else f" ({own})"
            return f"is what this command reads{also}"
    return ""


def _inputs(parameters: Mapping[str, Any]) -> Iterator[Path]:
    """Every file that a command with these *parameters* reads."""
    for name in _INPUTS:
        told = parameters.get(name)
        for one in told if isinstance(told, tuple) else (told,):
            if isinstance(one, Path):
                yield one
    folder = parameters.get("folder")
    if isinstance(folder, Path) and not parameters.get("transactions"):
        yield from _household_files(folder)


def _household_files(folder: Path) -> Iterator[Path]:
    """Everything of a household that lies in *folder*."""
    from trimtab.apps.home import Home, read_household

    home = Home(folder)
    yield from (home.household_toml, home.paper, home.watch, home.pause_flag)
    yield from (home.journal.with_name(f"{home.journal.name}{end}") for end in ("", "-wal", "-shm"))
    data = read_household(home).data
    yield from (folder / name for name in (data.lots, data.cash, data.sales, *data.prices) if name)


def _put(target: Path, text: str) -> None:
    """Write *text* under a name that nothing has, and give it that of *target*."""
    for number in count(1):
        draft = target.with_name(f".trimtab-{number}.partial")
        try:
            stream = draft.open("x", encoding="utf-8", newline="")
        except FileExistsError:
            continue
        break
    try:
        with stream:
            stream.write(text)
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
