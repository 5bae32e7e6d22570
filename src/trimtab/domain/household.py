"""Reads `household.toml`: every fault at once, each with its place and what to write instead.

First the file is read leaf by leaf (`trimtab.domain.reading`), so that one bad value hides no
other. Then the parts are checked against each other as far as they are known
(`trimtab.domain.consistency`). A file with a fault never leaves this module.
"""

from decimal import Decimal
from typing import cast

from msgspec.structs import replace

from trimtab.domain.bound_faults import bound_faults
from trimtab.domain.consistency import KnowsCalendar, cross_faults, invented_faults
from trimtab.domain.errors import FileFaults
from trimtab.domain.idle_faults import idle_faults, without_misplaced
from trimtab.domain.numbers import ONE, SHARE_GRAIN, Quantity
from trimtab.domain.policy import HouseholdFile, Policy
from trimtab.domain.reading import file_shape, parse_toml, read_shape
from trimtab.domain.values import Account, Instrument, InstrumentKind

_DEFAULTS: dict[InstrumentKind, tuple[Quantity, str]] = {
    InstrumentKind.EQUITY: (ONE, "XNYS"),
    InstrumentKind.ETF: (ONE, "XNYS"),
    InstrumentKind.FUND: (Decimal("0.001"), "XNYS"),
    InstrumentKind.CRYPTO: (SHARE_GRAIN, "24/7"),
    InstrumentKind.FOREX: (ONE, "forex"),
}
"""Step and calendar of an instrument whose table names none."""


def decode_household(
    text: str, source: str = "household.toml", *, knows_calendar: KnowsCalendar | None = None
) -> HouseholdFile:
    """The household that *text* describes; *knows_calendar* says whether a calendar exists.

    Raises:
        FileFaults: all that is wrong with the file, one sentence each.
    """
    document, faults = without_misplaced(parse_toml(text, source))
    file = cast("HouseholdFile", read_shape(file_shape(), document, "", faults))
    faults += invented_faults(document)
    faults += cross_faults(file, knows_calendar)
    faults += idle_faults(file, document)
    faults += bound_faults(file)
    if faults:
        raise FileFaults(source, faults)
    return file


def apply_policy(file: HouseholdFile, policy: Policy) -> HouseholdFile:
    """The facts of *file* under *policy*, the one in force, whatever policy the file asks for.

    An account that *policy* does not know yet keeps the cash reserve that the file gives it; an
    instrument trades in the hours that *policy* names, or in those of its kind.

    Raises:
        FileFaults: the policy needs an account or instrument that the file no longer describes.
    """
    accounts = {
        name: replace(rule, cash_reserve=policy.cash_reserves.get(name, rule.cash_reserve))
        for name, rule in file.accounts.items()
    }
    instruments = {
        symbol: replace(rule, calendar=policy.calendars.get(symbol))
        for symbol, rule in file.instruments.items()
    }
    combined = replace(
        file,
        accounts=accounts,
        instruments=instruments,
        data=replace(file.data, stale_after_days=policy.stale_after_days),
        classes=policy.classes,
        bands=policy.bands,
        orders=policy.orders,
        plan=policy.plan,
        gates=policy.gates,
        defensive=policy.defensive,
        reserve=policy.reserve,
        groups=policy.groups,
        glide=policy.glide,
        strategy=policy.strategy,
        schedule=policy.schedule,
        precommitment=policy.precommitment,
    )
    faults = [
        f"the policy in force does not fit the file: {fault}; until an edited policy is in force, "
        "keep in the file the accounts and instruments that this one needs"
        for fault in cross_faults(combined, None)
    ]
    if faults:
        raise FileFaults("household.toml under the policy in force", faults)
    return combined


def instruments_of(file: HouseholdFile) -> dict[str, Instrument]:
    """The instruments of *file* with what their kind implies filled in.

    The invented market never closes, so with it every calendar is `24/7`. A forex pair is quoted
    in the currency of its last three letters.
    """
    invented = file.data.market == "invented"
    instruments = {}
    for symbol, rule in file.instruments.items():
        step, calendar = _DEFAULTS[rule.kind]
        instruments[symbol] = Instrument(
            symbol=symbol,
            kind=rule.kind,
            step=step if rule.step is None else rule.step,
            calendar="24/7" if invented else rule.calendar or calendar,
            currency=symbol[3:] if rule.kind is InstrumentKind.FOREX else rule.currency,
        )
    return instruments


def accounts_of(file: HouseholdFile) -> dict[str, Account]:
    """The accounts of *file* by id."""
    return {
        name: Account(
            id=name,
            owner=rule.owner,
            kind=rule.kind,
            broker=rule.broker,
            relief=rule.relief,
            cash_reserve=rule.cash_reserve,
            role=file.owners[rule.owner].role,
            reinvests=rule.reinvests,
        )
        for name, rule in file.accounts.items()
    }
