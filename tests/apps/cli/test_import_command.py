import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.apps.cli.command_line import document_of, trimtab

from trimtab.adapters.files import read_lots
from trimtab.adapters.imports import import_file
from trimtab.apps.views.tax_documents_trading import ImportDocument

HISTORY = """\
date,account,action,symbol,quantity,price,lots
2025-01-06,joint,buy,VTI,10,300,t1
2025-06-02,joint,buy,VXUS,20,60,x1
2026-03-10,roth,buy,VTI,4,250,r1
"""


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return written(tmp_path, "history.csv", HISTORY)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_import_says_what_the_file_holds(history):
    ended = trimtab("import", history)
    assert ended.status == 0
    assert "2 accounts (joint and roth): 3 transactions." in ended.out
    printed = document_of(trimtab("import", history, "--json"))
    msgspec.convert(printed, ImportDocument, strict=True)
    assert list(printed) == list(ImportDocument.__struct_fields__)
    assert [one["action"] for one in printed["transactions"]] == ["buy"] * 3


def test_transactions_written_are_read_again_as_they_were(tmp_path):
    text = (
        "date,account,action,symbol,quantity,amount,fee,lots,method,order,basis,acquired,to,ratio,"
        "per_share,form,id,text\n"
        "2025-01-06,a,buy,VTI,10,3000.5,1.25,,,o-1,,,,,,,t1,\n"
        "2025-01-07,a,opening,BND,7,,,,,,500,2020-01-06,,,,,b1,\n"
        "2025-02-03,a,split,VTI,,,,,,,,,,2:1,,,,\n"
        "2025-03-03,a,dividend,VTI,,,,,,,,,,,0.85,,,\n"
        "2025-04-01,a,transfer,VTI,4,,,t1:4,,,,,b,,,,,\n"
        "2025-05-01,a,sell,VTI,3,500,0.5,t1:3,,o-2,,,,,,1099b_unreported,,\n"
        "2025-05-02,a,sell,VTI,1,150,,,hifo,,,,,,,,,\n"
        "2025-06-02,a,review,TSLA,1,,,,,,,,,,,,,an option\n"
    )
    of = written(tmp_path, "mine.csv", text)
    out = tmp_path / "again.csv"
    ended = trimtab("import", of, "--transactions", out)
    assert ended.status == 0, ended.err
    assert "8 rows written" in ended.out
    first, again = import_file(of).transactions, import_file(out).transactions
    plain = {"source": "", "text": ""}
    assert [msgspec.structs.replace(one, **plain) for one in again] == [
        msgspec.structs.replace(one, **plain) for one in first
    ]


def test_the_lots_written_are_those_that_the_transactions_leave_wash_sales_counted(tmp_path):
    text = (
        "date,account,action,symbol,quantity,price,lots\n"
        "2025-01-06,X1,buy,VTI,10,300,t1\n"
        "2026-03-02,X1,sell,VTI,10,250,t1\n"
        "2026-03-10,X1,buy,VTI,4,250,t2\n"
    )
    of = written(tmp_path, "mine.csv", text)
    out = tmp_path / "lots.csv"
    ended = trimtab("import", of, "--account-map", "X1=joint", "--lots", out)
    assert ended.status == 0, ended.err
    (lot,) = read_lots(out, {"joint": None}, {"VTI": None}, today=dt.date(2026, 12, 1))
    assert (lot.id, lot.quantity, lot.basis) == ("t2", Decimal(4), Decimal(1200))
    assert lot.acquired == dt.date(2026, 3, 10)
    assert lot.holding_since == dt.date(2025, 1, 14)


def test_no_file_is_overwritten_and_two_are_written_together_or_not_at_all(tmp_path, history):
    lots = written(tmp_path, "lots.csv", "mine")
    new = tmp_path / "new.csv"
    ended = trimtab("import", history, "--transactions", new, "--lots", lots)
    assert ended.status == 2
    assert "lots.csv is there already" in ended.err
    assert lots.read_text() == "mine"
    assert not new.exists()
    ended = trimtab("import", history, "--transactions", new, "--lots", tmp_path / "no" / "l.csv")
    assert ended.status == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.csv", "lots.csv"]


def test_lots_without_a_cost_or_beyond_the_history_are_refused(tmp_path):
    late = "date,account,action,symbol,quantity,price\n2026-03-02,X1,sell,VTI,10,250\n"
    ended = trimtab("import", written(tmp_path, "late.csv", late), "--lots", tmp_path / "l.csv")
    assert ended.status == 2
    assert "tell of purchases before the records with `opening`" in ended.err
    assert not (tmp_path / "l.csv").exists()


def test_a_long_list_is_shortened_unless_all_of_it_is_wanted(tmp_path):
    head = "date,account,action,symbol,quantity,price\n"
    days = "".join(f"2026-01-{day:02},X1,buy,VTI,1,250\n" for day in range(1, 29))
    of = written(tmp_path, "long.csv", head + days)
    assert "8 more transactions: --all shows them." in trimtab("import", of).out
    assert "2026-01-28" in trimtab("import", of, "--all").out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        ("hello\n", "of no format that trimtab knows"),
        ("date,account,action,symbol,quantity,price\n2026-13-01,a,buy,VTI,1,1\n", "line 2"),
    ],
)
def test_a_file_that_cannot_be_used_ends_in_a_sentence(tmp_path, content, sentence):
    ended = trimtab("import", written(tmp_path, "bad.csv", content), "--json")
    assert ended.status == 2
    assert sentence in ended.err
    assert json.loads(ended.out)["exit_status"] == 2
