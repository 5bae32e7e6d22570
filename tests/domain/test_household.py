"""What `household.toml` may say, and the sentence that answers everything it may not."""

import csv
import datetime as dt
import re
import tomllib
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from trimtab.domain.errors import FileFaults
from trimtab.domain.household import (
    accounts_of,
    apply_policy,
    decode_household,
    instruments_of,
)
from trimtab.domain.incoming import AveragingRule
from trimtab.domain.policy import (
    PRESETS,
    BandRule,
    ClassRule,
    FlowRule,
    HouseholdFile,
    band_policy,
)
from trimtab.domain.values import AccountKind, Instrument, InstrumentKind, OwnerRole, Relief

LISTS = ("purchases", "contributions", "withdrawals", "averaging")
"""The tables that a file may have several of, written in double brackets."""
FACTS = {"household", "owners", "accounts", "instruments", "classes", "groups", *LISTS}
OPTION_TABLES = [field.name for field in fields(HouseholdFile) if field.name not in FACTS]
TEMPLATES = Path(__file__).resolve().parents[2] / "src/trimtab/apps/templates"

GOOD = """
[household]
name = "Our savings"

[owners.anna]
role = "self"
[owners.ben]
role = "spouse"

[accounts.joint]
owner = "anna"
kind = "taxable"
broker = "paper"
cash_reserve = 5000
[accounts.wallet]
owner = "ben"
kind = "crypto"
broker = "file"

[instruments.VTI]
kind = "etf"
[instruments.BND]
kind = "etf"
[instruments.BTC]
kind = "crypto"
[instruments.EURUSD]
kind = "forex"
[instruments.EXS1]
kind = "etf"
currency = "EUR"
calendar = "XETR"

[classes.stocks]
target = 0.60
members = ["VTI", "EXS1"]
[classes.bonds]
target = 0.30
members = ["BND"]
risk = "safe"
[classes.cash]
target = 0.1
members = ["USD"]

[bands]
preset = "swedroe-5-25"

[orders]
minimum = 50

[gates]
spread_max_bps = 40

[defensive]
posture = "targets"
targets = { stocks = 0, bonds = 0.5, cash = 0.5 }

[reserve]
monthly_costs = 4000
account = "joint"

[tax]
filing_status = "married_filing_jointly"
short_term_rate = 0.29
long_term_rate = 0.20
identical = [["VOO", "IVV"]]

[data]
lots = "lots.csv"
"""


def tables_of(text: str) -> dict[str, dict[str, str]]:
    """The tables of a file with their keys, everything as written."""
    tables: dict[str, dict[str, str]] = {}
    for line in text.split("\n"):
        if line.startswith("["):
            table = tables.setdefault(line.strip("[]"), {})
        elif line:
            key, _, value = line.partition(" = ")
            table[key] = value
    return tables


def edited(*edits: str) -> str:
    """The good file after edits such as `[gates] orders_max = 3`.

    `[gates] orders_max` takes the key away, `[gates]` the table; `[]` is the top of the file.
    """
    tables = {"": dict[str, str]()} | tables_of(GOOD)
    for edit in edits:
        name, _, line = edit.removeprefix("[").partition("]")
        key, _, value = line.strip().partition(" = ")
        if not key:
            del tables[name]
        elif not value:
            del tables[name][key]
        else:
            tables.setdefault(name, {})[key] = value
    return "".join(
        (f"[{name}]\n" if name else "") + "".join(f"{k} = {v}\n" for k, v in table.items())
        for name, table in tables.items()
    )


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(FileFaults) as caught:
        decode_household(text, knows_calendar={"XNYS", "XETR", "24/7", "forex"}.__contains__)
    return caught.value.faults


def test_a_good_file_becomes_values_with_exact_numbers():
    file = decode_household(GOOD)
    assert file.owners["ben"].role is OwnerRole.SPOUSE
    assert file.accounts["joint"].cash_reserve == Decimal(5000)
    assert file.classes["cash"].target.as_tuple() == Decimal("0.1").as_tuple()
    assert file.gates.spread_max_bps == Decimal(40)
    assert file.reserve is not None
    assert file.reserve.months == 6
    assert file.tax.identical == (("VOO", "IVV"),)


def test_every_number_of_the_file_is_a_decimal_even_when_written_without_a_point():
    file = decode_household(GOOD)
    assert isinstance(file.defensive.targets["stocks"], Decimal)
    assert isinstance(file.orders.minimum, Decimal)


def test_a_file_saved_by_notepad_with_a_byte_order_mark_is_read():
    assert decode_household("\ufeff" + GOOD) == decode_household(GOOD)


