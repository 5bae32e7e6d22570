"""Losses worth taking, what to hold instead, and when to go back."""

import datetime as dt
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.tax.histories import histories
from tests.rules.tax.trades import ACCOUNTS, RULE, buy, later, ledger_of, plan, sell

from trimtab.adapters.law import read_law
from trimtab.domain.policy import HarvestRule, TaxRule
from trimtab.domain.trades import LotPick, Term
from trimtab.domain.values import Relief
from trimtab.rules.tax.guard import GuardState, Outlook
from trimtab.rules.tax.harvest import Rules, find_harvests, loss_least
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.losses import HarvestState
from trimtab.rules.tax.netting import Carryover
from trimtab.rules.tax.saving import YearToDate, later_tax, tax_of, year_to_date
from trimtab.rules.tax.substitution import (
    Market,
    by_correlation,
    correlation,
    proposed_sale,
    substitute_for,
    swaps_back,
    swaps_made,
)

D = Decimal
ON = dt.date(2026, 12, 7)
STATUTES = read_law().statutes
TAX = TaxRule(filing_status="single", short_term_rate=D("0.32"), long_term_rate=D("0.15"))
HARVEST = HarvestRule(substitutes={"VOO": ("IWB",), "VTI": ("SCHB",)})
RULES = Rules(harvest=HARVEST, tax=TAX, statutes=STATUTES)
OLD = buy("old", 100, 100, dt.date(2025, 1, 6))
YEAR = YearToDate(year=2026)


def market(**more):
    symbols = ("VOO", "IVV", "VTI", "IWB", "SCHB")
    usual = Market(
        on=ON,
        prices=dict.fromkeys(symbols, D(80)),
        costs=dict.fromkeys(symbols, D("0.0005")),
    )
    return replace(usual, **more)


def find(ledger, rules=RULES, so_far=YEAR, **more):
    return find_harvests(ledger, rules, so_far, market(**more))


def rules(tax=TAX, **changes):
    return replace(RULES, tax=tax, harvest=replace(HARVEST, **changes))


# ------------------------------------------------------------------ what a loss is worth


def test_a_loss_is_worth_its_tax_less_the_later_tax_and_the_trading():
    (harvest,) = find(ledger_of(OLD))
    loss = D(10000) - D(8000) * D("0.9995")
    assert harvest.state is HarvestState.TAKE
    assert harvest.loss == loss
    assert harvest.saved == loss * D("0.32")  # no gains: deducted from other income
    assert harvest.later == later_tax(loss, TAX, 10, D("0.04"))
    assert harvest.costs == D(8000) * D("0.002")  # there and back
    assert harvest.substitute == "IWB"
    assert harvest.sentence == (
        "Sell 100 VOO of lot old in taxable (bought 2025-01-06, long term), at a loss of 2,004.00 "
        "USD (20.0 % of the basis), and buy IWB instead: it saves 641.28 USD of tax now, and costs "
        "203.07 USD of tax later and 16.00 USD of trading. It is clear in the records provided. "
        "Buy nothing identical before 2027-01-07."
    )


def test_without_the_way_back_the_trading_costs_half():
    (harvest,) = find(ledger_of(OLD), swaps_back=False)
    assert harvest.costs == D(8000) * D("0.001")


@pytest.mark.parametrize(
    ("so_far", "saved"),
    [
        pytest.param(YearToDate(year=2026, long=D(5000)), "300.60", id="long gains at 15 %"),
        pytest.param(YearToDate(year=2026, short=D(5000)), "641.28", id="short gains at 32 %"),
        pytest.param(
            YearToDate(year=2026, long=D(1000)), "471.28", id="a long gain first, then income"
        ),
        pytest.param(
            YearToDate(year=2026, short=D(5000), carry=Carryover(st=D(5000))),
            "641.28",
            id="gains that a carryover offsets already",
        ),
    ],
)
def test_the_saving_follows_from_the_netting_of_the_year(so_far, saved):
    (harvest,) = find(ledger_of(OLD), so_far=so_far)
    assert round(harvest.saved, 2) == D(saved)


