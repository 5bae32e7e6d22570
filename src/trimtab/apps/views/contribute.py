"""New money as a page: how much, where it goes and why, and what waits for a later day."""

import datetime as dt
from collections.abc import Iterator

from trimtab.apps.contributing import Averaged, Contributing, Place
from trimtab.apps.month import Incoming, Month
from trimtab.apps.views.contribute_documents import (
    AveragingDocument,
    ContributeDocument,
    IncomingDocument,
    ObligationDocument,
    PlaceDocument,
    PlannedPurchaseDocument,
)
from trimtab.apps.views.figures import cents, counted, digits, typed
from trimtab.apps.views.page import Block, Column, Heading, Sentence, Table, item, rows_of
from trimtab.domain.numbers import ZERO
from trimtab.rules.reserve import status
from trimtab.rules.side_fund import Standing, not_begun, why_together
from trimtab.rules.words import instant, listing, money, units

_PAID: dict[Month, str] = {
    "none": "No money is due this month.",
    "past": "No more money is due this month.",
    "was paid": "What was due this month is paid already.",
    "paid": "What is due until the end of the month is paid already.",
}
_ASKS = {
    "parts": "for which its lump waits",
    "value": "which its path asks for beyond the side fund",
}


def contribute_page(found: Contributing, folder: str) -> list[Block]:
    """All of `trimtab contribute`."""
    currency = found.currency
    blocks: list[Block] = [
        Sentence(verdict(found), "strong"),
        Heading(f"{found.household}, {instant(found.at)}"),
    ]
    if found.reserve is not None:
        is_short = found.reserve.reached.lacks > 0
        text = status(found.reserve.rule, found.reserve.reached, currency)
        account = found.reserve.rule.account
        blocks.append(
            item(
                f"Operating reserve in {account}: {text[0].lower()}{text[1:]}",
                "warn" if is_short else "",
            )
        )
    if found.places:
        blocks += [Heading(f"Where it goes, in {currency}"), _places(found)]
        blocks += [item(f"{_named(place)}: {place.why}") for place in found.places]
    for one in found.averaged:
        rule = one.standing.rule
        blocks.append(Heading(f"Invested little by little in {rule.account}, in {currency}"))
        blocks += [item(text, style) for text, style in _averaging(one, found)]
    blocks += [Sentence(text, "quiet") for text in _closing(found, folder)]
    return blocks


def contribute_document(found: Contributing) -> ContributeDocument:
    """All of `trimtab contribute --json`."""
    return ContributeDocument(
        household=found.household,
        currency=found.currency,
        at=found.at,
        verdict=verdict(found),
        incoming=tuple(
            IncomingDocument(day=one.day, account=one.account, amount=digits(one.amount))
            for one in found.incoming
        ),
        places=tuple(
            PlaceDocument(
                account=one.account,
                asset_class=one.asset_class,
                symbol=one.symbol,
                day=one.day,
                amount=digits(one.amount),
                why=one.why,
            )
            for one in found.places
        ),
        averaging=tuple(_averaging_document(one) for one in found.averaged),
        reserve_lacks=digits(ZERO if found.reserve is None else found.reserve.reached.lacks),
    )


def verdict(found: Contributing) -> str:
    """What to put in and where, in a sentence."""
    currency = found.currency
    wanted = [
        f"{money(one.lacks, currency)} into {one.standing.rule.account}, "
        f"{_ASKS[one.standing.rule.by]}"
        for one in found.averaged
        if one.lacks > 0
    ]
    if found.is_asked:
        (one,) = found.incoming
        parts = [f"{money(place.amount, currency)} {_goes(place)}" for place in found.places]
        return f"Of {money(one.amount, currency)} for {one.account}, {listing(parts)}."
    due = [_due_from_outside(one, found) for one in found.incoming]
    if due or wanted:
        return f"Put in this month: {listing([*due, *wanted])}."
    if any(one.standing.asked > 0 for one in found.averaged):
        return "No new money is due this month; what is there goes in as below."
    return _PAID[found.month]


def _due_from_outside(one: Incoming, found: Contributing) -> str:
    text = f"{money(one.amount, found.currency)} into {one.account}"
    if one.day < found.today:
        return f"{text} (due on {one.day} and not come yet)"
    return f"{text} on {one.day}"


def _goes(place: Place) -> str:
    if place.symbol:
        when = "" if place.day is not None else " once it is safe"
        return f"go into {place.asset_class} ({place.symbol}){when}"
    return f"stay cash in {place.account}"


def _named(place: Place) -> str:
    """A place in the words of the list below the table."""
    return f"{cents(place.amount)} for {place.asset_class or place.account}"


def _places(found: Contributing) -> Table:
    columns = (
        Column("on"),
        Column("account"),
        Column("class"),
        Column("buy"),
        Column("amount", is_figure=True),
    )
    rows = [
        (
            "no safe day yet" if place.day is None else str(place.day),
            place.account,
            place.asset_class,
            place.symbol or "stays cash",
            cents(place.amount),
        )
        for place in found.places
    ]
    return Table(columns, rows_of(rows))


