"""The windows of 61 days that bind a household, group by group."""

import datetime as dt
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.tax.histories import histories
from tests.rules.tax.trades import buy, later, ledger_of, plan, sell

from trimtab.rules.tax.calendar import wash_calendar
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.locks import purchase_locks
from trimtab.rules.tax.preview import preview_purchase

ON = dt.date(2026, 3, 9)
OLD = buy("old", 10, 100, later(ON, -500))


def test_a_loss_forbids_purchases_until_its_thirtieth_day():
    ledger = ledger_of(OLD, sell("s", 4, 80, later(ON, -10)))
    (group,) = wash_calendar(ledger, ON, later(ON, 60)).groups
    (window,) = group.losses
    assert (window.begins, window.day, window.ends) == (
        later(ON, -40),
        later(ON, -10),
        later(ON, 20),
    )
    assert window.quantity == 4
    assert window.loss == 80
    assert window.free_from == later(ON, 21)
    assert (group.buy_from, group.sell_from) == (later(ON, 21), ON)
    assert window.sentence == (
        "4 VOO of lot old were sold in taxable on 2026-02-27 at a loss of 80.00 USD: buy nothing "
        "identical before 2026-03-30."
    )


def test_a_purchase_forbids_losses_until_its_thirtieth_day():
    ledger = ledger_of(OLD, buy("r", 2, 90, later(ON, -30), account="ira", symbol="IVV"))
    (group,) = wash_calendar(ledger, ON, later(ON, 60)).groups
    assert group.symbols == ("IVV", "VOO")
    assert [(one.symbol, one.account, one.day) for one in group.purchases] == [
        ("IVV", "ira", later(ON, -30))
    ]
    assert (group.buy_from, group.sell_from) == (ON, later(ON, 1))


def test_a_planned_purchase_forbids_losses_thirty_days_ahead_of_it():
    calendar = wash_calendar(ledger_of(OLD), ON, later(ON, 90), [plan(later(ON, 40))])
    (group,) = calendar.groups
    (window,) = group.planned
    assert (window.begins, window.ends) == (later(ON, 10), later(ON, 70) + dt.timedelta(days=2))
    assert window.late_days == 2  # 18 April 2026 is a Saturday
    assert group.sell_from == ON
    assert wash_calendar(
        ledger_of(OLD), later(ON, 10), later(ON, 90), [plan(later(ON, 40))]
    ).groups[0].sell_from == later(ON, 73)


def test_with_a_purchase_every_month_no_loss_can_be_taken_until_the_end_of_the_calendar():
    calendar = wash_calendar(ledger_of(OLD), ON, later(ON, 200), [plan(ON, "month")])
    assert calendar.groups[0].sell_from is None


def test_a_planned_purchase_that_has_been_made_is_a_purchase():
    ledger = ledger_of(OLD, buy("made", 1, 90, later(ON, -4), account="ira"))
    (group,) = wash_calendar(ledger, ON, later(ON, 60), [plan(later(ON, -5))]).groups
    assert len(group.purchases) == 1
    assert group.planned == ()


def test_what_has_replaced_a_loss_and_what_is_no_security_open_no_window():
    ledger = ledger_of(
        OLD,
        sell("s", 4, 80, later(ON, -10)),
        buy("r", 4, 80, later(ON, -5)),
        buy("c", 1, 90, ON, symbol="BTC-USD"),
    )
    assert wash_calendar(ledger, ON, later(ON, 60)).groups == ()


def test_somebody_elses_windows_are_their_own():
    ledger = ledger_of(OLD, buy("k", 1, 90, ON, account="child"), buy("m", 1, 90, ON))
    groups = wash_calendar(ledger, ON, later(ON, 60)).groups
    assert [(group.taxpayer, len(group.purchases)) for group in groups] == [
        ("household", 1),
        ("owner kim", 1),
    ]


def test_losses_of_last_year_are_provisional_until_31_january():
    ledger = ledger_of(OLD, sell("s", 4, 80, dt.date(2026, 12, 31)))
    calendar = wash_calendar(ledger, dt.date(2027, 1, 30), dt.date(2027, 3, 1))
    assert calendar.provisional is not None
    assert calendar.provisional.until == dt.date(2027, 1, 31)
    assert calendar.provisional.sentence == (
        "The results of 2026 are provisional until 2027-01-31: 80.00 USD of its losses on VOO "
        "could still be washed by a purchase."
    )
    assert wash_calendar(ledger, dt.date(2027, 1, 31), dt.date(2027, 3, 1)).provisional is None
    assert wash_calendar(ledger, dt.date(2026, 12, 31), dt.date(2027, 3, 1)).provisional is None


@given(histories(), st.integers(0, 40))
@settings(max_examples=150)
def test_the_calendar_the_locks_and_a_purchase_itself_agree(case, days):
    ledger = Ledger(case.accounts, case.rule, case.rates)
    ledger.extend(case.transactions)
    on = later(ledger.until, days)
    groups = wash_calendar(ledger, on, later(on, 61)).groups
    symbols = {one.symbol for one in case.transactions if one.symbol != "BTC"}
    taxpayers = {one.taxpayer for one in case.accounts.values()}
    locked = {s for one in taxpayers for s in purchase_locks(ledger, on, symbols, one)}
    assert locked == symbols & {
        symbol for group in groups if group.buy_from > on for symbol in group.symbols
    }
    for group in groups:
        account = next(one.id for one in case.accounts.values() if one.taxpayer == group.taxpayer)
        for symbol in set(group.symbols) - {"BTC"}:
            purchase = replace(
                buy("new", 1, 10, on, account=account, symbol=symbol), date=group.buy_from
            )
            assert not preview_purchase(ledger, purchase)
        waiting = sum((window.loss for window in group.losses), Decimal(0))
        purchase = buy("new", 10**6, 10, on, account=account, symbol=group.symbols[0])
        washed = sum((match.disallowed for match in preview_purchase(ledger, purchase)), Decimal(0))
        assert washed == waiting
