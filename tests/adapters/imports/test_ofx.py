"""OFX and QFX statements: real ones against what they hold, made ones for what those do not."""

import datetime as dt
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trimtab.adapters.imports.ofx import read_ofx
from trimtab.adapters.imports.ofx_tree import read_ofx_day
from trimtab.domain.errors import FileFaults, MissingExtra
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.imported import Imported

PATH = Path("statement.ofx")
HEADER = """OFXHEADER:100
DATA:OFXSGML
VERSION:102
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

"""
SIGNON = (
    "<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20250131"
    "<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>"
)
SECURITIES = (
    "<SECLISTMSGSRSV1><SECLIST><STOCKINFO><SECINFO><SECID><UNIQUEID>922908769<UNIQUEIDTYPE>CUSIP"
    "</SECID><SECNAME>Total market<TICKER>VTI</SECINFO></STOCKINFO><OPTINFO><SECINFO><SECID>"
    "<UNIQUEID>OPT1<UNIQUEIDTYPE>OTHER</SECID><SECNAME>A call<TICKER>VTI250117C300</SECINFO>"
    "<OPTTYPE>CALL<STRIKEPRICE>300<DTEXPIRE>20250117<SHPERCTRCT>100<SECID><UNIQUEID>922908769"
    "<UNIQUEIDTYPE>CUSIP</SECID></OPTINFO></SECLIST></SECLISTMSGSRSV1>"
)


def secid(unique_id: str = "922908769") -> str:
    return f"<SECID><UNIQUEID>{unique_id}<UNIQUEIDTYPE>CUSIP</SECID>"


def about(fitid: str = "1", date: str = "20250115", rest: str = "") -> str:
    return f"<INVTRAN><FITID>{fitid}<DTTRADE>{date}{rest}</INVTRAN>"


def buy(
    money: str = "<TOTAL>-1005", *, units: str = "10", tran: str = "", kind: str = "BUY"
) -> str:
    return (
        f"<BUYSTOCK><INVBUY>{tran or about()}{secid()}<UNITS>{units}<UNITPRICE>100<COMMISSION>5"
        f"{money}<SUBACCTSEC>CASH<SUBACCTFUND>CASH</INVBUY><BUYTYPE>{kind}</BUYSTOCK>"
    )


def sell(money: str, *, element: str = "SELLSTOCK", end: str = "<SELLTYPE>SELL") -> str:
    return (
        f"<{element}><INVSELL>{about()}{secid()}<UNITS>-10<UNITPRICE>100{money}"
        f"<SUBACCTSEC>CASH<SUBACCTFUND>CASH</INVSELL>{end}</{element}>"
    )


def text(*rows: str, after: str = "", securities: str = SECURITIES) -> str:
    return (
        f"{HEADER}<OFX>{SIGNON}<INVSTMTMSGSRSV1><INVSTMTTRNRS><TRNUID>0<STATUS><CODE>0"
        "<SEVERITY>INFO</STATUS><INVSTMTRS><DTASOF>20250131<CURDEF>USD<INVACCTFROM><BROKERID>b"
        "<ACCTID>A1</INVACCTFROM><INVTRANLIST><DTSTART>20250101<DTEND>20250131"
        f"{''.join(rows)}</INVTRANLIST>{after}</INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1>"
        f"{securities}</OFX>"
    )


def ofx(*rows: str, after: str = "", securities: str = SECURITIES) -> Imported:
    return read_ofx(PATH, text(*rows, after=after, securities=securities).encode("cp1252"))


def values(*of_one: object) -> tuple[Any, ...]:
    """Values of several kinds, to compare with plain numbers."""
    return of_one


def only(imported: Imported) -> Transaction:
    (transaction,) = imported.transactions
    return transaction


# ---------------------------------------------------------------------- trades


def test_the_total_of_a_purchase_holds_its_costs():
    made = only(ofx(buy()))
    assert values(made.kind, made.symbol, made.quantity) == (TransactionKind.BUY, "VTI", 10)
    assert values(made.amount, made.fee, made.date) == (1000, 5, dt.date(2025, 1, 15))


