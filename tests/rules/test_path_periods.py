"""What each period of a value path put in, and that what it was short of settles nothing."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.houses import START, TOML, lot

from trimtab.domain.facts import facts_of
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.household import accounts_of, decode_household
from trimtab.domain.incoming import AveragingRule, LumpLeft, PastContribution
from trimtab.domain.memory import Mark, Memory
from trimtab.domain.numbers import ONE, ZERO, Money, to_cents
from trimtab.domain.trades import Disposal, Term
from trimtab.domain.values import Balance, Lot, Quote, Snapshot
from trimtab.rules.contributions import ValueAveragingRule
from trimtab.rules.path_periods import ended, periods
from trimtab.rules.path_record import net_bought
from trimtab.rules.side_fund import long_past, met, rule_of, standings

D = Decimal
FILE = decode_household(TOML)
POLICY = FILE.policy()
FIRST = dt.date(2026, 1, 15)
DAY = dt.timedelta(days=1)
PATH = AveragingRule(
    account="ira",
    by="value",
    amount=Money(3000),
    first=FIRST,
    expected_return=ZERO,
    carries_forward=False,
)
CARRIED = replace(PATH, carries_forward=True)
LUMP = AveragingRule(account="ira", by="parts", amount=Money(9000), first=FIRST, parts=6)


def _made(rule: AveragingRule) -> ValueAveragingRule:
    made = rule_of(rule)
    assert isinstance(made, ValueAveragingRule)
    return made


def _snapshot(day: dt.date, cash: Money, lots: tuple[Lot, ...] = ()) -> Snapshot:
    at = dt.datetime.combine(day, START.timetz())
    hundred = Quote(symbol="VTI", bid=D(100), ask=D(100), at=at, session=day)
    return Snapshot(
        at=at,
        base_currency="USD",
        accounts=accounts_of(FILE),
        instruments={},
        lots=lots,
        balances=(Balance(account="ira", currency="USD", amount=cash, settled=cash),),
        quotes={"VTI": hundred},
        rates={},
        hours={},
    )


def _memory(looked: dt.date, **known: object) -> Memory:
    """A memory whose last turn was on *looked* and could trade."""
    at = dt.datetime.combine(looked, START.timetz())
    mark = Mark(at=at, session=looked, value=ONE, unit_value=ONE)
    return Memory(last_executed=at, previous_mark=mark, **known)  # type: ignore[arg-type]  # named by tests


def _sale(name: str, bought: str, sold: str, basis: str, proceeds: str) -> Disposal:
    return Disposal(
        id=name,
        account="ira",
        symbol="VTI",
        lot_id=name,
        quantity=D(1),
        acquired=dt.date.fromisoformat(bought),
        holding_since=dt.date.fromisoformat(bought),
        sold=dt.date.fromisoformat(sold),
        proceeds=D(proceeds),
        basis=D(basis),
        term=Term.SHORT,
        is_taxed=False,
    )


amounts = st.decimals(0, 5000, places=2)
cents = st.decimals(0, 9000, places=2)
dates = st.integers(0, 200).map(lambda days: FIRST + days * DAY)
done = st.builds(
    PastContribution,
    day=dates,
    amount=amounts,
    withheld=amounts,
    lump=st.none()
    | st.builds(
        LumpLeft, first=st.just(FIRST), amount=st.sampled_from([D(9000), D(500)]), left=amounts
    ),
)
short = st.builds(PastContribution, day=dates, amount=amounts, withheld=amounts, short=amounts)


@given(
    st.sampled_from([CARRIED, replace(CARRIED, every="year"), LUMP]),
    st.lists(done, max_size=5),
    st.lists(short, min_size=1, max_size=5),
    dates,
    amounts,
)
def test_what_a_period_was_short_of_changes_no_claim_of_any_rule(rule, past, shorts, day, cash):
    past, mixed = (tuple(sorted(those, key=lambda one: one.day)) for those in (past, past + shorts))
    facts = replace(facts_of(FILE), averaging=(rule,))
    held = (lot("ira", "VTI", "40", "4000", "2026-02-01"),)
    snapshot = _snapshot(day, cash, held)
    without, with_them = (
        Memory(contributions={"ira": those}, lots={one.id: one for one in held})
        for those in (past, mixed)
    )
    before = standings(snapshot, POLICY, without, facts)
    assert standings(snapshot, POLICY, with_them, facts) == before
    assert met(before, Money(500)) == met(standings(snapshot, POLICY, with_them, facts), Money(500))
    (one,) = before
    told = [long_past(one, memory, day, "USD") for memory in (without, with_them)]
    assert told[0] == told[1]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_every_day_is_over_exactly_once_whenever_turns_come(gaps):
    day, memory = FIRST, _memory(FIRST)
    for gap in gaps:
        day += gap * DAY
        facts = replace(facts_of(FILE), averaging=(PATH,))
        over = ended(_snapshot(day, Money(900)), POLICY, memory, facts)
        past = memory.contributions.get("ira", ()) + tuple(one for _, one in over)
        memory = _memory(day, contributions={"ira": past})
    days = [one.day for one in memory.contributions["ira"]]
    months = [FIRST.replace(month=1 + number) for number in range(12)]
    expected = [one for one, following in pairwise(months) if following <= day]
    assert [one for one in days if one < months[-1]] == expected
    assert len(days) == len(set(days))


def test_a_sale_takes_from_what_went_in_only_units_bought_within_the_same_period():
    memory = Memory(
        disposals=(
            _sale("round", "2026-01-20", "2026-02-03", "500", "510"),
            _sale("older", "2025-06-01", "2026-02-04", "3000", "4956.82"),
            _sale("later", "2026-01-21", "2026-03-01", "200", "250"),
        )
    )
    kept = lot("ira", "VTI", "9", "900", "2026-02-04")
    span = FIRST, FIRST.replace(month=2)
    assert net_bought(_made(PATH), [kept], POLICY, memory, span) == 900 + 200


def test_where_a_path_sells_its_sales_come_out_of_the_side_fund_again():
    memory = Memory(
        disposals=(
            _sale("round", "2026-01-20", "2026-02-03", "500", "510"),
            _sale("older", "2025-06-01", "2026-02-04", "300", "400"),
            _sale("later", "2026-01-21", "2026-03-01", "200", "250"),
        )
    )
    kept = lot("ira", "VTI", "9", "900", "2026-02-04")
    made = _made(replace(PATH, sells=True))
    put_in = net_bought(made, [kept], POLICY, memory, (FIRST, FIRST.replace(month=2)))
    assert put_in == 900 + 500 - 510 + 200 - 400


@given(cents, st.lists(cents, max_size=4))
def test_a_sale_for_a_withdrawal_frees_nothing_of_a_cap(bought, sales):
    rule = replace(CARRIED, amount=Money(2000), start=Money(50_000))
    facts = replace(facts_of(FILE), averaging=(rule,))
    held = lot("ira", "VTI", "1", str(bought), "2026-01-16")
    sold = tuple(
        _sale(f"older-{number}", "2025-06-01", "2026-01-17", "1", str(proceeds))
        for number, proceeds in enumerate(sales)
    )
    memory = Memory(disposals=sold, lots={held.id: held})
    (one,) = standings(_snapshot(FIRST + 5 * DAY, Money(90_000), (held,)), POLICY, memory, facts)
    assert one.bought == bought
    assert one.asked == max(ZERO, 6000 - bought)


def test_lots_with_which_the_books_began_before_their_date_are_no_purchase():
    ahead = lot("ira", "VTI", "9", "900", "2026-02-04")
    opening = Transaction(
        id=ahead.id,
        lot_id=ahead.id,
        date=dt.date(2026, 1, 2),
        account="ira",
        kind=TransactionKind.OPENING,
        symbol="VTI",
        quantity=ahead.quantity,
        basis=ahead.basis,
        acquired=ahead.acquired,
        holding_since=ahead.holding_since,
        source="journal",
    )
    span = FIRST, dt.date.max
    for began, bought in ((dt.date(2026, 1, 2), 0), (dt.date(2026, 2, 4), 900)):
        memory = Memory(history=(replace(opening, date=began),))
        assert net_bought(_made(PATH), [ahead], POLICY, memory, span) == bought


def test_a_period_is_told_with_what_its_cap_kept_back_and_the_open_one_so_far():
    rule = replace(PATH, cap_multiple=D("1.5"), start=Money(5000))
    facts = replace(facts_of(FILE), averaging=(rule,))
    held = lot("ira", "VTI", "20", "1900", "2026-01-20")
    known = {held.id: held}
    february = FIRST.replace(month=2)
    snapshot = _snapshot(february, Money(0), (held,))
    ((account, first),) = ended(snapshot, POLICY, _memory(FIRST, lots=known), facts)
    assert account == "ira"
    assert first == PastContribution(
        day=FIRST, amount=D(1900), withheld=D(3400), short=D(2600)
    )  # of 6,000 that the path asks for, 4,500 under the cap less the 1,900 of before
    memory = _memory(FIRST, lots=known, contributions={"ira": (first,)})
    (one,) = standings(snapshot, POLICY, memory, facts)
    told = periods(one, memory)
    assert told[0] == first
    # the 3,400 are given up, though that period ended short
    assert told[1] == PastContribution(day=february, amount=ZERO, withheld=D(1100), short=D(4500))


def test_what_a_cap_kept_back_is_given_up_from_the_first_turn_of_the_next_period_on():
    rule = replace(PATH, cap_multiple=ONE, start=Money(5000))
    facts = replace(facts_of(FILE), averaging=(rule,))
    february, march = FIRST.replace(month=2), FIRST.replace(month=3)
    unwritten = _memory(FIRST)
    for day, withheld in ((february, [5000]), (march, [5000, 3000])):
        snapshot = _snapshot(day, Money(0))
        over = tuple(past for _, past in ended(snapshot, POLICY, unwritten, facts))
        assert [past.withheld for past in over] == withheld
        written = _memory(day, contributions={"ira": over})
        for memory in (unwritten, written):
            (one,) = standings(snapshot, POLICY, memory, facts)
            (due,) = one.obligations
            assert (due.goal, due.amount, due.withheld) == (D(6000), D(3000), D(3000))


@given(st.lists(st.decimals(0, 5000, places=8), min_size=1, max_size=4), st.booleans())
def test_what_periods_put_in_is_told_to_the_cent(bases, sells):
    rule = replace(PATH, sells=sells)
    facts = replace(facts_of(FILE), averaging=(rule,))
    held = tuple(
        replace(lot("ira", "VTI", "1", str(basis), "2026-01-20"), id=f"lot-{number}")
        for number, basis in enumerate(bases)
    )
    memory = _memory(FIRST, lots={one.id: one for one in held})
    for day in (FIRST + 9 * DAY, FIRST.replace(month=2)):
        snapshot = _snapshot(day, Money(0), held)
        (one,) = standings(snapshot, POLICY, memory, facts)
        over = tuple(past for _, past in ended(snapshot, POLICY, memory, facts))
        for past in (*periods(one, memory), *over):
            for amount in (past.amount, past.withheld, past.short or ZERO):
                assert amount == to_cents(amount)


def test_of_two_days_that_end_at_once_each_lacks_what_was_not_there_in_its_own_period():
    facts = replace(facts_of(FILE), averaging=(PATH,))
    second = lot("ira", "VTI", "10", "1000", "2026-02-20")
    known = {second.id: second}
    snapshot = _snapshot(dt.date(2026, 3, 16), Money(0), (second,))
    over = ended(snapshot, POLICY, _memory(FIRST, lots=known), facts)
    assert [one.amount for _, one in over] == [0, 1000]
    assert [one.short for _, one in over] == [3000, 5000]


def test_a_rule_of_before_and_a_lump_are_no_periods_of_a_path():
    memory = Memory(
        contributions={
            "ira": (
                PastContribution(day=FIRST - DAY, amount=D(1)),
                PastContribution(
                    day=FIRST, amount=D(2), lump=LumpLeft(first=FIRST, amount=D(9), left=D(7))
                ),
                PastContribution(day=FIRST, amount=D(3)),
            )
        }
    )
    facts = replace(facts_of(FILE), averaging=(PATH,))
    (one,) = standings(_snapshot(FIRST, Money(0)), POLICY, memory, facts)
    assert [past.amount for past in periods(one, memory)] == [3]
