"""A household's tax ledger out of what it remembers, and its lots as a plan must see them."""

from collections.abc import Iterable, Mapping
from decimal import localcontext

from msgspec.structs import replace

from trimtab.domain.history import TaxAccount, TaxLot, WashRule
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import EXACT, ZERO
from trimtab.domain.policy import TaxRule
from trimtab.domain.tax_facts import closed_fact, opening_fact
from trimtab.domain.trades import LotPick, Trade
from trimtab.domain.values import (
    Account,
    Instrument,
    InstrumentKind,
    Lot,
    LotPiece,
    Snapshot,
    trade_date,
)
from trimtab.rules.tax.chronology import in_order
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.selection import SLIVER


def wash_rule(tax: TaxRule, instruments: Mapping[str, Instrument]) -> WashRule:
    """The household's answers as the ledger takes them; coins and currencies are exempt."""
    coins = (InstrumentKind.CRYPTO, InstrumentKind.FOREX)
    return WashRule(
        groups=tax.identical,
        exempt=frozenset(symbol for symbol, one in instruments.items() if one.kind in coins),
        crypto_wash_from=tax.crypto_wash_from,
        earlier_acquired=tax.earlier_acquired,
        tacking=tax.tacking,
    )


def tax_accounts(accounts: Iterable[Account]) -> dict[str, TaxAccount]:
    """The accounts as tax law sees them."""
    return {
        account.id: TaxAccount(
            id=account.id, owner=account.owner, role=account.role, kind=account.kind
        )
        for account in accounts
    }


def books_of(
    memory: Memory,
    tax: TaxRule,
    accounts: Mapping[str, Account],
    instruments: Mapping[str, Instrument],
) -> Ledger:
    """The ledger of everything that the journal has told."""
    ledger = Ledger(
        tax_accounts(accounts.values()),
        wash_rule(tax, instruments),
        (tax.short_term_rate, tax.long_term_rate),
    )
    ledger.extend(in_order(memory.history, tax_accounts(accounts.values())))
    return ledger


def books_at(snapshot: Snapshot, memory: Memory, tax: TaxRule) -> Ledger:
    """The ledger behind *snapshot*; without a journal its lots and the sales known are the past."""
    if not memory.history:
        today = trade_date(snapshot.at)
        sold = sorted(memory.disposals, key=lambda sale: (sale.sold, sale.id))
        facts = [closed_fact(sale) for sale in sold]
        facts += [
            opening_fact(lot, today) for lot in sorted(snapshot.lots, key=lambda lot: lot.age)
        ]
        memory = replace(memory, history=tuple(facts))
    return books_of(memory, tax, snapshot.accounts, snapshot.instruments)


def tax_lots(lots: Iterable[Lot], ledger: Ledger) -> tuple[Lot, ...]:
    """*lots*, the broker's, as the ledger has them: wash-adjusted, in pieces, the oldest first."""
    known = {lot.id: lot for lot in lots}
    found: dict[str, list[LotPiece]] = {}
    for held in ledger.lots():
        lot = known.get(held.lot_id)
        if lot is not None and lot.account == held.account:
            pieces = found.setdefault(lot.id, [])
            pieces.append(_piece(lot, held, len(pieces)))
    with localcontext(EXACT):
        for lot in known.values():
            units = sum((piece.quantity for piece in found.get(lot.id, ())), ZERO)
            is_same = abs(units - lot.quantity) <= SLIVER
            assert is_same, f"the tax ledger has {units} units of lot {lot.id}"
    return tuple(sorted((p for pieces in found.values() for p in pieces), key=lambda lot: lot.age))


def piece_id(pick: LotPick) -> str:
    """The id under which `tax_lots` has what *pick* names."""
    return f"{pick.lot_id}#{pick.piece}" if pick.piece else pick.lot_id


def as_instructed(trade: Trade, lots: Mapping[str, Lot]) -> Trade:
    """*trade* with its picks as the broker's lots, each with the piece of it that is meant."""
    if not trade.lots:
        return trade
    picks = tuple(_root_pick(pick, lots[pick.lot_id]) for pick in trade.lots)
    return replace(trade, lots=picks)


def _root_pick(pick: LotPick, lot: Lot) -> LotPick:
    if not isinstance(lot, LotPiece):
        return pick
    is_only = lot.piece == "" and lot.place == 0
    piece = None if is_only else lot.piece
    return LotPick(lot_id=lot.lot_id, quantity=pick.quantity, piece=piece)


def _piece(lot: Lot, held: TaxLot, place: int) -> LotPiece:
    return LotPiece(
        id=f"{held.lot_id}#{held.piece}" if held.piece else held.lot_id,
        account=lot.account,
        symbol=lot.symbol,
        quantity=held.quantity,
        basis=held.basis,
        acquired=held.acquired,
        holding_since=held.holding_since,
        sellable_from=lot.sellable_from,
        lot_id=held.lot_id,
        piece=held.piece,
        place=place,
        paid=held.paid,
    )
