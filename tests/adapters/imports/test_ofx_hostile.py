"""An OFX file that is broken, hostile or none ends in one sentence and nothing else."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.imports.test_ofx import HEADER, about, buy, secid, sell, text

from trimtab.adapters.imports.ofx import read_ofx, recognizes_ofx
from trimtab.domain.errors import FileFaults, TrimtabError
from trimtab.domain.imported import Imported

PATH = Path("statement.ofx")
GOOD = text(
    buy(),
    sell("<COMMISSION>5<TOTAL>995"),
    f"<INCOME>{about('3')}{secid()}<INCOMETYPE>DIV<TOTAL>5<SUBACCTSEC>CASH<SUBACCTFUND>CASH"
    "</INCOME>",
    f"<SPLIT>{about('4')}{secid()}<SUBACCTSEC>CASH<OLDUNITS>10<NEWUNITS>20<NUMERATOR>2"
    "<DENOMINATOR>1</SPLIT>",
    after=f"<INVPOSLIST><POSSTOCK><INVPOS>{secid()}<HELDINACCT>CASH<POSTYPE>LONG<UNITS>5"
    "<UNITPRICE>10<MKTVAL>50<DTPRICEASOF>20250131</INVPOS></POSSTOCK></INVPOSLIST>"
    "<INVBAL><AVAILCASH>1<MARGINBALANCE>0<SHORTBALANCE>0</INVBAL>",
).encode()
BODY = GOOD.removeprefix(HEADER.encode())
TWO = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE"'
    b' OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
)
LAUGHS = b'<!DOCTYPE OFX [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(TWO + LAUGHS + BODY, "declares a document type", id="a billion laughs"),
        pytest.param(HEADER.encode() + LAUGHS + BODY, "declares a document", id="and in SGML"),
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(b" \n", "is empty", id="blanks"),
        pytest.param(b"\n" * 9 + GOOD, "first 8 lines are empty", id="a late header"),
        pytest.param(BODY, "has no OFX header", id="no header"),
        pytest.param(
            b"OFXHEADER:100\nVERSION:1\n" + BODY, "header cannot be read", id="half of one"
        ),
        pytest.param(GOOD[:-200], "cut off", id="cut off between elements"),
        pytest.param(GOOD[:-9], "cut off", id="cut off before its end"),
        pytest.param(HEADER.encode(), "no OFX markup", id="only a header"),
        pytest.param(GOOD.decode().encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param(b"OFXHEADER\0\xff", "not text", id="binary"),
        pytest.param(TWO + BODY.replace(b"VTI", b"\xe9"), "not in the encoding", id="Latin 1"),
        pytest.param(GOOD.replace(b"VTI", b"\x81"), "not in the encoding", id="no letter of 1252"),
        pytest.param(
            HEADER.encode() + b"<A>" * 99 + b"</A>" * 99, "deep", id="elements in elements"
        ),
        pytest.param(
            GOOD.replace(b"</SECID>", b"</SECIDS>", 1), "closes what is not", id="crossed"
        ),
        pytest.param(GOOD + BODY, "second root element", id="two files in one"),
        pytest.param(GOOD.replace(b"<CURDEF>", b"<curdef>"), "no OFX markup", id="small letters"),
        pytest.param(GOOD.replace(b"<UNITS>10", b"<UNITS>NaN"), "NaN", id="not a number"),
        pytest.param(GOOD.replace(b"<CURDEF>USD", b""), "as OFX has to be", id="no currency"),
        pytest.param(GOOD.replace(b"<OFX>", b"<OFX><!--"), "cut off", id="a comment without end"),
    ],
)
def test_what_is_no_sound_ofx_is_refused_in_one_sentence(data, said):
    with pytest.raises(FileFaults) as told:
        read_ofx(PATH, data)
    assert len(told.value.faults) == 1
    assert said in told.value.faults[0]
    assert "\n" not in told.value.faults[0]


@pytest.mark.parametrize(
    "filling",
    [
        pytest.param(b"A" * (100 * 2**20), id="a hundred megabytes of text"),
        pytest.param(b"<A>" * 2_000_000, id="elements in elements"),
        pytest.param(b"<A>1" * 2_000_000, id="elements after elements"),
        pytest.param(b"<![CDATA[" * 1_000_000, id="texts without an end"),
        pytest.param(b"]]>" + b"<!--" * 1_000_000, id="comments without an end"),
        pytest.param(b"<" + b"A" * 5_000_000, id="a tag without an end"),
        pytest.param(b"<A" + b" " * 5_000_000, id="blanks without an end"),
    ],
)
def test_a_bomb_in_one_line_is_refused_in_time(filling):
    started = time.perf_counter()
    with pytest.raises(FileFaults):
        read_ofx(PATH, HEADER.encode() + b"<OFX>" + filling)
    assert time.perf_counter() - started < 20


def test_no_entity_is_ever_expanded_or_fetched():
    data = GOOD.replace(b"<TICKER>VTI<", b"<TICKER>&x;<", 1)
    assert read_ofx(PATH, data).positions[0].symbol == "&x;"


def test_other_files_are_not_taken_for_ofx():
    assert recognizes_ofx(GOOD)
    assert recognizes_ofx(TWO + BODY)
    assert not recognizes_ofx(b"<FlexQueryResponse/>")
    assert not recognizes_ofx(b"Symbol,Quantity\n")


def test_the_libraries_warnings_become_a_note_and_nothing_is_printed(capsys, recwarn):
    data = GOOD.replace(b"<CURDEF>", b"<INTU.BID>7<NEWTAG>8<CURDEF>")
    assert "2 elements that OFX does not define left out" in read_ofx(PATH, data).notes
    assert capsys.readouterr() == ("", "")
    assert not recwarn.list


@given(st.integers(0, len(GOOD)))
def test_a_file_cut_off_anywhere_is_read_whole_or_refused(length):
    if length < len(GOOD):
        with pytest.raises(TrimtabError):
            read_ofx(PATH, GOOD[:length])
    else:
        _ends_well(GOOD)


@given(
    st.lists(
        st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), st.binary(max_size=12)),
        max_size=4,
    )
)
def test_a_file_with_bytes_changed_is_read_or_refused(changes):
    data = GOOD
    for at, gone, new in changes:
        data = data[:at] + new + data[at + gone :]
    _ends_well(data)


TAGS = """UNITS TOTAL UNITPRICE NUMERATOR DENOMINATOR OLDUNITS ACCTID DTTRADE BUYTYPE CURDEF FITID
UNIQUEID COMMISSION TICKER BUYSTOCK INVBUY SECINFO INVTRAN SPLIT OPTINFO INVPOS"""
TEXTS = """0 -1 99999999999999999999 0.000000000001 1,000 NaN 1e9 99991231 20250115 SELL EUR é
&amp;#0; <BUYTYPE> </OFX> BUYTYPES CURRENCY ET LIST"""


@given(
    st.lists(
        st.tuples(
            st.sampled_from(TAGS.split()), st.sampled_from(["", *TEXTS.split()]), st.booleans()
        ),
        max_size=4,
    )
)
def test_a_file_with_values_or_elements_changed_is_read_or_refused(changes):
    changed = GOOD.decode()
    for tag, new, is_name in changes:
        if is_name:
            changed = changed.replace(f"<{tag}>", f"<{new}>").replace(f"</{tag}>", f"</{new}>")
        else:
            head, found, rest = changed.partition(f"<{tag}>")
            value = rest.split("<", 1)[0]
            changed = head + found + new + rest.removeprefix(value) if found else changed
    _ends_well(changed.encode("cp1252", "replace"))


def _ends_well(data: bytes) -> None:
    try:
        imported = read_ofx(PATH, data)
    except TrimtabError as error:
        assert str(error).startswith("statement.ofx")  # noqa: PT017  either way is right
    else:
        assert isinstance(imported, Imported)
        assert all(one.amount >= 0 and one.quantity >= 0 for one in imported.transactions)