def test_what_is_above_the_yearly_limit_is_carried_over_and_worth_less():
    before = tax_of(replace(YEAR, long=D(-3000)), TAX, STATUTES, D("0.04"))
    after = tax_of(replace(YEAR, long=D(-3000 - 4500)), TAX, STATUTES, D("0.04"))
    assert before == -960
    expected = 3000 * D("0.32") / D("1.04") + 1500 * D("0.32") / D("1.04") ** 2
    assert math.isclose(before - after, expected, rel_tol=1e-25)
    assert tax_of(replace(YEAR, long=D(-9000)), TAX, STATUTES, D(0)) == -9000 * D("0.32")


@given(
    *(st.decimals(-20000, 20000, places=2),) * 2,
    st.decimals(0, 9000, places=2),
    st.sampled_from(list(Term)),
    st.decimals("0.01", 20000, places=2),
)
def test_a_loss_never_costs_tax_and_never_saves_more_than_the_highest_rate(
    short, long, carry, term, loss
):
    year = YearToDate(year=2026, short=short, long=long, carry=Carryover(st=carry))
    rate = D("0.04")
    saved = tax_of(year, TAX, STATUTES, rate) - tax_of(year.after(term, -loss), TAX, STATUTES, rate)
    assert D(0) <= saved <= loss * D("0.32")


def test_the_year_to_date_counts_the_households_taxed_sales_of_the_year_after_washes():
    ledger = ledger_of(
        buy("a", 10, 100, dt.date(2025, 1, 6)),
        buy("b", 4, 80, dt.date(2026, 2, 2), account="ira"),
        sell("loss", 10, 80, dt.date(2026, 2, 3)),
        buy("k", 10, 100, dt.date(2026, 2, 3), account="child", symbol="VTI"),
        sell("kid", 10, 50, dt.date(2026, 3, 3), account="child", symbol="VTI"),
        sell("ira", 4, 70, dt.date(2026, 5, 3), account="ira"),
    )
    tax = replace(TAX, short_carryover=D(7), long_carryover=D(9), carryover_into=2026)
    year = year_to_date(ledger.sales(), ACCOUNTS, tax, 2026)
    assert year.short == 0
    assert year.long == -120
    assert year.carry == Carryover(st=D(7), lt=D(9))
    assert year_to_date(ledger.sales(), ACCOUNTS, tax, 2027) == YearToDate(year=2027)


# ------------------------------------------------------------------ what is left alone


def left(ledger, rules=RULES, so_far=YEAR, **more):
    harvests = find(ledger, rules, so_far, **more)
    assert [one.state for one in harvests] == [HarvestState.LEAVE] * len(harvests)
    return harvests[0].sentence


def test_where_gains_are_taxed_at_nothing_a_loss_is_left_alone():
    tax = replace(TAX, short_term_rate=D("0.12"), long_term_rate=D(0), later_rate=D("0.15"))
    sentence = left(ledger_of(OLD), rules(tax), replace(YEAR, long=D(9000)))
    assert "it would save no tax, since what it would offset is taxed at 0 %" in sentence


def test_in_the_bracket_of_0_percent_a_loss_is_left_unless_somebody_expects_more_later():
    tax = replace(TAX, short_term_rate=D("0.12"), long_term_rate=D(0), later_rate=None)
    assert "long-term gains are taxed at 0 % for this household" in left(ledger_of(OLD), rules(tax))
    expects = replace(tax, later_rate=D("0.01"))
    assert find(ledger_of(OLD), rules(expects), YEAR)[0].state is HarvestState.TAKE


def test_a_saving_that_costs_more_later_is_left_alone():
    tax = replace(TAX, later_rate=D("0.32"))
    sentence = left(ledger_of(OLD), rules(tax), replace(YEAR, long=D(9000)))
    assert "it saves 300.60 USD of tax now, but costs 433.23 USD of tax later" in sentence


