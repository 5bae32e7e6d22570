"""The household as the next turn will find it: what every command that only looks begins with."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trimtab.apps.world import House, Recorder, load, open_books, take_in, verify
from trimtab.domain.errors import BrokerUnknown
from trimtab.domain.events import AccountOpened, Entry
from trimtab.domain.flows import flow_in
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ZERO, Money, Quantity, Weight
from trimtab.domain.values import Lot
from trimtab.rules.precommitment import review
from trimtab.rules.words import money

_BY_HAND_MOST = Weight("0.02")
"""Of what was traded: more than spread, fees and a day's prices make of it is money that moved."""


class Moved(NamedTuple):
    """Money that `came` into an account and `went` out of it.

    `by_hand` is what it is worth more (less: negative) after its owner had orders filled there.
    """

    came: Money = ZERO
    went: Money = ZERO
    by_hand: Money = ZERO


class Observed(NamedTuple):
    """What there is to remember, and by account what moved and is not booked."""

    memory: Memory
    unbooked: dict[str, Moved]


class _Total(NamedTuple):
    units: Quantity
    basis: Money


_NONE = _Total(ZERO, ZERO)


def observe(house: House, command: str) -> Observed:
    """What the files and the brokers say by now, on top of the journal of a *house* looked at.

    What a turn would make of an edited policy is so here. Brokers are asked and told nothing: an
    order without an answer stays one. A broker that gives no word is a discrepancy, as in a turn.

    Raises:
        InputError: the journal holds something that household.toml no longer describes, or a file
            was not updated after a split.
    """
    recorder = Recorder(house.journal, house.clock, load(house.journal), command)
    booked = recorder.memory.entries
    open_books(house, recorder)
    recorder.record(*review(recorder.memory, house.file.policy(), house.clock.now()))
    for name in house.accounts:
        try:
            take_in(house, recorder, [name])
        except BrokerUnknown:
            continue  # verify says so
    verify(house, recorder)
    return Observed(recorder.memory, flows_after(house, booked))


def flows_after(house: House, sequence: int) -> dict[str, Moved]:
    """What moved by account after the entry *sequence* of the journal and did not go again."""
    found: dict[str, Moved] = {}
    for entry in house.journal.entries(sequence):
        flow = flow_in(entry.event, entry.at)
        if flow is None:
            continue
        moved, amount = found.get(flow.account, Moved()), flow.amount
        if isinstance(entry.event, AccountOpened) and _is_by_hand(house, entry.event, entry):
            moved = moved._replace(by_hand=moved.by_hand + amount)
        elif amount > 0:
            moved = moved._replace(came=moved.came + amount)
        else:
            moved = moved._replace(went=moved.went - amount)
        found[flow.account] = moved
    return {name: one for name, one in found.items() if one.came != one.went or one.by_hand}


def came(flows: Mapping[str, Moved], currency: str) -> tuple[str, ...]:
    """The beginning of a sentence about each of *flows*: how much moved, and where."""
    told = []
    for account, moved in flows.items():
        into, out = money(moved.came, currency), money(moved.went, currency)
        if moved.came != moved.went:
            if not moved.went:
                told.append(f"{into} came into {account}")
            elif not moved.came:
                told.append(f"{out} went out of {account}")
            else:
                told.append(f"{into} came into {account} and {out} went out of it")
        if moved.by_hand:
            word = "more" if moved.by_hand > 0 else "less"
            told.append(
                f"{account} is worth {money(abs(moved.by_hand), currency)} {word} by orders filled "
                "by hand (spread, fees, prices since)"
            )
    return tuple(told)


def _is_by_hand(house: House, opened: AccountOpened, entry: Entry) -> bool:
    """Whether an edited file tells of orders that were filled, and not of money that moved.

    Then the difference is small beside what was traded.
    """
    earlier = [one for one in house.journal.entries() if one.sequence < entry.sequence]
    before, account = remember(Memory(), earlier), opened.account
    if house.accounts[account].broker != "file" or account not in before.accounts:
        return False
    then = _totals(lot for lot in before.lots.values() if lot.account == account)
    now = _totals(opened.lots)
    pairs = [(then.get(one, _NONE), now.get(one, _NONE)) for one in then.keys() | now.keys()]
    lots = sum((abs(old.basis - new.basis) for old, new in pairs if old.units != new.units), ZERO)
    base = house.file.household.base_currency
    cash = opened.cash.get(base, ZERO) - before.cash.get((account, base), ZERO)
    return abs(opened.flow) <= _BY_HAND_MOST * max(lots, abs(cash))


def _totals(lots: Iterable[Lot]) -> dict[str, _Total]:
    """What is held of each symbol."""
    totals: dict[str, _Total] = {}
    for lot in lots:
        held = totals.get(lot.symbol, _NONE)
        totals[lot.symbol] = _Total(held.units + lot.quantity, held.basis + lot.basis)
    return totals
