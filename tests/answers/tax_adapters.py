"""From a worked tax case to the library's own values, and from its answers to comparable rows.

The form of a case is described in `tax/README.md`. An adapter only translates: amounts are the
Decimals of their digits, a fraction such as 2500/9 has sixty of them, and every rule that a case
asks for stands in `trimtab.rules`.
"""

import datetime as dt
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

from msgspec import Struct
from tests.rules.tax.rows import Open, Row, gathered

from trimtab.domain.history import Reporting, TaxAccount, Transaction, TransactionKind, WashRule
from trimtab.domain.policy import FilingStatus, LotMethod
from trimtab.domain.trades import LotPick, Term
from trimtab.domain.values import AccountKind, OwnerRole

FOLDER = Path(__file__).parent / "tax"
DIGITS = 60
METHODS: Mapping[str, LotMethod] = {
    "fifo": "fifo",
    "lifo": "lifo",
    "hifo": "hifo",
    "mintax": "min_tax",
    "specific": "specified",
}
STATUSES: Mapping[str, FilingStatus] = {
    "single": "single",
    "hoh": "head_of_household",
    "mfj": "married_filing_jointly",
    "qss": "qualifying_surviving_spouse",
    "mfs": "married_filing_separately",
}
ACCOUNTS = {
    "taxable": AccountKind.TAXABLE,
    "ira": AccountKind.TRADITIONAL_IRA,
    "roth": AccountKind.ROTH_IRA,
    "401k": AccountKind.PLAN_401K,
    "hsa": AccountKind.HSA,
}
"""Any other deferred type behaves like an IRA."""
TERMS = {"ST": Term.SHORT, "LT": Term.LONG}
SWITCHES = {"crypto_wash_from", "earlier_acquired", "tacking"}
"""The overrides of `policy` that the library has too; a case with another one is skipped."""


class Return(Struct, frozen=True, kw_only=True):
    """Who files together, and how."""

    id: str
    owners: tuple[str, ...]
    status: FilingStatus


class TaxCase(Struct, frozen=True, kw_only=True):
    """A case of kind `ledger`, in the library's words. `plain` is the case as it was read."""

    accounts: dict[str, TaxAccount]
    returns: tuple[Return, ...]
    rule: WashRule
    rates: tuple[Decimal, Decimal] | None
    transactions: tuple[Transaction, ...]
    plain: Mapping[str, Any]

    def accounts_of(self, filed: Return) -> frozenset[str]:
        """The accounts whose sales stand on that return."""
        return frozenset(
            account.id for account in self.accounts.values() if account.owner in filed.owners
        )


def plain_cases(folder: Path = FOLDER) -> Iterator[dict[str, Any]]:
    """Every case in *folder*: each `*.json` is one, each line of a `*.jsonl.gz` is one."""
    for path in sorted(folder.glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.strip())


def number(text: str) -> Decimal:
    """A plain decimal as it stands; a fraction to sixty digits."""
    above, _, below = text.partition("/")
    if not below:
        return Decimal(above)
    with localcontext() as context:
        context.prec = DIGITS
        return Decimal(above) / Decimal(below)


def missing_switches(plain: Mapping[str, Any]) -> set[str]:
    """The overrides that such a case asks for and the library does not have."""
    overrides = plain.get("policy") or {}
    # A switch that is off asks for nothing else than the default.
    return {name for name, value in overrides.items() if value is not False} - SWITCHES


