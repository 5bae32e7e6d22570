"""The listings that ship with trimtab, and lists of identical symbols of a household's own."""

import contextlib
import csv
import datetime as dt
import re
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters.identity import read_identical, read_identity
from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.identity import IdentityLevel

FACTS = Path(__file__).resolve().parents[2] / "../shared/data/etf/etf_facts.csv"
PACKAGED = read_identity()
HEADER = "symbol,name,fund,index,exposure,kind,is_collectible,checked_on,source"
ROW = "VOO,Vanguard 500,vanguard-500,sp-500,us-large,etf,no,2026-11-22,issuer"

# What counted as identical before the table: no group may ever fall apart by a slip in the data.
FIRST_GROUPS = """
VOO IVV SPY SPLG SPYM VFIAX FXAIX SWPPX
VTI VTSAX
QQQ QQQM
VUG VIGAX
IVW SPYG
VTV VVIAX
IVE SPYV
VYM VHYAX
VO VIMAX
IJH MDY IVOO SPMD
VB VSMAX
IJR SPSM VIOO
IWM VTWO
VXF VEXAX
VXUS VTIAX
IXUS FTIHX
ACWX CWI
VEA VTMGX
EFA FSPSX
VWO VEMAX
BND VBTLX AGG SCHZ SPAB FXNAX
BNDX VTABX
VGSH SCHO SPTS
VGIT SCHR SPTI
VGLT SPTL
MBB SPMB
VNQ VGSLX
FSKAX SWTSX
GLD IAU GLDM SGOL
SLV SIVR
IBIT FBTC BITB ARKB GBTC
"""
SAFE_PAIRS = [("VTI", "SCHB"), ("VTI", "ITOT"), ("VXUS", "IXUS"), ("VOO", "IWB"), ("VOO", "VONE")]


