"""Before a trade: would it be a wash sale, of how much, and when would it be none?"""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.tax.histories import histories
from tests.rules.tax.trades import buy, later, ledger_of, plan, sell

from trimtab.domain.errors import InputError
from trimtab.domain.history import Transaction, TransactionKind, WashRule
from trimtab.rules.tax.guard import GuardState, Outlook, guard_purchase, guard_sale
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.locks import purchase_locks, recent_purchases
from trimtab.rules.tax.preview import PURCHASES, preview_purchase

ON = dt.date(2026, 3, 9)
LONG_AGO = later(ON, -500)
OLD = buy("old", 10, 100, LONG_AGO)
LOSS = sell("now", 10, 80, ON)


# ------------------------------------------------------------------ sales


def test_an_old_lot_that_nobody_bought_since_is_clear_in_the_records_provided():
    guarded = guard_sale(ledger_of(OLD), LOSS)
    assert guarded.state is GuardState.CLEAR
    assert guarded.sentence == (
        "Selling 10 VOO in taxable on 2026-03-09 realizes a loss of 200.00 USD: clear in the "
        "records provided."
    )
    assert figures(guarded) == (0, 0, 0)
    assert guarded.first_safe_day == ON


def test_a_purchase_of_the_spouse_in_a_fund_on_the_same_index_washes_a_part():
    ledger = ledger_of(OLD, buy("his", 4, 90, later(ON, -7), account="joint", symbol="IVV"))
    guarded = guard_sale(ledger, LOSS)
    assert guarded.state is GuardState.PARTLY
    assert figures(guarded) == (4, 80, 0)
    assert guarded.first_safe_day == dt.date(2026, 4, 2)
    (finding,) = guarded.findings
    assert finding == (
        "4 IVV of lot his, bought in joint on 2026-03-02, would replace VOO of lot old, sold in "
        "taxable on 2026-03-09: 80.00 USD is deferred."
    )
    assert guarded.sentence == (
        "Selling 10 VOO in taxable on 2026-03-09 realizes a loss of 200.00 USD: partly; 4 of the "
        "10 shares at a loss would be replaced, which disallows 80.00 USD, deferred into the basis "
        "of the replacement; the first safe day is 2026-04-02."
    )


def test_a_purchase_in_an_ira_blocks_the_loss_and_destroys_it():
    ledger = ledger_of(OLD, buy("r", 12, 90, later(ON, -30), account="ira"))
    guarded = guard_sale(ledger, LOSS)
    assert guarded.state is GuardState.BLOCKED
    assert figures(guarded) == (10, 0, 200)
    assert "lost for good" in guarded.sentence
    assert guarded.first_safe_day == later(ON, 1)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([buy("k", 10, 90, ON, account="child")], id="somebody else bought"),
        pytest.param([buy("k", 10, 90, later(ON, -31))], id="31 days ago"),
        pytest.param([buy("k", 10, 90, ON, symbol="VTI")], id="another index"),
        pytest.param(
            [buy("k", 9, 90, later(ON, -5)), sell("g", 9, 95, later(ON, -1), method="lifo")],
            id="bought since, but sold before",
        ),
    ],
)
def test_some_purchases_wash_nothing(history):
    guarded = guard_sale(ledger_of(OLD, *history), replace(LOSS, method="fifo"))
    assert guarded.state is GuardState.CLEAR


def test_fills_of_one_order_do_not_replace_each_other():
    fills = [buy(name, 5, 100, later(ON, -3), order="one") for name in ("a", "b")]
    assert guard_sale(ledger_of(*fills), sell("s", 5, 80, ON)).state is GuardState.CLEAR


@pytest.mark.parametrize(
    ("ledger", "sale", "words"),
    [
        pytest.param(
            ledger_of(OLD, buy("r", 10, 90, ON, account="ira")),
            sell("s", 10, 120, ON),
            "realizes no loss: clear",
            id="a sale at a gain",
        ),
        pytest.param(
            ledger_of(buy("o", 10, 100, LONG_AGO, account="ira"), buy("r", 10, 90, ON)),
            sell("s", 10, 80, ON, account="ira"),
            "a loss in this account is none for tax",
            id="a sale in an IRA",
        ),
        pytest.param(
            ledger_of(
                buy("o", 1, 100, LONG_AGO, symbol="BTC-USD"), buy("r", 1, 90, ON, symbol="BTC-USD")
            ),
            sell("s", 1, 80, ON, symbol="BTC-USD"),
            "which section 1091 does not reach",
            id="coins",
        ),
    ],
)
def test_what_realizes_no_loss_is_clear(ledger, sale, words):
    outlook = Outlook(purchases=(plan(ON),), incomplete={"401k": "no file"})
    guarded = guard_sale(ledger, sale, outlook)
    assert guarded.state is GuardState.CLEAR
    assert words in guarded.sentence


