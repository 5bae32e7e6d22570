"""What a page says of a plan's costs and of how far they are proven."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.houses import FixedPrices, house_of, lot

from trimtab.apps.cli.terminal import plain_lines
from trimtab.apps.hypothetical import Comparison, Look, Switch, today
from trimtab.apps.run import run_once
from trimtab.apps.views.explanation import (
    aging_blocks,
    certificate_document,
    cost_blocks,
    trade_notes,
)
from trimtab.apps.views.relief import relief_blocks, relief_document
from trimtab.domain.trades import Certificate, PlanCost, Side
from trimtab.domain.values import Relief
from trimtab.rules.plan.alternatives import AgingLot, Explained, LotOrder, Method
from trimtab.rules.plan.passed_over import Refused

NOTHING = PlanCost(drift=Decimal(900))


def certificate(gap: str = "0.50", rounding: str = "0", **costs: str) -> Certificate:
    plan = PlanCost(
        tax=Decimal(costs.get("tax", "-120.5")),
        cost=Decimal("30.25"),
        drift=Decimal("0.001"),
        wash=Decimal(costs.get("wash", "0")),
    )
    return Certificate(
        plan=plan,
        nothing=NOTHING,
        bound=plan.total - Decimal(gap),
        rounding=Decimal(rounding),
        value=Decimal(100_000),
    )


def test_a_plan_of_an_old_journal_says_nothing_of_its_costs():
    assert cost_blocks(None, "USD") == []


def test_the_costs_stand_beside_those_of_doing_nothing_and_only_causes_that_cost_something():
    assert plain_lines(cost_blocks(certificate(), "USD")) == [
        "What it costs, in USD (negative: saved)",
        "                   tax   cost   drift   total",
        "this plan      -120.50  30.25    0.00  -90.25",
        "doing nothing     0.00   0.00  900.00  900.00",
        "",
        (
            "A loss counts for what it saves now less what it costs later. Cost is spread and "
            "fees. Drift is paid to nobody: it is what the policy would pay to mend what is left."
        ),
        "",
        (
            "No plan that keeps the same rules costs less than -90.75 USD: this one is proven "
            "within 0.05 bp of the savings."
        ),
    ]


def test_what_a_wash_sale_costs_has_a_column_where_it_costs_something():
    lines = plain_lines(cost_blocks(certificate(wash="12"), "USD"))
    assert lines[1].split() == ["tax", "cost", "drift", "wash", "total"]


@pytest.mark.parametrize(("gap", "is_said"), [("10", False), ("10.01", True), ("25", True)])
def test_a_gap_above_one_basis_point_is_said_in_words(gap, is_said):
    text = plain_lines(cost_blocks(certificate(gap), "USD"))[-1]
    assert text.startswith("Not proven to be the best: a better plan could be up to ") is is_said
    if gap == "25":
        assert "up to 25.00 USD cheaper, 2.50 basis points of the savings" in text


@pytest.mark.parametrize(("gap", "words"), [("0", "0.00"), ("0.0001", "0.01"), ("-0.0001", "0.00")])
def test_a_gap_is_never_shown_smaller_than_it_is_nor_negative(gap, words):
    assert f"within {words} bp" in plain_lines(cost_blocks(certificate(gap), "USD"))[-1]


def test_the_loss_from_rounding_is_told_where_there_is_one():
    rounding = "Rounding to orders (whole steps, none too small) is 3.20 USD of the total."
    assert plain_lines(cost_blocks(certificate(rounding="3.2"), "USD"))[-1].endswith(rounding)
    assert "Rounding" not in plain_lines(cost_blocks(certificate(), "USD"))[-1]


def test_the_document_of_a_certificate_has_every_digit():
    document = certificate_document(certificate())
    assert (document.plan.total, document.nothing.total) == ("-90.249", "900")
    assert (document.bound, document.gap, document.gap_bps) == ("-90.749", "0.500", "0.05")


def explained(*prices: str, refused: Refused | None = None) -> Explained:
    methods: tuple[Method, ...] = ("fifo", "hifo")
    orders = tuple(
        LotOrder(method=method, gain=Decimal(1), price=Decimal(price))
        for method, price in zip(methods, prices, strict=False)
    )
    return Explained(account="joint", symbol="VTI", side=Side.SELL, orders=orders, refused=refused)


def test_lots_in_another_order_are_told_where_that_costs_or_saves_something():
    assert trade_notes(None, "USD") == []
    assert trade_notes(explained("0", "0.001"), "USD") == []
    (note,) = plain_lines(trade_notes(explained("12", "-3"), "USD"))
    assert note == (
        "  - With other lots: first in, first out would cost 12.00 USD more tax; highest cost "
        "first would cost 3.00 USD less tax."
    )


def test_a_loss_that_would_be_washed_is_told_even_where_the_tax_is_the_same():
    order = LotOrder(method="hifo", gain=Decimal(1), price=Decimal(0), washed=Decimal(200))
    told = Explained(account="joint", symbol="VTI", side=Side.SELL, orders=(order,))
    (note,) = plain_lines(trade_notes(told, "USD"))
    assert note == (
        "  - With other lots: highest cost first costs the same, and 200.00 USD of its loss would "
        "be a wash sale."
    )


def test_the_best_alternative_refused_is_told_in_its_own_sentence():
    refused = Refused(account="ira", symbol="VTI", dearer=Decimal(5), sentence="VTI was not it.")
    (note,) = plain_lines(trade_notes(explained(refused=refused), "USD"))
    assert note == "  - Best alternative refused: VTI was not it."


def test_five_lots_worth_waiting_for_are_shown_and_the_others_counted():
    day = dt.date(2026, 4, 2)
    lots = tuple(
        AgingLot(
            account="joint",
            symbol="VTI",
            lot_id=f"lot{number}",
            acquired=day,
            quantity=Decimal(5),
            gain=Decimal(100),
            long_from=day,
            saves=Decimal(15),
        )
        for number in range(7)
    )
    assert aging_blocks((), "USD") == []
    lines = plain_lines(aging_blocks(lots, "USD"))
    assert len([line for line in lines if "lot" in line and "joint" in line]) == 5
    assert lines[-1] == "2 more lots, for which waiting saves 30.00 USD: see `--json`."


PRICES = {"VTI": "300", "ITOT": "130", "BND": "72", "BTC-USD": "60000"}


def comparison(worth: str | None, tax: str = "50") -> Comparison:
    """Today's plan of a small household, compared with itself; one account could switch."""
    house = house_of(
        [
            lot("taxable", "VTI", "200", "30000", "2019-05-01"),
            lot("ira", "BND", "20", "1", "2020-01-01"),
        ],
        {"taxable": "3000"},
        FixedPrices(PRICES),
    )
    look: Look = today(house, run_once(house, executes=False))
    switch = Switch(
        account="taxable",
        now=Relief.FIFO,
        to=Relief.HIFO,
        tax=Decimal(tax),
        worth=None if worth is None else Decimal(worth),
    )
    return Comparison(look, dict.fromkeys(Relief, look), (switch,))


