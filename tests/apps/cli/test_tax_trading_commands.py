import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.apps.cli.command_line import Ended, document_of, trimtab

from trimtab.apps.views import tax_documents_trading as documents

HISTORY = """\
date,account,action,symbol,quantity,price,fee,lots,owner,role,account_kind
2025-01-06,joint,buy,VTI,10,300,,t1,ann,self,taxable
2025-06-02,joint,buy,VXUS,20,60,,x1,,,
2026-03-10,roth,buy,VTI,4,250,,r1,ann,self,roth_ira
"""
RATES = ("--short-rate", "0.30", "--long-rate", "0.15", "--status", "married_filing_jointly")
SCHWAB = (
    '"Symbol","Name","Closed Date","Quantity","Proceeds","CostBasis","Total Gain/Loss ($)",'
    '"Long Term Gain/Loss ($)","Short Term Gain/Loss ($)","Wash Sale?","Disallowed Loss"'
)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return written(tmp_path, "history.csv", HISTORY)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def tax(command: str, *arguments: str | Path, of: Path) -> Ended:
    return trimtab("tax", command, *arguments, "--transactions", of)


def guard(*arguments: str | Path, of: Path, on: str = "2026-03-20") -> Ended:
    return tax("guard", *arguments, "--on", on, of=of)


def schwab(folder: Path, *rows: str, account: str = "...234") -> Path:
    title = f'"Realized Gain/Loss for {account} for 01/01/2026 to 12/31/2026 as of Jan 04 2027"'
    return written(folder, "realized.csv", "\n".join((title, SCHWAB, *rows, "")))


def is_the_document(ended: Ended, kind: type[msgspec.Struct]) -> dict[str, Any]:
    printed = document_of(ended)
    msgspec.convert(printed, kind, strict=True)
    assert list(printed) == list(kind.__struct_fields__)
    return printed


# ---------------------------------------------------------------------- guard


def test_a_loss_replaced_by_shares_in_an_ira_is_held_back_and_the_first_safe_day_is_named(history):
    ended = guard("sell", "4", "VTI", "--account", "joint", "--price", "200", of=history)
    assert ended.status == 3
    assert "blocked" in ended.out.splitlines()[0]
    assert "400.00 USD, lost for good to a retirement account" in ended.out
    assert "the first safe day is 2026-04-10" in ended.out
    assert "bought in roth on 2026-03-10" in ended.out
    assert "This is not tax advice." in ended.out


def test_more_shares_than_replacements_are_blocked_in_part(history):
    ended = guard("sell", "10", "VTI", "--account", "joint", "--price", "200", "--json", of=history)
    printed = is_the_document(ended, documents.TaxGuardDocument)
    assert ended.status == 3
    assert printed["state"] == "partly"
    assert (printed["shares"], printed["permanent"], printed["deferred"]) == ("4", "400.00", "0.00")
    assert printed["buy_again_from"] == "2026-04-20"
    assert printed["lots"][0]["lot_id"] == "t1"


@pytest.mark.parametrize(
    ("symbol", "price", "on"),
    [
        pytest.param("VTI", "400", "2026-03-20", id="a gain"),
        pytest.param("VTI", "200", "2026-04-10", id="31 days after the purchase"),
        pytest.param("vxus", "10", "2026-03-20", id="small letters, and nothing bought"),
    ],
)
def test_what_nothing_washes_is_clear_in_the_records_provided(history, symbol, price, on):
    ended = guard("sell", "4", symbol, "--account", "joint", "--price", price, of=history, on=on)
    assert ended.status == 0, ended.err
    assert "clear in the records provided" in ended.out


def test_a_planned_purchase_in_an_ira_destroys_the_loss(tmp_path, history):
    plan = written(
        tmp_path, "plan.csv", "account,symbol,first,every,amount\nroth,VXUS,2026-04-01,once,0\n"
    )
    told = ("sell", "20", "VXUS", "--account", "joint", "--price", "50")
    assert guard(*told, of=history).status == 0
    ended = guard(*told, "--scheduled", plan, of=history)
    assert ended.status == 3
    assert "planned in roth for 2026-04-01" in ended.out
    assert "200.00 USD is lost for good" in ended.out
    assert "2026-05-02" in ended.out