def test_a_gain_is_only_one_as_far_as_the_lots_are_known():
    outlook = Outlook(incomplete={"taxable": "positions without lots"})
    guarded = guard_sale(ledger_of(OLD), sell("s", 10, 120, ON), outlook)
    assert guarded.state is GuardState.INCOMPLETE


# ------------------------------------------------------------------ what is planned


def test_a_contribution_planned_for_an_ira_would_destroy_the_loss():
    outlook = Outlook(purchases=(plan(later(ON, 30)),))
    guarded = guard_sale(ledger_of(OLD), LOSS, outlook)
    assert guarded.state is GuardState.BLOCKED
    assert guarded.permanent == 200
    assert guarded.first_safe_day == later(ON, 61)
    (finding,) = guarded.findings
    assert finding == (
        "The purchase of VOO planned in ira for 2026-04-08 would replace about 10 shares: "
        "200.00 USD is lost for good."
    )


def test_a_planned_amount_replaces_as_many_shares_as_it_buys_at_todays_price():
    outlook = Outlook(
        purchases=(plan(later(ON, 3), symbol="IVV", amount="300"),), prices={"IVV": Decimal(75)}
    )
    guarded = guard_sale(ledger_of(OLD), LOSS, outlook)
    assert guarded.state is GuardState.PARTLY
    assert figures(guarded) == (4, 0, 80)


def test_an_amount_whose_price_is_not_known_may_be_any_number_of_shares():
    outlook = Outlook(purchases=(plan(later(ON, 3), amount="300"),))
    assert guard_sale(ledger_of(OLD), LOSS, outlook).state is GuardState.BLOCKED


@pytest.mark.parametrize(
    "purchase",
    [
        pytest.param(plan(later(ON, 31)), id="31 days later"),
        pytest.param(plan(later(ON, -34)), id="34 days ago, a weekend included"),
        pytest.param(plan(later(ON, 3), symbol="VTI"), id="another index"),
        pytest.param(plan(later(ON, 3), account="child"), id="somebody else"),
    ],
)
def test_some_planned_purchases_wash_nothing(purchase):
    guarded = guard_sale(ledger_of(OLD), LOSS, Outlook(purchases=(purchase,)))
    assert guarded.state is GuardState.CLEAR


def test_a_planned_purchase_that_no_record_shows_counts_until_a_record_shows_it():
    outlook = Outlook(purchases=(plan(later(ON, -9), account="taxable"),))
    assert guard_sale(ledger_of(OLD), LOSS, outlook).state is GuardState.BLOCKED
    booked = buy("booked", 1, 90, later(ON, -7))
    guarded = guard_sale(ledger_of(OLD, booked), LOSS, outlook)
    assert guarded.state is GuardState.PARTLY
    assert guarded.shares == 1


def test_a_purchase_planned_for_a_saturday_is_made_by_monday():
    saturday = dt.date(2026, 3, 14)
    guarded = guard_sale(ledger_of(OLD), LOSS, Outlook(purchases=(plan(saturday),)))
    assert guarded.first_safe_day == dt.date(2026, 3, 16) + dt.timedelta(days=31)


def test_with_a_purchase_every_month_no_day_is_safe():
    outlook = Outlook(purchases=(plan(ON, "month"),))
    guarded = guard_sale(ledger_of(OLD), LOSS, outlook)
    assert guarded.first_safe_day is None
    assert "as long as the purchases that are planned go on" in guarded.sentence


def test_between_two_quarterly_purchases_there_is_a_safe_day():
    outlook = Outlook(purchases=(plan(ON, "quarter"),))
    assert guard_sale(ledger_of(OLD), LOSS, outlook).first_safe_day == later(ON, 31)


def test_a_purchase_planned_in_an_account_that_nobody_described_is_refused():
    with pytest.raises(InputError, match="planned in '529'"):
        guard_sale(ledger_of(OLD), LOSS, Outlook(purchases=(plan(ON, account="529"),)))


# ------------------------------------------------------------------ coverage


