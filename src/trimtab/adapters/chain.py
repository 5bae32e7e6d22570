r"""How events become the rows of a journal, and the rows events again: one chain of hashes.

The hash of a row is the SHA-256 of six lines, each ended by a line feed, in UTF-8: the hash of
the row before (64 zeros before the first), then `sequence`, `at`, `cycle`, `kind` and `payload`
as they stand in the table. None of them contains a line feed, so nothing can be shifted from one
line into another. Anybody can check a row with the tools of every system:

    printf '%s\n' "$previous" "$sequence" "$at" "$cycle" "$kind" "$payload" | sha256sum

`payload` is the event as one line of JSON, with every Decimal as a string; it is hashed and
stored as it was first written and never encoded again. `at` is UTC to the microsecond.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple, get_args

import msgspec

from trimtab.domain.errors import JournalBroken, JournalError
from trimtab.domain.events import Entry, Event

KINDS = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Event))
"""The kinds of event that this version can read."""

_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class Head(NamedTuple):
    """Where a chain ends: the number of its last row, and that row's hash."""

    sequence: int
    hash: str


GENESIS = Head(0, "0" * 64)
"""The end of an empty chain."""


class Row(NamedTuple):
    """One row of a journal, its columns as they are stored and hashed."""

    sequence: int
    at: bytes
    cycle: bytes
    kind: bytes
    payload: bytes
    hash: bytes


def link(
    events: Iterable[Event], *, at: dt.datetime, cycle: str, after: Head
) -> Iterator[tuple[Row, Entry]]:
    """The rows that continue the chain from *after*, each with the entry that it will be read as.

    Raises:
        JournalError: an event holds text that no UTF-8 file can hold.
    """
    assert at.tzinfo is not None, "an event happens at an instant; a naive time is none"
    assert cycle.isprintable(), "a cycle's name is one line"
    instant = at.astimezone(dt.UTC)
    stamp = instant.replace(tzinfo=None).isoformat(timespec="microseconds").encode() + b"Z"
    name = cycle.encode()
    head = after
    for event in events:
        kind, payload = _encode(event)
        sequence = head.sequence + 1
        head = Head(
            sequence, _hash(head.hash.encode(), sequence, stamp, name, kind, payload).decode()
        )
        yield (
            Row(sequence, stamp, name, kind, payload, head.hash.encode()),
            Entry(sequence=sequence, at=instant, cycle=cycle, event=event, hash=head.hash),
        )


def read(rows: Iterable[Row], *, after: Head, source: str) -> Iterator[Entry]:
    """The entries of *rows*, each checked against the one before it; *source* names the journal.

    Raises:
        JournalBroken: a row is missing, or is not what was written.
        JournalError: a row holds what only a newer version of trimtab can read.
    """
    expected, previous = after.sequence, after.hash.encode()
    for sequence, at, cycle, kind, payload, hash_ in rows:
        expected += 1
        if sequence != expected:
            raise JournalBroken(
                f"{source}: entry {expected} is missing, entry {sequence} stands in its place; "
                "restore the newest backup and do not trade on this file"
            )
        if _hash(previous, sequence, at, cycle, kind, payload) != hash_:
            raise JournalBroken(
                f"{source}: entry {sequence} does not fit its hash: it, or the order of entries, "
                "was changed after it was written; restore the newest backup and do not trade on "
                "this file"
            )
        previous = hash_
        yield Entry(
            sequence=sequence,
            at=dt.datetime.fromisoformat(at.decode()),
            cycle=cycle.decode(),
            event=_decode(sequence, kind.decode(), payload, source),
            hash=hash_.decode(),
        )


def _hash(
    previous: bytes, sequence: int, at: bytes, cycle: bytes, kind: bytes, payload: bytes
) -> bytes:
    lines = b"%b\n%d\n%b\n%b\n%b\n%b\n" % (previous, sequence, at, cycle, kind, payload)
    return sha256(lines).hexdigest().encode()


def _encode(event: Event) -> tuple[bytes, bytes]:
    kind = str(event.__struct_config__.tag)
    try:
        return kind.encode(), _ENCODER.encode(event)
    except UnicodeEncodeError as error:
        raise JournalError(
            f"the event {kind!r} holds text that is not Unicode ({error.object!r}); nothing was "
            "written; correct it where it came from"
        ) from error


def _decode(sequence: int, kind: str, payload: bytes, source: str) -> Event:
    if kind not in KINDS:
        raise JournalError(
            f"{source}: entry {sequence} is of the kind {kind!r}, which this version of trimtab "
            "does not know; a newer version wrote it: update trimtab"
        )
    try:
        return _DECODER.decode(payload)
    except msgspec.DecodeError as error:
        raise JournalError(
            f"{source}: entry {sequence} ({kind}) is unchanged, but this version of trimtab "
            f"cannot read it: {error}; a newer version wrote it: update trimtab"
        ) from error
