"""`trimtab tax gains`, `wash`, `year` and `calendar` as a person types them."""

import json
import os

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
    assert ["30 IVV in joint" in one for one in narrow["warnings"]] == [True]


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


# ---------------------------------------------------------------------- options

OPTION = """\
date,account,action,symbol,quantity,price
2024-06-03,joint,buy,VTI,50,310
2025-02-10,joint,sell,VTI,10,280
2025-02-20,joint,buy to open,VTI 03/21/2025 290.00 C,2,4
2025-02-20,ira,buy to open,BND 03/21/2025 70.00 C,2,4
"""
NEARBY = "VTI 03/21/2025 290.00 C"


@pytest.fixture
def option(tmp_path):
    path = tmp_path / "option.csv"
    path.write_text(OPTION)
    return ("--transactions", path, "--on", "2025-03-01")


@pytest.mark.parametrize(
    "command",
    [
        ("wash",),
        ("log",),
        ("log", "--year", "2025"),
        ("year", "2025"),
        ("form8949", "2025"),
        ("form8949", "2025", "--html", "-"),
        ("guard", "sell", "5", "VTI", "--account", "joint", "--price", "280"),
        ("harvest", "--price", "VTI=250", "--short-rate", "0.3", "--long-rate", "0.2"),
    ],
    ids=" ".join,
)
def test_an_option_near_a_loss_is_said_and_how_much_is_not_judged(option, command):
    ended = trimtab("tax", *command, *option)
    assert ended.status in {0, 3}
    assert NEARBY in ended.out
    assert "2 transactions in the records are not judged" in ended.out


@pytest.mark.parametrize("command", [("log",), ("year", "2025"), ("form8949", "2025")])
def test_documents_say_it_among_their_notes(option, command):
    notes = " ".join(json.loads(trimtab("tax", *command, *option, "--json").out)["notes"])
    assert NEARBY in notes
    assert "BND" not in notes
    assert "2 transactions in the records are not judged" in notes


@pytest.mark.parametrize("command", [("log", "--year", "2024"), ("year", "2024")])
def test_an_option_near_no_loss_of_the_year_is_only_counted(option, command):
    out = trimtab("tax", *command, *option).out
    assert NEARBY not in out.replace("line 4", "")
    assert "are not judged" in out


def test_an_option_of_another_year_is_not_said_beside_a_later_loss(tmp_path):
    path = tmp_path / "years.csv"
    path.write_text(f"{OPTION}2026-03-02,joint,sell,VTI,10,270\n")
    told = ("--transactions", path, "--on", "2026-12-01", "--json")
    before, after = (
        " ".join(json.loads(trimtab("tax", "year", year, *told).out)["notes"])
        for year in ("2025", "2026")
    )
    assert NEARBY in before
    assert NEARBY not in after


def test_a_log_without_options_says_nothing_of_them(history):
    assert "not judged" not in trimtab("tax", "log", *history).out


# ---------------------------------------------------------------------- other indexes

ALIKE = """\
date,account,action,symbol,quantity,price
2024-06-03,joint,buy,VTI,50,310
2025-02-10,joint,sell,VTI,10,280
2025-02-20,joint,buy,ITOT,4,120
2025-02-24,ira,reinvest,ITOT,0.5,121
2025-03-24,joint,buy,ITOT,6,120
"""


@pytest.fixture
def alike(tmp_path):
    path = tmp_path / "alike.csv"
    path.write_text(ALIKE)
    return ("--transactions", path)


def test_a_purchase_of_a_similar_fund_is_said_not_to_count(alike):
    document = json.loads(trimtab("tax", "wash", *alike, "--json").out)
    assert document["matches"] == []
    (warning,) = document["warnings"]
    assert warning.startswith("Not counted as identical to VTI")
    assert "4 ITOT in joint on 2025-02-20" in warning
    assert "0.5 ITOT in ira on 2025-02-24" in warning
    assert "2025-03-24" not in warning
    assert "--identity correlated" in warning
    assert warning in " ".join(trimtab("tax", "wash", *alike).out.split())


def test_a_similar_fund_that_counts_is_not_said_to_be_left_out(alike):
    document = json.loads(trimtab("tax", "wash", *alike, "--identity", "correlated", "--json").out)
    assert len(document["matches"]) == 2
    assert "Not counted" not in " ".join(document["warnings"])


def test_a_year_without_that_loss_does_not_warn_of_it(alike):
    document = json.loads(trimtab("tax", "wash", *alike, "--year", "2024", "--json").out)
    assert document["warnings"] == []


