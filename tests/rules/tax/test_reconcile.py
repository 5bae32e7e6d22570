import datetime as dt
import random
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.answers.tax_adapters import TaxCase, plain_cases, tax_case

from trimtab.domain.history import LotSale, Reporting, WashMatch
from trimtab.domain.imported import BrokerSale
from trimtab.domain.numbers import CENT, ZERO
from trimtab.domain.trades import LotPick, Term
from trimtab.rules.tax.comparison import Comparison, Verdict
from trimtab.rules.tax.form8949 import FormRow, FormRule, amounts_of, form_rows, in_cents
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.pairing import paired
from trimtab.rules.tax.reconcile import BrokerNames, reconcile

RULE = FormRule(digital_from_year=2025)
BOUGHT = dt.date(2025, 1, 6)
SOLD = dt.date(2025, 3, 4)


def sale(quantity: str, proceeds: str, basis: str, **changes: Any) -> LotSale:
    lot = changes.get("lot_id", "b1")
    sale_id = changes.get("sale_id", "s1")
    facts: dict[str, Any] = {
        "id": f"{sale_id}/{lot}/{quantity}/{changes.get('holding_since', '')}",
        "sale_id": sale_id,
        "account": "joint",
        "symbol": "BBB",
        "lot_id": lot,
        "quantity": Decimal(quantity),
        "acquired": BOUGHT,
        "holding_since": changes.get("acquired", BOUGHT),
        "sold": SOLD,
        "proceeds": Decimal(proceeds),
        "basis": Decimal(basis),
        "term": Term.SHORT,
        "is_taxed": True,
    }
    return LotSale(**(facts | changes))


def told(quantity: str, proceeds: str, basis: str | None, **changes: Any) -> BrokerSale:
    facts: dict[str, Any] = {
        "account": "joint",
        "symbol": "BBB",
        "quantity": Decimal(quantity),
        "sold": SOLD,
        "proceeds": Decimal(proceeds),
        "acquired": BOUGHT,
        "basis": None if basis is None else Decimal(basis),
        "disallowed": ZERO,
        "line": 2,
    }
    return BrokerSale(**(facts | changes))


def wash(loss: LotSale, quantity: str, disallowed: str, **changes: Any) -> WashMatch:
    facts: dict[str, Any] = {
        "sale_row": loss.id,
        "sale_id": loss.sale_id,
        "symbol": loss.symbol,
        "account": loss.account,
        "lot_id": loss.lot_id,
        "sold": loss.sold,
        "replacement_account": "ira",
        "replacement_symbol": loss.symbol,
        "replacement_lot": "r1",
        "acquired": dt.date(2025, 3, 10),
        "quantity": Decimal(quantity),
        "disallowed": Decimal(disallowed),
        "is_permanent": False,
    }
    return WashMatch(**(facts | changes))


def rows(*sales: LotSale) -> tuple[FormRow, ...]:
    return form_rows(sales, RULE)


def compare(
    sales: list[LotSale], brokers: list[BrokerSale], *washes: WashMatch
) -> list[Comparison]:
    return list(reconcile(rows(*sales), brokers, washes=washes).comparisons)


def verdicts(*arguments: Any) -> list[Verdict]:
    return [one.verdict for one in compare(*arguments)]


# ---------------------------------------------------------------------- pairing


def test_the_same_figures_are_equal():
    (one,) = compare([sale("10", "400", "500")], [told("10", "400.00", "500.00")])
    assert one.verdict is Verdict.EQUAL
    assert one.sentence == "10 BBB sold 2025-03-04 in joint: the same figures."
    assert one.lines == (2,)


def test_a_cent_a_row_is_rounding():
    (one,) = compare([sale("10", "400", "500.005")], [told("10", "400", "500.00")])
    assert one.verdict is Verdict.ROUNDING
    assert "basis 500.01 USD against the broker's 500.00 USD" in one.sentence


def test_two_cents_on_one_row_are_not_rounding():
    assert verdicts([sale("10", "400", "500")], [told("10", "400", "500.02")]) == [
        Verdict.UNEXPLAINED
    ]


