"""The guard before a trade: would it be a wash sale, and from which day would it be none?

Searched over everything that the household owns, an IRA's units included (Rev. Rul. 2008-5), over
the records and over what is going to be bought by itself: 30 days to either side (26 USC 1091).
Records can be wrong or short, so the best answer is "clear in the records provided".
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import localcontext
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.errors import InputError
from trimtab.domain.history import Transaction, WashMatch
from trimtab.domain.numbers import EXACT, ZERO, Money, Price, Quantity, exact_share
from trimtab.domain.policy import PurchaseRule
from trimtab.domain.values import ScheduledPurchase
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.matching import WINDOW_DAYS, first_safe_day, in_window
from trimtab.rules.tax.preview import PreviewedPiece, preview_purchase, preview_sale
from trimtab.rules.tax.schedule import (
    LATE_DAYS,
    is_near,
    is_recorded,
    purchases_due,
)
from trimtab.rules.words import listing, money, units

HORIZON_DAYS = 400
"""How far ahead a safe day is looked for: longer than any plan's period of a year."""
_WINDOW = dt.timedelta(days=WINDOW_DAYS)


class GuardState(StrEnum):
    """What the guard knows. `partly`: some of the shares at a loss; `blocked`: all of them."""

    CLEAR = "clear in the records provided"
    PARTLY = "partly"
    BLOCKED = "blocked"
    INCOMPLETE = "coverage incomplete"


class Outlook(Struct, frozen=True, kw_only=True):
    """What may be bought besides what the ledger shows, and where the records have gaps.

    `purchases` happen by themselves. Accounts that are `reinvesting` their dividends buy on days
    that nobody names. `incomplete` says by account why its records may not be whole. `to_review`
    are options and short positions. `prices` of one unit turn a planned amount into units; where
    one is missing, the purchase may be of any size.
    """

    purchases: tuple[PurchaseRule, ...] = ()
    reinvesting: frozenset[str] = frozenset()
    incomplete: Mapping[str, str] = {}
    to_review: tuple[Transaction, ...] = ()
    prices: Mapping[str, Price] = {}


NOTHING_ELSE = Outlook()


class Guarded(Struct, frozen=True, kw_only=True):
    """What section 1091 would do to a proposed trade.

    `shares` are those sold at a loss that would be replaced, `dollars` the loss disallowed on
    them: `deferred` into the basis of the replacement, or `permanent`ly lost to a retirement
    account. For a purchase they are those of losses already taken. From `first_safe_day` on, the
    same trade would be clear; it is the proposed day where that is clear, and None where purchases
    go on without a gap. `findings` name lots, accounts, dates and shares; `gaps` say what the
    records may lack, and are never empty where the state is `coverage incomplete`.
    """

    state: GuardState
    shares: Quantity = ZERO
    deferred: Money = ZERO
    permanent: Money = ZERO
    first_safe_day: dt.date | None
    findings: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    sentence: str

    @property
    def dollars(self) -> Money:
        """The loss that would be disallowed."""
        return self.deferred + self.permanent


class _Wash(Struct, frozen=True, kw_only=True):
    """Units at a loss that something replaces, with the sentence that says what."""

    quantity: Quantity
    dollars: Money
    is_permanent: bool
    sentence: str


