"""One line of a CSV of one's own, and the transaction or the lot that it tells."""

import datetime as dt
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import asdict, replace

from trimtab.adapters.delimited import quoted
from trimtab.adapters.imports.draft import Draft
from trimtab.adapters.imports.generic_cells import (
    choice,
    destination,
    is_empty,
    is_yes,
    last_digit,
    like_action,
    needed_day,
    positive,
    ratio_of,
    reviewed,
    symbol_of,
    with_lots,
)
from trimtab.adapters.imports.mapping import ColumnMapping, TableKind
from trimtab.adapters.imports.table import Record, heading
from trimtab.adapters.imports.trade import BASE_CURRENCY, Trade, is_option
from trimtab.domain.history import Reporting, TaxAccount, Transaction, TransactionKind
from trimtab.domain.imported import BrokerSale, ImportedLot
from trimtab.domain.numbers import CENT, ZERO, Money
from trimtab.domain.trades import Term
from trimtab.domain.values import AccountKind, OwnerRole

ACTIONS = {
    "buy": ("buy", "bought", "purchase", "b"),
    "sell": ("sell", "sold", "sale", "s"),
    "reinvest": ("reinvest", "reinvestment", "reinvested", "drip", "reinvest shares"),
    "vest": ("vest", "vested", "vesting", "rsu", "espp"),
    "gift": ("gift", "gift in", "gift received"),
    "transfer": ("transfer", "transfer out", "journal"),
    "split": ("split", "stock split"),
    "dividend": ("dividend", "div", "cash dividend"),
    "opening": ("opening", "opening balance", "held"),
    "closed": ("closed", "closed lot"),
    "review": (
        *("review", "option", "short sale", "sell short", "buy to cover", "buy to open"),
        *("sell to open", "buy to close", "sell to close", "assigned", "expired", "exercised"),
    ),
    "cash": ("cash", "deposit", "withdrawal", "interest", "fee", "tax"),
    "ignore": (),
}
"""For each action the words that mean it, as `heading` spells them."""

_KINDS = {
    **{heading(kind.value): kind for kind in AccountKind},
    "brokerage": AccountKind.TAXABLE,
    "individual": AccountKind.TAXABLE,
    "joint": AccountKind.TAXABLE,
    "ira": AccountKind.TRADITIONAL_IRA,
    "traditional": AccountKind.TRADITIONAL_IRA,
    "roth": AccountKind.ROTH_IRA,
    "401 k": AccountKind.PLAN_401K,
}
_CLASSES = {
    **dict.fromkeys(("crypto", "cryptocurrency", "coin", "digital asset"), True),
    **dict.fromkeys(("security", "stock", "equity", "etf", "fund", "mutual fund", "bond"), False),
}
_TERMS = {
    **dict.fromkeys(("short", "short term", "st", "s"), Term.SHORT),
    **dict.fromkeys(("long", "long term", "lt", "l"), Term.LONG),
}
_ROLES = {role.value: role for role in OwnerRole}
_FORMS = {heading(form.value): form for form in Reporting}
_ACQUIRES = frozenset(
    {TransactionKind.BUY, TransactionKind.REINVEST, TransactionKind.VEST}
    | {TransactionKind.GIFT, TransactionKind.OPENING}
)
_PAID = frozenset(
    {TransactionKind.BUY, TransactionKind.REINVEST, TransactionKind.VEST}
    | {TransactionKind.SELL, TransactionKind.CLOSED}
)
_SALES = frozenset({TransactionKind.SELL, TransactionKind.CLOSED})
_KNOWN_LOTS = frozenset({TransactionKind.GIFT, TransactionKind.OPENING, TransactionKind.CLOSED})


_NO_DAY = dt.date(9000, 1, 1)
"""Stands in for a date that cannot be read, so that the rest of its line is read all the same."""


class _Owner(Struct, frozen=True, kw_only=True):
    """What lines have said of an account so far; empty or None where they have not."""

    owner: str = ""
    role: OwnerRole | None = None
    kind: AccountKind | None = None


