import csv
import io
import json
import re
from decimal import Decimal

import pytest
from tests.apps.cli.command_line import document_of, trimtab

from trimtab.apps.home import Home, recall

BOXES = re.compile("[\u2500-\u257f\x1b]")


def test_the_demo_goes_from_drift_to_tax_log_and_says_that_its_market_is_invented(tmp_path):
    ended = trimtab("demo", "--into", tmp_path / "demo", "--seed", "1", "--today", "2026-03-11")
    assert ended.status == 0, ended.err
    places = [
        ended.out.index(f"\n{words}")
        for words in ("1. How far", "Plan", "Lots sold", "Why", "Gates", "Executed\n", "Tax log")
    ]
    assert places == sorted(places)
    assert "INVENTED" in ended.out.splitlines()[0]
    assert "journal and paper broker agree" in ended.out
    assert "Disallowed losses (26 USC 1091)" in ended.out


def test_the_demo_plays_again_in_its_own_folder_and_in_no_other(tmp_path):
    folder = tmp_path / "demo"
    assert trimtab("demo", "--into", folder).status == 0
    assert trimtab("demo", "--into", folder).status == 0
    (folder / "letters.txt").write_text("mine")
    ended = trimtab("demo", "--into", folder)
    assert ended.status == 2
    assert "letters.txt" in ended.err
    assert (folder / "letters.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "command", [("status",), ("plan",), ("verify",), ("tax", "log"), ("policy",), ("explain",)]
)
def test_into_a_pipe_there_is_no_colour_and_no_frame(demo, command):
    assert not BOXES.search(trimtab(*command, "--folder", demo).out)


