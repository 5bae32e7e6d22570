"""A tax history out of several files: each thing once, in an order that is nobody's accident."""

import datetime as dt
import itertools
from pathlib import Path

import pytest

from trimtab.apps.clock import ManualClock
from trimtab.apps.tax_source import TaxSource, Told, from_transactions
from trimtab.apps.tax_year import Given, years
from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.values import AccountKind, OwnerRole

HEADER = "date,account,action,symbol,quantity,price,fee,lots"
CLOCK = ManualClock(dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC))
FLEX = """\
<FlexQueryResponse queryName="t" type="AF"><FlexStatements count="1">
<FlexStatement accountId="U1" fromDate="20260101" toDate="20261231" period="x"
 whenGenerated="20261231;120000"><Trades>{}</Trades></FlexStatement>
</FlexStatements></FlexQueryResponse>
"""
TRADE = (
    '<Trade accountId="U1" currency="USD" assetCategory="STK" symbol="VTI" transactionID="{0}"'
    ' tradeDate="{1}" dateTime="{1};100000" quantity="{2}" tradePrice="300" proceeds="{3}"'
    ' ibCommission="0" ibCommissionCurrency="USD" buySell="BUY" openCloseIndicator="O"'
    ' levelOfDetail="EXECUTION" fxRateToBase="1" netCash="{3}" ibOrderID="{0}"/>'
)