def test_a_broker_that_joins_our_rows_is_compared_with_their_sum():
    lots = [
        sale("4", "160", "200"),
        sale("6", "240", "330", lot_id="b2", acquired=dt.date(2025, 2, 3)),
    ]
    (one,) = compare(lots, [told("10", "400", "530", acquired=None)])
    assert one.verdict is Verdict.EQUAL
    assert "1 of the broker's rows for 2 of ours" in one.sentence


def test_a_broker_that_splits_our_row_is_compared_by_its_sum():
    brokers = [told("4", "160", "200", line=2), told("6", "240", "300", line=3)]
    (one,) = compare([sale("10", "400", "500")], brokers)
    assert (one.verdict, one.lines) == (Verdict.EQUAL, (2, 3))


def test_lots_of_one_day_are_matched_by_their_purchase_before_their_quantity():
    later = dt.date(2025, 2, 3)
    lots = [sale("5", "200", "250"), sale("5", "200", "190", lot_id="b2", acquired=later)]
    brokers = [told("5", "200", "190", acquired=later, line=2), told("5", "200", "250", line=3)]
    assert [one.lines for one in compare(lots, brokers)] == [(3,), (2,)]
    assert verdicts(lots, brokers) == [Verdict.EQUAL, Verdict.EQUAL]


def test_sets_are_cut_wherever_the_quantities_add_up():
    later = dt.date(2025, 2, 3)
    lots = [
        sale("4", "160", "200"),
        sale("6", "240", "300", lot_id="b2"),
        sale("3", "120", "150", lot_id="b3", acquired=later),
    ]
    brokers = [
        told("10", "400", "500", acquired=None, line=2),
        told("2", "80", "100", acquired=later, line=3),
        told("1", "40", "50", acquired=later, line=4),
    ]
    assert [one.lines for one in compare(lots, brokers)] == [(2,), (3, 4)]
    assert set(verdicts(lots, brokers)) == {Verdict.EQUAL}


def test_a_fraction_of_a_share_agrees_to_the_digits_that_the_broker_prints():
    lots = [sale("0.33333333", "40", "50")]
    assert verdicts(lots, [told("0.3333", "40", "50")]) == [Verdict.EQUAL]
    assert Verdict.EQUAL not in verdicts(lots, [told("0.334", "41", "50")])


def test_a_december_trade_that_the_broker_dates_in_january_stays_in_its_year():
    lots = [sale("10", "400", "500", sold=dt.date(2025, 12, 31))]
    (one,) = compare(lots, [told("10", "400", "500", sold=dt.date(2026, 1, 2))])
    assert one.verdict is Verdict.EQUAL
    assert "the broker dates it 2026-01-02" in one.sentence
    assert "the year is 2025" in one.sentence


def test_a_broker_that_dates_every_sale_by_settlement_is_still_matched_sale_by_sale():
    days = [dt.date(2025, 3, day) for day in (3, 4, 5, 6)]
    lots = [sale("10", f"{400 + n}", "500", sale_id=f"s{n}", sold=d) for n, d in enumerate(days)]
    brokers = [
        told("10", f"{400 + n}", "500", sold=day + dt.timedelta(days=1), line=n)
        for n, day in enumerate(days)
    ]
    assert [one.lines for one in compare(lots, brokers)] == [(0,), (1,), (2,), (3,)]
    assert set(verdicts(lots, brokers)) == {Verdict.EQUAL}


def test_a_broker_never_dates_a_sale_before_its_trade_or_a_week_after():
    lots = [sale("10", "400", "500")]
    last = told("10", "400", "500", sold=SOLD + dt.timedelta(days=5))
    assert verdicts(lots, [last]) == [Verdict.EQUAL]
    for day in (SOLD - dt.timedelta(days=1), SOLD + dt.timedelta(days=6)):
        assert sorted(verdicts(lots, [told("10", "400", "500", sold=day)])) == [
            Verdict.ONLY_BROKER,
            Verdict.ONLY_OURS,
        ]


def test_account_numbers_and_cusips_of_the_broker_are_translated():
    names = BrokerNames(accounts={"X12-345678": "joint"}, symbols={"123456789": "BBB"})
    brokers = [told("10", "400", "500", account="X12-345678", symbol="", cusip="123456789")]
    found = reconcile(rows(sale("10", "400", "500")), brokers, names=names)
    assert [one.verdict for one in found.comparisons] == [Verdict.EQUAL]


