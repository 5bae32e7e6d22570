"""`trimtab contribute` as a person meets it: where new money goes, and why."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import json
from msgspec.structs import replace
from tests.apps.cli.command_line import document_of, trimtab
from tests.houses import TOML, FixedPrices, ManualClock, house_of, lot

from trimtab.apps.contributing import Contributing, contribute
from trimtab.apps.hypothetical import today
from trimtab.apps.run import run_once
from trimtab.apps.value_paths import value_paths
from trimtab.apps.views.contribute import contribute_document, contribute_page, verdict
from trimtab.apps.views.contribute_picture import draw_paths
from trimtab.apps.views.figures import cents
from trimtab.apps.views.page import Sentence
from trimtab.apps.world import House
from trimtab.domain.numbers import ZERO
from trimtab.domain.trades import Disposal, Side, Term
from trimtab.lab.paper import PaperBroker

PRICES = {"VTI": "100", "ITOT": "50", "BND": "50", "BTC-USD": "40000"}
PATH = """
[[averaging]]
account = "ira"
by = "value"
amount = 1000
first = 2026-03-09
expected_return = 0
"""
MONTHLY = """
[[contributions]]
account = "{}"
amount = 2000
first = 2026-01-31
every = "month"
"""
RESERVE = '[reserve]\nmonthly_costs = 300\nmonths = 5\naccount = "taxable"\n'
SOLD = Disposal(
    id="s1",
    account="taxable",
    symbol="VTI",
    lot_id="old",
    quantity=Decimal(100),
    acquired=dt.date(2025, 1, 2),
    holding_since=dt.date(2025, 1, 2),
    sold=dt.date(2026, 3, 2),
    proceeds=Decimal(10000),
    basis=Decimal(15000),
    term=Term.LONG,
    is_taxed=True,
    source="sales.csv",
)
"""A loss taken a week before the day of these tests."""


def _house(more: str = "", *, vti: str = "550", cash: str = "1000", ira: str = "0") -> House:
    lots = [
        lot("taxable", "VTI", vti, "54000", "2020-01-02"),
        lot("taxable", "BND", "800", "40000", "2020-01-02"),
        lot("wallet", "BTC-USD", "0.125", "4000", "2020-01-02"),
    ]
    money = {"taxable": cash, "ira": ira}
    return house_of(lots, money, FixedPrices(PRICES), toml=TOML + more)


def _clock(house: House) -> ManualClock:
    assert isinstance(house.clock, ManualClock)
    return house.clock


def _set_prices(house: House, **prices: str) -> None:
    assert isinstance(house.prices, FixedPrices)
    house.prices.prices |= {symbol: Decimal(price) for symbol, price in prices.items()}


def _asked(house: House, amount: str | None = None, account: str | None = None) -> Contributing:
    look = today(house, run_once(house, executes=False))
    return contribute(house, look, None if amount is None else Decimal(amount), account)


def _told(found: Contributing) -> str:
    page = contribute_page(found, ".")
    return " ".join(block.text for block in page if isinstance(block, Sentence))


def test_an_amount_goes_to_the_classes_that_lack_most_and_adds_up(demo):
    told = document_of(trimtab("contribute", "--folder", demo, "--amount", "5000", "--json"))
    assert sum(Decimal(place["amount"]) for place in told["places"]) == 5000
    assert {place["account"] for place in told["places"]} == {"joint"}
    assert "bitcoin" not in {place["asset_class"] for place in told["places"]}


def test_a_purchase_that_would_spoil_a_loss_goes_into_the_substitute_and_says_so(demo):
    ended = trimtab("contribute", "--folder", demo, "--amount", "5000")
    assert ended.status == 0
    page = " ".join(ended.out.split())
    assert re.search(r"IXUS is bought on \S+ instead of VXUS: buying VXUS .* would disallow", page)


def test_where_no_substitute_is_allowed_the_first_safe_day_is_named():
    more = '[orders]\nno_buy = ["ITOT"]\n'
    found = _asked(_house(more, vti="450")._replace(past_sales=(SOLD,)), "5000", "taxable")
    (stocks,) = [place for place in found.places if place.asset_class == "stocks"]
    assert (stocks.symbol, stocks.day) == ("VTI", dt.date(2026, 4, 2))
    assert "until then the money is cash" in stocks.why


def test_a_substitute_that_would_spoil_a_loss_too_is_none():
    both = (SOLD, replace(SOLD, id="s2", symbol="ITOT", lot_id="other"))
    found = _asked(_house(vti="450")._replace(past_sales=both), "5000", "taxable")
    (stocks,) = [place for place in found.places if place.asset_class == "stocks"]
    assert (stocks.symbol, stocks.day) == ("VTI", dt.date(2026, 4, 2))


def test_a_reserve_is_filled_once_and_not_by_each_contribution():
    weekly = MONTHLY.replace("month", "two_weeks").replace("31", "12")
    found = _asked(_house(RESERVE + weekly.format("taxable")))
    kept = [place.amount for place in found.places if "reserve" in place.why]
    assert len(found.incoming) == 2
    assert kept == [1500]
    assert sum(place.amount for place in found.places) == 4000


def test_the_reserve_comes_first_and_its_account_is_named():
    found = _asked(_house(RESERVE), "4000", "ira")
    reserve, *rest = found.places
    assert (reserve.account, reserve.symbol) == ("taxable", "")
    assert reserve.amount == 1500
    assert "Put it into taxable" in reserve.why
    assert sum(place.amount for place in rest) == 2500
    assert {place.account for place in rest} == {"ira"}


def test_what_an_account_cannot_hold_is_not_bought_there():
    found = _asked(_house(), "3000", "wallet")
    assert {place.asset_class for place in found.places} <= {"", "bitcoin"}
    assert sum(place.amount for place in found.places) == 3000


def test_the_contributions_of_the_month_are_listed_with_their_day():
    found = _asked(_house(MONTHLY.format("taxable")))
    (one,) = found.incoming
    assert str(one.day) == "2026-03-31"
    assert one.amount == 2000
    assert verdict(found) == "Put in this month: 2,000.00 USD into taxable on 2026-03-31."
    assert sum(place.amount for place in found.places) == 2000
    assert "ask again on that day before you buy." in _told(found)
    assert "ask again" not in _told(_asked(_house(), "2000", "taxable"))


@pytest.mark.parametrize(
    ("paid", "said"),
    [
        (0, "Put in this month: 2,000.00 USD into taxable on 2026-03-31."),
        (500, "Put in this month: 1,500.00 USD into taxable on 2026-03-31."),
        (2000, "What is due until the end of the month is paid already."),
    ],
)
def test_a_contribution_that_came_early_is_paid_and_not_asked_for_again(paid, said):
    house = _house(MONTHLY.format("taxable"))
    _clock(house).at += dt.timedelta(days=18)
    broker = house.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    if paid:
        broker.deposit("taxable", Decimal(paid), "USD")
    assert verdict(_asked(house)) == said


def test_two_contributions_do_not_fill_the_same_gap_twice():
    one = _asked(_house(vti="545"), "3000", "taxable")
    weekly = MONTHLY.replace("month", "two_weeks").replace("31", "12").replace("2000", "1500")
    two = _asked(_house(weekly.format("taxable"), vti="545"))
    assert len(two.incoming) == 2

    def by_class(found: Contributing) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = {}
        for place in found.places:
            sums[place.asset_class] = sums.get(place.asset_class, Decimal(0)) + place.amount
        return sums

    assert by_class(one) == pytest.approx(by_class(two), abs=Decimal("0.02"))


def test_a_contribution_into_the_account_of_a_path_goes_into_its_side_fund():
    found = _asked(_house(PATH + MONTHLY.format("ira")))
    (place,) = found.places
    assert "side fund" in place.why
    assert place.symbol == ""


def test_a_path_is_told_with_its_cap_its_side_fund_and_what_the_plan_buys():
    found = _asked(_house(PATH, ira="5000"))
    (one,) = found.averaged
    standing = one.standing
    assert standing.asked == 1000
    assert standing.waits == 4000
    assert standing.cap == 3000
    assert {trade.account for trade in one.purchases} == {"ira"}
    text = _told(found)
    assert "The path asks for 1,000.00 USD on 2026-03-09, and the value is 0.00 USD" in text
    assert "One period may take 3,000.00 USD" in text
    assert re.search(r"The plan of now buys \d+ \w+", text)


def test_what_a_side_fund_lacks_is_what_to_put_in():
    found = _asked(_house(PATH, ira="200"))
    expected = "800.00 USD into ira, which its path asks for beyond the side fund"
    assert verdict(found) == f"Put in this month: {expected}."
    assert "The side fund lacks 800.00 USD" in _told(found)


LUMP = """
[[averaging]]
account = "ira"
by = "parts"
amount = 12000
parts = 12
first = 2020-01-15
"""


def test_a_lump_that_is_not_there_is_told_by_what_there_is_and_no_new_money_is_asked_for():
    found = _asked(_house(LUMP, ira="3000"))
    text = _told(found)
    assert verdict(found) == "No new money is due this month; what is there goes in as below."
    assert "The account holds 3,000.00 USD of the 12,000.00 USD: what is not there" in text
    assert "side fund" not in text
    assert "path" not in text
    (one,) = found.averaged
    assert one.standing.lacks == 0
    assert one.standing.left == 12_000


def test_money_that_comes_later_is_told_not_to_be_taken_for_a_lump():
    house = _house(LUMP.replace("2020-01-15", "2026-03-09"), ira="3000")
    run_once(house, executes=True)
    broker = house.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    broker.deposit("ira", Decimal(20_000))
    text = _told(_asked(house))
    assert "2,750.00 USD of the cash wait for their day" in text
    assert (
        "The account holds 2,750.00 USD of the 11,750.00 USD that have not gone in yet: what is "
        "not there does not go in, no new money is asked for, and money that comes later is not "
        "taken for it."
    ) in text


def _on(house: House, day: str) -> Contributing:
    _clock(house).at = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(15), tzinfo=dt.UTC)
    return _asked(house)


def test_a_lump_that_has_not_begun_is_told_to_wait_for_its_money_and_asks_for_it():
    house = _house(LUMP.replace("2020-01-15", "2026-03-13"), ira="88.15")
    early = _on(house, "2026-03-10")
    assert verdict(early) == "No money is due this month."
    assert "from 2026-03-13 on, once that is 500.00 USD: 88.15 USD are there." in _told(early)
    late = _on(house, "2026-03-16")
    wanted = "11,911.85 USD into ira, for which its lump waits"
    assert verdict(late) == f"Put in this month: {wanted}."
    assert "The lump has not begun and waits for its money: 88.15 USD are there" in _told(late)
    for found in (early, late):
        said = _told(found) + json.encode(contribute_document(found)).decode()
        assert not re.search("was due|are left|not taken for it|side fund", said)
        assert found.averaged[0].standing.obligations == ()


def test_money_that_a_lump_waited_for_begins_it_and_no_more_is_asked_for():
    house = _house(LUMP.replace("2020-01-15", "2026-03-13"), ira="88.15")
    _on(house, "2026-03-16")
    run_once(house, executes=True)
    broker = house.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    broker.deposit("ira", Decimal("11911.85"))
    found = _asked(house)
    assert verdict(found) == "No new money is due this month; what is there goes in as below."
    assert "not begun" not in _told(found)
    assert found.averaged[0].standing.asked == 1000


WAITS = LUMP.replace("2020-01-15", "2026-03-05").replace("= 12\n", "= 4\n")
"""A lump of four parts whose first day was four days ago."""


def test_new_money_goes_into_a_lump_that_has_not_begun_and_all_but_one_part_waits():
    found = _asked(_house(WAITS, vti="500", ira="84.16"), "6000", "ira")
    (*placed, kept) = found.places
    assert sum(place.amount for place in placed) == Decimal("1521.04")
    assert all(place.symbol for place in placed)
    assert kept.amount == Decimal("4478.96")
    assert kept.why == (
        "It goes into the lump of [[averaging]], 1 of 4 parts at once, and this waits for "
        "2026-04-05, 2026-05-05 and 2026-06-05."
    )


def test_what_is_too_little_to_begin_a_lump_waits_and_says_for_what():
    found = _asked(_house(WAITS), "400", "ira")
    (kept,) = found.places
    assert kept.amount == 400
    assert kept.why.endswith("and waits: that begins with 500.00 USD.")


def test_before_its_first_day_a_lump_takes_all_that_comes_up_to_its_amount():
    house = _house(LUMP.replace("2020-01-15", "2026-03-13"), ira="3000")
    (*placed, kept) = _asked(house, "10000", "ira").places
    assert sum(place.amount for place in placed) == 1000
    assert kept.amount == 9000
    assert kept.why.endswith("in 12 parts, and waits for 12 days from 2026-03-13 to 2027-02-13.")


def test_money_after_the_day_on_which_a_lump_begins_is_not_taken_for_it():
    fortnightly = _paid_in("3000", "2026-03-10").replace('"month"', '"two_weeks"')
    found = _asked(_house(WAITS + fortnightly, ira="84.16"))
    second = [place for place in found.places if place.day == dt.date(2026, 3, 24)]
    assert sum(place.amount for place in second) == 3000
    assert all("lump" not in place.why for place in second)
    assert found.averaged[0].arriving == 3000


def _paid_in(amount: str, first: str) -> str:
    return MONTHLY.format("ira").replace("2000", amount).replace("2026-01-31", first)


def test_what_comes_by_itself_is_not_asked_for_again_and_the_page_warns_of_the_start():
    found = _asked(_house(WAITS + _paid_in("3000", "2026-03-10"), ira="84.16"))
    assert verdict(found) == (
        "Put in this month: 3,000.00 USD into ira on 2026-03-10 and 8,915.84 USD into ira, for "
        "which its lump waits."
    )
    assert contribute_document(found).averaging[0].lacks == "8915.84"
    assert (
        "3,000.00 USD of that are counted above. The lump begins with the first money that comes, "
        "on 2026-03-10, and what comes later is not taken for it: put the other 8,915.84 USD in "
        "with that."
    ) in _told(found)


def test_a_contribution_that_is_the_whole_of_a_lump_leaves_nothing_to_ask_for():
    found = _asked(_house(WAITS + _paid_in("12000", "2026-03-10")))
    assert verdict(found) == "Put in this month: 12,000.00 USD into ira on 2026-03-10."
    assert "All of that is counted above." in _told(found)


def test_before_its_first_day_a_lump_is_told_to_take_what_is_there_then():
    text = _told(_on(_house(LUMP.replace("2020-01-15", "2026-03-13"), ira="3000"), "2026-03-10"))
    assert (
        "The lump begins on 2026-03-13 with what is there then: 3,000.00 USD of the 12,000.00 USD "
        "are there."
    ) in text
    assert "not taken for it" not in text


def test_check_tells_of_a_lump_whose_first_day_passed_without_its_money(demo):
    toml = demo / "household.toml"
    before = toml.read_text()
    for first, parts, told in (
        ("2020-01-15", "1200", "has not begun and waits for its money"),
        ("2020-01-15", "12", "has not begun and its last day has come"),
    ):
        table = LUMP.replace("2020-01-15", first).replace("= 12\n", f"= {parts}\n")
        toml.write_text(before + table.replace("ira", "maya-roth"))
        page = " ".join(trimtab("check", "--folder", demo).out.split())
        assert f"[[averaging]] of maya-roth: the lump {told}" in page


def test_parts_whose_days_have_passed_are_told_in_one_line():
    text = _told(_asked(_house(LUMP, ira="12000")))
    together = "12 of 12 parts, 12,000.00 USD, were due from 2020-01-15 to 2020-12-15"
    assert text.count(" were due ") + text.count(" was due ") == 1
    assert f"{together} and go in together." in text
    assert "The account holds" not in text


def test_check_remarks_on_a_first_day_that_is_long_past(demo):
    toml = demo / "household.toml"
    before = toml.read_text()
    for table, told in (
        (
            LUMP.replace("12000", "10"),
            " USD, were due from 2020-01-15 to 2020-12-15 and go in together.",
        ),
        (PATH.replace("2026-03-09", "2020-03-09"), "its path asks for "),
    ):
        toml.write_text(before + table.replace("ira", "maya-roth"))
        page = " ".join(trimtab("check", "--folder", demo).out.split())
        assert "[[averaging]] of maya-roth began on 2020-" in page
        assert told in page


IN_PARTS = LUMP.replace("2020-01-15", "2026-03-09")


@pytest.mark.parametrize("rule", [PATH, IN_PARTS], ids=["a path", "a lump"])
def test_averaging_that_would_spoil_a_loss_buys_the_substitute_and_says_so(rule):
    house = _house(rule, vti="450", ira="5000")._replace(past_sales=(SOLD,))
    (one,) = _asked(house).averaged
    assert "VTI" not in {trade.symbol for trade in one.purchases}
    reasons = " ".join([trade.reason for trade in one.purchases] + list(one.held))
    assert "VTI" in reasons
    assert "2026-04-02" in reasons


@pytest.mark.parametrize(("rule", "asked"), [(PATH, "1000"), (IN_PARTS, "1000")])
def test_averaging_without_a_substitute_waits_for_the_first_safe_day_and_says_so(rule, asked):
    more = rule.replace("parts = 12", "parts = 5") + '[orders]\nno_buy = ["ITOT", "BND"]\n'
    house = _house(more, vti="450", ira="5000")._replace(past_sales=(SOLD,))
    found = _asked(house)
    (one,) = found.averaged
    assert one.standing.asked == Decimal(asked)
    assert one.purchases == ()
    assert re.search(r"VTI.*2026-04-02", " ".join(one.held))
    assert re.search(r"VTI.*2026-04-02", _told(found))
    run_once(house, executes=True)
    _clock(house).at = dt.datetime(2026, 4, 2, 15, tzinfo=dt.UTC)
    outcome = run_once(house, executes=True)
    bought = [done.trade for done in outcome.executions if done.trade.account == "ira"]
    assert [trade.symbol for trade in bought] == ["VTI"]


def test_a_path_is_told_by_its_wealth_with_the_side_fund_and_by_no_rate_of_return():
    house = _house(PATH, ira="5000")
    run_once(house, executes=True)
    _clock(house).at += dt.timedelta(days=35)
    _set_prices(house, VTI="60", BND="40")
    run_once(house, executes=True)
    found = _asked(house)
    (one,) = found.averaged
    together = cents(one.standing.value + one.standing.fund)
    page, document = _told(found), contribute_document(found)
    assert f"{together} USD together" in page
    said = (page + json.encode(document).decode()).lower()
    assert not re.search(r"\birr\b|internal|rate of return|return|yield|%", said)


def test_an_account_that_does_not_exist_is_answered_with_those_that_do(demo):
    ended = trimtab("contribute", "--folder", demo, "--amount", "5", "--account", "joined")
    assert ended.status == 2
    assert "the household has joint, maya-roth, jon-ira, maya-wallet" in ended.err


def test_an_account_without_an_amount_is_refused(demo):
    ended = trimtab("contribute", "--folder", demo, "--account", "joint")
    assert (ended.status, "--account needs --amount" in ended.err) == (2, True)


def test_a_picture_needs_a_path(demo, tmp_path):
    ended = trimtab("contribute", "--folder", demo, "--chart", tmp_path / "path.svg")
    assert ended.status == 2
    assert "there is no path to draw" in ended.err


def test_a_picture_has_the_path_the_values_and_what_was_put_in(demo, tmp_path):
    toml = demo / "household.toml"
    table = PATH.replace("ira", "maya-roth").replace("2026-03-09", "2025-11-01")
    toml.write_text(toml.read_text() + table)
    ended = trimtab("contribute", "--folder", demo, "--chart", tmp_path / "path.png")
    assert ended.status == 0, ended.err
    assert (tmp_path / "path.png").read_bytes().startswith(b"\x89PNG")


def _picture(house: House, path: Path) -> str:
    look = today(house, run_once(house, executes=False))
    draw_paths(value_paths(house, look), "USD", look.snapshot.at.date(), path)
    return path.read_text()


def test_a_picture_shows_what_a_period_put_in_and_what_it_did_not_in_black_and_white(tmp_path):
    house = _house(PATH.replace("1000", "2000"), ira="700")
    drawn = _picture(house, tmp_path / "before.svg")
    assert ("asked for and not put in" in drawn, "<!-- put in -->" in drawn) == (True, False)
    run_once(house, executes=True)
    _clock(house).at += dt.timedelta(days=35)
    run_once(house, executes=True)
    drawn = _picture(house, tmp_path / "after.svg")
    assert "<!-- put in -->" in drawn
    for svg in tmp_path.iterdir():
        colors = {one.lower() for one in re.findall("#[0-9a-fA-F]{6}", svg.read_text())}
        assert all(one[1:3] == one[3:5] == one[5:7] for one in colors), colors


def test_the_values_of_a_path_are_those_at_the_looks_of_past_days():
    house = _house(PATH, ira="5000")
    run_once(house, executes=True)
    _clock(house).at += dt.timedelta(days=35)
    _set_prices(house, VTI="110")
    look = today(house, run_once(house, executes=False))
    (path,) = value_paths(house, look)
    (first, before), (second, now) = path.values
    assert (first, second) == (dt.date(2026, 3, 9), dt.date(2026, 4, 13))
    assert 900 <= before <= 1000
    held = [lot for lot in look.snapshot.lots if lot.account == "ira"]
    assert now == sum(lot.quantity * look.snapshot.price(lot.symbol) for lot in held)
    assert [goal for _, goal in path.goals[:2]] == [1000, 2000]
    done, still_open = path.put_in
    assert (done.day, done.short) == (first, None)
    assert (still_open.day, still_open.amount) == (dt.date(2026, 4, 9), ZERO)
    assert still_open.short == 2000 - now


def test_a_loss_that_the_plan_of_now_takes_is_not_spoiled_by_new_money():
    house = _house('[plan]\nharvests = "always"\n', vti="400")
    lots = (lot("taxable", "VTI", "400", "54000", "2020-01-02"), house.openings["taxable"].lots[1])
    house = house_of(
        [*lots, *house.openings["wallet"].lots],
        {"taxable": "1000", "ira": "0"},
        FixedPrices(PRICES),
        toml=TOML + '[plan]\nharvests = "always"\n',
    )
    look = today(house, run_once(house, executes=False))
    assert look.decision.plan is not None
    sold = {trade.symbol for trade in look.decision.plan.trades if trade.side is Side.SELL}
    assert "VTI" in sold
    found = contribute(house, look, Decimal(9_000), "ira")
    (stocks,) = [place for place in found.places if place.asset_class == "stocks"]
    assert stocks.symbol == "ITOT"
    assert stocks.why.endswith("The plan of now takes that loss.")