def test_an_account_that_reinvests_leaves_the_coverage_incomplete(history):
    told = ("sell", "5", "VTI", "--account", "joint", "--price", "200", "--reinvests", "roth")
    ended = guard(*told, of=history, on="2026-06-01")
    assert ended.status == 3
    assert "coverage incomplete" in ended.out
    assert "roth reinvests the dividends of VTI" in ended.out


def test_a_purchase_within_30_days_of_a_loss_is_held_back_until_31_days_after_it(tmp_path):
    sold = HISTORY + "2026-05-01,joint,sell,VTI,10,200,,t1:10,,,\n"
    of = written(tmp_path, "sold.csv", sold)
    ended = guard("buy", "3", "VTI", "--account", "roth", of=of, on="2026-05-31")
    assert ended.status == 3
    assert "300.00 USD, lost for good" in ended.out
    assert "the first safe day is 2026-06-01" in ended.out
    assert guard("buy", "3", "VTI", "--account", "roth", of=of, on="2026-06-01").status == 0


def test_a_fund_on_the_same_index_counts_unless_only_one_security_does(tmp_path):
    sold = (
        "date,account,action,symbol,quantity,price,lots\n"
        "2026-01-05,joint,buy,VOO,10,500,v1\n"
        "2026-05-01,joint,sell,VOO,10,400,v1\n"
    )
    of = written(tmp_path, "sold.csv", sold)
    told = ("buy", "3", "IVV", "--account", "joint")
    assert guard(*told, of=of, on="2026-05-20").status == 3
    assert guard(*told, "--identity", "same_security", of=of, on="2026-05-20").status == 0


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        pytest.param(
            ("sell", "4", "VTI", "--account", "jont", "--price", "9"), "did you mean joint?", id="a"
        ),
        pytest.param(("sell", "4", "VTI", "--account", "joint"), "give one with --price", id="b"),
        pytest.param(
            ("sell", "4", "QQQ", "--account", "joint", "--price", "9"),
            "joint holds no QQQ: write one of VTI, VXUS",
            id="c",
        ),
        pytest.param(
            ("sell", "40", "VTI", "--account", "joint", "--price", "9"), "which holds 10", id="d"
        ),
        pytest.param(
            ("sell", "0", "VTI", "--account", "joint"), "'0' is no number above zero", id="e"
        ),
        pytest.param(
            ("buy", "1", "VTI", "--account", "joint", "--method", "hifo"),
            "belong to a sale",
            id="f",
        ),
        pytest.param(
            ("sell", "4", "VTI", "--account", "joint", "--price", "9", "--lots", "t1"),
            "write each as LOT:UNITS",
            id="g",
        ),
        pytest.param(
            ("sell", "4", "VTI", "--account", "joint", "--price", "9", "--lots", "t9:4"),
            "of lot t9",
            id="h",
        ),
        pytest.param(
            ("sell", "4", "VTI", "--account", "joint", "--price", "NaN"), "is no number", id="i"
        ),
        pytest.param(
            ("sell", "4", "VTI", "--account", "joint", "--price", "9", "--reinvests", "ro"),
            "did you mean roth?",
            id="j",
        ),
    ],
)
def test_wrong_words_for_the_guard_end_in_one_sentence(history, told, sentence):
    ended = guard(*told, of=history)
    assert ended.status == 2
    assert sentence in ended.err
    assert "Traceback" not in ended.err


def test_a_symbol_that_nobody_knows_is_said_to_be_identical_to_itself_only(history):
    ended = guard("buy", "1", "VTU", "--account", "joint", of=history)
    assert ended.status == 0
    assert "Nothing is known of VTU" in ended.out


def test_in_a_household_the_guard_takes_the_lots_that_would_be_sold(demo):
    told = ("tax", "guard", "sell", "1", "VTI", "--account", "joint", "--folder", demo)
    assert "Lots sold, the least tax first" in trimtab(*told).out
    assert "Lots sold, first in, first out" in trimtab(*told, "--method", "fifo").out


# ---------------------------------------------------------------------- harvest


