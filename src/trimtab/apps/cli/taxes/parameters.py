"""What tax commands are told in words of their own: numbers, lots, and names paired with values."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource
    from trimtab.domain.trades import LotPick

_DIGITS_MAX = 15
_PLACES_MAX = 10


class NumberType(click.ParamType[Decimal]):
    """A number above zero, read from its digits: a quantity or a price."""

    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """The number that *value* spells, such as 12 or 1,204.375."""
        if isinstance(value, Decimal):
            return value
        number = _number(str(value))
        if number is None:
            self.fail(f"{value!r} is no number above zero: write 12 or 204.375.", param, ctx)
        return number


class MoneyType(click.ParamType[Decimal]):
    """Money of zero or more, read from its digits."""

    name = "amount"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """The amount that *value* spells, such as 0 or 1,500.00."""
        if isinstance(value, Decimal):
            return value
        text = str(value)
        amount = Decimal(0) if text.strip() in {"0", "0.00"} else _number(text)
        if amount is None:
            self.fail(f"{value!r} is no amount: write one of zero or more, 1500.", param, ctx)
        return amount


class PickType(click.ParamType[tuple["LotPick", ...]]):
    """Lots to sell: `t1:10,t2:5`, or `t1#2:5` for a part of a lot."""

    name = "lots"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple["LotPick", ...]:
        """The lots that *value* names, each with its units."""
        from trimtab.domain.trades import LotPick

        if isinstance(value, tuple):
            return value
        picks = []
        for text in str(value).split(","):
            name, _, units = text.strip().rpartition(":")
            lot_id, _, piece = name.partition("#")
            quantity = _number(units)
            if not lot_id or quantity is None:
                self.fail(
                    f"{text.strip()!r} names no lot: write each as LOT:UNITS, such as t1:10,t2:5.",
                    param,
                    ctx,
                )
            picks.append(LotPick(lot_id=lot_id, quantity=quantity, piece=piece or None))
        return tuple(picks)


class PairType(click.ParamType[tuple[str, str]]):
    """A name and what it stands for: `VTI=SCHB`."""

    name = "pair"

    def __init__(self, example: str) -> None:
        """A pair such as *example*."""
        self._example = example

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Both sides of *value*."""
        if isinstance(value, tuple):
            return value
        left, sign, right = (part.strip() for part in str(value).partition("="))
        if not sign or not right:
            self.fail(f"{value!r} is no pair: write it as {self._example}.", param, ctx)
        return left, right


NUMBER = NumberType()
MONEY = MoneyType()
PICKS = PickType()


def symbol_of(source: "TaxSource", text: str) -> str:
    """*text* as the records spell it: capitals matter only where nothing is called otherwise."""
    known = known_symbols(source)
    if text in known:
        return text
    alike = [symbol for symbol in known if symbol.upper() == text.upper()]
    return alike[0] if len(alike) == 1 else text.upper()


def known_symbols(source: "TaxSource") -> frozenset[str]:
    """Every symbol of which the records or the table of listings know anything."""
    held = {lot.symbol for lot in source.ledger.lots()}
    sold = {sale.symbol for sale in source.ledger.sales()}
    grouped = {symbol for group in source.groups for symbol in group}
    planned = {rule.symbol for rule in source.purchases}
    return frozenset({*source.identity.listings, *source.prices, *held, *sold, *grouped, *planned})


def account_of(names: Iterable[str], text: str, option: str) -> str:
    """*text* if it is one of *names*.

    Raises:
        InputError: it is none; *option* is what named it.
    """
    from trimtab.adapters.delimited import nearest
    from trimtab.domain.errors import InputError

    known = list(names)
    if text in known:
        return text
    msg = f"{option}: no account is called {text!r}: {nearest(text, known)}"
    raise InputError(msg)


def prices_of(
    source: "TaxSource", told: Iterable[tuple[str, str]], option: str = "--price"
) -> Mapping[str, Decimal]:
    """The prices of *source* with those that the command was *told*.

    Raises:
        InputError: a price is no number above zero.
    """
    from trimtab.domain.errors import InputError

    prices = dict(source.prices)
    for name, text in told:
        price = _number(text)
        if price is None:
            msg = f"{option}: {text!r} is no price of {name}: write {name}=204.375, say."
            raise InputError(msg)
        prices[symbol_of(source, name)] = price
    return prices


def _number(text: str) -> Decimal | None:
    """The number above zero that *text* writes; None where it is none, or is absurdly long."""
    try:
        number = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    if not number.is_finite() or number <= 0 or not isinstance(exponent, int):
        return None
    return None if exponent < -_PLACES_MAX or number.adjusted() >= _DIGITS_MAX else number
