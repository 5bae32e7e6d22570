"""Everything that can go wrong, in one tree, with the exit status each ends with.

An error is one sentence that says what was found, where, and what to do. A *refusal* (`Held`,
`Discrepancy`) is a value and never raised; a *bug* is an `assert`.
"""

from typing import ClassVar


class TrimtabError(Exception):
    """Base of every error that a user can meet; `str(error)` is the sentence to print."""

    exit_status: ClassVar[int] = 1


class InputError(TrimtabError):
    """What the user gave cannot be used: a file, a value, an option."""

    exit_status = 2


class FileFaults(InputError):
    """All faults of one file or document, reported together."""

    def __init__(self, source: str, faults: "list[str] | tuple[str, ...]") -> None:
        """Keep *faults* (one sentence each) found in *source*."""
        self.source = source
        self.faults = tuple(faults)
        count = len(self.faults)
        head = f"{source}: {count} fault{'' if count == 1 else 's'}"
        super().__init__("\n".join([head, *(f"  - {fault}" for fault in self.faults)]))


class MissingExtra(InputError):
    """A part of trimtab is needed whose libraries are not installed."""


class StrategyFault(InputError):
    """A strategy broke its promise: its weights are none, or it is not there."""


class DataSuspect(TrimtabError):
    """A price or position cannot be trusted, so nothing may be decided on it."""

    exit_status = 5


class JournalError(TrimtabError):
    """The journal cannot be read or written; nothing was sent to a broker because of it."""

    exit_status = 6


class JournalBroken(JournalError):
    """The chain of hashes does not hold: a row was changed, lost or added."""


class JournalBusy(JournalError):
    """Another program holds the journal's database longer than we wait."""


class JournalFull(JournalError):
    """The disk (or the database's page limit) is full; the last write was undone whole."""


class LeaseHeld(TrimtabError):
    """Another process works on this household now."""

    exit_status = 7


class BrokerError(TrimtabError):
    """The broker could not do what was asked."""

    exit_status = 8


class BrokerRefused(BrokerError):
    """The broker said no, definitely: the order does not and will not exist."""


class BrokerUnknown(BrokerError):
    """Time-out, dropped line, 5xx or garbage: it may have happened. Look it up, never re-send."""


class Interrupted(TrimtabError):
    """The user or the system asked to stop; the journal says where to go on."""

    exit_status = 130