def test_below_the_minimum_of_money_a_loss_is_left_alone():
    assert "is less than the 500.00 USD" in left(ledger_of(OLD), rules(minimum=D(500)))


def test_a_gain_and_a_lot_without_a_price_are_no_candidates():
    ledger = ledger_of(buy("cheap", 1, 70, later(ON, -90)), buy("x", 1, 70, ON, symbol="ZZZ"))
    assert find(ledger) == ()
    assert find(ledger_of(replace(OLD, account="ira"))) == ()
    assert find(ledger_of(replace(OLD, account="child"))) == ()


@pytest.mark.parametrize(
    ("on", "least"),
    [
        pytest.param(dt.date(2026, 1, 1), "0.10", id="1 January"),
        pytest.param(dt.date(2026, 6, 17), "0.065", id="half-way"),
        pytest.param(dt.date(2026, 12, 1), "0.03", id="1 December"),
        pytest.param(dt.date(2026, 12, 31), "0.03", id="31 December"),
    ],
)
def test_a_loss_may_be_smaller_the_later_in_the_year_it_is(on, least):
    assert loss_least(HARVEST, on) == D(least)


def test_a_small_loss_waits_for_the_end_of_the_year():
    prices = {"VOO": D(95)}
    ledger = ledger_of(OLD)
    sentence = left(ledger, on=dt.date(2026, 3, 2), prices=prices)
    assert "on this day of the year a loss must be 8.7 % of the basis" in sentence
    assert find(ledger, prices=prices)[0].state is HarvestState.TAKE


def test_a_loss_that_would_be_washed_names_the_first_safe_day():
    ledger = ledger_of(OLD, buy("r", 100, 78, later(ON, -10), account="ira", symbol="IVV"))
    sentence = left(ledger)
    assert "it would be a wash sale. 100 IVV of lot r, bought in ira on 2026-11-27" in sentence
    assert sentence.endswith("The first safe day is 2026-12-28.")


def test_a_loss_washed_in_part_is_for_a_person_to_decide():
    ledger = ledger_of(OLD, buy("r", 10, 78, later(ON, -10), account="ira"))
    (harvest,) = find(ledger)
    assert harvest.state is HarvestState.ASK
    assert harvest.disallowed == harvest.loss / 10
    assert harvest.saved == harvest.loss * D("0.9") * D("0.32")
    assert harvest.later == later_tax(harvest.loss, TAX, 10, D("0.04"))  # an IRA takes it for good


def test_what_the_records_may_lack_is_for_a_person_to_decide():
    (harvest,) = find(ledger_of(OLD), outlook=Outlook(reinvesting=frozenset({"taxable"})))
    assert harvest.state is HarvestState.ASK
    assert "Ask first, for coverage is incomplete: taxable reinvests" in harvest.sentence


def test_a_planned_purchase_blocks_the_harvest():
    sentence = left(ledger_of(OLD), outlook=Outlook(purchases=(plan(later(ON, 9)),)))
    assert "The purchase of VOO planned in ira for 2026-12-16" in sentence


# ------------------------------------------------------------------ one after the other


def test_the_year_fills_up_from_one_loss_to_the_next():
    ledger = ledger_of(OLD, buy("b", 100, 100, dt.date(2025, 2, 6), symbol="VTI"))
    first, second = find(ledger)
    assert (first.symbol, second.symbol) == ("VOO", "VTI")
    assert first.saved == first.loss * D("0.32")
    at_once = 3000 - first.loss
    carried = second.loss - at_once
    assert math.isclose(
        second.saved, at_once * D("0.32") + carried * D("0.32") / D("1.04"), rel_tol=1e-25
    )


@pytest.mark.parametrize("price", [95, 120])
def test_a_young_lot_sold_in_the_same_order_washes_the_older_one_no_more(price):
    ledger = ledger_of(OLD, buy("young", 100, price, later(ON, -10)))
    harvests = find(ledger)
    assert {one.lot_id: one.state for one in harvests} == {
        "old": HarvestState.TAKE,
        "young": HarvestState.TAKE,
    }
    picks = tuple(LotPick(lot_id=one.lot_id, quantity=one.quantity) for one in harvests)
    ledger.apply(proposed_sale("taxable", "VOO", picks, market()))
    assert all(row.disallowed == 0 for row in ledger.sales())