@pytest.fixture
def write(tmp_path):
    def write(text: str | bytes, name: str = "list.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def faults_of(path, read=read_identical) -> tuple[str, ...]:
    with pytest.raises(FileFaults) as refused:
        read(path)
    assert str(path) in str(refused.value)
    return refused.value.faults


def identical_at(level):
    return {s: set(group) for group in PACKAGED.groups(level) for s in group}


# --------------------------------------------------------------------- the packaged listings


def test_every_listing_has_an_index_or_says_that_it_is_active():
    for one in PACKAGED.listings.values():
        assert one.index or one.source.startswith("active"), one.symbol


def test_every_listing_says_when_and_against_what_it_was_checked():
    for one in PACKAGED.listings.values():
        assert dt.date(2026, 1, 1) <= one.checked_on <= dt.date(2026, 12, 31), one.symbol
        assert one.source, one.symbol


def test_one_fund_has_one_index_and_one_index_has_one_exposure():
    found: dict[tuple[str, str], set[tuple[str | bool, ...]]] = defaultdict(set)
    for one in PACKAGED.listings.values():
        found["fund", one.fund].add((one.index, one.exposure, one.is_collectible))
        if one.index:
            found["index", one.index].add((one.exposure, one.is_collectible))
    assert {key: values for key, values in found.items() if len(values) > 1} == {}


def test_the_symbol_of_a_mutual_fund_has_five_letters_and_ends_in_x():
    for one in PACKAGED.listings.values():
        assert (one.kind == "fund") == bool(re.fullmatch(r"[A-Z]{4}X", one.symbol)), one.symbol


def test_metal_is_collectible_and_a_bitcoin_trust_is_not():
    metal = {one.exposure for one in PACKAGED.listings.values() if one.is_collectible}
    assert metal == {"gold", "silver", "platinum", "palladium", "precious-metals"}
    assert not PACKAGED.is_collectible("IBIT")


@pytest.mark.parametrize("line", FIRST_GROUPS.split("\n")[1:-1])
def test_what_was_identical_before_is_identical_on_one_index(line):
    first, *others = line.split()
    assert set(others) < identical_at("same_index")[first]


def test_no_two_of_the_first_groups_became_one():
    groups = [set(line.split()) for line in FIRST_GROUPS.split("\n")[1:-1]]
    for first, second in combinations(groups, 2):
        assert identical_at("same_index")[min(first)].isdisjoint(second)


def test_funds_on_different_indexes_are_not_identical_however_alike_they_are():
    alike = identical_at("same_index")
    for one, other in [*SAFE_PAIRS, ("SCHB", "FSKAX"), ("ITOT", "FSKAX"), ("VTI", "FSKAX")]:
        assert other not in alike.get(one, ())


@pytest.mark.parametrize(("symbol", "substitute"), SAFE_PAIRS)
def test_the_usual_substitutes_are_offered(symbol, substitute):
    assert substitute in [one.symbol for one in PACKAGED.substitutes(symbol, "same_index")]


def test_no_fund_on_the_bloomberg_aggregate_stands_in_for_another():
    offered = {one.symbol for one in PACKAGED.substitutes("BND", "same_index")}
    assert offered.isdisjoint({"AGG", "SCHZ", "SPAB", "FXNAX", "VBTLX"})
    assert offered


def test_levels_nest_and_no_substitute_is_identical():
    before: dict[str, set[str]] = {}
    for level in get_args(IdentityLevel):
        alike = identical_at(level)
        assert all(group <= alike[symbol] for symbol, group in before.items())
        before = alike
        for symbol in PACKAGED.listings:
            for one in PACKAGED.substitutes(symbol, level):
                assert one.symbol not in alike.get(symbol, ())
                assert not one.index or one.index != PACKAGED.index_of(symbol)


def test_the_listings_agree_with_a_second_list_of_index_funds():
    if not FACTS.exists():
        pytest.skip("etf_facts.csv is not in the folder shared beside the checkout")
    with FACTS.open(encoding="utf-8", newline="") as stream:
        facts = {row["ticker"]: row for row in csv.DictReader(stream)}
    common = sorted(facts.keys() & PACKAGED.listings.keys())
    assert len(common) > 200
    for one, other in combinations(common, 2):
        listed = PACKAGED.index_of(one) != "" and PACKAGED.index_of(one) == PACKAGED.index_of(other)
        keys = ("index_id", "physically_same_as", "near_identical_group")
        same = any(facts[one][k] and facts[one][k] == facts[other][k] for k in keys)
        assert listed == same, (one, other)
        same_fund = facts[one]["portfolio_id"] == facts[other]["portfolio_id"]
        assert (PACKAGED.listings[one].fund == PACKAGED.listings[other].fund) == same_fund


# ------------------------------------------------------------------------- a table of one's own


def test_a_table_of_ones_own_reads_like_the_packaged_one(write):
    active = "PICK,Picked,picked,,us-large,etf,no,2026-11-22,active"
    doubtful = 'OLD,Old,old,old,us-large,fund,yes,2026-11-22,"from memory, to be checked"'
    found = read_identity(write(f"{HEADER}\n{ROW}\n{active}\n{doubtful}\n")).listings
    assert list(found) == ["VOO", "PICK", "OLD"]
    assert (found["VOO"].index, found["PICK"].index) == ("sp-500", "")
    assert found["OLD"].is_to_be_checked
    assert found["OLD"].is_collectible
    assert not found["VOO"].is_to_be_checked


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            ROW.replace("etf", "etc"),
            'line 2, kind: "etc" is not known: did you mean etf?',
        ),
        (
            ROW.replace(",no,", ",maybe,"),
            'line 2, is_collectible: "maybe" is not known: write one of no, yes',
        ),
        (ROW.replace("2026-11-22", ""), "line 2, checked_on: is empty: write it"),
        (
            ROW.replace("2026-11-22", "soon"),
            'line 2, checked_on: "soon" is not a date: write it as 2024-03-25',
        ),
        (ROW.replace("us-large", ""), "line 2, exposure: is empty: write it"),
        (
            ROW.replace("sp-500", "S&P 500"),
            'line 2, index: "S&P 500" is no key: write one such as sp-500',
        ),
        (
            ROW.replace("VOO", "V O", 1),
            'line 2, symbol: "V O" is no symbol: write one such as VTI',
        ),
        (f"{ROW}\n{ROW}", "VOO is listed twice: keep one line"),
        (
            f"{ROW}\n{ROW.replace('VOO', 'VFIAX', 1).replace('sp-500', 'sp-400')}",
            (
                "VOO and VFIAX are shares of one fund with two indexes or exposures: write the "
                "same for both"
            ),
        ),
        (
            f"{ROW}\nIVV,i,ishares-500,sp-500,us-mid,etf,no,2026-11-22,issuer",
            "VOO and IVV track one index with two exposures: write the same for both",
        ),
    ],
)
def test_a_table_with_a_fault_is_refused_whole(write, rows, fault):
    assert faults_of(write(f"{HEADER}\n{rows}\n"), read_identity) == (fault,)


