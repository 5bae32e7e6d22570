"""What a trade costs: spread, fees and slippage of each symbol, per unit and per dollar."""

from typing import NamedTuple

from trimtab.domain.numbers import BASIS_POINT, ONE, to_float
from trimtab.domain.policy import OrderRule
from trimtab.domain.values import Quote


class Terms(NamedTuple):
    """What trading a symbol comes to: prices of one unit, expected and at the limit."""

    mid: float
    sale: float
    sale_cash: float
    sale_cost: float
    buy_cost: float
    buy_cash: float


class Margins(NamedTuple):
    """What is left of a sale and paid for a purchase, in parts: as expected, and at the limit."""

    kept: float
    kept_least: float
    paid: float
    paid_most: float


def margins_of(rule: OrderRule) -> Margins:
    """The parts under the policy's fees and slippage."""
    fee, slippage = rule.fee_buffer_bps * BASIS_POINT, rule.slippage_max_bps * BASIS_POINT
    parts = ONE - fee, ONE - fee - slippage, ONE + fee, ONE + fee + slippage
    return Margins(*(to_float(part) for part in parts))


def terms_of(quote: Quote, margins: Margins) -> Terms:
    """Prices, costs and cash per dollar at the middle, for one symbol."""
    price = quote.price
    mid, bid = to_float(price), to_float(quote.bid / price)
    ask = 2.0 - bid
    return Terms(
        mid,
        bid * mid * margins.kept,
        bid * margins.kept_least,
        1.0 - bid * margins.kept,
        ask * margins.paid - 1.0,
        ask * margins.paid_most,
    )
