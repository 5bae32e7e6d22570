"""Our Form 8949 against the broker's file, row by row and to the cent, with the reason of each gap.

A broker's Form 1099-B covers one account and one CUSIP (26 CFR 1.6045-1(d)(6)(iii)); section 1091
covers the household. So differences are expected; each is explained from our own wash sales, or
said to be unexplained.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.history import WashMatch
from trimtab.domain.imported import BrokerSale
from trimtab.domain.numbers import CENT, ZERO, Money, Quantity, to_cents
from trimtab.domain.trades import Term
from trimtab.rules.tax.comparison import (
    Comparison,
    Verdict,
    compared,
    completed,
    same_units,
    terms_phrase,
)
from trimtab.rules.tax.form8949 import Amounts, BrokerFigures, FormRow
from trimtab.rules.tax.pairing import Pair, paired
from trimtab.rules.tax.unseen import unseen_by_brokers

SETTLEMENT_DAYS_MAX = 5
"""Calendar days by which a broker's date may follow the trade: T+2 over a long weekend."""


class BrokerNames(Struct, frozen=True, kw_only=True):
    """How the broker calls what we call otherwise: its account ids, and CUSIPs by their symbol."""

    accounts: Mapping[str, str] = {}
    symbols: Mapping[str, str] = {}


class AccountTotal(Struct, frozen=True, kw_only=True):
    """Sums of one account (empty: of all), and how many comparisons had which verdict."""

    account: str
    ours: Amounts
    theirs: Amounts
    counts: tuple[tuple[Verdict, int], ...]


class Reconciliation(Struct, frozen=True, kw_only=True):
    """Every comparison, the totals, and the broker's figures by the id of our row.

    `figures` go into `form_rows`, so that the form repeats what the IRS was told.
    """

    comparisons: tuple[Comparison, ...]
    accounts: tuple[AccountTotal, ...]
    total: AccountTotal
    figures: dict[str, BrokerFigures]

    @property
    def is_explained(self) -> bool:
        """Whether nothing is left for a person to look at."""
        return not any(one.is_open for one in self.comparisons)


def reconcile(
    rows: Iterable[FormRow],
    sales: Iterable[BrokerSale],
    *,
    washes: Iterable[WashMatch] = (),
    names: BrokerNames | None = None,
    settlement_days_max: int = SETTLEMENT_DAYS_MAX,
) -> Reconciliation:
    """Compare *rows* of a year with what the brokers told about it.

    *washes* are all wash sales of the household, of earlier years too: a basis may have been
    carried for long. Amounts agree when they differ by no more than a cent a row. The year of a
    sale is its trade date's (Rev. Rul. 70-598), whatever day the broker gives.
    """
    named = names or BrokerNames()
    unseen = unseen_by_brokers(washes)
    pairs = paired(
        rows,
        (_renamed(sale, named) for sale in sales),
        settlement_days_max=settlement_days_max,
    )
    found = [(compared(pair, unseen), pair) for pair in pairs]
    comparisons = _in_sublot_order(found)
    by_account: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        by_account.setdefault(comparison.account, []).append(comparison)
    return Reconciliation(
        comparisons=comparisons,
        accounts=tuple(_total(account, by_account[account]) for account in sorted(by_account)),
        total=_total("", comparisons),
        figures={
            row_id: figures
            for comparison, (_, pair) in zip(comparisons, found, strict=True)
            if pair.ours and pair.theirs and same_units(pair)
            for row_id, figures in _figures(pair, comparison).items()
        },
    )


def _renamed(sale: BrokerSale, names: BrokerNames) -> BrokerSale:
    symbol = names.symbols.get(sale.cusip) or names.symbols.get(sale.symbol) or sale.symbol
    return replace(sale, account=names.accounts.get(sale.account, sale.account), symbol=symbol)


def _in_sublot_order(pairs: Sequence[tuple[Comparison, Pair]]) -> tuple[Comparison, ...]:
    """The comparisons, with those explained whose differences cancel out.

    A lot is a row of shares of different basis once a wash sale has adjusted some; which of them
    a sale takes, and which replace a loss, moves dollars between rows and never changes their sum
    (by lot, or by day where a sale took several lots).
    """
    found = [comparison for comparison, _ in pairs]
    for keys in (_by_lot, _by_day):
        groups: dict[tuple[str, ...], list[int]] = {}
        for at, (_, pair) in enumerate(pairs):
            key = keys(pair)
            if key is not None:
                groups.setdefault(key, []).append(at)
        for places in groups.values():
            for at in _cancelled([(found[at], pairs[at][1], at) for at in places]):
                found[at] = _reordered(found[at])
    return tuple(found)