def _averaging(one: Averaged, found: Contributing) -> Iterator[tuple[str, str]]:
    """What a rule asks, what is there for it, what is planned, and what comes next."""
    standing, currency = one.standing, found.currency
    if standing.rule.by == "parts":
        yield from ((text, "") for text in _lump(one, found.today, currency))
        waiting = not_begun(standing, found.today, currency)
        if waiting:
            yield waiting, "warn" if standing.lacks > 0 else ""
        yield from _beginning(one, currency)
    else:
        yield from ((text, "") for text in _path(one, currency))
    yield from _due(standing, currency)
    if standing.rule.by == "value" and standing.lacks > 0:
        lacks = money(standing.lacks, currency)
        text = f"The side fund lacks {lacks} of that: put it in, or it is asked for again."
        yield text, "warn"
    if one.purchases:
        bought = listing([f"{units(trade.quantity)} {trade.symbol}" for trade in one.purchases])
        worth = sum((trade.value for trade in one.purchases), ZERO)
        yield f"The plan of now buys {bought} for {money(worth, currency)}.", ""
    elif ZERO < standing.asked < found.least:
        yield f"Less than {money(found.least, currency)} waits for more (invest_cash_from).", ""
    for text in one.held:
        yield text, ""
    if one.last is not None and not standing.obligations:
        yield (
            f"What was due on {one.last.day} is done: {money(one.last.amount, currency)} went in.",
            "",
        )
    if one.next_day is not None:
        goal = ""
        if one.next_goal is not None:
            goal = f", when the path asks for {money(one.next_goal, currency)}"
        yield f"The next day is {one.next_day}{goal}.", ""


def _due(standing: Standing, currency: str) -> Iterator[tuple[str, str]]:
    if standing.missed:
        yield why_together(standing, currency), "warn"
        return
    for due in standing.obligations:
        yield due.why, "warn" if due.withheld > 0 else ""


def _lump(one: Averaged, today: dt.date, currency: str) -> Iterator[str]:
    standing = one.standing
    rule = standing.rule
    in_parts = (
        f"{money(rule.amount, currency)} go in by {counted(rule.parts or 1, 'equal part')}, each "
        f"{rule.every.replace('_', ' ')} from {rule.first}"
    )
    if standing.needs is not None:
        yield f"{in_parts}."
        return
    yield f"{in_parts}; {money(standing.waits, currency)} of the cash wait for their day."
    there, left = standing.waits + standing.asked, standing.left
    if there < left and today < rule.first:
        yield (
            f"The lump begins on {rule.first} with what is there then: {money(there, currency)} of "
            f"the {money(left, currency)} are there."
        )
    elif there < left:
        rest = "" if left == rule.amount else " that have not gone in yet"
        yield (
            f"The account holds {money(there, currency)} of the {money(left, currency)}{rest}: "
            "what is not there does not go in, no new money is asked for, and money that comes "
            "later is not taken for it."
        )


def _beginning(one: Averaged, currency: str) -> Iterator[tuple[str, str]]:
    """What to know of money that comes for a lump before the whole of it is there."""
    if one.arriving == 0 or one.standing.lacks == 0:
        return
    if one.lacks == 0:
        yield "All of that is counted above.", ""
        return
    text = f"{money(one.arriving, currency)} of that are counted above."
    if one.begins is not None:
        text += (
            f" The lump begins with the first money that comes, on {one.begins}, and what comes "
            f"later is not taken for it: put the other {money(one.lacks, currency)} in with that."
        )
    yield text, "warn"


def _path(one: Averaged, currency: str) -> Iterator[str]:
    standing = one.standing
    rule = standing.rule
    yield (
        f"The account holds {money(standing.value, currency)}, and its side fund "
        f"{money(standing.fund, currency)} of cash{_waiting(standing, currency)}: "
        f"{money(standing.value + standing.fund, currency)} together."
    )
    if standing.cap is not None:
        yield (
            f"One period may take {money(standing.cap, currency)}, which is {rule.cap_multiple:f} "
            "contributions."
        )


def _waiting(standing: Standing, currency: str) -> str:
    """How much of the side fund waits, where that is neither all nor nothing."""
    if standing.waits in {ZERO, standing.fund}:
        return ""
    return f", of which {money(standing.waits, currency)} wait"


def _closing(found: Contributing, folder: str) -> Iterator[str]:
    if not found.is_asked and not found.incoming:
        asks = typed("contribute --amount 1000", folder)
        yield f"{asks} says where such a sum would go; [[contributions]] tell of regular ones."
    places = found.places
    if any(place.symbol for place in places):
        yield (
            "Nothing is ordered here, and whole shares round: once the money is there, "
            f"{typed('plan', folder)} plans with it, after tax and over all accounts."
        )
    if any(place.symbol and place.day is not None and place.day > found.today for place in places):
        yield (
            "A purchase of a later day is judged by the losses known now: ask again on that day "
            "before you buy."
        )


def _averaging_document(one: Averaged) -> AveragingDocument:
    standing = one.standing
    return AveragingDocument(
        account=standing.rule.account,
        by=standing.rule.by,
        value=digits(standing.value),
        fund=digits(standing.fund),
        waits=digits(standing.waits),
        asked=digits(standing.asked),
        lacks=digits(one.lacks),
        left=digits(standing.left) if standing.rule.by == "parts" else None,
        cap=None if standing.cap is None else digits(standing.cap),
        obligations=tuple(
            ObligationDocument(
                day=due.day,
                amount=digits(due.amount),
                goal=None if due.goal is None else digits(due.goal),
                withheld=digits(due.withheld),
                why=due.why,
            )
            for due in standing.obligations
        ),
        purchases=tuple(
            PlannedPurchaseDocument(
                symbol=trade.symbol,
                asset_class=trade.asset_class,
                quantity=digits(trade.quantity),
                value=digits(trade.value),
                reason=trade.reason,
            )
            for trade in one.purchases
        ),
        held=one.held,
        last_day=None if one.last is None else one.last.day,
        last_amount=None if one.last is None else digits(one.last.amount),
        next_day=one.next_day,
        next_goal=None if one.next_goal is None else digits(one.next_goal),
    )
