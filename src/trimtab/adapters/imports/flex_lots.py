"""What Interactive Brokers made of a household's sales: closed lots, and its wash sales."""

from collections.abc import Sequence

from msgspec.structs import replace

from trimtab.adapters.imports.flex_xml import Reader, Record, Statement
from trimtab.adapters.imports.words import counted
from trimtab.domain.imported import BrokerSale
from trimtab.domain.numbers import ZERO
from trimtab.domain.trades import Term

SECURITIES = {"STK", "ETF", "FUND", "BOND", "BILL", "CRYPTO"}
WASH_CODES = {"LD", "W"}

_LEVELS = {"Lot": "CLOSED_LOT", "WashSale": "WASH_SALE"}


class LotsRead:
    """The broker's own sales in a file, and what to note about them."""

    def __init__(self, reader: Reader) -> None:
        """Collect for the file of *reader*."""
        self._reader = reader
        self._washes: list[tuple[str, Record]] = []
        self._left_out = 0
        self._derived = 0
        self.sales: list[BrokerSale] = []
        self.notes: list[str] = []

    def add(self, statement: Statement) -> None:
        """Read the closed lots and wash sales of *statement*."""
        for record in statement.of("Trade", "Lot", "WashSale"):
            account = statement.account_of(record)
            if "CLOSED_LOT" in {record.level, _LEVELS.get(record.name)}:
                self._add_lot(account, record)
            elif "WASH_SALE" in {record.level, _LEVELS.get(record.name)}:
                self._washes.append((account, record))

    def finish(self) -> None:
        """Give each wash sale to its lot, and say what the rows cannot."""
        self._attach_washes()
        if self.sales:
            self.notes.append(
                "closed lots are there to compare with: IBKR's basis and gain know one account only"
            )
        if self._left_out:
            self.notes.append(
                f"{counted(self._left_out, 'closed lot')} of options, futures, currencies or short"
                " positions, or without figures, left out"
            )
        if self._derived:
            self.notes.append(
                f"the proceeds of {counted(self._derived, 'closed lot')} are cost plus"
                " fifoPnlRealized: the file does not give them"
            )

    def _add_lot(self, account: str, record: Record) -> None:
        if not is_security(record) or record.get("buySell").upper().startswith("BUY"):
            self._left_out += 1
            return
        reader = self._reader
        sold = reader.day(record, "tradeDate", "dateTime", "reportDate")
        quantity = reader.needed(record, "quantity")
        cost = reader.amount(record, "cost")
        gain = reader.amount(record, "fifoPnlRealized")
        proceeds = reader.amount(record, "proceeds") or None
        if proceeds is None and cost is not None and gain is not None:
            proceeds = abs(cost) + gain
            self._derived += 1
        if sold is None or quantity is None or proceeds is None:
            self._left_out += 1
            return
        self.sales.append(
            BrokerSale(
                account=account,
                symbol=record.get("symbol", "isin", "conid"),
                quantity=abs(quantity),
                sold=sold,
                proceeds=abs(proceeds),
                acquired=reader.day(record, "openDateTime"),
                basis=None if cost is None else abs(cost),
                gain=gain,
                term=term_of_codes(record),
                cusip=record.get("cusip"),
                name=record.get("description"),
                line=record.line,
            )
        )

    def _attach_washes(self) -> None:
        """Give each wash row's disallowed loss to the closed lot that it belongs to."""
        if not self._washes:
            return
        self.sales = [replace(sale, disallowed=ZERO) for sale in self.sales]
        places: dict[tuple[object, ...], list[int]] = {}
        for place, sale in enumerate(self.sales):
            places.setdefault((sale.account, sale.symbol, sale.sold), []).append(place)
        for account, record in self._washes:
            loss = self._reader.amount(record, "fifoPnlRealized") or ZERO
            sold = self._reader.day(record, "whenRealized", "tradeDate", "dateTime")
            quantity = abs(self._reader.amount(record, "quantity") or ZERO)
            symbol = record.get("symbol", "isin", "conid")
            fitting = [
                place
                for place in places.get((account, symbol, sold), ())
                if self.sales[place].quantity >= quantity
            ]
            if not fitting:
                self.notes.append(
                    f"line {record.line}: a wash sale of {quantity} {symbol} on {sold} with"
                    f" {abs(loss)} disallowed has no closed lot in the file: compare it by hand"
                )
                continue
            exact = [place for place in fitting if self.sales[place].quantity == quantity]
            place = min(exact or fitting, key=lambda at: (self.sales[at].gain or ZERO, at))
            sale = self.sales[place]
            disallowed = (sale.disallowed or ZERO) + abs(loss)
            self.sales[place] = replace(sale, disallowed=disallowed)


def codes_of(record: Record) -> set[str]:
    """The short codes of a row, such as P (partial) or LD (loss disallowed)."""
    written = f"{record.get('notes')};{record.get('code')}"
    return {code.strip() for code in written.replace(",", ";").split(";")} - {""}


def term_of_codes(record: Record) -> Term | None:
    """The holding period that IBKR names in the codes of a row."""
    codes = codes_of(record)
    if "LT" in codes:
        return Term.LONG
    return Term.SHORT if "ST" in codes else None


def count_wash_notes(statements: Sequence[Statement]) -> int:
    """Rows that a broker marked as adjusted by a wash sale, and its rows of wash sales."""
    records = [one for statement in statements for one in statement.of("Trade", "Lot", "WashSale")]
    return sum(
        bool(codes_of(one) & WASH_CODES) or one.level == "WASH_SALE" or one.name == "WashSale"
        for one in records
    )


def is_security(record: Record) -> bool:
    """Whether a row is about a share, fund, bond or coin, and no contract on one."""
    category = record.get("assetCategory")
    return category in SECURITIES or (not category and not record.get("putCall", "strike"))