def harvest(*arguments: str | Path, of: Path, on: str = "2026-06-01") -> Ended:
    return tax("harvest", *arguments, "--on", on, of=of)


def test_a_loss_worth_taking_is_shown_with_what_it_saves_and_what_to_buy_instead(history):
    told = (*RATES, "--price", "VTI=200", "--price", "VXUS=70", "--spread-bps", "2")
    printed = is_the_document(harvest(*told, "--json", of=history), documents.TaxHarvestDocument)
    (one,) = [one for one in printed["harvests"] if one["state"] == "take"]
    assert (one["symbol"], one["substitute"]) == ("VTI", "SCHB")
    # Ten shares bought at 300, sold at 200 less half a spread of 2 basis points.
    assert one["loss"] == "1000.20"
    # Against nothing else, all of it is deducted from other income at 30 %.
    assert one["saved"] == "300.06"
    worth = Decimal(one["saved"]) - Decimal(one["later"]) - Decimal(one["costs"])
    assert abs(worth - Decimal(one["worth"])) <= Decimal("0.02")
    assert printed["worth"] == one["worth"]


def test_what_is_not_taken_says_why(history):
    told = (*RATES, "--price", "VTI=298", "--price", "VXUS=20")
    out = harvest(*told, "--substitute", "VXUS=VEU", of=history).out
    assert "Not taken" in out
    assert "on this day of the year a loss must be" in out
    assert "buy VEU instead" in out


def test_a_planned_purchase_forbids_its_fund_as_a_substitute(tmp_path, history):
    told = (*RATES, "--price", "VTI=200", "--price", "VXUS=70")
    assert "buy SCHB instead" in harvest(*told, of=history).out
    plan = written(tmp_path, "plan.csv", "account,symbol,first\njoint,SCHB,2026-06-20\n")
    out = harvest(*told, "--scheduled", plan, of=history).out
    assert "buy SCHB instead" not in out
    assert "SCHB is bought by plan in joint on 2026-06-20" in out


def test_gains_of_the_year_and_carryovers_change_what_a_loss_saves(history):
    told = (*RATES, "--price", "VTI=200", "--price", "VXUS=70", "--json")
    alone = document_of(harvest(*told, of=history))
    carried = document_of(harvest(*told, "--carry-long", "9000", of=history))
    assert carried["carry_long"] == "9000.00"
    assert Decimal(carried["saved"]) < Decimal(alone["saved"])


def test_a_harvest_needs_rates_and_says_of_what_it_has_no_price(history):
    ended = harvest(of=history)
    assert ended.status == 2
    assert "--short-rate and --long-rate" in ended.err
    assert "no price of VTI and VXUS" in harvest(*RATES, of=history).out


@pytest.mark.parametrize("told", ["VTI", "VTI=-1", "VTI=cheap"])
def test_a_price_that_is_none_is_refused(history, told):
    ended = harvest(*RATES, "--price", told, of=history)
    assert ended.status == 2
    assert "--price" in ended.err


def test_a_households_harvest_keeps_its_own_members_as_substitutes(demo):
    printed = document_of(trimtab("tax", "harvest", "--folder", demo, "--json"))
    taken = [one for one in printed["harvests"] if one["state"] == "take"]
    assert {one["substitute"] for one in taken if one["symbol"] == "VTI"} <= {"SCHB"}
    assert Decimal(printed["short_so_far"]) < 0


# ---------------------------------------------------------------------- forms


@pytest.fixture
def sold(tmp_path: Path) -> Path:
    """A loss of 400, half of it washed by the Roth, and a gain on a coin."""
    text = (
        "date,account,action,symbol,quantity,price,fee,lots,owner,role,account_kind,form\n"
        "2025-01-06,joint,buy,VTI,8,300,,t1,ann,self,taxable,\n"
        "2025-02-03,wallet,buy,BTC,1,50000,,c1,ann,self,crypto,\n"
        "2026-03-02,joint,sell,VTI,8,250,,t1:8,,,,\n"
        "2026-03-10,roth,buy,VTI,4,250,,r1,ann,self,roth_ira,\n"
        "2026-04-01,wallet,sell,BTC,1,60000,,c1:1,,,,1099da_reported\n"
    )
    return written(tmp_path, "sold.csv", text)


