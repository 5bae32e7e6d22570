"""What must hold of every ledger: it says what the oracle says, and loses and invents nothing."""

import datetime as dt
import os
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from random import Random, SystemRandom

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.tax.histories import ACCOUNTS, GROUP, RATES, History, histories, history
from tests.rules.tax.rows import open_lots, taxed_rows
from tests.rules.tax.trial import disagreements, ledger_of, split_symbols

from trimtab.domain.history import LotSale, TaxLot, Transaction, TransactionKind, WashRule
from trimtab.domain.trades import LotPick
from trimtab.rules.tax.ledger import Ledger

EXPLORES = bool(os.environ.get("TRIMTAB_EXPLORE"))
FIRST = SystemRandom().randrange(10**9) if EXPLORES else 0
SEEDS = 30_000 if EXPLORES else 3_000
BLOCKS = 10
EXAMPLES = settings(max_examples=1_000 if EXPLORES else 100)
WINDOW = dt.timedelta(days=30)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_ledger_says_what_the_oracle_says(block):
    start = FIRST + block * (SEEDS // BLOCKS)
    for seed in range(start, start + SEEDS // BLOCKS):
        found = disagreements(history(seed, parts_move=bool(seed % 2)))
        assert not found, f"history({seed}, parts_move={bool(seed % 2)}): {'; '.join(found)}"


@given(histories())
@EXAMPLES
def test_whatever_hypothesis_thinks_of_the_ledger_agrees_with_the_oracle(past):
    assert not disagreements(past)


def test_the_random_histories_reach_the_edges_that_they_are_meant_for():
    seen: dict[str, int] = defaultdict(int)
    for seed in range(600):
        past = history(seed)
        ledger = ledger_of(past)
        for match in ledger.matches():
            seen[f"day {abs((match.acquired - match.sold).days)}"] += 1
            seen["before"] += match.acquired < match.sold
            seen["permanent"] += match.is_permanent
            seen["spouse"] += {match.account, match.replacement_account} == {"mine", "his"}
            seen["other"] += match.account in {"child", "trust", "friend"}
            seen["like"] += match.replacement_symbol != match.symbol
            seen["over the year"] += match.acquired.year != match.sold.year
        for sale in ledger.sales():
            seen["chain"] += sale.disallowed > 0 and sale.holding_since != sale.acquired
            seen["part"] += 0 < sale.replaced < sale.quantity
            seen["leap day"] += (sale.sold.month, sale.sold.day) == (2, 29)
        seen["later switch"] += past.rule.crypto_wash_from is not None
        for one in past.transactions:
            seen[one.kind] += 1
            seen[f"{one.kind} by {one.method}"] += 1
            seen["fills"] += bool(one.order_id)
    wanted = [
        *("day 0", "day 1", "day 29", "day 30", "before", "permanent", "spouse", "other", "like"),
        *("over the year", "chain", "part", "leap day", "later switch", "fills"),
        *(f"sell by {method}" for method in ("fifo", "lifo", "hifo", "min_tax", "specified")),
        *("transfer by fifo", "transfer by specified", "split", "gift", "reinvest", "opening"),
    ]
    assert not [name for name in wanted if seen[name] < 10]
    assert seen["day 31"] == 0


# ------------------------------------------------------------------ no cent is lost


@given(histories(parts_move=True))
@EXAMPLES
def test_every_cent_of_a_loss_is_taken_or_deferred_or_lost_to_a_retirement_account(past):
    ledger = ledger_of(past)
    taxed = [sale for sale in ledger.sales() if sale.is_taxed]
    held = [lot for lot in ledger.lots() if past.accounts[lot.account].is_taxed]
    paid = sum(_cost(one) for one in past.transactions if past.accounts[one.account].is_taxed)
    gained = _sum(taxed, "gain")
    deferred = _sum(held, "basis") - _sum(held, "paid")
    sold_cost = paid - _sum(held, "paid")
    assert gained == _sum(taxed, "proceeds") - sold_cost + deferred + _sum(taxed, "permanent")


@given(histories(parts_move=True))
@EXAMPLES
def test_units_bought_are_units_sold_and_units_held(past):
    ledger = ledger_of(past)
    split = split_symbols(past)
    balance: dict[str, Fraction] = defaultdict(Fraction)
    for one in past.transactions:
        if one.kind not in {TransactionKind.SELL, TransactionKind.TRANSFER}:
            balance[one.symbol] += Fraction(one.quantity)
    for sale in ledger.sales():
        balance[sale.symbol] -= Fraction(sale.quantity)
    for lot in ledger.lots():
        assert lot.quantity > 0
        balance[lot.symbol] -= Fraction(lot.quantity)
    assert not any(left for symbol, left in balance.items() if symbol not in split)


@given(histories(parts_move=True))
@EXAMPLES
def test_no_share_replaces_or_is_replaced_twice(past):
    ledger = ledger_of(past)
    split = split_symbols(past)
    bought = {one.id: one for one in past.transactions}
    by_lot: dict[str, Fraction] = defaultdict(Fraction)
    by_row: dict[str, Fraction] = defaultdict(Fraction)
    loss_by_row: dict[str, Fraction] = defaultdict(Fraction)
    for match in ledger.matches():
        by_lot[match.replacement_lot] += Fraction(match.quantity)
        by_row[match.sale_row] += Fraction(match.quantity)
        loss_by_row[match.sale_row] += Fraction(match.disallowed)
        assert bought[match.replacement_lot].kind is not TransactionKind.GIFT
        assert abs(match.acquired - match.sold) <= WINDOW
    for lot, units in by_lot.items():
        if bought[lot].symbol not in split:
            assert units <= bought[lot].quantity
    for sale in ledger.sales():
        assert loss_by_row[sale.id] == sale.disallowed
        assert sale.permanent <= sale.disallowed
        assert sale.disallowed <= max(Decimal(0), sale.basis - sale.proceeds)
        assert sale.replaced <= sale.quantity
        if sale.symbol not in split:
            assert by_row[sale.id] == sale.replaced


# ------------------------------------------------------------------ order and names


@given(histories(parts_move=True), st.randoms(use_true_random=False))
@EXAMPLES
def test_the_order_of_what_has_nothing_to_do_with_each_other_changes_nothing(past, rng):
    days: dict[dt.date, dict[tuple[str, str], list[Transaction]]] = {}
    for one in past.transactions:
        days.setdefault(one.date, {}).setdefault(_family(one), []).append(one)
    shuffled: list[Transaction] = []
    for families in days.values():
        parts = list(families.values())
        rng.shuffle(parts)
        shuffled += [one for part in parts for one in part]
    _assert_same(ledger_of(past), ledger_of(replace(past, transactions=tuple(shuffled))))


@given(histories(parts_move=True))
@EXAMPLES
def test_a_family_of_symbols_alone_is_judged_as_among_others(past):
    ledger = ledger_of(past)
    sales, lots = ledger.sales(), ledger.lots()
    for family in {_family(one) for one in past.transactions}:
        own = tuple(one for one in past.transactions if _family(one) == family)
        alone = ledger_of(replace(past, transactions=own))
        symbols = {one.symbol for one in own}
        accounts = {name for name in ACCOUNTS if ACCOUNTS[name].taxpayer == family[0]}
        assert [
            sale for sale in sales if sale.symbol in symbols and sale.account in accounts
        ] == list(alone.sales())
        assert [lot for lot in lots if lot.symbol in symbols and lot.account in accounts] == list(
            alone.lots()
        )


@given(histories(parts_move=True), st.integers(0, 2**16))
@EXAMPLES
def test_names_of_symbols_lots_and_sales_mean_nothing(past, seed):
    rng = Random(seed)
    symbols = sorted({one.symbol for one in past.transactions} | set(GROUP) | {"BTC"})
    new = dict(zip(symbols, rng.sample([f"S{n}" for n in range(50)], len(symbols)), strict=True))
    ids = [one.id for one in past.transactions]
    other = dict(zip(ids, rng.sample([f"n{n}" for n in range(500)], len(ids)), strict=True))
    renamed = replace(
        past,
        transactions=tuple(
            replace(
                one,
                id=other[one.id],
                symbol=new[one.symbol],
                order_id=f"o{one.order_id}" if one.order_id else "",
                picks=tuple(
                    LotPick(lot_id=other[pick.lot_id], quantity=pick.quantity) for pick in one.picks
                ),
            )
            for one in past.transactions
        ),
        rule=replace(
            past.rule,
            groups=tuple(tuple(new[symbol] for symbol in group) for group in past.rule.groups),
            exempt=frozenset(new[symbol] for symbol in past.rule.exempt),
        ),
    )
    before, after = ledger_of(past), ledger_of(renamed)
    assert [
        replace(sale, id="", sale_id=other[sale.sale_id], lot_id=other[sale.lot_id], symbol="")
        for sale in before.sales()
    ] == [replace(sale, id="", symbol="") for sale in after.sales()]
    assert {
        (lot.account, other[lot.lot_id], lot.piece, lot.quantity, lot.basis, lot.holding_since)
        for lot in before.lots()
    } == {
        (lot.account, lot.lot_id, lot.piece, lot.quantity, lot.basis, lot.holding_since)
        for lot in after.lots()
    }


# ------------------------------------------------------------------ event by event


@given(histories(parts_move=True))
@EXAMPLES
def test_event_by_event_gives_what_all_at_once_gives(past):
    slow = Ledger(past.accounts, past.rule, past.rates)
    for one in past.transactions:
        slow.apply(one)
        slow.sales(), slow.lots(), slow.matches(), slow.reviews()
    _assert_same(slow, ledger_of(past))


@given(histories(parts_move=True))
@EXAMPLES
def test_a_sale_older_than_thirty_days_never_changes(past):
    final = {sale.id: sale for sale in ledger_of(past).sales()}
    ledger = Ledger(past.accounts, past.rule, past.rates)
    for one in past.transactions:
        ledger.apply(one)
        for sale in ledger.sales():
            if one.date - sale.sold > WINDOW:
                assert final[sale.id] == sale
            else:
                now = final[sale.id]
                assert now.disallowed >= sale.disallowed
                changes = {"disallowed", "permanent", "replaced"}
                assert replace(now, **{name: getattr(sale, name) for name in changes}) == sale


def test_a_sale_of_thirty_days_ago_can_still_change():
    """The bound above is the right one: a purchase on the thirtieth day reaches back."""
    day = dt.date(2025, 3, 3)
    past = History(
        seed=0,
        rule=WashRule(),
        accounts=ACCOUNTS,
        rates=RATES,
        transactions=(
            _trade("buy", day, 100),
            _trade("sell", day + dt.timedelta(days=60), 90),
            _trade("buy", day + dt.timedelta(days=90), 80),
        ),
    )
    before = ledger_of(replace(past, transactions=past.transactions[:2])).sales()
    after = ledger_of(past).sales()
    assert [sale.disallowed for sale in (*before, *after)] == [0, 10]


# ------------------------------------------------------------------ helpers


def _trade(kind: str, day: dt.date, amount: int) -> Transaction:
    return Transaction(
        id=f"{kind} {day}",
        date=day,
        account="mine",
        kind=TransactionKind(kind),
        symbol="ZIG",
        quantity=Decimal(1),
        amount=Decimal(amount),
    )


def _cost(one: Transaction) -> Fraction:
    if one.kind in {TransactionKind.GIFT, TransactionKind.OPENING}:
        return Fraction(one.basis or 0)
    if one.kind in {TransactionKind.BUY, TransactionKind.REINVEST, TransactionKind.VEST}:
        return Fraction(one.amount) + Fraction(one.fee)
    return Fraction(0)


def _family(one: Transaction) -> tuple[str, str]:
    """Who is judged together: the taxpayer, and the symbol or its group."""
    name = GROUP[0] if one.symbol in GROUP else one.symbol
    return ACCOUNTS[one.account].taxpayer, name


def _sum(values: list[LotSale] | list[TaxLot], name: str) -> Fraction:
    return sum((Fraction(getattr(value, name)) for value in values), Fraction(0))


def _assert_same(one: Ledger, other: Ledger) -> None:
    assert taxed_rows(one.sales()) == taxed_rows(other.sales())
    assert sorted(one.sales(), key=lambda sale: sale.id) == sorted(
        other.sales(), key=lambda sale: sale.id
    )
    assert open_lots(one.lots()) == open_lots(other.lots())
    assert one.lots() == other.lots()
    assert sorted(map(str, one.matches())) == sorted(map(str, other.matches()))
