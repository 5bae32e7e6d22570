"""What must hold whatever happened: the journal and the broker's books, audited independently.

Nothing here uses the rules under test or the journal's fold: every balance is added up again from
the journal's rows on one side and from the broker's activities on the other.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from trimtab.adapters import chain
from trimtab.adapters.chain import GENESIS
from trimtab.apps.fold import Fold
from trimtab.apps.run import Outcome
from trimtab.apps.world import Opening, load
from trimtab.domain.events import (
    AccountOpened,
    CashMoved,
    Decided,
    Entry,
    OrderAnswered,
    OrderFilled,
    OrderIntended,
    SplitApplied,
)
from trimtab.domain.numbers import ZERO, Money, Quantity
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.ports import Journal
from trimtab.domain.trades import CashMovement, Decision, Fill, Order, OrderStatus, Side, Split
from trimtab.domain.values import Lot
from trimtab.lab.paper_books import Books, PaperAccount
from trimtab.rules.gates import PLAN_GATES, TRADE_GATES

_DEAREST_STEP = Decimal(1000)
"""More than one unit of anything costs here."""


class Intention(NamedTuple):
    """An order as it was written down, and where and when."""

    sequence: int
    at: dt.datetime
    order: Order


class Audit:
    """Reads each row of the journal once, as it comes, and keeps its own accounts."""

    def __init__(self, file: HouseholdFile, openings: Mapping[str, Opening]) -> None:
        self.reserves = {name: rule.cash_reserve for name, rule in file.accounts.items()}
        self.openings = openings
        self.fold = Fold()
        self.fills = 0
        self.head = GENESIS
        self.decisions: dict[str, Decision] = {}
        self.intended: dict[str, Intention] = {}
        self.statuses: dict[str, OrderStatus] = {}
        self.seen: Counter[tuple[str, str]] = Counter()
        self.cash: dict[str, Money] = {}
        self.basis: dict[str, Money] = {}

    # ------------------------------------------------------------------ at the end of a day

    def check(
        self, journal: Journal, books: Books, heard: Mapping[str, int], outcome: Outcome | None
    ) -> None:
        """Everything that holds always; and, where the household has settled, that all agree."""
        for entry in journal.entries(self.head.sequence):
            self._read(entry)
        self._check_orders(heard, books)
        _check_books(books, self.openings, self.reserves)
        memory = load(journal)
        assert self.fold.read(journal) == memory, "who reads on remembers something else"
        for name in self.basis:
            lots = [lot for lot in memory.lots.values() if lot.account == name]
            assert all(lot.quantity > 0 for lot in lots), f"{name} has a lot with nothing in it"
            basis = sum((lot.basis for lot in lots), ZERO)
            assert basis == self.basis[name], f"{name}: basis {basis}, not {self.basis[name]}"
            assert memory.cash[name, "USD"] == self.cash[name], f"{name}: the cash does not add up"
        if outcome is None:
            return
        assert memory == outcome.memory, "what the process remembers is not what it wrote"
        for name in self.basis:
            if memory.blocked(name) or any(
                known.order.account == name for known in memory.open_orders()
            ):
                continue
            held = books.accounts[name]
            lots = [lot for lot in memory.lots.values() if lot.account == name]
            assert self.cash[name] == held.cash["USD"], f"{name}: a cent is lost"
            assert positions(lots) == held.positions(), f"{name}: a share is lost"

    def check_calm(self, journal: Journal, books: Books, outcome: Outcome) -> None:
        """After the storm nothing is stuck, nothing is missing, and the chain is whole."""
        memory = outcome.memory
        assert not memory.open_orders(), "an order is still open"
        assert not memory.discrepancies, f"blocked: {memory.discrepancies}"
        for name, held in books.accounts.items():
            happened = Counter((name, activity.id) for activity in held.activities)
            booked = {key: n for key, n in self.seen.items() if key[0] == name}
            assert booked == happened, f"{name}: not everything that happened is in the journal"
        for order_id, (_, _, order) in self.intended.items():
            known = books.orders.get(order_id)
            if known is None:
                continue
            assert known.status is not OrderStatus.WORKING, f"{order.symbol} still works"
            assert memory.orders[order_id].filled == known.filled
        check_chain(list(journal.entries()))
        _check_course(outcome)

    # ------------------------------------------------------------------ the journal, row by row

    def _read(self, entry: Entry) -> None:
        assert entry.sequence == self.head.sequence + 1, "the journal has a gap"
        self.head = chain.Head(entry.sequence, entry.hash)
        match entry.event:
            case AccountOpened(account=name, lots=lots, cash=cash):
                assert name not in self.cash, f"{name} is opened twice"
                self.cash[name] = cash["USD"]
                self.basis[name] = sum((lot.basis for lot in lots), ZERO)
            case Decided(decision=decision) if decision.plan is not None:
                assert decision.plan.id not in self.decisions, "two plans have one id"
                self.decisions[decision.plan.id] = decision
            case OrderIntended(order=order):
                self._read_intention(entry, order)
            case OrderAnswered(receipt=receipt):
                assert receipt.order_id in self.intended, "an answer without an intention"
                assert not self.statuses[receipt.order_id].is_final, "a final answer has changed"
                self.statuses[receipt.order_id] = receipt.status
            case OrderFilled() as filled:
                self._read_fill(filled)
            case CashMoved(movement=movement):
                self._see(movement.account, movement.id)
                self.cash[movement.account] += movement.amount
            case SplitApplied(split=split):
                self._see(split.account, split.id)

    def _read_intention(self, entry: Entry, order: Order) -> None:
        assert order.id not in self.intended, f"{order.id} is intended twice"
        decision = self.decisions[order.plan_id]
        trade = next(
            t
            for t in decision.allowed
            if (t.account, t.symbol, t.side) == (order.account, order.symbol, order.side)
        )
        assert 0 < order.quantity <= trade.quantity, "more was ordered than was decided"
        named = sum((pick.quantity for pick in order.lots), ZERO)
        assert named == (order.quantity if order.side is Side.SELL else ZERO), "lots and quantity"
        passed = {(e.gate, e.account, e.symbol) for e in decision.evidence if e.passed}
        needed = {(gate, "", "") for gate in PLAN_GATES}
        needed |= {(gate, order.account, order.symbol) for gate in TRADE_GATES}
        assert needed <= passed, f"without a gate's word: {needed - passed}"
        self.intended[order.id] = Intention(entry.sequence, entry.at, order)
        self.statuses[order.id] = OrderStatus.INTENDED

    def _read_fill(self, filled: OrderFilled) -> None:
        fill, lot = filled.fill, filled.lot
        self._see(fill.account, fill.id)
        self.fills += 1
        value = fill.quantity * fill.price
        if fill.side is Side.BUY:
            assert lot is not None, "a purchase without a lot"
            assert lot.basis == value + fill.fee, "a purchase at another price than was paid"
            self.cash[fill.account] -= value + fill.fee
            self.basis[fill.account] += lot.basis
            return
        proceeds = sum((disposal.proceeds for disposal in filled.disposals), ZERO)
        assert proceeds == value - fill.fee, f"proceeds {proceeds} of a sale for {value}"
        self.cash[fill.account] += proceeds
        self.basis[fill.account] -= sum((disposal.basis for disposal in filled.disposals), ZERO)

    def _see(self, account: str, activity: str) -> None:
        self.seen[account, activity] += 1
        assert self.seen[account, activity] == 1, f"{activity} in {account} is booked twice"

    # ------------------------------------------------------------------ the broker's orders

    def _check_orders(self, heard: Mapping[str, int], books: Books) -> None:
        for order_id, sequence in heard.items():
            assert order_id in self.intended, f"the broker heard of {order_id}, the journal did not"
            assert self.intended[order_id].sequence <= sequence, (
                f"{order_id} was sent before written"
            )
        sent = Counter(
            (o.order.plan_id, o.order.account, o.order.symbol, o.order.side)
            for o in books.orders.values()
        )
        for what, times in sent.items():
            assert times == 1, f"{times} orders for one intention: {what}"
        for order_id, known in books.orders.items():
            status = self.statuses[order_id]
            if status is OrderStatus.EXPIRED:  # also what was never found until its day was over
                assert known.status.is_final, f"{order_id}: {status}, and really {known.status}"
            elif status.is_final:
                assert status is known.status, f"{order_id}: {status}, and really {known.status}"
        for held in books.accounts.values():
            self._check_no_order_outlives_a_split(held)

    def _check_no_order_outlives_a_split(self, held: PaperAccount) -> None:
        """A quantity and a limit from before a split mean something else after it."""
        for fill in held.activities:
            for split in held.activities:
                if isinstance(fill, Fill) and isinstance(split, Split):
                    since = self.intended[fill.order_id].at
                    outlived = fill.symbol == split.symbol and since < split.at <= fill.at
                    assert not outlived, f"{fill.order_id} filled after the split of {split.at}"


def check_chain(entries: list[Entry]) -> None:
    """The whole chain of hashes, computed again from the events themselves."""
    head = GENESIS
    for entry in entries:
        ((row, linked),) = chain.link([entry.event], at=entry.at, cycle=entry.cycle, after=head)
        assert linked.hash == entry.hash, f"entry {entry.sequence} does not fit its hash"
        (again,) = chain.read([row], after=head, source="the storm")
        assert again == entry, f"entry {entry.sequence} is read as something else than was written"
        head = chain.Head(entry.sequence, entry.hash)


def _check_books(
    books: Books, openings: Mapping[str, Opening], reserves: Mapping[str, Money]
) -> None:
    """The broker's own accounts: never below zero, no purchase out of a reserve, no cent lost."""
    for name, held in books.accounts.items():
        cash = openings[name].cash["USD"]
        units = positions(openings[name].lots)
        for activity in held.activities:
            match activity:
                case Fill(side=Side.BUY):
                    cash -= activity.quantity * activity.price + activity.fee
                    assert cash >= reserves[name], f"{name}: a purchase took the reserve: {cash}"
                case Fill():
                    cash += activity.quantity * activity.price - activity.fee
                    assert activity.quantity <= units[activity.symbol], f"{name} is oversold"
                case CashMovement():
                    cash += activity.amount
            _count_units(units, activity)
            assert cash >= 0, f"{name} is overdrawn: {cash}"
        assert cash == held.cash["USD"], f"{name}: the broker itself lost a cent"


