"""The Treasury's curve as its own files and others write it."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from trimtab.adapters.treasury_curve import CurveFile, read_curve
from trimtab.domain.errors import FileFaults, InputError

LATE = dt.date(2030, 1, 1)
LONG = """date,y_1m,y_3m,y_10y,y_30y
2023-06-29,5.20,5.40,3.80,3.90
2023-06-30,5.24,5.43,3.81,
2023-07-03,,,,
"""
TREASURY = """Date,"1 Mo","1.5 Month","3 Mo","1 Yr","10 Yr"
11/20/2025,4.05,4.04,3.94,3.68,4.10
11/19/2025,4.06,N/A,3.95,3.69,4.13
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "curve.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_last_day_with_a_yield_counts_and_an_empty_cell_is_no_maturity(tmp_path):
    curve = read_curve(written(tmp_path, LONG), LATE)
    assert curve.on == dt.date(2023, 6, 30)
    assert [(point.months, point.rate) for point in curve.points] == [
        (Decimal(1), Decimal("0.0524")),
        (Decimal(3), Decimal("0.0543")),
        (Decimal(120), Decimal("0.0381")),
    ]


def test_no_day_after_the_one_asked_for_is_seen(tmp_path):
    curve = read_curve(written(tmp_path, LONG), dt.date(2023, 6, 29))
    assert curve.on == dt.date(2023, 6, 29)
    assert curve.points[-1].months == 360


def test_the_treasurys_own_file_is_read_the_latest_day_first_as_it_is(tmp_path):
    curve = read_curve(written(tmp_path, TREASURY), LATE)
    assert curve.on == dt.date(2025, 11, 20)
    assert [str(point.months) for point in curve.points] == ["1", "1.5", "3", "12", "120"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("day,y_3m\n2023-06-30,5\n", 'line 1: no column says the day: call it "date"'),
        ("date,price\n2023-06-30,5\n", "line 1: no column is a maturity"),
        ("date,y_3m\nsoon,5\n", 'line 2, date: "soon" is not a date'),
        ("date,y_3m\n2023-06-30,five\n", 'line 2: "five" is not a number'),
        ("date,y_3m\n2023-06-30,543\n", 'line 2: "543" is no yield in percent'),
        ("date,y_3m,y_10y\n2023-06-30,0.0543,0.0381\n", "line 2: its yields look like fractions"),
        ("date,y_3m\n2031-06-30,5\n", "it tells no yield up to 2030-01-01"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(tmp_path, text, sentence):
    with pytest.raises(FileFaults) as caught:
        read_curve(written(tmp_path, text), LATE)
    assert any(fault.startswith(sentence) for fault in caught.value.faults)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_curve(tmp_path / "none.csv", LATE)


def test_a_day_before_the_first_has_no_curve(tmp_path):
    curves = CurveFile(written(tmp_path, LONG))
    assert curves.until(dt.date(2023, 6, 28)) is None
    found = [curves.until(dt.date(2023, 6, day)) for day in (29, 30)]
    assert [one.on.day for one in found if one is not None] == [29, 30]


def test_a_check_reads_every_row_and_tells_all_that_is_wrong(tmp_path):
    text = "date,y_3m\n2023-06-28,five\n2023-06-29,543\n2023-06-30,5.43\n"
    curves = CurveFile(written(tmp_path, text))
    assert curves.until(LATE) is not None
    with pytest.raises(FileFaults) as told:
        curves.check()
    assert 'line 2: "five" is not a number' in str(told.value)
    assert 'line 3: "543" is no yield in percent' in str(told.value)
