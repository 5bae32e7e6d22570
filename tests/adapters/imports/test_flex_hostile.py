"""A Flex file that is broken, hostile or none ends in one sentence and nothing else."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters.imports.flex import read_flex, recognizes_flex
from trimtab.adapters.imports.flex_xml import SIZE_MAX
from trimtab.domain.errors import FileFaults, InputError, TrimtabError
from trimtab.domain.imported import Imported

PATH = Path("statement.xml")
GOOD = b"""<?xml version="1.0" encoding="UTF-8"?>
<FlexQueryResponse queryName="A" type="AF"><FlexStatements count="1">
<FlexStatement accountId="U1" fromDate="20250101" toDate="20250131">
<Trades><Trade symbol="VTI" assetCategory="STK" currency="USD" fxRateToBase="1" quantity="10"
 tradePrice="100.5" proceeds="-1005" ibCommission="-1" netCash="-1006" buySell="BUY"
 tradeDate="20250115" dateTime="20250115;093015" transactionID="7" levelOfDetail="EXECUTION"/>
<Lot symbol="BND" quantity="3" cost="30" fifoPnlRealized="-3" tradeDate="20250116" notes="ST;LD"/>
<WashSale symbol="BND" quantity="3" fifoPnlRealized="-3" whenRealized="20250116"/></Trades>
<OpenPositions><OpenPosition symbol="VTI" position="10" costBasisMoney="1006"
 levelOfDetail="LOT" openDateTime="20250115;093015"/></OpenPositions>
<CorporateActions><CorporateAction symbol="X" type="FS" dateTime="20250120;202500"
 description="X SPLIT 2 FOR 1" quantity="5"/></CorporateActions>
<CashTransactions><CashTransaction type="Dividends" amount="1.5" dateTime="20250110"/>
</CashTransactions><Transfers><Transfer symbol="VTI" quantity="1" date="20250111"/></Transfers>
<CashReport><CashReportCurrency currency="USD" endingCash="5"/></CashReport>
</FlexStatement></FlexStatements></FlexQueryResponse>"""
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + at, b"&%c;" % (97 + at) * 10) for at in range(10))
    + b"]><FlexQueryResponse>&k;</FlexQueryResponse>"
)
OUTSIDE = (
    b'<!DOCTYPE F [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    b"<FlexQueryResponse><FlexStatements>&x;</FlexStatements></FlexQueryResponse>"
)
DEEP = b"<FlexQueryResponse>" + b"<a>" * 100_000


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(LAUGHS, "declares a document type", id="a billion laughs"),
        pytest.param(OUTSIDE, "declares a document type", id="a file of the machine"),
        pytest.param(
            b'<!DOCTYPE F SYSTEM "http://x/f.dtd"><FlexQueryResponse/>',
            "declares a document type",
            id="a document type elsewhere",
        ),
        pytest.param(GOOD.replace(b'"VTI"', b'"&x;"'), "undefined entity", id="an entity"),
        pytest.param(DEEP, "nested more than 16 deep", id="elements without end"),
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(b" \n ", "is empty", id="blanks"),
        pytest.param(GOOD[:700], "ends too early", id="cut off between elements"),
        pytest.param(GOOD[:430], "ends too early", id="cut off within an element"),
        pytest.param(GOOD.decode().encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param(b"<FlexQueryResponse\0\xff", "not text", id="binary"),
        pytest.param(
            GOOD.replace(b'"VTI"', b'"V\xe9"'), "0xe9 is not UTF-8", id="bytes of Latin 1"
        ),
        pytest.param(
            GOOD.replace(b"UTF-8", b"ISO-8859-1"), 'encoding "ISO-8859-1"', id="said to be Latin 1"
        ),
        pytest.param(GOOD.replace(b"UTF-8", b"UTF-16"), 'encoding "UTF-16"', id="said to be wide"),
        pytest.param(b"<html><body/></html>", 'root element is "html"', id="a web page"),
        pytest.param(b"<FlexQueryResponse/>", "no FlexStatement", id="a query without statement"),
        pytest.param(
            b"<FlexQueryResponse><FlexStatements><FlexStatement/></FlexStatements>"
            b"</FlexQueryResponse>",
            "no accountId",
            id="a statement of nobody",
        ),
        pytest.param(b"Symbol,Quantity\nVTI,1\n", "broken", id="a table"),
    ],
)
def test_what_is_no_sound_flex_query_is_refused_in_one_sentence(data, said):
    with pytest.raises(FileFaults) as told:
        read_flex(PATH, data)
    assert len(told.value.faults) == 1
    assert said in told.value.faults[0]


def test_the_brokers_refusal_is_told_as_such():
    data = (
        b"<FlexStatementResponse><Status>Fail</Status><ErrorCode>1018</ErrorCode>"
        b"<ErrorMessage>Too many requests</ErrorMessage></FlexStatementResponse>"
    )
    assert recognizes_flex(data)
    with pytest.raises(InputError, match=r'code "1018", "Too many requests"'):
        read_flex(PATH, data)


def test_a_hundred_megabytes_in_one_line_are_refused_at_once():
    data = b'<FlexQueryResponse queryName="' + b"A" * (100 * 2**20) + b'"/>'
    started = time.perf_counter()
    with pytest.raises(FileFaults, match="larger than"):
        read_flex(PATH, data)
    assert time.perf_counter() - started < 5


def test_a_long_attribute_within_the_limit_is_only_text():
    data = GOOD.replace(b'queryName="A"', b'queryName="' + b"A" * (SIZE_MAX // 8) + b'"')
    assert read_flex(PATH, data).accounts == ("U1",)


def test_a_mark_of_utf_8_in_front_is_no_fault():
    assert read_flex(PATH, b"\xef\xbb\xbf" + GOOD).counts["Trade"] == 1


def test_other_files_are_not_taken_for_flex():
    assert recognizes_flex(GOOD)
    assert not recognizes_flex(b"OFXHEADER:100\nDATA:OFXSGML")
    assert not recognizes_flex(b"Symbol,Quantity\n")


@given(st.integers(0, len(GOOD)))
def test_a_file_cut_off_anywhere_is_read_whole_or_refused(length):
    _ends_well(GOOD[:length])


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


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["10", "1005", "-1005", "100.5", "20250115", "20250115;093015", "BUY", "STK", "FS"]
            ),
            st.one_of(
                st.text(st.characters(exclude_characters='<&"', codec="utf-8"), max_size=12),
                st.sampled_from(
                    ["0", "-1", "1e99", "1e-99", "NaN", "Infinity", "", "SELL", "MULTI"]
                ),
                st.sampled_from(["99991231", "00000000", "BUY (Ca.)", "1 FOR 0", "OPT", "CASH"]),
            ),
        ),
        max_size=4,
    )
)
def test_a_file_with_values_changed_is_read_or_refused(changes):
    text = GOOD.decode()
    for old, new in changes:
        text = text.replace(f'"{old}"', f'"{new}"')
    _ends_well(text.encode())


def _ends_well(data: bytes) -> None:
    try:
        imported = read_flex(PATH, data)
    except TrimtabError as error:
        assert str(error).startswith("statement.xml")  # noqa: PT017  either way is right
    else:
        assert isinstance(imported, Imported)
        assert all(one.amount >= 0 and one.quantity >= 0 for one in imported.transactions)