CASES = """
[accounts.joint] releif = "fifo"
    accounts.joint.releif: unknown key; did you mean "relief"?
[gate] spread_max_bps = 3
    gate: unknown key; did you mean "gates"?
[gates] invest_cash_from = 900
    gates.invest_cash_from: unknown key here; move it below [orders]
[owners.anna] xyz = 1
    owners.anna.xyz: unknown key; remove it, or write one of role
[accounts.joint] owner
    accounts.joint.owner: missing; write for example owner = "NAME"
[household]
    household: missing; write [household] with name = "Our savings"
[owners.anna]
[owners.ben]
    owners: missing; write at least [owners.NAME] with role = "self"
[classes.stocks] target = "60 %"
    classes.stocks.target: expected a number, found "60 %"; write for example 0.60
[classes.stocks] target = true
    classes.stocks.target: expected a number, found true; write for example 0.60
[classes.bonds] members = "BND"
    classes.bonds.members: expected a list, found "BND"; write for example ["VTI"]
[classes.bonds] members = [7]
    classes.bonds.members: expected text, found 7; write for example "VTI"
[bands] cooldown_days = 2.5
    bands.cooldown_days: expected a whole number, found 2.5; write for example 30
[data] start = 2024-01-02T10:00:00
    data.start: expected a date, found 2024-01-02 10:00:00; write for example 2024-01-02
[household]
[] household = "Our savings"
    household: expected a table, found "Our savings"; write [household], its keys below
[accounts.joint] kind = "roth"
    accounts.joint.kind: "roth" is unknown; write one of "roth_ira", "crypto", "hsa",
    "traditional_ira", "taxable", "401k"
[accounts.joint] cash_reserve = -5
    accounts.joint.cash_reserve: -5 is out of range; write a number that is at least 0
[tax] long_term_rate = 20
    tax.long_term_rate: 20 is out of range; write a number that is at least 0 and at most 1
    (20 % is 0.2)
[gates] spread_max_bps = 0
    gates.spread_max_bps: 0 is out of range; write a number that is more than 0
[gates] turnover_max = -0.5
    gates.turnover_max: -0.5 is out of range; write a number that is more than 0 and at most 1
[gates] orders_max = 0
    gates.orders_max: 0 is out of range; write a number that is at least 1 and at most 100000
[instruments.BTC] step = 0
    instruments.BTC.step: 0 is out of range; write a number that is more than 0
[bands] look_every_days = 0
    bands.look_every_days: 0 is out of range; write a number that is at least 1 and at most 100000
[bands] cooldown_days = -1
    bands.cooldown_days: -1 is out of range; write a number that is at least 0 and at most 3650
[classes.bonds] trigger_abs = 5
    classes.bonds.trigger_abs: 5 is out of range; write a number that is at least 0 and at most 1
    (5 % is 0.05)
[reserve] months = 0
    reserve.months: 0 is out of range; write a number that is at least 1 and at most 1200
[paper] fee_per_order = -1
    paper.fee_per_order: -1 is out of range; write a number that is at least 0
[orders] minimum = nan
    orders.minimum: NaN cannot be used; write a number of at most 15 digits before the point and 18
    after it
[orders] minimum = 1e99
    orders.minimum: 1E+99 cannot be used; write a number of at most 15 digits before the point and
    18 after it
[household] name = " "
    household.name: " " cannot be used; write at least one word
[household] base_currency = "dollar"
    household.base_currency: "dollar" cannot be used; write the three capital letters of a currency
    code
[owners."ben b."] role = "other"
    owners."ben b.": the name "ben b." cannot be used; write letters, digits, - _ . and no spaces
[accounts.joint] api_key = "hunter2"
    no secrets in this file: accounts.joint.api_key looks like one; remove the line, and keep the
    secret in the environment or in the system's keyring
[broker.alpaca] secret = "hunter2"
    no secrets in this file: broker.alpaca.secret looks like one; remove the line, and keep the
    secret in the environment or in the system's keyring
[accounts] password = "hunter2"
    no secrets in this file: accounts.password looks like one; remove the line, and keep the secret
    in the environment or in the system's keyring
[accounts.joint] owner = "ana"
    accounts.joint.owner: nobody is called "ana"; write one of "anna", "ben"
[owners.anna] role = "other"
    owners: nobody has role = "self"; write it for the person who runs trimtab
[owners.ben] role = "self"
    owners: anna and ben all have role = "self"; write it for one
[owners.cy] role = "spouse"
    owners: ben and cy all have role = "spouse"; write it for one
[classes.stocks] target = 0.55
    classes: the targets add up to 0.95, 0.05 short of 1; raise one or more of them by 0.05 in all
[classes.stocks] target = 0.6000000000000001
    classes: the targets add up to 1.0000000000000001, 0.0000000000000001 over 1; lower one or more
    of them by 0.0000000000000001 in all
[classes.bonds] members = ["BNDX"]
    classes.bonds.members: BNDX is not described; write [instruments.BNDX], or one of
    "BND", "BTC", "USD", "EXS1", "EURUSD", "VTI"
[classes.bonds] members = ["BND", "VTI"]
    classes.bonds.members: VTI is already in class stocks; keep it in one place
[classes.bonds] members = ["BND", "EURUSD"]
    classes.bonds.members: EURUSD is a forex pair, which only converts prices; hold a fund or cash
    instead
[classes.cash] members = ["USD", "BTC"]
    classes.cash.members: USD is cash; give it a class in which it stands alone
[classes.bonds] members = []
    classes.bonds.members: empty; write at least one symbol, such as members = ["VTI"]
[instruments.USD] kind = "etf"
    instruments.USD: USD is the base currency, which is cash; remove this table
[instruments.EURUSD]
    instruments.EXS1.currency: nothing says what one EUR is in USD; write [instruments.EURUSD] with
    kind = "forex"
[instruments.EUR] kind = "forex"
    instruments.EUR: a forex pair is two currency codes; write it like EURUSD
[instruments.EURUSD] currency = "EUR"
    instruments.EURUSD.currency: EURUSD is quoted in USD; write "USD"
[instruments.EXS1] calendar = "FRANKFURT"
    instruments.EXS1.calendar: "FRANKFURT" is unknown; write an exchange such as "XNYS", or "24/7"
[schedule] calendar = "NYSE"
    schedule.calendar: "NYSE" is unknown; write an exchange such as "XNYS", or "24/7"
[bands] preset = "swedroe"
    bands.preset: "swedroe" is unknown; write one of "swedroe-5-25", "calendar", "betterment-like",
    "daryanani", "vanguard-200-175"
[bands] destination = 0.9
    bands.destination: 0.9 lies outside re_arm = 0.5, so a correction that stops there would never
    end its episode; write at most 0.5, or re_arm = 0.9 or more
[orders] no_buy = ["VIT"]
    orders.no_buy: VIT is not described; write [instruments.VIT], or one of "VTI", "BTC", "BND",
    "EURUSD", "EXS1"
[orders] lot_method = "specified"
    orders.specified: empty; lot_method = "specified" needs lots, such as ["lot-7"]
[defensive] posture
    defensive.targets: used only with posture = "targets"; write that or remove them
[defensive] targets
    defensive.targets: missing; posture = "targets" needs a weight for every class
[defensive] targets = { bonds = 0.5, cash = 0.5 }
    defensive.targets.stocks: missing; write its weight, or stocks = 0
[defensive] targets = { stocks = 0, bonds = 0.5, cash = 0.3, gold = 0.2 }
    defensive.targets.gold: no class is called so; write one of "bonds", "stocks", "cash"
[defensive] targets = { stocks = 0, bonds = 0.5, cash = 0.2 }
    defensive.targets: the weights add up to 0.7, 0.3 short of 1; raise one or more of them by 0.3
    in all
[reserve] account = "join"
    reserve.account: no account is called "join"; write one of "joint", "wallet"
[reserve] account = "wallet"
    reserve.account: wallet is a crypto wallet; name an account that holds cash
[tax] identical = [["VOO", "VOO"]]
    tax.identical: the group ["VOO", "VOO"] names fewer than two symbols; write groups such as
    ["VOO", "IVV"]
[paper] fee_per_order = 1
    orders.fee_buffer_bps: 5 keeps back too little for the fee of 1 on an order of the minimum, 50;
    write a larger fee_buffer_bps or a larger minimum
[data] lots = "../lots.csv"
    data.lots: "../lots.csv" leaves the household's folder; write the name of a file inside it, such
    as "lots.csv"
[data] prices = []
    data.prices: empty; write at least one file, such as prices = ["prices.csv"]
[data] market = "invented"
[data] seed = 7
    data.start: missing; with market = "invented" write start = 2024-01-02
[data] market = "invented"
[data] start = 2024-01-02
    data.seed: missing; with market = "invented" write seed = 1
[gates] market_index = "SPY"
    gates.market_index: SPY is not described; write [instruments.SPY], or one of "EXS1",
    "EURUSD", "VTI", "BND", "BTC"
[classes.bonds] ordinary_yield = 4
    classes.bonds.ordinary_yield: 4 is out of range; write a number that is at least 0 and at most 1
    (4 % is 0.04)
[classes.cash] ordinary_yield = 0.04
    classes.cash.ordinary_yield: USD is cash, which stays in its account; remove this line
[classes.cash] qualified_yield = 0.01
    classes.cash.qualified_yield: USD is cash, which stays in its account; remove this line
[orders] sell_least = 20
    orders.sell_least: unknown key here; move it below [plan]
[plan] drift_prize = 0.1
    plan.drift_prize: unknown key; did you mean "drift_price"?
[plan] drift_price = 20
    plan.drift_price: 20 is out of range; write a number that is at least 0 and at most 1
    (20 % is 0.2)
[plan] location_years = 61
    plan.location_years: 61 is out of range; write a number that is at least 0 and at most 60
[plan] harvests = "often"
    plan.harvests: "often" is unknown; write one of "with_trades", "never", "always"
[plan] holdings_max = { VTI = 0 }
    plan.holdings_max.VTI: 0 is out of range; write a number that is more than 0 and at most 1
[plan] holdings_max = { VIT = 0.1 }
    plan.holdings_max.VIT: VIT is not described; write [instruments.VIT], or one of "VTI", "BTC",
    "BND", "EURUSD", "EXS1"
[plan] holdings_max = { BTC = 0.1 }
    plan.holdings_max.BTC: BTC is in no class, so it is never bought; remove this limit, or add the
    symbol to the members of a class
[plan] holdings_max = { USD = 0.1 }
    plan.holdings_max.USD: USD is cash, which is what is left over; remove this limit
"""


