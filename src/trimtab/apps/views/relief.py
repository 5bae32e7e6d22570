"""What it is worth how brokers book lots: the same household under each relief."""

from collections.abc import Iterator, Mapping, Sequence

from trimtab.apps.hypothetical import Comparison, Look, Switch, planned_tax
from trimtab.apps.views.figures import cents, counted, digits, in_cents
from trimtab.apps.views.hypothetical import ONLY_ASKED, largest_drift, planned_cost
from trimtab.apps.views.hypothetical_documents import (
    BookedDocument,
    CompareReliefDocument,
    ReliefSwitchDocument,
)
from trimtab.apps.views.page import Block, Column, Heading, Sentence, Table, item, rows_of
from trimtab.domain.numbers import CENT, ZERO, Quantity
from trimtab.domain.trades import Side
from trimtab.domain.values import Relief
from trimtab.rules.words import listing, money, percent, units

_WORDS: Mapping[Relief, str] = {
    Relief.FIFO: "first in, first out",
    Relief.HIFO: "highest cost first",
    Relief.SPECIFIC: "the lots named with each sale",
}
_AS_IT_IS = "as it is"
_DIFFERENCES_SHOWN = 3
_IN_ALL, _LACKING = "in all", "not raised"
_FIGURES = ("orders", "turnover", "tax", "cost", _IN_ALL, _LACKING, "drift after")
_LACKS = (
    "`not raised` is cash that is due and cannot be raised: no plan keeps every rule then, so what "
    "such a plan costs in all is not told."
)
_CAUTION = (
    "One plan is compared: lots that it does not sell keep their gains for another day. A broker "
    "changes its standing order when it is told to; then change `relief` in household.toml."
)

_Key = tuple[Side, str, str]
_Sold = dict[tuple[str, str], Quantity]


def relief_blocks(comparison: Comparison, currency: str, texts: Sequence[str] = ()) -> list[Block]:
    """One table, what differs, and what another standing instruction would be worth.

    *texts* are the assumptions under which the household is compared, if any.
    """
    if not comparison.accounts:
        text = "No account of this household is taxed, so it does not matter how lots are booked."
        return [Sentence(text, "strong")]
    given = f"If {listing(list(texts))}, the" if texts else "The"
    booked: list[Block] = [
        Heading("How lots are booked now"),
        *(item(f"{one.id}: {one.relief}, {_WORDS[one.relief]}.") for one in comparison.accounts),
    ]
    if all(look.decision.plan is None for look in comparison.reliefs.values()):
        text = (
            f"{given} plan sells nothing however lots are booked, so it makes no difference now. "
            "To ask about a day on which it does: `--what-if withdraw=10000 --compare relief`."
        )
        return [Sentence(text, "strong"), *booked, ONLY_ASKED]
    return [
        Heading(f"{given} same household with its lots booked otherwise, in {currency}"),
        _table(comparison),
        *_unproven(comparison),
        *booked,
        Heading("What differs"),
        *(
            item(f"{relief}: {'; '.join(_differences(comparison.as_it_is, look))}.")
            for relief, look in comparison.reliefs.items()
        ),
        Heading("What another instruction would be worth"),
        *(item(_switch_words(switch, currency)) for switch in comparison.switches),
        Sentence(_CAUTION, "quiet"),
        ONLY_ASKED,
    ]


def relief_document(
    comparison: Comparison, household: str, currency: str, texts: Sequence[str] = ()
) -> CompareReliefDocument:
    """All of it, with every digit."""
    plans = [_booked_document(None, comparison.as_it_is, ())]
    plans += [
        _booked_document(str(relief), look, tuple(_differences(comparison.as_it_is, look)))
        for relief, look in comparison.reliefs.items()
    ]
    return CompareReliefDocument(
        household=household,
        currency=currency,
        assumptions=tuple(texts),
        reliefs={one.id: str(one.relief) for one in comparison.accounts},
        plans=tuple(plans),
        switches=tuple(_switch_document(switch, currency) for switch in comparison.switches),
    )


def _table(comparison: Comparison) -> Table:
    looks = [(_AS_IT_IS, comparison.as_it_is)]
    looks += [(str(relief), look) for relief, look in comparison.reliefs.items()]
    is_proven = any(look.objective is not None for _, look in looks)
    lacks = any(look.lacking > 0 for _, look in looks)
    columns = [Column("relief"), *(Column(name, is_figure=True) for name in _FIGURES)]
    left_out = {_IN_ALL: not is_proven, _LACKING: not lacks}
    kept = [at for at, column in enumerate(columns) if not left_out.get(column.title, False)]
    rows = [_row(name, look) for name, look in looks]
    return Table(
        tuple(columns[at] for at in kept), rows_of([[row[at] for at in kept] for row in rows])
    )


