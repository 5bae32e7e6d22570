"""A replay as lines, one a day that traded, and its summary."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from trimtab.apps.replay import Day, Replay
from trimtab.apps.views.figures import cents, counted
from trimtab.apps.views.page import Block, Heading, Sentence, item
from trimtab.domain.numbers import ZERO
from trimtab.rules.tax.log import TaxTotal
from trimtab.rules.words import money, units


def day_line(day: Day, currency: str) -> str | None:
    """A day with its trades in one line; None when nothing was to be done."""
    outcome = day.outcome
    if outcome.executions:
        trades = ", ".join(
            f"{done.trade.side} {units(done.filled)} {done.trade.symbol} in {done.trade.account}"
            for done in outcome.executions
            if done.filled > 0
        )
        tax = sum((done.trade.tax for done in outcome.executions), ZERO)
        return f"{day.session}  {trades or outcome.sentence}; tax {money(tax, currency)}"
    if outcome.status in {"planned", "held"}:
        return f"{day.session}  {outcome.status}: {' '.join(outcome.sentence.split())}"
    return None


def replay_page(
    done: Replay,
    totals: Sequence[TaxTotal],
    currency: str,
    *,
    executes: bool,
    pictures: Sequence[Path],
) -> list[Block]:
    """The summary."""
    first, last = done.days[0], done.days[-1]
    tax = sum(
        (execution.trade.tax for day in done.days for execution in day.outcome.executions), ZERO
    )
    traded = len(done.trading_days)
    differing = sum(1 for day in done.days if day.outcome.discrepancies)
    agreed = (
        "journal and broker agreed on every one"
        if differing == 0
        else (f"journal and broker DISAGREED on {counted(differing, 'day')}")
    )
    blocks: list[Block] = [
        Heading(f"Replay from {first.session} to {last.session}, on paper"),
        item(f"{counted(len(done.days), 'session')}, {traded} with trades; {agreed}."),
        *(item(sentence) for sentence in _flow_sentences(done, currency)),
        item(f"Turnover {money(done.turnover, currency)}; tax planned {money(tax, currency)}."),
        *(
            item(f"Realized {total.term}-term gain: {cents(total.gain)} {currency}.")
            for total in totals
        ),
        item(f"Journal of the replay: {counted(done.entries, 'entry', 'entries')}, chain whole."),
    ]
    if not executes:
        blocks.append(Sentence("Nothing was traded: `--execute` trades on paper.", "strong"))
    blocks += [item(f"Picture: {path}") for path in pictures]
    return blocks


def _flow_sentences(done: Replay, currency: str) -> Iterator[str]:
    """What came in and went out, and what could not; nothing where nothing was to move."""
    untaken = sorted(done.untaken(), key=lambda flow: (flow.account, flow.date))
    if done.paid_in or done.taken_out or untaken:
        yield (
            f"{money(done.paid_in, currency)} came in and {money(done.taken_out, currency)} went "
            "out, on the days of [[contributions]] and [[withdrawals]]."
        )
    for account, found in groupby(untaken, key=lambda flow: flow.account):
        flows = list(found)
        lacking = sum((flow.amount for flow in flows), ZERO)
        which = "a withdrawal" if len(flows) == 1 else f"{len(flows)} withdrawals"
        first = "" if len(flows) == 1 else "the first "
        yield (
            f"{money(lacking, currency)} of {which} could not be taken out of {account}, "
            f"{first}due on {flows[0].date}: the cash was not there in time."
        )