def test_form_8949_has_code_w_for_the_washed_half_and_says_what_is_lost(sold):
    out = tax("form8949", "2026", of=sold).out
    assert "Box D, long-term, 1 row, to line 8b" in out
    assert "Box J" in out
    (row,) = [line for line in out.splitlines() if line.startswith("8 VTI")]
    assert row.split()[4:9] == ["2,000.00", "2,400.00", "W", "200.00", "-200.00"]
    assert "200.00 is lost for good" in out
    assert "16    Lines 7 and 15 together" in out
    assert "not an official IRS form" in out


def test_the_csv_the_document_and_the_page_have_the_same_rows(tmp_path, sold):
    printed = is_the_document(
        tax("form8949", "2026", "--json", of=sold), documents.TaxFormsDocument
    )
    rows = list(csv.DictReader(io.StringIO(tax("form8949", "2026", "--csv", "-", of=sold).out)))
    assert [row["gain"] for row in rows] == [row["gain"] for row in printed["rows"]]
    assert list(rows[0]) == list(printed["rows"][0])
    page = tmp_path / "8949.html"
    ended = tax("form8949", "2026", "--html", page, of=sold)
    assert ended.status == 0
    assert f"written to {page}" in ended.out
    assert "2,400.00" in page.read_text()
    lines = {line["line"]: line["gain"] for line in printed["schedule"]}
    assert lines["16"] == "9800.00"


def test_a_carryover_that_is_told_stands_in_line_14_and_lowers_line_15(sold):
    ended = tax("form8949", "2026", "--carry-long", "10000", "--json", of=sold)
    printed = document_of(ended)
    lines = {line["line"]: line["gain"] for line in printed["schedule"]}
    assert (lines["14"], lines["16"], lines["21"]) == ("-10000.00", "-200.00", "-200.00")
    assert not any("carried into" in note for note in printed["notes"])


def test_a_year_is_provisional_until_31_january_after_it(sold):
    early = document_of(tax("form8949", "2026", "--on", "2027-01-30", "--json", of=sold))
    late = document_of(tax("form8949", "2026", "--on", "2027-01-31", "--json", of=sold))
    assert early["provisional_until"] == "2027-01-31"
    assert late["provisional_until"] is None


def test_the_columns_repeat_what_the_broker_told_and_correct_it(tmp_path, sold):
    told = schwab(tmp_path, 'VTI,"",03/02/2026,8,2000.00,2300.00,-300.00,-300.00,,No,')
    printed = document_of(
        tax(
            "form8949", "2026", "--broker", told, "--account-map", "...234=joint", "--json", of=sold
        )
    )
    row = printed["rows"][0]
    assert (row["basis"], row["codes"], row["adjustment"]) == ("2300.00", "BW", "100.00")
    assert (row["gain"], row["own_basis"]) == ("-200.00", "2400.00")
    assert [one["account"] for one in printed["comparisons"]] == ["joint"]


def test_several_returns_are_told_apart(tmp_path, sold):
    son = "2025-01-06,own,buy,SPY,1,500,,s1,tom,other,taxable,\n"
    lines = sold.read_text().splitlines(keepends=True)
    text = "".join([*lines[:2], son, *lines[2:], "2026-05-01,own,sell,SPY,1,600,,s1:1,,,,\n"])
    of = written(tmp_path, "both.csv", text)
    ended = tax("form8949", "2026", of=of)
    assert ended.status == 2
    assert "household and tom" in ended.err
    printed = document_of(tax("form8949", "2026", "--return", "tom", "--json", of=of))
    assert [row["symbol"] for row in printed["rows"]] == ["SPY"]
    assert tax("form8949", "2026", "--return", "nobody", of=of).status == 2


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (("--json", "--csv", "x.csv"), "give one of them"),
        (("--csv", "-", "--html", "-"), "cannot both"),
        (("--broker", "no.csv"), "there is no file"),
        (("--html", "no/where.html"), "cannot be written"),
    ],
)
def test_wrong_words_for_the_form_end_in_one_sentence(sold, told, sentence):
    ended = tax("form8949", "2026", *told, of=sold)
    assert ended.status == 2
    assert sentence in ended.err


