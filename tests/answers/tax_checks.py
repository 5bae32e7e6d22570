"""What the library answers to a tax case, compared with what its source says: one check a kind.

Each check gives a phrase for every difference, none where the library is right. Amounts may be off
by half a cent, because a source may round where we do not.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.answers.tax_adapters import (
    STATUSES,
    TERMS,
    Return,
    TaxCase,
    expected_lots,
    expected_rows,
    number,
    tax_case,
)
from tests.rules.tax.rows import HALF_CENT, lot_differences, open_lots, row_differences, taxed_rows

from trimtab.adapters.law import read_law
from trimtab.domain.history import LotSale, TransactionKind
from trimtab.domain.law import Statutes
from trimtab.rules.tax import lots, matching
from trimtab.rules.tax.dividends import qualified
from trimtab.rules.tax.form8949 import (
    Box,
    BrokerFigures,
    FormRow,
    FormRule,
    form_columns,
    form_rows,
)
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.netting import NO_CARRY, Carryover, YearTotals, net, years_of
from trimtab.rules.tax.schedule_d import schedule_d
from trimtab.rules.tax.txf import txf
from trimtab.rules.tax.year import niit

Case = Mapping[str, Any]


def differences(plain: Case) -> list[str]:
    """Every place in which the library says something else than the case."""
    return list(CHECKS[plain["kind"]](plain))


def _statutes() -> Statutes:
    return read_law().statutes


def run_ledger(case: TaxCase) -> Ledger:
    ledger = Ledger(case.accounts, case.rule, case.rates)
    ledger.extend(case.transactions)
    return ledger


# ---------------------------------------------------------------------------- ledgers


def _ledger(plain: Case) -> Iterator[str]:
    case = tax_case(plain)
    ledger = run_ledger(case)
    sales, expected = ledger.sales(), plain["expected"]
    yield from row_differences(expected_rows(plain), taxed_rows(sales))
    yield from lot_differences(expected_lots(plain), open_lots(ledger.lots()))
    yield from _form_differences(case, sales)
    for filed in case.returns:
        ours = [sale for sale in sales if sale.account in case.accounts_of(filed)]
        years = _years(case, filed, ours)
        yield from _year_differences(filed, expected["years"].get(filed.id, {}), years)
        yield from _schedule_differences(
            case, filed, ours, expected.get("schedule_d", {}).get(filed.id, {})
        )
    yield from _dividend_differences(case, ledger)
    yield from _txf_differences(case, sales)


def _form_rule(case: TaxCase) -> FormRule:
    since = _statutes().forms.digital_boxes_since
    return FormRule(digital_from_year=since.year, digital=case.rule.exempt)


def _form_differences(case: TaxCase, sales: Sequence[LotSale]) -> Iterator[str]:
    """Box and code of every row of Form 8949 that the case names."""
    found = {
        (row.sale_id, row.lot_id, row.holding_since.isoformat()): row
        for row in form_rows(sales, _form_rule(case))
    }
    for wanted in case.plain["expected"]["disposals"]:
        key = (wanted["sell"], wanted["lot"], wanted["holding_start"])
        row = found.get(key)
        if row is None:
            yield f"Form 8949 has no row for {key}"
            continue
        if "box" in wanted and wanted["box"] != row.box:
            yield f"{key}: box {row.box}, not {wanted['box']}"
        if "code" in wanted and wanted["code"] != row.codes:
            yield f"{key}: code {row.codes!r}, not {wanted['code']!r}"
        yield from _amounts(f"{key} ", {"gain": wanted["gain"]}, {"gain": row.gain})


def _years(case: TaxCase, filed: Return, sales: Sequence[LotSale]) -> dict[int, YearTotals]:
    brought = case.plain.get("carry_in", {}).get(filed.id)
    carry = _carryover(brought)
    incomes = case.plain.get("taxable_income", {}).get(filed.id, {})
    totals = years_of(
        sales,
        filed.status,
        _statutes(),
        carry=carry,
        taxable_income={int(year): number(income) for year, income in incomes.items()},
    )
    return {year.year: year for year in totals}


def _year_differences(
    filed: Return, expected: Case, years: Mapping[int, YearTotals]
) -> Iterator[str]:
    if set(years) != {int(year) for year in expected}:
        yield f"return {filed.id} has the years {sorted(years)}, not {sorted(expected)}"
        return
    for year, wanted in expected.items():
        found = {name: getattr(years[int(year)], name) for name in wanted}
        yield from _amounts(f"{filed.id} {year} ", wanted, found)


def _rows_of_year(case: TaxCase, sales: Sequence[LotSale], year: int) -> tuple[FormRow, ...]:
    return form_rows(sales, _form_rule(case), year=year)


def _schedule_differences(
    case: TaxCase, filed: Return, sales: Sequence[LotSale], expected: Case
) -> Iterator[str]:
    years = _years(case, filed, sales)
    limit = _statutes().capital_loss.limit_of(filed.status)
    first = min(years, default=0)
    for year, lines in expected.items():
        netting = years[int(year)].netting
        rows = _rows_of_year(case, sales, int(year))
        before = years[int(year) - 1].netting.carry if int(year) > first else _brought(case, filed)
        figures = schedule_d(
            rows, loss_limit=limit, carry_in_short=before.st, carry_in_long=before.lt
        ).figures()
        name = f"Schedule D of {filed.id} {year} line "
        yield from _amounts(name, {"16": lines["16"]}, {"16": netting.line16})
        for line in lines:
            found = figures.pop(line, None)
            if isinstance(lines[line], dict):
                columns = found if isinstance(found, dict) else dict.fromkeys("degh", 0)
                yield from _amounts(f"{name}{line}", lines[line], columns)
            else:
                yield from _amounts(name, {line: lines[line]}, {line: found})
        for line, left in figures.items():
            if isinstance(left, dict):
                yield f"{name}{line} is one too many"


def _carryover(brought: Mapping[str, str] | None) -> Carryover:
    """What a case brings in; an amount that it leaves out is zero."""
    if not brought:
        return NO_CARRY
    return Carryover(st=number(brought.get("st", "0")), lt=number(brought.get("lt", "0")))


def _brought(case: TaxCase, filed: Return) -> Carryover:
    brought = case.plain.get("carry_in", {}).get(filed.id)
    return _carryover(brought)


def _dividend_differences(case: TaxCase, ledger: Ledger) -> Iterator[str]:
    wanted = {row["id"]: row for row in case.plain["expected"].get("dividends", ())}
    told = {one.id: one for one in case.transactions if one.kind is TransactionKind.DIVIDEND}
    for name, row in wanted.items():
        paid = told[name]
        holdings = ledger.holdings(paid)
        found = qualified(paid, holdings, _statutes().qualified_dividends)
        amounts = {"total": found.total, "qualified": found.qualified}
        yield from _amounts(f"dividend {name} ", {k: row[k] for k in amounts}, amounts)


def _txf_differences(case: TaxCase, sales: Sequence[LotSale]) -> Iterator[str]:
    returns = {filed.id: filed for filed in case.returns}
    for key, wanted in case.plain["expected"].get("txf", {}).items():
        name, _, year = key.rpartition(":")
        names = case.accounts_of(returns[name])
        ours = [sale for sale in sales if sale.account in names]
        found = list(txf(_rows_of_year(case, ours, int(year))).lines)
        if found != list(wanted):
            yield f"TXF of {key}: {found}, not {wanted}"


# ---------------------------------------------------------------------------- vectors


def _vectors(check: Callable[[Case], Iterator[str]]) -> Callable[[Case], Iterator[str]]:
    def all_of_them(plain: Case) -> Iterator[str]:
        for place, vector in enumerate(plain["vectors"], start=1):
            yield from (f"vector {place}: {phrase}" for phrase in check(vector))

    return all_of_them


def _term(vector: Case) -> Iterator[str]:
    start, sold = (dt.date.fromisoformat(vector[key]) for key in ("start", "sold"))
    for found in (lots.term_of(start, sold), lots.is_long_term(start, sold)):
        if found not in {TERMS[vector["term"]], vector["term"] == "LT"}:
            yield f"held from {start} to {sold} is {found}, not {vector['term']}"


def _window(vector: Case) -> Iterator[str]:
    sale = dt.date.fromisoformat(vector["sale"])
    if "acquired" in vector:
        acquired = dt.date.fromisoformat(vector["acquired"])
        if matching.in_window(sale, acquired) != vector["in_window"]:
            yield f"sold {sale}, acquired {acquired}: should be {vector['in_window']}"
    if "safe_rebuy" in vector:
        found = matching.first_safe_day(sale)
        if found.isoformat() != vector["safe_rebuy"]:
            yield f"sold {sale}: safe from {found}, not {vector['safe_rebuy']}"


def _netting(vector: Case) -> Iterator[str]:
    income = vector.get("taxable_income")
    found = net(
        number(vector["st"]),
        number(vector["lt"]),
        STATUSES[vector["status"]],
        _statutes(),
        carry=Carryover(
            st=number(vector.get("carry_st_in", "0")), lt=number(vector.get("carry_lt_in", "0"))
        ),
        taxable_income=None if income is None else number(income),
    )
    yield from _amounts(
        "", vector["expected"], {name: getattr(found, name) for name in vector["expected"]}
    )


def _niit(vector: Case) -> Iterator[str]:
    found = niit(
        STATUSES[vector["status"]],
        number(vector["magi"]),
        number(vector["other_nii"]),
        number(vector["net_gain"]),
        _statutes().net_investment_income,
    )
    yield from _amounts("", {"tax": vector["tax"]}, {"tax": found})


def _form_8949(vector: Case) -> Iterator[str]:
    told, wanted = vector["broker"], dict(vector["expected"])
    columns = form_columns(
        Box(vector["box"]),
        TERMS[vector["term"]],
        proceeds=number(vector["proceeds"]),
        basis=number(vector["basis"]),
        disallowed=number(vector["disallowed"]),
        broker=BrokerFigures(
            proceeds=number(told["proceeds"]) if "proceeds" in told else None,
            basis=number(told["basis"]) if "basis" in told else None,
            disallowed=number(told["wash"]) if "wash" in told else None,
            term=TERMS[told["term"]] if "term" in told else None,
        ),
    )
    codes = wanted.pop("f")
    if columns.codes != codes:
        yield f"column f {columns.codes!r}, not {codes!r}"
    found = {
        "d": columns.proceeds,
        "e": columns.basis,
        "g": columns.adjustment,
        "h": columns.gain,
    }
    yield from _amounts("column ", wanted, found)


def _amounts(where: str, expected: Case, found: Case) -> Iterator[str]:
    """A phrase for each amount of *expected* that *found* misses by more than half a cent."""
    for name, wanted in expected.items():
        have = found.get(name)
        if have is None or abs(Fraction(have) - Fraction(wanted)) > HALF_CENT:
            yield f"{where}{name}: {have}, not {wanted}"


CHECKS: Mapping[str, Callable[[Case], Iterator[str]]] = {
    "ledger": _ledger,
    "term": _vectors(_term),
    "window": _vectors(_window),
    "netting": _vectors(_netting),
    "niit": _vectors(_niit),
    "f8949": _vectors(_form_8949),
}