def cases() -> list[tuple[tuple[str, ...], str]]:
    """Edits of the good file, and the sentence that each answer must contain."""
    found = re.findall(r"((?:^\[.*\n)+)((?:^    .*\n)+)", CASES, re.MULTILINE)
    return [(tuple(edits.splitlines()), " ".join(answer.split())) for edits, answer in found]


@pytest.mark.parametrize(
    ("edits", "sentence"), cases(), ids=[" ".join(each) for each, _ in cases()]
)
def test_a_fault_is_answered_with_its_place_and_what_to_write(edits, sentence):
    assert sentence in faults_of(edited(*edits))


def keys_of_the_file() -> list[tuple[str, str]]:
    """Every table of a good file with every key that it may have."""
    file = decode_household(GOOD)
    tables: dict[str, msgspec.Struct] = {name: getattr(file, name) for name in OPTION_TABLES}
    named: dict[str, msgspec.Struct] = {
        "household": file.household,
        "owners.anna": file.owners["anna"],
        "accounts.joint": file.accounts["joint"],
        "instruments.VTI": file.instruments["VTI"],
        "classes.bonds": file.classes["bonds"],
    }
    return [(name, field.name) for name, rule in (named | tables).items() for field in fields(rule)]


@pytest.mark.parametrize(("table", "key"), keys_of_the_file())
def test_a_value_of_the_wrong_type_is_answered_with_one_that_is_right(table, key):
    (fault,) = [f for f in faults_of(edited(f"[{table}] {key} = 07:30:00")) if "expected" in f]
    assert fault.startswith(f"{table}.{key}: expected ")
    advice = fault.partition("; write ")[2]
    right = advice.removeprefix("for example ")
    text = edited(f"[{table}] {key} = {right}") if advice != right else GOOD
    with suppress(FileFaults):
        decode_household(text)
        return
    assert not any(f.startswith(f"{table}.{key}: expected") for f in faults_of(text))


