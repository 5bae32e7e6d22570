import datetime as dt
from decimal import Decimal

import pytest

from trimtab.adapters.purchases import PERIODS, read_purchases
from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.policy import PurchaseRule


def test_a_plan_is_read_with_its_period_and_amount(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text(
        "Account,Symbol,First,Every,Amount\n"
        'ira,VTI,2026-01-15,two weeks,"1,500.50"\n'
        "joint,VXUS,3/25/2026,,\n"
    )
    assert read_purchases(path, ["ira", "joint"]) == (
        PurchaseRule(
            account="ira",
            symbol="VTI",
            first=dt.date(2026, 1, 15),
            every="two_weeks",
            amount=Decimal("1500.50"),
        ),
        PurchaseRule(account="joint", symbol="VXUS", first=dt.date(2026, 3, 25), every="month"),
    )


def test_every_period_of_the_household_file_is_understood():
    assert set(PERIODS) == {"once", "week", "two_weeks", "month", "quarter", "year"}


def test_all_faults_of_a_plan_are_told_at_once(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text(
        "account,symbol,first,every,amount\n"
        "iraa,VTI,2026-01-15,month,1\n"
        "ira,,2026-13-15,fortnight,-1\n"
        "ira,VTI,2026-01-15,month,much\n"
    )
    with pytest.raises(FileFaults) as raised:
        read_purchases(path, ["ira", "joint"])
    told = "\n".join(raised.value.faults)
    assert len(raised.value.faults) == 6
    for words in ("did you mean ira?", "symbol: is empty", "calendar", "fortnight", "below zero"):
        assert words in told
    assert "line 4, amount" in told


@pytest.mark.parametrize("header", ["account,symbol\n", "symbol,first\n"])
def test_a_plan_without_its_columns_is_refused(tmp_path, header):
    path = tmp_path / "plan.csv"
    path.write_text(header)
    with pytest.raises(FileFaults, match="no column says"):
        read_purchases(path, ["ira"])


def test_a_plan_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_purchases(tmp_path / "plan.csv", ["ira"])