def test_the_same_symbol_in_another_account_is_no_match():
    found = verdicts([sale("10", "400", "500")], [told("10", "400", "500", account="other")])
    assert sorted(found) == [Verdict.ONLY_BROKER, Verdict.ONLY_OURS]


def test_a_sale_without_a_form_is_expected_to_be_only_ours():
    found = reconcile(rows(sale("10", "400", "500", reporting=Reporting.NONE)), [])
    assert found.comparisons[0].verdict is Verdict.ONLY_OURS
    assert "as box C expects" in found.comparisons[0].sentence
    assert found.is_explained


def test_quantities_that_do_not_add_up_are_told():
    (one,) = compare([sale("10", "400", "500")], [told("12", "480", "600")])
    assert one.verdict is Verdict.UNEXPLAINED
    assert "12 units" in one.sentence


# ---------------------------------------------------------------------- explanations


def test_a_loss_washed_in_another_account_explains_what_the_broker_allows():
    loss = sale("10", "400", "500", disallowed=Decimal(50))
    match = wash(loss, "5", "50")
    (one,) = compare([loss], [told("10", "400", "500")], match)
    assert one.verdict is Verdict.OTHER_ACCOUNT
    assert "50.00 USD comes from 5 BBB bought 2025-03-10 in ira" in one.sentence


def test_a_loss_washed_by_an_identical_symbol_in_the_same_account_is_unseen_too():
    loss = sale("10", "400", "500", disallowed=Decimal(50))
    match = wash(loss, "5", "50", replacement_account="joint", replacement_symbol="BB2")
    assert verdicts([loss], [told("10", "400", "500")], match) == [Verdict.OTHER_ACCOUNT]


def test_a_loss_washed_in_the_same_account_explains_nothing():
    loss = sale("10", "400", "500", disallowed=Decimal(50))
    match = wash(loss, "5", "50", replacement_account="joint")
    assert verdicts([loss], [told("10", "400", "500")], match) == [Verdict.UNEXPLAINED]


def test_a_wash_sale_of_another_amount_explains_nothing():
    loss = sale("10", "400", "500", disallowed=Decimal(50))
    match = wash(loss, "5", "50")
    brokers = [told("10", "400", "500", disallowed=Decimal(20))]
    assert verdicts([loss], brokers, match) == [Verdict.UNEXPLAINED]


def test_without_wash_sales_nothing_is_claimed():
    loss = sale("10", "400", "500", disallowed=Decimal(50))
    assert verdicts([loss], [told("10", "400", "500")]) == [Verdict.UNEXPLAINED]


def test_a_basis_carried_from_another_account_is_explained():
    loss = sale("10", "400", "650", account="spouse", sale_id="s0", disallowed=Decimal(250))
    match = wash(loss, "10", "250", replacement_account="joint", replacement_lot="b1")
    own = sale("10", "1000", "1050")
    (one,) = compare([own], [told("10", "1000", "800")], match)
    assert one.verdict is Verdict.OTHER_ACCOUNT
    assert "250.00 USD more, carried by the wash sale of BBB sold 2025-03-04 in spouse" in (
        one.sentence
    )


def test_half_of_a_lot_carries_half_of_what_came_from_another_account():
    loss = sale("10", "400", "650", account="spouse", sale_id="s0", disallowed=Decimal(250))
    match = wash(loss, "10", "250", replacement_account="joint", replacement_lot="b1")
    own = sale("5", "500", "525")
    assert verdicts([own], [told("5", "500", "400")], match) == [Verdict.OTHER_ACCOUNT]
    assert verdicts([own], [told("5", "500", "405")], match) == [Verdict.UNEXPLAINED]


def test_a_carried_basis_makes_the_brokers_own_wash_sale_smaller():
    first = sale("10", "400", "650", account="spouse", sale_id="s0", disallowed=Decimal(250))
    into = wash(first, "10", "250", replacement_account="joint", replacement_lot="b1")
    again = sale("10", "700", "1050", disallowed=Decimal(350))
    same = wash(again, "10", "350", replacement_account="joint", replacement_lot="b2")
    brokers = [told("10", "700", "800", disallowed=Decimal(100))]
    assert verdicts([again], brokers, into, same) == [Verdict.OTHER_ACCOUNT]