@pytest.mark.parametrize("table", [field.name for field in fields(HouseholdFile)])
def test_a_table_that_is_none_hides_no_other_fault(table):
    there = [name for name in tables_of(GOOD) if name.partition(".")[0] == table]
    text = edited(*(f"[{name}]" for name in there), f"[] {table} = 7", "[extra] key = 1")
    faults = faults_of(text)
    expected = (
        f"{table}: expected tables, found 7; write [[{table}]], its keys below"
        if table in LISTS
        else f"{table}: expected a table, found 7; write [{table}], its keys below"
    )
    assert expected in faults
    assert any(fault.startswith("extra: unknown key") for fault in faults)


FLOW = {"account": '"joint"', "amount": "900", "first": "2026-01-31", "every": '"month"'}
PURCHASE = FLOW | {"symbol": '"VTI"'}
PARTS = FLOW | {"by": '"parts"', "parts": "12"}
PATH = FLOW | {"by": '"value"', "expected_return": "0.06"}
RULES = dict.fromkeys(LISTS, FLOW) | {"purchases": PURCHASE, "averaging": PARTS}


def with_table(name: str, rule: dict[str, str]) -> str:
    """The good file with a table in double brackets."""
    return f"{GOOD}[[{name}]]\n" + "".join(f"{key} = {value}\n" for key, value in rule.items())


@pytest.mark.parametrize("table", ["contributions", "withdrawals"])
def test_money_that_comes_or_goes_is_read_with_its_day(table):
    (rule,) = getattr(decode_household(with_table(table, FLOW)), table)
    assert rule == FlowRule(
        account="joint", amount=Decimal(900), first=dt.date(2026, 1, 31), every="month"
    )


@pytest.mark.parametrize("table", LISTS)
def test_a_table_of_a_list_names_an_account_of_the_household(table):
    rule = RULES[table] | {"account": '"joined"'}
    assert faults_of(with_table(table, rule)) == (
        f'{table}[1].account: no account is called "joined"; write one of "joint", "wallet"',
    )


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("amount", "0", "amount: 0 moves no money; write more, or remove this table"),
        ("amount", "-5", "amount: -5 is out of range; write a number that is at least 0"),
        ("first", '"soon"', 'first: expected a date, found "soon"; write for example 2024-01-02'),
        ("amont", "5", 'amont: unknown key; did you mean "amount"?'),
    ],
)
@pytest.mark.parametrize("table", ["contributions", "withdrawals"])
def test_a_fault_in_money_that_comes_or_goes_is_told_with_its_place(table, key, value, sentence):
    assert faults_of(with_table(table, FLOW | {key: value})) == (f"{table}[1].{sentence}",)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (PARTS | {"parts": "0"}, "parts: 0 is out of range; write a number that is at least 1"),
        (
            PATH | {"parts": "3"},
            'parts: used only with by = "parts"; write that or remove this line',
        ),
        (FLOW | {"by": '"parts"'}, 'parts: missing; by = "parts" needs a number, such as'),
        (FLOW | {"by": '"value"'}, 'expected_return: missing; by = "value" needs one, such as'),
        (PATH | {"expected_return": "-1"}, "expected_return: -1 is out of range"),
        (PATH | {"cap_multiple": "0.5"}, "cap_multiple: 0.5 is out of range"),
        (PARTS | {"amount": "0"}, "amount: 0 moves no money; write more, or remove this table"),
        (PARTS | {"every": '"once"'}, 'every: "once" is unknown; write one of "month"'),
        (PARTS | {"by": '"dollar"'}, 'by: "dollar" is unknown; write one of "parts", "value"'),
    ],
)
def test_a_fault_in_averaging_is_told_with_its_place(rule, sentence):
    (fault,) = faults_of(with_table("averaging", rule))
    assert fault.startswith(f"averaging[1].{sentence}")


