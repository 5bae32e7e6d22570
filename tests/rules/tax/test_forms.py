import datetime as dt
import gzip
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.history import LotSale, Reporting
from trimtab.domain.numbers import CENT, ZERO
from trimtab.domain.trades import Term
from trimtab.rules.tax.form8949 import (
    Box,
    BrokerFigures,
    Columns,
    FormRow,
    FormRule,
    amounts_of,
    box_of,
    by_box,
    form_columns,
    form_rows,
    in_cents,
)
from trimtab.rules.tax.schedule_d import schedule_d
from trimtab.rules.tax.txf import txf, txf_record, txf_text

SHARED = Path(__file__).resolve().parents[3] / "../shared/cases/tax"
RULE = FormRule(digital_from_year=2025, digital=frozenset({"COIN", "BTC"}))
LIMIT = Decimal(3000)


def sale(proceeds: str, basis: str, **changes: Any) -> LotSale:
    start = changes.pop("since", "2025-01-06")
    facts: dict[str, Any] = {
        "id": "s1/0",
        "sale_id": "s1",
        "account": "joint",
        "symbol": "AAA",
        "lot_id": "b1",
        "quantity": Decimal(10),
        "acquired": dt.date.fromisoformat(start),
        "holding_since": dt.date.fromisoformat(start),
        "sold": dt.date(2025, 6, 2),
        "proceeds": Decimal(proceeds),
        "basis": Decimal(basis),
        "term": Term.SHORT,
        "is_taxed": True,
    }
    return LotSale(**(facts | changes))


def seen(*values: object) -> tuple[object, ...]:
    return values


def row(proceeds: str, basis: str, **changes: Any) -> FormRow:
    (found,) = form_rows([sale(proceeds, basis, **changes)], RULE)
    return found


# ---------------------------------------------------------------------- boxes


@pytest.mark.parametrize(
    ("reporting", "digital", "year", "letters"),
    [
        (Reporting.BASIS_REPORTED, False, 2025, "AD"),
        (Reporting.BASIS_UNREPORTED, False, 2025, "BE"),
        (Reporting.NONE, False, 2025, "CF"),
        (Reporting.NONE, True, 2024, "CF"),
        (Reporting.NONE, True, 2025, "IL"),
        (Reporting.DIGITAL_REPORTED, True, 2025, "GJ"),
        (Reporting.DIGITAL_UNREPORTED, True, 2025, "HK"),
        (Reporting.DIGITAL_REPORTED, True, 2024, "CF"),
        (Reporting.DIGITAL_UNREPORTED, False, 2026, "HK"),
        (Reporting.BASIS_REPORTED, True, 2026, "AD"),
    ],
)
def test_the_box_follows_from_the_form_sent_the_term_and_the_year(
    reporting, digital, year, letters
):
    found = [
        box_of(term, reporting, is_digital=digital, digital_boxes=year >= 2025) for term in Term
    ]
    assert "".join(found) == letters
    assert [box.term for box in found] == list(Term)


def test_a_coin_sold_without_a_form_moves_from_box_c_to_box_i_with_the_year_2025():
    sold = [dt.date(2024, 12, 31), dt.date(2025, 1, 1)]
    rows = form_rows(
        [
            sale("1", "1", symbol="COIN", sale_id=f"s{day}", sold=day, reporting=Reporting.NONE)
            for day in sold
        ],
        RULE,
    )
    assert [one.box for one in rows] == [Box.C, Box.I]


# ---------------------------------------------------------------------- rows


def test_pieces_of_one_sale_lot_and_holding_start_are_one_row():
    first = sale("40", "50", id="s1/0", quantity=Decimal(4), disallowed=Decimal(3))
    second = sale("20", "25", id="s1/1", quantity=Decimal(2), permanent=ZERO)
    tacked = sale("10", "20", id="s1/2", holding_since=dt.date(2024, 11, 1))
    rows = form_rows([first, tacked, second], RULE)
    assert [seen(one.quantity, one.gain) for one in rows] == [(6, -12), (10, -10)]
    assert rows[0].pieces == ("s1/0", "s1/1")
    assert seen(rows[0].codes, rows[0].adjustment) == ("W", 3)
    assert [one.is_tacked for one in rows] == [False, True]


