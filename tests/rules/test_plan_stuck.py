"""A class out of its band that no trade can mend keeps nothing else trading inside its band."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules.homes import after
from tests.rules.plan_homes import held, household, is_planned, moved, plan_of

from trimtab.domain.policy import BandRule, ClassRule
from trimtab.domain.values import AccountKind, InstrumentKind

CLASSES = {
    "stocks": ClassRule(target=Decimal("0.55"), members=("AAA",)),
    "bonds": ClassRule(target=Decimal("0.40"), members=("BBB",)),
    "coins": ClassRule(target=Decimal("0.05"), members=("CCC",)),
}
FIVE_POINTS = BandRule(trigger_abs=Decimal("0.05"), trigger_rel=Decimal("0.25"))


def _home(stocks, bonds, dollars=0):
    """2,000 of coins where 5,000 should be, in a wallet with *dollars*."""
    home = household(
        [
            held("ira", "AAA", stocks, stocks),
            held("ira", "BBB", bonds, bonds),
            held("wallet", "CCC", 2_000, 2_000),
        ],
        {"wallet": dollars},
        accounts={"ira": AccountKind.TRADITIONAL_IRA, "wallet": AccountKind.CRYPTO},
        classes=CLASSES,
        bands=FIVE_POINTS,
        spread="0.02",
    )
    kinds = dict(home.snapshot.instruments)
    kinds["CCC"] = replace(kinds["CCC"], kind=InstrumentKind.CRYPTO)
    return home._replace(snapshot=replace(home.snapshot, instruments=kinds))


def test_classes_inside_their_bands_rest_while_coins_wait_for_dollars():
    """Stocks are 4.5 points too heavy and bonds 1.5 too light, both inside their bands."""
    home = _home(59_500, 38_500)
    assert not is_planned(home)
    told = " ".join(refusal.sentence for refusal in home.decide().refusals)
    assert "coins stays" in told


def test_dollars_in_the_wallet_mend_coins_and_what_else_is_off_with_them():
    bought = moved(plan_of(_home(59_500, 38_500, dollars=3_000)).trades)
    assert set(bought) == {("wallet", "CCC"), ("ira", "AAA"), ("ira", "BBB")}


def test_a_class_out_of_its_band_is_mended_whatever_else_is_stuck():
    assert set(moved(plan_of(_home(61_000, 37_000)).trades)) == {("ira", "AAA"), ("ira", "BBB")}


@pytest.mark.parametrize("stocks", [61_000, 62_500])
def test_once_mended_as_far_as_it_goes_it_rests_although_coins_are_still_out(stocks):
    home = _home(stocks, 98_000 - stocks)
    assert not is_planned(after(home, home.decide()))


def test_a_reserve_that_lacks_is_no_reason_to_sell_while_coins_are_stuck():
    """It is filled along with a correction, and there is none."""
    home = _home(59_500, 38_500)
    short = replace(home.policy, cash_reserves={"ira": Decimal(5_000)})
    assert not is_planned(home._replace(policy=short))