def test_funds_on_one_index_are_similar_where_only_one_security_counts(tmp_path):
    path = tmp_path / "funds.csv"
    path.write_text(ALIKE.replace("ITOT", "IVV").replace("VTI", "VOO"))
    document = json.loads(
        trimtab("tax", "wash", "--transactions", path, "--identity", "same_security", "--json").out
    )
    (warning,) = document["warnings"]
    assert "--identity same_index would" in warning


@pytest.mark.parametrize(
    ("trade", "words"),
    [
        (("sell", "5", "VTI", "--price", "280", "--on", "2025-03-01"), "4 ITOT in joint"),
        (("sell", "5", "VTI", "--price", "999", "--on", "2025-03-01"), ""),
        (("sell", "5", "VTI", "--price", "280", "--on", "2025-03-31"), "6 ITOT in joint"),
        (("sell", "5", "VTI", "--price", "280", "--on", "2025-06-30"), ""),
        (("buy", "5", "SCHB", "--on", "2025-03-01"), "10 VTI in joint on 2025-02-10"),
        (("buy", "5", "SCHB", "--on", "2025-06-30"), ""),
    ],
    ids=" ".join,
)
def test_the_guard_says_what_similar_funds_it_did_not_count(alike, trade, words):
    ended = trimtab("tax", "guard", *trade, "--account", "joint", *alike, "--json")
    notes = " ".join(json.loads(ended.out)["notes"])
    assert ("Not counted as identical" in notes) is bool(words)
    assert words in notes


# ---------------------------------------------------------------------- causes


def test_a_sale_of_more_than_is_held_names_what_may_be_missing(tmp_path):
    path = tmp_path / "split.csv"
    path.write_text("date,account,action,symbol,quantity,price\n2025-01-06,a,buy,VTI,10,300\n")
    path.write_text(path.read_text() + "2025-03-03,a,sell,VTI,20,160\n")
    err = trimtab("tax", "log", "--transactions", path).err
    assert "which holds 10" in err
    for word in ("`opening`", "`split`", "transfer"):
        assert word in err


# ------------------------------------------------------------------ files that are written

OUTPUTS = [
    (("log",), "--csv"),
    (("form8949", "2025"), "--csv"),
    (("form8949", "2025"), "--html"),
    (("txf", "2025"), "--out"),
]


@pytest.mark.parametrize(("command", "option"), OUTPUTS)
@pytest.mark.parametrize("place", [".", ""])
def test_a_folder_is_no_file_to_write(history, command, option, place):
    ended = trimtab("tax", *command, *history, option, place)
    assert ended.status == 2
    assert f"is a folder: name another file with {option}" in ended.err


@pytest.mark.parametrize(("command", "option"), OUTPUTS)
def test_nothing_is_written_over_the_history(history, command, option):
    ended = trimtab("tax", *command, *history, option, history[1])
    assert ended.status == 2
    assert "is what this command reads" in ended.err
    assert history[1].read_text() == HISTORY


@pytest.mark.parametrize("way", ["link", "hard link", "dots"])
def test_nor_by_another_name(history, tmp_path, way):
    other = tmp_path / "other.csv"
    if way == "link":
        other.symlink_to(history[1])
    elif way == "hard link":
        other.hardlink_to(history[1])
    else:
        other = tmp_path / ".." / tmp_path.name / "history.csv"
    ended = trimtab("tax", "log", *history, "--csv", other)
    assert ended.status == 2
    assert "is what this command reads" in ended.err
    assert history[1].read_text() == HISTORY


SALES = """\
account,symbol,quantity,acquired,sold,proceeds,cost
joint,VOO,50,2024-11-04,2025-11-25,24999,26001
"""


def test_nothing_is_written_over_any_file_that_is_read(history, tmp_path):
    texts = {
        "--broker": SALES,
        "--accounts": "account,owner\njoint,ann\n",
        "--identical": "VTI,ITOT\n",
        "--mapping": '[columns]\ndate = "Day"\n',
    }
    for option, text in texts.items():
        path = tmp_path / f"{option[2:]}.txt"
        path.write_text(text)
        ended = trimtab("tax", "form8949", "2025", *history, option, path, "--csv", path)
        assert (ended.status, option in ended.err) == (2, False), ended.err
        assert "is what this command reads" in ended.err
        assert path.read_text() == text


@pytest.mark.parametrize("name", ["household.toml", "lots.csv", "cash.csv", "sales.csv"])
def test_nothing_is_written_over_the_household(untouched, name):
    before = (untouched / name).read_bytes()
    ended = trimtab("tax", "log", "--folder", untouched, "--csv", untouched / name)
    assert ended.status == 2
    assert "is what this command reads" in ended.err
    assert (untouched / name).read_bytes() == before