def test_the_total_of_a_sale_lacks_its_costs_and_what_was_withheld():
    imported = ofx(sell("<COMMISSION>5<WITHHOLDING>100<TOTAL>895<GAIN>45"))
    made = only(imported)
    assert values(made.kind, made.amount, made.fee) == (TransactionKind.SELL, 1000, 5)
    assert [values(one.kind, one.amount) for one in imported.cash_lines] == [("tax", -100)]
    assert imported.realized_gain == 45


def test_accrued_interest_is_income_and_no_part_of_the_price():
    sold = sell("<TOTAL>1012", element="SELLDEBT", end="<SELLREASON>SELL<ACCRDINT>12")
    imported = ofx(sold)
    assert only(imported).amount == 1000
    assert [values(one.kind, one.amount) for one in imported.cash_lines] == [("interest", 12)]


def test_a_total_that_price_and_units_contradict_is_noted():
    imported = ofx(buy("<TOTAL>-1105"))
    assert only(imported).amount == 1100
    assert any("10 at 100 is not 1100" in note for note in imported.notes)


def test_a_reinvestment_is_income_and_a_purchase():
    imported = ofx(
        f"<REINVEST>{about()}{secid()}<INCOMETYPE>CGLONG<TOTAL>-50<SUBACCTSEC>CASH<UNITS>0.5"
        "<UNITPRICE>100</REINVEST>"
    )
    made = only(imported)
    assert values(made.kind, made.amount, made.quantity) == (
        TransactionKind.REINVEST,
        50,
        Decimal("0.5"),
    )
    assert [values(one.kind, one.amount) for one in imported.cash_lines] == [
        ("long-term capital gain distribution", 50)
    ]


OPTION = (
    f"<SELLOPT><INVSELL>{about()}{secid('OPT1')}<UNITS>-1<UNITPRICE>2<TOTAL>200<SUBACCTSEC>CASH"
    "<SUBACCTFUND>CASH</INVSELL><OPTSELLTYPE>SELLTOOPEN<SHPERCTRCT>100</SELLOPT>"
)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        pytest.param(OPTION, "an option", id="an option"),
        pytest.param(buy(kind="BUYTOCOVER"), "short position", id="a short sale"),
        pytest.param(
            buy("<TOTAL>-1005<CURRENCY><CURRATE>1.1<CURSYM>EUR</CURRENCY>"),
            "in EUR, to be converted to USD (CURRATE 1.1)",
            id="another currency",
        ),
        pytest.param(buy("<TOTAL>-4", units="0"), "cannot be", id="no units"),
        pytest.param(
            f"<TRANSFER>{about()}{secid()}<SUBACCTSEC>CASH<UNITS>5<TFERACTION>IN<POSTYPE>LONG"
            "<DTPURCHASE>20200102</TRANSFER>",
            "in from an account that is not named, bought on 2020-01-02",
            id="units from elsewhere",
        ),
        pytest.param(
            f"<RETOFCAP>{about()}{secid()}<TOTAL>7<SUBACCTSEC>CASH<SUBACCTFUND>CASH</RETOFCAP>",
            "lowers the basis",
            id="capital returned",
        ),
    ],
)
def test_what_the_rules_do_not_judge_is_left_to_a_person_under_the_share(row, said):
    asked = only(ofx(row))
    assert asked.kind is TransactionKind.REVIEW
    assert asked.symbol == "VTI"
    assert said in asked.text


def split(ratio: str, units: str) -> str:
    return f"<SPLIT>{about()}{secid()}<SUBACCTSEC>CASH{units}{ratio}</SPLIT>"


def test_a_split_has_its_ratio_and_one_that_contradicts_its_units_asks():
    units = "<OLDUNITS>100<NEWUNITS>150"
    fits = only(ofx(split("<NUMERATOR>3<DENOMINATOR>2", units)))
    assert (fits.kind, fits.numerator, fits.denominator) == (TransactionKind.SPLIT, 3, 2)
    for ratio in ("<NUMERATOR>2<DENOMINATOR>3", "<NUMERATOR>3<DENOMINATOR>0"):
        assert only(ofx(split(ratio, units))).kind is TransactionKind.REVIEW