@pytest.mark.parametrize(
    ("outlook", "words"),
    [
        pytest.param(
            Outlook(reinvesting=frozenset({"joint"})),
            "joint reinvests the dividends of IVV on days that are not known",
            id="an account that reinvests",
        ),
        pytest.param(
            Outlook(incomplete={"401k": "its last file is of 2025-12-31"}),
            "the records of 401k may not be whole: its last file is of 2025-12-31.",
            id="a file that is old",
        ),
        pytest.param(
            Outlook(incomplete={"529": "no file was given"}),
            "the records of 529 may not be whole: no file was given.",
            id="an account that was never seen",
        ),
        pytest.param(
            Outlook(
                to_review=(
                    Transaction(
                        id="call",
                        date=later(ON, -3),
                        account="joint",
                        kind=TransactionKind.REVIEW,
                        symbol="SPY",
                        text="A call option",
                    ),
                )
            ),
            "A call option of 2026-03-06 in joint is within 30 days and not judged here",
            id="an option",
        ),
    ],
)
def test_where_the_records_may_lack_something_the_coverage_is_incomplete(outlook, words):
    ledger = ledger_of(OLD, buy("his", 4, 90, later(ON, -60), account="joint", symbol="IVV"))
    guarded = guard_sale(ledger, LOSS, outlook)
    assert guarded.state is GuardState.INCOMPLETE
    assert words in guarded.sentence
    assert guarded.shares == 0


def test_what_the_records_lack_does_not_hide_what_they_show():
    ledger = ledger_of(OLD, buy("r", 4, 90, later(ON, -3), account="ira"))
    guarded = guard_sale(ledger, LOSS, Outlook(incomplete={"401k": "no file"}))
    assert guarded.state is GuardState.PARTLY
    assert "Coverage is incomplete, too: the records of 401k" in guarded.sentence


@pytest.mark.parametrize(
    "outlook",
    [
        pytest.param(Outlook(reinvesting=frozenset({"joint"})), id="holds nothing identical"),
        pytest.param(Outlook(reinvesting=frozenset({"child"})), id="somebody else reinvests"),
        pytest.param(Outlook(incomplete={"child": "no file"}), id="somebody else's records"),
    ],
)
def test_some_gaps_concern_nobody(outlook):
    ledger = ledger_of(OLD, buy("k", 4, 90, later(ON, -60), account="child"))
    assert guard_sale(ledger, LOSS, outlook).state is GuardState.CLEAR


def test_the_guard_never_promises_that_there_is_no_wash_sale():
    ledger = ledger_of(OLD, buy("r", 4, 90, later(ON, -3), account="ira"))
    for sale in (LOSS, replace(LOSS, amount=Decimal(2000))):
        for outlook in (Outlook(), Outlook(incomplete={"401k": "no file"})):
            assert "no wash sale" not in guard_sale(ledger, sale, outlook).sentence.lower()


# ------------------------------------------------------------------ purchases


def test_a_purchase_that_washes_a_loss_already_taken_is_blocked():
    ledger = ledger_of(OLD, replace(LOSS, date=later(ON, -10)))
    guarded = guard_purchase(ledger, buy("new", 3, 85, ON, symbol="SPY"))
    assert guarded.state is GuardState.BLOCKED
    assert figures(guarded) == (3, 60, 0)
    assert guarded.first_safe_day == later(ON, 21)
    assert "3 SPY of lot new, bought in taxable on 2026-03-09, would replace" in guarded.findings[0]


def test_a_purchase_in_an_ira_would_destroy_the_loss_already_taken():
    ledger = ledger_of(OLD, replace(LOSS, date=later(ON, -10)))
    guarded = guard_purchase(ledger, buy("new", 30, 85, ON, account="ira"))
    assert figures(guarded) == (10, 0, 200)


def test_a_loss_that_is_washed_in_full_blocks_no_purchase():
    ledger = ledger_of(OLD, replace(LOSS, date=later(ON, -10)), buy("r", 10, 85, later(ON, -5)))
    guarded = guard_purchase(ledger, buy("new", 3, 85, ON))
    assert guarded.state is GuardState.CLEAR
    assert guarded.sentence == (
        "Buying 3 VOO in taxable on 2026-03-09: clear in the records provided."
    )


def test_only_gaps_in_taxed_accounts_leave_a_purchase_open():
    ledger = ledger_of(OLD)
    purchase = buy("new", 3, 85, ON)
    assert guard_purchase(ledger, purchase, Outlook(incomplete={"ira": "no file"})).state is (
        GuardState.CLEAR
    )
    assert guard_purchase(ledger, purchase, Outlook(incomplete={"joint": "no file"})).state is (
        GuardState.INCOMPLETE
    )


# ------------------------------------------------------------------ over random households


RHYTHMS = st.sampled_from(("once", "once", "two_weeks", "month", "quarter", "year"))


