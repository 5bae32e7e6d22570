import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from trimtab.apps.importing import lots_csv, renamed, transactions_csv
from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.imported import Imported, ImportedLot, ImportedPosition

BOUGHT = dt.date(2026, 1, 5)


def buy(quantity: str, **changes: Any) -> Transaction:
    facts: dict[str, Any] = {
        "id": "t1",
        "date": BOUGHT,
        "account": "X1",
        "kind": TransactionKind.BUY,
        "symbol": "VTI",
        "quantity": Decimal(quantity),
        "amount": Decimal(1000),
    }
    return Transaction(**(facts | changes))


def held(quantity: str, symbol: str = "VTI") -> ImportedPosition:
    return ImportedPosition(account="X1", symbol=symbol, quantity=Decimal(quantity))


def a_file(**facts: Any) -> Imported:
    return Imported(format="x", source="a.csv", **facts)


def lot(**changes: Any) -> ImportedLot:
    facts: dict[str, Any] = {
        "account": "X1",
        "symbol": "VTI",
        "quantity": Decimal(10),
        "acquired": BOUGHT,
        "basis": Decimal("1000.50"),
    }
    return ImportedLot(**(facts | changes))


def test_lots_that_the_file_lists_come_before_what_its_transactions_leave():
    text, notes = lots_csv(a_file(lots=(lot(),), transactions=(buy("3"),)))
    assert text.splitlines()[1:] == ["X1,VTI,10,1000.50,2026-01-05,,"]
    assert notes == ()


def test_every_lot_that_lacks_something_is_told_at_once():
    lots = (
        lot(acquired=None, basis=None),
        lot(quantity=Decimal(-1)),
        lot(currency="EUR"),
        lot(symbol=""),
    )
    with pytest.raises(FileFaults) as raised:
        lots_csv(a_file(lots=lots))
    assert len(raised.value.faults) == 5
    assert "nothing was written" in str(raised.value)


def test_a_history_that_begins_too_late_for_what_is_held_is_refused():
    with pytest.raises(FileFaults, match=r"10 VTI are held in X1, and the transactions leave 3"):
        lots_csv(a_file(transactions=(buy("3"),), positions=(held("10"),)))


def test_what_is_held_without_a_purchase_and_what_nobody_judged_is_told():
    review = buy("1", id="r1", kind=TransactionKind.REVIEW, symbol="TSLA")
    text, notes = lots_csv(
        a_file(transactions=(buy("3"), review), positions=(held("3"), held("5", "BND")))
    )
    assert text.splitlines()[1:] == ["X1,VTI,3,1000,2026-01-05,,t1"]
    told = " ".join(notes)
    assert "1 line that no rule judges (TSLA)" in told
    assert "a purchase: BND" in told


def test_pieces_of_a_washed_lot_get_names_of_their_own():
    sold = buy("2", id="s1", kind=TransactionKind.SELL, date=dt.date(2026, 3, 2), amount=Decimal(9))
    again = buy("3", id="t2", date=dt.date(2026, 3, 9), amount=Decimal(12))
    text, _ = lots_csv(a_file(transactions=(buy("2"), sold, again)))
    first, second = text.splitlines()[1:]
    assert first == "X1,VTI,2,999,2026-03-09,2026-01-12,t2/1"
    assert second == "X1,VTI,1,4,2026-03-09,,t2/2"


def test_a_file_without_transactions_or_with_nothing_left_is_refused():
    with pytest.raises(InputError, match="holds no transactions"):
        transactions_csv(a_file(lots=(lot(),)))
    with pytest.raises(InputError, match="neither lots nor transactions"):
        lots_csv(a_file(positions=(held("1"),)))
    sold = buy("3", id="s1", kind=TransactionKind.SELL, date=dt.date(2026, 3, 2))
    with pytest.raises(InputError, match="leave nothing"):
        lots_csv(a_file(transactions=(buy("3"), sold)))


def test_the_files_name_stands_for_an_account_that_it_does_not_name():
    ours = renamed(a_file(transactions=(buy("3", account=""),)), {"a.csv": "joint"})
    assert ours.transactions[0].account == "joint"
    with pytest.raises(InputError, match=r"write one of a\.csv"):
        renamed(a_file(transactions=(buy("3", account=""),)), {"X9": "joint"})
