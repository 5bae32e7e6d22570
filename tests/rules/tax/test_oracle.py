"""The oracle's licence: it must agree with every worked case before it may judge the ledger."""

from collections import defaultdict
from fractions import Fraction

import pytest
from tests.answers.tax_adapters import (
    expected_lots,
    expected_rows,
    missing_switches,
    plain_cases,
    tax_case,
)
from tests.rules.tax.oracle import judge
from tests.rules.tax.rows import lot_differences, row_differences

from trimtab.domain.trades import Term

LEDGERS = [case for case in plain_cases() if case["kind"] == "ledger"]


@pytest.mark.parametrize("plain", LEDGERS, ids=lambda plain: plain["id"])
def test_the_oracle_finds_what_a_worked_case_expects(plain):
    if missing_switches(plain):
        pytest.skip(f"asks for {', '.join(sorted(missing_switches(plain)))}")
    case = tax_case(plain)
    found = judge(case.transactions, case.accounts, case.rule, case.rates)
    rows = found.taxed_rows()
    differences = [
        *row_differences(expected_rows(plain), rows, Fraction(1, 10**12)),
        *lot_differences(expected_lots(plain), found.open_lots(), Fraction(1, 10**12)),
    ]
    for filed in case.returns:
        names = case.accounts_of(filed)
        sums: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for row in rows.values():
            if row.account in names:
                year = str(row.sold.year)
                term = "st" if row.term is Term.SHORT else "lt"
                sums[year, term] += row.proceeds - row.basis + row.disallowed
                sums[year, "disallowed"] += row.disallowed
                sums[year, "permanent"] += row.permanent
        differences += [
            f"{filed.id} {year} {name}: {sums[year, name]}"
            for year, totals in plain["expected"]["years"].get(filed.id, {}).items()
            for name in ("st", "lt", "disallowed", "permanent")
            if sums[year, name] != Fraction(totals[name])
        ]
    assert not differences, f"{plain['id']}, {plain['title']}: {'; '.join(differences)}"


def test_two_hundred_random_households_and_all_ledger_cases_were_asked():
    assert len(LEDGERS) >= 200 + 24
