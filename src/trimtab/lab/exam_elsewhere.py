"""The same strategy asked in fresh processes, in which nothing is left of what was before.

Each process hashes text in a way of its own, so that an answer that depends on the order of a set
differs from one to the other.
"""

import os
import subprocess
import sys
from importlib import import_module

import msgspec

from trimtab.domain.aims import StrategyRule
from trimtab.lab.exam_room import Candidate, Maker, asked, ordinary, told

_HASH_SEEDS = ("1", "2")


def answers_elsewhere(candidate: Candidate) -> tuple[list[str], list[str]]:
    """What two processes say on the ordinary days, in JSON.

    Nothing where a process cannot find the maker: it must have a name in a module.
    """
    name = _name_of(candidate.make)
    if name is None:
        return [], []
    task = msgspec.json.encode(_Task(name, candidate.rule))
    workers = [_worker(seed) for seed in _HASH_SEEDS]
    written = [worker.communicate(task)[0] for worker in workers]
    if any(worker.returncode for worker in workers):
        return [], []
    first, second = (msgspec.json.decode(one, type=list[str]) for one in written)
    return first, second


def answer_elsewhere() -> None:
    """What a fresh process does: read a task, ask the strategy, write its answers."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=_Task)
    candidate = Candidate(_found(*task.maker), task.rule)
    answers = [told(asked(candidate, sitting)) for sitting in ordinary(candidate)]
    sys.stdout.buffer.write(msgspec.json.encode(answers))


class _Task(msgspec.Struct, frozen=True):
    maker: tuple[str, str]
    rule: StrategyRule


def _worker(seed: str) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(  # noqa: S603  this very Python, and a line that stands here
        [sys.executable, "-c", f"from {__name__} import answer_elsewhere as it; it()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
    )


def _name_of(make: Maker) -> tuple[str, str] | None:
    """By which module and name another process finds *make*; None where it cannot."""
    module, name = getattr(make, "__module__", None), getattr(make, "__qualname__", "<")
    if not isinstance(module, str) or module == "__main__" or "<" in name:
        return None
    try:
        return (module, name) if _found(module, name) == make else None
    except (ImportError, AttributeError):
        return None


def _found(module: str, name: str) -> Maker:
    found: object = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    assert callable(found), "a maker can be called"
    return found