def test_sales_with_one_id_in_two_accounts_stay_two_rows():
    rows = form_rows([sale("1", "1"), sale("1", "1", account="other")], RULE)
    assert len({one.id for one in rows}) == 2


def test_sales_in_untaxed_accounts_and_other_years_are_on_no_form():
    sales = [
        sale("1", "1", is_taxed=False),
        sale("2", "1", sale_id="s2", sold=dt.date(2024, 12, 31)),
        sale("3", "1", sale_id="s3"),
    ]
    assert [one.proceeds for one in form_rows(sales, RULE, year=2025)] == [3]


def test_a_description_counts_units_without_trailing_zeros():
    assert row("1", "1", quantity=Decimal("10.000")).description == "10 AAA"
    assert row("1", "1", quantity=Decimal("0.0375")).description == "0.0375 AAA"
    assert row("1", "1", quantity=Decimal(1200)).description == "1200 AAA"


def test_a_disallowed_part_of_a_loss_is_code_w_and_positive():
    found = row("4000", "5000", disallowed=Decimal(750))
    assert seen(found.codes, found.adjustment, found.gain) == ("W", 750, -250)


money = st.decimals(min_value=0, max_value=10**6, places=9)


@given(proceeds=money, basis=money, share=st.decimals(min_value=0, max_value=1, places=4))
def test_a_printed_row_adds_up_and_is_never_off_by_more_than_rounding(proceeds, basis, share):
    disallowed = max(ZERO, basis - proceeds) * share
    exact = row(str(proceeds), str(basis), disallowed=disallowed)
    printed = in_cents(exact)
    assert printed.gain == printed.proceeds - printed.basis + printed.adjustment
    assert all(
        amount == amount.quantize(CENT)
        for amount in (printed.proceeds, printed.basis, printed.adjustment, printed.gain)
    )
    assert abs(printed.gain - exact.gain) < 2 * CENT
    assert abs(printed.adjustment - exact.adjustment) < 2 * CENT
    if disallowed:
        assert printed.gain <= 0
    if exact.disallowed and exact.gain == 0:
        assert printed.gain == 0


def test_rounding_is_half_up_and_a_loss_disallowed_in_full_prints_zero():
    exact = row("100.004", "110.006", disallowed=Decimal("10.002"))
    printed = in_cents(exact)
    assert seen(printed.proceeds, printed.basis) == (Decimal("100.00"), Decimal("110.01"))
    assert seen(printed.adjustment, printed.gain) == (Decimal("10.01"), 0)
    assert in_cents(row("0.005", "0")).proceeds == CENT


# ---------------------------------------------------------------------- beside the broker's form


def _vectors() -> list[Any]:
    path = SHARED / "cases/P29.json"
    return json.loads(path.read_text(encoding="utf-8"))["vectors"] if path.exists() else []


@pytest.mark.skipif(not SHARED.exists(), reason="the tax cases are not in the folder shared")
@pytest.mark.parametrize(
    "vector",
    _vectors(),
    ids=lambda vector: f"{vector['box']} {vector['expected']['f'] or 'no code'}",
)
def test_a_row_against_form_1099_b_is_what_the_instructions_ask(vector):
    told = vector["broker"]
    columns = form_columns(
        Box(vector["box"]),
        {"ST": Term.SHORT, "LT": Term.LONG}[vector["term"]],
        proceeds=Decimal(vector["proceeds"]),
        basis=Decimal(vector["basis"]),
        disallowed=Decimal(vector["disallowed"]),
        broker=BrokerFigures(
            proceeds=Decimal(told["proceeds"]),
            basis=Decimal(told["basis"]),
            disallowed=Decimal(told["wash"]),
        ),
    )
    found = {
        "d": columns.proceeds,
        "e": columns.basis,
        "g": columns.adjustment,
        "h": columns.gain,
    }
    expected = vector["expected"]
    assert columns.codes == expected["f"]
    assert found == {letter: Decimal(expected[letter]) for letter in found}