@given(histories(), st.integers(0, 10**6), RHYTHMS, st.integers(1, 60), st.booleans())
@settings(max_examples=200)
def test_the_first_safe_day_of_a_sale_is_clear_and_the_day_before_is_not(
    case, chance, every, days, is_planned
):
    ledger = replayed(case)
    sale = some_sale(ledger, chance)
    assume(sale is not None)
    rule = plan(later(sale.date, days), every, account="mine", symbol=sale.symbol)
    outlook = Outlook(purchases=(rule,) if is_planned else ())
    guarded = guard_sale(ledger, sale, outlook)
    safe = guarded.first_safe_day
    if safe is None:
        assert is_planned
        return
    assert guard_sale(ledger, replace(sale, date=safe), outlook).state is GuardState.CLEAR
    assert (safe == sale.date) == (guarded.state is GuardState.CLEAR)
    if safe > sale.date:
        before = guard_sale(ledger, replace(sale, date=later(safe, -1)), outlook)
        assert before.state in {GuardState.PARTLY, GuardState.BLOCKED}


@given(histories(), st.integers(0, 10**6), st.integers(0, 40))
@settings(max_examples=200)
def test_buying_on_the_first_safe_day_washes_nothing_and_the_day_before_it_does(case, chance, days):
    ledger = replayed(case)
    purchase = some_purchase(ledger, case, chance, later(ledger.until, days))
    guarded = guard_purchase(ledger, purchase)
    safe = guarded.first_safe_day
    assert safe is not None
    assert not preview_purchase(ledger, replace(purchase, date=safe))
    assert (safe == purchase.date) == (guarded.state is GuardState.CLEAR)
    if safe > purchase.date:
        assert preview_purchase(ledger, replace(purchase, date=later(safe, -1)))
    ledger.apply(replace(purchase, date=safe))
    assert ledger.matches() == replayed(case).matches()


@given(histories(), st.integers(0, 10**6), st.lists(st.integers(0, 30), min_size=1, max_size=3))
@settings(max_examples=200)
def test_a_sale_that_is_clear_is_not_washed_when_only_what_was_planned_is_bought(
    case, chance, days
):
    ledger = replayed(case)
    sale = some_sale(ledger, chance)
    assume(sale is not None)
    symbols = sorted({one.symbol for one in case.transactions})
    rules = tuple(
        plan(
            later(sale.date, ahead), account="mine", symbol=symbols[(chance + ahead) % len(symbols)]
        )
        for ahead in days
    )
    guarded = guard_sale(ledger, sale, Outlook(purchases=rules))
    ledger.apply(sale)
    for number, rule in enumerate(sorted(rules, key=lambda one: one.first)):
        ledger.apply(buy(f"plan-{number}", 50, 10, rule.first, account="mine", symbol=rule.symbol))
    washed = sum(row.disallowed for row in ledger.sales() if row.sale_id == sale.id)
    if guarded.state is GuardState.CLEAR:
        assert washed == 0
    assert washed <= guarded.dollars


# ------------------------------------------------------------------ locks for the planner


@pytest.mark.parametrize(
    ("days", "is_locked"),
    [
        pytest.param(0, True, id="the day of the sale"),
        pytest.param(30, True, id="the thirtieth day still counts"),
        pytest.param(31, False, id="the thirty-first is the first safe day"),
    ],
)
def test_what_was_sold_at_a_loss_locks_everything_identical_for_thirty_days(days, is_locked):
    locks = purchase_locks(ledger_of(OLD, LOSS), later(ON, days), ["VOO", "IVV", "VTI"])
    assert set(locks) == ({"VOO", "IVV"} if is_locked else set())
    if is_locked:
        assert (locks["IVV"].symbol, locks["IVV"].safe_from) == ("VOO", later(ON, 31))


def test_of_two_losses_the_later_one_locks():
    sales = [sell(f"{days}", 5, 80, later(ON, days)) for days in (0, 10)]
    locks = purchase_locks(ledger_of(OLD, *sales), later(ON, 12), ["VOO"])
    assert locks["VOO"].sold == later(ON, 10)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([OLD, replace(LOSS, amount=Decimal(1000))], id="neither gain nor loss"),
        pytest.param(
            [buy("o", 10, 100, LONG_AGO, account="ira"), replace(LOSS, account="ira")],
            id="a loss inside an IRA is none",
        ),
        pytest.param([OLD, LOSS, buy("r", 10, 80, ON)], id="a loss washed in full"),
    ],
)
def test_some_sales_lock_nothing(history):
    assert purchase_locks(ledger_of(*history), ON, ["VOO"]) == {}


