"""`trimtab tax gains`, `wash`, `year` and `calendar` as a person types them."""

import json

import pytest
from tests.apps.cli.command_line import in_a_process, trimtab

HISTORY = """\
date,action,account,symbol,quantity,price,fee,account_kind,owner
2024-11-04,buy,joint,VOO,60,520,1,taxable,ann
2025-02-10,buy,joint,VOO,40,555,1,,
2025-11-25,sell,joint,VOO,50,500,1,,
2025-12-05,buy,joint,IVV,30,505,1,,
2025-12-10,buy,roth,VOO,5,507,,roth_ira,ann
2026-11-02,buy,joint,VTI,100,310,1,,
2026-11-09,sell,joint,VTI,40,300,1,,
"""
ON = ("--on", "2026-11-22")


@pytest.fixture
def history(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(HISTORY)
    return ("--transactions", path, *ON)


@pytest.mark.parametrize("name", ["gains", "wash", "year", "calendar"])
@pytest.mark.parametrize("place", ["demo", "untouched", "history"])
def test_each_command_ends_well_and_with_the_notes(name, place, request):
    where = request.getfixturevalue(place)
    options = where if place == "history" else ("--folder", where)
    ended = trimtab("tax", name, *options)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.endswith("- This is not tax advice.\n")


def test_a_history_without_a_household_shows_its_wash_sales(history):
    out = trimtab("tax", "wash", *history).out
    assert "deferred, held" in out
    assert "lost for good" in out
    assert "IVV and VOO both track sp-500" in out
    assert "--identity same_security" in out


def test_a_narrower_idea_of_identical_finds_fewer_wash_sales(history):
    wide = json.loads(trimtab("tax", "wash", *history, "--json").out)
    narrow = json.loads(
        trimtab("tax", "wash", *history, "--identity", "same_security", "--json").out
    )
    assert {one["replacement_symbol"] for one in wide["matches"]} == {"IVV", "VOO"}
    assert {one["replacement_symbol"] for one in narrow["matches"]} == {"VOO"}
    assert narrow["warnings"] == []


def test_wash_sales_of_one_year_only(history):
    document = json.loads(trimtab("tax", "wash", *history, "--year", "2026", "--json").out)
    assert document["matches"] == []
    assert [one["symbol"] for one in document["waiting"]] == ["VTI"]


def test_prices_can_be_told_for_what_has_none(history):
    told = ("--price", "VOO=510.50", "--price", "vti=301")
    document = json.loads(trimtab("tax", "gains", *history, *told, "--json").out)
    assert document["unpriced"] == ["IVV"]
    assert {one["price"] for one in document["lots"]} == {"510.50", "301", None}


def test_gains_of_one_symbol_in_one_account(history):
    document = json.loads(
        trimtab("tax", "gains", *history, "--symbol", "voo", "--account", "roth", "--json").out
    )
    assert [(one["symbol"], one["account"]) for one in document["lots"]] == [("VOO", "roth")]


def test_a_symbol_that_is_known_and_not_held_is_no_error(history):
    ended = trimtab("tax", "gains", *history, "--symbol", "BND")
    assert ended.status == 0
    assert "Nothing of BND is held on 2026-11-22." in ended.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("gains", "--price", "VTI"), "'VTI' is no pair: write it as VTI=230.50"),
        (("gains", "--price", "VTI=dear"), "'dear' is no price of VTI"),
        (("gains", "--price", "VTI=-3"), "'-3' is no price of VTI"),
        (("gains", "--price", "BND=70"), "nothing called 'BND' is held"),
        (("gains", "--symbol", "NONESUCH"), "nothing is called 'NONESUCH' in the records"),
        (("gains", "--account", "rot"), "did you mean roth?"),
        (("wash", "--year", "26"), "26 is not in the range"),
        (("year", "next"), "'next' is not a valid"),
        (("year", "2026", "--income", "much"), "'much' is no amount"),
        (("year", "2026", "--carry-long", "-5"), "'-5' is below zero"),
        (("year", "2026", "--income", "NaN"), "'NaN' is no amount"),
        (("year", "2026", "--return", "zoe"), "no return of 'zoe': those here are of household"),
        (("calendar", "--days", "3"), "3 is not in the range"),
        (("calendar", "--svg", "no-such-folder/w.svg"), "cannot be written"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_input_ends_in_one_sentence(history, arguments, sentence):
    name, *rest = arguments
    ended = trimtab("tax", name, *history, *rest)
    assert ended.status == 2
    assert sentence in ended.err
    assert ended.out == ""


def test_an_error_is_a_document_too(history):
    ended = trimtab("tax", "gains", *history, "--price", "VTI=dear", "--json")
    assert json.loads(ended.out)["exit_status"] == ended.status == 2


def test_the_year_is_this_one_unless_it_is_named(history):
    assert "2026, the return of the household (single)" in trimtab("tax", "year", *history).out
    told = ("--income", "150,000", "--magi", "160000")
    out = trimtab("tax", "year", "2025", *history, *told).out
    assert "2025, the return of the household (single)" in out
    assert "What sales and dividends add to the federal tax" in out


def test_a_year_without_known_brackets_is_netted_all_the_same(history):
    ended = trimtab("tax", "year", "2031", *history)
    assert ended.status == 0
    assert "No brackets are applied" in ended.out
    assert "2031 has not begun" in ended.out


def test_the_calendar_is_drawn_into_a_file(history, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "windows.svg"
    ended = trimtab("tax", "calendar", *history, "--svg", picture)
    assert ended.status == 0
    assert f"The picture was written to {picture}." in ended.out
    assert "<svg" in picture.read_text()


def test_an_empty_calendar_is_not_drawn(history, tmp_path):
    picture = tmp_path / "windows.svg"
    later = ("--transactions", history[1], "--on", "2027-06-01")
    ended = trimtab("tax", "calendar", *later, "--svg", picture)
    assert ended.status == 0
    assert "not drawn" in ended.out
    assert not picture.exists()


def test_without_matplotlib_a_picture_is_refused_with_what_to_install(history, tmp_path):
    code = "import sys; sys.modules['matplotlib'] = None; from trimtab.apps.cli import main; main()"
    arguments = ("tax", "calendar", *history, "--svg", tmp_path / "windows.svg")
    ended = in_a_process(*(str(one) for one in arguments), code=code)
    assert ended.status == 2
    assert "pip install 'trimtab[charts]'" in ended.err


def test_planned_purchases_of_the_household_bind_the_calendar(untouched):
    toml = untouched / "household.toml"
    plan = '\n[[purchases]]\naccount = "jon-ira"\nsymbol = "VTI"\nfirst = 2026-01-15\n'
    toml.write_text(toml.read_text() + plan)
    document = json.loads(trimtab("tax", "calendar", "--folder", untouched, "--json").out)
    kinds = {one["kind"] for group in document["groups"] for one in group["windows"]}
    assert "planned" in kinds


def test_nothing_is_written_by_looking(untouched):
    before = sorted(untouched.iterdir())
    for name in ("gains", "wash", "year", "calendar"):
        trimtab("tax", name, "--folder", untouched)
    assert sorted(untouched.iterdir()) == before