def test_nor_over_the_journal(demo):
    before = (demo / "journal.sqlite").read_bytes()
    ended = trimtab("tax", "log", "--folder", demo, "--csv", demo / "journal.sqlite")
    assert ended.status == 2
    assert (demo / "journal.sqlite").read_bytes() == before


@pytest.mark.parametrize("way", ["pipe", "link to a pipe", "links in a circle"])
def test_what_is_no_ordinary_file_is_not_written(history, tmp_path, way):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(link if way == "links in a circle" else pipe)
    ended = trimtab("tax", "log", *history, "--csv", pipe if way == "pipe" else link)
    assert ended.status == 2
    told = "cannot be written" if way == "links in a circle" else "is no ordinary file"
    assert told in ended.err
    assert pipe.is_fifo()


def test_a_link_to_a_file_is_followed_and_stays_a_link(history, tmp_path):
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert trimtab("tax", "log", *history, "--csv", link).status == 0
    assert link.is_symlink()
    assert target.read_text().startswith("account,")
    assert target.stat().st_mode & 0o777 == 0o640


def test_no_file_that_lies_beside_it_is_touched(history, tmp_path):
    beside = tmp_path / "out.csv.partial"
    beside.write_text("mine")
    assert trimtab("tax", "log", *history, "--csv", tmp_path / "out.csv").status == 0
    assert beside.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "history.csv",
        "out.csv",
        "out.csv.partial",
    ]


# --------------------------------------------------------------------- where it reads from


def test_a_folder_beside_transactions_is_refused(history, untouched):
    for folder in (untouched, "."):
        ended = trimtab("tax", "log", *history, "--folder", folder)
        assert ended.status == 2
        assert "--folder names a household, and --transactions reads files" in ended.err


@pytest.mark.parametrize("option", ["--transactions", "--accounts", "--identical", "--mapping"])
def test_a_pipe_is_refused_without_waiting_for_it(history, tmp_path, option):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ended = trimtab("tax", "log", *history, option, pipe)
    assert ended.status == 2
    assert f"{pipe} is no ordinary file" in ended.err


FOREIGN_SALES = SALES.replace("account,symbol,quantity", "Depot,Papier,Zahl")
SALES_MAPPING = """\
table = "sales"
[columns]
account = "Depot"
symbol = "Papier"
quantity = "Zahl"
"""


@pytest.mark.parametrize("command", ["reconcile", "form8949"])
def test_a_mapping_reads_the_list_of_a_broker_that_nobody_knows(history, tmp_path, command):
    broker, mapping = tmp_path / "broker.csv", tmp_path / "m.toml"
    broker.write_text(FOREIGN_SALES)
    mapping.write_text(SALES_MAPPING)
    lists = (broker, "--year", "2025") if command == "reconcile" else ("2025", "--broker", broker)
    refused = trimtab("tax", command, *lists, *history)
    assert "of no format that trimtab knows" in refused.err
    ended = trimtab("tax", command, *lists, *history, "--mapping", mapping)
    assert ended.status in {0, 4}, ended.err


def test_a_mapping_reads_a_broker_s_list_beside_a_household_too(untouched, tmp_path):
    broker, mapping = tmp_path / "broker.csv", tmp_path / "m.toml"
    broker.write_text(FOREIGN_SALES)
    mapping.write_text(SALES_MAPPING)
    where = ("--folder", untouched, "--mapping", mapping)
    ended = trimtab("tax", "reconcile", broker, *where)
    assert "1 only in broker" in ended.out
    assert "belong to --transactions" in trimtab("tax", "log", *where).err


def test_a_picture_and_two_forms_replace_nothing_that_is_read_or_written(tmp_path):
    history = tmp_path / "history.csv"
    text = (
        "date,account,action,symbol,quantity,price\n"
        "2025-01-06,a,buy,VTI,10,100\n2025-12-22,a,sell,VTI,10,90\n"
    )
    history.write_text(text, encoding="utf-8")
    told = ("--transactions", str(history), "--on", "2025-12-30")
    drawn = trimtab("tax", "calendar", *told, "--svg", str(history))
    assert (drawn.status, history.read_text(encoding="utf-8")) == (2, text)
    assert "is what this command reads" in drawn.err
    one = str(tmp_path / "one")
    twice = trimtab("tax", "form8949", "2025", *told, "--csv", one, "--html", one)
    assert twice.status == 2
    assert "--csv and --html name one file" in twice.err