def test_a_table_without_its_columns_says_which(write):
    assert faults_of(write("symbol,name\nVOO,Vanguard\n"), read_identity) == (
        (
            "line 1: no column says fund, index, exposure, kind, is_collectible, checked_on, "
            "source: add it"
        ),
    )


# ----------------------------------------------------------------- a household's own groups


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("VOO,IVV,SPY\nGLD,IAU\n", id="a group on each line"),
        pytest.param("VOO;IVV;SPY\nGLD\tIAU", id="other separators"),
        pytest.param("# mine\n\nVOO, IVV ,SPY,\n  # more\nGLD,IAU,,\n", id="remarks and blanks"),
        pytest.param('\ufeff"# a, b"\r\n"VOO","IVV","SPY"\r\nGLD,IAU\r\n', id="Excel on Windows"),
        pytest.param("voo,ivv,spy,voo\ngld,iau\n", id="small letters, and one twice"),
        pytest.param(
            "symbol,group\nVOO,big\nGLD,gold\nIVV,big\n# x\nSPY,BIG\nIAU,gold\n", id="two columns"
        ),
        pytest.param(
            "# x\nGroup;;Ticker\nbig;;VOO\nbig;;IVV\nbig;?;SPY\ngold;;GLD\ngold;;IAU\n",
            id="two columns, otherwise named and ordered, and one beside them",
        ),
        pytest.param(
            "SYMBOLS,Group Name\nVOO,a\nIVV,a\nSPY,a\nGLD,b\nIAU,b\n", id="two columns, in plural"
        ),
    ],
)
def test_a_list_of_groups_may_be_written_in_two_ways(write, text):
    assert read_identical(write(text)) == (("VOO", "IVV", "SPY"), ("GLD", "IAU"))


def test_symbols_are_written_as_the_household_writes_them(write):
    path = write("brk/b,brk-a\nmine,VTI\n")
    assert read_identical(path, ["BRK.B", "BRK.A", "mine"]) == (("BRK.B", "BRK.A"), ("mine", "VTI"))


def test_everything_wrong_with_a_list_is_told_at_once(write):
    path = write('VOO,IVV\nVTI\nA B,=C1\n"GLD,IAU\nSPY,SPY\n')
    assert faults_of(path) == (
        "line 4: the quotation marks do not match (unexpected end of data): close each one",
        "line 2: the group of VTI names no other symbol: write two or more, such as VOO,IVV,SPY",
        'line 3: "A B" is no symbol: write tickers with commas between',
        'line 3: "=C1" is no symbol: write tickers with commas between',
        "line 5: the group of SPY names no other symbol: write two or more, such as VOO,IVV,SPY",
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "the file names no group: write one on a line, such as VOO,IVV,SPY"),
        ("# nothing\n", "the file names no group: write one on a line, such as VOO,IVV,SPY"),
        (
            "symbol,group\n",
            "the file names no group: write one on a line, such as VOO,IVV,SPY",
        ),
        (
            "symbol,set\nVOO,a\nIVV,a\n",
            (
                "line 1: this header has no column group: name both, symbol and group, or write a "
                "group on each line, such as VOO,IVV,SPY"
            ),
        ),
        (
            "# x\nname;group\nVOO;a\nIVV;a\n",
            (
                "line 2: this header has no column symbol: name both, symbol and group, or write "
                "a group on each line, such as VOO,IVV,SPY"
            ),
        ),
        ("symbol,group\nVOO,a\nIVV,a\nSPY,\n", "line 4: write a symbol and the name of its group"),
        (
            "symbol,group\nVOO,a\nIVV,a\nSPY,b\n",
            (
                "line 4: the group of SPY names no other symbol: write two or more, such as "
                "VOO,IVV,SPY"
            ),
        ),
        ("VOO,IVV\n".encode("utf-16"), "the file is not UTF-8: save it as CSV UTF-8"),
    ],
)
def test_a_list_that_cannot_be_used_says_what_to_write(write, text, fault):
    assert faults_of(write(text)) == (fault,)


def test_a_file_that_is_far_too_large_is_not_read(write):
    assert faults_of(write("VOO,IVV\n" * 140_000)) == (
        "the file is larger than 1 MB: list only what you hold",
    )


def test_a_list_that_is_not_there_is_asked_for(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*mine\.csv: write one"):
        read_identical(tmp_path / "mine.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_identical(tmp_path)


@given(st.text(max_size=200))
def test_whatever_a_list_holds_it_is_read_or_refused_with_a_sentence(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(InputError):
        assert all(len(group) > 1 for group in read_identical(path))
