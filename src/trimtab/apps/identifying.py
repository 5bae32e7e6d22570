"""Which lots each broker must be told, and the record that it was told and has confirmed.

trimtab tells nobody anything here: it writes the instruction out, and the owner's word that it was
given goes into the journal.
"""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.adapters.calendars import MarketCalendars
from trimtab.adapters.journal import SqliteJournal
from trimtab.adapters.lease import writing
from trimtab.apps.home import Home, read_household, recall
from trimtab.apps.world import Recorder, load
from trimtab.domain.errors import InputError
from trimtab.domain.events import (
    Decided,
    LotsConfirmed,
    LotsInstructed,
    StandingOrderConfirmed,
)
from trimtab.domain.household import accounts_of
from trimtab.domain.memory import Memory, remember
from trimtab.domain.ports import Clock
from trimtab.domain.values import Account, Relief, trade_date
from trimtab.rules.tax.identification import (
    TOLD_BY_ORDER,
    Identification,
    IdentificationState,
    StandingOrder,
    day_in_words,
    deadline_of,
    identifications,
    planned_by_hand,
    standing_orders,
    time_in_words,
)
from trimtab.rules.tax.rebooking import is_rebookable, rebooked

_PREFIX_MIN = 6
"""So many characters of a sale's id are enough when they are its alone."""


class Worksheet(NamedTuple):
    """All that brokers must be told, or were told, as it stands at *at*."""

    at: dt.datetime
    household: str
    currency: str
    accounts: dict[str, Account]
    sales: tuple[Identification, ...]
    standing: tuple[StandingOrder, ...]


def worksheet(home: Home, clock: Clock) -> Worksheet:
    """What the household of *home* must tell its brokers; nothing is written.

    Raises:
        InputError: household.toml cannot be used.
        JournalError: the journal cannot be read.
    """
    file = read_household(home)
    memory, accounts = recall(home), accounts_of(file)
    settlement = MarketCalendars().settlement_date
    return Worksheet(
        at=clock.now(),
        household=file.household.name,
        currency=file.household.base_currency,
        accounts=accounts,
        sales=identifications(memory, accounts, settlement, clock.now()),
        standing=standing_orders(memory, accounts.values()),
    )


def instruct(
    home: Home,
    clock: Clock,
    sale: str,
    *,
    told_at: dt.datetime | None = None,
    sold_at: dt.datetime | None = None,
) -> str:
    """Record that the broker was told the lots of *sale* at *told_at*; gives what that means.

    *told_at* is now unless given. Without *sold_at* the broker was told with the order or before
    it; when an order that trimtab sent was sold is known. A sale that is booked already is booked
    again with the lots that were named.

    Raises:
        InputError: there is no such sale, it is recorded already, or the word came too late.
        LeaseHeld: another process works on the household.
    """
    accounts = accounts_of(read_household(home))
    _require_journal(home)
    with writing(home.journal, command="trimtab tax instruct", create=False) as journal:
        recorder = Recorder(journal, clock, load(journal), f"{trade_date(clock.now())}-owner")
        found = _find(sale, journal, recorder.memory, accounts, clock.now())
        told = _told(found, accounts[found.account], told_at, sold_at, clock.now())
        before = recorder.memory
        knowing = replace(before, instructions={**before.instructions, told.order_id: told})
        again = rebooked(told.order_id, knowing, accounts[told.account])
        recorder.record(*([told] if again is None else [told, again]))
    text = (
        f"Recorded: the broker of {told.account} was told on {time_in_words(told.told_at)}, "
        f"{_in_time(told)}."
    )
    known = before.orders.get(told.order_id)
    if again is not None:
        text += " The sale is booked again, with the lots that were named."
    elif known is not None and known.fills and not is_rebookable(known, before):
        text += (
            f" Its booking stays as it was, because {told.symbol} in {told.account} was sold, "
            "split or taken over since: compare it with the broker's confirmation."
        )
    return text


def confirm(
    home: Home, clock: Clock, what: str, reference: str, *, at: dt.datetime | None = None
) -> str:
    """Record the broker's written confirmation of a sale's lots, or of an account's standing order.

    *reference* is where the owner finds it; *at* is now unless given.

    Raises:
        InputError: nothing of that name waits for a confirmation, or no reference is given.
        LeaseHeld: another process works on the household.
    """
    text, now = " ".join(reference.split()).rstrip("."), clock.now()
    if not text:
        msg = 'say where the confirmation is kept: --reference "letter of 11 March, page 2".'
        raise InputError(msg)
    if at is not None and at > now:
        raise InputError(f"{time_in_words(at)} is yet to come: --at is when the broker confirmed.")
    accounts = accounts_of(read_household(home))
    with writing(home.journal, command="trimtab tax confirm", create=True) as journal:
        recorder = Recorder(journal, clock, load(journal), f"{trade_date(now)}-owner")
        if what in accounts:
            recorder.record(_standing(accounts[what], text, at or now))
            return f"Recorded: the broker confirmed the standing order of {what} ({text})."
        order_id = _named(what, recorder.memory.instructions)
        told = recorder.memory.instructions[order_id]
        known = recorder.memory.confirmations.get(order_id)
        if known is not None:
            msg = (
                f"the broker's confirmation of {order_id} is recorded already "
                f"({known.reference}): nothing was changed."
            )
            raise InputError(msg)
        if at is not None and at < told.told_at:
            msg = (
                f"the broker was told on {time_in_words(told.told_at)}, so it cannot have "
                f"confirmed on {time_in_words(at)}: give a later --at."
            )
            raise InputError(msg)
        event = LotsConfirmed(order_id=order_id, reference=text, confirmed_at=at or now)
        recorder.record(event)
        return f"Recorded: the broker confirmed the lots of {order_id} ({text})."


