"""The household as the next turn will find it: what every command that only looks begins with."""

from collections.abc import Mapping
from typing import NamedTuple

from trimtab.apps.world import House, Recorder, load, open_books, take_in, verify
from trimtab.domain.errors import BrokerUnknown
from trimtab.domain.flows import flow_in
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO, Money
from trimtab.rules.words import money


class Observed(NamedTuple):
    """What there is to remember, and by account what came in (out: negative) and is not booked."""

    memory: Memory
    unbooked: dict[str, Money]


def observe(house: House, command: str) -> Observed:
    """What the files and the brokers say by now, on top of the journal of a *house* looked at.

    Brokers are asked and told nothing: an order without an answer stays one. A broker that gives
    no word is a discrepancy, as in a turn.

    Raises:
        InputError: the journal holds something that household.toml no longer describes, or a file
            was not updated after a split.
    """
    recorder = Recorder(house.journal, house.clock, load(house.journal), command)
    booked = recorder.memory.entries
    open_books(house, recorder)
    for name in house.accounts:
        try:
            take_in(house, recorder, [name])
        except BrokerUnknown:
            continue  # verify says so
    verify(house, recorder)
    return Observed(recorder.memory, flows_after(house, booked))


def flows_after(house: House, sequence: int) -> dict[str, Money]:
    """What came in (out: negative) by account, after the entry *sequence* of the journal."""
    sums: dict[str, Money] = {}
    for entry in house.journal.entries(sequence):
        if flow := flow_in(entry.event, entry.at):
            sums[flow.account] = sums.get(flow.account, ZERO) + flow.amount
    return {name: amount for name, amount in sums.items() if amount}


def came(flows: Mapping[str, Money], currency: str) -> tuple[str, ...]:
    """The beginning of a sentence about each of *flows*: how much came into which account."""
    return tuple(
        f"{money(abs(amount), currency)} {'came into' if amount > 0 else 'went out of'} {account}"
        for account, amount in flows.items()
    )
