"""`trimtab yields`: where cash earns most after tax, and where the curve is inverted."""

from pathlib import Path

import pytest
from tests.apps.cli.command_line import document_of, trimtab

INVERTED = "date,y_3m,y_2y,y_10y,y_30y\n2023-06-30,5.43,4.87,3.81,3.85\n"
RISING = "date,y_3m,y_2y,y_10y\n2020-06-30,0.16,0.66,1.30\n"
YIELDS = """
[yields]
curve = "curve.csv"
state_rate = 0.05

[[yields.rates]]
name = "Bond fund"
symbol = "BND"
rate = 0.045
kind = "corporate"
as_of = 2026-01-15
risk = "its price moves"

[[yields.rates]]
name = "Coins lent out"
rate = 0.09
kind = "defi"
as_of = 2026-01-15
risk = "no insurance"
"""


@pytest.fixture
def told(demo: Path) -> Path:
    """The demo with yields and an inverted curve."""
    rules = demo / "household.toml"
    rules.write_text(rules.read_text(encoding="utf-8") + YIELDS, encoding="utf-8")
    (demo / "curve.csv").write_text(INVERTED, encoding="utf-8")
    return demo


def test_a_household_that_told_nothing_is_told_what_to_write(demo):
    ended = trimtab("yields", "--folder", demo)
    assert ended.status == 0
    assert "Write [[yields.rates]] with what your bank or fund pays" in ended.out


def test_the_safe_member_that_earns_most_comes_first_and_a_higher_yield_keeps_its_risk(told):
    said = trimtab("yields", "--folder", told).out
    assert said.startswith(
        "Of your safe members BND (Bond fund) earns most after tax in a taxed account: "
        "3.20 % of 4.50 %."
    )
    assert 'Coins lent out pays more, 6.39 % after tax, for another risk, in your words "no' in said


def test_it_says_that_it_forecasts_nothing(told):
    said = trimtab("yields", "--folder", told).out
    assert "not a forecast: no trade follows from it." in said
    assert "expect" not in said
    assert "recession" not in said


def test_where_a_floor_grows_with_bills_it_says_that_one_rule_reads_it(untouched):
    rules = untouched / "household.toml"
    floor = '[strategy]\nlayers = ["cppi"]\n[strategy.cppi]\nfloor = "accruing"\namount = 1000\n'
    rules.write_text(rules.read_text(encoding="utf-8") + YIELDS + floor, encoding="utf-8")
    (untouched / "curve.csv").write_text(INVERTED, encoding="utf-8")
    said = trimtab("yields", "--folder", untouched).out
    assert "One rule reads it: the floor of CPPI grows by what bills pay." in said
    assert "no trade follows" not in said


def test_where_the_curve_is_inverted_is_marked_in_the_table_and_told(told):
    said = trimtab("yields", "--folder", told).out
    marks = [line.split()[:2] for line in said.splitlines() if "below the one before" in line]
    assert marks == [["2", "years"], ["10", "years"]]
    assert "Inverted: the longer maturity yields less from 3 months to 10 years." in said
    assert "10 years yield 1.62 points less than 3 months." in said


def test_a_curve_named_with_the_command_replaces_the_one_of_the_file(told, tmp_path):
    path = tmp_path / "rising.csv"
    path.write_text(RISING, encoding="utf-8")
    ended = trimtab("yields", "--folder", told, "--curve", path)
    assert "The Treasury's curve of 2020-06-30" in ended.out
    assert "Not inverted: no maturity yields less than a shorter one beside it." in ended.out


def test_without_the_states_part_it_says_what_that_hides(told):
    rules = told / "household.toml"
    text = rules.read_text(encoding="utf-8").replace("state_rate = 0.05\n", "")
    rules.write_text(text, encoding="utf-8")
    document = document_of(trimtab("yields", "--folder", told, "--json"))
    assert document["state_rate"] is None
    assert any("yields.state_rate is not told" in remark for remark in document["remarks"])


def test_the_document_tells_the_same(told):
    document = document_of(trimtab("yields", "--folder", told, "--json"))
    assert document["safe_in_taxed"] == document["safe_in_untaxed"] == "Bond fund"
    points = document["curve"]["points"]
    assert [point["is_below_shorter"] for point in points] == [False, True, True, False]
    assert points[0]["par"] == "0.0543"
    assert document["curve"]["ten_years_less_two_years"] == "-0.0106"


@pytest.mark.parametrize("name", ["curve.svg", "curve.png"])
def test_the_picture_is_written_and_named(told, tmp_path, name):
    path = tmp_path / name
    ended = trimtab("yields", "--folder", told, "--chart", path)
    assert f"Picture: {path}" in ended.out
    assert path.stat().st_size > 5_000


def test_a_picture_without_a_curve_is_refused_in_a_sentence(demo, tmp_path):
    ended = trimtab("yields", "--folder", demo, "--chart", tmp_path / "curve.svg")
    assert ended.status != 0
    assert "--chart: there is no curve to draw: name its file with --curve." in ended.err


def test_yields_change_no_plan(told, demo):
    plan = document_of(trimtab("plan", "--folder", told, "--json"))
    rules = told / "household.toml"
    rules.write_text(rules.read_text(encoding="utf-8").replace(YIELDS, ""), encoding="utf-8")
    after = document_of(trimtab("plan", "--folder", told, "--json"))
    assert plan["decision"]["trades"] == after["decision"]["trades"]
    assert plan["status"] == after["status"]
