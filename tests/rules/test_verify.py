"""Journal against broker: every difference has a name and a sentence, and agreement has none."""

from decimal import Decimal

import pytest
from tests.houses import START, lot

from trimtab.domain.memory import Memory
from trimtab.domain.trades import AccountReport
from trimtab.domain.values import Lot
from trimtab.rules.verify import compare

LOTS = (
    lot("ira", "VTI", "2", "200", "2024-01-02", "a"),
    lot("ira", "VTI", "1", "150", "2025-01-02", "b"),
    lot("other", "BND", "9", "900", "2025-01-02", "c"),
)


def test_a_journal_and_a_broker_that_agree_have_no_difference():
    assert compare(_memory(), _report()) == ()


@pytest.mark.parametrize(
    ("positions", "kind", "sentence"),
    [
        pytest.param(
            {"VTI": "2"},
            "position-differs",
            "ira: the journal holds 3 VTI and the broker says 2.",
            id="fewer units",
        ),
        pytest.param(
            {},
            "position-missing",
            "ira: the journal holds 3 VTI and the broker says 0.",
            id="a position that the broker no longer mentions",
        ),
        pytest.param(
            {"VTI": "3", "GME": "0.5"},
            "position-unexpected",
            "ira: the journal holds 0 GME and the broker says 0.5.",
            id="a position that nobody bought here",
        ),
        pytest.param(
            {"VTI": "3.00000001"},
            "position-differs",
            "ira: the journal holds 3 VTI and the broker says 3.00000001.",
            id="the hundred-millionth part of a share",
        ),
    ],
)
def test_a_position_that_differs_is_named(positions, kind, sentence):
    (found,) = compare(_memory(), _report(positions=positions))
    assert (found.kind, found.account, found.sentence) == (kind, "ira", sentence)


@pytest.mark.parametrize(
    ("cash", "subject"),
    [({"USD": "99.99"}, "USD"), ({}, "USD"), ({"USD": "100", "EUR": "5"}, "EUR")],
)
def test_cash_is_compared_in_every_currency_that_either_side_knows(cash, subject):
    (found,) = compare(_memory(), _report(cash=cash))
    assert (found.kind, found.subject) == ("cash-differs", subject)


def test_a_position_of_nothing_is_no_difference():
    assert compare(_memory(), _report(positions={"VTI": "3", "GME": "0"})) == ()


def test_lots_are_compared_by_symbol_and_day_since_houses_number_them_differently():
    same = (lot("ira", "VTI", "1", "150", "2025-01-02", "x"), *_own("y"))
    assert compare(_memory(), _report(lots=same)) == ()


def test_a_basis_that_differs_is_a_difference_and_its_rounding_is_none():
    other = (lot("ira", "VTI", "1", "151", "2025-01-02"), *_own())
    (found,) = compare(_memory(), _report(lots=other))
    assert (found.kind, found.subject) == ("lots-differ", "VTI of 2025-01-02")
    assert "a basis of 150" in found.sentence
    rounded = (lot("ira", "VTI", "1", "150.004", "2025-01-02"), *_own())
    assert compare(_memory(), _report(lots=rounded)) == ()


def test_lots_are_not_compared_where_positions_already_differ_or_the_broker_tells_none():
    found = compare(_memory(), _report(positions={"VTI": "2"}, lots=()))
    assert [one.kind for one in found] == ["position-differs"]
    assert compare(_memory(), _report(lots=None)) == ()


def _own(name: str = "") -> tuple[Lot, ...]:
    return (lot("ira", "VTI", "2", "200", "2024-01-02", name),)


def _memory() -> Memory:
    return Memory(
        lots={one.id: one for one in LOTS},
        cash={("ira", "USD"): Decimal(100), ("other", "USD"): Decimal(7)},
    )


def _report(
    *,
    positions: dict[str, str] | None = None,
    cash: dict[str, str] | None = None,
    lots: tuple[Lot, ...] | None = None,
) -> AccountReport:
    units = {"VTI": "3"} if positions is None else positions
    sums = {"USD": "100"} if cash is None else cash
    return AccountReport(
        account="ira",
        at=START,
        positions={symbol: Decimal(text) for symbol, text in units.items()},
        cash={currency: Decimal(text) for currency, text in sums.items()},
        settled=Decimal(100),
        lots=lots,
    )
