"""Charles Schwab: positions, lot details, realized gains and transactions, all CSV.

Headings and their order changed over the years and are told by their meaning. Positions and
realized gains of all accounts stand in one file, each account below a line with its masked number.
What such a file cannot give is noted: the older list of realized gains has no opened dates, a
split has no ratio, and units that were transferred in have no basis.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from trimtab.adapters.delimited import Unreadable, quoted
from trimtab.adapters.imports.draft import Draft
from trimtab.adapters.imports.schwab_tables import Part, Section, parts, recognizes
from trimtab.adapters.imports.table import Document, Record, read_any_day
from trimtab.adapters.imports.trade import Trade
from trimtab.domain.history import TransactionKind
from trimtab.domain.imported import BrokerSale, Imported, ImportedLot, ImportedPosition
from trimtab.domain.numbers import CENT, ZERO, Money
from trimtab.domain.trades import Term

__all__ = ["read", "recognizes"]

_CASH = "cash & cash investments"
_TOTALS = frozenset({"account total", "positions total", "total", "transactions total"})
_TRADES = {
    "buy": TransactionKind.BUY,
    "sell": TransactionKind.SELL,
    "reinvest shares": TransactionKind.REINVEST,
}
_REASONS = {
    "stock split": "a split, whose ratio the file does not give",
    "reverse split": "a split, whose ratio the file does not give",
    "security transfer": "units transferred, without their basis and dates",
    "journaled shares": "units transferred, without their basis and dates",
    "internal transfer": "units transferred, without their basis and dates",
    "stock plan activity": "units from a stock plan, without their price",
    "cash in lieu": "money for a fraction of a share, which was sold",
    "cash merger": "a merger for money, which is a sale",
}
_SALES_UNTOLD = frozenset({"cash in lieu", "cash merger"})
_CASH_WORDS = {
    "interest": r"\binterest",
    "long-term capital gain distribution": r"\b(long.term|lt) cap gain",
    "short-term capital gain distribution": r"\b(short.term|st) cap gain",
    "capital gain distribution": r"\bcap gain",
    "dividend": r"\bdiv",
    "tax": r"\b(tax|nra\b|withholding)",
    "fee": r"\b(fee|commission)",
    "transfer": r"\b(transfer|moneylink|wire|funds|journal|deposit|withdraw|security transfer)",
}


def read(document: Document) -> Imported:
    """What a file of Schwab says.

    Raises:
        FileFaults: a cell cannot be read, or there is no table that is known.
    """
    draft = Draft(document, "schwab")
    for part in parts(draft):
        draft.format = f"schwab_{part.kind}_csv"
        _READERS[part.kind](draft, part)
    if draft.format == "schwab":
        draft.fault("no table was found below the title: export the file again")
    return draft.finish(newest_first=True)


def _read_positions(draft: Draft, part: Part) -> None:
    section, table = part.section, part.table
    values: list[Money] = []
    bases: list[Money] = []
    for line in part.lines:
        record = table.record(line)
        symbol = record.text("symbol")
        value, basis = record.amount("value"), record.amount("basis")
        if symbol.casefold() in _TOTALS:
            draft.note_total(f"the value of {section.account}", value, values)
            draft.note_total(f"the cost basis of {section.account}", basis, bases)
            continue
        if not table.fits(line):
            draft.fault(f"{table.misfit(line)}: export the file again")
            continue
        draft.rows += 1
        values += [value] if value is not None else []
        bases += [basis] if basis is not None else []
        if symbol.casefold() == _CASH:
            draft.add_cash(section.account, value or ZERO)
        else:
            _add_position(draft, section, record, value, basis)


def _add_position(
    draft: Draft, section: Section, record: Record, value: Money | None, basis: Money | None
) -> None:
    quantity = record.amount("quantity")
    symbol = record.symbol()
    if quantity is None or not symbol:
        draft.remark(record, "a position without a symbol or a quantity, left out")
        return
    draft.add_position(
        record,
        ImportedPosition(
            account=section.account,
            symbol=symbol,
            quantity=quantity,
            name=record.text("name"),
            price=record.amount("price"),
            value=value,
            basis=basis,
            kind=record.text("kind"),
            as_of=draft.as_of,
        ),
    )


def _read_lots(draft: Draft, part: Part) -> None:
    section, table = part.section, part.table
    quantities: list[Decimal] = []
    bases: list[Money] = []
    if not section.symbol:
        draft.fault("the title that names the symbol is missing: export the file again")
    for line in part.lines:
        record = table.record(line)
        quantity, basis = record.amount("quantity"), record.amount("basis")
        if line.cells[0].casefold() in _TOTALS:
            draft.note_total("the quantity of the lots", quantity, quantities)
            draft.note_total("the cost basis of the lots", basis, bases)
            continue
        if not table.fits(line):
            draft.fault(f"{table.misfit(line)}: export the file again")
            continue
        draft.rows += 1
        acquired = _opened(record)
        if quantity is None:
            draft.remark(record, "a lot without a quantity, left out")
            continue
        quantities.append(quantity)
        bases += [basis] if basis is not None else []
        draft.lots.append(
            ImportedLot(
                account=section.account,
                symbol=section.symbol,
                quantity=quantity,
                acquired=acquired,
                basis=basis,
                unadjusted_basis=record.amount("unadjusted"),
                term=_term(record.text("term")),
            )
        )


def _read_realized(draft: Draft, part: Part) -> None:
    section, table = part.section, part.table
    if "acquired" not in table.columns:
        draft.note("this list of realized gains has no opened dates: no lot can be told by it")
    proceeds: list[Money] = []
    for line in part.lines:
        record = table.record(line)
        stated = record.amount("proceeds")
        if record.text("symbol").casefold() in _TOTALS:
            draft.note_total(f"the proceeds of {section.account}", stated, proceeds)
            continue
        if not table.fits(line):
            draft.fault(f"{table.misfit(line)}: export the file again")
            continue
        draft.rows += 1
        quantity, sold = record.amount("quantity"), record.day("sold")
        if quantity is None or sold is None or stated is None:
            draft.remark(record, "a sale without its quantity, day or proceeds, left out")
            continue
        proceeds.append(stated)
        basis, disallowed = record.amount("basis"), _disallowed(record)
        draft.sales.append(
            BrokerSale(
                account=section.account,
                symbol=record.symbol(),
                quantity=quantity,
                sold=sold,
                proceeds=stated,
                acquired=_opened(record),
                basis=basis,
                disallowed=disallowed,
                gain=_gain(record, stated, basis, disallowed),
                term=_sale_term(record),
                name=record.text("name"),
                line=record.line,
            )
        )


def _disallowed(record: Record) -> Money | None:
    """The loss that Schwab disallows, positive; zero where it sees no wash sale."""
    amount = record.amount("disallowed")
    if amount is not None:
        return abs(amount)
    if record.text("wash").casefold() == "yes":
        record.note("a wash sale without its disallowed loss")
        return None
    return ZERO


def _gain(
    record: Record, proceeds: Money, basis: Money | None, disallowed: Money | None
) -> Money | None:
    """Proceeds less basis plus the disallowed loss.

    Sources differ on whether the column of gains holds it so in a wash sale, so it only checks.
    """
    stated = record.amount("gain")
    if basis is None:
        return stated
    raw = proceeds - basis
    allowed = raw + (disallowed or ZERO)
    if stated is not None and min(abs(stated - raw), abs(stated - allowed)) > CENT:
        record.note(f"the gain is given as {stated:f}, but proceeds less basis are {raw:f}")
    return allowed


def _sale_term(record: Record) -> Term | None:
    if "term" in record.cells:
        return _term(record.text("term"))
    is_long, is_short = bool(record.amount("long")), bool(record.amount("short"))
    if is_long and is_short:
        record.note("the line is both long and short term: it stands for several lots")
        return None
    return Term.LONG if is_long else Term.SHORT if is_short else None


def _term(text: str) -> Term | None:
    word = text.casefold()
    return (
        Term.LONG if word.startswith("long") else Term.SHORT if word.startswith("short") else None
    )


def _opened(record: Record) -> dt.date | None:
    """The day on which a lot was opened, whatever its time; None for lots of various days."""
    text = record.text("acquired")
    if not text or text.casefold() == "various":
        return None
    try:
        return read_any_day(text.partition(" ")[0])
    except Unreadable as error:
        record.fault("acquired", str(error))
        return None


def _read_transactions(draft: Draft, part: Part) -> None:
    section, table = part.section, part.table
    amounts: list[Money] = []
    for line in part.lines:
        record = table.record(line)
        if line.cells[0].casefold() in _TOTALS:
            draft.note_total("the total of the transactions", record.amount("amount"), amounts)
        elif not table.fits(line):
            draft.rows += 1
            draft.add_misfit(table, line, section.account)
        else:
            draft.rows += 1
            amounts.append(record.amount("amount") or ZERO)
            _read_transaction(draft, section, record)


def _read_transaction(draft: Draft, section: Section, record: Record) -> None:
    action = record.text("action")
    key = action.casefold()
    date = _transaction_day(record)
    quantity = record.amount("quantity")
    if date is None:
        if record.text("date"):
            return
        record.fault("date", "is empty: write the day of the trade")
        return
    trade = Trade(
        kind=_TRADES.get(key, TransactionKind.REVIEW),
        date=date,
        account=section.account,
        symbol=record.symbol(),
        quantity=quantity,
        price=record.amount("price"),
        net=record.amount("amount"),
        fee=record.amount("fee") or ZERO,
    )
    if key in _TRADES:
        draft.add_trade(record, trade)
    elif quantity or record.is_masked("quantity") or key in _SALES_UNTOLD:
        reason = _REASONS.get(key, f"the action {quoted(action)} is not a trade that is judged")
        draft.add_review(record, trade, reason)
    else:
        words = _CASH_WORDS.items()
        kind = next((kind for kind, pattern in words if re.search(pattern, key)), "other")
        if kind == "other":
            draft.remark(record, f"the action {quoted(action)} is not known: kept as other money")
        draft.add_cash_line(record, kind, date, section.account)


def _transaction_day(record: Record) -> dt.date | None:
    """The day on which it took effect: the one after `as of`, else the only one."""
    posted, words, effective = record.text("date").partition(" as of ")
    try:
        return read_any_day(effective if words else posted) if posted else None
    except Unreadable as error:
        record.fault("date", str(error))
        return None


_READERS: Mapping[str, Callable[[Draft, Part], None]] = {
    "positions": _read_positions,
    "lots": _read_lots,
    "realized": _read_realized,
    "transactions": _read_transactions,
}