def test_txf_holds_the_wash_sale_and_says_that_digital_assets_are_left_out(tmp_path, sold):
    ended = tax("txf", "2026", of=sold)
    assert ended.out.startswith("V042\n")
    assert "$2400.00\n$2000.00\n$200.00\n^\n" in ended.out
    assert "BTC" not in ended.out
    assert "1 row in box J (digital assets) left out" in ended.err
    out = tmp_path / "2026.txf"
    assert tax("txf", "2026", "--out", out, of=sold).status == 0
    assert out.read_bytes().startswith(b"V042\r\n")
    printed = is_the_document(tax("txf", "2026", "--json", of=sold), documents.TaxTxfDocument)
    assert printed["records"] == 1
    assert printed["text"].encode() == out.read_bytes()


ACROSS = (
    "date,account,action,symbol,quantity,price,lots\n"
    "2025-01-06,joint,buy,VOO,10,500,a1\n"
    "2025-02-03,other,buy,VOO,10,500,o0\n"
    "2025-06-02,joint,sell,VOO,10,450,a1\n"
    "2025-06-10,other,buy,VOO,10,455,o1\n"
    "2025-06-16,joint,buy,BND,10,70,b1\n"
    "2025-07-01,joint,sell,BND,10,60,b1\n"
    "2025-07-08,joint,buy,BND,10,61,b2\n"
    "2025-10-01,other,sell,VOO,10,460,o1\n"
    "2025-10-06,other,buy,VOO,10,461,o2\n"
    "2025-12-01,other,sell,VOO,10,470,o2\n"
    "2025-12-02,other,sell,VOO,10,470,o0\n"
    "2025-12-03,joint,sell,BND,10,62,b2\n"
)
"""A loss goes from one account into another and on there; another one stays in its account."""


@pytest.mark.parametrize("command", [("form8949", "2025"), ("form8949", "2025", "--html", "-")])
def test_rows_whose_basis_the_broker_cannot_know_are_named(tmp_path, command):
    out = tax(*command, of=written(tmp_path, "across.csv", ACROSS)).out
    (note,) = [line for line in out.splitlines() if "--broker" in line]
    assert "10 VOO sold 2025-10-01 (other, lot o1)" in note
    assert "10 VOO sold 2025-12-01 (other, lot o2)" in note
    assert "code B" in note
    assert "o0" not in note
    assert "BND" not in note


def test_the_file_for_tax_programs_names_them_too(tmp_path):
    ended = tax("txf", "2025", of=written(tmp_path, "across.csv", ACROSS))
    assert "10 VOO sold 2025-10-01 (other, lot o1)" in ended.err


def test_with_the_brokers_figures_nothing_more_is_asked_for(tmp_path):
    told = written(
        tmp_path,
        "other.csv",
        "account,symbol,quantity,acquired,sold,proceeds,basis,disallowed\n"
        "other,VOO,10,2025-06-10,2025-10-01,4600,4550,0\n"
        "other,VOO,10,2025-10-06,2025-12-01,4700,4610,0\n"
        "other,VOO,10,2025-02-03,2025-12-02,4700,5000,0\n",
    )
    of = written(tmp_path, "across.csv", ACROSS)
    printed = document_of(tax("form8949", "2025", "--broker", told, "--json", of=of))
    assert "--broker" not in " ".join(printed["notes"])
    assert {row["lot_id"] for row in printed["rows"] if "B" in row["codes"]} == {"o1", "o2"}


def test_one_row_is_one_row(tmp_path):
    of = written(
        tmp_path,
        "one.csv",
        "date,account,action,symbol,quantity,price\n2025-01-06,a,buy,VTI,1,300\n"
        "2025-03-03,a,sell,VTI,1,310\n",
    )
    assert "1 row written" in tax("log", "--csv", tmp_path / "log.csv", of=of).out
    assert "1 row written" in tax("form8949", "2025", "--csv", tmp_path / "f.csv", of=of).out
    assert "1 record written" in tax("txf", "2025", "--out", tmp_path / "f.txf", of=of).err


