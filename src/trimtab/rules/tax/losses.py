"""Pieces of lots at a loss: what a harvest looks at, and the words for them."""

import datetime as dt
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.history import TaxLot
from trimtab.domain.numbers import ZERO, Money, Quantity
from trimtab.domain.trades import LotPick, Term
from trimtab.rules.tax.guard import Guarded
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.lots import long_term_from, term_of
from trimtab.rules.tax.matching import WINDOW_DAYS
from trimtab.rules.tax.substitution import Market
from trimtab.rules.words import money, percent, units


class HarvestState(StrEnum):
    """`take` it; `ask` a person first, for a part is washed or a record may lack; `leave` it."""

    TAKE = "take"
    ASK = "ask"
    LEAVE = "leave"


class Harvest(Struct, frozen=True, kw_only=True):
    """A piece of a lot at a loss, and whether to sell it now.

    `loss` is positive and holds the cost of the sale; `disallowed` is the part that a wash sale
    would take. `saved` is tax now, `later` the tax on the gain that is put off, `costs` all the
    trading. Before the day `harvest_before` the loss is short term and worth more. The figures
    are filled in as far as the decision went, and `guard` where it was asked.
    """

    account: str
    symbol: str
    lot_id: str
    piece: str
    quantity: Quantity
    acquired: dt.date
    term: Term
    proceeds: Money
    basis: Money
    state: HarvestState = HarvestState.LEAVE
    disallowed: Money = ZERO
    saved: Money = ZERO
    later: Money = ZERO
    costs: Money = ZERO
    substitute: str = ""
    harvest_before: dt.date | None = None
    guard: Guarded | None = None
    sentence: str = ""

    @property
    def loss(self) -> Money:
        """The loss before section 1091, positive."""
        return self.basis - self.proceeds

    @property
    def worth(self) -> Money:
        """What is left of the saving after later tax and costs."""
        return self.saved - self.later - self.costs

    @property
    def pick(self) -> LotPick:
        """The units as they are named to the broker."""
        return LotPick(lot_id=self.lot_id, quantity=self.quantity, piece=self.piece)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names the piece in the whole household."""
        return self.account, self.symbol, self.lot_id, self.piece


def losses(ledger: Ledger, market: Market) -> list[Harvest]:
    """Pieces at a loss after the cost of the sale; parts of one lot and name are one."""
    joined: dict[tuple[str, str, str, str], TaxLot] = {}
    for lot in ledger.lots():
        account = ledger.accounts[lot.account]
        if account.is_taxed and account.taxpayer == "household" and lot.symbol in market.prices:
            key = (lot.account, lot.symbol, lot.lot_id, lot.piece)
            known = joined.get(key)
            joined[key] = lot if known is None else _added(known, lot)
    found = [
        Harvest(
            account=lot.account,
            symbol=lot.symbol,
            lot_id=lot.lot_id,
            piece=lot.piece,
            quantity=lot.quantity,
            acquired=lot.acquired,
            term=term_of(lot.holding_since, market.on),
            proceeds=lot.quantity * market.prices[lot.symbol] * (1 - market.cost(lot.symbol)),
            basis=lot.basis,
            harvest_before=_soon_long(lot.holding_since, market.on),
        )
        for lot in joined.values()
    ]
    return [one for one in found if one.loss > 0]


def _added(lot: TaxLot, other: TaxLot) -> TaxLot:
    return replace(
        lot,
        quantity=lot.quantity + other.quantity,
        basis=lot.basis + other.basis,
        holding_since=min(lot.holding_since, other.holding_since),
    )


def _soon_long(holding_since: dt.date, on: dt.date) -> dt.date | None:
    """The day from which the units are long term, if that is within 30 days."""
    day = long_term_from(holding_since)
    return day if on < day <= on + dt.timedelta(days=WINDOW_DAYS) else None


def name_of(one: Harvest) -> str:
    """What it is, where, and since when."""
    term = "short" if one.term is Term.SHORT else "long"
    return (
        f"{units(one.quantity)} {one.symbol} of lot {one.lot_id} in {one.account} (bought "
        f"{one.acquired}, {term} term)"
    )


def size_of(one: Harvest) -> str:
    """The loss in money and as a part of the basis."""
    return f"{money(one.loss)} ({percent(one.loss / one.basis)} of the basis)"
