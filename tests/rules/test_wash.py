"""What is identical to what, in the words that plan and guard share."""

import pytest
from tests.houses import TOML

from trimtab.domain.household import decode_household, instruments_of
from trimtab.rules.tax.wash import identical_symbols, is_exempt

INSTRUMENTS = instruments_of(decode_household(TOML))


def test_a_symbol_is_identical_to_itself_and_to_the_groups_that_hold_it():
    groups = (("VTI", "ITOT"), ("ITOT", "SCHB"))
    assert identical_symbols("VTI", groups) == {"VTI", "ITOT"}
    assert identical_symbols("BND", groups) == {"BND"}


@pytest.mark.parametrize(
    ("symbol", "is_no_security"),
    [("BTC-USD", True), ("EURUSD", True), ("VTI", False), ("?", False)],
)
def test_coins_and_currencies_are_no_securities(symbol, is_no_security):
    assert is_exempt(symbol, INSTRUMENTS) == is_no_security