def columns(
    proceeds: str,
    basis: str,
    disallowed: str = "0",
    *,
    told: tuple[str, str, str],
    box: Box = Box.A,
    term: Term | None = None,
) -> Columns:
    """The row of our figures beside the broker's proceeds, basis and wash sale."""
    figures = [Decimal(text) for text in told]
    return form_columns(
        box,
        box.term,
        proceeds=Decimal(proceeds),
        basis=Decimal(basis),
        disallowed=Decimal(disallowed),
        broker=BrokerFigures(
            proceeds=figures[0], basis=figures[1], disallowed=figures[2], term=term
        ),
    )


def test_gross_proceeds_of_the_broker_stay_and_code_e_takes_off_the_selling_expenses():
    found = columns("995", "900", told=("1000", "900", "0"))
    assert seen(found.proceeds, found.codes, found.adjustment, found.gain) == (1000, "E", -5, 95)


def test_proceeds_of_the_broker_that_are_too_low_are_corrected_with_code_o():
    found = columns("1000", "900", told=("990", "900", "0"))
    assert seen(found.proceeds, found.codes, found.adjustment, found.gain) == (990, "O", 10, 100)


def test_all_codes_together_are_alphabetical_and_their_amounts_are_netted():
    found = columns("700", "1050", "350", told=("710", "800", "20"), term=Term.LONG)
    assert seen(found.codes, found.adjustment, found.gain) == ("BETW", 90, 0)


def test_a_smaller_wash_sale_than_the_brokers_asks_for_a_statement():
    found = columns("700", "1000", "100", told=("700", "1000", "300"))
    assert seen(found.codes, found.adjustment) == ("W", 100)
    assert "300.00 USD" in found.statement
    assert "100.00 USD" in found.statement


def test_a_wash_sale_that_only_the_broker_sees_stays_as_code_w_with_zero():
    found = columns("700", "1000", "0", told=("700", "1000", "300"))
    assert seen(found.codes, found.adjustment, found.gain) == ("W", 0, -300)
    assert found.statement


def test_a_larger_wash_sale_than_the_brokers_needs_no_statement():
    assert not columns("700", "1000", "300", told=("700", "1000", "100")).statement


def test_a_cent_of_rounding_is_no_correction():
    found = columns("333.336", "200.004", told=("333.33", "200.01", "0"))
    assert seen(found.proceeds, found.basis, found.codes) == (
        Decimal("333.33"),
        Decimal("200.01"),
        "",
    )


def test_a_sale_that_no_form_was_sent_about_shows_our_own_figures():
    found = columns("995", "900", told=("1000", "800", "0"), box=Box.C)
    assert seen(found.proceeds, found.basis, found.codes) == (995, 900, "")


def test_a_digital_asset_whose_basis_the_irs_knows_is_corrected_like_box_a():
    found = columns("1000", "1050", told=("1000", "800", "0"), box=Box.G)
    assert seen(found.basis, found.codes, found.adjustment) == (800, "B", -250)


@given(
    amounts=st.tuples(*[st.integers(0, 5000)] * 5),
    box=st.sampled_from([box for box in Box if box.is_on_form]),
)
def test_column_h_is_our_gain_whatever_the_broker_says(amounts, box):
    proceeds, basis, told_proceeds, told_basis, told_wash = map(Decimal, amounts)
    disallowed = max(ZERO, basis - proceeds) / 2
    found = form_columns(
        box,
        box.term,
        proceeds=proceeds,
        basis=basis,
        disallowed=disallowed,
        broker=BrokerFigures(proceeds=told_proceeds, basis=told_basis, disallowed=told_wash),
    )
    assert found.gain == proceeds - basis + disallowed
    assert list(found.codes) == sorted(set(found.codes))


def test_the_brokers_form_decides_the_box_of_a_row():
    one = sale("1000", "900")
    figures = {row("1000", "900").id: BrokerFigures(reporting=Reporting.BASIS_UNREPORTED)}
    (found,) = form_rows([one], RULE, broker=figures)
    assert found.box is Box.B


