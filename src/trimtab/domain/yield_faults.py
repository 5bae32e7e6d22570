"""Checks what a household file says of yields against its accounts, instruments and tax rates."""

from collections.abc import Iterator

from trimtab.domain.policy import HouseholdFile
from trimtab.domain.reading import is_known, one_of
from trimtab.domain.yield_facts import RateRule


def yield_faults(file: HouseholdFile) -> Iterator[str]:
    """Where [yields] names what is not there, or more state tax than there is tax."""
    yields = file.yields
    if not is_known(yields):
        return
    state = yields.state_rate
    if state is not None and is_known(state, file.tax) and is_known(file.tax.short_term_rate):
        whole = file.tax.short_term_rate
        if state > whole:
            yield (
                f"yields.state_rate: {state:f} is more than tax.short_term_rate, {whole:f}, of "
                "which it is a part; write the state's part of that rate"
            )
    if not is_known(yields.rates):
        return
    for number, rule in enumerate(yields.rates, start=1):
        yield from _rate_faults(file, rule, f"yields.rates[{number}]")


def _rate_faults(file: HouseholdFile, rule: RateRule, path: str) -> Iterator[str]:
    if is_known(file.accounts, rule.accounts):
        for name in rule.accounts:
            if name not in file.accounts:
                instead = one_of(name, file.accounts)
                yield f'{path}.accounts: no account is called "{name}"; write {instead}'
    if not is_known(file.instruments, file.household, rule.symbol) or rule.symbol is None:
        return
    base = file.household.base_currency
    if is_known(base) and rule.symbol not in {*file.instruments, base}:
        instead = one_of(rule.symbol, [*file.instruments, base])
        yield (
            f"{path}.symbol: {rule.symbol} is not described; write "
            f"[instruments.{rule.symbol}], or {instead}"
        )
