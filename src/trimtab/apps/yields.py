"""What cash could earn, gathered from what the household told."""

import datetime as dt
from pathlib import Path
from typing import NamedTuple

from trimtab.apps.home import Home, read_household, recall
from trimtab.domain.household import accounts_of
from trimtab.domain.numbers import Weight
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.values import trade_date
from trimtab.domain.yield_facts import Curve
from trimtab.rules.precommitment import policy_next
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


def gather_yields(home: Home, now: dt.datetime, curve_file: Path | None = None) -> YieldView:
    """What the household of *home* told of yields; *curve_file* replaces the curve that it names.

    Raises:
        InputError: household.toml or the curve's file cannot be used.
        JournalError: the journal cannot be read.
    """
    file = read_household(home)
    today = trade_date(now)
    policy = policy_next(recall(home), file.policy(), now)
    classes, strategy = policy.classes, policy.strategy
    base = file.household.base_currency
    found = earnings(file.yields, file.tax, accounts_of(file), classes, base)
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
        choice=safe_choice(found, classes, base),
        treasury_tax=tax_rate("treasury", file.tax, file.yields.state_rate),
        curve=curve,
        moves_floor="cppi" in strategy.layers and strategy.cppi.needs_bills,
    )