def _require_journal(home: Home) -> None:
    if not home.journal.exists():
        msg = (
            "nothing is planned yet, so there is no sale to instruct: `trimtab run` plans and "
            "writes the plan down."
        )
        raise InputError(msg)


def _told(
    found: Identification,
    account: Account,
    told_at: dt.datetime | None,
    sold_at: dt.datetime | None,
    now: dt.datetime,
) -> LotsInstructed:
    """The fact to record.

    Raises:
        InputError: it is recorded already, lies in the future, or came too late.
    """
    if found.state in {IdentificationState.INSTRUCTED, IdentificationState.CONFIRMED}:
        raise InputError(f"{found.order_id}: this is recorded already. {found.sentence}")
    told_at = now if told_at is None else told_at
    if told_at > now:
        msg = f"{time_in_words(told_at)} is yet to come: record it when the broker has been told."
        raise InputError(msg)
    if found.sold_at is not None:
        sold_at, deadline = found.sold_at, found.deadline
    else:
        at = told_at if sold_at is None else sold_at
        settles_on = MarketCalendars().settlement_date(trade_date(at))
        deadline = deadline_of(account, at, settles_on)
    if told_at > deadline:
        msg = (
            f"the broker was told on {time_in_words(told_at)}, and the last moment was "
            f"{time_in_words(deadline)} (26 CFR 1.1012-1(c)(8) and (j)): the units went first in, "
            "first out, and nothing was recorded."
        )
        raise InputError(msg)
    return LotsInstructed(
        order_id=found.order_id,
        account=found.account,
        symbol=found.symbol,
        lots=found.lots,
        told_at=told_at,
        sold_at=sold_at,
        deadline=deadline,
    )


def _in_time(told: LotsInstructed) -> str:
    if told.sold_at is None:
        return "with the order or before it"
    return (
        f"in time for the sale on {day_in_words(told.sold_at)}, which was open to instruction "
        f"until {time_in_words(told.deadline)}"
    )


def _find(
    sale: str,
    journal: SqliteJournal,
    memory: Memory,
    accounts: Mapping[str, Account],
    now: dt.datetime,
) -> Identification:
    """The sale of that name, of this plan or of an earlier one.

    Raises:
        InputError: there is none, or there are several.
    """
    settlement = MarketCalendars().settlement_date
    known = {one.order_id: one for one in identifications(memory, accounts, settlement, now)}
    if not any(_is_called(name, sale) for name in known):
        plan = sale.rpartition("-")[0] or sale
        entries = list(journal.entries())
        for number, entry in enumerate(entries):
            made = entry.event.decision.plan if isinstance(entry.event, Decided) else None
            if made is not None and _is_called(made.id, plan):
                then = remember(Memory(), entries[: number + 1])
                past = planned_by_hand(then, accounts, settlement, now)
                known.update({one.order_id: one for one in past})
    return known[_named(sale, known)]


def _named(sale: str, known: Mapping[str, object]) -> str:
    """The full id of *sale*, of which the first characters are enough."""
    found = [name for name in known if name == sale]
    found = found or [name for name in known if _is_called(name, sale)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{sale!r} may be {', '.join(found)}: write more of it.")
    there = f"there are {', '.join(known)}" if known else "there is none now"
    msg = f"no sale {sale!r} waits for that: {there}; `trimtab tax instructions` lists them."
    raise InputError(msg)


def _is_called(name: str, start: str) -> bool:
    return name == start or (len(start) >= _PREFIX_MIN and name.startswith(start))


def _standing(account: Account, reference: str, at: dt.datetime) -> StandingOrderConfirmed:
    if account.relief is not Relief.HIFO or account.broker in TOLD_BY_ORDER:
        msg = (
            f"{account.id} needs no standing order: its relief is {account.relief} and its broker "
            f'{account.broker}; one is confirmed for an account with relief = "hifo".'
        )
        raise InputError(msg)
    return StandingOrderConfirmed(
        account=account.id, relief=account.relief, reference=reference, confirmed_at=at
    )
