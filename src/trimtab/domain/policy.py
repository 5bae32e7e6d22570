"""The household's written rules: what `household.toml` says, as frozen values.

Money, weights and limits are Decimal, read from the digits in the file. `trimtab.domain.household`
decodes the TOML and reports every fault at once; this module only says what the rules are. What a
value must be like stands beside it as `Meta(extra=...)`, which only that decoder reads: a policy
that is already in the journal can always be read back.
"""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from trimtab.domain.aims import GlideRule, GroupRule, StrategyRule
from trimtab.domain.identity import IdentityLevel
from trimtab.domain.incoming import AveragingRule
from trimtab.domain.leaves import (
    Amount,
    BasisPoints,
    CalendarYear,
    Count,
    Currency,
    Days,
    Fraction,
    Growth,
    Identifier,
    Part,
    Positive,
    Symbol,
    Text,
)
from trimtab.domain.numbers import ZERO, Money, Quantity, Weight
from trimtab.domain.values import AccountKind, InstrumentKind, OwnerRole, Relief
from trimtab.domain.yield_facts import YieldsRule

LotMethod = Literal["min_tax", "hifo", "lifo", "fifo", "specified"]
Posture = Literal["reduce_only", "targets"]
FilingStatus = Literal[
    "single",
    "married_filing_jointly",
    "married_filing_separately",
    "head_of_household",
    "qualifying_surviving_spouse",
]


Tacking = Literal["period", "date", "no_overlap"]
"""How a replacement takes over the holding period; `period` adds the days (26 CFR 1.1091-1(h))."""


class HouseholdRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[household]: its name and the one currency everything is counted in."""

    name: Annotated[Text, Meta(extra={"example": '"Our savings"'})]
    base_currency: Currency = "USD"


class OwnerRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[owners.NAME]: a person."""

    role: OwnerRole


class AccountRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[accounts.ID]: an account, and the cash in it (base currency) that is never spent.

    `broker` names an adapter: `paper` trades on the built-in paper broker; `file` is an account
    known from files only, for which orders are written out and never sent. An
    account that `reinvests` its dividends buys on days that nobody names.
    """

    owner: Identifier
    kind: AccountKind
    broker: Annotated[Identifier, Meta(extra={"example": '"paper"'})]
    relief: Relief = Relief.FIFO
    cash_reserve: Amount = ZERO
    reinvests: Annotated[bool, Meta(extra={"example": "true"})] = False


class InstrumentRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[instruments.SYMBOL]. `step` is the smallest quantity that may be traded.

    `calendar` is an exchange calendar's code (XNYS), `24/7`, or `forex`; left out, it follows
    from the kind.
    """

    kind: InstrumentKind
    step: Annotated[Quantity, Meta(extra={"above": 0, "example": "1"})] | None = None
    calendar: Text | None = None
    currency: Currency = "USD"
    name: Annotated[str, Meta(extra={"example": '"Total US stock market"'})] = ""


class BandPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a class has drifted too far, and where its correction ends.

    The half-width is the smaller of `trigger_abs` (points of the whole, 0.05) and `trigger_rel`
    (a fraction of the target, 0.25); a leg left out does not bind. `destination` and `re_arm` are
    fractions of the half-width: a correction aims at `destination` (0 the target, 1 the edge) and
    an episode that can go no further ends inside `re_arm`. `cooldown_days` must pass after an
    episode before the next; `look_every_days` is how often anybody looks.
    """

    trigger_abs: Weight | None = None
    trigger_rel: Weight | None = None
    destination: Weight = ZERO
    re_arm: Weight = Weight("0.5")
    cooldown_days: int = 0
    look_every_days: int = 1


class BandRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[bands]: a published rule by name, and what is different from it here."""

    preset: Annotated[str, Meta(extra={"example": '"swedroe-5-25"'})] = "swedroe-5-25"
    trigger_abs: Fraction | None = None
    trigger_rel: Fraction | None = None
    destination: Fraction | None = None
    re_arm: Fraction | None = None
    cooldown_days: Days | None = None
    look_every_days: Count | None = None


class ClassRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[classes.NAME]: its target weight and members, the preferred one first.

    In a `group` the target is the class's part of the group's own target. A `safe` class may still
    be bought in the defensive posture. Cash is a class whose only member is the base currency; it
    is always safe. `ordinary_yield` and `qualified_yield` are what the class distributes in a year
    as a part of its value, taxed at the short-term and the long-term rate where the account is
    taxed: they say in which account the class is at home.
    """

    target: Annotated[Fraction, Meta(extra={"example": "0.60"})]
    members: tuple[Symbol, ...]
    group: Identifier | None = None
    risk: Annotated[Literal["risky", "safe"], Meta(extra={"example": '"risky"'})] = "risky"
    trigger_abs: Fraction | None = None
    trigger_rel: Fraction | None = None
    ordinary_yield: Fraction = ZERO
    qualified_yield: Fraction = ZERO

    def is_risky(self, base_currency: str) -> bool:
        """Whether its value may fall: nobody calls it safe, and it is not cash, whatever `risk`."""
        return self.risk == "risky" and self.members != (base_currency,)


class OrderRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[orders]: how plans are made and sent.

    `minimum` and `invest_cash_from` are money; `slippage_max_bps` bounds the limit price beyond
    the quote. `unsettled` = `use` lets purchases use the proceeds of unsettled sales (what they
    buy is then kept until settlement); `wait` does not. `specified` names lots to sell first.
    """

    minimum: Amount = Money(100)
    invest_cash_from: Amount = Money(500)
    lot_method: Annotated[LotMethod, Meta(extra={"example": '"min_tax"'})] = "min_tax"
    specified: tuple[Text, ...] = ()
    slippage_max_bps: BasisPoints = Weight(10)
    fee_buffer_bps: BasisPoints = Weight(5)
    unsettled: Annotated[Literal["use", "wait"], Meta(extra={"example": '"use"'})] = "use"
    no_buy: tuple[Symbol, ...] = ()
    no_sell: tuple[Symbol, ...] = ()


class PlanRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[plan]: what the planner weighs against what, all in money.

    `drift_price` is what moving one unit of money back to its class may cost at most, in tax, fees
    and spread: 0.20 pays up to 20 cents for a dollar. `order_cost` is the owner's price of one
    order, and `sell_least` what selling must be worth beyond buying alone, else nothing is sold.
    A class is moved to a better account only if the yearly tax drag saved over `location_years`
    pays for it; 0 leaves every class where it is. Withdrawals are provided for `raise_cash_days`
    ahead. `harvests` says when losses are taken for their own sake: never, whenever there is a
    plan anyhow, or on any day. `holdings_max` bounds one symbol's part of the whole when buying.
    """

    drift_price: Fraction = Weight("0.20")
    order_cost: Amount = ZERO
    sell_least: Amount = ZERO
    location_years: Annotated[int, Meta(extra={"least": 0, "most": 60, "example": "10"})] = 10
    raise_cash_days: Days = 7
    harvests: Annotated[
        Literal["never", "with_trades", "always"], Meta(extra={"example": '"with_trades"'})
    ] = "with_trades"
    holdings_max: dict[Symbol, Part] = {}


class GateRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[gates]: limits that may refuse a plan. Fractions are of the household's value.

    `price_jump_max` is the change from the previous close that is called suspect data;
    `crypto_jump_max` the same for crypto. `volume_max` is the part of the average daily volume
    that one order may be.
    """

    spread_max_bps: Positive = Weight(50)
    crypto_spread_max_bps: Positive = Weight(100)
    quote_age_max_minutes: Count = 15
    volume_max: Part = Weight("0.01")
    fall_daily_max: Part = Weight("0.20")
    fall_from_peak_max: Part = Weight("0.35")
    price_jump_max: Positive = Weight("0.30")
    crypto_jump_max: Positive = Weight("0.60")
    turnover_max: Part = Weight("0.30")
    orders_max: Count = 40
    notional_max: Positive | None = None
    market_index: Symbol | None = None


class DefensiveRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[defensive]: what holds after the circuit breaker trips, until a person re-arms it.

    `reduce_only`: no purchase of a risky class. `targets`: the fallback `targets` replace the
    classes' own.
    """

    posture: Annotated[Posture, Meta(extra={"example": '"reduce_only"'})] = "reduce_only"
    targets: dict[Identifier, Fraction] = {}


class BillRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of [[reserve.bills]]: an irregular bill on the day `first`, and on how it goes on."""

    amount: Amount
    first: dt.date
    every: Annotated[
        Literal["once", "week", "two_weeks", "month", "quarter", "year"],
        Meta(extra={"example": '"year"'}),
    ] = "once"
    name: str = ""


class ReserveRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[reserve]: running costs that the savings must cover: a floor of cash, never invested.

    It is the present value of the next `months` of costs and `bills` net of passive income, held as
    cash in `account`. `monthly_costs` grow by `growth` a year; of `monthly_income` the part
    `income_haircut` is not counted on; money to come is discounted at `rate` a year, 0 by default,
    since what safe assets will pay is a forecast. A month is paid for at its `begin` or its `end`.
    """

    monthly_costs: Amount
    account: Identifier
    months: Annotated[int, Meta(extra={"least": 1, "most": 1_200, "example": "12"})] = 6
    monthly_income: Amount = ZERO
    growth: Growth = ZERO
    income_haircut: Fraction = ZERO
    bills: tuple[BillRule, ...] = ()
    rate: Growth = ZERO
    timing: Annotated[Literal["begin", "end"], Meta(extra={"example": '"begin"'})] = "begin"


class TaxRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[tax]: the household's marginal rates (federal and state together) and identical groups.

    What counts as substantially identical (26 USC 1091): by `identity`, the share classes of one
    fund (`same_security`), also funds on one index (`same_index`), or all that move nearly alike
    (`correlated`); each group of `identical` is so beside that, and symbols of one group of
    `not_identical` are not (a group of one: that fund and every other). What the law leaves open
    has a careful default: `earlier_acquired` also counts units bought within the window before
    those sold, `tacking` is how the holding period passes over, and coins are exempt unless
    `crypto_wash_from` says from when Congress ended that.

    `ordinary_income` is the year's taxable income without gains and qualified dividends, `magi`
    the modified adjusted gross income without gains (26 USC 1411), and the carryovers are losses
    brought into `carryover_into`, the year, as positive amounts. They serve the year's figures
    only; the planner uses the marginal rates. `later_rate` taxes a gain that is put off; left
    out, it is `long_term_rate`.
    """

    filing_status: Annotated[FilingStatus, Meta(extra={"example": '"single"'})]
    short_term_rate: Annotated[Fraction, Meta(extra={"example": "0.24"})]
    long_term_rate: Annotated[Fraction, Meta(extra={"example": "0.15"})]
    identity: Annotated[IdentityLevel, Meta(extra={"example": '"same_index"'})] = "same_index"
    identical: tuple[tuple[Symbol, ...], ...] = ()
    not_identical: tuple[tuple[Symbol, ...], ...] = ()
    earlier_acquired: Annotated[bool, Meta(extra={"example": "true"})] = True
    tacking: Annotated[Tacking, Meta(extra={"example": '"period"'})] = "period"
    crypto_wash_from: dt.date | None = None
    ordinary_income: Amount | None = None
    magi: Amount | None = None
    short_carryover: Amount = ZERO
    long_carryover: Amount = ZERO
    carryover_into: CalendarYear | None = None
    later_rate: Fraction | None = None


class PurchaseRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of [[purchases]]: what is bought by itself, outside trimtab, on days known beforehand.

    `first` is one such day; `every` says how it goes on. `amount` is money, about. A purchase in
    a retirement account counts like any other (Rev. Rul. 2008-5).
    """

    account: Identifier
    symbol: Symbol
    first: dt.date
    every: Annotated[
        Literal["once", "week", "two_weeks", "month", "quarter", "year"],
        Meta(extra={"example": '"month"'}),
    ] = "month"
    amount: Amount = ZERO


class FlowRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of [[contributions]] or [[withdrawals]]: money that comes into or leaves an account.

    `first` is one such day; `every` says how it goes on. The money itself moves outside trimtab:
    the plan has the cash for a withdrawal ready, and sells nothing that a contribution will heal.
    """

    account: Identifier
    amount: Amount
    first: dt.date
    every: Annotated[
        Literal["once", "week", "two_weeks", "month", "quarter", "year"],
        Meta(extra={"example": '"month"'}),
    ] = "once"


class HarvestRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[harvest]: which losses are worth taking, and what is bought instead.

    A loss must be this part of the basis: `loss_min_january` early in the year, falling evenly to
    `loss_min_december` on 1 December, and at least `minimum` of money after all costs and later
    tax. A gain put off is taxed after `horizon_years`, discounted at `discount_rate` a year.
    `substitutes` name for a symbol what to buy instead, the preferred one first.
    """

    loss_min_january: Fraction = Weight("0.10")
    loss_min_december: Fraction = Weight("0.03")
    minimum: Amount = Money(50)
    horizon_years: Annotated[int, Meta(extra={"least": 0, "most": 60, "example": "10"})] = 10
    discount_rate: Fraction = Weight("0.04")
    substitutes: dict[Symbol, tuple[Symbol, ...]] = {}


class ScheduleRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[schedule]: when `trimtab watch` looks: so many minutes after the main market opens."""

    calendar: Text = "XNYS"
    minutes_after_open: Annotated[int, Meta(extra={"least": 0, "most": 1_440, "example": "60"})] = (
        60
    )


class PrecommitmentRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[precommitment]: how long an edited policy waits before it is in force."""

    cooling_off_hours: Annotated[int, Meta(extra={"least": 0, "most": 8_760, "example": "72"})] = 72


class DataRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[data]: files beside household.toml. `market` = `invented` needs none for prices.

    `prices` are price files, long or wide; `sales` lists sales made before trimtab took over, for
    the wash-sale windows that they opened. An invented market needs `start` and `seed`.
    """

    market: Annotated[Literal["files", "invented"], Meta(extra={"example": '"files"'})] = "files"
    lots: Text = "lots.csv"
    cash: Text = "cash.csv"
    prices: tuple[Text, ...] = ("prices.csv",)
    sales: Text | None = None
    stale_after_days: Count = 5
    seed: Annotated[int, Meta(extra={"least": 0, "most": 2**63 - 1, "example": "1"})] = 0
    start: dt.date | None = None


class PaperRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[paper]: what the paper broker charges. A spread is used where a price has no bid and ask."""

    fee_per_order: Amount = ZERO
    fee_bps: BasisPoints = ZERO
    spread_bps: BasisPoints = Weight(4)
    crypto_spread_bps: BasisPoints = Weight(20)


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the household has bound itself to; the journal holds the one in force.

    `calendars` are the market hours that the file names for its instruments: they decide when a
    trade may go, so they wait like any other rule.
    """

    classes: dict[str, ClassRule]
    bands: BandRule = BandRule()
    orders: OrderRule = OrderRule()
    plan: PlanRule = PlanRule()
    gates: GateRule = GateRule()
    defensive: DefensiveRule = DefensiveRule()
    reserve: ReserveRule | None = None
    groups: dict[str, GroupRule] = {}
    glide: GlideRule = GlideRule()
    strategy: StrategyRule = StrategyRule()
    schedule: ScheduleRule = ScheduleRule()
    precommitment: PrecommitmentRule = PrecommitmentRule()
    cash_reserves: dict[str, Money] = {}
    calendars: dict[str, str] = {}
    stale_after_days: int = 5


class HouseholdFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `household.toml`: facts about the household, and its policy."""

    household: HouseholdRule
    owners: dict[Identifier, OwnerRule]
    accounts: dict[Identifier, AccountRule]
    instruments: dict[Symbol, InstrumentRule]
    classes: dict[Identifier, ClassRule]
    tax: TaxRule
    bands: BandRule = BandRule()
    orders: OrderRule = OrderRule()
    plan: PlanRule = PlanRule()
    gates: GateRule = GateRule()
    defensive: DefensiveRule = DefensiveRule()
    reserve: ReserveRule | None = None
    groups: dict[Identifier, GroupRule] = {}
    glide: GlideRule = GlideRule()
    strategy: StrategyRule = StrategyRule()
    schedule: ScheduleRule = ScheduleRule()
    precommitment: PrecommitmentRule = PrecommitmentRule()
    data: DataRule = DataRule()
    paper: PaperRule = PaperRule()
    purchases: tuple[PurchaseRule, ...] = ()
    contributions: tuple[FlowRule, ...] = ()
    withdrawals: tuple[FlowRule, ...] = ()
    averaging: tuple[AveragingRule, ...] = ()
    harvest: HarvestRule = HarvestRule()
    yields: YieldsRule = YieldsRule()

    def policy(self) -> Policy:
        """The part of the file that an edit may change only after the cooling-off."""
        return Policy(
            classes=self.classes,
            bands=self.bands,
            orders=self.orders,
            plan=self.plan,
            gates=self.gates,
            defensive=self.defensive,
            reserve=self.reserve,
            groups=self.groups,
            glide=self.glide,
            strategy=self.strategy,
            schedule=self.schedule,
            precommitment=self.precommitment,
            cash_reserves={name: rule.cash_reserve for name, rule in self.accounts.items()},
            calendars={
                symbol: rule.calendar
                for symbol, rule in self.instruments.items()
                if rule.calendar is not None
            },
            stale_after_days=self.data.stale_after_days,
        )


PRESETS: dict[str, BandPolicy] = {
    "swedroe-5-25": BandPolicy(trigger_abs=Weight("0.05"), trigger_rel=Weight("0.25")),
    "vanguard-200-175": BandPolicy(
        trigger_abs=Weight("0.02"), destination=Weight("0.875"), re_arm=Weight("0.875")
    ),
    "daryanani": BandPolicy(
        trigger_rel=Weight("0.20"),
        destination=Weight("0.5"),
        re_arm=Weight("0.5"),
        look_every_days=14,
    ),
    "calendar": BandPolicy(trigger_abs=ZERO, re_arm=ZERO, look_every_days=365),
    "betterment-like": BandPolicy(trigger_abs=Weight("0.03")),
}
"""Published rules as settings: Swedroe's 5/25; Vanguard target-date funds 200/175 basis points
(Vanguard, 2024); Daryanani 2008 (20 % relative, half-way back, every two weeks); once a year; and
Betterment's 3 %, here per class where Betterment sums half of all drifts, hence only "like"."""


def band_policy(rule: BandRule, of_class: ClassRule | None = None) -> BandPolicy:
    """The band that holds for a class: preset, then [bands], then the class's own triggers.

    Giving either trigger in a layer replaces both triggers of the layers below, so that
    `trigger_abs = 0.02` alone is a pure two-point band.
    """
    base = PRESETS[rule.preset]
    trigger_abs, trigger_rel = base.trigger_abs, base.trigger_rel
    for layer in (rule, of_class):
        if layer is not None and (layer.trigger_abs is not None or layer.trigger_rel is not None):
            trigger_abs, trigger_rel = layer.trigger_abs, layer.trigger_rel
    return BandPolicy(
        trigger_abs=trigger_abs,
        trigger_rel=trigger_rel,
        destination=base.destination if rule.destination is None else rule.destination,
        re_arm=base.re_arm if rule.re_arm is None else rule.re_arm,
        cooldown_days=base.cooldown_days if rule.cooldown_days is None else rule.cooldown_days,
        look_every_days=(
            base.look_every_days if rule.look_every_days is None else rule.look_every_days
        ),
    )