class RowReader:
    """Reads lines into a draft, and remembers what they say of accounts and ids."""

    def __init__(self, draft: Draft, mapping: ColumnMapping) -> None:
        """Read into *draft* as *mapping* says."""
        self.draft = draft
        self._mapping = mapping
        self._words = {word: action for action, words in ACTIONS.items() for word in words}
        for action, words in asdict(mapping.actions).items():
            self._words |= {heading(word): action for word in words}
        self._owners: dict[str, _Owner] = {}
        self._ids: dict[str, list[int]] = {}

    def read(self, kind: TableKind, records: Sequence[Record]) -> None:
        """Read all *records* of a list of this *kind*."""
        readers = {
            "transactions": self._read_transaction,
            "sales": self._read_sale,
            "lots": self._read_lot,
        }
        for record in records:
            self.draft.rows += 1
            readers[kind](record)
        self._check_ids()
        wallets = {name for name, told in self._owners.items() if told.kind is AccountKind.CRYPTO}
        self.draft.coins |= {
            each.symbol for each in self.draft.transactions if each.account in wallets
        }
        self.draft.tax_accounts += [
            TaxAccount(
                id=account,
                owner=told.owner or "self",
                role=told.role or OwnerRole.SELF,
                kind=told.kind or AccountKind.TAXABLE,
            )
            for account, told in self._owners.items()
            if told != _Owner()
        ]

    def _check_ids(self) -> None:
        """Make a fault of each id that stands on several lines."""
        for name, lines in self._ids.items():
            if len(lines) > 1:
                listed = ", ".join(map(str, lines))
                self.draft.fault(f"lines {listed}, id: {quoted(name)} stands on each: rename them")

    def _read_lot(self, record: Record) -> None:
        """Keep the open lot on a line."""
        account = self._account(record)
        symbol, quantity = symbol_of(record), positive(record, "quantity")
        acquired = needed_day(record, "acquired")
        basis = record.amount("basis")
        unit_cost = record.amount("unit_cost")
        if basis is None and unit_cost is not None and quantity is not None:
            basis = unit_cost * quantity
        if is_empty(record, "basis", "unit_cost") and not record.is_masked("basis"):
            record.fault("cost", "is empty: write what was paid in all, fees included")
        if not symbol or quantity is None:
            return
        self.draft.lots.append(
            ImportedLot(
                account=account,
                symbol=symbol,
                quantity=quantity,
                acquired=acquired,
                basis=basis,
                holding_since=record.day("holding_since"),
            )
        )

    def _read_sale(self, record: Record) -> None:
        """Keep a sale as a broker tells it."""
        quantity, sold = positive(record, "quantity", either_sign=True), needed_day(record, "sold")
        proceeds, basis = record.amount("proceeds"), record.amount("basis")
        if is_empty(record, "proceeds") and not record.is_masked("proceeds"):
            record.fault("proceeds", "is empty: write what was received")
        account, symbol = self._account(record), symbol_of(record)
        various = record.text("acquired").casefold() == "various"
        disallowed = record.amount("disallowed")
        disallowed = None if disallowed is None else abs(disallowed)
        if quantity is None or sold is None or proceeds is None:
            self.draft.remark(record, "a sale without its quantity, day or proceeds, left out")
            return
        self.draft.sales.append(
            BrokerSale(
                account=account,
                symbol=symbol,
                quantity=quantity,
                sold=sold,
                proceeds=proceeds,
                acquired=None if various else record.day("acquired"),
                basis=basis,
                disallowed=disallowed,
                gain=None if basis is None else proceeds - basis + (disallowed or ZERO),
                term=choice(record, "term", _TERMS),
                reporting=choice(record, "form", _FORMS),
                cusip=record.text("cusip"),
                name=record.text("name"),
                line=record.line,
            )
        )

    def _read_transaction(self, record: Record) -> None:
        """Keep the transaction on a line."""
        account = self._account(record)
        action = self._action(record)
        if action == "ignore":
            self.draft.remark(record, "an action that the mapping ignores, left out")
            return
        date = needed_day(record, "date") or _NO_DAY
        if action == "cash":
            self.draft.add_cash_line(record, record.text("action").casefold(), date, account)
            return
        plain = Transaction(
            id=self._id(record, action),
            date=date,
            account=account,
            kind=TransactionKind(action),
            symbol=symbol_of(record),
            order_id=record.text("order"),
            text=record.text("text"),
            source=record.where,
        )
        doubt = self._doubt(record, plain)
        if doubt:
            self._review(record, plain, doubt)
            return
        read = self._filled(record, plain)
        if read is not None:
            self.draft.add_transaction(read)

    def _action(self, record: Record) -> str:
        text = record.text("action")
        if not text and self._mapping.quantity_sign == "decides":
            return "sell" if (record.amount("quantity") or ZERO) < 0 else "buy"
        if not text:
            record.fault("action", "is empty: write buy, sell or another one")
        return self._words.get(heading(text), "review")

    def _id(self, record: Record, action: str) -> str:
        """The id of a line; a purchase may name its lot instead."""
        name = record.text("id")
        if not name and TransactionKind(action) in _ACQUIRES:
            name = record.text("lots")
        if name:
            self._ids.setdefault(name, []).append(record.line)
        return name

    def _account(self, record: Record) -> str:
        account = record.text("account") or self._mapping.account or ""
        if not account and "account" in record.cells:
            record.fault("account", "is empty: write the account's name on every line")
        self.draft.name_account(account)
        if choice(record, "asset_class", _CLASSES):
            self.draft.coins.add(record.symbol())
        told = self._owners.get(account, _Owner())
        owner = record.text("owner") or told.owner
        role = choice(record, "role", _ROLES) or told.role
        kind = choice(record, "account_kind", _KINDS) or told.kind
        for column, before, now in (
            ("owner", told.owner, owner),
            ("role", told.role, role),
            ("account_kind", told.kind, kind),
        ):
            if before and before != now:
                record.fault(column, f"of {quoted(account)} is {before} above: write the same")
        self._owners[account] = _Owner(owner=owner, role=role, kind=kind)
        return account

    def _doubt(self, record: Record, plain: Transaction) -> str:
        """Why no rule judges the line; empty when one does."""
        word = record.text("action")
        currency = record.text("currency").upper() or BASE_CURRENCY
        if word and heading(word) not in self._words:
            return f"the action {quoted(word)} is not known ({like_action(word, self._words)})"
        numbers = ("quantity", "price", "amount", "fee", "basis")
        doubts = {
            "an option": is_option(plain.symbol),
            f"the action {quoted(word)} is not judged": plain.kind is TransactionKind.REVIEW,
            f"in {currency}, to be converted to {BASE_CURRENCY} by hand": currency != BASE_CURRENCY,
            "a masked number": any(record.is_masked(column) for column in numbers),
        }
        return next((doubt for doubt, is_so in doubts.items() if is_so), "")

    def _review(self, record: Record, plain: Transaction, doubt: str) -> None:
        is_meant = heading(record.text("action")) in self._words
        if plain.text and is_meant and plain.kind is TransactionKind.REVIEW:
            self.draft.add_transaction(reviewed(record, plain))
            self.draft.remark(record, f"{doubt}: left for you to look at")
            return
        trade = Trade(
            kind=plain.kind,
            date=plain.date,
            account=plain.account,
            symbol=plain.symbol,
            quantity=record.amount("quantity"),
            net=record.amount("amount"),
            currency=record.text("currency").upper() or BASE_CURRENCY,
            id=plain.id,
        )
        self.draft.add_review(record, trade, doubt)

    def _filled(self, record: Record, plain: Transaction) -> Transaction | None:
        """*plain* with what else the line tells; None where it is only money that came."""
        if plain.kind is TransactionKind.SPLIT:
            numerator, denominator = ratio_of(record)
            return replace(plain, numerator=numerator, denominator=denominator)
        if plain.kind is TransactionKind.DIVIDEND:
            return self._dividend(record, plain)
        is_sale = plain.kind in _SALES
        quantity = positive(record, "quantity", either_sign=is_sale) or ZERO
        fee = self._fee(record)
        filled = replace(plain, quantity=quantity, fee=fee)
        if plain.kind in _PAID:
            filled = replace(filled, amount=self._amount(record, filled))
        if plain.kind in {TransactionKind.SELL, TransactionKind.TRANSFER}:
            filled = with_lots(record, filled)
        if plain.kind is TransactionKind.TRANSFER:
            return replace(filled, to_account=destination(record, plain.account))
        if plain.kind in _KNOWN_LOTS:
            filled = self._with_basis(record, filled)
        form = choice(record, "form", _FORMS) if is_sale else None
        return replace(filled, reporting=form)

    def _dividend(self, record: Record, plain: Transaction) -> Transaction | None:
        per_share = record.amount("per_share")
        if per_share is None and record.amount("amount") is not None:
            self.draft.remark(record, "a dividend without its amount per share, kept as money")
            self.draft.add_cash_line(record, "dividend", plain.date, plain.account)
            return None
        if is_empty(record, "per_share"):
            record.fault("per_share", "is empty: write the dividend of one share")
        return replace(
            plain,
            quantity=abs(record.amount("quantity") or ZERO),
            per_share=per_share or ZERO,
            is_preferred=is_yes(record, "preferred"),
            is_nonqualified=is_yes(record, "nonqualified"),
        )

    def _fee(self, record: Record) -> Money:
        fee = record.amount("fee") or ZERO
        if self._mapping.fee_sign == "negative":
            fee = -fee
        if fee < 0:
            record.fault("fee", "a cost is not below zero here: correct it, or map fee_sign")
        return fee

    def _amount(self, record: Record, trade: Transaction) -> Money:
        """The money of *trade* before its fee."""
        amount, price = record.amount("amount"), record.amount("price")
        if price is not None and price < 0:
            record.fault("price", "is below zero: write what one unit cost")
        if amount is None and price is None:
            if is_empty(record, "amount", "price"):
                record.fault("amount", "is empty, and so is price: write one of them")
            return ZERO
        if amount is None or price is None:
            product = trade.quantity * (price or ZERO)
            return product if amount is None else self._gross(record, trade, amount)
        gross = self._gross(record, trade, amount)
        product = trade.quantity * price
        slack = CENT + trade.quantity * last_digit(price) / 2
        net = product - trade.fee if trade.kind in _SALES else product + trade.fee
        if abs(product - gross) > slack >= abs(net - gross):
            record.fault(
                "amount",
                f"{gross:f} seems to hold the fee of {trade.fee:f}, for {trade.quantity:f} at"
                f" {price:f} are {product:f}: write the amount before fees, or map amounts",
            )
        elif abs(product - gross) > max(slack, gross / 100):
            record.note(
                f"{trade.quantity:f} at {price:f} are {product:f}, but the amount is {gross:f};"
                " the amount was taken"
            )
        return gross

    def _gross(self, record: Record, trade: Transaction, amount: Money) -> Money:
        if amount < 0 and trade.kind in _SALES:
            record.fault("amount", "is below zero: a sale brings money")
        if self._mapping.amounts == "before_fees":
            return abs(amount)
        gross = abs(amount) + (trade.fee if trade.kind in _SALES else -trade.fee)
        if gross < 0:
            record.fault("fee", "is more than the amount: correct one of them")
        return gross

    def _with_basis(self, record: Record, trade: Transaction) -> Transaction:
        basis, acquired = record.amount("basis"), needed_day(record, "acquired")
        since = record.day("holding_since")
        if is_empty(record, "basis") or (basis is not None and basis < 0):
            record.fault("basis", "is empty or below zero: write what was paid in all")
        if acquired is not None and acquired > trade.date:
            record.fault("acquired", f"{acquired} is after {trade.date}: correct one of them")
        if acquired is not None and since is not None and since > acquired:
            record.fault("holding_since", f"{since} is after {acquired}: correct one of them")
        disallowed = record.amount("disallowed") or ZERO
        if disallowed < 0:
            record.fault("disallowed", "is below zero: write the loss as a positive number")
        is_closed = trade.kind is TransactionKind.CLOSED
        return replace(
            trade,
            basis=basis,
            acquired=acquired,
            holding_since=since,
            lot_id=record.text("lots") if is_closed else "",
            disallowed=disallowed if is_closed else ZERO,
        )
