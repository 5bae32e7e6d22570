"""Cash that is invested little by little, through the cycle, the journal and the paper broker."""

import datetime as dt
from decimal import Decimal

import pytest
from tests.houses import TOML, FixedPrices, ManualClock, house_of, lot

from trimtab.apps.run import Outcome, run_once
from trimtab.apps.views.telling import tell
from trimtab.apps.world import House, load
from trimtab.domain.events import ContributionMet
from trimtab.domain.incoming import PastContribution
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.trades import Side
from trimtab.lab.paper import PaperBroker

PRICES = {"VTI": "100", "ITOT": "50", "BND": "50", "BTC-USD": "40000"}
PARTS = """
[[averaging]]
account = "ira"
by = "parts"
amount = 12000
parts = 4
first = 2026-03-09
"""
PATH = """
[[averaging]]
account = "ira"
by = "value"
amount = 1000
first = 2026-03-09
expected_return = 0
"""


def _house(more: str, cash: str = "12000", ira: tuple[str, str] | None = None) -> House:
    """A household in its bands with *cash* in the IRA, which may hold VTI and BND already."""
    lots = [
        lot("taxable", "VTI", "550", "50000", "2020-01-02"),
        lot("taxable", "BND", "800", "40000", "2020-01-02"),
        lot("wallet", "BTC-USD", "0.125", "4000", "2020-01-02"),
    ]
    if ira is not None:
        lots += [
            lot("ira", "VTI", ira[0], "1", "2020-01-02"),
            lot("ira", "BND", ira[1], "1", "2020-01-02"),
        ]
    money = {"taxable": "1000", "ira": cash, "wallet": "0"}
    return house_of(lots, money, FixedPrices(PRICES), toml=TOML + more, clock=ManualClock())


def _clock(house: House) -> ManualClock:
    assert isinstance(house.clock, ManualClock)
    return house.clock


def _set_prices(house: House, **prices: str) -> None:
    assert isinstance(house.prices, FixedPrices)
    house.prices.prices |= {symbol: Decimal(price) for symbol, price in prices.items()}


def _turn(house: House, day: str, *, executes: bool = True) -> Outcome:
    at = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(15), tzinfo=dt.UTC)
    _clock(house).at = at
    return run_once(house, executes=executes)


def _cash(house: House, account: str = "ira") -> Money:
    return load(house.journal).cash[account, "USD"]


def _deposit(house: House, amount: str) -> None:
    """Pay *amount* into the IRA, or out of it."""
    broker = house.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    broker.deposit("ira", Decimal(amount))


def _written(house: House) -> list[PastContribution]:
    """What the journal says of the days that are over."""
    events = (entry.event for entry in house.journal.entries())
    return [one.contribution for one in events if isinstance(one, ContributionMet)]


def _met(house: House) -> list[tuple[str, Money, Money]]:
    return [(str(one.day), one.amount, one.withheld) for one in _written(house)]


def test_a_lump_goes_in_part_by_part_and_the_rest_of_it_waits():
    house = _house(PARTS)
    left = []
    for day in ("2026-03-09", "2026-03-10", "2026-04-09", "2026-05-11", "2026-06-09"):
        _turn(house, day)
        left.append(_cash(house))
    assert [round(one / 3000) for one in left] == [3, 3, 2, 1, 0]
    assert [amount for _, amount, _ in _met(house)] == [3000] * 4


def test_without_averaging_the_same_lump_is_invested_at_once():
    house = _house("")
    _turn(house, "2026-03-09")
    assert _cash(house) < 700  # the part of the coins, which an IRA cannot hold


def test_money_that_comes_later_is_invested_at_once_beside_a_lump_that_was_short():
    house = _house(PARTS, cash="6000")
    _turn(house, "2026-03-09")
    assert 4500 <= _cash(house) < 5000
    _deposit(house, "8000")
    _turn(house, "2026-03-20")
    assert 4500 <= _cash(house) < 5500  # the part of the coins stays, which an IRA cannot hold
    _turn(house, "2026-04-09")
    assert [amount for _, amount, _ in _met(house)] == [1500, 1500]


def test_what_left_a_lump_is_written_down_and_no_later_money_replaces_it():
    house = _house(PARTS, cash="12000")
    _turn(house, "2026-03-09")
    _deposit(house, "-6000")
    _turn(house, "2026-03-16")
    _deposit(house, "8000")
    _turn(house, "2026-03-23")
    assert _cash(house) < 4000
    (*_, last) = load(house.journal).contributions["ira"]
    assert (str(last.day), last.amount) == ("2026-03-09", ZERO)


