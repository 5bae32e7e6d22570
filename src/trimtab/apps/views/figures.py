"""Figures as a table's cell shows them, and digits as a document keeps them."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from trimtab.domain.numbers import Money, Price, Weight, to_cents
from trimtab.domain.trades import Term

_HALF_BAR = 9
_TRIGGER_AT = 5


def cents(amount: Money) -> str:
    """Money in whole cents with thousands separators, without its currency: `1,234.50`."""
    return f"{to_cents(amount) + 0:,}"


def price_text(price: Price) -> str:
    """A price with two decimals at least and four at most; six below one."""
    places = 4 if abs(price) >= 1 else 6
    rounded = price.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    whole, _, part = f"{rounded:,f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def rate(weight: Weight) -> str:
    """A weight as a percentage with one decimal: `12.5 %`."""
    return f"{_tenths(weight)} %"


def offset(weight: Weight) -> str:
    """A difference of weights in signed points: `+2.1`."""
    return f"{_tenths(weight):+}"


def digits(number: Decimal) -> str:
    """Every digit of *number*, without an exponent."""
    return f"{number:f}"


def in_cents(amount: Money) -> str:
    """Money in whole cents as a document keeps it: `1234.50`, and never minus zero."""
    return digits(to_cents(amount) + 0)


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 trade`, `2 trades`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def term_word(terms: Iterable[Term]) -> str:
    """`short`, `long`, or `mixed` when both were found."""
    found = {str(term) for term in terms}
    return found.pop() if len(found) == 1 else ("mixed" if found else "")


def typed(command: str, folder: str) -> str:
    """What to type for *command* in the household of *folder*."""
    where = "" if folder == "." else f" --folder {_quoted(folder)}"
    return f"`trimtab {command}{where}`"


def band_bar(drift: Weight, half_width: Weight, *, is_breached: bool) -> str:
    """Where a class stands in its band, in 21 characters: `|---[----+-o--]---|`.

    `+` is the target, `[` and `]` the triggers, `o` the class; `<` and `>` point to one that is
    off the scale. Inside its triggers it is drawn inside them, and a breach is drawn outside.
    """
    places = ["-"] * (2 * _HALF_BAR + 1)
    places[_HALF_BAR] = "+"
    places[_HALF_BAR - _TRIGGER_AT], places[_HALF_BAR + _TRIGGER_AT] = "[", "]"
    if half_width == 0:
        at = _HALF_BAR + 1 if is_breached else 0
    else:
        steps = int((abs(drift) / half_width * _TRIGGER_AT).to_integral_value(ROUND_HALF_UP))
        at = max(steps, _TRIGGER_AT + 1) if is_breached else min(steps, _TRIGGER_AT - 1)
    is_off = at > _HALF_BAR
    sign = -1 if drift < 0 else 1
    places[_HALF_BAR + sign * min(at, _HALF_BAR)] = ("<" if drift < 0 else ">") if is_off else "o"
    return f"|{''.join(places)}|"


def _tenths(weight: Weight) -> Decimal:
    return (weight * 100).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP) + 0


def _quoted(text: str) -> str:
    return f"'{text}'" if " " in text else text
