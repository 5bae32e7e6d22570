"""Questions about a household that is not: what is read of them, what they change, what is kept."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.houses import TOML, FixedPrices, house_of, lot

from trimtab.apps.assumptions import Assumptions, Supposed, moved, read_assumptions
from trimtab.apps.hypothetical import Look, compare_relief, explained, planned_tax, today, what_if
from trimtab.apps.run import policy_in_force, run_once
from trimtab.apps.world import House
from trimtab.domain.errors import DataSuspect, FileFaults, InputError
from trimtab.domain.household import decode_household
from trimtab.domain.policy import FlowRule
from trimtab.domain.trades import Side
from trimtab.domain.values import Lot, PastFlow, Relief, trade_date
from trimtab.rules.look import withdrawals_of
from trimtab.rules.plan import apply_trades

PRICES = {"VTI": "300", "ITOT": "130", "BND": "72", "BTC-USD": "60000"}
LOTS = (
    lot("taxable", "VTI", "100", "15000", "2019-05-01", "old"),
    lot("taxable", "VTI", "100", "29000", "2024-05-01", "new"),
    lot("taxable", "BND", "100", "8000", "2020-01-01", "bonds"),
    lot("ira", "VTI", "100", "10000", "2020-01-01", "ira-stocks"),
    lot("ira", "BND", "200", "16000", "2020-01-01", "ira-bonds"),
    lot("wallet", "BTC-USD", "0.1", "3000", "2021-01-01", "coin"),
)
CASH = {"taxable": "3000", "ira": "100", "wallet": "50"}
FILE = decode_household(TOML)


def looked(toml: str = TOML, lots: Sequence[Lot] = LOTS) -> tuple[House, Look]:
    prices = FixedPrices(PRICES)
    prices.closes = dict(prices.prices)
    house = house_of(lots, CASH, prices, toml=toml)
    return house, today(house, run_once(house, executes=False))


def supposed(look: Look) -> Supposed:
    return Supposed(look.snapshot, look.memory, look.facts)


def read(*texts: str) -> Assumptions:
    return read_assumptions(texts, FILE)


class TestReading:
    def test_money_without_an_account_is_that_of_the_first_taxable_one(self):
        found = read("deposit=5000", "withdraw:ira=20.50")
        assert found.deposits == {"taxable": 5000}
        assert found.withdrawals == {"ira": Decimal("20.50")}
        assert found.texts == ("deposit:taxable=5000", "withdraw:ira=20.50")

    def test_prices_move_by_a_percentage_or_to_a_price_and_classes_with_their_members(self):
        found = read("BND=210.50", "stocks=-20%", "BTC-USD = +5.5 %")
        assert found.prices == {"BND": Decimal("210.50")}
        assert found.factors == {
            "VTI": Decimal("0.8"),
            "ITOT": Decimal("0.8"),
            "BTC-USD": Decimal("1.055"),
        }

    def test_names_may_be_typed_in_any_letter_case(self):
        found = read("vti=-20%", "Bonds=-5%", "DEPOSIT:Taxable=5000", "Withdraw:IRA=20")
        assert found.factors == {"VTI": Decimal("0.8"), "BND": Decimal("0.95")}
        assert found.deposits == {"taxable": 5000}
        assert found.withdrawals == {"ira": 20}
        assert found.texts == ("VTI=-20%", "bonds=-5%", "deposit:taxable=5000", "withdraw:ira=20")

    def test_of_a_symbol_and_a_class_that_differ_in_case_each_is_reached_by_its_own_name(self):
        toml = TOML.replace("[classes.bonds]", "[classes.bnd]")
        file = decode_household(toml)
        assert read_assumptions(["BND=70"], file).prices == {"BND": 70}
        assert read_assumptions(["bnd=-5%"], file).factors == {"BND": Decimal("0.95")}

    @pytest.mark.parametrize(
        ("text", "amount"),
        [("5,000", 5_000), ("1,234,567.89", "1234567.89"), ("+5000", 5_000), ("0.50", "0.5")],
    )
    def test_thousands_may_be_parted_by_commas(self, text, amount):
        assert read(f"deposit={text}").deposits == {"taxable": Decimal(amount)}

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("deposit", "write KEY=VALUE"),
            ("=5", "write KEY=VALUE"),
            ("deposit=", "write KEY=VALUE"),
            ("deposit=0", "'0' is no amount: write one above zero"),
            ("deposit=1e99", "'1e99' is no amount"),
            ("deposit=NaN", "'NaN' is no amount"),
            ("deposit=5k", "in plain digits, such as 5000, 5,000 or 5000.50"),
            ("deposit=5 000", "'5 000' is no amount"),
            ("deposit=1,00", "'1,00' is no amount"),
            ("deposit=1_000", "'1_000' is no amount"),
            ("deposit:MARS=5", "there is no account 'MARS'"),
            ("VTI=1,00", "'1,00' is no price"),
            ("deposit=5.001", "write it in whole cents"),
            ("deposit:mars=5", "there is no account 'mars': the household has taxable, ira"),
            ("withdraw:=5", "there is no account ''"),
            ("VTI=cheap", "'cheap' is no price"),
            ("VTI=-5", "'-5' is no price"),
            ("VTI=-100%", "'-100%' is no change of a price"),
            ("VTI=x%", "'x%' is no change of a price"),
            ("stocks=300", "stocks is a class, which moves by a percentage"),
            ("GOLD=5%", "'GOLD' is neither deposit, withdraw, a symbol nor a class"),
            ("voo=5%", "its classes are stocks, bonds, bitcoin, its symbols BND, BTC-USD, "),
        ],
    )
    def test_what_cannot_be_understood_is_told_in_one_sentence(self, text, words):
        with pytest.raises(InputError) as caught:
            read(text)
        assert str(caught.value).startswith(f"--what-if {text}: ")
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_all_faults_are_told_at_once(self):
        with pytest.raises(FileFaults) as caught:
            read("deposit=5", "deposit:taxable=6", "VTI=1%", "stocks=2%", "nothing")
        assert [fault.split(": ")[1] for fault in caught.value.faults] == [
            "deposit for taxable is given twice",
            "the price of VTI is moved twice",
            "write KEY=VALUE, such as deposit=5000, withdraw=3000 or VTI=-20%",
        ]

    def test_without_a_taxable_account_money_needs_a_name(self):
        ira_only = replace(FILE, accounts={"ira": FILE.accounts["ira"]})
        with pytest.raises(InputError, match=r"no account is taxable: name one, such as deposit:"):
            read_assumptions(["deposit=5"], ira_only)

    def test_cash_has_no_price(self):
        toml = TOML.replace('members = ["BND"]', 'members = ["USD"]')
        with pytest.raises(InputError, match="bonds is cash, whose price does not move"):
            read_assumptions(["bonds=-5%"], decode_household(toml))


class TestMoving:
    def test_a_deposit_is_settled_cash_and_neither_a_gain_nor_a_loss(self):
        _, look = looked()
        then = moved(supposed(look), read("deposit=5000"))
        (before,) = [one for one in look.snapshot.balances if one.account == "taxable"]
        (after,) = [one for one in then.snapshot.balances if one.account == "taxable"]
        assert (after.amount - before.amount, after.settled - before.settled) == (
            Decimal(5000),
            Decimal(5000),
        )
        assert then.memory.pending_flow - look.memory.pending_flow == 5000

    def test_a_withdrawal_is_due_today_and_the_money_still_there(self):
        _, look = looked()
        then = moved(supposed(look), read("withdraw:ira=700"))
        (due,) = then.facts.withdrawals
        assert (due.account, due.first) == ("ira", trade_date(look.snapshot.at))
        assert due.amount == 700
        assert then.snapshot == look.snapshot

    def test_what_was_taken_out_already_counts_for_what_was_due_and_not_for_what_is_assumed(self):
        _, look = looked()
        today = trade_date(look.snapshot.at)
        rent = FlowRule(account="ira", amount=Decimal(900), first=today + dt.timedelta(days=3))
        taken = PastFlow(account="ira", date=today, amount=Decimal(-600))
        before = Supposed(
            look.snapshot,
            replace(look.memory, flows=(taken,)),
            replace(look.facts, withdrawals=(rent,)),
        )
        policy = policy_in_force(look.memory)
        for assumed, due in (("deposit=1", 300), ("withdraw:ira=700", 300 + 700)):
            then = moved(before, read(assumed))
            assert withdrawals_of(then.snapshot, policy, then.memory, then.facts) == {"ira": due}

    def test_a_withdrawal_may_not_be_more_than_the_account_is_worth(self):
        _, look = looked()
        with pytest.raises(
            InputError, match=r"withdraw:wallet: 90,000.00 USD is more than the 6,0"
        ):
            moved(supposed(look), read("withdraw:wallet=90000"))

    def test_bid_and_ask_move_alike_and_nothing_takes_it_for_bad_data(self):
        house, look = looked()
        then = what_if(house, look, read("stocks=-40%", "BND=36"))
        for symbol, factor in (("VTI", "0.6"), ("BND", "0.5")):
            old, new = look.snapshot.quotes[symbol], then.snapshot.quotes[symbol]
            assert (new.bid, new.ask) == (old.bid * Decimal(factor), old.ask * Decimal(factor))
        assert not any(held.gate == "data" for held in then.decision.held)

    def test_a_price_that_nothing_depends_on_is_refused(self):
        _, look = looked()
        with pytest.raises(InputError, match="EURUSD: it is neither held nor in a class"):
            moved(supposed(look), read("EURUSD=-5%"))


class TestAsking:
    def test_the_question_leaves_the_household_and_todays_answer_as_they_were(self):
        house, look = looked()
        entries = list(house.journal.entries())
        asked = what_if(house, look, read("VTI=-20%", "deposit=5000"))
        assert asked.decision != look.decision
        assert list(house.journal.entries()) == entries
        nothing = what_if(house, look, Assumptions({}, {}, {}, {}, ()))
        first, second = nothing.decision.plan, look.decision.plan
        assert first is not None
        assert second is not None
        assert first.trades == second.trades
        assert nothing.decision.transitions == look.decision.transitions != ()

    def test_money_that_comes_in_buys_what_is_light(self):
        house, look = looked()
        asked = what_if(house, look, read("deposit=20000"))
        plan, now = asked.decision.plan, look.decision.plan
        assert plan is not None
        assert now is not None
        sold, sold_now = (
            sum(trade.value for trade in one.trades if trade.side is Side.SELL)
            for one in (plan, now)
        )
        assert sold < sold_now
        assert asked.decision.value - look.decision.value == 20_000

    def test_a_withdrawal_is_raised_in_its_account_and_left_there(self):
        house, look = looked()
        asked = what_if(house, look, read("withdraw=20000"))
        plan = asked.decision.plan
        assert plan is not None
        left = apply_trades(asked.snapshot, plan.trades)
        (cash,) = [one.amount for one in left.balances if one.account == "taxable"]
        kept = FILE.accounts["taxable"].cash_reserve
        assert cash >= 20_000 + kept

    def test_cash_that_cannot_be_raised_is_told_and_nothing_is_proven(self):
        house, look = looked()
        assert look.lacking == 0
        kept = FILE.accounts["ira"].cash_reserve
        asked = what_if(house, look, read("withdraw:wallet=100", "withdraw:ira=40000"))
        plan = asked.decision.plan
        assert plan is not None
        left = {
            one.account: one.amount for one in apply_trades(look.snapshot, plan.trades).balances
        }
        assert asked.lacking == max(0, 40_000 + kept - left["ira"])
        assert (asked.lacking > 0) is (asked.objective is None)

    def test_without_a_price_there_is_nothing_to_ask(self):
        house = house_of(LOTS, CASH, FixedPrices(PRICES))
        outcome = run_once(house, executes=False)
        with pytest.raises(DataSuspect):
            today(house, outcome._replace(decision=None))

    def test_the_explanation_is_of_the_lots_that_the_plan_names(self):
        house, look = looked()
        lots, explanation = explained(house, look)
        plan = look.decision.plan
        assert plan is not None
        assert explanation is not None
        assert [one.symbol for one in explanation.trades] == [one.symbol for one in plan.trades]
        assert {pick.lot_id for trade in plan.trades for pick in trade.lots} <= set(lots)


class TestRelief:
    def test_each_relief_is_planned_as_if_the_household_had_it(self):
        house, look = looked()
        comparison = compare_relief(house, look)
        assert [one.id for one in comparison.accounts] == ["taxable", "wallet"]
        assert list(comparison.reliefs) == list(Relief)
        for relief, other in comparison.reliefs.items():
            toml = TOML
            for kind in ("specific", "fifo"):
                toml = toml.replace(f'relief = "{kind}"', "")
            for account in ("taxable", "wallet"):
                toml = toml.replace(
                    f"[accounts.{account}]", f'[accounts.{account}]\nrelief = "{relief}"'
                )
            _, really = looked(toml)
            assert other.decision.plan is not None
            assert really.decision.plan is not None
            assert other.decision.plan.trades == really.decision.plan.trades

    def test_only_accounts_whose_sales_are_taxed_switch(self):
        house, look = looked()
        switches = compare_relief(house, look).switches
        assert {one.account for one in switches} == {"taxable", "wallet"}
        assert all(one.now is not one.to for one in switches)
        assert len(switches) == 4

    def test_a_switch_saves_what_the_taxes_of_the_two_plans_differ_by(self):
        toml = TOML.replace('relief = "specific"', 'relief = "fifo"')
        house, look = looked(toml, [one for one in LOTS if one.id != "ira-stocks"])
        comparison = compare_relief(house, look)
        saved = {one.to: one.tax for one in comparison.switches if one.account == "taxable"}
        assert set(saved) == {Relief.HIFO, Relief.SPECIFIC}
        for relief, tax in saved.items():
            other = comparison.reliefs[relief].decision
            assert tax == planned_tax(look.decision) - planned_tax(other)
        assert saved[Relief.SPECIFIC] > 0

    @pytest.mark.parametrize("text", ["withdraw=20000", "withdraw=45000", "VTI=-25%", "BND=+60%"])
    def test_no_standing_order_beats_what_is_proven_of_lots_that_may_be_named(self, text):
        house, look = looked(lots=[one for one in LOTS if one.id != "ira-stocks"])
        comparison = compare_relief(house, what_if(house, look, read(text)))
        free = comparison.reliefs[Relief.SPECIFIC].decision.plan
        assert free is not None
        assert free.certificate is not None
        for relief in (Relief.FIFO, Relief.HIFO):
            bound = comparison.reliefs[relief].objective
            assert bound is not None
            assert free.certificate.bound <= bound
