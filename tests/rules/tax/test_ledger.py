"""The tax ledger by example: what the worked cases and random histories do not reach."""

import datetime as dt
from decimal import Decimal

import pytest

from trimtab.domain.errors import InputError
from trimtab.domain.history import TaxAccount, Transaction, TransactionKind, WashRule
from trimtab.domain.trades import LotPick
from trimtab.domain.values import AccountKind
from trimtab.rules.tax.ledger import Ledger

ACCOUNTS = {
    name: TaxAccount(id=name, owner="ann", kind=kind)
    for name, kind in {
        "a": AccountKind.TAXABLE,
        "b": AccountKind.TAXABLE,
        "c": AccountKind.TAXABLE,
        "ira": AccountKind.TRADITIONAL_IRA,
    }.items()
}


def told(name: str, kind: str, day: str, quantity="10", amount="0", account="a", **facts):
    return Transaction(
        id=name,
        date=dt.date.fromisoformat(f"2024-{day}"),
        account=account,
        kind=TransactionKind(kind),
        symbol=facts.pop("symbol", "X"),
        quantity=Decimal(quantity),
        amount=Decimal(amount),
        **facts,
    )


def ledger_of(*transactions: Transaction) -> Ledger:
    ledger = Ledger(ACCOUNTS, WashRule(groups=(("X", "Y"),)), (Decimal("0.3"), Decimal("0.15")))
    ledger.extend(transactions)
    return ledger


def test_units_that_moved_away_and_back_keep_their_place_in_the_lot():
    ledger = ledger_of(
        told("b1", "buy", "01-02", "3", "300"),
        told("s1", "sell", "03-01", "3", "240"),
        told("b2", "buy", "03-10", "10", "800"),
        told("m1", "transfer", "04-10", "3", to_account="b"),
        told("m2", "transfer", "05-10", "3", account="b", to_account="a"),
        told("s2", "sell", "08-10", "3", "270"),
    )
    *_, sold = ledger.sales()
    assert (sold.basis, sold.gain) == (Decimal(300), Decimal(-30))
    assert sold.holding_since == dt.date(2024, 1, 11)


def test_a_refused_transfer_moves_nothing():
    lots = [told(f"b-{name}", "buy", "01-02", account=name, lot_id="L") for name in "ab"]
    ledger = ledger_of(*lots)
    before = ledger.lots()
    with pytest.raises(InputError, match="holds another lot 'L'"):
        ledger.apply(told("m", "transfer", "02-02", to_account="b"))
    assert ledger.lots() == before


def test_one_split_told_by_two_accounts_on_two_days_counts_once_for_a_loss():
    ledger = ledger_of(
        told("b1", "buy", "01-02", "10", "1000"),
        told("b2", "buy", "01-02", "5", "500", account="ira"),
        told("b3", "buy", "01-02", "5", "500", account="b"),
        told("s1", "sell", "03-01", "10", "800"),
        told("p1", "split", "03-04", account="b", numerator=2),
        told("p2", "split", "03-05", account="ira", numerator=2),
        told("b4", "buy", "03-10", "20", "800"),
    )
    (sold,) = ledger.sales()
    assert (sold.disallowed, sold.replaced) == (Decimal(200), Decimal(10))


def test_fills_of_one_order_do_not_replace_each_other_whatever_stands_between_them():
    ledger = ledger_of(
        told("b1", "buy", "01-02", "10", "1000"),
        told("b2", "buy", "02-20", "10", "900"),
        told("z", "buy", "02-20", "1", "1", symbol="Z"),
        told("s1", "sell", "03-01", "10", "800", order_id="o"),
        told("s2", "sell", "03-01", "1", "1", symbol="Z", order_id="p"),
        told("s3", "sell", "03-01", "10", "800", order_id="o"),
    )
    assert ledger.matches() == ()


def test_what_dividing_leaves_over_is_sold_with_the_rest():
    third = Decimal(1) / 3
    ledger = ledger_of(
        *(told(f"b{n}", "buy", "01-02", str(third), "10") for n in range(3)),
        told("s", "sell", "03-01", "1", "40"),
    )
    assert ledger.lots() == ()
    assert sum(row.proceeds for row in ledger.sales()) == 40


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (told("b1", "buy", "03-01"), "holds a lot 'b1' already"),
        (told("s1", "sell", "03-02", "1", "100"), "a sale 's1' was told before"),
        (told("b9", "buy", "03-02", "1E-30", "1"), "cannot be used"),
        (told("b9", "buy", "03-02", "1", "1E24"), "more money than there is"),
        (told("x", "buy", "02-01"), "put the transactions in the order of their dates"),
        (told("x", "buy", "03-01", account="nobody"), "no account is called 'nobody'"),
        (told("x", "sell", "03-01", "99", "1"), "which holds 9"),
        (told("x", "transfer", "03-01", "1", to_account="ira"), "taxed in another way"),
        (told("x", "split", "03-01", numerator=0), "a split is new units for old ones"),
        (
            told(
                "x",
                "sell",
                "03-01",
                "1",
                "1",
                method="specified",
                picks=(
                    LotPick(lot_id="b1", quantity=Decimal(6)),
                    LotPick(lot_id="b1", quantity=Decimal(-5)),
                ),
            ),
            "never spills",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_applied_is_refused_in_a_sentence_and_changes_nothing(wrong, sentence):
    ledger = ledger_of(told("b1", "buy", "01-02", "10", "1000"), told("s1", "sell", "03-01", "1"))
    before = ledger.lots(), ledger.sales()
    with pytest.raises(InputError, match=sentence):
        ledger.apply(wrong)
    assert (ledger.lots(), ledger.sales()) == before


def test_a_dividend_is_paid_where_the_units_lay_on_the_ex_date_and_in_the_units_of_that_day():
    ledger = ledger_of(
        told("b1", "buy", "01-02", "10", "1000"),
        told("d", "dividend", "03-01", "0", per_share=Decimal(1)),
        told("p", "split", "03-10", numerator=2),
        told("m", "transfer", "03-20", "20", to_account="b"),
        told("s", "sell", "03-30", "12", "600", account="b"),
    )
    (dividend,) = ledger.dividends()
    sold, held = ledger.holdings(dividend)
    assert (sold.quantity, sold.sold) == (Decimal(6), dt.date(2024, 3, 30))
    assert (held.quantity, held.sold) == (Decimal(4), None)


def test_a_loss_on_a_gift_asks_for_a_persons_eye():
    ledger = ledger_of(
        told("g", "gift", "01-02", "10", basis=Decimal(1000), acquired=dt.date(2020, 1, 2)),
        told("s", "sell", "03-01", "10", "700"),
    )
    (review,) = ledger.reviews()
    assert "1015(a)" in review.sentence
