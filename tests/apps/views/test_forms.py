import csv
import datetime as dt
import io
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from msgspec.structs import replace

from trimtab.apps.views.forms import CSV_COLUMNS, FormsReport, forms_csv, forms_page
from trimtab.domain.history import LotSale, Reporting
from trimtab.domain.imported import BrokerSale
from trimtab.domain.numbers import ZERO
from trimtab.domain.trades import Term
from trimtab.rules.tax.form8949 import BrokerFigures, FormRow, FormRule, form_rows, in_cents
from trimtab.rules.tax.reconcile import reconcile

RULE = FormRule(digital_from_year=2025, digital=frozenset({"BTC"}))
VOID = {"meta", "br", "col"}


class Text(HTMLParser):
    """The words of a page, its open tags and everything that it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [f"{name}={value}" for name, value in attrs if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes what it did not open"

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)


def sale(proceeds: str, basis: str, **changes: Any) -> LotSale:
    facts: dict[str, Any] = {
        "id": "1",
        "sale_id": "s1",
        "account": "joint",
        "symbol": "AAA",
        "lot_id": "b1",
        "quantity": Decimal(10),
        "acquired": dt.date(2025, 1, 6),
        "holding_since": dt.date(2025, 1, 6),
        "sold": dt.date(2025, 6, 2),
        "proceeds": Decimal(proceeds),
        "basis": Decimal(basis),
        "term": Term.SHORT,
        "is_taxed": True,
    }
    return LotSale(**(facts | changes))


def rows(*sales: LotSale, **broker: BrokerFigures) -> tuple[FormRow, ...]:
    return form_rows(sales, RULE, broker=broker)


def report(*sales: LotSale, **changes: Any) -> FormsReport:
    facts: dict[str, Any] = {
        "household": "Maya and Jon",
        "year": 2025,
        "prepared": dt.date(2026, 2, 1),
        "program": "trimtab 0.1.0",
        "rows": rows(*sales),
        "loss_limit": Decimal(3000),
    }
    return FormsReport(**(facts | changes))


def words(one: FormsReport) -> str:
    """What a reader sees, on one line."""
    page = Text()
    page.feed(forms_page(one))
    assert page.open == []
    return " ".join(" ".join(page.words).split())


# ---------------------------------------------------------------------- the page


def test_a_page_stands_alone_without_script_or_anything_to_load():
    page = Text()
    page.feed(forms_page(report(sale("4000", "5000"))))
    assert page.loads == []
    assert "script" not in page.tags
    assert "url(" not in forms_page(report())


def test_a_row_shows_its_eight_columns_and_where_it_was_held():
    shown = words(report(sale("4000", "5000", disallowed=Decimal(750))))
    assert "10 AAA joint, lot b1 01/06/2025 06/02/2025 4,000.00 5,000.00 W 750.00 (250.00)" in shown
    assert "Box A: reported on Form 1099-B, basis reported to the IRS (1 row)" in shown
    assert "Totals of box A, to Schedule D line 1b 4,000.00 5,000.00 750.00 (250.00)" in shown


def test_a_row_without_a_code_leaves_its_adjustment_empty():
    assert "1,500.00 1,000.00 500.00" in words(report(sale("1500", "1000")))


def test_the_day_that_decides_the_term_stands_below_the_purchase():
    shown = words(report(sale("1", "1", holding_since=dt.date(2024, 12, 1))))
    assert "01/06/2025 term from 12/01/2024 06/02/2025" in shown


def test_both_parts_and_every_box_have_their_place():
    shown = words(
        report(
            sale("1", "1"),
            sale("2", "1", sale_id="s2", term=Term.LONG, reporting=Reporting.BASIS_UNREPORTED),
            sale("3", "1", sale_id="s3", symbol="BTC", reporting=Reporting.NONE),
        )
    )
    at = [
        shown.index(text)
        for text in ("Part I: short-term", "Box A:", "Box I:", "Part II: long-term", "Box E:")
    ]
    assert at == sorted(at)


def test_schedule_d_adds_up_carryovers_and_the_limit_to_the_deduction():
    shown = words(
        report(
            sale("1000", "6000"),
            carry_in_long=Decimal(200),
            carry_out_short=Decimal(2000),
            carry_out_long=Decimal(200),
        )
    )
    assert "7 Net short-term gain or (loss) (5,000.00)" in shown
    assert "14 Long-term loss carried over from earlier years (200.00)" in shown
    assert "16 Lines 7 and 15 together (5,200.00)" in shown
    assert "21 Loss deducted from other income (3,000.00)" in shown
    assert "Carryover to 2026 Short-term loss 2,000.00, long-term loss 200.00" in shown


def test_a_year_with_a_net_gain_has_no_line_21_and_no_carryover():
    shown = words(report(sale("1500", "1000")))
    assert "Loss deducted" not in shown
    assert "No loss is carried over" in shown


def test_the_page_adds_up_to_the_cent_and_tells_what_rounding_moved():
    sales = [sale(f"{n}.336", "10", sale_id=f"s{n}") for n in range(10)]
    one = report(*sales)
    assert one.schedule().line_16 == sum((in_cents(row).gain for row in one.rows), ZERO)
    assert one.rounding() == Decimal("0.04")
    assert "Line 16 is 0.04 above the sum before rounding." in words(one)


def test_a_year_that_can_still_change_says_until_when():
    shown = words(report(sale("1", "1"), provisional_until=dt.date(2026, 1, 31)))
    assert "Provisional A purchase until 01/30/2026 can still disallow a loss" in shown
    assert "Provisional" not in words(report(sale("1", "1")))


def test_a_page_says_what_it_is_not():
    shown = words(report(notes=("Kept apart: Maya's 401(k).",)))
    assert "not tax advice" in shown
    assert "not an official IRS form" in shown
    assert "collectibles" in shown
    assert "state tax" in shown
    assert "Kept apart: Maya's 401(k)." in shown
    assert "Nothing was sold" in shown


def test_a_loss_that_a_retirement_account_destroyed_is_told():
    shown = words(report(sale("1", "9", disallowed=Decimal(8), permanent=Decimal(8))))
    assert "8.00 is lost for good" in shown


def test_a_statement_to_attach_is_asked_for_on_the_first_page():
    one = sale("700", "1000")
    (plain,) = rows(one)
    figures = {plain.id: BrokerFigures(disallowed=Decimal(300))}
    shown = words(report(rows=form_rows([one], RULE, broker=figures)))
    assert "Statements to attach 10 AAA sold 06/02/2025 in joint" in shown
    assert "Code W" in shown


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "A & B", '"x" onload="y"'])
def test_names_of_files_and_people_are_text_and_never_markup(text):
    one = report(
        sale("1", "1", symbol=text, account=text, lot_id=text), household=text, notes=(text,)
    )
    page = Text()
    page.feed(forms_page(one))
    assert "script" not in page.tags
    assert " ".join(page.words).count(text) >= 5


def test_the_comparison_with_the_brokers_ends_the_page_with_what_to_look_at_first():
    sales = [sale("1500", "1000"), sale("700", "900", sale_id="s2", sold=dt.date(2025, 7, 1))]
    told = BrokerSale(
        account="joint",
        symbol="AAA",
        quantity=Decimal(10),
        sold=dt.date(2025, 6, 2),
        proceeds=Decimal(1500),
        basis=Decimal("1000.01"),
    )
    found = reconcile(rows(*sales), [told])
    shown = words(report(*sales, reconciliation=found))
    assert "1 explained (rounding), 1 only in ours." in shown
    assert shown.index("only in ours :") < shown.index("explained (rounding) :")
    assert "joint, ours 2,200.00 1,900.00 0.00 300.00" in shown


# ---------------------------------------------------------------------- CSV


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_the_columns_of_the_form_in_cents():
    (row,) = read(forms_csv(rows(sale("4000.005", "5000", disallowed=Decimal(750)))))
    assert list(row) == list(CSV_COLUMNS)
    assert [row[name] for name in CSV_COLUMNS[:10]] == [
        "A",
        "10 AAA",
        "2025-01-06",
        "2025-06-02",
        "4000.01",
        "5000.00",
        "W",
        "750.00",
        "-249.99",
        "short",
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " ="])
def test_text_that_a_spreadsheet_would_run_is_made_harmless(start):
    text = f"{start}HYPERLINK(1)"
    (row,) = read(forms_csv(rows(sale("1", "2", account=text, symbol=text, lot_id=text))))
    for name in ("account", "symbol", "lot_id"):
        assert row[name].startswith("'")
    assert row["gain"] == "-1.00"


def test_a_purchase_date_that_is_unknown_is_an_empty_cell():
    (row,) = rows(sale("1", "2"))
    assert read(forms_csv([replace(row, acquired=None)]))[0]["acquired"] == ""


def test_commas_and_quotes_stay_in_their_cell():
    (row,) = read(forms_csv(rows(sale("1", "2", account='Jon, "old"\nIRA'))))
    assert row["account"] == 'Jon, "old" IRA'