def _check_course(outcome: Outcome) -> None:
    """No class is out by more than a trade's grain each, unless it is mended or said why not.

    What cash has too much, or too little, is explained by why the others cannot take or give it.
    """
    decision, policy = outcome.decision, outcome.memory.policy
    assert decision is not None, f"it must decide: {outcome.sentence}"
    assert policy is not None
    said = {refusal.asset_class for refusal in decision.refusals}
    if said:
        said.add("cash")
    if decision.held or outcome.status == "executed":
        return
    grain = max(policy.orders.minimum, _DEAREST_STEP) * len(decision.drifts)
    for drift in decision.drifts:
        beyond = (abs(drift.drift) - drift.half_width) * drift.value / drift.weight
        assert beyond <= grain or drift.asset_class in said, (
            f"{drift.asset_class} is {beyond:.2f} out and nobody says why: {decision.sentence}"
        )


def _count_units(units: dict[str, Quantity], activity: object) -> None:
    match activity:
        case Fill(side=Side.BUY, symbol=symbol, quantity=quantity):
            units[symbol] = units.get(symbol, ZERO) + quantity
        case Fill(symbol=symbol, quantity=quantity):
            units[symbol] -= quantity
        case Split(symbol=symbol, numerator=numerator, denominator=denominator):
            whole = units[symbol] * numerator / denominator
            units[symbol] = whole.quantize(Decimal("1e-8"), rounding="ROUND_DOWN")


def positions(lots: "list[Lot] | tuple[Lot, ...]") -> dict[str, Quantity]:
    units: dict[str, Quantity] = {}
    for lot in lots:
        units[lot.symbol] = units.get(lot.symbol, ZERO) + lot.quantity
    return units
