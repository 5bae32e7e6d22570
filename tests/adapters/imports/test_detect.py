import os
import time
from pathlib import Path

import pytest
from tests.adapters.imports.broker_files import (
    SCHWAB_REALIZED,
    broker_file,
    faults_of,
    has_note,
    refusal_of,
)

from trimtab.adapters.imports import ColumnMapping, import_file
from trimtab.adapters.imports.mapping import ActionWords, ColumnNames
from trimtab.domain.errors import InputError

OWN = "date,account,action,symbol,quantity,price\n2024-01-16,taxable,buy,VTI,10,240.10\n"


@pytest.fixture
def write(tmp_path):
    def write(text: str | bytes, name: str = "export.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.mark.parametrize(
    ("name", "file_format"),
    [
        ("schwab/history_2021.csv", "schwab_transactions_csv"),
        ("schwab/transactions_cash_merger.csv", "schwab_transactions_csv"),
        ("schwab/positions_individual_2022.csv", "schwab_positions_csv"),
        ("schwab/realized_gain_loss_2021.csv", "schwab_realized_csv"),
        ("fidelity/positions_bom_crlf.csv", "fidelity_positions_csv"),
        ("fidelity/Realized_Gain_Loss_Account_X12345678.csv", "fidelity_closed_lots_csv"),
        ("fidelity/Accounts_History.csv", "fidelity_history_csv"),
        ("fidelity/Statement12312025.csv", "fidelity_statement_csv"),
        ("coinbase/coinbase-export.csv", "coinbase_csv"),
        ("ibkr/trades_export_to_ghostfolio.csv", "ibkr_flex_csv_trades"),
        ("ibkr/dividends_export_to_ghostfolio.csv", "ibkr_flex_csv_dividends"),
        ("ibkr/activity_statement_test_basic.csv", "ibkr_activity_csv"),
        ("ibkr/activity_minimal.xml", "ibkr_flex_xml"),
        ("ofx/vanguard.ofx", "ofx"),
    ],
)
def test_a_file_is_known_by_its_content_whatever_its_name(name, file_format, write):
    disguised = write(broker_file(name).read_bytes(), "download (3).txt")
    assert import_file(disguised).format == file_format


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    assert refusal_of(import_file, tmp_path / "no.csv").startswith("there is no file")