def test_young_lots_that_would_only_replace_each_other_are_sold_in_one_order():
    young = [buy(name, 50, 100, later(ON, -days)) for name, days in (("a", 9), ("b", 5), ("c", 2))]
    ledger = ledger_of(*young)
    harvests = find(ledger)
    assert [one.state for one in harvests] == [HarvestState.TAKE] * 3
    assert "Sell it in one order with lot b and c." in harvests[0].sentence
    ledger.apply(proposed_sale("taxable", "VOO", tuple(one.pick for one in harvests), market()))
    assert all(row.disallowed == 0 for row in ledger.sales())


def test_young_lots_do_not_go_together_while_another_account_holds_a_third():
    young = [buy(name, 50, 100, later(ON, -days)) for name, days in (("a", 9), ("b", 5))]
    ledger = ledger_of(*young, buy("r", 100, 70, later(ON, -3), account="ira"))
    assert {one.state for one in find(ledger)} == {HarvestState.LEAVE}


def test_what_this_harvest_buys_is_not_sold_at_a_loss_in_it():
    own = {"VOO": ("SCHB",), "SCHB": ("VOO",)}
    ledger = ledger_of(OLD, buy("b", 100, 95, dt.date(2025, 2, 6), symbol="SCHB"))
    first, second = find(ledger, rules(substitutes=own))
    assert (first.symbol, first.state) == ("VOO", HarvestState.TAKE)
    assert second.state is HarvestState.LEAVE
    assert "this harvest buys SCHB" in second.sentence


def test_where_the_broker_books_the_oldest_first_a_lot_waits_for_the_ones_before_it():
    ledger = ledger_of(buy("gain", 10, 50, dt.date(2024, 1, 8)), OLD)
    sentence = left(ledger, reliefs={"taxable": Relief.FIFO})
    assert "the broker of taxable would book the sale to lot gain first" in sentence
    ledger = ledger_of(OLD, buy("then", 100, 120, dt.date(2025, 3, 6)))
    harvests = find(ledger, reliefs={"taxable": Relief.FIFO})
    assert {one.state for one in harvests} == {HarvestState.TAKE}


def test_a_lot_that_soon_turns_long_term_is_harvested_before():
    bought = dt.date(2025, 12, 20)
    ledger = ledger_of(replace(OLD, date=bought))
    (harvest,) = find(ledger, so_far=replace(YEAR, short=D(9000), long=D(9000)))
    assert harvest.harvest_before == dt.date(2026, 12, 21)
    assert "Harvest it before 2026-12-21: then it turns long term" in harvest.sentence
    (harvest,) = find(ledger)
    assert harvest.harvest_before is None  # without gains both terms save the same


def test_coins_may_be_bought_back_at_once():
    ledger = ledger_of(replace(OLD, symbol="BTC-USD"), buy("c", 1, 79, ON, symbol="BTC-USD"))
    (harvest,) = find(ledger, prices={"BTC-USD": D(80)}, outlook=Outlook(incomplete={"ira": "x"}))
    assert (harvest.state, harvest.substitute) == (HarvestState.TAKE, "BTC-USD")
    assert "Section 1091 does not reach BTC-USD" in harvest.sentence


# ------------------------------------------------------------------ substitutes


def test_the_households_own_substitute_comes_first_and_a_candidate_stands_in():
    ledger = ledger_of(OLD)
    here = market(candidates={"VOO": ("VV", "SCHX")})
    assert substitute_for("VOO", ledger, HARVEST, here) == ("IWB", "")
    assert substitute_for("VOO", ledger, HarvestRule(), here) == ("VV", "")
    assert substitute_for("VOO", ledger, HarvestRule(), market()) == (
        "",
        "no substitute for VOO is known",
    )