def test_the_cash_of_an_account_waits_for_one_rule_only():
    path = "".join(f"{key} = {value}\n" for key, value in PATH.items())
    assert faults_of(with_table("averaging", PARTS) + "[[averaging]]\n" + path) == (
        "averaging[2].account: joint has another [[averaging]]; keep one of them",
    )


def test_faults_of_a_plan_and_of_several_flows_are_told_at_once():
    text = with_table("withdrawals", FLOW | {"account": '"joined"', "amount": "0"})
    text = text.replace("[orders]", "[plan]\nharvests = 1\n[orders]")
    assert [fault.partition(": ")[0] for fault in faults_of(text)] == [
        "plan.harvests",
        "withdrawals[1].account",
        "withdrawals[1].amount",
    ]


def test_a_name_that_cannot_be_a_symbol_is_not_blamed_a_second_time():
    (fault,) = faults_of(edited('[plan] holdings_max = { "V TI" = 0.1 }'))
    assert fault.startswith('plan.holdings_max."V TI": the name "V TI" cannot be used')


def test_a_limit_is_not_blamed_while_the_members_of_a_class_cannot_be_read():
    text = edited("[plan] holdings_max = { BND = 0.1 }", "[classes.bonds] members = 7")
    (fault,) = faults_of(text)
    assert fault.startswith("classes.bonds.members: expected a list")


def test_money_that_comes_or_goes_is_a_fact_and_holds_at_once():
    agreed = decode_household(GOOD).policy()
    told = decode_household(with_table("withdrawals", FLOW))
    assert told.policy() == agreed
    assert apply_policy(told, agreed).withdrawals == told.withdrawals


@pytest.mark.parametrize(
    "name",
    ["/etc/lots.csv", "..\\lots.csv", "C:lots.csv", "~/lots.csv", "a/../../lots.csv", "a\\u0000b"],
)
def test_a_file_name_that_leaves_the_folder_is_refused(name):
    written = name if "u0000" in name else name.replace("\\", "\\\\")
    (fault,) = faults_of(edited(f'[data] lots = "{written}"'))
    assert fault.startswith("data.lots: ")


def test_a_file_name_in_a_folder_below_is_fine():
    file = decode_household(edited('[data] lots = "2026/lots.csv"'))
    assert file.data.lots == "2026/lots.csv"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            '[household]\nname "x"',
            "line 2, column 6: Expected '=' after a key in a key/value pair; write key = value, "
            "and a comment only after #",
            id="no equals sign",
        ),
        pytest.param(
            "[household]\nname = Our savings",
            'line 2, column 8: Invalid value; write text in "quotes", numbers as 0.60 without % or '
            "commas, lists in [ ]",
            id="text without quotes",
        ),
        pytest.param(
            "[a]\n[a]\n",
            "line 2, column 3: the table [a] stands there for the second time; keep one of the "
            "two, with all its keys below it",
            id="table twice",
        ),
        pytest.param(
            "[a.b]\n[a.b]\n",
            "line 2, column 5: the table [a.b] stands there for the second time; keep one of the "
            "two, with all its keys below it",
            id="inner table twice",
        ),
        pytest.param(
            'a = ["x"',
            "end of document: Unclosed array; close the list with ]",
            id="list without an end",
        ),
        pytest.param(
            f"a = {'9' * 5000}",
            "a number has thousands of digits; write at most 15 before the point",
            id="endless number",
        ),
        pytest.param(
            f"a = {'[' * 5000}",
            "lists or tables are nested too deeply; none of ours is deeper than two",
            id="endless list",
        ),
    ],
)
def test_broken_toml_is_answered_with_line_and_column_and_what_to_do(text, sentence):
    assert faults_of(text) == (sentence,)


def test_the_value_of_a_secret_is_never_repeated():
    text = edited('[gates] api_key = "hunter2"', '[tokens] x.secret = "hunter2"')
    assert "hunter2" not in " ".join(faults_of(text))


def test_a_class_may_be_called_after_a_token():
    text = GOOD.replace("classes.cash", "classes.tokens").replace("cash = 0.5", "tokens = 0.5")
    assert "tokens" in decode_household(text).classes


TWENTY_FAULTS = """
surprise = 1
[household]
base_currency = "usd"
[owners.anna]
role = "boss"
[accounts.joint]
owner = "bob"
kind = "taxed"
broker = "paper"
password = "x"
[instruments.VTI]
kind = "etf"
step = -1
[instruments.EURUSD]
kind = "forex"
[classes.stocks]
target = "all"
members = ["VTO"]
[classes.bonds]
target = 0.5
members = ["VTI", "VTI"]
[bands]
preset = "sometimes"
[orders]
minimum = "much"
[gates]
orders_max = 0
[defensive]
targets = { stocks = 1 }
[reserve]
account = "none"
[tax]
filing_status = "married"
short_term_rate = 2
long_term_rate = 0.2
identical = [["VTI"]]
[data]
lots = "/lots.csv"
market = "invented"
"""


