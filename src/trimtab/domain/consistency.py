"""Checks the parts of a household file against each other, as far as they could be read."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TypeVar

from msgspec import UNSET

from trimtab.domain.aim_faults import aim_faults, sum_faults
from trimtab.domain.incoming import AveragingRule
from trimtab.domain.policy import PRESETS, FlowRule, HouseholdFile, PurchaseRule, band_policy
from trimtab.domain.reading import is_known, join, one_of, quoted
from trimtab.domain.values import AccountKind, InstrumentKind, OwnerRole
from trimtab.domain.yield_faults import yield_faults

KnowsCalendar = Callable[[str], bool]

_Rule = TypeVar("_Rule")
_PAIR = re.compile(r"[A-Z]{6}")


def _rules(table: Mapping[str, _Rule]) -> Iterator[tuple[str, _Rule]]:
    """The entries of a table of rules, as far as they could be read."""
    if is_known(table):
        yield from ((name, rule) for name, rule in table.items() if is_known(rule))


def _base_currency(file: HouseholdFile) -> str:
    """The base currency; empty when it could not be read."""
    if is_known(file.household) and is_known(file.household.base_currency):
        return file.household.base_currency
    return ""


def cross_faults(file: HouseholdFile, knows_calendar: KnowsCalendar | None) -> list[str]:
    """Where the parts of *file* contradict each other, one sentence each."""
    checks = (
        _owner_faults,
        _account_faults,
        _instrument_faults,
        _class_faults,
        aim_faults,
        _yield_faults,
        _band_faults,
        _mentioned_symbol_faults,
        _holding_limit_faults,
        _lot_method_faults,
        _defensive_faults,
        _reserve_faults,
        _named_account_faults,
        _flow_faults,
        _averaging_faults,
        _identical_faults,
        _data_faults,
        _fee_faults,
        yield_faults,
        _curve_faults,
    )
    faults = [fault for check in checks for fault in check(file)]
    if knows_calendar is not None:
        faults += _calendar_faults(file, knows_calendar)
    return faults


def _owner_faults(file: HouseholdFile) -> Iterator[str]:
    roles = [(name, rule.role) for name, rule in _rules(file.owners)]
    is_whole = is_known(file.owners) and len(roles) == len(file.owners)
    for role in (OwnerRole.SELF, OwnerRole.SPOUSE):
        names = [name for name, each in roles if each is role]
        if len(names) > 1:
            yield f'owners: {" and ".join(names)} all have role = "{role}"; write it for one'
    if is_whole and not any(role in {OwnerRole.SELF, UNSET} for _, role in roles):
        yield 'owners: nobody has role = "self"; write it for the person who runs trimtab'


def _account_faults(file: HouseholdFile) -> Iterator[str]:
    for name, rule in _rules(file.accounts):
        if is_known(file.owners, rule.owner) and rule.owner not in file.owners:
            path, instead = join("accounts", name), one_of(rule.owner, file.owners)
            yield f'{path}.owner: nobody is called "{rule.owner}"; write {instead}'


def _instrument_faults(file: HouseholdFile) -> Iterator[str]:
    base = _base_currency(file)
    for symbol, rule in _rules(file.instruments):
        path = join("instruments", symbol)
        if symbol == base:
            yield f"{path}: {base} is the base currency, which is cash; remove this table"
        elif rule.kind is InstrumentKind.FOREX and not _PAIR.fullmatch(symbol):
            yield f"{path}: a forex pair is two currency codes; write it like EURUSD"
        elif rule.kind is InstrumentKind.FOREX and rule.currency not in {symbol[3:], "USD", UNSET}:
            yield f'{path}.currency: {symbol} is quoted in {symbol[3:]}; write "{symbol[3:]}"'
        elif base and is_known(rule.kind, rule.currency) and not _is_convertible(file, symbol):
            pair = f"{rule.currency}{base}"
            yield (
                f"{path}.currency: nothing says what one {rule.currency} is in {base}; "
                f'write [instruments.{pair}] with kind = "forex"'
            )


def _is_convertible(file: HouseholdFile, symbol: str) -> bool:
    rule, base = file.instruments[symbol], _base_currency(file)
    if rule.kind is InstrumentKind.FOREX or rule.currency == base:
        return True
    pairs = {f"{rule.currency}{base}", f"{base}{rule.currency}"}
    return any(name in pairs for name in file.instruments)


def _class_faults(file: HouseholdFile) -> Iterator[str]:
    homes: dict[str, str] = {}
    for name, rule in _rules(file.classes):
        if not is_known(rule.members):
            continue
        path = f"{join('classes', name)}.members"
        if not rule.members:
            yield f'{path}: empty; write at least one symbol, such as members = ["VTI"]'
        for symbol in rule.members:
            if symbol in homes:
                yield f"{path}: {symbol} is already in class {homes[symbol]}; keep it in one place"
            homes.setdefault(symbol, name)
            fault = _member_fault(file, symbol, is_alone=len(rule.members) == 1)
            if fault:
                yield f"{path}: {fault}"


def _member_fault(file: HouseholdFile, symbol: str, *, is_alone: bool) -> str:
    base = _base_currency(file)
    if not base or not is_known(file.instruments):
        return ""
    if symbol == base:
        return "" if is_alone else f"{base} is cash; give it a class in which it stands alone"
    if symbol not in file.instruments:
        known = [*file.instruments, base]
        return (
            f"{symbol} is not described; write [instruments.{symbol}], or {one_of(symbol, known)}"
        )
    rule = file.instruments[symbol]
    if is_known(rule) and rule.kind is InstrumentKind.FOREX:
        return f"{symbol} is a forex pair, which only converts prices; hold a fund or cash instead"
    return ""


def _yield_faults(file: HouseholdFile) -> Iterator[str]:
    """Cash stays in its account, so the yield of a cash class could decide nothing."""
    base = _base_currency(file)
    for name, rule in _rules(file.classes):
        if not base or rule.members != (base,):
            continue
        for key, part in (
            ("ordinary_yield", rule.ordinary_yield),
            ("qualified_yield", rule.qualified_yield),
        ):
            if is_known(part) and part != 0:
                yield (
                    f"{join('classes', name)}.{key}: {base} is cash, which stays in its account; "
                    "remove this line"
                )


def _band_faults(file: HouseholdFile) -> Iterator[str]:
    rule = file.bands
    if not is_known(rule) or not is_known(rule.preset):
        return
    if rule.preset not in PRESETS:
        instead = one_of(rule.preset, PRESETS)
        yield f"bands.preset: {quoted(rule.preset)} is unknown; write {instead}"
    elif is_known(rule.destination, rule.re_arm):
        band = band_policy(rule)
        if band.destination > band.re_arm:
            yield (
                f"bands.destination: {band.destination} lies outside re_arm = {band.re_arm}, so a "
                "correction that stops there would never end its episode; write at most "
                f"{band.re_arm}, or re_arm = {band.destination} or more"
            )


def _mentioned_symbol_faults(file: HouseholdFile) -> Iterator[str]:
    if not is_known(file.instruments):
        return
    mentions: list[tuple[str, Iterable[str | None]]] = []
    if is_known(file.orders):
        mentions += [("orders.no_buy", file.orders.no_buy), ("orders.no_sell", file.orders.no_sell)]
    if is_known(file.plan):
        limits = file.plan.holdings_max
        mentions += [
            (join("plan.holdings_max", symbol), (symbol,))
            for symbol, _ in _rules(limits)
            if symbol != _base_currency(file)
        ]
    if is_known(file.gates):
        mentions.append(("gates.market_index", (file.gates.market_index,)))
    symbols = [
        (path, symbol) for path, several in mentions if is_known(several) for symbol in several
    ]
    for path, symbol in symbols:
        if symbol and is_known(symbol) and symbol not in file.instruments:
            instead = one_of(symbol, file.instruments)
            yield f"{path}: {symbol} is not described; write [instruments.{symbol}], or {instead}"


def _holding_limit_faults(file: HouseholdFile) -> Iterator[str]:
    """A limit bounds purchases, and only the members of a class are ever bought."""
    base = _base_currency(file)
    if is_known(file.plan) and base in dict(_rules(file.plan.holdings_max)):
        path = join("plan.holdings_max", base)
        yield f"{path}: {base} is cash, which is what is left over; remove this limit"
    if not is_known(file.plan, file.instruments, file.classes):
        return
    classes = [rule for _, rule in _rules(file.classes)]
    if len(classes) < len(file.classes) or not is_known(*(rule.members for rule in classes)):
        return
    members = {symbol for rule in classes for symbol in rule.members}
    for symbol, _ in _rules(file.plan.holdings_max):
        if symbol in file.instruments and symbol not in members:
            yield (
                f"{join('plan.holdings_max', symbol)}: {symbol} is in no class, so it is never "
                "bought; remove this limit, or add the symbol to the members of a class"
            )


def _lot_method_faults(file: HouseholdFile) -> Iterator[str]:
    if (
        is_known(file.orders)
        and file.orders.lot_method == "specified"
        and not file.orders.specified
    ):
        yield 'orders.specified: empty; lot_method = "specified" needs lots, such as ["lot-7"]'


def _defensive_faults(file: HouseholdFile) -> Iterator[str]:
    rule = file.defensive
    if not is_known(rule) or not is_known(rule.targets, rule.posture):
        return
    if rule.posture == "reduce_only":
        if rule.targets:
            yield 'defensive.targets: used only with posture = "targets"; write that or remove them'
        return
    if not rule.targets:
        yield 'defensive.targets: missing; posture = "targets" needs a weight for every class'
        return
    if is_known(file.classes):
        for name in [name for name in rule.targets if name not in file.classes]:
            instead = one_of(name, file.classes)
            yield f"{join('defensive.targets', name)}: no class is called so; write {instead}"
        for name in [name for name in file.classes if name not in rule.targets]:
            yield f"{join('defensive.targets', name)}: missing; write its weight, or {name} = 0"
    yield from sum_faults("defensive.targets: the weights", rule.targets.values())


def _reserve_faults(file: HouseholdFile) -> Iterator[str]:
    rule = file.reserve
    if rule is None or not is_known(rule, file.accounts) or not is_known(rule.account):
        return
    if rule.account not in file.accounts:
        instead = one_of(rule.account, file.accounts)
        yield f'reserve.account: no account is called "{rule.account}"; write {instead}'
        return
    account = file.accounts[rule.account]
    if is_known(account) and account.kind is AccountKind.CRYPTO:
        yield f"reserve.account: {rule.account} is a crypto wallet; name an account that holds cash"


def _named_account_faults(file: HouseholdFile) -> Iterator[str]:
    """Purchases, contributions, withdrawals and averaging happen in accounts of the household."""
    if not is_known(file.accounts):
        return
    tables: tuple[tuple[str, tuple[PurchaseRule | FlowRule | AveragingRule, ...]], ...] = (
        ("purchases", file.purchases),
        ("contributions", file.contributions),
        ("withdrawals", file.withdrawals),
        ("averaging", file.averaging),
    )
    for table, rules in tables:
        for number, rule in enumerate(rules if is_known(rules) else (), start=1):
            if is_known(rule.account) and rule.account not in file.accounts:
                path, instead = f"{table}[{number}].account", one_of(rule.account, file.accounts)
                yield f'{path}: no account is called "{rule.account}"; write {instead}'


def _flow_faults(file: HouseholdFile) -> Iterator[str]:
    flows = (("contributions", file.contributions), ("withdrawals", file.withdrawals))
    for table, rules in flows:
        for number, rule in enumerate(rules if is_known(rules) else (), start=1):
            if rule.amount == 0:
                path = f"{table}[{number}].amount"
                yield f"{path}: 0 moves no money; write more, or remove this table"


def _averaging_faults(file: HouseholdFile) -> Iterator[str]:
    """Each way needs its own keys, and the cash of an account can wait for one rule only."""
    seen: set[str] = set()
    for number, rule in enumerate(file.averaging if is_known(file.averaging) else (), start=1):
        path = f"averaging[{number}]"
        if rule.amount == 0:
            yield f"{path}.amount: 0 moves no money; write more, or remove this table"
        if is_known(rule.account) and rule.account in seen:
            yield f"{path}.account: {rule.account} has another [[averaging]]; keep one of them"
        elif is_known(rule.account):
            seen.add(rule.account)
        if rule.by == "parts" and rule.parts is None:
            yield f'{path}.parts: missing; by = "parts" needs a number, such as parts = 12'
        if rule.by == "value" and rule.parts is not None:
            yield f'{path}.parts: used only with by = "parts"; write that or remove this line'
        if rule.by == "value" and rule.expected_return is None:
            yield f'{path}.expected_return: missing; by = "value" needs one, such as 0.06 a year'


def _identical_faults(file: HouseholdFile) -> Iterator[str]:
    if not is_known(file.tax) or not is_known(file.tax.identical):
        return
    for group in file.tax.identical:
        if len(set(group)) < 2:  # noqa: PLR2004  alone, a symbol is identical to itself anyway
            yield (
                f"tax.identical: the group {json.dumps(group)} names fewer than two symbols; write "
                'groups such as ["VOO", "IVV"]'
            )


def _data_faults(file: HouseholdFile) -> Iterator[str]:
    data = file.data
    if not is_known(data):
        return
    if data.prices == () and data.market == "files":
        yield 'data.prices: empty; write at least one file, such as prices = ["prices.csv"]'
    names = [("lots", data.lots), ("cash", data.cash), ("sales", data.sales)]
    if is_known(data.prices):
        names += [("prices", name) for name in data.prices]
    for key, name in names:
        if name is not None and is_known(name) and not _stays_inside(name):
            yield (
                f"data.{key}: {quoted(name)} leaves the household's folder; write the name of a "
                f'file inside it, such as "{key}.csv"'
            )


def _curve_faults(file: HouseholdFile) -> Iterator[str]:
    if not is_known(file.yields) or file.yields.curve is None or not is_known(file.yields.curve):
        return
    if not _stays_inside(file.yields.curve):
        yield (
            f"yields.curve: {quoted(file.yields.curve)} leaves the household's folder; write the "
            'name of a file inside it, such as "treasury-curve.csv"'
        )


def _fee_faults(file: HouseholdFile) -> Iterator[str]:
    """An order of the minimum must be able to pay its fee out of what is kept back for it."""
    orders, paper = file.orders, file.paper
    if not is_known(orders, paper):
        return
    numbers = (orders.minimum, orders.fee_buffer_bps, paper.fee_per_order, paper.fee_bps)
    if not is_known(*numbers):
        return
    fee = paper.fee_per_order + orders.minimum * paper.fee_bps / 10_000
    if fee > orders.minimum * orders.fee_buffer_bps / 10_000:
        yield (
            f"orders.fee_buffer_bps: {orders.fee_buffer_bps:f} keeps back too little for the fee "
            f"of {fee:f} on an order of the minimum, {orders.minimum:f}; write a larger "
            "fee_buffer_bps or a larger minimum"
        )


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    has_drive = ":" in name
    return name.isprintable() and not (
        path.is_absolute() or has_drive or ".." in path.parts or name.startswith("~")
    )


def _calendar_faults(file: HouseholdFile, knows_calendar: KnowsCalendar) -> Iterator[str]:
    named = [
        (f"{join('instruments', symbol)}.calendar", rule.calendar)
        for symbol, rule in _rules(file.instruments)
    ]
    if is_known(file.schedule):
        named.append(("schedule.calendar", file.schedule.calendar))
    for path, code in named:
        if code is None or not is_known(code) or knows_calendar(code):
            continue
        yield f'{path}: {quoted(code)} is unknown; write an exchange such as "XNYS", or "24/7"'


def invented_faults(document: Mapping[str, object]) -> Iterator[str]:
    """An invented market is determined by its seed and start, so both are written down."""
    data = document.get("data")
    if isinstance(data, dict) and data.get("market") == "invented":
        for key, example in (("start", "2024-01-02"), ("seed", "1")):
            if key not in data:
                yield f'data.{key}: missing; with market = "invented" write {key} = {example}'