def test_what_came_from_another_account_goes_on_through_a_wash_sale_within_one():
    first = sale("10", "400", "650", account="spouse", sale_id="s0", disallowed=Decimal(250))
    into = wash(first, "10", "250", replacement_account="joint", replacement_lot="b1")
    again = sale("10", "700", "1050", disallowed=Decimal(350))
    same = wash(again, "10", "350", replacement_account="joint", replacement_lot="b2")
    last = sale("10", "1500", "1250", lot_id="b2", sale_id="s2", sold=dt.date(2025, 9, 1))
    brokers = [told("10", "1500", "1000", sold=last.sold)]
    assert verdicts([last], brokers, into, same) == [Verdict.OTHER_ACCOUNT]


def test_a_brokers_smaller_loss_a_share_makes_its_wash_sale_of_some_shares_smaller():
    first = sale("4", "160", "184", account="spouse", sale_id="s0", disallowed=Decimal(24))
    into = wash(first, "4", "24", replacement_account="joint", replacement_lot="b1")
    again = sale("4", "160", "224", disallowed=Decimal(16))
    same = wash(again, "1", "16", replacement_account="joint", replacement_lot="b2")
    brokers = [told("4", "160", "200", disallowed=Decimal(10))]
    assert verdicts([again], brokers, into, same) == [Verdict.OTHER_ACCOUNT]


def test_an_unexplained_row_near_wash_sales_of_other_accounts_says_so():
    loss = sale("10", "400", "500", disallowed=Decimal(50))
    (one,) = compare([loss], [told("10", "400", "480")], wash(loss, "5", "50"))
    assert one.verdict is Verdict.UNEXPLAINED
    assert "they do not explain it to the cent" in one.sentence


def test_a_term_that_tacking_from_another_account_changed_is_explained_with_code_t():
    loss = sale("10", "400", "650", account="spouse", sale_id="s0", disallowed=Decimal(250))
    match = wash(loss, "10", "250", replacement_account="joint", replacement_lot="b1")
    own = sale("10", "1000", "1050", term=Term.LONG, holding_since=dt.date(2023, 1, 1))
    (one,) = compare([own], [told("10", "1000", "800", term=Term.SHORT)], match)
    assert one.verdict is Verdict.OTHER_ACCOUNT
    assert "10 long term by our count, 10 short term by the broker's (code T)" in one.sentence


def test_another_term_alone_is_unexplained():
    own = sale("10", "400", "500", term=Term.LONG)
    assert verdicts([own], [told("10", "400", "500", term=Term.SHORT)]) == [Verdict.UNEXPLAINED]


def test_differences_that_cancel_out_over_the_shares_of_a_lot_are_their_order():
    june = dt.date(2025, 6, 2)
    lots = [sale("5", "250", "250"), sale("5", "250", "300", sale_id="s2", sold=june)]
    brokers = [told("5", "250", "300", line=2), told("5", "250", "250", sold=june, line=3)]
    found = compare(lots, brokers)
    assert [one.verdict for one in found] == [Verdict.SUBLOT_ORDER, Verdict.SUBLOT_ORDER]
    assert "another order" in found[0].sentence


def test_a_sum_that_moves_a_gain_between_terms_is_not_the_order_of_shares():
    lots = [
        sale("5", "250", "250"),
        sale("5", "250", "300", holding_since=dt.date(2023, 1, 1), term=Term.LONG),
    ]
    brokers = [told("5", "250.01", "300.03", line=2), told("5", "249.99", "249.97", line=3)]
    assert set(verdicts(lots, brokers)) == {Verdict.UNEXPLAINED}


def test_differences_that_do_not_cancel_out_stay_unexplained():
    june = dt.date(2025, 6, 2)
    lots = [sale("5", "250", "250"), sale("5", "250", "300", sale_id="s2", sold=june)]
    brokers = [told("5", "250", "300"), told("5", "250", "260", sold=june)]
    assert set(verdicts(lots, brokers)) == {Verdict.UNEXPLAINED}


def test_a_broker_that_tells_no_basis_is_compared_by_its_proceeds():
    (one,) = compare([sale("10", "400", "500")], [told("10", "400", None, disallowed=None)])
    assert one.verdict is Verdict.EQUAL
    assert "the broker tells no basis" in one.sentence


