"""A lump that goes in by parts: what belongs to it, whatever else comes into its account."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.houses import START, TOML

from trimtab.domain.facts import Facts, facts_of
from trimtab.domain.household import accounts_of, decode_household
from trimtab.domain.incoming import AveragingRule, LumpLeft, PastContribution
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import CENT, ZERO, Money, to_cents
from trimtab.domain.policy import FlowRule
from trimtab.domain.values import Balance, PastFlow, Snapshot
from trimtab.rules.averaging import split_lump
from trimtab.rules.side_fund import Standing, long_past, met, not_begun, standings

D = Decimal
FILE = decode_household(TOML)
POLICY = FILE.policy()
LEAST = POLICY.orders.invest_cash_from
FIRST = dt.date(2026, 1, 31)
DAY = dt.timedelta(days=1)
LUMP = AveragingRule(account="ira", by="parts", amount=Money(12_000), first=FIRST, parts=4)
DAYS = [dt.date(2026, 1, 31), dt.date(2026, 2, 28), dt.date(2026, 3, 31), dt.date(2026, 4, 30)]

cents = st.decimals(0, 9_000, places=2)
moves = st.lists(st.tuples(st.integers(0, 20), cents, cents, st.booleans()), max_size=24)


class Account:
    """One account with a lump, looked at by turns that trade."""

    def __init__(self, cash: str | Money, rule: AveragingRule = LUMP) -> None:
        self.cash, self.rule = D(cash), rule
        self.memory = Memory()

    def look(self, day: dt.date, facts: Facts | None = None) -> Standing:
        """How the lump stands on *day*; nothing is written down."""
        balance = Balance(account="ira", currency="USD", amount=self.cash, settled=self.cash)
        snapshot = Snapshot(
            at=dt.datetime.combine(day, START.timetz()),
            base_currency="USD",
            accounts=accounts_of(FILE),
            instruments={},
            lots=(),
            balances=(balance,),
            quotes={},
            rates={},
            hours={},
        )
        facts = replace(facts or facts_of(FILE), averaging=(self.rule,))
        (one,) = standings(snapshot, POLICY, self.memory, facts)
        return one

    def turn(self, day: dt.date, facts: Facts | None = None) -> Standing:
        """The same, and what is met is remembered."""
        one = self.look(day, facts)
        past = self.memory.contributions.get("ira", ())
        done = tuple(contribution for _, contribution in met([one], LEAST))
        self.memory = replace(self.memory, contributions={"ira": past + done})
        return one


class Envelope:
    """The oracle: the lump lies in an envelope of its own, beside the other cash.

    Money that comes goes to the other cash, money that leaves is taken from there first, and on
    its day a part goes from the envelope to the other cash.
    """

    def __init__(self, cash: Money) -> None:
        self.inside: Money | None = None
        self.other = cash
        self.open = list(DAYS)

    def turn(self, day: dt.date) -> Money:
        """What is freed on *day*."""
        if self.inside is None and day >= FIRST and self.other >= LEAST:
            self.inside = min(LUMP.amount, self.other)
            self.other -= self.inside
        if self.inside is None:
            return ZERO
        due = [one for one in self.open if one <= day]
        if not due:
            return ZERO
        freed = sum(split_lump(self.inside, len(self.open))[: len(due)], ZERO)
        self.open = self.open[len(due) :]
        self.inside -= freed
        self.other += freed
        return freed

    def take(self, amount: Money) -> None:
        """Money that leaves."""
        from_other = min(amount, self.other)
        self.other -= from_other
        if self.inside is not None:
            self.inside -= amount - from_other


@given(cents, moves)
def test_a_lump_lies_in_an_envelope_of_its_own_whatever_comes_and_goes_beside_it(cash, steps):
    account, oracle, day = Account(cash), Envelope(cash), FIRST - 5 * DAY
    for days, comes, goes, is_spent in [(0, ZERO, ZERO, False), *steps]:
        day += days * DAY
        account.cash += comes
        oracle.other += comes
        leaves = min(goes, account.cash)
        account.cash -= leaves
        oracle.take(leaves)
        freed = oracle.turn(day)
        found = account.turn(day)
        if oracle.inside is None:
            continue
        assert found.asked == freed
        assert found.waits == oracle.inside
        if is_spent:  # what is free is invested
            account.cash -= oracle.other
            oracle.other = ZERO


@given(st.decimals(600, 9_000, places=10), st.decimals(0, 2_000, places=10))
def test_a_lump_is_told_to_the_cent_whatever_cash_there_is(cash, goes):
    account = Account(cash)
    for day in DAYS:
        account.turn(day)
        account.cash = max(ZERO, account.cash - goes)
    for one in account.memory.contributions["ira"]:
        assert one.lump is not None
        assert (one.amount, one.lump.left) == (to_cents(one.amount), to_cents(one.lump.left))


@given(cents.filter(lambda cash: cash >= LEAST), st.lists(cents, min_size=3, max_size=3))
def test_money_that_comes_after_a_lump_has_begun_never_waits_for_it(cash, arrivals):
    account = Account(cash)
    begun = min(cash, LUMP.amount)
    waits, freed = [], []
    for day, comes in zip(DAYS, [ZERO, *arrivals], strict=True):
        account.cash += comes
        one = account.turn(day)
        waits.append(one.waits)
        freed.append(one.asked)
    assert sum(freed, ZERO) == begun
    assert max(freed) - min(freed) <= CENT
    assert waits == [begun - sum(freed[: number + 1], ZERO) for number in range(4)]


def test_a_short_lump_goes_in_by_equal_parts_of_what_there_is():
    account = Account("5000")
    one = account.turn(FIRST)
    assert (one.asked, one.waits) == (D(1250), D(3750))
    assert one.obligations[0].why == (
        "Part 1 of 4 of 12,000.00 USD, 1,250.00 USD, was due on 2026-01-31: of that lump only "
        "5,000.00 USD are left to put in."
    )
    account.cash += 20_000
    assert account.turn(FIRST + DAY).waits == 3750
    assert account.turn(DAYS[1]).asked == 1250


def test_what_was_withdrawn_from_a_lump_does_not_come_back_to_it_with_later_money():
    account = Account("12000")
    account.turn(FIRST)
    account.cash = D(6000)  # 3,000 were invested and 3,000 of the lump left
    account.turn(FIRST + 5 * DAY)
    account.cash += 9_000
    assert account.turn(FIRST + 9 * DAY).waits == 6000
    one = account.turn(DAYS[1])
    assert (one.asked, one.waits) == (D(2000), D(4000))


def test_an_empty_lump_waits_for_money_and_divides_it_over_all_its_days():
    account = Account("12.34")
    account.turn(FIRST)
    assert account.memory.contributions["ira"] == ()
    account.cash += 8_000
    one = account.turn(DAYS[1])
    assert (len(one.obligations), one.asked) == (2, D("4006.18"))
    account.cash += 5_000
    assert account.turn(DAYS[1] + DAY).waits == D("4006.16")


def test_a_lump_that_found_no_money_until_its_last_day_holds_nothing_back():
    account = Account("0")
    for day in DAYS:
        account.turn(day)
    account.cash = D(9000)
    assert account.turn(DAYS[-1] + DAY).waits == ZERO


@pytest.mark.parametrize(
    ("change", "asked", "waits"),
    [
        ({"amount": Money(16_250)}, 5000, 10_000),
        ({"first": DAYS[1]}, 3000, 9000),
        ({"parts": 3}, 1875, 1875),
    ],
    ids=["another amount", "another first day", "fewer parts claim nothing"],
)
def test_later_money_belongs_to_a_lump_once_its_rule_is_written_anew(change, asked, waits):
    account = Account("5000")
    account.turn(FIRST)
    account.cash += 20_000
    account.rule = replace(LUMP, **change)
    one = account.turn(DAYS[1])
    assert (one.asked, one.waits) == (asked, waits)


def test_a_lump_may_be_written_anew_from_the_day_of_its_last_part():
    account = Account("5000")
    account.turn(FIRST)
    account.turn(DAYS[1])
    account.cash = D(22_500)
    account.rule = replace(LUMP, first=DAYS[1])
    one = account.turn(DAYS[1] + DAY)
    assert (one.asked, one.waits) == (D(3000), D(9000))
    assert account.turn(DAYS[1] + 2 * DAY).waits == D(9000)


def test_a_second_lump_of_an_account_is_whole_when_its_rule_replaces_the_first():
    account = Account("12000")
    for day in DAYS:
        account.turn(day)
    account.cash = D(8000)
    account.rule = replace(LUMP, amount=Money(8000), first=dt.date(2026, 6, 1))
    one = account.turn(dt.date(2026, 7, 2))
    assert (one.left, one.asked, one.waits) == (D(8000), D(4000), D(4000))
    account = Account("12000")
    account.memory = replace(
        account.memory, contributions={"ira": (PastContribution(day=FIRST - DAY, amount=D(9)),)}
    )
    late = account.look(DAYS[2])
    assert long_past(late, account.memory, DAYS[2], "USD").endswith("and go in together.")


def test_a_lump_of_an_older_journal_goes_on_with_what_it_has_not_put_in():
    account = Account("9000")
    done = PastContribution(day=FIRST, amount=D(3000))
    account.memory = replace(account.memory, contributions={"ira": (done,)})
    assert account.turn(FIRST + DAY).waits == 9000
    assert account.memory.contributions["ira"][-1] == PastContribution(
        day=FIRST, amount=ZERO, lump=LumpLeft(first=FIRST, amount=D(12_000), left=D(9000))
    )
    assert account.turn(DAYS[1]).asked == 3000


def test_a_lump_that_is_whole_is_told_once_a_part_and_never_between():
    account = Account("12000")
    for days in range(120):
        one = account.turn(FIRST + days * DAY)
        assert all(" only " not in due.why for due in one.obligations)
    told = account.memory.contributions["ira"]
    assert [(one.day, one.amount) for one in told] == [(day, D(3000)) for day in DAYS]
    assert [one.lump.left for one in told if one.lump is not None] == [9000, 6000, 3000, 0]


def test_a_withdrawal_that_is_due_holds_back_of_a_lump_until_it_is_paid_and_no_longer():
    rent = FlowRule(account="ira", amount=Money(5000), first=FIRST + 4 * DAY, every="once")
    facts = replace(facts_of(FILE), withdrawals=(rent,))
    account = Account("12000")
    assert account.turn(FIRST, facts).asked == 1750  # a quarter of what the withdrawal leaves
    account.cash = D(5250)
    paid = PastFlow(account="ira", date=FIRST + DAY, amount=D(-5000))
    account.memory = replace(account.memory, flows=(paid,))
    assert account.turn(FIRST + DAY, facts).waits == 5250  # paid early, it is due no more


def test_a_withdrawal_that_never_happens_leaves_the_lump_as_it_was():
    rent = FlowRule(account="ira", amount=Money(5000), first=FIRST + 4 * DAY, every="once")
    facts = replace(facts_of(FILE), withdrawals=(rent,))
    account = Account("12000")
    account.turn(FIRST, facts)
    account.cash -= 1750
    assert account.turn(FIRST + 5 * DAY, facts).waits == 10_250


@given(cents, st.integers(-20, 120))
def test_of_a_lump_that_cannot_begin_nothing_is_due_and_all_of_it_waits(cash, days):
    day = FIRST + days * DAY
    one = Account(cash).look(day)
    if cash >= LEAST:
        assert (one.needs, one.awaited, one.lacks) == (None, ZERO, ZERO)
        return
    assert (one.obligations, one.coming, one.needs) == ((), ZERO, LEAST)
    assert one.waits == (cash if day < DAYS[-1] else ZERO)
    assert one.lacks == (LUMP.amount - cash if FIRST <= day < DAYS[-1] else ZERO)
    assert met([one], LEAST) == ()


def test_a_lump_smaller_than_an_order_begins_once_it_is_whole():
    small = replace(LUMP, amount=Money(300))
    assert Account("299.99", small).look(FIRST).needs == 300
    assert Account("300", small).look(FIRST).needs is None


UNTIL_IT_BEGINS = {
    FIRST - DAY: "The lump begins with what is there from 2026-01-31 on, once that is 500.00 USD: "
    "88.15 USD are there.",
    FIRST: "The lump has not begun and waits for its money: 88.15 USD are there, and it begins "
    "with what is there once that is 500.00 USD. Put 11,911.85 USD in for the whole of it.",
    DAYS[-1]: "The lump has not begun and its last day has come: money that comes is invested at "
    "once, unless the table is written anew.",
}


@pytest.mark.parametrize(("day", "told"), UNTIL_IT_BEGINS.items())
def test_a_lump_that_has_not_begun_is_told_so(day, told):
    assert not_begun(Account("88.15").look(day), day, "USD") == told


def test_a_lump_that_has_begun_is_not_told_to_wait_when_it_runs_out():
    account = Account("5000")
    account.turn(FIRST)
    account.cash = D("88.15")
    one = account.look(FIRST + DAY)
    assert not_begun(one, FIRST + DAY, "USD") == ""
    assert (one.waits, one.lacks) == (D("88.15"), ZERO)
