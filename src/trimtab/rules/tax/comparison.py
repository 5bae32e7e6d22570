"""Rows of ours beside the broker's rows of the same units: what differs, and why."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.imported import BrokerSale
from trimtab.domain.numbers import CENT, ZERO, Money, Quantity
from trimtab.domain.trades import Term
from trimtab.rules.tax.form8949 import Amounts, FormRow, amounts_of, in_cents
from trimtab.rules.tax.pairing import Pair, quantity_slack
from trimtab.rules.tax.unseen import Unseen
from trimtab.rules.words import listing, money, units


class Verdict(StrEnum):
    """What came of comparing rows."""

    EQUAL = "equal"
    OTHER_ACCOUNT = "explained (cross-account wash)"
    SUBLOT_ORDER = "explained (sublot order)"
    ROUNDING = "explained (rounding)"
    ONLY_BROKER = "only in broker"
    ONLY_OURS = "only in ours"
    UNEXPLAINED = "unexplained"


_OPEN = frozenset({Verdict.UNEXPLAINED, Verdict.ONLY_BROKER, Verdict.ONLY_OURS})


class Comparison(Struct, frozen=True, kw_only=True):
    """Rows that tell of the same units, ours and the broker's, and what came of comparing them.

    `rows` are ids of `FormRow`, `lines` where the broker's rows stand. Amounts are in cents; what
    the broker does not say is taken as ours. One side is zero where it has no row, which
    `is_expected` where no form was due.
    """

    account: str
    symbol: str
    rows: tuple[str, ...]
    lines: tuple[int, ...]
    ours: Amounts
    theirs: Amounts
    verdict: Verdict
    sentence: str
    is_expected: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a person must look at it."""
        return self.verdict in _OPEN and not self.is_expected

    @property
    def difference(self) -> Amounts:
        """Ours less the broker's."""
        return Amounts(
            proceeds=self.ours.proceeds - self.theirs.proceeds,
            basis=self.ours.basis - self.theirs.basis,
            adjustment=self.ours.adjustment - self.theirs.adjustment,
        )


def compared(pair: Pair, unseen: Unseen) -> Comparison:
    """What came of comparing one pair; differences that cancel out over several are unexplained."""
    first: FormRow | BrokerSale = pair.ours[0] if pair.ours else pair.theirs[0]
    ours = amounts_of(in_cents(_plain(row)) for row in pair.ours)
    theirs = _told(pair, ours)
    verdict, reasons = _verdict(pair, ours, theirs, unseen)
    return Comparison(
        account=first.account,
        symbol=first.symbol,
        rows=tuple(row.id for row in pair.ours),
        lines=tuple(sorted(sale.line for sale in pair.theirs)),
        ours=ours,
        theirs=theirs,
        verdict=verdict,
        sentence=f"{_what(pair)}: {'; '.join([*reasons, *_remarks(pair)])}.",
        is_expected=not pair.theirs and not any(row.box.is_on_form for row in pair.ours),
    )


def _plain(row: FormRow) -> FormRow:
    """*row* with our own figures in the columns."""
    return replace(
        row, proceeds=row.own_proceeds, basis=row.own_basis, adjustment=row.disallowed, codes=""
    )


def _told(pair: Pair, ours: Amounts) -> Amounts:
    """The broker's sums; a column that one of its rows leaves out is taken as ours."""
    if not pair.theirs:
        return Amounts()
    complete = [completed(sale) for sale in pair.theirs]
    default = ours if pair.ours else Amounts()
    bases = [sale.basis for sale in complete if sale.basis is not None]
    washed = [sale.disallowed for sale in complete if sale.disallowed is not None]
    return Amounts(
        proceeds=sum((sale.proceeds for sale in complete), ZERO),
        basis=sum(bases, ZERO) if len(bases) == len(complete) else default.basis,
        adjustment=sum(washed, ZERO) if len(washed) == len(complete) else default.adjustment,
    )


def completed(sale: BrokerSale) -> BrokerSale:
    """*sale* with the basis or the disallowed loss that its gain implies."""
    if sale.gain is None:
        return sale
    if sale.basis is None:
        return replace(sale, basis=sale.proceeds + (sale.disallowed or ZERO) - sale.gain)
    implied = sale.gain - (sale.proceeds - sale.basis)
    if sale.disallowed is None and implied >= 0:
        return replace(sale, disallowed=implied)
    return sale


def _verdict(
    pair: Pair, ours: Amounts, theirs: Amounts, unseen: Unseen
) -> tuple[Verdict, list[str]]:
    if not pair.ours:
        told = f"the broker tells of it ({_in_words(theirs)}), our records do not"
        return Verdict.ONLY_BROKER, [told]
    if not pair.theirs:
        return Verdict.ONLY_OURS, [_missing(pair.ours, ours)]
    if not same_units(pair):
        count = units(sum((sale.quantity for sale in pair.theirs), ZERO))
        told = f"the broker tells of {count} units ({_in_words(theirs)})"
        return Verdict.UNEXPLAINED, [f"{told}, ours are {_in_words(ours)}"]
    return _verdict_on_amounts(pair, ours, theirs, unseen)