def test_the_columns_of_a_table_are_aligned_whatever_the_terminal_is(demo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    narrow = trimtab("tax", "log", "--folder", demo).out
    monkeypatch.setenv("COLUMNS", "200")
    assert trimtab("tax", "log", "--folder", demo).out == narrow
    header, *rows = narrow.split("\n\n")[0].splitlines()[1:]
    end = header.index("gain") + len("gain")
    assert rows
    assert all(re.fullmatch(r"-?[\d,]+\.\d\d", row[:end].split()[-1]) for row in rows)


def test_a_plan_says_that_nothing_was_sent_and_writes_nothing(untouched):
    before = {path.name: path.read_bytes() for path in untouched.iterdir()}
    ended = trimtab("plan", "--folder", untouched)
    assert ended.status == 0
    assert "Nothing was sent and nothing was written." in ended.out
    assert f"`trimtab run --execute --folder {untouched}`" in ended.out
    assert {path.name: path.read_bytes() for path in untouched.iterdir()} == before


def test_a_plan_says_what_no_plan_could_do_with_less(untouched):
    document = json.loads(trimtab("plan", "--folder", untouched, "--json").out)
    excess = deficit = Decimal(0)
    for drift in document["decision"]["before"]:
        off, width = Decimal(drift["drift"]), Decimal(drift["half_width"])
        excess += max(Decimal(0), off - width)
        deficit += max(Decimal(0), -off - width)
    out = trimtab("plan", "--folder", untouched).out
    said = re.search(r"any plan moves ([0-9.]+) % of the savings or more", out)
    assert said is not None
    # The invented price may have moved on by a minute between the two.
    assert abs(Decimal(said[1]) - 100 * max(excess, deficit)) < Decimal("0.1")


def plan_told_twice(folder):
    """The page of a plan and its document, of one minute: the invented price moves on."""
    for _ in range(5):
        first = json.loads(trimtab("plan", "--folder", folder, "--json").out)
        out = trimtab("plan", "--folder", folder).out
        second = json.loads(trimtab("plan", "--folder", folder, "--json").out)
        if first["decision"]["trades"] == second["decision"]["trades"]:
            return out, second
    pytest.fail("the price moved in each of five tries")


def test_each_trade_of_a_plan_is_followed_by_its_reason_and_each_sale_by_its_lots(untouched):
    out, document = plan_told_twice(untouched)
    trades = document["decision"]["trades"]
    assert trades
    for trade in trades:
        assert f"{trade['symbol']} in {trade['account']}: {trade['reason']}" in out
    sales = [trade for trade in trades if trade["side"] == "sell"]
    assert sales
    assert all(trade["lots"] for trade in sales)
    for lot in sales[0]["lots"]:
        assert lot["acquired"] in out


def test_the_gains_of_a_sales_lots_add_up_to_the_gain_of_the_sale(untouched):
    from decimal import Decimal

    document = json.loads(trimtab("plan", "--folder", untouched, "--json").out)
    for trade in document["decision"]["trades"]:
        if trade["side"] == "sell":
            parts = sum(Decimal(lot["gain"]) for lot in trade["lots"])
            assert abs(parts - Decimal(trade["gain"])) < Decimal("0.000001")


def test_a_dry_run_sends_nothing_and_journals_the_look(untouched):
    ended = trimtab("run", "--folder", untouched)
    assert ended.status == 0
    assert "Nothing was sent" in ended.out
    memory = recall(Home(untouched))
    assert memory.cycles == 1
    assert not memory.orders


def test_a_run_that_executes_shows_what_was_filled_and_what_was_realized(untouched):
    ended = trimtab("run", "--execute", "--folder", untouched)
    assert ended.status == 0, ended.err
    assert "Executed" in ended.out
    assert "Tax log of this turn" in ended.out
    assert recall(Home(untouched)).orders


def test_a_paused_household_ends_with_held_and_says_why(untouched):
    assert trimtab("policy", "pause", "--because", "moving", "--folder", untouched).status == 0
    ended = trimtab("run", "--execute", "--folder", untouched)
    assert ended.status == 3
    assert "pause: REFUSED. The owner paused trading: moving." in ended.out
    assert "Paused: moving." in trimtab("status", "--folder", untouched).out
    assert trimtab("policy", "resume", "--because", "moved", "--folder", untouched).status == 0
    assert trimtab("run", "--execute", "--folder", untouched).status == 0


def test_a_plan_that_a_gate_would_hold_still_ends_with_zero(untouched):
    trimtab("policy", "pause", "--because", "moving", "--folder", untouched)
    ended = trimtab("plan", "--folder", untouched)
    assert ended.status == 0
    assert "Every trade is held" in ended.out


def test_the_folder_given_to_policy_holds_for_what_follows_it(untouched):
    assert trimtab("policy", "--folder", untouched, "pause", "--because", "moving").status == 0
    assert recall(Home(untouched)).paused == "moving"


def test_status_works_before_the_first_turn(untouched):
    ended = trimtab("status", "--folder", untouched)
    assert ended.status == 0
    assert "It has never run" in ended.out
    assert "us-stocks" in ended.out


def test_status_begins_with_the_verdict(demo):
    verdict = json.loads(trimtab("status", "--folder", demo, "--json").out)["verdict"]
    first = trimtab("status", "--folder", demo).out.splitlines()[0]
    assert first.split()[:4] == verdict.split()[:4]


def test_status_says_how_many_months_the_reserve_covers(demo):
    said = trimtab("status", "--folder", demo).out
    assert re.search(r"the reserve covers \d+\.\d months; the policy asks for 3", said)


def test_status_without_prices_says_what_is_missing_and_shows_the_rest(tmp_path):
    folder = tmp_path / "savings"
    trimtab("init", "--folder", folder)
    (folder / "prices.csv").unlink()
    ended = trimtab("status", "--folder", folder)
    assert ended.status == 0
    assert ended.out.startswith("No verdict: ")
    assert "prices.csv" in ended.out
    assert "joint" in ended.out


def test_status_names_the_books_that_cannot_be_read_and_blames_no_price(demo):
    (demo / "paper.json").write_text("{", encoding="utf-8")
    ended = trimtab("status", "--folder", demo)
    assert ended.status == 0
    assert ended.out.startswith("No verdict: The paper broker's books cannot be read")
    assert "price" not in ended.out.splitlines()[0]


def test_a_pause_works_when_no_file_but_the_journal_can_be_read(demo):
    (demo / "household.toml").write_text("[household", encoding="utf-8")
    (demo / "lots.csv").unlink()
    for act in ("pause", "resume"):
        ended = trimtab("policy", act, "--folder", demo, "--because", "a look first")
        assert ended.status == 0, ended.err


def test_a_pause_flag_is_told_before_a_turn_has_journaled_it(demo):
    (demo / "pause.flag").write_text("we are moving\n", encoding="utf-8")
    for command in ("status", "policy"):
        out = " ".join(trimtab(command, "--folder", demo).out.split())
        assert "Paused by the flag, not yet journaled: we are moving." in out
        document = json.loads(trimtab(command, "--folder", demo, "--json").out)
        assert document["paused"] == "we are moving"


def test_edited_lists_of_a_paper_account_are_remarked_and_not_followed(demo):
    cash = demo / "cash.csv"
    cash.write_text(cash.read_text().replace("10350.00", "20350.00"), encoding="utf-8")
    for command in ("check", "status"):
        document = json.loads(trimtab(command, "--folder", demo, "--json").out)
        (remark,) = [text for text in document["remarks"] if "changed" in text]
        assert remark.startswith("cash.csv has changed for joint since its books were opened on 20")
        assert "move journal.sqlite and paper.json away" in remark


def test_lists_that_were_not_edited_are_not_remarked_on(demo):
    document = json.loads(trimtab("status", "--folder", demo, "--json").out)
    assert document["remarks"] == []


def test_money_without_a_rate_is_a_fault_of_the_files(tmp_path):
    folder = tmp_path / "savings"
    trimtab("init", "--folder", folder)
    with (folder / "cash.csv").open("a", encoding="utf-8") as file:
        file.write("joint,CHF,100\n")
    ended = trimtab("check", "--folder", folder)
    assert ended.status == 2
    assert "cash.csv: there is no rate for CHF" in ended.err


def test_a_demo_of_tomorrow_is_refused_and_leaves_no_folder(tmp_path):
    ended = trimtab("demo", "--into", tmp_path / "demo", "--today", "2999-01-04")
    assert ended.status == 2
    assert "2999-01-04 is in the future" in ended.err
    assert not (tmp_path / "demo").exists()


def test_a_held_turn_says_once_that_it_was_held(untouched):
    trimtab("policy", "pause", "--folder", untouched, "--because", "holiday")
    out, document = plan_told_twice(untouched)
    assert document["sentence"].count("Held:") == 1
    page = " ".join(out.split())
    assert page.startswith(document["sentence"])


def test_a_deposit_on_paper_is_seen_by_the_next_plan(demo):
    assert trimtab("paper", "deposit", "joint", "25,000", "--folder", demo).status == 0
    document = json.loads(trimtab("plan", "--folder", demo, "--json").out)
    assert [trade["side"] for trade in document["decision"]["trades"]]
    assert {trade["side"] for trade in document["decision"]["trades"]} == {"buy"}


def test_more_than_the_cash_of_a_paper_account_cannot_be_paid_out(demo):
    ended = trimtab("paper", "withdraw", "joint", "99999999", "--folder", demo)
    assert ended.status == 8
    assert ended.err.startswith("trimtab: ")


@pytest.mark.parametrize("amount", ["0", "-5", "ten", "NaN", "1.005", "1e3", "1e400", "9" * 16])
def test_an_amount_that_is_none_is_refused(demo, amount):
    arguments = ("--folder", demo, "--", "joint", amount)
    assert trimtab("paper", "deposit", *arguments).status == (0 if amount == "1e3" else 2)


def test_an_account_that_is_not_on_paper_is_answered_with_those_that_are(demo):
    ended = trimtab("paper", "deposit", "jiont", "5", "--folder", demo)
    assert ended.status == 2
    assert "joint" in ended.err


def test_verify_counts_the_entries_and_proves_the_chain(demo):
    ended = trimtab("verify", "--folder", demo)
    assert ended.status == 0
    assert re.search(r"\d+ entries, chain whole\.", ended.out)
    assert "joint: agrees with its broker." in ended.out


def test_an_account_that_differs_ends_with_four_and_is_freed_by_adopting(demo):
    books = json.loads((demo / "paper.json").read_text())
    books["accounts"]["joint"]["cash"]["USD"] = "1.23"
    (demo / "paper.json").write_text(json.dumps(books))
    ended = trimtab("verify", "--folder", demo)
    assert ended.status == 4
    assert "joint: DIFFERS." in ended.out
    assert "BLOCKED" in trimtab("status", "--folder", demo).out
    arguments = ("--adopt", "joint", "--because", "the bank is right", "--folder", demo)
    ended = trimtab("verify", *arguments)
    assert ended.status == 0, ended.err
    assert "Adopted" in ended.out


def test_adopting_needs_a_reason(demo):
    assert trimtab("verify", "--adopt", "joint", "--folder", demo).status == 2


def test_the_tax_log_as_csv_has_the_rows_of_the_document(demo, tmp_path):
    document = json.loads(trimtab("tax", "log", "--folder", demo, "--json").out)
    text = trimtab("tax", "log", "--folder", demo, "--csv", "-").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["gain"] for row in rows] == [row["gain"] for row in document["rows"]]
    target = tmp_path / "tax.csv"
    assert trimtab("tax", "log", "--folder", demo, "--csv", target).status == 0
    assert target.read_text() == text