@pytest.mark.parametrize(
    ("candidate", "more", "words"),
    [
        pytest.param("IVV", {}, "IVV is identical to VOO, which is sold at a loss", id="identical"),
        pytest.param(
            "VV", {"permitted": frozenset({"SCHX"})}, "VV may not be bought here", id="no"
        ),
        pytest.param(
            "VTSAX", {}, "VTI was sold at a loss in joint on 2026-11-27", id="sold at a loss lately"
        ),
        pytest.param(
            "VV",
            {"outlook": Outlook(purchases=(plan(dt.date(2026, 1, 9), "month", symbol="VV"),))},
            "VV is bought by plan in ira on 2026-12-09",
            id="bought by itself",
        ),
    ],
)
def test_some_substitutes_will_not_do(candidate, more, words):
    ledger = ledger_of(
        OLD,
        buy("t", 1, 100, dt.date(2025, 1, 6), account="joint", symbol="VTI"),
        sell("l", 1, 80, later(ON, -10), account="joint", symbol="VTI"),
    )
    here = market(candidates={"VOO": (candidate, "SCHX")}, **more)
    assert substitute_for("VOO", ledger, HarvestRule(), here) == ("SCHX", words)


def test_a_loss_without_a_substitute_is_left_alone():
    assert "nothing can be bought instead: no substitute for VOO is known." in left(
        ledger_of(OLD), rules(substitutes={})
    )


def test_candidates_are_ranked_by_how_their_past_returns_went_along():
    base = [0.01 * (-1) ** n + 0.001 * n for n in range(24)]
    past = {
        "VOO": base,
        "A": [0.5 * one + 0.01 * (n % 3) for n, one in enumerate(base)],
        "B": [2 * one for one in base],
        "C": [one + 1 for one in base[1:]],
        "D": [math.nan, *base[1:]],
    }
    assert by_correlation("VOO", ("C", "A", "D", "B", "E"), past) == ["B", "A", "C", "D", "E"]
    assert correlation(base, past["C"]) is None
    assert correlation(base, [0.02] * 24) is None
    assert correlation([9.0, *base], past["B"]) == 1


# ------------------------------------------------------------------ the way back


SWAPPED = (
    OLD,
    sell("loss", 100, 80, later(ON, -31)),
    buy("instead", 200, 40, later(ON, -31), symbol="IWB"),
)


def back(price, *more, on=ON, **market_):
    ledger = ledger_of(*SWAPPED, *more)
    swaps = swaps_made(ledger, HARVEST, {})
    assert [(one.substitute, one.symbol, one.lot_id) for one in swaps] == [
        ("IWB", "VOO", "instead")
    ]
    (found,) = swaps_back(
        ledger, swaps, market(on=on, prices={"IWB": D(price), "VOO": D(80)}, **market_)
    )
    return found


def test_without_a_gain_the_household_goes_back_once_the_window_is_over():
    found = back("40")
    assert found.is_taken
    assert found.sentence == (
        "Sell 200 IWB of lot instead in taxable and buy VOO again: the window is over and the sale "
        "realizes no gain (-4.00 USD after costs)."
    )


@pytest.mark.parametrize(
    ("price", "more", "keywords", "words"),
    [
        pytest.param("41", (), {}, "would realize a gain of 195.90 USD", id="a gain"),
        pytest.param(
            "40",
            (),
            {"on": later(ON, -1)},
            "the window of the loss on VOO is open until 2026-12-06",
            id="a day too early",
        ),
        pytest.param(
            "39",
            (buy("again", 5, 40, later(ON, -5), account="ira", symbol="IWB"),),
            {},
            "partly; 5 of the 200 shares at a loss would be replaced",
            id="a loss that would be washed",
        ),
        pytest.param(
            "40",
            (
                buy("v", 5, 90, dt.date(2025, 1, 6), symbol="IVV"),
                sell("w", 5, 80, later(ON, -5), symbol="IVV"),
            ),
            {},
            "VOO may be bought again from 2027-01-02",
            id="another loss since",
        ),
        pytest.param(
            "40",
            (),
            {"permitted": frozenset({"IWB"})},
            "VOO may not be bought here",
            id="permitted",
        ),
        pytest.param(
            "40",
            (buy("older", 5, 30, dt.date(2025, 1, 6), symbol="IWB"),),
            {"reliefs": {"taxable": Relief.FIFO}},
            "would book the sale to lot older first",
            id="the broker sells another lot",
        ),
    ],
)
def test_else_it_keeps_the_substitute_and_says_why(price, more, keywords, words):
    found = back(price, *more, **keywords)
    assert not found.is_taken
    assert found.sentence.startswith("Keep 200 IWB of lot instead in taxable: ")
    assert words in found.sentence