def test_a_gain_stands_in_for_a_basis_that_the_broker_leaves_out():
    brokers = [told("10", "400", None, gain=Decimal(-90))]
    assert verdicts([sale("10", "400", "500")], brokers) == [Verdict.UNEXPLAINED]


# ---------------------------------------------------------------------- totals and figures


def test_totals_are_those_of_each_account_and_of_all():
    lots = [sale("10", "400", "500"), sale("1", "10", "5", account="other", sale_id="s9")]
    brokers = [told("10", "400", "490")]
    found = reconcile(rows(*lots), brokers)
    assert [total.account for total in found.accounts] == ["joint", "other"]
    assert found.accounts[0].counts == ((Verdict.UNEXPLAINED, 1),)
    assert f"{found.total.ours.gain} {found.total.theirs.gain}" == "-95.00 -90"
    assert not found.is_explained


def test_the_brokers_figures_turn_the_row_into_what_the_irs_was_told():
    one = sale("10", "1000", "1050")
    found = reconcile(rows(one), [told("10", "1000", "800")])
    (corrected,) = form_rows([one], RULE, broker=found.figures)
    assert f"{corrected.basis} {corrected.codes} {corrected.adjustment}" == "800 B -250"
    assert corrected.gain == -50


def test_one_row_of_the_broker_is_shared_out_over_ours_to_the_last_cent():
    lots = [sale("3", "100", "90", lot_id=f"b{n}") for n in range(3)]
    found = reconcile(rows(*lots), [told("9", "300.01", "200.02", acquired=None)])
    corrected = form_rows(lots, RULE, broker=found.figures)
    totals = amounts_of(corrected)
    assert f"{totals.proceeds} {totals.basis}" == "300.01 200.02"
    assert abs(totals.gain - 30) <= CENT


def test_rows_whose_sums_agree_keep_their_own_amounts():
    lots = [sale("4", "160", "200"), sale("6", "240", "330", lot_id="b2")]
    found = reconcile(rows(*lots), [told("10", "400", "530", reporting=Reporting.BASIS_UNREPORTED)])
    corrected = form_rows(lots, RULE, broker=found.figures)
    assert [f"{one.box} {one.basis} {one.codes}" for one in corrected] == ["B 200 ", "B 330 "]


# ---------------------------------------------------------------------- any file


def _history(seed: int, count: int) -> list[LotSale]:
    rng = random.Random(seed)
    sales = []
    for number in range(count):
        quantity = rng.randint(1, 9)
        sold = dt.date(2025, 1, 2) + dt.timedelta(days=rng.randint(0, 360))
        sales.append(
            sale(
                f"{quantity}",
                f"{rng.randint(1000, 99999) / 100}",
                f"{rng.randint(1000, 99999) / 100}",
                id=f"{number}",
                sale_id=f"s{number}",
                lot_id=f"b{number}",
                symbol=rng.choice(["AAA", "BBB", "CCC"]),
                sold=sold,
                acquired=sold - dt.timedelta(days=rng.randint(1, 30)),
            )
        )
    return sales


@pytest.mark.parametrize("seed", range(20))
def test_a_broker_that_prints_the_same_sales_in_any_order_and_any_split_agrees(seed):
    rng = random.Random(seed)
    lots = _history(seed, 60)
    brokers = []
    for lot in lots:
        parts = [lot.quantity] if rng.random() < 0.7 else [Decimal(1), lot.quantity - 1]
        left_d, left_e = lot.proceeds, lot.basis
        for at, part in enumerate(part for part in parts if part):
            is_last = at == len([one for one in parts if one]) - 1
            d = left_d if is_last else (lot.proceeds * part / lot.quantity).quantize(CENT)
            e = left_e if is_last else (lot.basis * part / lot.quantity).quantize(CENT)
            left_d, left_e = left_d - d, left_e - e
            brokers.append(
                told(
                    f"{part}",
                    f"{d}",
                    f"{e}",
                    symbol=lot.symbol,
                    sold=lot.sold,
                    acquired=lot.acquired,
                )
            )
    rng.shuffle(brokers)
    brokers = [replace(one, line=line) for line, one in enumerate(brokers)]
    found = reconcile(rows(*lots), brokers)
    assert Counter(one.verdict for one in found.comparisons).keys() <= {
        Verdict.EQUAL,
        Verdict.ROUNDING,
    }
    assert found.total.ours.gain == found.total.theirs.gain


