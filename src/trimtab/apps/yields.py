"""What cash could earn, gathered from what the household told."""

import datetime as dt
from pathlib import Path
from typing import NamedTuple

from trimtab.apps.home import Home, read_household, recall
from trimtab.domain.household import accounts_of
from trimtab.domain.numbers import Weight
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.yield_facts import Curve
from trimtab.rules.yields import Earning, SafeChoice, earnings, safe_choice, tax_rate


class YieldView(NamedTuple):
    """What `yields` shows.

    `treasury_tax` is what a taxed account pays on the curve's yields; `moves_floor` is whether a
    floor of CPPI grows by what bills pay.
    """

    today: dt.date
    file: HouseholdFile
    found: tuple[Earning, ...]
    choice: SafeChoice
    treasury_tax: Weight
    curve: Curve | None
    moves_floor: bool = False


def gather_yields(home: Home, today: dt.date, curve_file: Path | None = None) -> YieldView:
    """What the household of *home* told of yields; *curve_file* replaces the curve that it names.

    Raises:
        InputError: household.toml or the curve's file cannot be used.
        JournalError: the journal cannot be read.
    """
    file = read_household(home)
    policy = recall(home).policy or file.policy()
    classes, strategy = policy.classes, policy.strategy
    found = earnings(file.yields, file.tax, accounts_of(file), classes)
    path = curve_file
    if path is None and file.yields.curve is not None:
        path = home.folder / file.yields.curve
    curve = None
    if path is not None:
        from trimtab.adapters.treasury_curve import read_curve

        curve = read_curve(path, today)
    return YieldView(
        today=today,
        file=file,
        found=found,
        choice=safe_choice(found, classes),
        treasury_tax=tax_rate("treasury", file.tax, file.yields.state_rate),
        curve=curve,
        moves_floor="cppi" in strategy.layers and strategy.cppi.needs_bills,
    )