def guard_sale(ledger: Ledger, sale: Transaction, outlook: Outlook = NOTHING_ELSE) -> Guarded:
    """Whether the loss of *sale* would count, given the *ledger* and its *outlook*.

    A planned purchase is taken to replace these losses and no earlier ones, which is careful.

    Raises:
        InputError: the ledger would refuse the sale, or a planned purchase is in no account of it.
    """
    pieces = preview_sale(ledger, sale)
    losing = [piece for piece in pieces if piece.loss > 0]
    if not losing:
        return _without_loss(ledger, sale, outlook)
    due = _due(ledger, sale, outlook)
    near = [one for one in due if is_near(one, sale.date)]
    washes = [_of_match(match) for piece in losing for match in piece.matches]
    washes += _by_schedule(ledger, losing, near, outlook.prices)
    gaps = (*_reinvested(ledger, sale, outlook), *_gaps(ledger, sale, outlook, taxed_only=False))
    at_loss = sum((piece.row.quantity for piece in losing), ZERO)
    shares = sum((wash.quantity for wash in washes), ZERO)
    guarded = Guarded(
        state=_state(shares, at_loss, gaps),
        shares=shares,
        deferred=_dollars(washes, is_permanent=False),
        permanent=_dollars(washes, is_permanent=True),
        first_safe_day=_safe_to_sell(ledger, sale, due) if washes else sale.date,
        findings=tuple(wash.sentence for wash in washes),
        gaps=gaps,
        sentence="",
    )
    loss = sum((piece.loss for piece in losing), ZERO)
    head = (
        f"Selling {units(sale.quantity)} {sale.symbol} in {sale.account} on {sale.date} realizes "
        f"a loss of {money(loss)}"
    )
    washed = (
        f"{units(shares)} of the {units(at_loss)} shares at a loss would be replaced, which "
        f"disallows {_split_words(guarded)}"
    )
    return replace(guarded, sentence=_sentence(guarded, head, washed))


def guard_purchase(
    ledger: Ledger, purchase: Transaction, outlook: Outlook = NOTHING_ELSE
) -> Guarded:
    """Whether *purchase* would wash a loss that was taken within the last 30 days.

    Raises:
        InputError: the ledger would refuse the purchase.
    """
    matches = preview_purchase(ledger, purchase)
    washes = [_of_match(match) for match in matches]
    gaps = _gaps(ledger, purchase, outlook, taxed_only=True)
    shares = sum((wash.quantity for wash in washes), ZERO)
    safe = _safe_to_buy(ledger, purchase) if washes else purchase.date
    guarded = Guarded(
        state=_state(shares, shares, gaps),
        shares=shares,
        deferred=_dollars(washes, is_permanent=False),
        permanent=_dollars(washes, is_permanent=True),
        first_safe_day=safe,
        findings=tuple(wash.sentence for wash in washes),
        gaps=gaps,
        sentence="",
    )
    head = (
        f"Buying {units(purchase.quantity)} {purchase.symbol} in {purchase.account} on "
        f"{purchase.date}"
    )
    washed = (
        f"it would replace {units(shares)} shares sold at a loss, which disallows "
        f"{_split_words(guarded)}"
    )
    return replace(guarded, sentence=_sentence(guarded, head, washed))


def _without_loss(ledger: Ledger, sale: Transaction, outlook: Outlook) -> Guarded:
    """No loss, no wash sale, as far as the lots of the selling account are known."""
    known = outlook.incomplete.get(sale.account)
    head = f"Selling {units(sale.quantity)} {sale.symbol} in {sale.account} on {sale.date}"
    if not ledger.accounts[sale.account].is_taxed:
        text = f"{head}: a loss in this account is none for tax; {GuardState.CLEAR}."
        known = None
    elif ledger.rule.is_exempt(sale.symbol, sale.date):
        text = (
            f"{head}: {sale.symbol} is property and no security, which section 1091 does not "
            f"reach; {GuardState.CLEAR}."
        )
        known = None
    elif known is None:
        text = f"{head} realizes no loss: {GuardState.CLEAR}."
    else:
        text = (
            f"{head} realizes no loss in the records provided, but {GuardState.INCOMPLETE}: "
            f"{_gap(sale.account, known)}"
        )
    return Guarded(
        state=GuardState.CLEAR if known is None else GuardState.INCOMPLETE,
        first_safe_day=sale.date,
        gaps=() if known is None else (_gap(sale.account, known),),
        sentence=text,
    )


def _state(shares: Quantity, at_loss: Quantity, gaps: Sequence[str]) -> GuardState:
    if shares > 0:
        return GuardState.BLOCKED if shares == at_loss else GuardState.PARTLY
    return GuardState.INCOMPLETE if gaps else GuardState.CLEAR


