"""The tax pages on small histories: what they add up, what they say, and what they draw."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules.tax import trades as plain
from tests.rules.tax.trades import ACCOUNTS, day, ledger_of, plan

from trimtab.adapters.identity import read_identity
from trimtab.adapters.law import read_law
from trimtab.apps.cli.terminal import plain_lines
from trimtab.apps.tax_source import TaxSource, returns_of
from trimtab.apps.tax_wash import wash_report
from trimtab.apps.tax_year import Given, years
from trimtab.apps.views.page import Table, widths
from trimtab.apps.views.tax_calendar import bar, calendar_document, calendar_page, last_sale_day
from trimtab.apps.views.tax_calendar_picture import draw_calendar
from trimtab.apps.views.tax_gains import gains_document, gains_page, held_of, total_of
from trimtab.apps.views.tax_wash import wash_document, wash_page
from trimtab.apps.views.tax_year import year_document, year_page
from trimtab.domain.errors import InputError
from trimtab.domain.history import Transaction, TransactionKind, WashRule
from trimtab.domain.policy import TaxRule
from trimtab.rules.tax.calendar import Window, WindowKind, wash_calendar

IDENTITY, LAW = read_identity(), read_law()
GROUPS = IDENTITY.groups("same_index")
TAX = TaxRule(
    filing_status="married_filing_jointly",
    short_term_rate=Decimal("0.3"),
    long_term_rate=Decimal("0.15"),
    identical=GROUPS,
)


def buy(lot, quantity, price, on, **rest):
    return plain.buy(lot, quantity, price, day(on), **rest)


def sell(name, quantity, price, on, **rest):
    return plain.sell(name, quantity, price, day(on), **rest)


def source_of(*transactions, today="2026-06-30", tax=TAX, prices=(), purchases=()):
    rule = WashRule(groups=GROUPS, exempt=frozenset({"BTC-USD"}))
    roles = {account.owner: account.role for account in ACCOUNTS.values()}
    return TaxSource(
        title="Test",
        currency="USD",
        ledger=ledger_of(*transactions, rule=rule),
        accounts=dict(ACCOUNTS),
        returns=returns_of(roles, tax.filing_status),
        is_household=tax is not None and bool(tax.identical),
        tax=tax,
        identity=IDENTITY,
        level="same_index",
        groups=GROUPS,
        law=LAW,
        today=day(today),
        prices={symbol: Decimal(price) for symbol, price in dict(prices).items()},
        purchases=purchases,
    )


def text(page):
    return "\n".join(plain_lines(page))


def gains(source):
    return held_of(source, source.prices, None, None)


def wash(source, year=None):
    return wash_report(source, year)


def the_year(source, year, only="household", **given):
    amounts = {name: Decimal(value) for name, value in given.items()}
    (one,) = years(source, year, Given(**amounts), only)
    return one


WASHED = (
    buy("old", 10, 100, "2026-01-05"),
    sell("s1", 10, 80, "2026-03-02"),
    buy("new", 6, 82, "2026-03-10", symbol="IVV"),
    buy("ira1", 2, 82, "2026-03-12", account="ira"),
)
"""Six of ten shares are replaced in another fund on the index, two in an IRA, two not yet."""


# ---------------------------------------------------------------------- gains


def test_a_washed_lot_shows_its_deferred_loss_and_the_holding_period_it_took_over():
    source = source_of(*WASHED, prices={"IVV": 90, "VOO": 90})
    document = gains_document(source, gains(source))
    lot = next(one for one in document.lots if one.symbol == "IVV")
    assert (lot.paid, lot.basis, lot.value, lot.gain) == ("492.00", "612.00", "540.00", "-72.00")
    assert (lot.acquired, lot.holding_since) == (day("2026-03-10"), day("2026-01-13"))
    assert (lot.term, lot.long_from) == ("short", day("2027-01-14"))
    assert document.deferred == "120.00"
    assert "120.00 in IVV" in text(gains_page(source, gains(source), ""))


def test_a_retirement_account_has_no_term_and_no_deferred_loss():
    source = source_of(*WASHED, prices={"VOO": 90})
    lot = next(one for one in gains_document(source, gains(source)).lots if one.account == "ira")
    assert (lot.is_taxed, lot.term, lot.long_from, lot.basis) == (False, None, None, "164.00")


def test_totals_are_by_the_term_of_a_sale_today_and_keep_gains_from_losses():
    source = source_of(
        buy("a", 10, 100, "2025-06-29"),
        buy("b", 10, 100, "2025-06-30"),
        buy("c", 10, 130, "2026-01-05"),
        buy("d", 10, 100, "2026-01-05", account="401k"),
        prices={"VOO": 120},
    )
    totals = {one.term: one for one in gains_document(source, gains(source)).totals}
    assert totals["long"].gain == "200.00"
    assert (totals["short"].gains, totals["short"].losses) == ("200.00", "-100.00")
    assert totals["untaxed"].value == "1200.00"


def test_the_day_on_which_a_lot_turns_long_is_told_ahead():
    source = source_of(buy("a", 10, 100, "2025-06-30"), prices={"VOO": 120})
    assert "long term from 2026-07-01, in 1 day." in text(gains_page(source, gains(source), ""))


def test_what_has_no_price_is_named_and_left_out_of_value_and_gain():
    source = source_of(
        buy("a", 10, 100, "2026-01-05"),
        buy("b", 10, 50, "2026-01-05", symbol="BND"),
        prices={"VOO": 120},
    )
    held = gains(source)
    assert gains_document(source, held).unpriced == ("BND",)
    assert [total_of(held).basis, total_of(held).value] == [1500, 1200]
    assert "--price BND=" in text(gains_page(source, held, ""))


def test_a_household_that_holds_nothing_is_told_what_to_do():
    source = source_of(buy("a", 1, 100, "2026-01-05"), sell("s", 1, 120, "2026-02-05"))
    assert "Nothing is held in Test: list what you own" in text(gains_page(source, (), ""))
    assert "Nothing of VTI is held on" in text(gains_page(source, (), "of VTI"))


# ---------------------------------------------------------------------- wash


def test_each_match_says_which_loss_which_replacement_and_where_the_basis_went():
    source = source_of(*WASHED)
    first, second = wash_document(source, wash(source)).matches
    assert (first.lot_id, first.replacement_lot_id, first.disallowed) == ("old", "new", "120.00")
    assert (first.is_permanent, first.basis_in) == (False, "held")
    assert (second.replacement_account, second.disallowed) == ("ira", "40.00")
    assert (second.is_permanent, second.basis_in) == (True, "none")


def test_a_deferred_loss_whose_lot_was_sold_is_no_longer_in_a_lot():
    later = sell("s2", 6, 120, "2026-06-01", symbol="IVV")
    report = wash(source_of(*WASHED, later))
    assert report.became == ("not held", "none")
    assert report.in_lots == 0


def test_a_deferred_loss_whose_lot_was_sold_in_part_is_partly_held():
    report = wash(source_of(*WASHED, sell("s2", 4, 120, "2026-06-01", symbol="IVV")))
    assert report.became[0] == "partly held"
    assert report.in_lots == 40


def test_records_without_a_sale_are_told_where_earlier_sales_go():
    source = source_of(buy("a", 1, 100, "2026-01-05"))
    page = text(wash_page(source, wash(source)))
    assert page.startswith("Nothing was sold in the records")
    assert "household.toml" in page


def test_the_totals_of_a_year_divide_what_is_put_off_from_what_is_lost():
    source = source_of(*WASHED)
    (year,) = wash_document(source, wash(source)).years
    assert (year.year, year.disallowed, year.deferred, year.permanent) == (
        *(2026, "160.00"),
        *("120.00", "40.00"),
    )


def test_a_loss_waits_until_the_thirtieth_day_and_no_longer():
    waiting = wash(source_of(*WASHED, today="2026-04-01")).waiting
    assert [(one.quantity, one.loss, one.ends) for one in waiting] == [(2, 40, day("2026-04-01"))]
    assert wash(source_of(*WASHED, today="2026-04-02")).waiting == ()


def test_a_planned_purchase_that_would_wash_a_waiting_loss_is_named():
    purchases = (plan(day("2026-03-20")),)
    report = wash(source_of(*WASHED, today="2026-03-15", purchases=purchases))
    assert len(report.planned) == 1
    assert "planned in ira for 2026-03-20" in report.planned[0]
    assert wash(source_of(*WASHED, today="2026-03-15")).planned == ()


def test_why_two_funds_count_as_identical_and_that_no_ruling_says_so():
    source = source_of(*WASHED)
    document = wash_document(source, wash(source))
    assert document.identical == (IDENTITY.why("IVV", "VOO", "same_index"),)
    assert len(document.warnings) == 1
    assert "No ruling says" in document.warnings[0]
    assert "household.toml" in document.warnings[0]


def test_an_index_known_from_memory_is_to_be_checked():
    assert IDENTITY.listings["DFUSX"].is_to_be_checked
    source = source_of(*WASHED[:2], buy("new", 6, 82, "2026-03-10", symbol="DFUSX"))
    warnings = wash_document(source, wash(source)).warnings
    assert len(warnings) == 2
    assert "DFUSX: its index is given from memory" in warnings[1]


def test_share_classes_of_one_fund_raise_no_open_question():
    source = source_of(*WASHED[:2], buy("new", 6, 82, "2026-03-10", symbol="VFIAX"))
    document = wash_document(source, wash(source))
    assert "one fund" in document.identical[0]
    assert document.warnings == ()


def test_symbols_of_a_group_of_ones_own_say_so():
    groups = (*GROUPS, ("AAA", "BBB"))
    rule = WashRule(groups=groups)
    trades = (
        buy("old", 10, 100, "2026-01-05", symbol="AAA"),
        sell("s1", 10, 80, "2026-03-02", symbol="AAA"),
        buy("new", 6, 82, "2026-03-10", symbol="BBB"),
    )
    source = source_of()._replace(ledger=ledger_of(*trades, rule=rule), groups=groups)
    document = wash_document(source, wash(source))
    assert "a group of your own" in document.identical[0]
    assert document.warnings == ()


def similar(*trades, tax=TAX):
    source = source_of(
        buy("old", 10, 100, "2026-01-05", symbol="VTI"),
        sell("s1", 10, 80, "2026-03-02", symbol="VTI"),
        *trades,
        tax=tax,
    )
    return [one for one in wash_document(source, wash(source)).warnings if "Not counted" in one]


def test_a_similar_fund_bought_near_a_loss_is_named_with_the_setting_that_would_count_it():
    (warning,) = similar(buy("new", 6, 82, "2026-03-10", symbol="ITOT", account="ira"))
    assert "6 ITOT in ira on 2026-03-10" in warning
    assert 'identity = "correlated" in [tax] of household.toml' in warning


@pytest.mark.parametrize(
    "trades",
    [
        pytest.param([buy("n", 6, 82, "2026-04-02", symbol="ITOT")], id="31 days later"),
        pytest.param([buy("n", 6, 82, "2026-03-10", symbol="BND")], id="something else"),
        pytest.param([buy("n", 6, 82, "2026-03-10", symbol="VTSAX")], id="identical"),
        pytest.param(
            [buy("n", 6, 82, "2026-03-10", symbol="ITOT", account="child")], id="another taxpayer"
        ),
        pytest.param(
            [
                buy("n", 6, 82, "2026-02-10", symbol="ITOT"),
                sell("s0", 6, 99, "2026-02-20", symbol="ITOT"),
            ],
            id="sold before the loss",
        ),
    ],
)
def test_nothing_else_is_named_as_similar(trades):
    assert similar(*trades) == []


@pytest.mark.parametrize("apart", [("VTI", "ITOT"), ("ITOT",)])
def test_what_the_household_sets_apart_is_not_named_as_similar(apart):
    bought = buy("new", 6, 82, "2026-03-10", symbol="ITOT")
    assert similar(bought, tax=replace(TAX, not_identical=(apart,))) == []


def test_many_similar_purchases_are_counted_and_not_all_listed():
    bought = [buy(f"n{at}", 1, 82, f"2026-03-{at}", symbol="ITOT") for at in range(10, 20)]
    (warning,) = similar(*bought)
    assert "2026-03-13 and 6 more, bought" in warning


def test_an_option_within_the_window_is_shown_for_review():
    option = Transaction(
        id="o",
        date=day("2026-03-05"),
        account="taxable",
        kind=TransactionKind.REVIEW,
        symbol="VOO",
        text="A call on VOO",
    )
    source = source_of(*WASHED[:2], option)
    assert "A call on VOO" in text(wash_page(source, wash(source)))
    assert len(wash_document(source, wash(source)).reviews) == 1


def test_a_loss_on_a_coin_is_said_to_be_exempt():
    trades = (
        buy("old", 1, 100, "2026-01-05", symbol="BTC-USD"),
        sell("s1", 1, 80, "2026-03-02", symbol="BTC-USD"),
        buy("new", 1, 82, "2026-03-03", symbol="BTC-USD"),
    )
    source = source_of(*trades)
    page = text(wash_page(source, wash(source)))
    assert page.startswith("No wash sale was found in the records.")
    assert "Notice 2014-21" in page


def test_a_washed_loss_of_one_spouse_by_the_other_on_separate_returns_is_marked():
    trades = (*WASHED[:2], buy("his", 6, 82, "2026-03-10", account="joint"))
    separate = replace(TAX, filing_status="married_filing_separately")
    source = source_of(*trades, tax=separate)
    assert "no authority was found" in text(wash_page(source, wash(source)))
    assert "no authority was found" not in text(
        wash_page(source_of(*trades), wash(source_of(*trades)))
    )


# ---------------------------------------------------------------------- year


def test_schedule_d_and_the_carryover_worksheet_of_a_large_loss():
    source = source_of(
        buy("a", 100, 100, "2025-01-06"),
        buy("b", 100, 100, "2026-02-02", symbol="BND"),
        sell("s1", 100, 40, "2026-04-01"),
        sell("s2", 100, 90, "2026-04-01", symbol="BND"),
    )
    one = the_year(source, 2026)
    netting = one.totals.netting
    assert (netting.line7, netting.line15) == (-1000, -6000)
    assert (netting.line16, netting.line21) == (-7000, 3000)
    page = text(year_page(source, 2026, [one]))
    assert "Carried into 2027: short term 0.00, long term 4,000.00." in page
    assert "long-term loss carried over, line 9 less line 12" in page


def test_what_one_year_carries_comes_into_the_next():
    source = source_of(
        buy("a", 100, 100, "2024-01-05"),
        sell("s1", 100, 40, "2025-04-01"),
        buy("b", 10, 100, "2026-01-05", symbol="BND"),
        sell("s2", 10, 150, "2026-04-01", symbol="BND"),
    )
    one = the_year(source, 2026)
    assert one.carried_in.lt == 3000
    assert one.totals.netting.line16 == 500 - 3000
    assert any("computed from the sales of the years before" in each for each in one.remarks)


def test_a_carryover_that_was_told_replaces_what_earlier_records_would_carry():
    trades = (
        buy("a", 100, 100, "2024-01-05"),
        sell("s1", 100, 40, "2025-04-01"),
    )
    told = replace(TAX, short_carryover=Decimal(500), carryover_into=2026)
    one = the_year(source_of(*trades, tax=told), 2026)
    assert (one.carried_in.st, one.carried_in.lt) == (500, 0)
    by_option = the_year(source_of(*trades, tax=told), 2026, carry_long="700")
    assert (by_option.carried_in.st, by_option.carried_in.lt) == (0, 700)


def test_a_carryover_into_an_earlier_year_runs_through_the_years_between():
    told = replace(TAX, long_carryover=Decimal(10_000), carryover_into=2024)
    one = the_year(source_of(tax=told), 2026)
    assert one.carried_in.lt == 10_000 - 2 * 3_000


def test_a_carryover_without_its_year_is_left_out_and_said():
    told = replace(TAX, short_carryover=Decimal(500))
    one = the_year(source_of(tax=told), 2026)
    assert one.carried_in.st == 0
    assert any("carryover_into does not say" in each for each in one.remarks)


def test_the_tax_needs_both_incomes_and_says_which_is_missing():
    source = source_of(*WASHED)
    one = the_year(source, 2026, income="150000")
    assert one.tax is None
    assert "give --magi," in one.no_tax_because
    assert "--income" not in one.no_tax_because


def test_incomes_of_the_household_file_give_the_tax_and_its_rates():
    told = replace(TAX, ordinary_income=Decimal(150_000), magi=Decimal(180_000))
    source = source_of(buy("a", 10, 100, "2026-01-05"), sell("s", 10, 150, "2026-04-01"), tax=told)
    (one, *_) = year_document(source, 2026, [the_year(source, 2026)]).returns
    assert one.tax is not None
    assert (one.tax.short_term, one.tax.total) == ("110.00", "110.00")
    assert (one.tax.short_rate, one.tax.long_rate) == ("0.22", "0.15")


def test_a_loss_beyond_a_small_income_is_carried_on():
    source = source_of(buy("a", 100, 100, "2026-01-05"), sell("s", 100, 60, "2026-04-01"))
    enough = the_year(source, 2026, income="50000", magi="60000").totals.netting
    small = the_year(source, 2026, income="1000", magi="20000").totals.netting
    assert (enough.carry_st, small.carry_st) == (1000, 3000)


def test_a_year_whose_law_is_unknown_is_netted_and_its_brackets_refused():
    source = source_of(buy("a", 10, 100, "2022-01-05"), sell("s", 10, 150, "2023-04-01"))
    one = the_year(source, 2023, income="50000", magi="60000")
    assert one.totals.net == 500
    assert one.tax is None
    assert one.no_tax_because.startswith("No brackets are applied: the federal tax figures of 2023")


@pytest.mark.parametrize(
    ("on", "is_provisional"), [("2027-01-30", True), ("2027-01-31", False)], ids=str
)
def test_a_year_is_provisional_until_the_end_of_january(on, is_provisional):
    source = source_of(*WASHED, today=on)
    document = year_document(source, 2026, [the_year(source, 2026)])
    assert document.is_provisional is is_provisional
    assert any("provisional until" in note for note in document.notes) is is_provisional


def test_a_december_loss_that_january_can_wash_is_named():
    source = source_of(
        buy("a", 10, 100, "2025-01-06"), sell("s", 10, 80, "2025-12-20"), today="2026-01-10"
    )
    page = text(year_page(source, 2025, [the_year(source, 2025)]))
    assert "provisional until 2026-01-31: 200.00 USD of its losses on VOO" in page


def test_long_term_gains_on_metal_are_flagged():
    source = source_of(
        buy("a", 10, 100, "2024-01-05", symbol="GLD"),
        sell("s", 10, 150, "2026-04-01", symbol="GLD"),
    )
    one = the_year(source, 2026)
    assert one.metals == ("GLD",)
    assert "28 %" in text(year_page(source, 2026, [one]))


def dividend(on, per_share="1", quantity="0", account="taxable"):
    return Transaction(
        id=f"d{on}",
        date=day(on),
        account=account,
        kind=TransactionKind.DIVIDEND,
        symbol="VOO",
        per_share=Decimal(per_share),
        quantity=Decimal(quantity),
    )


def test_only_dividends_on_units_held_long_enough_qualify():
    source = source_of(
        buy("a", 10, 100, "2025-10-01"),
        buy("b", 5, 100, "2026-02-20"),
        dividend("2026-03-02"),
        buy("c", 7, 100, "2025-10-01", account="ira"),
        dividend("2026-03-02", account="ira"),
        sell("s", 5, 101, "2026-04-01", method="lifo"),
    )
    paid = the_year(source, 2026).dividends
    assert (paid.total, paid.qualified) == (15, 10)


def test_a_dividend_on_other_units_than_the_records_show_qualifies_in_proportion():
    source = source_of(buy("a", 10, 100, "2025-10-01"), dividend("2026-03-02", quantity="20"))
    paid = the_year(source, 2026).dividends
    assert (paid.total, paid.qualified) == (20, 20)
    assert "was paid on 20 units and the records show 10" in paid.remarks[0]


def test_a_dividend_whose_window_is_open_qualifies_only_if_units_are_kept():
    trades = (buy("a", 10, 100, "2025-10-01"), dividend("2026-03-02"))
    early = the_year(source_of(*trades, today="2026-05-01"), 2026).dividends
    late = the_year(source_of(*trades, today="2026-05-02"), 2026).dividends
    assert "2026-05-01 settles it" in early.remarks[0]
    assert late.remarks == ()


def test_incomes_belong_to_one_return_and_with_several_it_must_be_named():
    source = source_of(*WASHED, tax=replace(TAX, filing_status="married_filing_separately"))
    given = Given(income=Decimal(50_000), magi=Decimal(60_000))
    with pytest.raises(InputError, match="say whose, --return anna or --return ben"):
        years(source, 2026, given)
    (one,) = years(source, 2026, given, "anna")
    assert one.tax is not None
    with pytest.raises(InputError, match="no return of 'zoe'"):
        years(source, 2026, given, "zoe")


def test_separate_returns_limit_the_loss_and_mark_the_open_question():
    source = source_of(
        buy("a", 100, 100, "2026-01-05"),
        sell("s", 100, 60, "2026-04-01"),
        tax=replace(TAX, filing_status="married_filing_separately"),
    )
    one = the_year(source, 2026, "anna")
    assert one.totals.netting.line21 == 1500
    assert any("no authority was found" in remark for remark in one.remarks)


def test_another_owner_files_a_return_alone():
    source = source_of(
        buy("a", 10, 100, "2026-01-05", account="child"),
        sell("s", 10, 120, "2026-04-01", account="child"),
    )
    household, kim = years(source, 2026, Given())
    assert (household.of.id, household.rows, kim.of.id) == ("household", (), "kim")
    assert kim.totals.net == 200


def test_a_year_without_sales_names_the_years_that_have_some():
    source = source_of(*WASHED)
    page = text(year_page(source, 2024, [the_year(source, 2024)]))
    assert "Nothing was sold in 2024; the records show sales in 2026." in page


# ---------------------------------------------------------------------- calendar


def calendar_of(source, days=61):
    until = source.today + dt.timedelta(days=days)
    return wash_calendar(source.ledger, source.today, until, source.purchases)


def window(kind, on):
    return Window(kind=kind, symbol="VOO", account="taxable", day=day(on), sentence="")


def test_a_bar_covers_the_thirtieth_day_and_not_the_next():
    loss = window(WindowKind.LOSS, "2026-03-02")
    assert bar(loss, day("2026-03-31"), day("2026-04-03")) == "##.."
    planned = window(WindowKind.PLANNED, "2026-06-01")
    assert bar(planned, day("2026-04-30"), day("2026-06-02")) == ".." + "-" * 30 + "o-"


def test_a_long_bar_lets_a_character_stand_for_several_days_and_hides_none():
    loss = window(WindowKind.LOSS, "2026-03-02")
    drawn = bar(loss, day("2026-03-31"), day("2026-08-28"))
    assert len(drawn) <= 63
    assert drawn.startswith("#.")


def test_the_page_says_from_when_to_buy_and_when_to_take_a_loss():
    trades = (buy("a", 10, 100, "2026-06-10"), sell("s", 4, 90, "2026-06-20"))
    source = source_of(*trades)
    page = text(calendar_page(source, calendar_of(source)))
    assert "VOO      2026-07-21  2026-07-11" in page
    assert "#####################." in page
    assert "===========o" not in page
    assert "today" in page


def test_a_gap_for_a_loss_ends_before_the_window_of_a_planned_purchase():
    source = source_of(buy("a", 10, 100, "2026-01-05"), purchases=(plan(day("2026-08-20")),))
    (group,) = calendar_of(source).groups
    assert last_sale_day(group) == day("2026-07-20")
    assert "now to 2026-07-20" in text(calendar_page(source, calendar_of(source)))


def test_the_document_has_each_window_with_its_days():
    source = source_of(*WASHED, today="2026-03-20", purchases=(plan(day("2026-04-10")),))
    (group,) = calendar_document(source, calendar_of(source)).groups
    kinds = [one.kind for one in group.windows]
    assert kinds == ["loss", "planned"]
    loss, planned = group.windows
    assert (loss.begins, loss.ends, loss.free_from) == (
        *(day("2026-01-31"), day("2026-04-01")),
        day("2026-04-02"),
    )
    assert (loss.loss, planned.loss, planned.quantity) == ("40.00", None, None)


def test_a_calendar_in_which_nothing_binds_says_so():
    source = source_of(*WASHED, today="2026-06-30")
    assert text(calendar_page(source, calendar_of(source))).startswith("No window binds on")


def test_the_picture_is_the_same_each_time_and_names_every_symbol(tmp_path):
    pytest.importorskip("matplotlib")
    source = source_of(*WASHED, today="2026-03-20", purchases=(plan(day("2026-04-10")),))
    for name in ("one.svg", "two.svg"):
        draw_calendar(calendar_of(source), tmp_path / name)
    drawn = (tmp_path / "one.svg").read_text()
    assert drawn == (tmp_path / "two.svg").read_text()
    assert "<svg" in drawn


def test_a_picture_that_cannot_be_written_is_refused_in_a_sentence(tmp_path):
    pytest.importorskip("matplotlib")
    source = source_of(*WASHED, today="2026-03-20")
    for path, why in (
        (tmp_path / "no" / "one.svg", "there is no folder"),
        (tmp_path / "one.nonsense", r"name a \.svg or \.png file"),
    ):
        with pytest.raises(InputError, match=why):
            draw_calendar(calendar_of(source), path)


# ---------------------------------------------------------------------- all of them


def test_every_page_is_plain_ascii_fits_100_columns_and_ends_with_the_notes():
    purchases = (plan(day("2026-04-10"), account="401k"),)
    source = source_of(*WASHED, today="2026-03-20", prices={"VOO": 90}, purchases=purchases)
    pages = [
        gains_page(source, gains(source), ""),
        wash_page(source, wash(source)),
        year_page(source, 2026, [the_year(source, 2026, income="150000", magi="160000")]),
        calendar_page(source, calendar_of(source)),
    ]
    for page in pages:
        assert text(page).isascii()
        assert text(page).endswith("- This is not tax advice.")
        for table in page:
            if isinstance(table, Table):
                fixed = [
                    size
                    for column, size in zip(table.columns, widths(table), strict=True)
                    if column.spare == 0
                ]
                assert sum(fixed) + 2 * (len(fixed) - 1) <= 100


def test_remarks_on_the_files_and_gaps_in_the_records_are_among_the_notes():
    source = source_of(*WASHED, today="2026-03-11")._replace(
        notes=("A line was left out.",), incomplete={"ira": "no file since May"}
    )
    page = text(gains_page(source, gains(source), ""))
    assert "A line was left out." in page
    assert "The records of ira may not be whole: no file since May." in page
    assert "The records go until 2026-03-12" in page