def test_shares_after_an_odd_split_are_not_printed_to_the_last_digit(tmp_path):
    of = written(
        tmp_path,
        "odd.csv",
        "date,account,action,symbol,quantity,price,ratio\n"
        "2025-01-06,a,buy,VTI,150,300,\n"
        "2026-03-02,a,buy,VTI,5,200,\n"
        "2026-03-05,a,split,VTI,,,1:3\n",
    )
    ended = guard("sell", "50", "VTI", "--account", "a", "--price", "500", of=of)
    assert "1.66666667 of the 50 shares" in ended.out
    assert "1.6666666666" not in ended.out


# ---------------------------------------------------------------------- reconcile


def test_a_wash_sale_that_only_the_household_sees_explains_the_difference(tmp_path, sold):
    told = schwab(tmp_path, 'VTI,"",03/02/2026,8,2000.00,2400.00,-400.00,-400.00,,No,0.00')
    ended = tax("reconcile", told, "--account-map", "...234=joint", of=sold)
    assert ended.status == 0, ended.err
    assert "explained (cross-account wash)" in ended.out
    assert "4 VTI bought 2026-03-10 in roth" in ended.out
    assert "Not compared, as no file tells of wallet: 1 row of ours." in ended.out


def test_an_unexplained_difference_ends_with_4(tmp_path, sold):
    told = schwab(tmp_path, 'VTI,"",03/02/2026,8,1999.00,2400.00,-401.00,-401.00,,No,0.00')
    ended = tax("reconcile", told, "--account-map", "...234=joint", "--json", of=sold)
    assert ended.status == 4
    printed = is_the_document(ended, documents.TaxReconciliationDocument)
    assert not printed["is_explained"]
    assert printed["years"] == [2026]
    assert printed["comparisons"][0]["broker_proceeds"] == "1999.00"
    assert printed["total"]["verdicts"] == {"unexplained": "1"}


def test_a_december_trade_that_settles_in_january_belongs_to_december(tmp_path):
    text = (
        "date,account,action,symbol,quantity,price,lots\n"
        "2025-01-06,joint,buy,VTI,8,300,t1\n"
        "2025-12-31,joint,sell,VTI,8,310,t1\n"
    )
    of = written(tmp_path, "year-end.csv", text)
    told = schwab(tmp_path, 'VTI,"",01/02/2026,8,2480.00,2400.00,80.00,,80.00,No,0.00')
    names = ("--account-map", "...234=joint")
    assert "Sales of 2025" in tax("reconcile", told, *names, of=of).out
    assert tax("reconcile", told, *names, "--year", "2025", of=of).status == 0
    other = tax("reconcile", told, *names, "--year", "2026", of=of).out
    assert "nothing to compare" in other
    assert "1 row of the files belong to other years" in other


def test_accounts_that_are_none_of_ours_are_named_with_what_to_write(tmp_path, sold):
    told = schwab(tmp_path, 'VTI,"",03/02/2026,8,2000.00,2400.00,-400.00,-400.00,,No,0.00')
    ended = tax("reconcile", told, of=sold)
    assert ended.status == 2
    assert "--account-map ...234=ACCOUNT" in ended.err
    ended = tax("reconcile", told, "--account-map", "...999=joint", of=sold)
    assert "no file calls an account '...999'" in ended.err
    ended = tax("reconcile", told, "--account-map", "...234=jont", of=sold)
    assert "did you mean joint?" in ended.err
    ended = tax("reconcile", sold, of=sold)
    assert ended.status == 2
    assert "tells of no sale" in ended.err


def test_the_comparisons_can_be_written_as_csv(tmp_path, sold):
    told = schwab(tmp_path, 'VTI,"",03/02/2026,8,2000.00,2400.00,-400.00,-400.00,,No,0.00')
    ended = tax("reconcile", told, "--account-map", "...234=joint", "--csv", "-", of=sold)
    (row,) = csv.DictReader(io.StringIO(ended.out))
    assert (row["symbol"], row["disallowed"], row["broker_disallowed"]) == ("VTI", "200.00", "0.00")
    assert row["is_open"] == "no"