class Folder:
    """Files of one test."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def csv(self, name: str, *rows: str, header: str = HEADER) -> Path:
        path = self.path / name
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    def flex(self, name: str, *trades: tuple[str, str, str, str]) -> Path:
        path = self.path / name
        path.write_text(FLEX.format("".join(TRADE.format(*trade) for trade in trades)))
        return path

    def text(self, name: str, text: str) -> Path:
        path = self.path / name
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def read(*files: Path, **told) -> TaxSource:
    identical, mapping = told.pop("identical", None), told.pop("mapping", None)
    return from_transactions(files, CLOCK, identical=identical, mapping=mapping, told=Told(**told))


def held(source: TaxSource) -> dict[tuple[str, str], int]:
    units: dict[tuple[str, str], int] = {}
    for lot in source.ledger.lots():
        key = (lot.account, lot.symbol)
        units[key] = units.get(key, 0) + int(lot.quantity)
    return units


def figures(source: TaxSource) -> list[tuple[object, ...]]:
    """What the return is made of, and what is still held."""
    sold = [
        (sale.account, sale.symbol, sale.sold, sale.quantity, sale.gain, sale.disallowed)
        for sale in source.ledger.sales()
    ]
    left = [
        (lot.account, lot.symbol, lot.quantity, lot.basis, lot.holding_since)
        for lot in source.ledger.lots()
    ]
    return [*sorted(sold), *left]


def faults_of(*files: Path, **told) -> str:
    with pytest.raises(InputError) as refused:
        read(*files, **told)
    return str(refused.value)


# ------------------------------------------------------------------- once, and not twice


@pytest.mark.parametrize("way", ["name", "link", "copy", "dots"])
def test_the_same_file_is_not_read_twice(folder, way):
    first = folder.csv("h.csv", "2026-01-05,joint,buy,VTI,10,300,,")
    again = folder.path / "again.csv"
    if way == "name":
        again = first
    elif way == "link":
        again.symlink_to(first)
    elif way == "copy":
        again.write_bytes(first.read_bytes())
    else:
        again = folder.path / ".." / folder.path.name / "h.csv"
    sentence = faults_of(first, again)
    assert ("is given twice" if way == "name" else "are one and the same file") in sentence
    assert "give it once with --transactions" in sentence


def test_a_transaction_that_two_exports_of_a_broker_name_alike_counts_once(folder):
    march, april = ("11", "20260302", "10", "-3000"), ("12", "20260402", "5", "-1500")
    first = folder.flex("winter.xml", march, april)
    second = folder.flex("spring.xml", april, ("13", "20260502", "1", "-300"))
    source = read(first, second)
    assert held(source) == {("U1", "VTI"): 16}
    assert [note for note in source.notes if "both tell of one transaction" in note] == [
        "spring.xml and winter.xml both tell of one transaction, which was counted once."
    ]


def test_equal_trades_with_two_ids_of_the_broker_are_two_trades(folder):
    first = folder.flex("a.xml", ("11", "20260302", "10", "-3000"))
    second = folder.flex("b.xml", ("12", "20260302", "10", "-3000"))
    assert held(read(first, second)) == {("U1", "VTI"): 20}


def test_two_different_things_under_one_id_of_the_broker_are_for_a_person(folder):
    first = folder.flex("a.xml", ("11", "20260302", "10", "-3000"))
    second = folder.flex("b.xml", ("11", "20260302", "12", "-3600"))
    sentence = faults_of(first, second)
    assert "two different things of U1/11" in sentence
    assert "a.xml" in sentence
    assert "b.xml" in sentence


def test_overlapping_exports_without_ids_count_what_both_tell_once(folder):
    both = "2026-02-02,joint,buy,VTI,5,290,,"
    first = folder.csv("a.csv", "2026-01-05,joint,buy,VTI,10,300,,", both)
    second = folder.csv("b.csv", both, "2026-03-03,joint,sell,VTI,15,280,,")
    source = read(first, second)
    assert held(source) == {}
    assert any("a.csv and b.csv both tell of one transaction" in note for note in source.notes)


def test_of_equal_rows_as_many_count_as_in_the_file_with_most(folder):
    row = "2026-02-02,joint,buy,VTI,5,290,,"
    once, twice = folder.csv("a.csv", row), folder.csv("b.csv", row, row)
    other = folder.csv("c.csv", row, row, "2026-02-02,joint,buy,VTI,1,290,,")
    assert held(read(once, twice)) == {("joint", "VTI"): 10}
    assert held(read(other, once, twice)) == {("joint", "VTI"): 11}
    (note,) = [note for note in read(once, twice).notes if "both tell" in note]
    assert "as many count as in the file with most" in note


def test_a_row_of_another_account_or_fee_is_another_row(folder):
    first = folder.csv("a.csv", "2026-02-02,joint,buy,VTI,5,290,,")
    second = folder.csv(
        "b.csv", "2026-02-02,roth,buy,VTI,5,290,,", "2026-02-02,joint,buy,VTI,5,290,1,"
    )
    assert held(read(first, second)) == {("joint", "VTI"): 10, ("roth", "VTI"): 5}


def test_ids_stay_apart_where_two_files_give_one_to_different_rows(folder):
    first = folder.csv("a.csv", "2026-01-05,joint,buy,VTI,10,300,,t1")
    second = folder.csv("b.csv", "2026-01-06,joint,buy,VTI,4,310,,t1")
    lots = read(first, second).ledger.lots()
    assert [(lot.lot_id, int(lot.quantity)) for lot in lots] == [("1:t1", 10), ("2:t1", 4)]
    other = folder.csv("c.csv", "2026-01-07,joint,buy,VXUS,4,70,,x")
    assert [lot.lot_id for lot in read(first, other).ledger.lots()] == ["t1", "x"]


def test_a_sale_takes_the_lot_that_its_own_file_calls_so(folder):
    first = folder.csv(
        "a.csv", "2026-01-05,joint,buy,VTI,10,300,,t1", "2026-03-05,joint,sell,VTI,10,310,,t1:10"
    )
    second = folder.csv(
        "b.csv", "2026-01-06,joint,buy,VTI,10,200,,t1", "2026-03-06,joint,sell,VTI,4,310,,t1:4"
    )
    sales = read(first, second).ledger.sales()
    assert [(sale.lot_id, int(sale.gain)) for sale in sales] == [("1:t1", 100), ("2:t1", 440)]


def test_a_sale_finds_the_lot_in_the_only_other_file_that_has_it(folder):
    buys = folder.csv(
        "z.csv", "2026-01-05,joint,buy,VTI,5,300,,t1", "2026-01-05,joint,buy,VTI,5,200,,t2"
    )
    sells = folder.csv("a.csv", "2026-03-05,joint,sell,VTI,5,310,,t2:5")
    for files in itertools.permutations((buys, sells)):
        assert [sale.gain for sale in read(*files).ledger.sales()] == [550]


def test_lots_keep_the_names_that_somebody_gave_them(folder):
    plain = folder.csv(
        "a.csv", "2026-01-05,joint,buy,VTI,5,300,,", "2026-01-05,joint,buy,VTI,5,200,,"
    )
    named = folder.csv(
        "b.csv", "2026-01-05,joint,buy,VTI,5,200,,cheap", "2026-03-05,joint,sell,VTI,5,310,,cheap:5"
    )
    for files in itertools.permutations((plain, named)):
        (sale,) = read(*files).ledger.sales()
        assert (sale.lot_id, int(sale.gain)) == ("cheap", 550)


def test_files_that_name_no_account_and_tell_the_same_are_said(folder):
    header = "date,action,symbol,quantity,price"
    rows = ("2026-01-05,buy,VTI,5,300", "2026-02-05,buy,VTI,5,300")
    first = folder.csv("a.csv", *rows, header=header)
    second = folder.csv("b.csv", rows[1], "2026-03-05,buy,VTI,5,300", header=header)
    (note,) = [note for note in read(first, second).notes if "name no account" in note]
    assert "equal transactions in both: 1" in note


# ------------------------------------------------------------------------------ order


def test_a_sale_finds_what_another_file_bought_on_its_day(folder):
    sells = folder.csv("a-sells.csv", "2026-03-05,joint,sell,VTI,5,310,,")
    buys = folder.csv("b-buys.csv", "2026-03-05,joint,buy,VTI,5,300,,")
    for files in itertools.permutations((sells, buys)):
        assert [sale.gain for sale in read(*files).ledger.sales()] == [50]


def test_one_file_keeps_its_order_and_waits_for_nobody(folder):
    first = folder.csv(
        "a.csv",
        "2026-01-05,joint,buy,VTI,5,300,,",
        "2026-03-05,joint,sell,VTI,5,310,,",
        "2026-03-05,joint,buy,VTI,5,305,,",
    )
    second = folder.csv(
        "b.csv", "2026-03-05,roth,buy,VTI,1,305,,", "2026-03-05,roth,sell,VTI,1,305,,"
    )
    for files in itertools.permutations((first, second)):
        (lot,) = read(*files).ledger.lots()
        assert lot.acquired == dt.date(2026, 3, 5)


def test_losses_of_one_day_come_in_the_order_in_which_the_units_were_bought(folder):
    older = folder.csv(
        "z.csv", "2025-01-06,zoe,buy,VTI,10,300,,", "2026-03-05,zoe,sell,VTI,10,250,,"
    )
    newer = folder.csv(
        "a.csv", "2025-02-06,ann,buy,VTI,10,300,,", "2026-03-05,ann,sell,VTI,10,200,,"
    )
    later = folder.csv("n.csv", "2026-03-20,joint,buy,VTI,10,210,,")
    for files in itertools.permutations((older, newer, later)):
        found = {sale.account: sale.disallowed for sale in read(*files).ledger.sales()}
        assert found == {"zoe": 500, "ann": 0}


def test_no_figure_depends_on_the_order_of_the_files(folder):
    files = [
        folder.csv(
            "a.csv",
            "2025-11-03,joint,buy,VTI,10,300,,t1",
            "2026-01-06,joint,sell,VTI,4,250,,t1:4",
            "2026-01-06,joint,buy,VTI,3,251,,t2",
        ),
        folder.csv(
            "b.csv",
            "2026-01-06,roth,buy,VTI,2,252,,t1",
            "2026-01-06,other,buy,VTI,2,253,,t2",
            "2026-01-06,other,sell,VTI,1,240,,",
        ),
        folder.csv(
            "c.csv", "2026-01-06,joint,sell,VTI,2,249,,", "2026-01-09,spare,buy,VTI,9,240,,"
        ),
    ]
    found = [figures(read(*order)) for order in itertools.permutations(files)]
    assert all(one == found[0] for one in found)
    assert any(row[-1] for row in found[0])


# --------------------------------------------------------------------------- accounts


def test_what_a_crypto_account_trades_is_a_coin(folder):
    history = folder.csv(
        "h.csv",
        "2026-01-05,wallet,buy,SOL,10,100,,",
        "2026-02-05,wallet,sell,SOL,10,80,,",
        "2026-02-06,wallet,buy,SOL,10,80,,",
    )
    accounts = folder.text("accounts.csv", "account,owner,kind\nwallet,ann,crypto\n")
    assert sum(sale.disallowed for sale in read(history).ledger.sales()) == 200
    source = read(history, accounts=accounts)
    assert sum(sale.disallowed for sale in source.ledger.sales()) == 0
    assert source.ledger.rule.exempt == {"SOL"}


def test_a_wallet_that_one_file_describes_holds_coins_in_the_other(folder):
    described = folder.csv(
        "a.csv",
        "2026-01-05,wallet,buy,SOL,10,100,crypto",
        header="date,account,action,symbol,quantity,price,account_kind",
    )
    other = folder.csv("b.csv", "2026-01-06,wallet,buy,ADA,10,1,,")
    assert read(described, other).ledger.rule.exempt == {"SOL", "ADA"}


def test_a_listed_security_that_other_accounts_trade_is_no_coin(folder):
    history = folder.csv(
        "h.csv",
        "2026-01-05,wallet,buy,BTC,1,100,,",
        "2026-01-05,wallet,buy,SOL,1,100,,",
        "2026-02-05,joint,buy,BTC,10,80,,",
        "2026-02-06,joint,buy,SOL,10,80,,",
    )
    accounts = folder.text("accounts.csv", "account,owner,kind\nwallet,ann,crypto\n")
    source = read(history, accounts=accounts)
    assert source.ledger.rule.exempt == {"SOL"}
    assert any(note.startswith("BTC is traded in a crypto account") for note in source.notes)


def test_an_account_that_the_files_do_not_name_is_a_fault(folder):
    history = folder.csv("h.csv", "2026-01-05,joint,buy,VTI,10,300,,")
    accounts = folder.text("accounts.csv", "account,owner\njoint,ann\njiont,ann\nzzz,ann\n")
    sentence = faults_of(history, accounts=accounts)
    assert f'{accounts} line 3: the transactions name no account "jiont": did you mean joint?' in (
        sentence
    )
    assert 'line 4: the transactions name no account "zzz": write one of joint' in sentence


OWNED = "date,account,action,symbol,quantity,price,owner,role,account_kind"


@pytest.mark.parametrize(
    ("cells", "line", "words"),
    [
        (("ann", "", ""), "X,bob,,", "owner: is ann in h.csv and bob in"),
        (("ann", "spouse", ""), "X,ann,other,", "role: is spouse in h.csv and other in"),
        (("ann", "", "roth_ira"), "X,ann,,hsa", "kind: is roth_ira in h.csv and hsa in"),
        (("", "", "taxable"), "X,ann,,ira", "kind: is taxable in h.csv and traditional_ira in"),
        (("ann", "", ""), "X,ann,,ira", "kind: is taxable in h.csv (or not said there) and"),
    ],
)
def test_a_list_of_accounts_may_not_contradict_the_files(folder, cells, line, words):
    history = folder.csv("h.csv", f"2026-01-05,X,buy,VTI,10,300,{','.join(cells)}", header=OWNED)
    accounts = folder.text("accounts.csv", f"account,owner,role,kind\n{line}\n")
    sentence = faults_of(history, accounts=accounts)
    assert words in sentence
    assert "accounts.csv line 2: write the same in each" in sentence


def test_a_list_of_accounts_fills_in_what_the_files_leave_out(folder):
    history = folder.csv("h.csv", "2026-01-05,X,buy,VTI,10,300,,,roth_ira", header=OWNED)
    accounts = folder.text("accounts.csv", "account,owner,role\nX,bob,spouse\n")
    (account,) = read(history, accounts=accounts).accounts.values()
    assert (account.owner, account.role, account.kind) == (
        "bob",
        OwnerRole.SPOUSE,
        AccountKind.ROTH_IRA,
    )


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("ann,,taxable", "bob,,taxable", '"X", owner: is ann in a.csv and bob in b.csv'),
        (",,hsa", ",,roth", '"X", kind: is hsa in a.csv and roth_ira in b.csv'),
    ],
)
def test_two_files_may_not_describe_one_account_in_two_ways(folder, first, second, words):
    one = folder.csv("a.csv", f"2026-01-05,X,buy,VTI,10,300,{first}", header=OWNED)
    two = folder.csv("b.csv", f"2026-01-06,X,buy,VTI,10,300,{second}", header=OWNED)
    assert words in faults_of(one, two)


def test_one_owner_has_one_role(folder):
    history = folder.csv(
        "h.csv",
        "2026-01-05,X,buy,VTI,10,300,kim,spouse,",
        "2026-01-05,Y,buy,VTI,10,300,kim,,",
        header=OWNED,
    )
    assert {one.role for one in read(history).accounts.values()} == {OwnerRole.SPOUSE}
    other = folder.csv(
        "o.csv",
        "2026-01-05,X,buy,VTI,10,300,kim,other,",
        "2026-01-05,Y,buy,VTI,10,300,kim,,",
        header=OWNED,
    )
    assert 'the role of kim is other in "X" and self in "Y"' in faults_of(other)


# ---------------------------------------------------------------------- mapping, and when

FOREIGN = "Trade Day;Instrument;Deed;Pieces;Each\n2026-01-05;VTI;Kauf;10;300\n"
MAPPING = """\
account = "depot"
[columns]
date = "Trade Day"
symbol = "Instrument"
action = "Deed"
quantity = "Pieces"
price = "Each"
[actions]
buy = ["Kauf"]
"""


def test_a_mapping_serves_only_the_file_that_nobody_recognizes(folder):
    foreign = folder.text("depot.csv", FOREIGN)
    own = folder.csv("own.csv", "2026-02-05,joint,buy,VTI,5,300,,")
    mapping = folder.text("m.toml", MAPPING)
    source = read(foreign, own, mapping=mapping)
    assert held(source) == {("depot", "VTI"): 10, ("joint", "VTI"): 5}
    assert source.mapping == mapping


def test_a_mapping_that_no_file_needs_is_said_to_be_unused(folder):
    flex = folder.flex("a.xml", ("11", "20260302", "10", "-3000"))
    source = read(flex, mapping=folder.text("m.toml", MAPPING))
    assert any("was not used for a.xml" in note for note in source.notes)


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_empty_mapping_is_said_to_be_empty(folder, text):
    foreign = folder.text("depot.csv", FOREIGN)
    mapping = folder.text("m.toml", text)
    sentence = faults_of(foreign, mapping=mapping)
    assert sentence.startswith(f"{mapping} is empty: say in it which column is what")


def test_a_day_before_all_records_is_told_when_they_begin(folder):
    history = folder.csv(
        "h.csv", "2026-01-05,joint,buy,VTI,10,300,,", "2026-02-05,joint,buy,VTI,10,300,,"
    )
    assert faults_of(history, on=dt.date(2025, 1, 1)) == (
        "h.csv: all 2 transactions are after 2025-01-01, the first on 2026-01-05: name that day or "
        "a later one with --on."
    )
    assert held(read(history, on=dt.date(2026, 1, 5))) == {("joint", "VTI"): 10}


def test_symbols_of_a_group_are_written_as_the_records_write_them(folder):
    history = folder.csv("h.csv", "2026-01-05,joint,buy,BRK.B,10,300,,")
    groups = folder.text("g.csv", "symbols,group\nbrk/b,a\nMINE,a\n")
    assert ("BRK.B", "MINE") in read(history, identical=groups).groups


def test_all_refusals_of_the_ledger_are_told(folder):
    history = folder.csv("h.csv", *["2026-01-05,joint,sell,VTI,10,300,,"] * 60)
    with pytest.raises(FileFaults) as refused:
        read(history)
    assert refused.value.faults[-1] == "and 10 more: mend these first"


def test_a_loss_on_a_fund_that_distributed_a_gain_within_six_months_is_warned_of(tmp_path):
    path = tmp_path / "schwab.csv"
    path.write_text(
        '"Date","Action","Symbol","Description","Quantity","Price","Fees & Comm","Amount"\n'
        '"03/28/2025","Sell","DGLRX","FUND","10","$90","","$900"\n'
        '"03/10/2025","Long Term Cap Gain","DGLRX","FUND","","","","$50"\n'
        '"02/03/2025","Buy","DGLRX","FUND","10","$100","","-$1000"\n',
        encoding="utf-8",
    )
    source = from_transactions([path], CLOCK)
    (one,) = source.distributions
    assert (one.symbol, one.date.isoformat()) == ("DGLRX", "2025-03-10")
    (found,) = years(source, 2025, Given())
    assert any("852(b)(4)" in remark for remark in found.remarks)


def test_a_replacement_told_as_a_closed_sale_takes_up_an_earlier_loss(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "date,account,action,symbol,quantity,amount,basis,acquired\n"
        "2026-03-02,a,closed,VTI,10,2400,3000,2025-06-02\n"
        "2026-03-16,a,closed,VTI,10,2500,2500,2026-03-05\n",
        encoding="utf-8",
    )
    source = from_transactions([path], CLOCK)
    assert [sale.gain for sale in source.ledger.sales()] == [0, -600]