# ---------------------------------------------------------------------- Schedule D and whole cases


def _case_rows(case: Any, year: int, owners: set[str]) -> tuple[FormRow, ...]:
    """The rows that a case expects, as sales; only what the forms need."""
    sells = {one["id"]: one for one in case["transactions"]}
    owner = {name: facts["owner"] for name, facts in case["household"]["accounts"].items()}
    symbols = case.get("symbols", {})
    sales = []
    for number, fact in enumerate(case["expected"]["disposals"]):
        told = sells[fact["sell"]]
        is_digital = symbols.get(told["symbol"], {}).get("class") == "crypto"
        default = "none" if is_digital else "1099b_reported"
        if owner[told["account"]] not in owners:
            continue
        sales.append(
            sale(
                fact["proceeds"],
                fact["basis"],
                id=f"{number}",
                sale_id=fact["sell"],
                account=told["account"],
                symbol=told["symbol"],
                lot_id=fact["lot"],
                quantity=Decimal(fact["qty"]),
                acquired=dt.date.fromisoformat(fact["acquired"]),
                holding_since=dt.date.fromisoformat(fact["holding_start"]),
                sold=dt.date.fromisoformat(fact["sold"]),
                disallowed=Decimal(fact["adjustment"]),
                permanent=Decimal(fact["permanent"]),
                term=Term.SHORT if fact["term"] == "ST" else Term.LONG,
                reporting=Reporting(told.get("form", default)),
            )
        )
    return form_rows(sales, RULE, year=year)


def _exact_cases() -> list[Any]:
    """Cases whose amounts are all decimals, with their Schedule D."""
    if not SHARED.exists():
        return []
    cases = [json.loads((SHARED / "cases/P24.json").read_text(encoding="utf-8"))]
    with gzip.open(SHARED / "random_200.jsonl.gz", "rt", encoding="utf-8") as lines:
        cases += [json.loads(line) for line in lines]
    return [case for case in cases if "/" not in json.dumps(case["expected"]["disposals"])]


@pytest.mark.skipif(not SHARED.exists(), reason="the tax cases are not in the folder shared")
def test_schedule_d_has_the_lines_of_every_worked_case():
    compared = 0
    for case in _exact_cases():
        returns = {one["id"]: set(one["owners"]) for one in case["household"]["returns"]}
        for name, years in case["expected"]["schedule_d"].items():
            for year, lines in years.items():
                rows = _case_rows(case, int(year), returns[name])
                found = schedule_d(rows, loss_limit=LIMIT).figures()
                assert set(found) - {"6", "14"} == set(lines) - {"6", "14"}
                for line, expected in lines.items():
                    figures = found[line]
                    if isinstance(figures, dict):
                        wanted = {letter: Fraction(text) for letter, text in expected.items()}
                        assert {key: Fraction(one) for key, one in figures.items()} == wanted
                    else:
                        assert Fraction(figures) == Fraction(expected)
                    compared += 1
    assert compared > 1000


@pytest.mark.skipif(not SHARED.exists(), reason="the tax cases are not in the folder shared")
def test_every_worked_row_stands_in_its_box():
    for case in _exact_cases():
        expected = {
            (fact["sell"], fact["lot"], fact["holding_start"]): fact
            for fact in case["expected"]["disposals"]
        }
        owners = set(case["household"]["owners"])
        for year in {int(fact["sold"][:4]) for fact in expected.values()}:
            for found in _case_rows(case, year, owners):
                fact = expected[found.sale_id, found.lot_id, f"{found.holding_since}"]
                assert found.box == fact["box"]
                assert found.codes == fact["code"]


def test_carryovers_and_the_limit_of_the_loss_go_through_the_lines():
    rows = (row("1500", "0"), row("500", "0", since="2020-01-02", term=Term.LONG))
    found = schedule_d(
        rows, loss_limit=LIMIT, carry_in_short=Decimal(4000), carry_in_long=Decimal(1000)
    )
    assert seen(found.line_6, found.line_7) == (-4000, -2500)
    assert seen(found.line_14, found.line_15) == (-1000, -500)
    assert seen(found.line_16, found.line_21) == (-3000, -3000)
    assert schedule_d(rows, loss_limit=LIMIT).line_21 == 0
    half = schedule_d([row("0", "2000")], loss_limit=Decimal(1500))
    assert half.line_21 == -1500


