"""What a household tells about itself beside its policy: no cooling-off holds it back."""

from msgspec import Struct

from trimtab.domain.incoming import AveragingRule
from trimtab.domain.policy import FlowRule, HarvestRule, HouseholdFile, TaxRule


class Facts(Struct, frozen=True, kw_only=True):
    """Tax rates and identical groups, when a loss is worth taking, and money that moves.

    It comes in, goes out, or waits in an account to be invested little by little.
    """

    tax: TaxRule
    harvest: HarvestRule = HarvestRule()
    contributions: tuple[FlowRule, ...] = ()
    withdrawals: tuple[FlowRule, ...] = ()
    averaging: tuple[AveragingRule, ...] = ()


def facts_of(file: HouseholdFile) -> Facts:
    """The facts that *file* tells."""
    return Facts(
        tax=file.tax,
        harvest=file.harvest,
        contributions=file.contributions,
        withdrawals=file.withdrawals,
        averaging=file.averaging,
    )
