"""The household by class: what is divided by the targets, and what is not."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from tests.houses import START, TOML
from tests.rules.homes import homes

from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.numbers import ZERO
from trimtab.domain.policy import ReserveRule
from trimtab.domain.values import AccountKind, Balance, InstrumentKind, Quote, Rate, Snapshot
from trimtab.rules.holdings import (
    cash_class,
    class_of,
    holdings,
    may_hold,
    reserves,
    targets_of,
)

FILE = decode_household(TOML)
CASH_CLASS = TOML.replace('members = ["BND"]', 'members = ["USD"]')


def test_the_reserve_of_an_account_and_the_months_of_running_costs_stay_in_cash():
    rule = ReserveRule(
        monthly_costs=Decimal(3000), monthly_income=Decimal(1000), months=6, account="ira"
    )
    policy = replace(FILE.policy(), reserve=rule)
    kept = reserves(policy, accounts_of(FILE), START.date())
    assert kept == {"taxable": 1000, "ira": 12000, "wallet": 0}


def test_cash_below_its_reserve_is_short_and_cash_above_it_waits_to_be_invested():
    held = holdings(_snapshot(taxable="900", ira="50"), FILE.policy())
    assert (held.free["taxable"], held.short) == (ZERO, {"taxable": Decimal(100)})
    assert (held.free["ira"], held.total) == (Decimal(50), Decimal(50))


def test_dollars_in_a_wallet_are_owned_but_not_divided_by_the_targets():
    held = holdings(_snapshot(ira="100", wallet="40"), FILE.policy())
    assert (held.total, held.outside) == (Decimal(100), Decimal(40))


def test_with_a_cash_class_all_free_cash_belongs_to_it():
    file = decode_household(CASH_CLASS)
    policy = file.policy()
    held = holdings(_snapshot(taxable="1500", ira="100", wallet="40"), policy)
    assert cash_class(policy, "USD") == "bonds"
    assert (held.values["bonds"], held.total) == (Decimal(640), Decimal(640))


def test_foreign_cash_is_owned_but_not_planned_with():
    euros = Balance(account="ira", currency="EUR", amount=Decimal(100), settled=Decimal(100))
    snapshot = _snapshot(ira="10")
    snapshot = replace(
        snapshot,
        balances=(*snapshot.balances, euros),
        rates={"EUR": Rate(currency="EUR", rate=Decimal("1.10"), pair="EURUSD", at=START)},
    )
    held = holdings(snapshot, FILE.policy())
    assert (held.total, held.outside) == (Decimal(10), Decimal(110))
    assert held.value == snapshot.value() == Decimal(120)


def test_coins_live_in_wallets_and_securities_elsewhere_and_pairs_nowhere():
    instruments = instruments_of(FILE)
    coin, fund, pair = (instruments[symbol] for symbol in ("BTC-USD", "VTI", "EURUSD"))
    assert (coin.kind, pair.kind) == (InstrumentKind.CRYPTO, InstrumentKind.FOREX)
    assert may_hold(AccountKind.CRYPTO, coin)
    assert not may_hold(AccountKind.TAXABLE, coin)
    assert not may_hold(AccountKind.CRYPTO, fund)
    assert may_hold(AccountKind.ROTH_IRA, fund)
    assert not may_hold(AccountKind.TAXABLE, pair)


def test_the_fallback_targets_hold_only_in_a_defensive_posture_that_has_its_own():
    policy = FILE.policy()
    own = replace(
        policy,
        defensive=replace(policy.defensive, posture="targets", targets={"bonds": Decimal(1)}),
    )
    assert targets_of(policy, START.date(), base_currency="USD", is_defensive=True)[
        "stocks"
    ] == Decimal("0.55")
    assert targets_of(own, START.date(), base_currency="USD", is_defensive=False)[
        "stocks"
    ] == Decimal("0.55")
    assert targets_of(own, START.date(), base_currency="USD", is_defensive=True) == {
        "stocks": 0,
        "bonds": 1,
        "bitcoin": 0,
    }
    assert class_of(policy)["ITOT"] == "stocks"


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(homes())
def test_what_is_owned_is_divided_kept_back_or_outside_and_nothing_is_lost(home):
    held = holdings(home.snapshot, home.policy)
    cash = sum((balance.amount for balance in home.snapshot.balances), ZERO)
    kept_back = cash - sum(held.free.values(), ZERO)
    assert held.total + held.outside + kept_back == held.value == home.snapshot.value()


def _snapshot(**cash: str) -> Snapshot:
    instruments = instruments_of(FILE)
    return Snapshot(
        at=START,
        base_currency="USD",
        accounts=accounts_of(FILE),
        instruments=instruments,
        lots=(),
        balances=tuple(
            Balance(account=name, currency="USD", amount=Decimal(text), settled=Decimal(text))
            for name, text in cash.items()
        ),
        quotes={
            symbol: Quote(
                symbol=symbol, bid=Decimal(1), ask=Decimal(1), at=START, session=START.date()
            )
            for symbol in instruments
        },
        rates={},
        hours={},
    )
