"""Plans for households by chance: what must hold whatever the household looks like."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.homes import TODAY, Home, after, disposals_of, homes, purchases, sales

from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.memory import BandMemory
from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Money, Weight
from trimtab.domain.policy import BandRule, band_policy
from trimtab.domain.trades import BandState, Discrepancy, Disposal, Motive, Side, Trade
from trimtab.domain.values import AccountKind, InstrumentKind, Lot, Relief, trade_date
from trimtab.rules.holdings import holdings, may_hold, reserves
from trimtab.rules.plan import apply_trades
from trimtab.rules.tax.books import books_at

some = settings(max_examples=40, suppress_health_check=list(HealthCheck))
many = settings(max_examples=100, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("at_limit", [True, False])
@many
@given(home=homes())
def test_planning_again_once_the_plan_was_carried_out_finds_nothing(home, at_limit):
    """Whether its orders were filled at their limits or better, which leaves a little cash."""
    first = home.decide()
    assert after(home, first, at_limit=at_limit).decide("2").plan is None


@some
@given(homes())
def test_not_even_a_sale_would_be_made_on_the_day_after_the_plan_was_carried_out(home):
    """Then no rule for the same day hides what a plan leaves to be done; proceeds have settled."""
    assume(not holdings(home.snapshot, home.policy).short)
    later = _a_day_later(after(home, home.decide()))
    second = later.decide("2")
    assume(not any(change.alert for change in second.transitions))
    # What may only be sold or bought from today on is a new reason.
    assume(not _is_set_free(home))
    trades = () if second.plan is None else second.plan.trades
    # Whole steps can leave a cent too much of a class, and of a fund that is to go.
    dust = max(Decimal(1), _total(later) / 1000)
    assert sum((trade.value for trade in sales(trades)), ZERO) < dust


@some
@given(homes())
def test_sales_come_before_purchases_and_each_place_trades_one_way(home):
    trades = home.trades()
    assert trades == (*sales(trades), *purchases(trades))
    places = [(trade.account, trade.symbol) for trade in trades]
    assert len(places) == len(set(places))


@some
@given(homes())
def test_no_lot_is_sold_twice_nor_more_than_it_holds(home):
    held = {lot.id: lot for lot in home.snapshot.lots}
    sold: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for trade in sales(home.trades()):
        assert sum((pick.quantity for pick in trade.lots), ZERO) == trade.quantity
        for pick in trade.lots:
            assert (held[pick.lot_id].account, held[pick.lot_id].symbol) == (
                trade.account,
                trade.symbol,
            )
            sold[pick.lot_id] += pick.quantity
    assert all(quantity <= held[lot_id].quantity for lot_id, quantity in sold.items())


@some
@given(homes())
def test_quantities_are_whole_steps_and_orders_are_worth_their_while(home):
    positions = home.snapshot.positions()
    for trade in home.trades():
        assert trade.quantity > 0
        assert trade.quantity % home.snapshot.instruments[trade.symbol].step == 0
        is_whole_position = trade.quantity == positions.get((trade.account, trade.symbol))
        assert is_whole_position or trade.value >= home.policy.orders.minimum


@some
@given(homes())
def test_no_account_falls_below_its_reserve_even_at_the_limit_prices(home):
    orders = home.policy.orders
    margin = (orders.slippage_max_bps + orders.fee_buffer_bps) * BASIS_POINT
    kept = reserves(home.policy, home.snapshot.accounts, trade_date(home.snapshot.at))
    trades = home.trades()
    for balance in home.snapshot.balances:
        own = [trade for trade in trades if trade.account == balance.account]
        cost = sum((t.value for t in own if t.side is Side.BUY), ZERO) * (ONE + margin)
        proceeds = sum((t.value for t in own if t.side is Side.SELL), ZERO) * (ONE - margin)
        there = balance.amount + proceeds if orders.unsettled == "use" else balance.settled
        assert cost == 0 or there - cost >= kept[balance.account]


@many
@given(homes())
def test_carrying_out_a_plan_washes_no_loss_of_anybody_in_the_household(home):
    """Told to the tax ledger, sales first and purchases first, the plan makes no wash sale."""
    trades = home.trades()
    for first, second in ((sales, purchases), (purchases, sales)):
        ledger = books_at(home.snapshot, home.memory, home.tax)
        before = ledger.matches()
        ledger.extend(_told(home, trade) for trade in (*first(trades), *second(trades)))
        assert ledger.matches() == before


def _told(home: Home, trade: Trade) -> Transaction:
    """A trade of a plan, filled at its limit, as the tax ledger hears of it."""
    slippage = home.policy.orders.slippage_max_bps * BASIS_POINT
    is_sale = trade.side is Side.SELL
    return Transaction(
        id=f"{trade.account}-{trade.symbol}-{trade.side}",
        date=TODAY,
        account=trade.account,
        kind=TransactionKind.SELL if is_sale else TransactionKind.BUY,
        symbol=trade.symbol,
        quantity=trade.quantity,
        amount=trade.value * (ONE - slippage if is_sale else ONE + slippage),
        fee=trade.cost,
        method="specified" if is_sale else "fifo",
        picks=trade.lots,
    )


@many
@given(homes())
def test_no_loss_is_realized_within_thirty_days_of_a_purchase_by_anybody_sold_since_or_not(home):
    """What was acquired is counted here from the books, without the rules' own wash guard.

    Units that have replaced a loss before cannot replace another.
    """
    ledger = books_at(home.snapshot, home.memory, home.tax)
    fresh = {lot.lot_id for lot in ledger.lots() if not lot.is_used}
    unused = [lot for lot in home.snapshot.lots if lot.id in fresh]
    for turn in ("1", "2"):
        decision = home.decide(turn)
        trades = () if decision.plan is None else decision.plan.trades
        bought = {trade.symbol for trade in purchases(trades)}
        for loss in _losses(home, trades):
            alike = {loss.symbol}.union(*(g for g in home.tax.identical if loss.symbol in g))
            assert bought.isdisjoint(alike)
            assert not {
                one
                for one in (*unused, *home.memory.disposals)
                if one.symbol in alike
                and 0 <= (TODAY - one.acquired).days <= 30
                and loss.lot_id != (one.id if isinstance(one, Lot) else one.lot_id)
                and not _goes_before(one, loss, trades)
            }
        home = after(home, decision)


def _goes_before(one: Lot | Disposal, loss: Disposal, trades: tuple[Trade, ...]) -> bool:
    """Whether the order that takes *loss* sells all of *one* before it."""
    for trade in trades:
        taken = [pick.lot_id for pick in trade.lots]
        if isinstance(one, Lot) and one.id in taken and loss.lot_id in taken:
            whole = trade.lots[taken.index(one.id)].quantity == one.quantity
            return whole and taken.index(one.id) < taken.index(loss.lot_id)
    return False


@some
@given(homes())
def test_a_class_under_correction_never_moves_away_from_its_band(home):
    # Inside the destination of its band any weight is as good as another. A loss may be worth more
    # than the drift, and what is sold to fill a reserve or bought once its cash has settled is not
    # where it will be.
    plan = home.decide().plan
    assume(plan is not None)
    assert plan is not None
    assume(home.policy.orders.unsettled == "use" and not holdings(home.snapshot, home.policy).short)
    before, later = _total(home), _total(home, plan.trades)
    # Costs, and dollars of coins that a wallet sells, shrink what the weights are parts of.
    shrinking = abs(before - later) / later if later > 0 else ZERO
    harvested = {trade.asset_class for trade in plan.trades if trade.gain < 0 and trade.tax < 0}
    for drift, then in zip(plan.before, plan.after, strict=True):
        if drift.state is not BandState.CORRECTING or drift.asset_class in {"cash", *harvested}:
            continue
        # Less than the least order moves whole or not at all, and a light class may go along with
        # cash that would not make one.
        least = max(_dearest_step(home, drift.asset_class), home.policy.orders.minimum)
        step = least / later if later > 0 else ZERO
        slack = max(abs(drift.drift), _destination(home) * drift.half_width) + step
        assert abs(then.drift) <= slack + shrinking + Decimal("1e-12")


@some
@given(homes())
def test_no_class_is_bought_beyond_its_band_by_more_than_a_step(home):
    # Idle cash is off its goal too: half a step that is too much is better than one too few, and
    # inside the destination of its band a class is where it should be.
    plan = home.decide().plan
    assume(plan is not None)
    assert plan is not None
    bought = {trade.asset_class for trade in purchases(plan.trades)}
    most = max(_total(home), _total(home, plan.trades))
    for then in plan.after:
        if then.asset_class in bought:
            edge = (then.target + _destination(home) * then.half_width) * most
            step = _dearest_step(home, then.asset_class)
            assert then.value <= edge * Decimal("1.002") + max(step, home.policy.orders.minimum)


@some
@given(homes(kinds=(AccountKind.TRADITIONAL_IRA,)), st.integers(1, 10**6))
def test_more_cash_never_makes_the_plan_sell_more(home, dollars):
    first, *others = home.snapshot.balances
    more = replace(
        first,
        amount=first.amount + dollars,
        settled=first.amount + dollars,
    )
    richer = home._replace(snapshot=replace(home.snapshot, balances=(more, *others)))
    # One order's grain of each class: a minimum, a step, or the margin on the class.
    dearest = max(quote.ask for quote in home.snapshot.quotes.values())
    grain = max(home.policy.orders.minimum, dearest) + _total(richer) * Decimal("0.0015")
    sold, sold_richer = (_sold_by_class(one) for one in (home, richer))
    assert sum(sold_richer.values()) <= sum(sold.values()) + grain * len(home.policy.classes)


@some
@given(homes(), st.integers(0, 499))
def test_inside_the_bands_with_little_cash_nothing_is_traded(home, dollars):
    balances = tuple(
        replace(balance, amount=ZERO, settled=ZERO) for balance in home.snapshot.balances
    )
    poor = replace(balances[0], amount=Decimal(dollars), settled=Decimal(dollars))
    orders = replace(home.policy.orders, invest_cash_from=Decimal(500))
    quiet = _with_wide_bands(home)._replace(
        snapshot=replace(home.snapshot, balances=(poor, *balances[1:]))
    )
    quiet = quiet._replace(policy=replace(quiet.policy, orders=orders))
    decision = quiet.decide()
    assume(not any(drift.is_breached for drift in decision.drifts))
    assert decision.plan is None


@some
@given(homes())
def test_accounts_that_book_first_in_first_out_sell_their_earliest_lots(home):
    for trade in sales(home.trades()):
        if home.snapshot.accounts[trade.account].relief is not Relief.FIFO:
            continue
        lots = [
            lot
            for lot in home.snapshot.lots
            if (lot.account, lot.symbol) == (trade.account, trade.symbol)
        ]
        earliest = sorted(lots, key=lambda lot: (lot.acquired, lot.id))[: len(trade.lots)]
        assert [pick.lot_id for pick in trade.lots] == [lot.id for lot in earliest]
        whole = [pick.quantity for pick in trade.lots[:-1]]
        assert whole == [lot.quantity for lot in earliest[:-1]]


@some
@given(homes(lot_methods=("specified",)))
def test_where_lots_are_named_only_named_lots_are_sold(home):
    for trade in sales(home.trades()):
        if home.snapshot.accounts[trade.account].relief is Relief.SPECIFIC:
            assert {pick.lot_id for pick in trade.lots} <= set(home.policy.orders.specified)


@some
@given(homes(), st.randoms(use_true_random=False))
def test_the_order_of_lots_accounts_and_balances_changes_no_trade(home, shuffler):
    snapshot = home.snapshot
    lots, balances = list(snapshot.lots), list(snapshot.balances)
    accounts, quotes = list(snapshot.accounts.items()), list(snapshot.quotes.items())
    for members in (lots, balances, accounts, quotes):
        shuffler.shuffle(members)
    shuffled = replace(
        snapshot,
        lots=tuple(lots),
        balances=tuple(balances),
        accounts=dict(accounts),
        quotes=dict(quotes),
    )
    assert home._replace(snapshot=shuffled).trades() == home.trades()


@some
@given(homes())
def test_no_more_is_sold_than_the_light_classes_lack(home):
    # Once an episode is open every class aims at the destination, not only those that opened it.
    wide = _with_wide_bands(home)
    lightest = min(wide.decide().drifts, key=lambda drift: drift.drift).asset_class
    known = {lightest: BandMemory(state=BandState.CORRECTING)}
    decision = wide._replace(memory=replace(home.memory, bands=known)).decide()
    under_correction = [d for d in decision.drifts if d.state is BandState.CORRECTING]
    assume(all(drift.drift <= 0 for drift in under_correction))
    held = holdings(home.snapshot, home.policy)
    lacking = sum((-d.drift * held.total for d in decision.drifts if d.drift < 0), ZERO)
    trades = () if decision.plan is None else decision.plan.trades
    swapped = {trade.asset_class for trade in purchases(trades)}
    sold = sum((t.value for t in sales(trades) if t.asset_class not in swapped), ZERO)
    # What a reserve keeps, what slippage and fees take and what makes a step whole comes on top.
    step = max(quote.ask for quote in home.snapshot.quotes.values())
    assert sold <= (lacking + sum(held.short.values(), ZERO)) * Decimal("1.01") + 2 * step


@some
@given(homes())
def test_wallets_hold_coins_and_their_dollars_buy_nothing_else(home):
    trades = home.trades()
    for trade in trades:
        kind = home.snapshot.accounts[trade.account].kind
        assert may_hold(kind, home.snapshot.instruments[trade.symbol])
    for account in home.snapshot.accounts.values():
        if account.kind is AccountKind.CRYPTO:
            own = [trade for trade in purchases(trades) if trade.account == account.id]
            kinds = {home.snapshot.instruments[trade.symbol].kind for trade in own}
            assert kinds <= {InstrumentKind.CRYPTO}


@some
@given(homes())
def test_the_policys_lists_of_what_not_to_buy_or_sell_are_kept(home):
    trades = home.trades()
    assert {t.symbol for t in purchases(trades)}.isdisjoint(home.policy.orders.no_buy)
    assert {t.symbol for t in sales(trades)}.isdisjoint(home.policy.orders.no_sell)


@some
@given(homes())
def test_units_bought_with_unsettled_money_are_kept_until_it_settles(home):
    waiting = {lot.id for lot in home.snapshot.lots if lot.sellable_from is not None}
    assert waiting.isdisjoint(pick.lot_id for t in home.trades() for pick in t.lots)


@some
@given(homes(is_defensive=True))
def test_the_defensive_posture_buys_no_risky_class(home):
    for trade in purchases(home.trades()):
        assert home.policy.classes[trade.asset_class].risk == "safe"


@some
@given(homes())
def test_an_account_that_disagrees_with_its_broker_is_left_alone(home):
    name = next(iter(home.snapshot.accounts))
    found = Discrepancy(
        kind="cash-differs", account=name, subject="USD", expected="1", found="2", sentence="No."
    )
    blocked = home._replace(memory=replace(home.memory, discrepancies={name: (found,)}))
    assert all(trade.account != name for trade in blocked.trades())


@some
@given(homes())
def test_every_trade_says_why_and_a_sale_what_it_costs(home):
    for trade in home.trades():
        assert trade.asset_class in trade.reason or trade.motive is not Motive.DRIFT
        assert trade.reason.endswith(".")
        if trade.side is Side.SELL:
            is_taxed = home.snapshot.accounts[trade.account].kind.is_taxed
            assert ("of tax" if is_taxed else "not taxed") in trade.reason


@some
@given(homes())
def test_the_gain_of_a_sale_is_the_sum_of_its_lots(home):
    trades = home.trades()
    gains: dict[tuple[str, str], Money] = defaultdict(lambda: ZERO)
    for disposal in disposals_of(home, trades):
        gains[disposal.account, disposal.symbol] += disposal.gain if disposal.is_taxed else ZERO
    for trade in sales(trades):
        assert abs(trade.gain - gains[trade.account, trade.symbol]) < Decimal("0.000001")


@some
@given(homes())
def test_carrying_out_a_plan_loses_no_money_but_its_costs(home):
    trades = home.trades()
    later = apply_trades(home.snapshot, trades)
    mid = home.snapshot.price
    paid = sum((_cost(trade, mid(trade.symbol)) for trade in trades), ZERO)
    assert abs(home.snapshot.value() - paid - later.value()) < Decimal("0.000001")


def _with_wide_bands(home: Home) -> Home:
    """*home* with no class beyond its trigger, unless it should not be held at all."""
    return home._replace(
        policy=replace(home.policy, bands=BandRule(trigger_abs=ONE)),
        memory=replace(home.memory, bands={}),
    )


def _cost(trade: Trade, mid: Money) -> Money:
    spread = mid - trade.price if trade.side is Side.SELL else trade.price - mid
    return trade.quantity * spread + trade.cost


def _a_day_later(home: Home) -> Home:
    """*home* as if all that was done today had been done a day earlier."""
    day = dt.timedelta(days=1)
    snapshot = home.snapshot
    lots = tuple(
        replace(lot, acquired=lot.acquired - day, holding_since=lot.holding_since - day)
        if lot.acquired == TODAY
        else lot
        for lot in snapshot.lots
    )
    balances = tuple(replace(each, settled=each.amount) for each in snapshot.balances)
    disposals = tuple(
        replace(sale, sold=sale.sold - day) if sale.sold == TODAY else sale
        for sale in home.memory.disposals
    )
    return home._replace(
        snapshot=replace(snapshot, lots=lots, balances=balances),
        memory=replace(home.memory, disposals=disposals),
    )


def _is_set_free(home: Home) -> bool:
    """Whether something of *home* waits for a day: units or cash that have not settled."""
    snapshot = home.snapshot
    return any(lot.acquired == TODAY for lot in snapshot.lots) or any(
        balance.settled < balance.amount for balance in snapshot.balances
    )


def _destination(home: Home) -> Weight:
    """How far from a target, in half-widths, a correction may end."""
    return band_policy(home.policy.bands).destination


def _dearest_step(home: Home, asset_class: str) -> Money:
    quotes, instruments = home.snapshot.quotes, home.snapshot.instruments
    members = home.policy.classes[asset_class].members
    return max(instruments[one].step * quotes[one].ask for one in members if one in quotes)


def _total(home: Home, trades: tuple[Trade, ...] = ()) -> Money:
    return holdings(apply_trades(home.snapshot, trades), home.policy).total


def _sold_by_class(home: Home) -> dict[str, Money]:
    sold: dict[str, Money] = defaultdict(lambda: ZERO)
    for trade in sales(home.trades()):
        sold[trade.asset_class] += trade.value
    return sold


def _losses(home: Home, trades: tuple[Trade, ...]) -> list[Disposal]:
    coins = InstrumentKind.CRYPTO
    return [
        disposal
        for disposal in disposals_of(home, trades)
        if disposal.is_taxed
        and disposal.gain < 0
        and home.snapshot.instruments[disposal.symbol].kind is not coins
    ]
