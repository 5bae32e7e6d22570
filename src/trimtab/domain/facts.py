"""What a household tells about itself beside its policy: no cooling-off holds it back."""

from msgspec import Struct

from trimtab.domain.policy import FlowRule, HarvestRule, HouseholdFile, TaxRule


class Facts(Struct, frozen=True, kw_only=True):
    """Tax rates and identical groups, when a loss is worth taking, and money that comes or goes."""

    tax: TaxRule
    harvest: HarvestRule = HarvestRule()
    contributions: tuple[FlowRule, ...] = ()
    withdrawals: tuple[FlowRule, ...] = ()


def facts_of(file: HouseholdFile) -> Facts:
    """The facts that *file* tells."""
    return Facts(
        tax=file.tax,
        harvest=file.harvest,
        contributions=file.contributions,
        withdrawals=file.withdrawals,
    )
