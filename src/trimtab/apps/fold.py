"""The journal folded in parts: a process that looks often reads on from where it stopped."""

from trimtab.domain.errors import JournalBroken
from trimtab.domain.memory import Memory, remember
from trimtab.domain.ports import Journal


class Fold:
    """What one journal has told so far. Each reading folds what was appended since the last one.

    Nothing is taken on trust: each reading begins with the entry that the last one ended with,
    which must still have its hash, and the journal links what follows to that hash. What another
    process appended is read like everything else.
    """

    def __init__(self) -> None:
        """Nothing is read yet, so that the first reading is of the whole journal."""
        self._memory = Memory()
        self._sequence, self._hash = 0, ""

    def read(self, journal: Journal) -> Memory:
        """The whole of *journal*, folded: what `load` gives, at the price of what is new.

        Raises:
            JournalBroken: the chain does not hold, or does not go on from the entry read last;
                what was folded before is left as it was.
        """
        entries = list(journal.entries(max(0, self._sequence - 1)))
        if self._sequence and (not entries or entries[0].hash != self._hash):
            raise JournalBroken(
                f"entry {self._sequence} of the journal is not the one that was read before: it "
                "was changed, or another journal put in its place, while trimtab worked; restore "
                "the newest backup and do not trade on this file"
            )
        fresh = entries[1:] if self._sequence else entries
        if fresh:
            self._memory = remember(self._memory, fresh)
            self._sequence, self._hash = fresh[-1].sequence, fresh[-1].hash
        return self._memory
