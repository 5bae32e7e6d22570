"""What else a plan could have done: the price of other lots, what was refused, and waiting."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from tests.houses import START, TOML, OpenCalendars, lot
from tests.rules.homes import STATUTES, TODAY, homes

from trimtab.domain.facts import facts_of
from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import CENT, ZERO
from trimtab.domain.trades import Disposal, LotPick, Motive, Side, Term, Trade
from trimtab.domain.values import Balance, Lot, Quote, Relief, ScheduledPurchase, Snapshot
from trimtab.rules.look import look_at, prepare
from trimtab.rules.plan.alternatives import Explained, Explanation, explain, order_words

PRICES = {"VTI": 100, "ITOT": 50, "BND": 70, "BTC-USD": 60_000}
SOLD = {"VTI": "stocks", "ITOT": "stocks", "BND": "bonds", "BTC-USD": "bitcoin"}
LONG_AGO, LATELY = "2020-01-06", "2026-01-05"
FIFO = TOML.replace('relief = "specific"', 'relief = "fifo"')


def sale(account: str, symbol: str, **quantities: int) -> Trade:
    """Units sold of the lots that are named."""
    units = sum(quantities.values())
    return Trade(
        account=account,
        symbol=symbol,
        asset_class=SOLD[symbol],
        side=Side.SELL,
        quantity=Decimal(units),
        price=Decimal(PRICES[symbol]),
        lots=tuple(LotPick(lot_id=n, quantity=Decimal(q)) for n, q in quantities.items()),
    )


def purchase(account: str, symbol: str, units: int) -> Trade:
    return replace(sale(account, symbol, none=units), side=Side.BUY, lots=())


def explained(
    lots: list[Lot],
    *trades: Trade,
    toml: str = TOML,
    memory: Memory = Memory(),  # noqa: B008  frozen
    scheduled: tuple[ScheduledPurchase, ...] = (),
    cash: str = "5000",
) -> Explanation:
    """The explanation of *trades* in a household that holds *lots* and no spread is paid."""
    file = decode_household(toml)
    snapshot = Snapshot(
        at=START,
        base_currency="USD",
        accounts=accounts_of(file),
        instruments=instruments_of(file),
        lots=tuple(lots),
        balances=(
            Balance(account="taxable", currency="USD", amount=Decimal(cash), settled=Decimal(cash)),
        ),
        quotes={
            symbol: Quote(
                symbol=symbol, bid=Decimal(price), ask=Decimal(price), at=START, session=TODAY
            )
            for symbol, price in PRICES.items()
        },
        rates={},
        hours={name: OpenCalendars().hours(name, START) for name in ("XNYS", "24/7")},
        scheduled=scheduled,
    )
    policy = file.policy()
    look = look_at(snapshot, policy, memory)
    return explain(*prepare(snapshot, policy, memory, facts_of(file), STATUTES, look), trades)


def prices(explained: Explained) -> dict[str, Decimal]:
    return {order.method: order.price for order in explained.orders}


OLD = lot("taxable", "VTI", "10", "600", LONG_AGO, "old")
NEW = lot("taxable", "VTI", "10", "700", LATELY, "new")


def test_the_price_of_highest_cost_first_is_the_tax_of_a_dearer_lot_that_is_short_term():
    (told,) = explained([OLD, NEW], sale("taxable", "VTI", old=10)).trades
    # 400 at 15 % are 60; 300 at 30 % are 90.
    assert prices(told) == {"fifo": 0, "hifo": 30}
    assert [order.gain for order in told.orders] == [400, 300]
    fifo, hifo = told.orders
    assert order_words(fifo, "USD") == "first in, first out costs the same"
    assert order_words(hifo, "USD") == "highest cost first would cost 30.00 USD more tax"


def test_the_price_counts_the_year_and_not_only_the_lot():
    toml = TOML.replace("[tax]", "[tax]\nlong_carryover = 10000\ncarryover_into = 2026")
    (told,) = explained([OLD, NEW], sale("taxable", "VTI", old=10), toml=toml).trades
    # Either way 3,000 are deducted this year; 100 more are left for the third year after it.
    assert prices(told)["hifo"].quantize(CENT) == -(
        100 * Decimal("0.30") / Decimal("1.04") ** 3
    ).quantize(CENT)


def test_the_other_sales_of_the_plan_are_held_fixed():
    bonds = lot("taxable", "BND", "100", "10000", LATELY, "bonds")
    sold = sale("taxable", "VTI", old=10)
    (told, _) = explained([OLD, NEW, bonds], sold, sale("taxable", "BND", bonds=100)).trades
    # A short-term loss of 3,000 is deducted; what VTI gains is taken off it at 30 % either way.
    assert prices(told)["hifo"] == -30


def test_a_loss_that_would_be_washed_is_no_advantage_of_another_order():
    lots = [OLD, lot("taxable", "VTI", "10", "1200", LATELY, "dear")]
    replacement = lot("ira", "VTI", "10", "1000", "2026-03-02", "replacement")
    sold = sale("taxable", "VTI", old=10)
    (free,) = explained(lots, sold).trades
    (washed,) = explained([*lots, replacement], sold).trades
    assert free.orders[1].gain == -200
    assert prices(free)["hifo"] == -(60 + 200 * Decimal("0.30"))
    assert washed.orders[1].gain == 0
    assert washed.orders[1].washed == 200
    assert free.orders[1].washed == washed.orders[0].washed == 0
    assert prices(washed)["hifo"] == -60
    assert order_words(washed.orders[1], "USD") == (
        "highest cost first would cost 60.00 USD less tax, and 200.00 USD of its loss would be a "
        "wash sale"
    )


@pytest.mark.parametrize(
    ("replaced", "washed", "price"),
    [("4", 80, -60 - 120 * Decimal("0.30")), ("10", 200, -60), ("25", 200, -60)],
)
def test_a_wash_sale_takes_a_loss_share_for_share(replaced, washed, price):
    """Ten units at a loss of 20 each; so many were bought in the window."""
    lots = [
        OLD,
        lot("taxable", "VTI", "10", "1200", LATELY, "dear"),
        lot("ira", "VTI", replaced, "100", "2026-03-02", "replacement"),
    ]
    (told,) = explained(lots, sale("taxable", "VTI", old=10)).trades
    assert told.orders[1].washed == washed
    assert prices(told)["hifo"] == price
    assert told.orders[1].gain == washed - 200


def test_what_replaces_one_lot_replaces_no_other():
    lots = [
        OLD,
        lot("taxable", "VTI", "6", "720", LATELY, "dear"),
        lot("taxable", "VTI", "6", "660", LATELY, "less"),
        lot("ira", "VTI", "8", "800", "2026-03-02", "replacement"),
    ]
    (told,) = explained(lots, sale("taxable", "VTI", old=10)).trades
    # Of 6 at 20 all are washed, of 4 at 10 the first two.
    assert told.orders[1].washed == 140
    assert told.orders[1].gain == -20


@pytest.mark.parametrize(("amount", "washed"), [("0", 200), ("400", 80)])
def test_a_purchase_to_come_washes_what_its_money_buys_and_all_where_nobody_told(amount, washed):
    lots = [OLD, lot("taxable", "VTI", "10", "1200", LATELY, "dear")]
    day = dt.date(2026, 3, 20)
    coming = ScheduledPurchase(account="ira", symbol="VTI", date=day, amount=Decimal(amount))
    (told,) = explained(lots, sale("taxable", "VTI", old=10), scheduled=(coming,)).trades
    assert told.orders[1].washed == washed


def test_what_the_plan_buys_washes_so_many_units():
    lots = [OLD, lot("taxable", "VTI", "10", "1200", LATELY, "dear")]
    told, _ = explained(lots, sale("taxable", "VTI", old=10), purchase("ira", "VTI", 3)).trades
    assert told.orders[1].washed == 60


def test_a_lot_that_was_paid_with_unsettled_money_is_in_no_order():
    day = dt.date(2026, 3, 10)
    fresh = replace(lot("taxable", "VTI", "10", "1200", "2026-03-06", "new"), sellable_from=day)
    (told,) = explained([OLD, fresh], sale("taxable", "VTI", old=10)).trades
    assert prices(told) == {"fifo": 0, "hifo": 0}


def test_a_sale_that_is_not_taxed_has_no_price_of_lots():
    held = lot("ira", "VTI", "10", "600", LONG_AGO, "old")
    trades = sale("ira", "VTI", old=10), purchase("ira", "BND", 14)
    (told, _) = explained([held, NEW], *trades).trades
    assert told.orders == ()
    assert told.refused is not None
    assert told.refused.sentence == (
        "VTI of 2026-01-05 in taxable would cost 90.00 USD more tax; it turns long term on "
        "2027-01-06."
    )


def test_a_child_counts_at_the_marginal_rates_since_nobody_told_its_year():
    toml = TOML.replace(
        "[accounts.taxable]",
        '[owners.kid]\nrole = "other"\n[accounts.kids]\nowner = "kid"\nkind = "taxable"\n'
        'broker = "paper"\nrelief = "specific"\n[accounts.taxable]',
    ).replace("[tax]", "[tax]\nlong_carryover = 10000\ncarryover_into = 2026")
    lots = [replace(one, account="kids") for one in (OLD, NEW)]
    (told,) = explained(lots, sale("kids", "VTI", old=10), toml=toml).trades
    assert prices(told)["hifo"] == 30


class TestRefusedSales:
    def test_the_cheapest_other_lot_costs_more_and_says_when_it_turns_long(self):
        dearer = lot("taxable", "VTI", "5", "100", LONG_AGO, "dearest")
        (told,) = explained([OLD, NEW, dearer], sale("taxable", "VTI", old=10)).trades
        assert told.refused is not None
        assert told.refused.lot_id == "new"
        assert told.refused.dearer == 30
        assert told.refused.long_from == dt.date(2027, 1, 6)
        assert told.refused.sentence == (
            "VTI of 2026-01-05 in taxable would cost 30.00 USD more tax; it turns long term on "
            "2027-01-06."
        )

    def test_a_smaller_lot_stands_for_its_own_part_of_the_sale(self):
        half = lot("taxable", "VTI", "5", "350", LATELY, "half")
        (told,) = explained([OLD, half], sale("taxable", "VTI", old=10)).trades
        assert told.refused is not None
        assert told.refused.dearer == 15
        assert "would cost 15.00 USD more tax for 500.00 USD of it" in told.refused.sentence

    def test_a_loss_is_refused_until_the_window_after_a_purchase_has_closed(self):
        lots = [
            OLD,
            lot("taxable", "VTI", "10", "1200", LATELY, "dear"),
            lot("ira", "VTI", "10", "1000", "2026-03-02", "replacement"),
        ]
        (told,) = explained(lots, sale("taxable", "VTI", old=10)).trades
        assert told.refused is not None
        assert told.refused.until == dt.date(2026, 4, 2)
        assert told.refused.sentence == (
            "VTI of 2026-01-05 in taxable would cost 120.00 USD less tax, but VTI was bought in "
            "ira on 2026-03-02: its loss would be a wash sale until 2026-04-02."
        )

    def test_a_loss_is_refused_before_a_purchase_that_happens_by_itself(self):
        lots = [OLD, lot("taxable", "VTI", "10", "1200", LATELY, "dear")]
        coming = ScheduledPurchase(account="ira", symbol="VTI", date=dt.date(2026, 3, 20))
        (told,) = explained(lots, sale("taxable", "VTI", old=10), scheduled=(coming,)).trades
        assert told.refused is not None
        assert "VTI will be bought by itself in ira on 2026-03-20" in told.refused.sentence
        assert "a wash sale until 2026-04-20 at the earliest" in told.refused.sentence.rstrip(".")

    def test_a_loss_is_refused_where_the_plan_itself_buys_the_same(self):
        lots = [OLD, lot("taxable", "VTI", "10", "1200", LATELY, "dear")]
        told, _ = explained(lots, sale("taxable", "VTI", old=10), purchase("ira", "VTI", 1)).trades
        assert told.refused is not None
        assert "but this plan buys VTI: its loss would be a wash sale" in told.refused.sentence

    @pytest.mark.parametrize(
        ("method", "words"),
        [
            ("fifo", "the policy's lot_method is first in, first out, and 10 other units come"),
            ("specified", "lot_method is specified, and it does not name this lot; it turns"),
            ("min_tax", "but the plan as a whole costs less without it; it turns long term"),
        ],
    )
    def test_the_order_that_the_policy_chose_is_named_also_where_the_sale_empties_a_lot(
        self, method, words
    ):
        rules = f'[orders]\nlot_method = "{method}"\nspecified = ["old"]\n[tax]'
        lots = [OLD, lot("taxable", "VTI", "10", "950", LATELY, "dear")]
        toml = TOML.replace(
            "[tax]", rules if method == "specified" else rules.replace('specified = ["old"]\n', "")
        )
        (told,) = explained(lots, sale("taxable", "VTI", old=10), toml=toml).trades
        assert told.refused is not None
        assert words in told.refused.sentence

    def test_the_policys_order_of_named_lots_says_what_comes_first(self):
        rules = '[orders]\nlot_method = "specified"\nspecified = ["old", "dear"]\n[tax]'
        lots = [OLD, lot("taxable", "VTI", "10", "950", LATELY, "dear")]
        toml = TOML.replace("[tax]", rules)
        (told,) = explained(lots, sale("taxable", "VTI", old=6), toml=toml).trades
        assert told.refused is not None
        assert "in their order, and 10 other units come before it" in told.refused.sentence

    def test_a_fund_that_may_not_be_sold_and_costs_more_is_no_alternative(self):
        toml = TOML.replace("[tax]", '[orders]\nno_sell = ["ITOT"]\n[tax]')
        dear = lot("taxable", "ITOT", "20", "100", LONG_AGO, "dear")
        sold = sale("taxable", "VTI", old=10)
        (told,) = explained([OLD, dear], sold, toml=toml).trades
        assert told.refused is None
        (free,) = explained([OLD, dear], sold).trades
        assert free.refused is not None

    def test_first_in_first_out_stops_a_cheaper_lot_behind_others(self):
        lots = [OLD, lot("taxable", "VTI", "10", "950", LATELY, "dear")]
        (told,) = explained(lots, sale("taxable", "VTI", old=6), toml=FIFO).trades
        assert told.refused is not None
        assert told.refused.sentence == (
            "VTI of 2026-01-05 in taxable would cost 27.00 USD less tax, but taxable books first "
            "in, first out, and 10 other units come before it; it turns long term on 2027-01-06."
        )

    @pytest.mark.parametrize(
        ("rules", "words"),
        [
            ('[orders]\nno_sell = ["ITOT"]\n[tax]', "ITOT is on the policy's no_sell list"),
            ("[tax]", "the plan as a whole costs less without it"),
        ],
        ids=["no_sell", "nothing forbids it"],
    )
    def test_another_fund_of_the_class_that_costs_less_says_why_it_stays(self, rules, words):
        toml = TOML.replace("[tax]", rules)
        lots = [OLD, lot("taxable", "ITOT", "20", "1000", LONG_AGO, "even")]
        (told,) = explained(lots, sale("taxable", "VTI", old=10), toml=toml).trades
        assert told.refused is not None
        assert told.refused.sentence == (
            f"ITOT of 2020-01-06 in taxable would cost 60.00 USD less tax, but {words}."
        )

    def test_money_of_another_account_stays_there(self):
        lots = [OLD, lot("ira", "VTI", "10", "600", LONG_AGO, "theirs")]
        trades = sale("taxable", "VTI", old=10), purchase("taxable", "BND", 14)
        (told, _) = explained(lots, *trades).trades
        assert told.refused is not None
        assert told.refused.sentence == (
            "VTI of 2020-01-06 in ira would cost 60.00 USD less tax, but its money would stay in "
            "ira, and buy there what this sale pays for: the plan as a whole costs less without it."
        )

    @pytest.mark.parametrize("motive", [Motive.CASH, Motive.HARVEST, Motive.LOCATION])
    def test_cash_that_an_account_needs_comes_from_no_other(self, motive):
        lots = [OLD, lot("ira", "VTI", "10", "600", LONG_AGO, "theirs")]
        sold = replace(sale("taxable", "VTI", old=10), motive=motive)
        (told, _) = explained(lots, sold, purchase("taxable", "BND", 14)).trades
        assert told.refused is None

    def test_another_account_that_could_not_buy_the_same_is_no_alternative(self):
        lots = [OLD, lot("ira", "VTI", "10", "600", LONG_AGO, "theirs")]
        sold = sale("taxable", "VTI", old=10)
        (for_nothing,) = explained(lots, sold).trades
        assert for_nothing.refused is None
        (for_coins, _) = explained(lots, sold, purchase("taxable", "BTC-USD", 1)).trades
        assert for_coins.refused is None

    def test_what_was_paid_with_unsettled_money_waits_for_its_day(self):
        waiting = replace(
            lot("taxable", "VTI", "10", "1000", "2026-03-06", "fresh"),
            sellable_from=dt.date(2026, 3, 10),
        )
        (told,) = explained([OLD, waiting], sale("taxable", "VTI", old=10)).trades
        assert told.refused is not None
        assert told.refused.until == dt.date(2026, 3, 10)

    def test_where_nothing_else_is_held_nothing_was_refused(self):
        (told,) = explained([OLD], sale("taxable", "VTI", old=10)).trades
        assert told.refused is None

    def test_where_the_tax_would_be_the_same_nothing_is_said(self):
        twin = replace(OLD, id="twin")
        (told,) = explained([OLD, twin], sale("taxable", "VTI", old=10)).trades
        assert told.refused is None


class TestRefusedPurchases:
    def test_the_first_member_needs_no_word(self):
        (told,) = explained([], purchase("taxable", "VTI", 10)).trades
        assert told.refused is None

    def test_a_member_that_is_locked_says_until_when(self):
        loss = Disposal(
            id="d",
            account="taxable",
            symbol="VTI",
            lot_id="gone",
            quantity=Decimal(10),
            acquired=dt.date(2025, 1, 6),
            holding_since=dt.date(2025, 1, 6),
            sold=dt.date(2026, 2, 27),
            proceeds=Decimal(900),
            basis=Decimal(1000),
            term=Term.LONG,
            is_taxed=True,
        )
        toml = TOML.replace("[tax]", '[tax]\nidentity = "same_security"')
        bought = purchase("ira", "ITOT", 10)
        (told,) = explained([], bought, memory=Memory(disposals=(loss,)), toml=toml).trades
        assert told.refused is not None
        assert (told.refused.symbol, told.refused.until) == ("VTI", dt.date(2026, 3, 30))
        assert told.refused.sentence == (
            "VTI comes first in stocks, but VTI was sold at a loss in taxable on 2026-02-27; VTI "
            "may be bought again from 2026-03-30."
        )

    def test_a_limit_that_is_not_reached_bars_nothing(self):
        toml = TOML.replace("[tax]", "[plan]\nholdings_max = { VTI = 0.5 }\n[tax]")
        for units, is_barred in ((20, False), (70, True)):
            lots = [replace(OLD, quantity=Decimal(units)), lot("ira", "BND", "100", "1", LONG_AGO)]
            (told,) = explained(lots, purchase("taxable", "ITOT", 10), toml=toml, cash="0").trades
            sentence = "" if told.refused is None else told.refused.sentence
            assert ("VTI may be 50.0 % of the savings at most" in sentence) is is_barred

    def test_a_member_on_the_no_buy_list_is_named(self):
        toml = TOML.replace("[tax]", '[orders]\nno_buy = ["VTI"]\n[tax]')
        (told,) = explained([], purchase("taxable", "ITOT", 10), toml=toml).trades
        assert told.refused is not None
        assert "VTI is on the policy's no-buy list" in told.refused.sentence

    def test_a_member_that_the_plan_harvests_would_wash_its_own_loss(self):
        dear = lot("taxable", "VTI", "10", "1200", LATELY, "dear")
        _, told = explained(
            [dear], sale("taxable", "VTI", dear=10), purchase("taxable", "ITOT", 10)
        ).trades
        assert told.refused is not None
        assert "VTI is sold at a loss in this plan" in told.refused.sentence

    def test_a_class_with_taxed_income_would_be_better_off_in_an_account_without_cash(self):
        toml = TOML.replace('members = ["BND"]', 'members = ["BND"]\nordinary_yield = 0.04')
        (told,) = explained([], purchase("taxable", "BND", 100), toml=toml).trades
        assert told.refused is not None
        assert told.refused.sentence == (
            "In ira it would spare about 84.00 USD of tax a year, but no cash is left there."
        )


class TestWaiting:
    def test_lots_that_turn_long_within_90_days_are_told_the_most_valuable_first(self):
        lots = [
            lot("taxable", "VTI", "10", "900", "2025-03-10", "small"),
            lot("taxable", "VTI", "10", "500", "2025-06-06", "last day"),
            lot("taxable", "VTI", "10", "400", "2025-06-07", "too late"),
            lot("taxable", "VTI", "10", "1100", "2025-04-01", "at a loss"),
            lot("taxable", "VTI", "10", "400", "2025-03-07", "long today"),
            lot("ira", "VTI", "10", "400", "2025-04-01", "untaxed"),
        ]
        aging = explained(lots).aging
        assert [one.lot_id for one in aging] == ["last day", "small"]
        assert [one.long_from for one in aging] == [dt.date(2026, 6, 7), dt.date(2026, 3, 11)]
        assert [one.saves for one in aging] == [75, 15]

    def test_only_what_the_plan_leaves_is_worth_waiting_for(self):
        lots = [lot("taxable", "VTI", "10", "500", "2025-04-01", "half")]
        (left,) = explained(lots, sale("taxable", "VTI", half=4)).aging
        assert [left.quantity, left.gain, left.saves] == [6, 300, 45]
        assert explained(lots, sale("taxable", "VTI", half=10)).aging == ()

    def test_without_a_plan_only_lots_that_would_have_to_be_sold_are_shown(self):
        heavy = lot("taxable", "VTI", "1000", "60000", "2025-04-06", "heavy")
        light = lot("taxable", "BND", "10", "100", "2025-04-06", "light")
        assert [one.lot_id for one in explained([heavy, light]).aging] == ["heavy"]
        sold = sale("taxable", "VTI", heavy=1)
        assert [one.lot_id for one in explained([heavy, light], sold).aging] == ["heavy", "light"]


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(homes())
def test_every_plan_can_be_explained_and_a_standing_order_has_no_price_of_its_own(home):
    plan = home.decide().plan
    if plan is None:
        return
    look = look_at(home.snapshot, home.policy, home.memory)
    arguments = (home.snapshot, home.policy, home.memory, home.facts, STATUTES, look)
    told = explain(*prepare(*arguments), plan.trades)
    assert len(told.trades) == len(plan.trades)
    for trade, one in zip(plan.trades, told.trades, strict=True):
        account = home.snapshot.accounts[trade.account]
        assert told.of(trade) is one
        assert bool(one.orders) is (trade.side is Side.SELL and account.kind.is_taxed)
        if one.orders and account.relief is Relief.FIFO:
            assert abs(prices(one)["fifo"]) < CENT
        if one.orders and account.relief is Relief.HIFO:
            assert abs(prices(one)["hifo"]) < CENT
    assert all(lot.saves > ZERO and lot.quantity > 0 for lot in told.aging)