def test_a_tax_log_that_cannot_be_written_leaves_nothing_behind(demo, tmp_path):
    ended = trimtab("tax", "log", "--folder", demo, "--csv", tmp_path / "no" / "tax.csv")
    assert ended.status == 2
    assert not (tmp_path / "no").exists()


def test_the_tax_log_of_a_year_without_sales_says_so(demo):
    assert (
        "Nothing was sold in 1999" in trimtab("tax", "log", "--folder", demo, "--year", "1999").out
    )


def test_an_edited_policy_is_told_change_by_change_with_its_consequence(demo):
    rules = demo / "household.toml"
    rules.write_text(
        rules.read_text()
        .replace("target = 0.45", "target = 0.50")
        .replace("target = 0.20", "target = 0.15")
    )
    out = trimtab("policy", "--folder", demo).out
    assert "The target of class us-stocks goes from 45 % to 50 %" in out
    assert "begins the cooling-off" in out
    trimtab("run", "--folder", demo)
    assert "An edited policy waits until" in trimtab("status", "--folder", demo).out
    assert "Not in force yet" in trimtab("check", "--folder", demo).out


def test_explain_says_so_when_there_is_no_decision_yet(untouched):
    ended = trimtab("explain", "--folder", untouched)
    assert ended.status == 0
    assert "There is no decision yet" in ended.out