def _row(name: str, look: Look) -> tuple[str, ...]:
    decision, plan = look.decision, look.decision.plan
    return (
        name,
        f"{0 if plan is None else len(plan.trades)}",
        cents(ZERO if plan is None else plan.turnover),
        cents(planned_tax(decision)),
        cents(planned_cost(decision)),
        "-" if look.objective is None else cents(look.objective),
        cents(look.lacking),
        percent(largest_drift(decision, is_after=True), 2),
    )


def _unproven(comparison: Comparison) -> list[Block]:
    """That cash is lacking, so that nothing is told in all."""
    if not any(look.lacking > 0 for look in (comparison.as_it_is, *comparison.reliefs.values())):
        return []
    return [Sentence(_LACKS, "warn")]


def _differences(now: Look, then: Look) -> list[str]:
    """How the trades of *then* differ from those of *now*."""
    before, after = _quantities(now), _quantities(then)
    if before == after:
        lots = _lots(then)
        moved = sorted({key[1:] for key, picks in _lots(now).items() if lots[key] != picks})
        if not moved:
            return ["the same trades and the same lots"]
        places = listing([f"{symbol} in {account}" for account, symbol in moved])
        return [f"the same trades, but other lots of {places}"]
    found = list(_changes(before, after))
    more = len(found) - _DIFFERENCES_SHOWN
    rest = [f"and {counted(more, 'more change')}"] if more > 0 else []
    return [*found[:_DIFFERENCES_SHOWN], *rest]


def _changes(before: Mapping[_Key, Quantity], after: Mapping[_Key, Quantity]) -> Iterator[str]:
    for key in sorted(before.keys() | after.keys(), key=lambda key: (key[0] is Side.BUY, key)):
        side, account, symbol = key
        old, new = before.get(key, ZERO), after.get(key, ZERO)
        if old == new:
            continue
        verb = "sells" if side is Side.SELL else "buys"
        instead = "" if old == 0 else f" instead of {units(old)}"
        amount = f"{units(new)} {symbol}" if new else f"no {symbol}"
        yield f"{verb} {amount} in {account}{instead}"


def _quantities(look: Look) -> dict[_Key, Quantity]:
    plan = look.decision.plan
    trades = () if plan is None else plan.trades
    return {(trade.side, trade.account, trade.symbol): trade.quantity for trade in trades}


def _lots(look: Look) -> dict[_Key, _Sold]:
    plan = look.decision.plan
    trades = () if plan is None else plan.trades
    return {
        (trade.side, trade.account, trade.symbol): {
            (pick.lot_id, pick.piece or ""): pick.quantity for pick in trade.lots
        }
        for trade in trades
    }


def _switch_words(switch: Switch, currency: str) -> str:
    start = f"{switch.account}: {_WORDS[switch.to]} instead of {_WORDS[switch.now]}"
    saved = switch.tax if switch.worth is None else switch.worth
    if abs(saved) < CENT:
        return f"{start} would change nothing."
    verb = "save" if saved > 0 else "cost"
    text = f"{start} would {verb} {money(abs(saved), currency)}"
    if abs(saved - switch.tax) < CENT:
        return f"{text} of tax."
    less = "less" if switch.tax >= 0 else "more"
    return f"{text} in all; the tax alone would be {money(abs(switch.tax), currency)} {less}."


def _booked_document(relief: str | None, look: Look, differs: tuple[str, ...]) -> BookedDocument:
    decision, plan = look.decision, look.decision.plan
    return BookedDocument(
        relief=relief,
        orders=0 if plan is None else len(plan.trades),
        turnover=digits(ZERO if plan is None else plan.turnover),
        tax=in_cents(planned_tax(decision)),
        cost=in_cents(planned_cost(decision)),
        objective=None if look.objective is None else in_cents(look.objective),
        lacking=in_cents(look.lacking),
        drift_after=digits(largest_drift(decision, is_after=True)),
        differs=differs,
    )


def _switch_document(switch: Switch, currency: str) -> ReliefSwitchDocument:
    return ReliefSwitchDocument(
        account=switch.account,
        now=str(switch.now),
        then=str(switch.to),
        tax=in_cents(switch.tax),
        worth=None if switch.worth is None else in_cents(switch.worth),
        sentence=_switch_words(switch, currency),
    )