@pytest.mark.parametrize(
    ("worth", "tax", "words"),
    [
        ("40", "50", "would save 40.00 USD in all; the tax alone would be 50.00 USD less."),
        ("-40", "-50", "would cost 40.00 USD in all; the tax alone would be 50.00 USD more."),
        ("0.001", "0", "would change nothing."),
        ("50", "50", "would save 50.00 USD of tax."),
        (None, "50", "would save 50.00 USD of tax."),
        (None, "0", "would change nothing."),
    ],
)
def test_what_another_instruction_is_worth_is_said_in_all_and_in_tax(worth, tax, words):
    document = relief_document(comparison(worth, tax), "Test", "USD")
    (switch,) = document.switches
    assert switch.sentence == (
        f"taxable: highest cost first instead of first in, first out {words}"
    )


def test_reliefs_that_differ_in_nothing_say_so():
    lines = plain_lines(relief_blocks(comparison("0"), "USD"))
    assert "- hifo: the same trades and the same lots." in lines
    assert "- taxable: specific, the lots named with each sale." in lines


def test_cash_that_cannot_be_raised_has_a_column_and_what_is_not_proven_has_none():
    told = plain_lines(relief_blocks(comparison("0"), "USD"))
    assert " ".join(told[1].split()) == "relief orders turnover tax cost in all drift after"
    look = comparison("0").as_it_is
    plan = look.decision.plan
    assert plan is not None
    short = look._replace(
        lacking=Decimal("3354.33"),
        decision=replace(look.decision, plan=replace(plan, certificate=None)),
    )
    without = Comparison(short, dict.fromkeys(Relief, short), ())
    told = plain_lines(relief_blocks(without, "USD"))
    assert " ".join(told[1].split()) == "relief orders turnover tax cost not raised drift after"
    assert told[2].split()[-3] == "3,354.33"
    assert any("no plan keeps every rule then" in line for line in told)
    first, *_ = relief_document(without, "Test", "USD").plans
    assert (first.lacking, first.objective) == ("3354.33", None)
    mixed = Comparison(look, dict.fromkeys(Relief, short), ())
    header = plain_lines(relief_blocks(mixed, "USD"))[1]
    assert "in all" in header
    assert "not raised" in header


def test_where_nothing_is_planned_it_does_not_matter_how_lots_are_booked():
    look = comparison("0").as_it_is
    quiet = look._replace(decision=replace(look.decision, plan=None))
    told = plain_lines(
        relief_blocks(Comparison(quiet, dict.fromkeys(Relief, quiet), ()), "USD", ["VTI=-1%"])
    )
    assert told[0].startswith(
        "If VTI=-1%, the plan sells nothing however lots are booked, so it makes no difference now."
    )
    assert "- taxable: specific, the lots named with each sale." in told