def test_days_missed_are_made_good_at_the_next_turn():
    house = _house(PARTS)
    _turn(house, "2026-05-20")
    assert 3000 <= _cash(house) < 3500
    assert [day for day, _, _ in _met(house)] == ["2026-03-09", "2026-04-09", "2026-05-09"]


def test_a_dry_turn_meets_no_obligation():
    house = _house(PARTS)
    _turn(house, "2026-03-09", executes=False)
    assert _met(house) == []
    assert _cash(house) == 12000


def test_a_path_takes_what_is_missing_and_leaves_the_rest_in_the_side_fund():
    house = _house(PATH)
    _turn(house, "2026-03-09")
    assert 11000 <= _cash(house) < 11100
    (first,) = _met(house)
    assert first[0] == "2026-03-09"
    assert first[1] == 12000 - _cash(house)
    before = _cash(house)
    _turn(house, "2026-03-10")
    assert _cash(house) == before


def test_a_fall_after_a_met_day_waits_for_the_next_one_and_is_capped_then():
    house = _house(PATH + "start = 7000\ncap_multiple = 1.5\n", ira=("50", "60"))
    _turn(house, "2026-03-09")
    cash = _cash(house)
    assert _met(house)[-1][0] == "2026-03-09"
    _set_prices(house, VTI="90", ITOT="45", BND="45")
    _turn(house, "2026-03-11")
    assert _cash(house) == cash
    _turn(house, "2026-04-09")
    assert cash - 1500 <= _cash(house) < cash - 1400
    day, amount, withheld = _met(house)[-1]
    assert day == "2026-04-09"
    assert amount == cash - _cash(house)
    assert withheld == pytest.approx(9000 - 7200 - 1500, abs=1)


def test_above_the_path_nothing_is_put_in_and_that_is_written_down():
    house = _house(PATH, ira=("50", "60"))
    outcome = _turn(house, "2026-03-09")
    assert _met(house) == [("2026-03-09", ZERO, ZERO)]
    assert _cash(house) == 12000
    assert outcome.status == "nothing-to-do"


def test_a_rule_that_sells_brings_the_value_down_to_the_path():
    house = _house(PATH + "start = 4000\nsells = true\n", ira=("50", "60"))
    _turn(house, "2026-03-09")
    assert 15000 <= _cash(house) < 15200
    _turn(house, "2026-03-10")
    assert 15000 <= _cash(house) < 15200
    assert [day for day, _, _ in _met(house)] == ["2026-03-09"]


def test_the_reserve_has_first_claim_on_a_lump():
    reserve = '[reserve]\nmonthly_costs = 2500\nmonths = 4\naccount = "ira"\n'
    house = _house(PARTS + reserve)
    for day in ("2026-03-09", "2026-04-09", "2026-05-11", "2026-06-09"):
        _turn(house, day)
        assert _cash(house) >= 10000
    assert _cash(house) < 10100


def test_a_withdrawal_is_paid_out_of_what_waits_and_not_by_a_sale():
    due = '[[withdrawals]]\naccount = "ira"\namount = 5000\nfirst = 2026-03-12\n'
    house = _house(PARTS + due, ira=("50", "60"))
    outcome = _turn(house, "2026-03-09")
    assert all(done.trade.side is Side.BUY for done in outcome.executions)
    assert _cash(house) >= 8900


def test_a_contribution_into_the_account_of_a_path_goes_into_its_side_fund():
    coming = '[[contributions]]\naccount = "ira"\namount = 5000\nfirst = 2026-03-10\n'
    house = _house(PATH + coming)
    _turn(house, "2026-03-09")
    assert 11000 <= _cash(house) < 11100


@pytest.mark.parametrize("more", [PARTS, PATH])
def test_a_pause_holds_what_averaging_asks_for_like_any_other_trade(more):
    house = _house(more)
    house = house._replace(flagged=lambda: "on a journey")
    _turn(house, "2026-03-09")
    assert _cash(house) == 12000


def _bought(house: House) -> Money:
    """What all purchases in the IRA cost so far."""
    return sum(
        (lot.basis for lot in load(house.journal).lots.values() if lot.account == "ira"), ZERO
    )


AHEAD = PATH.replace("1000", "3000")
"""A path that asks for more than its side fund ever holds."""


def test_each_day_that_ran_short_is_written_down_once_with_what_it_put_in_and_lacked():
    house = _house(AHEAD, cash="900")
    bought = []
    for day in ("2026-03-09", "2026-03-30", "2026-04-09", "2026-04-20", "2026-05-08", "2026-05-11"):
        _turn(house, day)
        bought.append(_bought(house))
        if day != "2026-04-09":
            _deposit(house, "800")
    first, second = _written(house)
    assert (str(first.day), str(second.day)) == ("2026-03-09", "2026-04-09")
    assert first.amount == bought[1] > 1500
    assert second.amount == bought[4] - bought[1] > 1500
    assert first.short == pytest.approx(3000 - bought[1], abs=1)
    assert second.short == pytest.approx(6000 - bought[4], abs=1)
    _turn(house, "2026-05-12")
    assert len(_written(house)) == 2


