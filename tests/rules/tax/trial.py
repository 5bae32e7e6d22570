"""The ledger against the oracle over one history."""

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

from tests.rules.tax.histories import History
from tests.rules.tax.oracle import judge
from tests.rules.tax.rows import lot_differences, open_lots, row_differences, taxed_rows

from trimtab.domain.history import TransactionKind, WashMatch
from trimtab.rules.tax.ledger import Ledger

NOTHING = Fraction(1, 10**12)
"""The ledger splits amounts to 1e-18; a few thousand such splits stay far below this."""


def ledger_of(history: History) -> Ledger:
    ledger = Ledger(history.accounts, history.rule, history.rates)
    ledger.extend(history.transactions)
    return ledger


def disagreements(history: History) -> list[str]:
    """A phrase for each place in which ledger and oracle differ; none is right."""
    ledger = ledger_of(history)
    right = judge(history.transactions, history.accounts, history.rule, history.rates)
    found = [
        *row_differences(right.taxed_rows(), taxed_rows(ledger.sales()), NOTHING),
        *lot_differences(right.open_lots(), open_lots(ledger.lots()), NOTHING),
    ]
    split = split_symbols(history)
    if not split:
        pairs = Counter(dict(matched(ledger.matches())))
        wrong = sorted(key for key in {*pairs, *right.pairs} if pairs[key] != right.pairs[key])
        found += [f"{key}: {pairs[key]} units replaced, not {right.pairs[key]}" for key in wrong]
    return found


def matched(matches: Iterable[WashMatch]) -> dict[tuple[str, str, str], Fraction]:
    """Units by sale, lot sold and lot that replaced it."""
    found: dict[tuple[str, str, str], Fraction] = {}
    for match in matches:
        key = (match.sale_id, match.lot_id, match.replacement_lot)
        found[key] = found.get(key, Fraction(0)) + Fraction(match.quantity)
    return found


def split_symbols(history: History) -> set[str]:
    return {one.symbol for one in history.transactions if one.kind is TransactionKind.SPLIT}
