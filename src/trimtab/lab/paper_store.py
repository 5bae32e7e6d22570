"""Where the paper broker keeps its books: in memory, or in one file that is replaced whole."""

import os
from pathlib import Path
from typing import Protocol

from trimtab.domain.errors import BrokerUnknown


class Store(Protocol):
    """Where the paper broker keeps its books."""

    def load(self) -> bytes | None:
        """What was saved last; None before the first time."""
        ...

    def save(self, content: bytes) -> None:
        """Keep *content*, durably and whole, in place of what was there.

        Raises:
            BrokerUnknown: it may or may not have been kept.
        """
        ...


class MemoryStore:
    """Books that live as long as the process."""

    def __init__(self, content: bytes | None = None) -> None:
        self._content = content

    def load(self) -> bytes | None:
        """What was saved last."""
        return self._content

    def save(self, content: bytes) -> None:
        """Keep *content*."""
        self._content = content


class FileStore:
    """Books in one file, replaced whole: a power cut leaves the old file or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> bytes | None:
        """The file's content; None where there is no file.

        Raises:
            BrokerUnknown: the file cannot be read.
        """
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BrokerUnknown(
                f"The paper broker's books in {self._path} cannot be read ({error.strerror}): "
                "allow reading the file, then run again."
            ) from error

    def save(self, content: bytes) -> None:
        """Write a file beside it, flush it to the disk and put it in place.

        Raises:
            BrokerUnknown: the disk is full or the folder cannot be written.
        """
        draft = self._path.with_name(f"{self._path.name}.draft")
        try:
            with open(draft, "wb", opener=_private) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            _flush_folder(self._path.parent)
        except OSError as error:
            raise BrokerUnknown(
                f"The paper broker's books could not be written to {self._path} "
                f"({error.strerror}): make room or allow writing there, then run again."
            ) from error


def _private(path: str, flags: int) -> int:
    """An opener whose file only its owner may read."""
    return os.open(path, flags, 0o600)


def _flush_folder(folder: Path) -> None:
    """Make a renaming in *folder* durable; Windows neither needs nor allows it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