def _verdict_on_amounts(
    pair: Pair, ours: Amounts, theirs: Amounts, unseen: Unseen
) -> tuple[Verdict, list[str]]:
    off = _differing(ours, theirs)
    tolerance = CENT * max(len(pair.ours), len(pair.theirs))
    terms = terms_phrase(pair)
    if not off and not terms:
        return Verdict.EQUAL, ["the same figures"]
    gaps = [_gaps(off, ours, theirs)] if off else []
    if not terms and all(abs(amount) <= tolerance for amount in off.values()):
        return Verdict.ROUNDING, [*gaps, "that is rounding to cents"]
    reasons = unseen.reasons(pair.ours, ours, theirs, tolerance)
    if reasons and (not terms or unseen.carries_into(pair.ours)):
        return Verdict.OTHER_ACCOUNT, [*gaps, *reasons, *terms]
    hints = [_COMPETING] if unseen.reach(pair.ours) else []
    return Verdict.UNEXPLAINED, [*gaps, *terms, *hints]


_COMPETING = (
    "wash sales across accounts reach this symbol around that day, so the broker may count other "
    "replacements, but they do not explain it to the cent"
)


def _differing(ours: Amounts, theirs: Amounts) -> dict[str, Money]:
    """Ours less the broker's by column, where they are not the same."""
    gaps = {
        "proceeds": ours.proceeds - theirs.proceeds,
        "basis": ours.basis - theirs.basis,
        "adjustment": ours.adjustment - theirs.adjustment,
    }
    return {name: amount for name, amount in gaps.items() if amount}


_SPOKEN = {"proceeds": "proceeds", "basis": "basis", "adjustment": "disallowed loss"}


def _gaps(off: Mapping[str, Money], ours: Amounts, theirs: Amounts) -> str:
    phrases = [
        f"{_SPOKEN[name]} {money(getattr(ours, name))} against the broker's "
        f"{money(getattr(theirs, name))}"
        for name in off
    ]
    return listing(phrases)


def terms_phrase(pair: Pair) -> list[str]:
    """A phrase where the broker's terms are not ours, unit for unit."""
    if any(sale.term is None for sale in pair.theirs):
        return []
    wanted, told = dict.fromkeys(Term, ZERO), dict.fromkeys(Term, ZERO)
    slack = ZERO
    for row in pair.ours:
        wanted[row.term] += row.quantity
    for sale in pair.theirs:
        assert sale.term is not None, "looked at above"
        told[sale.term] += sale.quantity
        slack += quantity_slack(sale.quantity)
    if all(abs(wanted[term] - told[term]) <= slack for term in Term):
        return []
    return [f"{_by_term(wanted)} by our count, {_by_term(told)} by the broker's (code T)"]


def _by_term(counts: Mapping[Term, Quantity]) -> str:
    phrases = [f"{units(count)} {term} term" for term, count in counts.items() if count]
    return listing(phrases)


def _missing(rows: Sequence[FormRow], ours: Amounts) -> str:
    if all(not row.box.is_on_form for row in rows):
        return f"no row of the broker's, as box {rows[0].box} expects ({_in_words(ours)})"
    return f"our records tell of it ({_in_words(ours)}), the broker does not"


def _remarks(pair: Pair) -> list[str]:
    """What is worth knowing beside the amounts."""
    if not pair.ours or not pair.theirs:
        return []
    remarks = []
    later = sorted({sale.sold for sale in pair.theirs} - {row.sold for row in pair.ours})
    if later:
        sold = pair.ours[0].sold
        remarks.append(
            f"the broker dates it {later[0]}; the trade date {sold} decides, so the year is "
            f"{sold.year}"
        )
    bought = {sale.acquired for sale in pair.theirs} - {None}
    unlike = sorted(f"{date}" for date in bought - {row.acquired for row in pair.ours})
    if unlike:
        held = {f"{row.holding_since}" for row in pair.ours}
        why = "adjusted for a wash sale" if held.issuperset(unlike) else "not our purchase date"
        remarks.append(f"the broker has it bought on {listing(unlike)} ({why})")
    if len(pair.ours) != len(pair.theirs):
        remarks.append(f"{len(pair.theirs)} of the broker's rows for {len(pair.ours)} of ours")
    if any(completed(sale).basis is None for sale in pair.theirs):
        remarks.append("the broker tells no basis")
    return remarks


def _what(pair: Pair) -> str:
    rows: Sequence[FormRow | BrokerSale] = pair.ours or pair.theirs
    total = sum((row.quantity for row in rows), ZERO)
    return f"{units(total)} {rows[0].symbol} sold {rows[0].sold} in {rows[0].account}"


def _in_words(amounts: Amounts) -> str:
    return f"proceeds {money(amounts.proceeds)}, basis {money(amounts.basis)}"


def same_units(pair: Pair) -> bool:
    """Whether both sides tell of the same quantity, to the digits that the broker prints."""
    told = sum((sale.quantity for sale in pair.theirs), ZERO)
    slack = sum((quantity_slack(sale.quantity) for sale in pair.theirs), ZERO)
    return abs(sum((row.quantity for row in pair.ours), ZERO) - told) <= slack
