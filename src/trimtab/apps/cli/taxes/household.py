"""What a tax command asks of household.toml beside its source."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trimtab.apps.home import Home
    from trimtab.domain.policy import HouseholdFile


def home_of(context: click.Context) -> "Home | None":
    """The household that the command reads; None where it reads plain transactions."""
    from trimtab.apps.home import Home

    return None if context.params["transactions"] else Home(context.params["folder"])


def household_of(context: click.Context) -> "HouseholdFile | None":
    """Its household.toml, None where there is none."""
    from trimtab.apps.home import read_household

    home = home_of(context)
    return None if home is None else read_household(home)
