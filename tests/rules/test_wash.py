"""What is identical to what, in the words that plan and guard share."""

from trimtab.rules.tax.wash import identical_symbols


def test_a_symbol_is_identical_to_itself_and_to_the_groups_that_hold_it():
    groups = (("VTI", "ITOT"), ("ITOT", "SCHB"))
    assert identical_symbols("VTI", groups) == {"VTI", "ITOT"}
    assert identical_symbols("BND", groups) == {"BND"}
