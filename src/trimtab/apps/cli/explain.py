"""`trimtab explain`: the last decision, or all that the journal says about one thing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.apps.views.telling import Told

_PREFIX_MIN = 6
"""So many characters of an order's or a plan's id are enough when they are its alone."""


@click.command("explain", epilog=example("trimtab explain", "trimtab explain VTI"))
@click.argument("what", required=False)
@folder_option
@json_option
def command(what: str | None, folder: Path, as_json: bool) -> int:
    """Tell the last decision, or all about one thing.

    Without WHAT: the last decision in full sentences, with what every gate said and what became
    of it. WHAT is a class, a symbol, an account, or the id of an order or of a plan; then all
    that the journal says about it is told, oldest first.
    """
    from trimtab.apps.cli.past import entries_of
    from trimtab.apps.home import Home, read_household
    from trimtab.apps.views.explain import (
        about_page,
        decision_page,
        explain_document,
        no_decision,
        outcome_page,
    )
    from trimtab.apps.views.telling import tell
    from trimtab.domain.events import Decided
    from trimtab.domain.memory import Memory, remember
    from trimtab.rules.holdings import class_of

    home = Home(folder)
    file = read_household(home)
    currency = file.household.base_currency
    entries = entries_of(home.journal)
    memory = remember(Memory(), entries)
    classes = class_of(memory.policy or file.policy())
    told = list(tell(entries, class_of(file.policy()), currency))
    if what is None:
        last = [one.sequence for one in entries if isinstance(one.event, Decided)]
        said = [one for one in told if last and one.sequence == last[-1]]
        if as_json:
            show_document(explain_document(file.household.name, "decision", None, said))
        elif memory.decision is None:
            show(no_decision(str(folder)))
        else:
            show([*decision_page(memory.decision, classes, currency), *outcome_page(memory)])
        return 0
    known = {
        "class": list(dict.fromkeys([*file.classes, *classes.values()])),
        "symbol": list(file.instruments),
        "account": list(file.accounts),
    }
    kind, name = find_subject(what, known, told)
    said = [one for one in told if (kind, name) in one.fact.about]
    if as_json:
        show_document(explain_document(file.household.name, kind, name, said))
    else:
        show(about_page(kind, name, said))
    return 0


def find_subject(
    what: str, known: Mapping[str, Sequence[str]], told: "Sequence[Told]"
) -> tuple[str, str]:
    """The kind and the full name of *what*.

    Raises:
        InputError: nothing is called so, or several things are.
    """
    from trimtab.domain.errors import InputError

    named = [(kind, name) for kind, names in known.items() for name in names]
    named += [pair for one in told for pair in sorted(one.fact.about)]
    pairs = list(dict.fromkeys(named))
    found = [pair for pair in pairs if pair[1] == what]
    found = found or [pair for pair in pairs if pair[1].lower() == what.lower()]
    if not found and len(what) >= _PREFIX_MIN:
        start = what.removeprefix("tt-")
        ids = [pair for pair in pairs if pair[0] in {"order", "plan"}]
        found = [pair for pair in ids if pair[1].removeprefix("tt-").startswith(start)]
    if len(found) == 1 or (found and found[0][0] == "class"):
        return found[0]
    if found:
        several = ", ".join(f"{kind} {name}" for kind, name in found)
        raise InputError(f"{what!r} may be {several}: write more of it.")
    listed = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in known.items())
    raise InputError(
        f"nothing in this household is called {what!r}: name one of {listed}; or the id of an "
        f"order or a plan."
    )
