"""What a good `household.toml` becomes: values, and the policy in force."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domain.household_files import GOOD, edited

from trimtab.domain.errors import FileFaults
from trimtab.domain.household import accounts_of, apply_policy, decode_household, instruments_of
from trimtab.domain.policy import PRESETS, BandRule, ClassRule, band_policy
from trimtab.domain.values import AccountKind, Instrument, InstrumentKind, OwnerRole, Relief


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