def test_boxes_of_digital_assets_share_their_line_with_the_others():
    rows = [
        row("10", "1"),
        row("20", "1", symbol="BTC", reporting=Reporting.DIGITAL_REPORTED),
        row("40", "1", symbol="BTC", reporting=Reporting.NONE),
    ]
    lines = schedule_d(rows, loss_limit=LIMIT).lines
    assert {line: amounts.proceeds for line, amounts in lines.items()} == {"1b": 30, "3": 40}
    assert list(by_box(rows)) == [Box.A, Box.G, Box.I]


def test_printed_rows_make_a_schedule_that_adds_up_to_the_cent():
    exact = [row(f"{n}.335", "10.005", sale_id=f"s{n}") for n in range(20)]
    printed = [in_cents(one) for one in exact]
    found = schedule_d(printed, loss_limit=LIMIT)
    assert found.line_7 == sum((one.gain for one in printed), ZERO)
    assert amounts_of(printed).gain == found.line_16


# ---------------------------------------------------------------------- TXF


@pytest.mark.skipif(not SHARED.exists(), reason="the tax cases are not in the folder shared")
def test_txf_records_are_those_of_the_specification():
    case = json.loads((SHARED / "cases/P25.json").read_text(encoding="utf-8"))
    found = txf(_case_rows(case, 2025, {"A"}))
    assert list(found.lines) == case["expected"]["txf"]["r:2025"]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("box", "reference"),
    [("A", 321), ("B", 711), ("C", 712), ("D", 323), ("E", 713), ("F", 714)],
)
def test_each_box_has_its_reference_number(box, reference):
    reporting = {
        "A": Reporting.BASIS_REPORTED,
        "B": Reporting.BASIS_UNREPORTED,
        "C": Reporting.NONE,
    }["ABC"["ABCDEF".index(box) % 3]]
    one = row("1", "1", reporting=reporting, term=Box(box).term)
    assert one.box == box
    assert txf([one]).lines[1] == f"N{reference}"


def test_digital_assets_are_left_out_of_txf_and_said():
    found = txf([row("1", "1", symbol="BTC", reporting=Reporting.NONE), row("2", "1")])
    assert found.lines.count("TD") == 1
    (note,) = found.notes
    assert note.startswith("1 row in box I (digital assets) left out")


def test_an_unknown_date_or_cost_leaves_its_line_empty():
    record = txf_record(
        321,
        "200 Reebok",
        (None, dt.date(2004, 1, 1)),
        cost=None,
        proceeds=Decimal(2000),
        disallowed=ZERO,
    )
    assert record[4:] == ("P200 Reebok", "D", "D01/01/2004", "$", "$2000.00", "^")


def test_a_symbol_cannot_end_a_record_or_begin_another_line():
    found = txf([row("1", "1", symbol="A^B\r\nTD\nN999 é")])
    assert found.lines[4] == "P10 A B TD N999 ?"


def test_txf_holds_our_own_figures_and_names_rows_that_it_cannot_correct():
    one = sale("1000", "1050")
    figures = {row("1000", "1050").id: BrokerFigures(proceeds=Decimal(1000), basis=Decimal(800))}
    found = txf(form_rows([one], RULE, broker=figures))
    assert found.lines[7:9] == ("$1050.00", "$1000.00")
    assert "10 AAA sold 2025-06-02 (code B)" in found.notes[0]


def test_a_txf_file_has_its_header_and_lines_that_end_with_cr_and_lf():
    text = txf_text(txf([row("1", "1")]), program="trimtab 0.1.0", exported=dt.date(2026, 2, 1))
    assert text.startswith("V042\r\nAtrimtab 0.1.0\r\nD 02/01/2026\r\n^\r\nTD\r\n")
    assert text.endswith("^\r\n")
    assert text.isascii()