def _sentence(guarded: Guarded, head: str, washed: str) -> str:
    if guarded.state is GuardState.CLEAR:
        return f"{head}: {GuardState.CLEAR}."
    if guarded.state is GuardState.INCOMPLETE:
        return (
            f"{head}: nothing in the records provided washes it, but {GuardState.INCOMPLETE}: "
            f"{' '.join(guarded.gaps)}"
        )
    safe = guarded.first_safe_day
    when = (
        f"the first safe day is {safe}."
        if safe is not None
        else "no day is safe as long as the purchases that are planned go on."
    )
    also = f" Coverage is incomplete, too: {' '.join(guarded.gaps)}" if guarded.gaps else ""
    return f"{head}: {guarded.state}; {washed}; {when}{also}"


def _split_words(guarded: Guarded) -> str:
    """The dollars, and whether they come back."""
    total = money(guarded.dollars)
    if guarded.permanent == 0:
        return f"{total}, deferred into the basis of the replacement"
    if guarded.deferred == 0:
        return f"{total}, lost for good to a retirement account"
    return f"{total}: {money(guarded.deferred)} deferred, {money(guarded.permanent)} lost for good"


def _of_match(match: WashMatch) -> _Wash:
    effect = "is lost for good" if match.is_permanent else "is deferred"
    return _Wash(
        quantity=match.quantity,
        dollars=match.disallowed,
        is_permanent=match.is_permanent,
        sentence=(
            f"{units(match.quantity)} {match.replacement_symbol} of lot {match.replacement_lot}, "
            f"bought in {match.replacement_account} on {match.acquired}, would replace "
            f"{match.symbol} of lot {match.lot_id}, sold in {match.account} on {match.sold}: "
            f"{money(match.disallowed)} {effect}."
        ),
    )


# ---------------------------------------------------------------------- planned purchases


def _due(ledger: Ledger, sale: Transaction, outlook: Outlook) -> list[ScheduledPurchase]:
    """Identical purchases that are planned, without those that the records already hold."""
    taxpayer = ledger.accounts[sale.account].taxpayer
    after = sale.date - dt.timedelta(days=WINDOW_DAYS + LATE_DAYS + 1)
    until = sale.date + dt.timedelta(days=HORIZON_DAYS + WINDOW_DAYS)
    rules = [rule for rule in outlook.purchases if ledger.identical(rule.symbol, sale.symbol)]
    for rule in rules:
        if rule.account not in ledger.accounts:
            msg = (
                f"a purchase of {rule.symbol} is planned in {rule.account!r}, which is no account "
                "of the household: describe the account, or correct the name."
            )
            raise InputError(msg)
    return [
        one
        for one in purchases_due(rules, after, until)
        if ledger.accounts[one.account].taxpayer == taxpayer
        and not is_recorded(ledger, one, sale.date)
    ]


def _by_schedule(
    ledger: Ledger,
    losing: Iterable[PreviewedPiece],
    due: Iterable[ScheduledPurchase],
    prices: Mapping[str, Price],
) -> Iterator[_Wash]:
    """What planned purchases would replace of the losses, in the order of their days."""
    left = [[piece.waiting, piece.loss - piece.row.disallowed] for piece in losing]
    with localcontext(EXACT):
        for planned in due:
            price = prices.get(planned.symbol, ZERO)
            wanted = sum((shares for shares, _ in left), ZERO)
            bought = planned.amount / price if planned.amount > 0 and price > 0 else wanted
            shares = dollars = ZERO
            for entry in left:
                part = min(entry[0], bought - shares)
                if part <= 0:
                    continue
                amount = exact_share(entry[1], part, entry[0])
                entry[0] -= part
                entry[1] -= amount
                shares += part
                dollars += amount
            if shares > 0:
                yield _scheduled_wash(ledger, planned, shares, dollars)