def test_a_file_with_twenty_and_more_faults_reports_them_all_at_once():
    faults = faults_of(TWENTY_FAULTS)
    places = [
        "surprise",
        "household.name",
        "household.base_currency",
        "owners.anna.role",
        "accounts.joint.kind",
        "no secrets in this file: accounts.joint.password",
        "accounts.joint.owner",
        "instruments.VTI.step",
        "classes.stocks.target",
        "classes.bonds.members",
        "bands.preset",
        "orders.minimum",
        "gates.orders_max",
        "defensive.targets",
        "reserve.monthly_costs",
        "reserve.account",
        "tax.filing_status",
        "tax.short_term_rate",
        "tax.identical",
        "data.lots",
        "data.start",
        "data.seed",
    ]
    missed = [place for place in places if not any(f.startswith(place) for f in faults)]
    assert missed == []
    assert len(faults) == len(set(faults)) == len(places)


def test_what_could_not_be_read_is_not_blamed_a_second_time():
    assert faults_of(edited('[classes.stocks] target = "most"')) == (
        'classes.stocks.target: expected a number, found "most"; write for example 0.60',
    )
    assert faults_of(edited('[owners.anna] role = "boss"')) == (
        'owners.anna.role: "boss" is unknown; write one of "spouse", "self", "other"',
    )


PIECES = st.sampled_from(re.findall(r"\S+|\s", GOOD))


@st.composite
def mutated_files(draw) -> str:
    """The good file with pieces cut out, doubled or swapped for others."""
    words = re.findall(r"\S+|\s", GOOD)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(words) - 1))
        cut = draw(st.integers(0, 3))
        words[start : start + cut] = draw(
            st.lists(PIECES | st.sampled_from(VALUES) | st.text(max_size=3), max_size=3)
        )
    return "".join(words)


VALUES = ["-1", "1e9", "nan", "[]", "{}", '""', "[[1]]", "true", "2024-01-02", "07:30:00", "{a=1}"]


@given(mutated_files())
def test_a_mutilated_file_is_read_or_refused_and_never_crashes(text):
    with suppress(FileFaults):
        file = decode_household(text, knows_calendar=lambda code: code == "XNYS")
        assert apply_policy(file, file.policy()) == file
        assert instruments_of(file).keys() == file.instruments.keys()


KEYS = sorted(set(re.findall(r"[a-zA-Z_0-9]+", GOOD)))
LEAVES = st.sampled_from([*VALUES, "0.5", "1", '"anna"', '"VTI"', '"USD"', '["VTI"]', '"forex"'])


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4), LEAVES), max_size=12
    )
)
@example([(["owners"], "1"), (["accounts", "a", "owner"], '"x"')])
@example([(["classes", "a"], "1"), (["classes", "b", "members"], '["USD"]')])
def test_any_toml_of_our_words_is_read_or_refused_and_never_crashes(entries):
    lines = "\n".join(f"{'.'.join(path)} = {value}" for path, value in entries)
    with pytest.raises(FileFaults):
        decode_household(lines, knows_calendar=lambda code: code == "XNYS")


@given(st.text())
@example("a" + ".a" * 3000 + " = 1")
@example("owners.a = 0x" + "f" * 9000)
@example("orders.minimum = 1e999999999999999999999")
@example("orders.minimum = 1e9999999\norders.invest_cash_from = 0e-9999999")
@example("\ud800 = 1")
def test_garbage_is_refused_and_never_crashes(text):
    with pytest.raises(FileFaults):
        decode_household(text)


# ------------------------------------------------------------------ what follows from a file


def test_an_instrument_gets_step_calendar_and_currency_from_its_kind():
    instruments = instruments_of(decode_household(GOOD))
    assert instruments["VTI"] == Instrument(symbol="VTI", kind=InstrumentKind.ETF)
    assert (instruments["BTC"].step, instruments["BTC"].calendar) == (Decimal("1e-8"), "24/7")
    assert instruments["EURUSD"].calendar == "forex"
    assert instruments["EXS1"].calendar == "XETR"


def test_a_fund_trades_in_thousandths_unless_its_table_says_otherwise():
    text = edited('[instruments.BND] kind = "fund"')
    assert instruments_of(decode_household(text))["BND"].step == Decimal("0.001")
    finer = edited('[instruments.BND] kind = "fund"', "[instruments.BND] step = 0.0001")
    assert instruments_of(decode_household(finer))["BND"].step == Decimal("0.0001")


def test_a_pair_of_yen_is_quoted_in_yen_and_serves_a_japanese_share():
    text = edited(
        '[instruments.USDJPY] kind = "forex"',
        '[instruments.7203] kind = "equity"',
        '[instruments.7203] currency = "JPY"',
    )
    assert instruments_of(decode_household(text))["USDJPY"].currency == "JPY"


