"""The paper broker: it fills at the quote, books every cent, and never loses what it said."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.lab.paper_world import World, lot

from trimtab.domain.errors import BrokerRefused
from trimtab.domain.policy import PaperRule
from trimtab.domain.trades import OrderStatus, Side

FEES = PaperRule(fee_per_order=Decimal("1.00"), fee_bps=Decimal(5))


# ------------------------------------------------------------------ prices, fees, settlement


def test_a_purchase_fills_at_the_ask_and_a_sale_at_the_bid():
    world = World()
    world.open(lot("old", 10, 500))
    assert world.broker.submit(world.buy(3, limit="101")).status is OrderStatus.FILLED
    assert world.broker.submit(world.sell(4, limit="99")).status is OrderStatus.FILLED
    assert [fill.price for fill in world.fills()] == [Decimal("100.10"), Decimal("99.90")]
    assert world.cash() == Decimal(10000) - 3 * Decimal("100.10") + 4 * Decimal("99.90")
    assert world.held() == 9


@pytest.mark.parametrize(
    ("side", "limit", "status"),
    [
        pytest.param(Side.BUY, "100.10", OrderStatus.FILLED, id="a limit at the ask buys"),
        pytest.param(Side.BUY, "100.09", OrderStatus.WORKING, id="a cent below it waits"),
        pytest.param(Side.SELL, "99.90", OrderStatus.FILLED, id="a limit at the bid sells"),
        pytest.param(Side.SELL, "99.91", OrderStatus.WORKING, id="a cent above it waits"),
    ],
)
def test_an_order_fills_only_within_its_limit(side, limit, status):
    world = World()
    world.open(lot("old", 10, 500))
    assert world.broker.submit(world.order(side, 2, "VTI", limit)).status is status


def test_a_working_order_fills_when_the_quote_comes_to_its_limit():
    world = World()
    world.open()
    order = world.buy(5, limit="98")
    world.broker.submit(order)
    world.board.write("VTI", "97.40", "97.50")
    assert world.broker.find("main", order.id).status is OrderStatus.FILLED
    assert world.fills()[0].price == Decimal("97.50")


def test_a_working_order_waits_while_its_market_is_closed_or_its_symbol_halted():
    world = World()
    world.open()
    order = world.buy(5, limit="98")
    world.broker.submit(order)
    world.board.write("VTI", "97.40", "97.50")
    world.doors.is_open = False
    assert world.broker.find("main", order.id).status is OrderStatus.WORKING
    world.doors.is_open = True
    world.board.wipe("VTI")
    assert world.broker.find("main", order.id).status is OrderStatus.WORKING


def test_an_order_expires_at_its_instant_even_if_the_quote_would_fill_it_then():
    world = World()
    world.open()
    order = world.buy(5, limit="98")
    world.broker.submit(order)
    world.clock.at = order.good_until
    world.board.write("VTI", "97.40", "97.50")
    assert world.broker.find("main", order.id).status is OrderStatus.EXPIRED
    assert world.cash() == 10000


def test_the_flat_fee_is_charged_once_and_basis_points_to_the_cent_half_up():
    world = World(rule=FEES)
    world.open(lot("old", 10, 500))
    world.board.write("VTI", "99", "101")
    world.broker.submit(world.buy(3))  # 303 * 0.0005 = 0.1515
    world.broker.submit(world.sell(1, limit="99"))  # 99 * 0.0005 = 0.0495
    assert [fill.fee for fill in world.fills()] == [Decimal("1.15"), Decimal("1.05")]
    assert world.cash() == Decimal(10000) - 303 - Decimal("1.15") + 99 - Decimal("1.05")


def test_the_fee_of_a_purchase_is_basis_and_that_of_a_sale_takes_from_the_proceeds():
    world = World(rule=FEES)
    world.open(cash="1000")
    world.board.write("VTI", "99", "100")
    order = world.buy(2)
    world.broker.submit(order)
    assert world.lots()[f"{order.id}:1"].basis == Decimal("201.10")
    world.broker.submit(world.sell(2))
    assert world.cash() == 1000 - Decimal("201.10") + 198 - Decimal("1.10")


def test_a_fee_never_exceeds_what_a_sale_brings():
    world = World(rule=PaperRule(fee_per_order=Decimal(500)))
    world.open(lot("old", 1, 50), cash="0")
    world.broker.submit(world.sell(1))
    assert world.cash() == 0


def test_a_price_without_a_spread_gets_the_one_of_the_rule():
    world = World(rule=PaperRule(spread_bps=Decimal(4), crypto_spread_bps=Decimal(20)))
    world.open()
    world.board.write("VTI", "100", "100")
    world.board.write("BTC", "60000", "60000")
    world.broker.submit(world.buy(1))
    world.broker.submit(world.buy("0.01", symbol="BTC", limit="70000"))
    assert [fill.price for fill in world.fills()] == [Decimal("100.02"), Decimal(60060)]


def test_proceeds_settle_the_next_day_and_those_of_crypto_at_once():
    world = World()
    world.open(lot("old", 10, 500), lot("coin", "0.5", 9000, symbol="BTC"), cash="100")
    world.broker.submit(world.sell(1))
    world.broker.submit(world.sell("0.1", symbol="BTC", limit="1"))
    assert [fill.settles_on.isoformat() for fill in world.fills()] == ["2026-06-04", "2026-06-03"]
    assert world.cash() == Decimal(100) + Decimal("99.90") + 5900
    assert world.broker.report("main").settled == 6000
    world.clock.at += dt.timedelta(days=1)
    assert world.broker.report("main").settled == world.cash()


def test_a_purchase_takes_settled_cash_first_and_settles_no_proceeds():
    world = World()
    world.open(lot("old", 10, 500), cash="300")
    world.broker.submit(world.sell(5))
    world.broker.submit(world.buy(2))
    spent = world.fills()[1].quantity * world.fills()[1].price
    assert world.broker.report("main").settled == 300 - spent
    world.broker.submit(world.buy(3))
    assert world.broker.report("main").settled == 0
    world.broker.deposit("main", Decimal(40))
    assert world.broker.report("main").settled == 40


def test_the_day_of_a_trade_is_new_yorks():
    world = World()
    world.open()
    world.clock.at = dt.datetime(2026, 6, 4, 2, 0, tzinfo=dt.UTC)
    order = world.buy("0.01", symbol="BTC", limit="70000")
    world.broker.submit(order)
    assert world.lots()[f"{order.id}:1"].acquired == dt.date(2026, 6, 3)
    assert world.fills()[0].settles_on == dt.date(2026, 6, 3)


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("different", "sentence"),
    [
        pytest.param({"account": "nobody"}, "holds no account 'nobody'", id="account"),
        pytest.param({"account": "other"}, "holds no account 'other'", id="not opened"),
        pytest.param({"symbol": "ACME"}, "does not know ACME", id="symbol"),
        pytest.param({"quantity": Decimal(0)}, "more than zero", id="no quantity"),
        pytest.param({"quantity": Decimal(-1)}, "more than zero", id="negative quantity"),
        pytest.param({"quantity": Decimal("1.5")}, "multiple of 1", id="a part of a step"),
        pytest.param({"limit": Decimal(0)}, "limit must be more than zero", id="no limit"),
        pytest.param(
            {"good_until": dt.datetime(2026, 6, 3, 16, 0, tzinfo=dt.UTC)}, "plan again", id="late"
        ),
        pytest.param({"quantity": Decimal(100)}, "buy less", id="too dear"),
        pytest.param({"side": Side.SELL, "quantity": Decimal(11)}, "can sell 10 VTI", id="short"),
    ],
)
def test_an_order_that_cannot_be_placed_is_refused_and_does_not_exist(different, sentence):
    world = World()
    world.open(lot("old", 10, 500))
    order = replace(world.buy(1), **different)
    with pytest.raises(BrokerRefused, match=sentence):
        world.broker.submit(order)
    assert world.broker.find("main", order.id) is None
    assert world.cash() == 10000


def test_an_order_for_a_closed_market_is_refused_with_its_next_opening():
    world = World()
    world.open()
    world.doors.is_open = False
    with pytest.raises(BrokerRefused, match=r"closed at 2026-06-03 16:00 UTC.*opens at"):
        world.broker.submit(world.buy(1))
    assert world.broker.submit(world.buy("0.01", symbol="BTC", limit="70000")).filled > 0


def test_an_order_for_a_symbol_without_a_quote_is_refused():
    world = World()
    world.open()
    world.board.wipe("VTI")
    with pytest.raises(BrokerRefused, match="VTI has no usable quote"):
        world.broker.submit(world.buy(1))


def test_cash_to_the_last_cent_with_the_fee_may_be_spent_and_no_more():
    world = World(rule=FEES)
    world.board.write("VTI", "99", "100")
    world.open(cash="201.10")
    world.broker.open_account("other", (), {"USD": Decimal("201.09")})
    assert world.broker.submit(world.buy(2)).status is OrderStatus.FILLED
    assert world.cash() == 0
    with pytest.raises(BrokerRefused, match=r"201\.09 USD to spend"):
        world.broker.submit(world.buy(2, account="other"))


def test_working_purchases_reserve_their_money():
    world = World()
    world.open(cash="1000")
    first = world.buy(9, limit="90")
    world.broker.submit(first)
    with pytest.raises(BrokerRefused, match=r"190\.00 USD to spend"):
        world.broker.submit(world.buy(2))
    world.broker.cancel("main", first.id)
    assert world.broker.submit(world.buy(2)).status is OrderStatus.FILLED


def test_an_order_that_has_expired_reserves_nothing():
    world = World()
    world.open(cash="1000")
    world.broker.submit(world.buy(9, limit="90"))
    world.clock.at += dt.timedelta(hours=3)
    assert world.broker.submit(world.buy(9)).status is OrderStatus.FILLED


def test_working_sales_reserve_their_units():
    world = World()
    world.open(lot("old", 10, 500))
    first = world.sell(7, limit="120")
    world.broker.submit(first)
    with pytest.raises(BrokerRefused, match="can sell 3 VTI"):
        world.broker.submit(world.sell(4))
    world.broker.cancel("main", first.id)
    assert world.broker.submit(world.sell(10)).status is OrderStatus.FILLED


def test_working_orders_claim_nothing_of_other_symbols_and_accounts():
    world = World()
    world.open(lot("old", 10, 500), lot("bond", 10, 500, symbol="BND"), cash="1000")
    world.open(lot("x", 10, 500, account="other"), cash="1000", account="other")
    world.broker.submit(world.sell(10, symbol="BND", limit="60"))
    world.broker.submit(world.sell(10, limit="120", account="other"))
    world.broker.submit(world.buy(10, limit="90", account="other"))
    assert world.broker.submit(world.sell(10)).status is OrderStatus.FILLED
    assert world.broker.submit(world.buy(9)).status is OrderStatus.FILLED


# ------------------------------------------------------------------ one order for one id


def test_the_same_order_again_gets_the_same_receipt_and_no_second_fill():
    world = World()
    world.open()
    order = world.buy(5)
    first = world.broker.submit(order)
    assert world.broker.submit(order) == first
    assert world.restarted().submit(order) == first
    assert world.held() == 5
    assert len(world.fills()) == 1


def test_the_same_order_after_it_was_canceled_stays_canceled():
    world = World()
    world.open()
    order = world.buy(5, limit="90")
    world.broker.submit(order)
    world.broker.cancel("main", order.id)
    assert world.broker.submit(order).status is OrderStatus.CANCELED


def test_the_same_id_with_another_content_is_refused():
    world = World()
    world.open()
    order = world.buy(5)
    world.broker.submit(order)
    with pytest.raises(BrokerRefused, match="give a new order a new id"):
        world.broker.submit(world.buy(6, id=order.id))
    assert world.held() == 5


def test_an_order_is_found_in_its_own_account_only():
    world = World()
    world.open()
    order = world.buy(5)
    receipt = world.broker.submit(order)
    assert world.broker.find("main", order.id) == receipt
    assert world.broker.find("other", order.id) is None
    assert world.broker.find("main", "nothing") is None


def test_canceling_what_is_filled_or_unknown_changes_nothing():
    world = World()
    world.open()
    order = world.buy(5)
    world.broker.submit(order)
    world.broker.cancel("main", order.id)
    world.broker.cancel("main", "nothing")
    world.broker.cancel("other", order.id)
    assert world.broker.find("main", order.id).status is OrderStatus.FILLED


# ------------------------------------------------------------------ what the owner does


def test_an_account_that_is_open_is_left_alone():
    world = World()
    assert world.open(lot("old", 10, 500)) is True
    world.broker.submit(world.sell(1))
    assert world.open(lot("old", 10, 500)) is False
    assert world.held() == 9


def test_an_account_opens_only_for_the_household_and_with_its_own_lots():
    world = World()
    with pytest.raises(BrokerRefused, match="holds no account 'nobody'"):
        world.open(account="nobody")
    with pytest.raises(BrokerRefused, match="Lot old"):
        world.open(lot("old", 10, 500, account="other"))
    with pytest.raises(BrokerRefused, match="Lot none"):
        world.open(lot("none", 0, 500))
    with pytest.raises(BrokerRefused, match="holds no account 'main'"):
        world.broker.report("main")


def test_deposits_and_withdrawals_move_cash_and_are_flows():
    world = World()
    world.open(cash="100")
    world.broker.deposit("main", Decimal(50))
    world.broker.deposit("main", Decimal(-120))
    world.broker.deposit("main", Decimal(30), currency="EUR")
    assert world.broker.report("main").cash == {"USD": 30, "EUR": 30}
    moved = world.broker.activities("main")
    assert [movement.amount for movement in moved] == [50, -120, 30]
    assert all(movement.is_flow for movement in moved)
    assert len({movement.id for movement in moved}) == 3


def test_only_settled_and_unreserved_cash_may_leave():
    world = World()
    world.open(lot("old", 10, 500), cash="100")
    world.broker.submit(world.sell(5))
    with pytest.raises(BrokerRefused, match=r"^At most 100\.00 USD .* not settled yet\.$"):
        world.broker.deposit("main", Decimal(-101))
    world.clock.at += dt.timedelta(days=1)
    world.broker.submit(world.buy(5, limit="90"))
    wanted = r"^At most .* not 150\.00 USD: it holds .* in cash and working purchases may need"
    with pytest.raises(BrokerRefused, match=wanted):
        world.broker.deposit("main", Decimal(-150))
    world.broker.deposit("main", Decimal(-140))
    with pytest.raises(BrokerRefused, match="moves no money"):
        world.broker.deposit("main", Decimal(0))


def test_a_dividend_is_paid_to_the_cent_in_every_account_once_and_is_no_flow():
    world = World()
    world.open(lot("old", 3, 500), cash="0")
    world.open(lot("x", 10, 500, account="other"), cash="0", account="other")
    at = world.clock.now()
    assert len(world.broker.dividend("VTI", Decimal("0.335"), at)) == 2
    assert world.broker.dividend("VTI", Decimal("0.335"), at) == ()
    assert world.cash() == Decimal("1.01")
    assert world.cash("other") == Decimal("3.35")
    assert not world.broker.activities("main")[0].is_flow


def test_a_split_changes_every_lot_and_cancels_the_working_orders_of_its_symbol():
    world = World()
    world.open(lot("old", 3, 300), lot("young", 4, 500, "2025-01-01"))
    order, bonds = world.sell(2, limit="150"), world.buy(1, symbol="BND", limit="40")
    world.broker.submit(order)
    world.broker.submit(bonds)
    assert len(world.broker.apply_split("VTI", 2, 1, world.clock.now())) == 1
    assert world.broker.apply_split("VTI", 2, 1, world.clock.now()) == ()
    assert world.broker.find("main", order.id).status is OrderStatus.CANCELED
    assert world.broker.find("main", bonds.id).status is OrderStatus.WORKING
    assert world.held() == 14
    assert {name: (lot.quantity, lot.basis) for name, lot in world.lots().items()} == {
        "old": (6, 300),
        "young": (8, 500),
    }


@pytest.mark.parametrize("figures", [(0, 1), (1, 0), (-2, 1)])
def test_a_split_or_dividend_without_sense_is_refused(figures):
    world = World()
    world.open()
    with pytest.raises(BrokerRefused, match="two positive numbers"):
        world.broker.apply_split("VTI", *figures, world.clock.now())
    with pytest.raises(BrokerRefused, match="positive amount"):
        world.broker.dividend("VTI", Decimal(0), world.clock.now())