def _scheduled_wash(
    ledger: Ledger, planned: ScheduledPurchase, shares: Quantity, dollars: Money
) -> _Wash:
    is_permanent = not ledger.accounts[planned.account].is_taxed
    return _Wash(
        quantity=shares,
        dollars=dollars,
        is_permanent=is_permanent,
        sentence=(
            f"The purchase of {planned.symbol} planned in {planned.account} for {planned.date} "
            f"would replace about {units(round(shares, 4))} shares: {money(dollars)} "
            f"{'is lost for good' if is_permanent else 'is deferred'}."
        ),
    )


# ---------------------------------------------------------------------- the first safe day


def _safe_to_sell(
    ledger: Ledger, sale: Transaction, due: Sequence[ScheduledPurchase]
) -> dt.date | None:
    """The first day on which no purchase, made or planned, is within the window of *sale*.

    Whatever is in the window of one day is in that of every day until 30 days after it, so that
    nothing is skipped.
    """
    day, last = sale.date, sale.date + dt.timedelta(days=HORIZON_DAYS)
    while day <= last:
        pieces = preview_sale(ledger, replace(sale, date=day))
        conflicts = [match.acquired for piece in pieces for match in piece.matches]
        if any(piece.loss > 0 for piece in pieces):
            conflicts += [one.bought_by for one in due if is_near(one, day)]
        if not conflicts:
            return day
        day = first_safe_day(max(conflicts))
    return None


def _safe_to_buy(ledger: Ledger, purchase: Transaction) -> dt.date:
    """The first day on which *purchase* would wash no loss of the records."""
    day = purchase.date
    while matches := preview_purchase(ledger, replace(purchase, date=day)):
        day = first_safe_day(max(match.sold for match in matches))
    return day


# ---------------------------------------------------------------------- what the records lack


def _reinvested(ledger: Ledger, sale: Transaction, outlook: Outlook) -> Iterator[str]:
    """Accounts that hold the same and buy more of it with every dividend."""
    taxpayer = ledger.accounts[sale.account].taxpayer
    for name in sorted(outlook.reinvesting & ledger.accounts.keys()):
        if ledger.accounts[name].taxpayer != taxpayer:
            continue
        held = [
            symbol
            for symbol in identical_to(ledger, sale.symbol)
            if (row := ledger.held(name, symbol)) is not None and row.quantity > 0
        ]
        if held:
            yield (
                f"{name} reinvests the dividends of {listing(held)} on days that are not known: "
                "one within 30 days of the sale would be a purchase."
            )


def identical_to(ledger: Ledger, symbol: str) -> list[str]:
    """*symbol* and everything that counts as identical to it, in alphabetical order."""
    named = {one for group in ledger.rule.groups for one in group}
    return sorted({symbol, *(one for one in named if ledger.identical(one, symbol))})


def _gaps(
    ledger: Ledger, trade: Transaction, outlook: Outlook, *, taxed_only: bool
) -> tuple[str, ...]:
    """Why something may be missing; only losses matter to a purchase: *taxed_only* accounts."""
    taxpayer = ledger.accounts[trade.account].taxpayer
    gaps = []
    for name, reason in sorted(outlook.incomplete.items()):
        account = ledger.accounts.get(name)
        is_ours = account is None or account.taxpayer == taxpayer
        if is_ours and (account is None or account.is_taxed or not taxed_only):
            gaps.append(_gap(name, reason))
    for one in outlook.to_review:
        account = ledger.accounts.get(one.account)
        is_ours = account is None or account.taxpayer == taxpayer
        if (
            is_ours
            and ledger.identical(one.symbol, trade.symbol)
            and in_window(trade.date, one.date)
        ):
            what = one.text or "An option or a short position"
            gaps.append(
                f"{what} of {one.date} in {one.account} is within 30 days and not judged here: "
                "review it by hand."
            )
    return tuple(gaps)


def _gap(account: str, reason: str) -> str:
    return f"the records of {account} may not be whole: {reason.rstrip('.')}."


def _dollars(washes: Iterable[_Wash], *, is_permanent: bool) -> Money:
    return sum((wash.dollars for wash in washes if wash.is_permanent is is_permanent), ZERO)