def test_explain_tells_the_last_decision_with_gates_and_what_became_of_it(demo):
    out = trimtab("explain", "--folder", demo).out
    for words in ("Decided:", "Planned:", "What each gate said", "What became of it", "filled"):
        assert words in out


@pytest.mark.parametrize("what", ["us-stocks", "VTI", "vti", "joint"])
def test_explain_tells_all_about_a_class_a_symbol_or_an_account(demo, what):
    ended = trimtab("explain", what, "--folder", demo)
    assert ended.status == 0
    assert "Planned: sell" in ended.out


def test_explain_finds_an_order_and_a_plan_by_the_beginning_of_their_ids(demo):
    order = next(iter(recall(Home(demo)).orders.values())).order
    ended = trimtab("explain", order.id[:12], "--folder", demo)
    assert f"about the order {order.id}" in ended.out
    assert order.symbol in ended.out
    ended = trimtab("explain", order.plan_id[:8], "--folder", demo)
    assert f"about the plan {order.plan_id}" in ended.out


def test_explain_of_a_name_that_nothing_has_lists_those_that_there_are(demo):
    ended = trimtab("explain", "us-stonks", "--folder", demo)
    assert ended.status == 2
    assert "us-stocks" in ended.err


def test_init_writes_a_household_that_passes_its_own_check(tmp_path):
    folder = tmp_path / "savings"
    assert trimtab("init", "--folder", folder).status == 0
    ended = trimtab("check", "--folder", folder)
    assert ended.status == 0, ended.err
    assert "No fault found." in ended.out
    assert "2026-11-20" in ended.out


def test_init_overwrites_nothing_and_then_writes_nothing_at_all(tmp_path):
    (tmp_path / "lots.csv").write_text("mine")
    ended = trimtab("init", "--folder", tmp_path)
    assert ended.status == 2
    assert "lots.csv is in" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["lots.csv"]
    assert (tmp_path / "lots.csv").read_text() == "mine"


def test_check_tells_the_faults_of_all_files_at_once(tmp_path):
    trimtab("init", "--folder", tmp_path)
    (tmp_path / "cash.csv").write_text("account,currency,amount\njoint,USD,lots\n")
    (tmp_path / "lots.csv").write_text(
        "account,symbol,quantity,cost,acquired\nnobody,VTI,1,1,2020-01-01\n"
    )
    (tmp_path / "prices.csv").write_text("date,symbol,close\n2026-11-20,VTI,-3\n")
    ended = trimtab("check", "--folder", tmp_path)
    assert ended.status == 2
    for name in ("cash.csv", "lots.csv", "prices.csv"):
        assert f"{name}: 1 fault" in ended.err


