"""The bytes of a broker's file, read once within limits, and what kind of file they are."""

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from trimtab.adapters.delimited import LINE_SIZE_MAX
from trimtab.domain.errors import InputError

SOURCE_SIZE_MAX = 50 * 2**20
"""More than a household's broker has ever to say; a table of this size is read in seconds."""

Kind = Literal["delimited", "flex", "ofx"]

_HEAD_SIZE = 2**16
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)
_PACKED = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "packed with gzip",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_JSON = re.compile(rb"""\{|\[\s*[\[{"\]]""")
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_ODD_SHARE_MAX = 5
"""Of so many letters at most one may lie outside ASCII in a file read as Windows-1252."""


class Source(NamedTuple):
    """A file's bytes and their kind."""

    path: Path
    data: bytes
    kind: Kind


def read_source(path: Path) -> Source:
    """The bytes of the file at *path*; a table with an endless line is not read to its end.

    Raises:
        InputError: there is no such file, it cannot be read, is empty or too large, or its
            content is none that any importer serves.
    """
    require_ordinary(path)
    try:
        with _open(path) as stream:
            # What has nothing to say yet gives None, not bytes.
            head = stream.read(_HEAD_SIZE) or b""
            kind = _kind(path, head)
            data = bytearray(head)
            line_size = _open_line(path, kind, head, 0)
            while chunk := stream.read(LINE_SIZE_MAX):
                line_size = _open_line(path, kind, chunk, line_size)
                data += chunk
                if len(data) > SOURCE_SIZE_MAX:
                    most = SOURCE_SIZE_MAX // 2**20
                    raise InputError(f"{path} is larger than {most} MB: export a shorter period")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): check the file") from error
    return Source(path, bytes(data), kind)


def require_ordinary(path: Path) -> None:
    """Refuse what is no file of a disk, before it is opened: reading it may wait for ever.

    Files that the system makes up as they are read (/proc, /sys) have no size, or no end.

    Raises:
        InputError: there is no such file, it is a folder, a pipe or a device, or it is empty.
    """
    try:
        about = path.stat()
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}: correct its name") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): check the file") from error
    if stat.S_ISDIR(about.st_mode):
        raise InputError(f"{path} is a folder: name one file in it")
    if not stat.S_ISREG(about.st_mode):
        raise InputError(f"{path} is no ordinary file: name a file that the broker exported")
    if about.st_size == 0:
        raise InputError(f"{path} is empty: export it again")


def decode(source: Source) -> tuple[str, tuple[str, ...]]:
    """The text of *source*, and a note where its encoding had to be found out.

    UTF-8 is read with or without a mark, UTF-16 with one, and Windows-1252 where most of it
    is ASCII.

    Raises:
        InputError: it is no text, or in an encoding that cannot be told.
    """
    path, data, _ = source
    notes: tuple[str, ...] = ()
    try:
        text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        if data.startswith(_UTF_16):
            raise InputError(f"{path} is broken UTF-16: save it as CSV UTF-8") from error
        text = _windows_text(path, data, error)
        notes = ("the file is not UTF-8; it was read as Windows-1252: check names with accents",)
    odd = _NO_TEXT.search(text)
    if odd is None:
        return text, notes
    if odd[0] == "\0" and data.count(b"\0") * 3 > len(data):
        raise InputError(f"{path} looks like UTF-16 without its mark: save it as CSV UTF-8")
    line = text.count("\n", 0, odd.start()) + 1
    raise InputError(f"{path}, line {line}: this is not text: export it again as CSV")


def _open(path: Path) -> BinaryIO:
    """The file at *path*, opened so that it never waits: what changed meanwhile is refused."""
    stream = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_WAITING))  # noqa: SIM115  the caller closes it
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError("it is no ordinary file")
    return stream


def _kind(path: Path, head: bytes) -> Kind:
    """What the first bytes of a file say that it is."""
    for magic, what in _PACKED.items():
        if head.startswith(magic):
            raise InputError(f"{path} is {what}: export or save it as CSV")
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if not start:
        raise InputError(f"{path} is empty: export it again")
    if start.startswith((b"ofxheader", b"<ofx>")):
        return "ofx"
    if _JSON.match(start):
        raise InputError(f"{path} is JSON: export the same list as CSV")
    if not start.startswith(b"<"):
        return "delimited"
    if b"<?ofx" in start or b"<ofx>" in start:
        return "ofx"
    if b"<flex" in start:
        return "flex"
    if b"<html" in start or b"<!doctype html" in start:
        raise InputError(f"{path} is a web page: log in at the broker and export the list again")
    raise InputError(f"{path} is XML of an unknown kind: trimtab reads IBKR Flex and OFX")


def _open_line(path: Path, kind: Kind, chunk: bytes, open_size: int) -> int:
    """How long the line is that *chunk* leaves open, after one of *open_size* bytes.

    No whole line within one chunk can be too long: a chunk is no longer than a line may be.
    """
    if kind != "delimited":
        return 0
    first = re.search(rb"[\r\n]", chunk)
    size = open_size + (first.start() if first else len(chunk))
    if size > LINE_SIZE_MAX:
        most = LINE_SIZE_MAX // 2**20
        raise InputError(f"{path} has a line longer than {most} MB: this is no table")
    if first is None:
        return size
    return len(chunk) - 1 - max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))


def _windows_text(path: Path, data: bytes, error: UnicodeDecodeError) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    refusal = (
        f"{path}, line {line}: the byte 0x{data[error.start]:02x} is not UTF-8:"
        " save the file as CSV UTF-8"
    )
    odd = sum(byte > 0x7F for byte in data)  # noqa: PLR2004  the last letter of ASCII
    if odd * _ODD_SHARE_MAX > len(data):
        raise InputError(refusal) from error
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        raise InputError(refusal) from error