def tax_case(plain: Mapping[str, Any]) -> TaxCase:
    household = plain["household"]
    owners = household["owners"]
    coins = {
        name for name, facts in plain.get("symbols", {}).items() if facts.get("class") == "crypto"
    }
    rates = plain.get("rates")
    return TaxCase(
        accounts={
            name: TaxAccount(
                id=name,
                owner=facts["owner"],
                role=OwnerRole(owners[facts["owner"]]),
                kind=ACCOUNTS.get(facts["type"], AccountKind.TRADITIONAL_IRA),
            )
            for name, facts in household["accounts"].items()
        },
        returns=tuple(
            Return(id=each["id"], owners=tuple(each["owners"]), status=STATUSES[each["status"]])
            for each in household["returns"]
        ),
        rule=WashRule(
            groups=tuple(tuple(group) for group in plain.get("identical", ())),
            exempt=frozenset(coins),
            **_policy(plain.get("policy") or {}),
        ),
        rates=(number(rates["st"]), number(rates["lt"])) if rates else None,
        transactions=tuple(_transaction(facts, coins) for facts in plain["transactions"]),
        plain=plain,
    )


def _policy(overrides: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in overrides.items() if name in SWITCHES}
    if found.get("crypto_wash_from"):
        found["crypto_wash_from"] = dt.date.fromisoformat(found["crypto_wash_from"])
    return found


def _transaction(facts: Mapping[str, Any], coins: set[str]) -> Transaction:
    quantity = number(facts.get("qty", "0"))
    with localcontext() as context:
        context.prec = DIGITS
        gross = number(facts["amount"]) if "amount" in facts else None
        amount = gross if gross is not None else quantity * number(facts.get("price", "0"))
    picks = tuple(
        LotPick(lot_id=pick["lot"], quantity=number(pick["qty"])) for pick in facts.get("lots", ())
    )
    method = METHODS[facts.get("method", "specific" if picks else "fifo")]
    ratio = Fraction(facts.get("ratio", "1"))
    return Transaction(
        id=facts["id"],
        date=dt.date.fromisoformat(facts["date"]),
        account=facts["account"],
        kind=TransactionKind(facts["side"]),
        symbol=facts["symbol"],
        quantity=quantity,
        amount=amount,
        fee=number(facts.get("fee", "0")),
        order_id=facts.get("order", ""),
        method=method,
        picks=picks,
        reporting=_reporting(facts, coins),
        basis=number(facts["basis"]) if "basis" in facts else None,
        acquired=dt.date.fromisoformat(facts["acquired"]) if "acquired" in facts else None,
        to_account=facts.get("to", ""),
        numerator=ratio.numerator,
        denominator=ratio.denominator,
        per_share=number(facts.get("per_share", "0")),
        is_preferred=bool(facts.get("preferred", False)),
        is_nonqualified=bool(facts.get("nonqualified", False)),
        source=f"{facts['id']}",
    )


def _reporting(facts: Mapping[str, Any], coins: set[str]) -> Reporting | None:
    if facts["side"] != "sell":
        return None
    usual = "none" if facts["symbol"] in coins else "1099b_reported"
    return Reporting(facts.get("form", usual))


def expected_rows(plain: Mapping[str, Any]) -> dict[tuple[str, str, dt.date], Row]:
    return gathered(
        Row(
            sale=row["sell"],
            lot=row["lot"],
            since=dt.date.fromisoformat(row["holding_start"]),
            acquired=dt.date.fromisoformat(row["acquired"]),
            sold=dt.date.fromisoformat(row["sold"]),
            term=TERMS[row["term"]],
            quantity=Fraction(row["qty"]),
            proceeds=Fraction(row["proceeds"]),
            basis=Fraction(row["basis"]),
            disallowed=Fraction(row["adjustment"]),
            permanent=Fraction(row["permanent"]),
            account=row.get("account", ""),
            symbol=row.get("symbol", ""),
        )
        for row in plain["expected"]["disposals"]
    )


def expected_lots(plain: Mapping[str, Any]) -> Sequence[Open]:
    return [
        Open(
            account=lot["account"],
            lot=lot["lot"],
            since=dt.date.fromisoformat(lot["holding_start"]),
            acquired=dt.date.fromisoformat(lot["acquired"]),
            symbol=lot["symbol"],
            quantity=Fraction(lot["qty"]),
            basis=Fraction(lot["basis"]),
        )
        for lot in plain["expected"]["lots"]
    ]
