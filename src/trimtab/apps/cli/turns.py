"""What `plan`, `run`, `watch` and `demo` have in common: one turn, and how it ends for a shell."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from trimtab.apps.cli.door import BROKER, DATA_SUSPECT, DISCREPANCIES, DONE, HELD
from trimtab.apps.execute import Execution
from trimtab.apps.hypothetical import Look, explained, today
from trimtab.apps.run import Outcome, run_once
from trimtab.apps.views.plan import Known
from trimtab.apps.world import House
from trimtab.domain.events import Decided, Entry, OrderFilled
from trimtab.domain.history import LotSale
from trimtab.domain.household import accounts_of, instruments_of
from trimtab.domain.memory import Memory, remember
from trimtab.domain.policy import HouseholdFile, TaxRule
from trimtab.domain.trades import OrderStatus
from trimtab.domain.values import Account, Instrument
from trimtab.rules.tax.books import books_of, tax_lots
from trimtab.rules.tax.log import tax_rows


class Household(NamedTuple):
    """What the tax ledger of a household needs beside its journal, and its currency."""

    tax: TaxRule
    accounts: Mapping[str, Account]
    instruments: Mapping[str, Instrument]
    currency: str


class Turn(NamedTuple):
    """An outcome, with the lots as they were when it was decided and the sales that it made."""

    outcome: Outcome
    known: Known
    realized: tuple[LotSale, ...]


def take_turn(house: House, *, executes: bool) -> Turn:
    """One turn of *house*."""
    outcome = run_once(house, executes=executes)
    return turn_of(outcome, list(house.journal.entries()), household_of(house.file))


def take_look(house: House) -> tuple[Outcome, Look | None]:
    """One dry turn of *house*, and what it was decided from; None where nothing was decided."""
    outcome = run_once(house, executes=False)
    return outcome, None if outcome.decision is None else today(house, outcome)


def known_of(house: House, look: Look | None) -> Known:
    """What pages about *look* need beside it, its explanation too."""
    lots, explanation = ({}, None) if look is None else explained(house, look)
    return Known(house.file.household.base_currency, house.accounts, lots, explanation)


def household_of(file: HouseholdFile) -> Household:
    """The household that *file* describes."""
    return Household(
        file.tax, accounts_of(file), instruments_of(file), file.household.base_currency
    )


def turn_of(outcome: Outcome, entries: Sequence[Entry], household: Household) -> Turn:
    """*outcome* with what pages need, out of the journal's *entries*, which end with this turn."""
    seen = list(takewhile(lambda entry: not _decides(entry, outcome.cycle), entries))
    tax, accounts, instruments, currency = household
    memory = remember(Memory(), seen)
    before = tax_lots(memory.lots.values(), books_of(memory, tax, accounts, instruments))
    lots = {lot.id: lot for lot in before}
    filled = {
        entry.event.fill.order_id
        for entry in entries
        if entry.cycle == outcome.cycle and isinstance(entry.event, OrderFilled)
    }
    sales = books_of(outcome.memory, tax, accounts, instruments).sales()
    rows = tuple(row for row in tax_rows(sales) if row.order_id in filled)
    return Turn(outcome, Known(currency, accounts, lots), rows)


def _decides(entry: Entry, cycle: str) -> bool:
    return entry.cycle == cycle and isinstance(entry.event, Decided)


def _is_unheard(executions: Sequence[Execution]) -> bool:
    """Whether orders were sent, and the broker refused or never answered each of them."""
    sent = [done.status for done in executions if done.order_id]
    return bool(sent) and set(sent) <= {OrderStatus.REJECTED, OrderStatus.UNKNOWN}


def exit_status(outcome: Outcome, *, executes: bool) -> int:
    """Discrepancies count most, then data that nobody can trust, then what was not done."""
    decision = outcome.decision
    if outcome.discrepancies:
        return DISCREPANCIES
    if decision is None or any(refusal.gate == "data" for refusal in decision.held):
        return DATA_SUSPECT
    if outcome.status == "not-executed":
        return BROKER if _is_unheard(outcome.executions) else HELD
    if executes and decision.plan is not None and decision.held:
        return HELD
    return DONE