@given(
    ours=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4)), max_size=12),
    theirs=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 6), st.booleans()), max_size=12),
)
def test_every_row_of_both_sides_is_in_exactly_one_pair(ours, theirs):
    lots = [
        sale(f"{quantity}", "10", "10", sale_id=f"s{n}", sold=SOLD + dt.timedelta(days=day))
        for n, (quantity, day) in enumerate(ours)
    ]
    brokers = [
        told(
            f"{quantity}",
            "10",
            "10",
            sold=SOLD + dt.timedelta(days=day),
            acquired=BOUGHT if is_dated else None,
            line=n,
        )
        for n, (quantity, day, is_dated) in enumerate(theirs)
    ]
    table = rows(*lots)
    pairs = paired(table, brokers, settlement_days_max=5)
    assert sorted(row.id for pair in pairs for row in pair.ours) == sorted(row.id for row in table)
    assert sorted(one.line for pair in pairs for one in pair.theirs) == list(range(len(brokers)))
    assert pairs == paired(reversed(table), list(reversed(brokers)), settlement_days_max=5)


def test_ten_thousand_rows_take_seconds_and_not_minutes():
    lots = _history(7, 10_000)
    table = rows(*lots)
    brokers = [
        told(
            f"{lot.quantity}",
            f"{lot.proceeds}",
            f"{lot.basis}",
            symbol=lot.symbol,
            sold=lot.sold,
            acquired=None,
            line=n,
        )
        for n, lot in enumerate(lots)
    ]
    began = perf_counter()
    found = reconcile(table, brokers)
    assert perf_counter() - began < 20
    assert found.is_explained


# ---------------------------------------------------------------------- whole households


def _as_brokers_see(case: TaxCase, sales: Iterable[LotSale]) -> list[BrokerSale]:
    """What brokers print that know one account and one symbol each, and were told the lots."""
    lots: dict[str, dict[str, Decimal]] = {}
    for one in sales:
        taken = lots.setdefault(one.sale_id, {})
        taken[one.lot_id] = taken.get(one.lot_id, ZERO) + one.quantity
    printed: list[BrokerSale] = []
    for account in case.accounts.values():
        ledger = Ledger({account.id: account}, replace(case.rule, groups=()), case.rates)
        for transaction in case.transactions:
            if transaction.account != account.id:
                continue
            picks = tuple(
                LotPick(lot_id=lot, quantity=quantity)
                for lot, quantity in lots.get(transaction.id, {}).items()
            )
            ledger.apply(
                replace(transaction, method="specified", picks=picks) if picks else transaction
            )
        printed += [
            BrokerSale(
                account=row.account,
                symbol=row.symbol,
                quantity=row.quantity,
                sold=row.sold,
                proceeds=row.proceeds,
                basis=row.basis,
                disallowed=row.disallowed,
                acquired=row.acquired,
                term=row.term,
                line=len(printed) + number,
            )
            for number, row in enumerate(map(in_cents, form_rows(ledger.sales(), RULE)))
        ]
    return printed


def test_differences_of_random_households_are_explained_and_never_change_the_gain():
    counts: Counter[Verdict] = Counter()
    for plain in plain_cases():
        if plain.get("source") != ["generated"]:
            continue
        case = tax_case(plain)
        ledger = Ledger(case.accounts, case.rule, case.rates)
        ledger.extend(case.transactions)
        table = form_rows(ledger.sales(), RULE)
        brokers = _as_brokers_see(case, ledger.sales())
        found = reconcile(table, brokers, washes=ledger.matches())
        counts += Counter(one.verdict for one in found.comparisons)
        filed = form_rows(ledger.sales(), RULE, broker=found.figures)
        moved = amounts_of(filed).gain - amounts_of(table).gain
        assert abs(moved) <= CENT * len(table), plain["id"]
    assert counts[Verdict.OTHER_ACCOUNT] > 400
    assert counts[Verdict.UNEXPLAINED] < 30
    assert counts[Verdict.ONLY_OURS] == counts[Verdict.ONLY_BROKER] == 0