def test_the_invented_market_never_closes():
    file = decode_household(
        edited('[data] market = "invented"', "[data] seed = 7", "[data] start = 2024-01-02")
    )
    assert {each.calendar for each in instruments_of(file).values()} == {"24/7"}
    assert file.data.start == dt.date(2024, 1, 2)


def test_accounts_carry_their_id_and_the_relief_that_brokers_assume():
    account = accounts_of(decode_household(GOOD))["joint"]
    assert (account.id, account.owner, account.kind) == ("joint", "anna", AccountKind.TAXABLE)
    assert (account.relief, account.cash_reserve) == (Relief.FIFO, Decimal(5000))


def test_the_policy_in_force_holds_whatever_the_file_asks_for():
    agreed = decode_household(GOOD)
    wished = decode_household(
        edited(
            "[groups.growth] target = 0.90",
            "[classes.stocks] target = 1",
            '[classes.stocks] group = "growth"',
            "[glide] born = 1970-05-17",
            '[strategy] every = "year"',
            "[classes.bonds] target = 0",
            "[accounts.joint] cash_reserve = 0",
            '[bands] preset = "calendar"',
            "[orders] minimum = 1",
            "[plan] location_years = 0",
            "[gates] spread_max_bps = 9000",
            "[defensive] targets = { stocks = 1, bonds = 0, cash = 0 }",
            "[reserve] months = 1",
            "[schedule] minutes_after_open = 1",
            "[precommitment] cooling_off_hours = 1",
            "[data] stale_after_days = 90000",
            '[instruments.VTI] calendar = "24/7"',
        )
    )
    in_force, asked = (msgspec.structs.asdict(each.policy()) for each in (agreed, wished))
    assert [table for table in in_force if in_force[table] == asked[table]] == []
    assert apply_policy(wished, agreed.policy()) == agreed


def test_facts_of_the_file_hold_at_once():
    agreed = decode_household(GOOD)
    married = decode_household(edited("[tax] short_term_rate = 0.32"))
    assert apply_policy(married, agreed.policy()).tax.short_term_rate == Decimal("0.32")


def test_an_account_opened_since_keeps_the_reserve_that_the_file_gives_it():
    agreed = decode_household(GOOD).policy()
    opened = ('owner = "ben"', 'kind = "hsa"', 'broker = "file"', "cash_reserve = 70")
    file = decode_household(edited(*(f"[accounts.new] {line}" for line in opened)))
    assert apply_policy(file, agreed).accounts["new"].cash_reserve == Decimal(70)


def test_a_policy_in_force_that_needs_a_removed_instrument_says_so():
    agreed = decode_household(GOOD).policy()
    without = edited("[instruments.VTI]", '[classes.stocks] members = ["BTC"]')
    with pytest.raises(FileFaults) as caught:
        apply_policy(decode_household(without), agreed)
    (fault,) = caught.value.faults
    assert fault.startswith(
        "the policy in force does not fit the file: classes.stocks.members: VTI is not described"
    )
    assert fault.endswith("keep in the file the accounts and instruments that this one needs")


BAND_RULES = st.builds(
    BandRule,
    preset=st.sampled_from(sorted(PRESETS)),
    trigger_abs=st.none() | st.decimals(0, 1),
    trigger_rel=st.none() | st.decimals(0, 1),
)


@given(BAND_RULES, st.none() | st.decimals(0, 1), st.none() | st.decimals(0, 1))
def test_every_band_that_a_file_can_describe_has_a_trigger(rule, trigger_abs, trigger_rel):
    of_class = ClassRule(
        target=Decimal(1), members=("VTI",), trigger_abs=trigger_abs, trigger_rel=trigger_rel
    )
    band = band_policy(rule, of_class)
    assert band.trigger_abs is not None or band.trigger_rel is not None


def test_every_preset_is_a_band_that_the_file_may_spell_out():
    for name in PRESETS:
        decode_household(edited(f'[bands] preset = "{name}"'))


# ------------------------------------------------------------------------------ the template


def template() -> str:
    return (TEMPLATES / "household.toml").read_text(encoding="utf-8")


