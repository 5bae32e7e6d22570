"""Every worked tax case in the folder `tax`, answered by the library: the law's own examples.

A `*.json` or `*.jsonl.gz` file that is put beside the others runs too.
"""

from collections import Counter
from typing import Any

import pytest
from tests.answers.tax_adapters import missing_switches, plain_cases
from tests.answers.tax_checks import CHECKS, differences


def _cases() -> list[Any]:
    seen: Counter[str] = Counter()
    cases = []
    for plain in plain_cases():
        seen[plain["id"]] += 1
        again = f"-{seen[plain['id']]}" if seen[plain["id"]] > 1 else ""
        missing = ", ".join(sorted(missing_switches(plain)))
        reason = f"the library has no switch for {missing}"
        marks = [pytest.mark.skip(reason=reason)] if missing else []
        cases.append(pytest.param(plain, id=f"{plain['id']}{again}", marks=marks))
    return cases


@pytest.mark.parametrize("plain", _cases())
def test_a_worked_tax_case_has_the_answer_that_its_source_gives(plain):
    assert plain["kind"] in CHECKS, f"no check answers the kind {plain['kind']!r}"
    found = differences(plain)
    assert not found, f"{plain['id']}, {plain['title']}: {'; '.join(found)}"


def test_the_cases_of_the_law_and_two_hundred_households_were_asked():
    kinds = Counter(plain["kind"] for plain in plain_cases())
    assert set(kinds) == set(CHECKS)
    assert kinds["ledger"] >= 224