def test_units_that_go_to_a_named_account_are_moved():
    moved = only(
        ofx(
            f"<TRANSFER>{about()}{secid()}<SUBACCTSEC>CASH<UNITS>-5<TFERACTION>OUT<POSTYPE>LONG"
            "<INVACCTFROM><BROKERID>b<ACCTID>A2</INVACCTFROM></TRANSFER>"
        )
    )
    assert values(moved.kind, moved.to_account, moved.quantity) == (
        TransactionKind.TRANSFER,
        "A2",
        5,
    )


def test_what_the_broker_reversed_or_lists_twice_is_counted_once():
    reversal = buy(tran=about("2", rest="<REVERSALFITID>1"), units="-10")
    kept = buy(tran=about("3"))
    imported = ofx(buy(), reversal, kept, kept)
    assert only(imported).id == "A1/3"
    assert imported.counts["transactions"] == 4


def test_a_security_that_the_file_does_not_list_goes_by_its_cusip():
    imported = ofx(buy(), securities="")
    assert only(imported).symbol == "922908769"
    assert any("no ticker in the file for 922908769" in note for note in imported.notes)


def test_a_short_position_is_negative():
    held = (
        f"<INVPOSLIST><POSSTOCK><INVPOS>{secid()}<HELDINACCT>SHORT<POSTYPE>SHORT<UNITS>5"
        "<UNITPRICE>10<MKTVAL>-50<DTPRICEASOF>20250131</INVPOS></POSSTOCK></INVPOSLIST>"
    )
    (position,) = ofx(after=held).positions
    assert values(position.quantity, position.value, position.cusip) == (-5, -50, "922908769")


# ---------------------------------------------------------------------- dates and markup


@pytest.mark.parametrize(
    ("written", "day"),
    [
        pytest.param("20240617", 17, id="a day"),
        pytest.param("20240617000000", 17, id="midnight nowhere is a label"),
        pytest.param("20240617000000.000[-6:MDT]", 17, id="midnight somewhere is a label"),
        pytest.param("20240617000000[0:GMT]", 17, id="midnight in Greenwich is a label"),
        pytest.param("20240618010000[0:GMT]", 17, id="one at night in Greenwich"),
        pytest.param("20240617233000.000[-7:PDT]", 18, id="late in Los Angeles"),
        pytest.param("20240617160000.000[-5:EST]", 17, id="the close"),
        pytest.param("20240617160000.000[-:EST]", 17, id="as IBKR writes it"),
        pytest.param("20240618013000[+5.30:IST]", 17, id="half hours"),
    ],
)
def test_a_date_of_ofx_is_a_day_in_new_york(written, day):
    assert read_ofx_day(written) == dt.date(2024, 6, day)
    assert only(ofx(buy(tran=about(date=written)))).date == dt.date(2024, 6, day)


def test_version_two_is_read_like_version_one():
    body = text(buy()).removeprefix(HEADER)
    closed = (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        '<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" '
        f'NEWFILEUID="NONE"?>\n{body}'
    )
    assert only(read_ofx(PATH, closed.encode())).amount == 1000


def test_text_in_cdata_and_comments_and_empty_elements_are_understood():
    rest = "<MEMO><![CDATA[REINVESTMENT <of> R&D]]></MEMO>"
    imported = ofx(
        buy(tran=about(rest=f"<!-- a <remark> -->{rest}")),
        buy(tran=about("2", rest="<MEMO/>")),
        buy(tran=about("3", rest="<DTSETTLE>")),
    )
    assert [one.kind.value for one in imported.transactions] == ["reinvest", "buy", "buy"]


def test_every_fault_of_a_file_is_told_at_once():
    with pytest.raises(FileFaults) as told:
        ofx(buy("<TOTAL>$120"), buy("<TOTAL>1,234"), buy(tran=about(date="20250230")))
    first, second, third = told.value.faults
    assert first.startswith('line 11: <TOTAL> "$120" is not a number')
    assert '"1,234" may be 1234 or 1.234' in second
    assert '<DTTRADE> "20250230" is no date' in third


def test_a_decimal_comma_is_read_where_it_can_mean_nothing_else():
    assert only(ofx(buy("<TOTAL>-1005,00"))).amount == 1000


def test_without_the_library_the_way_to_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ofxtools", None)
    with pytest.raises(MissingExtra, match="pip install ofxtools"):
        read_ofx(PATH, text().encode())