def test_check_tells_a_strategy_that_is_not_there_beside_the_other_faults_of_the_file(tmp_path):
    trimtab("init", "--folder", tmp_path)
    rules = tmp_path / "household.toml"
    layers = '[strategy]\nlayers = ["minimum_variance", "momentun", "cpi"]\n'
    names = ('"momentun"', '"cpi"')
    before = rules.read_text()
    rules.write_text(f"{before}\n{layers}")
    ended = trimtab("check", "--folder", tmp_path)
    assert ended.status == 2
    assert all(f"no strategy is called {name}" in ended.err for name in names)
    bound = '[[strategy.minimum_variance.bounds]]\nclasses = ["gold"]\nleast = 2\n'
    rules.write_text(f"{before}\n{layers}{bound}")
    ended = trimtab("check", "--folder", tmp_path)
    assert ended.status == 2
    for told in (*names, 'there is no class "gold"', "2 is out of range"):
        assert told in ended.err


@pytest.mark.parametrize(("amount", "is_told"), [(900_000, True), (100_000, False)])
def test_check_says_that_a_floor_above_the_savings_has_all_risk_sold(untouched, amount, is_told):
    rules = untouched / "household.toml"
    cppi = f'[strategy]\nlayers = ["cppi"]\n[strategy.cppi]\nfloor = "fixed"\namount = {amount}\n'
    rules.write_text(f"{rules.read_text()}\n{cppi}")
    document = document_of(trimtab("check", "--folder", untouched, "--json"))
    risky = [float(one["value"]) for one in document["classes"] if one["asset_class"] != "bonds"]
    told = (
        f"cppi: the floor of {amount:,}.00 USD is not below the savings of "
        f"{float(document['value']):,.2f} USD, so the next turn plans to sell all "
        f"{sum(risky):,.2f} USD that is in risky classes: write a lower floor in [strategy.cppi], "
        "or leave cppi out of strategy.layers."
    )
    assert (told in document["remarks"]) is is_told


@pytest.mark.parametrize("command", ["targets", "reserve"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("x.pdf", "cannot be written: name a .svg or .png file."),
        ("x.jpg", "cannot be written: name a .svg or .png file."),
        ("nowhere/x.svg", "cannot be written: there is no folder "),
    ],
)
def test_a_picture_is_an_svg_or_png_in_a_folder_that_is_there(demo, tmp_path, command, name, told):
    ended = trimtab(command, "--folder", demo, "--chart", tmp_path / name)
    assert ended.status == 2
    assert told in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / name).exists()


def test_a_replay_refuses_the_name_of_its_picture_before_it_replays_a_day(tmp_path):
    trimtab("init", "--folder", tmp_path)
    days = ("--from", "2026-11-17", "--to", "2026-11-20")
    ended = trimtab("replay", "--folder", tmp_path, *days, "--chart", tmp_path / "x.pdf")
    assert (ended.status, ended.out) == (2, "")
    assert "name a .svg or .png file" in ended.err


def test_check_reads_the_lists_even_when_household_toml_has_a_fault(tmp_path):
    trimtab("init", "--folder", tmp_path)
    rules = tmp_path / "household.toml"
    rules.write_text(rules.read_text().replace("target = 0.50", "target = 50"))
    (tmp_path / "cash.csv").write_text("account,currency,amount\njoint,USD,lots\n")
    ended = trimtab("check", "--folder", tmp_path)
    assert ended.status == 2
    assert "household.toml" in ended.err
    assert "cash.csv: 1 fault" in ended.err


def test_a_replay_trades_on_paper_verifies_every_day_and_leaves_the_household_alone(tmp_path):
    folder = tmp_path / "savings"
    trimtab("init", "--folder", folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    days = ("--from", "2026-11-17", "--to", "2026-11-20")
    ended = trimtab("replay", "--folder", folder, *days, "--execute")
    assert ended.status == 0, ended.err
    assert "2026-11-17  sell" in ended.out
    assert "4 sessions, 1 with trades; journal and broker agreed on every one." in ended.out
    dry = trimtab("replay", "--folder", folder, *days)
    assert "Nothing was traded" in dry.out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_replay_keeps_its_journal_where_it_is_told_to(tmp_path):
    folder = tmp_path / "savings"
    trimtab("init", "--folder", folder)
    days = ("--from", "2026-11-17", "--to", "2026-11-18")
    kept = tmp_path / "kept"
    assert trimtab("replay", "--folder", folder, *days, "--into", kept).status == 0
    assert recall(Home(kept)).cycles == 2
    assert trimtab("replay", "--folder", folder, *days, "--into", kept).status == 2


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "11/17/2026"])
def test_a_date_that_is_none_is_answered_with_how_to_write_it(tmp_path, day):
    ended = trimtab("replay", "--folder", tmp_path, "--from", day, "--to", "2026-11-20")
    assert ended.status == 2
    assert "write it as 2026-03-09" in ended.err
