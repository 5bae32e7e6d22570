"""The sentence that answers a fault of `household.toml`: its place and what to write."""

import re
from contextlib import suppress

import msgspec
import pytest
from msgspec.structs import fields
from tests.domain.household_files import GOOD, OPTION_TABLES, edited, faults_of

from trimtab.domain.errors import FileFaults
from trimtab.domain.household import decode_household

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


def test_the_value_of_a_secret_is_never_repeated():
    text = edited('[gates] api_key = "hunter2"', '[tokens] x.secret = "hunter2"')
    assert "hunter2" not in " ".join(faults_of(text))


def test_a_class_may_be_called_after_a_token():
    text = GOOD.replace("classes.cash", "classes.tokens").replace("cash = 0.5", "tokens = 0.5")
    assert "tokens" in decode_household(text).classes