def _by_lot(pair: Pair) -> tuple[str, ...] | None:
    lots = {(row.account, row.symbol, row.lot_id) for row in pair.ours}
    return lots.pop() if len(lots) == 1 and pair.theirs else None


def _by_day(pair: Pair) -> tuple[str, ...] | None:
    if not pair.ours or not pair.theirs:
        return None
    row = pair.ours[0]
    return row.account, row.symbol, f"{row.sold}"


def _cancelled(group: Sequence[tuple[Comparison, Pair, int]]) -> list[int]:
    """The places of the unexplained comparisons of *group*, if together they come to nothing.

    One row cannot cancel out; neither can a gain of one term against a loss of the other.
    """
    open_ones = [one for one in group if one[0].verdict is Verdict.UNEXPLAINED]
    if len(open_ones) < 2 or not all(_is_of_one_term(pair) for _, pair, _ in open_ones):  # noqa: PLR2004  one alone offsets nothing
        return []
    tolerance = CENT * sum(max(len(pair.ours), len(pair.theirs)) for _, pair, _ in open_ones)
    sums: dict[tuple[Term, str], Money] = {}
    for comparison, pair, _ in open_ones:
        for name in ("proceeds", "basis", "adjustment"):
            key = pair.ours[0].term, name
            sums[key] = sums.get(key, ZERO) + getattr(comparison.difference, name)
    if any(abs(amount) > tolerance for amount in sums.values()):
        return []
    return [at for _, _, at in open_ones]


def _is_of_one_term(pair: Pair) -> bool:
    """Whether both sides tell of the same units, all of one term."""
    is_one = len({row.term for row in pair.ours}) == 1
    return is_one and same_units(pair) and not terms_phrase(pair)


def _reordered(comparison: Comparison) -> Comparison:
    return replace(
        comparison,
        verdict=Verdict.SUBLOT_ORDER,
        sentence=(
            f"{comparison.sentence.removesuffix('.')}; the broker takes the shares of the lot in "
            "another order, and over its rows the differences cancel out."
        ),
    )


def _total(account: str, comparisons: Sequence[Comparison]) -> AccountTotal:
    counts = Counter(one.verdict for one in comparisons)
    return AccountTotal(
        account=account,
        ours=_sum([one.ours for one in comparisons]),
        theirs=_sum([one.theirs for one in comparisons]),
        counts=tuple((verdict, counts[verdict]) for verdict in Verdict if counts[verdict]),
    )


def _sum(amounts: Sequence[Amounts]) -> Amounts:
    return Amounts(
        proceeds=sum((one.proceeds for one in amounts), ZERO),
        basis=sum((one.basis for one in amounts), ZERO),
        adjustment=sum((one.adjustment for one in amounts), ZERO),
    )


def _figures(pair: Pair, comparison: Comparison) -> dict[str, BrokerFigures]:
    """What the broker's rows say about each of ours.

    One of the broker's rows for several of ours is shared out by units, in cents that add up to
    it; where the sums agree anyway, our rows keep their own amounts.
    """
    told = [completed(sale) for sale in pair.theirs]
    terms = {sale.term for sale in told}
    forms = {sale.reporting for sale in told}
    term = terms.pop() if len(terms) == 1 else None
    reporting = forms.pop() if len(forms) == 1 else None
    keeps_own = len(pair.ours) > 1 and comparison.verdict in {Verdict.EQUAL, Verdict.ROUNDING}
    if keeps_own:
        only = BrokerFigures(term=term, reporting=reporting)
        return dict.fromkeys(comparison.rows, only)
    has_basis = all(sale.basis is not None for sale in told)
    has_washes = all(sale.disallowed is not None for sale in told)
    parts = [row.quantity for row in pair.ours]
    proceeds = _shares(comparison.theirs.proceeds, parts)
    basis = _shares(comparison.theirs.basis, parts)
    washed = _shares(comparison.theirs.adjustment, parts)
    return {
        row.id: BrokerFigures(
            proceeds=proceeds[at],
            basis=basis[at] if has_basis else None,
            disallowed=washed[at] if has_washes else None,
            term=term,
            reporting=reporting,
        )
        for at, row in enumerate(pair.ours)
    }


def _shares(amount: Money, parts: Sequence[Quantity]) -> list[Money]:
    """*amount* in cents by *parts*; adds up exactly."""
    whole = sum(parts, ZERO)
    until, before, shares = ZERO, ZERO, []
    for part in parts:
        until += part
        upto = amount if until == whole else to_cents(amount * until / whole)
        shares.append(upto - before)
        before = upto
    return shares
