"""Whatever stands in a file, it ends in what it says or in a sentence, never in a traceback."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.adapters.imports import broker_files as samples

from trimtab.adapters.imports import ColumnMapping, import_file
from trimtab.domain.errors import TrimtabError
from trimtab.domain.history import TransactionKind
from trimtab.domain.imported import Imported

OWN = """\
date,account,action,symbol,quantity,price,amount,fee,lots,method,basis,acquired,to,ratio,id,owner
2024-01-16,taxable,buy,VTI,10,240.10,2401.00,1.50,,,,,,,t1,ann
2024-03-15,taxable,sell,VTI,4,230,,1,t1:4,,,,,,,
2024-03-16,taxable,gift,VOO,3,,,,,,900,2020-02-03,,,,
2024-03-17,taxable,split,VOO,,,,,,,,,,2:1,,
2024-03-18,taxable,transfer,VOO,1,,,,,,,,joint,,,
2024-03-19,ira,reinvest,VTI,0.5,231.05,,,,,,,,,,
"""
IBKR = (
    '"Buy/Sell","TradeDate","ISIN","Quantity","TradePrice","TradeMoney","CurrencyPrimary",'
    '"IBCommission","IBCommissionCurrency"\n'
    '"BUY","20230522","US9220427424","95","93.78","8909.1","USD","-1","USD"\n'
)
COINBASE = (
    "ID,Timestamp,Transaction Type,Asset,Quantity Transacted,Price Currency,Price at Transaction,"
    "Subtotal,Total (inclusive of fees and/or spread),Fees and/or Spread,Notes\n"
    "a1,2025-01-17 16:57:02 UTC,Buy,ETH,0.5,USD,$3000,$1500.00,$1510.00,$10.00,Bought\n"
)
SHAPES = [
    OWN,
    IBKR,
    COINBASE,
    samples.VANGUARD,
    samples.SCHWAB_LOTS,
    samples.SCHWAB_LOTS_ADJUSTED,
    samples.SCHWAB_REALIZED,
    samples.SCHWAB_POSITIONS_2025,
    samples.FIDELITY_POSITIONS_2026,
    samples.FIDELITY_HISTORY_2026,
]
REAL = sorted(samples.SHARED.glob("*/*.csv")) if samples.SHARED.exists() else []
BYTES = [*(text.encode() for text in SHAPES), *(path.read_bytes() for path in REAL)]
CELLS = (
    *("", "--", "XX", "$", "-", "=1+1", "+1", "@x", "1e99", "-1e-99", "1e999", "(5)", "null"),
    *("9999999999999999999999", "NaN", "Infinity", "٣", "0", "-0", "01/01/0001", "12/31/9999"),
    *("99999999", "2024-02-30", "2025-01-17 23:59:60 UTC", "2100-12-31 23:59:59-12:00", '"', "\n"),
    *("USD", "EUR", "buy", "sell", "split", "t1:x;;", ":", "2:0", "Various", "Yes", "total", "é"),
)
FAST = settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def end_of(path: Path, content: bytes, mapping: ColumnMapping | None = None) -> Imported | None:
    """What is read of *content*; None where it is refused as it should be."""
    path.write_bytes(content)
    try:
        imported = import_file(path, mapping=mapping)
    except TrimtabError:
        return None
    assert_sound(imported)
    return imported


def assert_sound(imported: Imported) -> None:
    dates = [transaction.date for transaction in imported.transactions]
    assert dates == sorted(dates)
    ids = [transaction.id for transaction in imported.transactions]
    assert len(set(ids)) == len(ids)
    assert all(transaction.account for transaction in imported.transactions)
    for transaction in imported.transactions:
        assert transaction.amount >= 0
        assert transaction.fee >= 0
        assert transaction.quantity >= 0
        assert transaction.text or transaction.kind is not TransactionKind.REVIEW
    assert all("\n" not in note for note in imported.notes)


@FAST
@given(content=st.binary(max_size=300))
def test_any_bytes_end_in_values_or_in_a_sentence(content, tmp_path):
    end_of(tmp_path / "any.csv", content)


@FAST
@given(text=st.text(max_size=300), shape=st.sampled_from(SHAPES))
def test_any_text_below_a_known_header_ends_so_too(text, shape, tmp_path):
    head = "".join(shape.splitlines(keepends=True)[:5])
    end_of(tmp_path / "any.csv", (head + text).encode())


@FAST
@given(data=st.data())
def test_a_file_cut_off_anywhere_ends_so_too(data, tmp_path):
    content = data.draw(st.sampled_from(BYTES))
    start = data.draw(st.integers(0, len(content) // 2) | st.just(0))
    end_of(tmp_path / "cut.csv", content[start : data.draw(st.integers(0, len(content)))])


@FAST
@given(data=st.data())
def test_a_file_with_changed_bytes_ends_so_too(data, tmp_path):
    content = bytearray(data.draw(st.sampled_from(BYTES)))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end_of(tmp_path / "changed.csv", bytes(content))


@FAST
@given(data=st.data())
def test_a_file_with_other_cells_ends_so_too(data, tmp_path):
    text = data.draw(st.sampled_from(BYTES)).decode("utf-8-sig")
    lines = text.split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        cells = lines[at].split(",")
        cell = data.draw(st.sampled_from(CELLS) | st.text(max_size=12))
        cells[data.draw(st.integers(0, len(cells) - 1))] = cell
        lines[at] = ",".join(cells)
    end_of(tmp_path / "other.csv", "\n".join(lines).encode("utf-8", "replace"))


@FAST
@given(data=st.data())
def test_lines_left_out_doubled_or_moved_end_so_too(data, tmp_path):
    lines = data.draw(st.sampled_from(BYTES)).split(b"\n")
    chosen = data.draw(st.lists(st.sampled_from(lines), max_size=2 * len(lines)))
    end_of(tmp_path / "moved.csv", b"\n".join(chosen))


@FAST
@given(data=st.data())
def test_a_mapping_over_any_file_ends_so_too(data, tmp_path):
    mapping = ColumnMapping(
        table=data.draw(st.sampled_from(["transactions", "sales", "lots"])),
        quantity_sign=data.draw(st.sampled_from(["any", "decides"])),
        amounts=data.draw(st.sampled_from(["before_fees", "after_fees"])),
        decimal=data.draw(st.sampled_from([None, ",", "."])),
        header_line=data.draw(st.none() | st.integers(1, 40)),
        date_format=data.draw(st.sampled_from([None, "DD.MM.YYYY", "YYYYMMDD", "MMM D YY"])),
    )
    end_of(tmp_path / "mapped.csv", data.draw(st.sampled_from(BYTES)), mapping)


@pytest.mark.parametrize("content", BYTES, ids=range(len(BYTES)))
def test_every_sample_as_it_stands_is_read(content, tmp_path):
    assert end_of(tmp_path / "whole.csv", content) is not None
