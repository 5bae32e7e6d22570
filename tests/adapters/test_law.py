"""The law as data: every figure against its source, and what an edited file is told."""

import csv
import datetime as dt
import json
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest

from trimtab.adapters.law import read_law
from trimtab.adapters.law.read import decode_law
from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.law import STATUS_CODES
from trimtab.rules.tax.matching import WINDOW_DAYS

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/tax"
TEXT = (resources.files("trimtab.adapters.law") / "us.toml").read_text(encoding="utf-8")


def table(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the tax figures {name} are not in the folder shared beside the checkout")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ordinary_brackets.csv", "ordinary"), ("long_term_gain_brackets.csv", "long_term")],
)
def test_every_bracket_is_the_one_that_was_published(name, kind):
    published = [
        (
            int(row["year"]),
            row["filing_status"],
            Decimal(row["lower_bound_usd"]),
            Decimal(row["rate"]),
        )
        for row in table(name)
    ]
    ours = [
        (year, status, bracket.over, bracket.rate)
        for year, figures in read_law().years.items()
        for status, part in figures.statuses.items()
        for bracket in getattr(part, kind)
    ]
    assert sorted(ours) == sorted(published)


def test_every_limit_and_deduction_is_the_one_that_was_published():
    law = read_law()
    rows = table("status_limits.csv")
    assert len(rows) == sum(len(figures.statuses) for figures in law.years.values())
    for row in rows:
        status = row["filing_status"]
        part = law.year(int(row["year"])).statuses[status]
        niit = law.statutes.net_investment_income
        assert part.standard_deduction == Decimal(row["standard_deduction_usd"])
        assert part.additional_standard_deduction == Decimal(row["additional_std_deduction_usd"])
        assert niit.threshold_of(status) == Decimal(row["niit_threshold_magi_usd"])
        assert niit.rate == Decimal(row["niit_rate"])
        assert law.statutes.capital_loss.limit_of(status) == Decimal(row["capital_loss_limit_usd"])


def test_every_year_names_the_source_of_its_figures():
    path = SHARED / "us_federal_tax_2024_2026.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not in the folder shared beside the checkout")
    published = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    law = read_law()
    assert {str(year): figures.source for year, figures in law.years.items()} == {
        year: figures["source"] for year, figures in published["years"].items()
    }
    statutory = published["statutory"]
    assert law.statutes.collectibles.rate == statutory["collectibles_max_rate"]
    assert law.statutes.wash_sale.window_days == statutory["wash_sale_window_days_each_side"]


def test_the_statutes_stand_with_their_sections_and_first_days():
    statutes = read_law().statutes
    assert "1211(b)" in statutes.capital_loss.section
    assert statutes.capital_loss.since == dt.date(1978, 1, 1)
    assert "1411" in statutes.net_investment_income.section
    assert statutes.net_investment_income.since == dt.date(2013, 1, 1)
    assert "1091(a)" in statutes.wash_sale.section
    test = statutes.qualified_dividends
    assert (test.days, test.window_days) == (60, 121)
    assert (test.preferred_days, test.preferred_window_days) == (90, 181)
    assert statutes.forms.digital_boxes_since == dt.date(2025, 1, 1)
    assert {"GLD", "IAU", "SLV"} <= set(statutes.collectibles.trusts)


def test_numbers_are_read_from_their_digits():
    law = decode_law(TEXT.replace("rate = 0.038", "rate = 0.0381"))
    assert law.statutes.net_investment_income.rate == Decimal("0.0381")


def test_an_unknown_year_is_refused_with_what_is_known_and_where_to_add_it():
    with pytest.raises(InputError) as refusal:
        read_law().year(2027)
    sentence = str(refusal.value)
    assert "2027 are not known" in sentence
    assert "2024, 2025 and 2026" in sentence
    assert "[years.2027]" in sentence
    assert "us.toml" in sentence


def test_every_short_code_names_a_status_that_the_law_knows():
    assert set(STATUS_CODES) == {"single", "hoh", "mfj", "mfs", "qss"}
    assert set(STATUS_CODES.values()) == set(read_law().year(2026).statuses)


def test_a_year_can_be_added_in_a_file_of_ones_own(tmp_path):
    added = TEXT[TEXT.index("[years.2026]") :].replace("years.2026", "years.2027")
    path = tmp_path / "us.toml"
    path.write_text(TEXT + added, encoding="utf-8")
    law = read_law(path)
    assert sorted(law.years) == [2024, 2025, 2026, 2027]
    assert law.source == str(path)
    assert law.year(2027).of("single") == law.year(2026).of("single")


def test_all_faults_of_an_edited_file_are_told_together():
    broken = (
        TEXT.replace("limit = 3000", 'limit = "3000"')
        .replace("window_days = 121", "window_days = 120")
        .replace("long_term_over = [0, 49450, 545500]", "long_term_over = [0, 49450]", 1)
        .replace("[0, 66200, 579600]", "[0, 662000, 579600]")
        .replace("[years.2025]", "[years.25]")
        .replace("standard_deduction = 24150\n", "standard_deductoin = 24150\n")
    )
    with pytest.raises(FileFaults) as refusal:
        decode_law(broken, "mine.toml")
    told = "\n".join(refusal.value.faults)
    assert refusal.value.source == "mine.toml"
    for phrase in (
        "statutes.capital_loss.limit: expected a number",
        "statutes.qualified_dividends.window_days: 120 days",
        "years.2026.single.long_term_over: 2 bounds for 3 rates",
        "years.2026.head_of_household.long_term_over: bounds must ascend",
        "years.25: the name",
        'years.2026.head_of_household.standard_deductoin: unknown key; did you mean "standard_ded',
        "years.2026.head_of_household.standard_deduction: missing",
    ):
        assert phrase in told, told


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        pytest.param("", "statutes: missing", id="an empty file"),
        pytest.param("\nas_of = \n", "line 2", id="no TOML"),
        pytest.param(TEXT.replace("0.37]", "0.30]"), "rates must ascend", id="a rate misprinted"),
        pytest.param(TEXT.replace("0.37]", "37]"), "37 % is 0.37", id="a rate in per cent"),
        pytest.param(TEXT.replace("[0, 11925", "[1, 11925"), "ascend from 0", id="not from zero"),
        pytest.param(TEXT.replace("[0, 11925", "[nan, 11925"), "cannot be used", id="not a number"),
    ],
)
def test_a_file_with_a_fault_is_no_law(text, phrase):
    with pytest.raises(FileFaults) as refusal:
        decode_law(text)
    assert phrase in str(refusal.value)


def test_a_file_that_is_not_there_or_is_no_text_is_said_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_law(tmp_path / "us.toml")
    (tmp_path / "us.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_law(tmp_path / "us.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_law(tmp_path)


def test_the_ledger_counts_the_window_of_the_law():
    """The ledger is built around the 30 days of section 1091; the table only cites them."""
    assert read_law().statutes.wash_sale.window_days == WINDOW_DAYS