def test_a_folder_is_refused(tmp_path):
    assert "is a folder" in refusal_of(import_file, tmp_path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert "no ordinary file" in refusal_of(import_file, pipe)


@pytest.mark.parametrize("name", ["status", "maps"])
def test_what_the_system_makes_up_as_it_is_read_is_refused_unread(name):
    path = Path("/proc/self") / name
    if not path.exists():
        pytest.skip("there is no /proc here")
    assert "is empty" in refusal_of(import_file, path)


def test_links_in_a_circle_are_refused(tmp_path):
    path = tmp_path / "loop.csv"
    path.symlink_to(path)
    assert "cannot be read" in refusal_of(import_file, path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(write):
    path = write(OWN)
    path.chmod(0)
    assert "cannot be read" in refusal_of(import_file, path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "is empty", id="no byte"),
        pytest.param(b"\xef\xbb\xbf \r\n\n", "is empty", id="a mark and blank lines"),
        pytest.param(b",,,\n,,\n", "is empty", id="only separators"),
        pytest.param(b"PK\x03\x04rest", "Excel workbook or a zip", id="xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0rest", "old Excel", id="xls"),
        pytest.param(b"%PDF-1.7", "is a PDF", id="pdf"),
        pytest.param(b"\x1f\x8b\x08", "packed with gzip", id="gzip"),
        pytest.param(b'{"FromDate": "01/01/2025"}', "is JSON", id="json"),
        pytest.param(b"<!DOCTYPE html><html>", "is a web page", id="login page"),
        pytest.param(b"<?xml version='1.0'?><gpx/>", "XML of an unknown kind", id="other xml"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not text", id="picture"),
        pytest.param(b"\x80\xe4\xf6\xfc" * 9, "is not UTF-8", id="bytes that are no text"),
        pytest.param(OWN.encode() + b"\x81", "is not UTF-8", id="no letter of Windows-1252"),
        pytest.param(b"a\x1b[31mb,c\n", "is not text", id="terminal codes"),
        pytest.param(OWN.encode("utf-16-le"), "UTF-16 without its mark", id="utf-16 unmarked"),
        pytest.param(OWN.encode("utf-16") + b"x", "broken UTF-16", id="utf-16 broken"),
        pytest.param(b"apples,pears\n1,2\n", "of no format that trimtab knows", id="other csv"),
        pytest.param(b"Dear Sir or Madam", "of no format that trimtab knows", id="a letter"),
        pytest.param(OWN.encode() + b'2024-01-17,"tax', "quotation marks", id="open quotation"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(content, words, write):
    assert words in refusal_of(import_file, write(content))


def test_an_unknown_format_is_told_what_is_known_and_that_a_mapping_serves_the_rest(write):
    sentence = refusal_of(import_file, write("apples,pears\n1,2\n"))
    for word in ("Schwab", "Fidelity", "Vanguard", "Coinbase", "Interactive Brokers", "OFX"):
        assert word in sentence
    assert "--mapping" in sentence


def test_a_line_of_a_hundred_megabytes_is_refused_after_its_first_megabyte(tmp_path):
    path = tmp_path / "line.csv"
    with path.open("wb") as stream:
        stream.write(OWN.encode())
        stream.truncate(100 * 2**20)
    start = time.perf_counter()
    assert "a line longer than 1 MB" in refusal_of(import_file, path)
    assert time.perf_counter() - start < 2


def test_a_long_line_is_found_across_the_pieces_in_which_a_file_is_read(write):
    long = b"x" * (2**20 + 10)
    assert "a line longer" in refusal_of(import_file, write(OWN.encode() * 2000 + long + b"\n"))


def test_a_file_of_too_many_bytes_is_refused(write):
    assert "larger than 50 MB" in refusal_of(import_file, write(OWN * 800_000))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", pytest.param("cp1252", id="Windows-1252")]
)
def test_text_of_any_marked_encoding_is_read(encoding, write):
    text = "date,account,action,symbol,quantity,price,note\n2024-01-16,Zoë,buy,VTI,10,240,\n"
    imported = import_file(write(text.encode(encoding)))
    assert imported.accounts == ("Zoë",)
    assert has_note(imported, "Windows-1252") is (encoding == "cp1252")


@pytest.mark.parametrize("cut", [",", ";", "\t"])
def test_the_separator_is_found_out(cut, write):
    imported = import_file(write(OWN.replace(",", cut)))
    assert imported.counts == {"rows": 1, "buy": 1}


def test_a_formula_where_a_number_should_stand_is_a_fault_with_its_line(write):
    cells = ("=1+1", "@SUM(1)", "+cmd|' /C calc'!A0")
    rows = "".join(f'2024-01-16,taxable,buy,VTI,"{cell}",240\n' for cell in cells)
    faults = faults_of(import_file, write(OWN + rows))
    assert len(faults) == 3
    assert all("spreadsheet formula" in fault for fault in faults)
    assert faults[0].startswith("line 3, quantity")


def test_a_formula_in_a_text_stays_text(write):
    header = "date,account,action,symbol,quantity,price,note\n"
    imported = import_file(write(f"{header}2024-01-16,=1+1,review,VTI,1,2,=2+2\n"))
    assert imported.transactions[0].account == "=1+1"
    assert imported.transactions[0].text == "=2+2"


# ------------------------------------------------------------- a mapping among several files

WORDS = ColumnMapping(actions=ActionWords(buy=("kauf",)))
COLUMNS = ColumnMapping(
    account="depot",
    delimiter="|",
    columns=ColumnNames(date="Tag", action="Art", symbol="Papier", quantity="Zahl", price="Kurs"),
)
SALES = "account,symbol,quantity,acquired,sold,proceeds,cost\nX,VTI,1,2024-01-16,2024-02-16,9,8\n"


def test_a_fallback_leaves_alone_what_a_broker_s_importer_claims(write):
    imported = import_file(write(SCHWAB_REALIZED), fallback=COLUMNS)
    assert imported.format.startswith("schwab")


def test_a_fallback_reads_what_nobody_claims(write):
    text = 'Tag|Art|Papier|Zahl|Kurs|Wort\n2024-01-16|buy|VTI|10|240|so "genannt"\n'
    imported = import_file(write(text), fallback=COLUMNS)
    assert [(one.account, int(one.quantity)) for one in imported.transactions] == [("depot", 10)]


@pytest.mark.parametrize(
    ("text", "mapping", "counts"),
    [
        pytest.param(OWN.replace("buy", "kauf"), WORDS, {"rows": 1, "buy": 1}, id="other words"),
        pytest.param(OWN, COLUMNS, {"rows": 1, "buy": 1}, id="not the columns that are mapped"),
        pytest.param(SALES, WORDS, {"rows": 1, "sales": 1}, id="another list than is mapped"),
    ],
)
def test_a_fallback_serves_a_csv_of_one_s_own_that_it_describes(text, mapping, counts, write):
    assert import_file(write(text), fallback=mapping).counts == counts


@pytest.mark.parametrize("text", ["", "# later\n", "[columns]\n"])
def test_a_mapping_that_says_nothing_is_said_to_be_empty(text, write):
    how = write(text, "m.toml")
    with pytest.raises(InputError, match=r"m\.toml is empty: say in it which column is what"):
        import_file(write(OWN), mapping=how)