@pytest.mark.parametrize(("days", "counts"), [(0, True), (30, True), (31, False)])
def test_a_purchase_of_the_last_thirty_days_would_wash_a_loss_of_today(days, counts):
    ledger = ledger_of(OLD, buy("r", 1, 90, later(ON, -days), account="ira", symbol="IVV"))
    found = recent_purchases(ledger, ON, ["VOO", "VTI"])
    assert ("VOO" in found) == counts
    assert "VTI" not in found


def test_a_purchase_counts_although_its_units_were_sold_since():
    ledger = ledger_of(
        buy("r", 1, 90, later(ON, -9), account="ira"),
        sell("s", 1, 95, later(ON, -2), account="ira"),
    )
    assert recent_purchases(ledger, ON, ["VOO"]) == {}
    (one,) = recent_purchases(ledger, ON, ["VOO"], ledger.sales())["VOO"]
    assert (one.account, one.acquired) == ("ira", later(ON, -9))


def test_units_that_have_replaced_a_loss_block_no_other_one():
    ledger = ledger_of(OLD, replace(LOSS, date=later(ON, -9)), buy("r", 10, 80, later(ON, -5)))
    assert recent_purchases(ledger, ON, ["VOO"], ledger.sales()) == {}


def test_a_purchase_knows_its_own_lots():
    fills = [buy(name, 5, 100, later(ON, -3), order="one") for name in ("a", "b")]
    ledger = ledger_of(OLD, *fills, sell("s", 2, 90, ON, method="lifo"))
    (one,) = recent_purchases(ledger, ON, ["VOO"], ledger.sales())["VOO"]
    assert one.covers("taxable", "a")
    assert one.covers("taxable", "b")
    assert not one.covers("ira", "a")
    assert not one.covers("taxable", "old")


def test_a_recent_purchase_of_coins_washes_nothing():
    ledger = ledger_of(buy("c", 1, 100, ON, symbol="BTC-USD"))
    assert recent_purchases(ledger, ON, ["BTC-USD"]) == {}


@given(histories(), st.integers(0, 10**6), st.integers(0, 40))
@settings(max_examples=150)
def test_what_the_planner_may_do_the_guard_calls_clear(case, chance, days):
    ledger = replayed(case)
    purchase = some_purchase(ledger, case, chance, later(ledger.until, days))
    buyer = ledger.accounts[purchase.account].taxpayer
    locks = purchase_locks(ledger, purchase.date, [purchase.symbol], buyer)
    if not locks:
        assert guard_purchase(ledger, purchase).state is GuardState.CLEAR
    sale = some_sale(ledger, chance)
    assume(sale is not None)
    seller = ledger.accounts[sale.account].taxpayer
    recent = recent_purchases(ledger, sale.date, [sale.symbol], ledger.sales(), seller)
    if not recent:
        assert guard_sale(ledger, sale).state is GuardState.CLEAR


def figures(guarded):
    return guarded.shares, guarded.deferred, guarded.permanent


def replayed(case):
    ledger = Ledger(case.accounts, case.rule, case.rates)
    ledger.extend(case.transactions)
    return ledger


def some_sale(ledger, chance):
    """A sale of something that the household holds, at a loss; None where it holds nothing."""
    lots = [lot for lot in ledger.lots() if ledger.accounts[lot.account].taxpayer == "household"]
    if not lots:
        return None
    lot = lots[chance % len(lots)]
    held = sum(
        (one.quantity for one in lots if (one.account, one.symbol) == (lot.account, lot.symbol)),
        Decimal(0),
    )
    quantity = lot.quantity if chance % 3 else held
    method = ("fifo", "lifo", "hifo")[chance % 3]
    return sell(
        "proposed",
        quantity,
        "0.5",
        ledger.until,
        account=lot.account,
        symbol=lot.symbol,
        method=method,
    )


def some_purchase(ledger, case, chance, on):
    before = [one for one in case.transactions if one.kind in PURCHASES | {TransactionKind.SELL}]
    like = before[chance % len(before)] if before else case.transactions[0]
    return buy("proposed", 3, 20, on, account=like.account, symbol=like.symbol)


def test_the_household_may_read_the_law_so_that_only_later_purchases_count():
    rule = WashRule(earlier_acquired=False)
    ledger = ledger_of(
        buy("first", 5, 100, later(ON, -9), account="joint"),
        buy("then", 5, 100, later(ON, -5)),
        rule=rule,
    )
    assert guard_sale(ledger, sell("s", 5, 80, ON)).state is GuardState.CLEAR