def test_a_day_that_ran_short_is_told_in_the_journal_of_the_account():
    house = _house(AHEAD, cash="900")
    _turn(house, "2026-03-09")
    _turn(house, "2026-04-09")
    (entry,) = (one for one in house.journal.entries() if isinstance(one.event, ContributionMet))
    (short,) = _written(house)
    (told,) = tell([entry], {}, "USD")
    assert told.fact.about == {("account", "ira")}
    assert told.fact.sentence == (
        "What [[averaging]] asked of ira on 2026-03-09 was not done when the next day came: "
        f"{short.amount:,.2f} USD put in, {short.short:,.2f} USD short."
    )


def test_what_the_next_day_buys_belongs_to_it_and_not_to_the_day_that_ran_short():
    house = _house(AHEAD, cash="900")
    _turn(house, "2026-03-09")
    first = _bought(house)
    _deposit(house, "2000")
    _turn(house, "2026-04-09")
    (short,) = _written(house)
    assert short.amount == first < _bought(house)
    assert short.short == pytest.approx(3000 - first, abs=1)


def _refused_turn(house: House, day: str) -> None:
    assert isinstance(house.prices, FixedPrices)
    house.prices.closes["VTI"] = Decimal(10)
    _turn(house, day)
    house.prices.closes.clear()


def test_what_the_next_day_sells_was_still_there_when_the_day_before_it_ended():
    due = '[[withdrawals]]\naccount = "ira"\namount = 4000\nfirst = 2026-04-16\nevery = "once"\n'
    house = _house(AHEAD + "start = 9000\n" + due, cash="0", ira=("50", "60"))
    _turn(house, "2026-03-09")
    outcome = _turn(house, "2026-04-09")
    assert any(done.trade.side is Side.SELL for done in outcome.executions)
    (short,) = _written(house)
    assert short.amount == ZERO
    assert short.short == pytest.approx(12_000 - 8000, abs=5)


def test_a_dry_turn_on_the_next_day_loses_no_day_that_ran_short():
    house = _house(AHEAD, cash="900")
    _turn(house, "2026-03-09")
    _turn(house, "2026-04-09", executes=False)
    assert _written(house) == []
    _turn(house, "2026-04-22")
    assert [str(one.day) for one in _written(house)] == ["2026-03-09"]


def test_a_turn_that_believes_no_price_loses_no_day_that_ran_short():
    house = _house(AHEAD, cash="900")
    _turn(house, "2026-03-09")
    _refused_turn(house, "2026-04-09")
    assert _written(house) == []
    _turn(house, "2026-04-10")
    _turn(house, "2026-05-11", executes=False)
    _refused_turn(house, "2026-05-12")
    _turn(house, "2026-05-13")
    assert [str(one.day) for one in _written(house)] == ["2026-03-09", "2026-04-09"]


def test_days_that_nobody_looked_at_are_written_down_too():
    house = _house(AHEAD, cash="900")
    _turn(house, "2026-03-09")
    _turn(house, "2026-06-10")
    assert [str(one.day) for one in _written(house)] == ["2026-03-09", "2026-04-09", "2026-05-09"]
    assert [one.amount > 0 for one in _written(house)] == [True, False, False]


def test_of_days_before_the_books_began_nothing_is_written_down():
    house = _house(AHEAD.replace("2026-03-09", "2025-10-09"), cash="900")
    _turn(house, "2026-03-09")
    _turn(house, "2026-03-10")
    assert _written(house) == []
    _turn(house, "2026-04-09")
    assert [str(one.day) for one in _written(house)] == ["2026-03-09"]


def test_a_path_written_after_its_first_day_tells_nothing_of_days_it_did_not_ask_for():
    house = _house("", cash="900")
    for day in ("2026-03-09", "2026-04-20", "2026-05-11"):
        _turn(house, day)
    late = _house(AHEAD, cash="900").file
    house = house._replace(file=late)
    _turn(house, "2026-05-12")
    assert _written(house) == []


def test_a_lump_that_waits_for_its_money_begins_with_it_and_frees_nothing_before():
    house = _house(PARTS, cash="88.15")
    _turn(house, "2026-03-09")
    assert (_written(house), _cash(house)) == ([], Decimal("88.15"))
    _deposit(house, "11911.85")
    _turn(house, "2026-03-16")
    assert [(str(one.day), one.amount) for one in _written(house)] == [
        ("2026-03-09", Decimal(3000))
    ]