def test_a_gain_in_one_piece_is_enough_to_keep_the_substitute():
    """A wash sale has raised the basis of a part; the rest would realize a gain."""
    ledger = ledger_of(
        buy("iwb", 50, 60, dt.date(2025, 1, 6), symbol="IWB"),
        sell("iwb-loss", 50, 39, later(ON, -45), symbol="IWB"),
        *SWAPPED,
    )
    assert len([lot for lot in ledger.lots() if lot.lot_id == "instead"]) == 2
    prices = {"IWB": D(41), "VOO": D(80)}
    (found,) = swaps_back(ledger, swaps_made(ledger, HARVEST, {}), market(prices=prices))
    assert found.gain < 0
    assert not found.is_taken


# ------------------------------------------------------------------ over random households


@given(histories(), st.integers(0, 31), st.lists(st.integers(0, 30), max_size=2))
@settings(max_examples=150)
def test_a_harvest_that_the_guard_lets_pass_is_never_washed_by_what_is_planned(case, days, ahead):
    ledger = Ledger(case.accounts, case.rule, case.rates)
    ledger.extend(case.transactions)
    on = later(ledger.until, days)
    symbols = sorted({one.symbol for one in case.transactions})
    plans = tuple(
        plan(later(on, one), account="mine", symbol=symbols[one % len(symbols)]) for one in ahead
    )
    instead = {"IVV": ("ITOT",), "SPY": ("ITOT", "ZIG"), "VOO": ("ZAG",), "ZIG": ("VOO", "ITOT")}
    here = market(
        on=on,
        prices=dict.fromkeys(symbols, D(8)),
        candidates=instead | {"ZAG": ("ZIG", "ITOT")},
        outlook=Outlook(purchases=plans),
    )
    everything = Rules(
        harvest=HarvestRule(loss_min_january=D(0), loss_min_december=D(0), minimum=D(0)),
        tax=TAX,
        statutes=STATUTES,
    )
    before = ledger.lots()
    harvests = find_harvests(ledger, everything, YearToDate(year=on.year), here)
    assert ledger.lots() == before
    assert len({one.key for one in harvests}) == len(harvests)
    assert all(one.sentence for one in harvests)
    taken = [one for one in harvests if one.state is HarvestState.TAKE]
    assert all(one.guard is not None and one.guard.state is GuardState.CLEAR for one in taken)
    sold: dict[tuple[str, str], list[LotPick]] = {}
    for one in taken:
        sold.setdefault((one.account, one.symbol), []).append(one.pick)
    for (account, symbol), picks in sold.items():
        ledger.apply(proposed_sale(account, symbol, tuple(picks), here))
    for number, one in enumerate(taken):
        ledger.apply(buy(f"sub-{number}", 9, 8, on, account=one.account, symbol=one.substitute))
    for number, rule in enumerate(sorted(plans, key=lambda one: one.first)):
        ledger.apply(buy(f"plan-{number}", 99, 8, rule.first, account="mine", symbol=rule.symbol))
    for row in ledger.sales():
        if row.sale_id.startswith("sale of"):
            assert row.disallowed == 0


def test_the_rule_of_the_tests_holds_the_groups_they_rely_on():
    assert ("VTI", "VTSAX") in RULE.groups