def rows(name: str) -> list[dict[str, str]]:
    with (TEMPLATES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_template_is_a_good_file_of_less_than_200_lines():
    file = decode_household(template(), knows_calendar=lambda code: code == "XNYS")
    assert sorted(file.accounts) == ["ira", "joint", "roth"]
    assert len(template().splitlines()) < 200


def test_the_examples_hold_what_the_template_describes():
    file = decode_household(template())
    lots, prices = rows(file.data.lots), rows(file.data.prices[0])
    assert {lot["account"] for lot in lots} == set(file.accounts)
    assert {lot["symbol"] for lot in lots} == {row["symbol"] for row in prices}
    assert {row["symbol"] for row in prices} == set(file.instruments)
    assert {row["account"] for row in rows(file.data.cash)} <= set(file.accounts)
    assert len({lot["id"] for lot in lots}) == len(lots)
    for row in lots:
        assert dt.date.fromisoformat(row["acquired"]) < dt.date.fromisoformat(prices[0]["date"])
        assert Decimal(row["quantity"]) > 0


def test_the_example_has_drifted_so_that_there_is_something_to_see():
    target = decode_household(template()).classes["us-stocks"].target
    last = {row["symbol"]: Decimal(row["close"]) for row in rows("prices.csv")}
    values = {symbol: Decimal(0) for symbol in last}
    for lot in rows("lots.csv"):
        values[lot["symbol"]] += Decimal(lot["quantity"]) * last[lot["symbol"]]
    cash = sum(Decimal(row["amount"]) for row in rows("cash.csv"))
    assert values["VTI"] / (sum(values.values()) + cash) - target > Decimal("0.05")


STRATEGIES = (TEMPLATES / "strategies.toml").read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """The tables of *text* with the # in front of every option taken away."""
    parts: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        bare = re.sub(r"^# (\[|[A-Za-z_]+ = )", r"\1", line)
        if heading := re.match(r"\[+([^.\]]+)", bare):
            name = heading[1]
        parts[name] = parts.get(name, "") + bare + "\n"
    return parts


EXAMPLES = {
    "notional_max",
    "market_index",
    "sales",
    "identical",
    "crypto_wash_from",
    "ordinary_income",
    "magi",
    "carryover_into",
    "later_rate",
    "born",
    "points",
    "bounds",
    "bills",
    "amount",
    "rate",
    "band_abs",
    "since",
    "until",
    "curve",
    "state_rate",
    "rates",
}
"""Options without a default, or with one too long for a line, shown with an example."""


@pytest.mark.parametrize("table", OPTION_TABLES)
def test_the_template_shows_every_option_with_its_default(table):
    elsewhere = {"glide", "strategy", "reserve", "yields"}
    text = sections(STRATEGIES if table in elsewhere else template())[table]
    written = tomllib.loads(text, parse_float=Decimal)[table]
    chosen = tomllib.loads(template()).get(table, {})
    rule = type(getattr(decode_household(GOOD), table))
    if table == "data":
        assert "seed = " in text
        assert "start = " in text
        written |= {"seed": 0, "start": None}
    defaults = PRESETS["swedroe-5-25"] if table == "bands" else None
    assert list(undefaulted(rule, written, set(chosen), defaults)) == []


def undefaulted(rule: type, written: dict[str, object], chosen: set[str], defaults: object):
    """Each option of *rule* that *written* lacks or shows with another value than its default."""
    for field in fields(rule):
        if field.name not in written:
            yield f"{field.name} is not shown"
            continue
        shown = written.pop(field.name)
        default = getattr(defaults, field.name, field.default)
        if isinstance(default, msgspec.Struct) and isinstance(shown, dict):
            yield from undefaulted(type(default), shown, set(), None)
        elif field.required or field.name in {*chosen, *EXAMPLES} or isinstance(shown, dict):
            continue
        elif (tuple(shown) if isinstance(shown, list) else shown) != default:
            yield f"{field.name} is shown as {shown}, not {default}"
    yield from (f"{name} is shown and does not exist" for name in written)


def test_the_list_of_options_shows_every_option_of_averaging_with_its_default():
    text = sections(STRATEGIES)["averaging"]
    parts, path = tomllib.loads(text, parse_float=Decimal)["averaging"]
    chosen = {"expected_return", "parts"}
    assert list(undefaulted(AveragingRule, parts | path, chosen, None)) == []
    rules = decode_household(GOOD + text.replace('"roth"', '"wallet"')).averaging
    assert [rule.by for rule in rules] == ["parts", "value"]


def test_a_day_of_birth_that_is_missing_is_told_once():
    points = "".join(
        f"[[glide.points]]\nage = {age}\ntargets = {{ stocks = 1, bonds = 0, cash = 0 }}\n"
        for age in (60, 75)
    )
    with pytest.raises(FileFaults) as caught:
        decode_household(GOOD + points)
    born = "glide.born: ages are counted from a day of birth; write born = 1970-01-31"
    assert [fault for fault in caught.value.faults if "born" in fault] == [born]


def test_the_template_still_decodes_with_every_option_uncommented():
    text = "".join(sections(template()).values()) + sections(STRATEGIES)["glide"]
    text += sections(STRATEGIES)["strategy"] + sections(STRATEGIES)["averaging"]
    text = text.replace("target = 0.30", "target = 0.28", 1)
    text = text.replace('posture = "reduce_only"', 'posture = "targets"')
    text = re.sub(r"bonds = (0\.\d+) }", r"bonds = \1, bitcoin = 0 }", text)
    assert "bitcoin" in decode_household(text).classes


def test_market_hours_are_those_of_the_policy_in_force_whatever_the_file_says():
    file = decode_household(GOOD)
    policy = file.policy()
    loosened = replace(
        file,
        instruments={
            symbol: replace(rule, calendar="24/7") for symbol, rule in file.instruments.items()
        },
        data=replace(file.data, stale_after_days=90_000),
    )
    combined = apply_policy(loosened, policy)
    assert instruments_of(combined) == instruments_of(file)
    assert combined.data.stale_after_days == file.data.stale_after_days
