"""A household's tax history as values: what was bought, sold and moved, and what came of it."""

import datetime as dt
from enum import StrEnum

from msgspec import Struct

from trimtab.domain.numbers import ZERO, Money, Quantity
from trimtab.domain.policy import LotMethod, Tacking
from trimtab.domain.trades import LotPick, Term
from trimtab.domain.values import AccountKind, OwnerRole

HOUSEHOLD = "household"
"""The taxpayer that the owner and the spouse are together, for wash sales."""


class TransactionKind(StrEnum):
    """What happened to units of a symbol in an account.

    `opening` are units held when the records begin, `closed` a sale from before them, known with
    its lot, `removed` units that left without a sale that anybody told of, and `restated` a lot
    whose cost the books now tell differently, `renamed` one that they call otherwise. `review` is
    something that the rules do not judge (an option, a short sale): it only asks for a person's
    eye.
    """

    BUY = "buy"
    REINVEST = "reinvest"
    VEST = "vest"
    GIFT = "gift"
    SELL = "sell"
    TRANSFER = "transfer"
    SPLIT = "split"
    DIVIDEND = "dividend"
    OPENING = "opening"
    CLOSED = "closed"
    REMOVED = "removed"
    RESTATED = "restated"
    RENAMED = "renamed"
    REVIEW = "review"


class Reporting(StrEnum):
    """Which form the broker sent about a sale, and whether it told the IRS the basis."""

    BASIS_REPORTED = "1099b_reported"
    BASIS_UNREPORTED = "1099b_unreported"
    NONE = "none"
    DIGITAL_REPORTED = "1099da_reported"
    DIGITAL_UNREPORTED = "1099da_unreported"


class Transaction(Struct, frozen=True, kw_only=True):
    """One line of the history; transactions come in the order in which they were executed.

    `date` is the trade date (of a dividend: the ex-date) in New York. `amount` is the gross money
    of a trade, never negative, before `fee`. Fills of one order share `order_id`. Which other
    fields count depends on `kind`:

    - `sell`: `method`, and `picks` where it is `specified`; `reporting`, None for the usual form;
    - `gift`, `opening`, `closed`: `basis` and `acquired`, with `holding_since` where it differs;
      `closed` also `lot_id` and `disallowed`;
    - `transfer`: `to_account`, and `picks` or first in, first out; `lot_id` where the lot has
      another name there;
    - `split`: `numerator` new units for `denominator` old ones, and where the books rounded,
      `picks` with the units of each lot after it;
    - `removed`: `picks`, and the `basis` and `acquired` of what left; `restated`: `lot_id` and the
      `basis` of all that is left of the lot, without what wash sales added; `renamed`: `lot_id`
      and the new name as `text`;
    - `dividend`: `per_share`, and what kind of dividend it is;
    - `review`: `text` says what a person must look at.

    `source` is where it was read, such as `history.csv line 7`.
    """

    id: str
    date: dt.date
    account: str
    kind: TransactionKind
    symbol: str
    quantity: Quantity = ZERO
    amount: Money = ZERO
    fee: Money = ZERO
    order_id: str = ""
    method: LotMethod = "fifo"
    picks: tuple[LotPick, ...] = ()
    reporting: Reporting | None = None
    basis: Money | None = None
    acquired: dt.date | None = None
    holding_since: dt.date | None = None
    lot_id: str = ""
    disallowed: Money = ZERO
    to_account: str = ""
    numerator: int = 1
    denominator: int = 1
    per_share: Money = ZERO
    is_preferred: bool = False
    is_nonqualified: bool = False
    text: str = ""
    source: str = ""


class TaxAccount(Struct, frozen=True, kw_only=True):
    """An account as tax law sees it: whose it is and how it is taxed."""

    id: str
    owner: str
    role: OwnerRole = OwnerRole.SELF
    kind: AccountKind = AccountKind.TAXABLE

    @property
    def taxpayer(self) -> str:
        """The unit that a wash sale is searched over: the household, or another owner alone."""
        return HOUSEHOLD if self.role is not OwnerRole.OTHER else f"owner {self.owner}"

    @property
    def is_taxed(self) -> bool:
        """Whether its sales are gains and losses of a year."""
        return self.kind.is_taxed


class WashRule(Struct, frozen=True, kw_only=True):
    """What counts as substantially identical, and the answers to what the law leaves open.

    `groups` hold symbols that are substantially identical to each other; a symbol is always so to
    itself. `exempt` are coins and currencies, no stock or securities (Notice 2014-21), until
    `crypto_wash_from` where Congress should set such a date. `earlier_acquired` counts shares
    bought within the window but before the shares sold.
    """

    groups: tuple[tuple[str, ...], ...] = ()
    exempt: frozenset[str] = frozenset()
    crypto_wash_from: dt.date | None = None
    earlier_acquired: bool = True
    tacking: Tacking = "period"

    def is_exempt(self, symbol: str, sold: dt.date) -> bool:
        """Whether section 1091 does not reach a loss on *symbol* realized on *sold*."""
        if symbol not in self.exempt:
            return False
        return self.crypto_wash_from is None or sold < self.crypto_wash_from


class LotSale(Struct, frozen=True, kw_only=True):
    """Units of one lot sold together: a row of the tax log. Amounts are exact, never rounded.

    `holding_since` is the start after tacking; `basis` already holds what earlier wash sales added.
    `disallowed` is the loss that section 1091 disallows (column g of Form 8949), of which
    `permanent` went to a retirement account and is lost. `replaced` units have been matched.
    `piece` names the part of the lot that a wash sale made, empty for the rest of it.
    """

    id: str
    sale_id: str
    account: str
    symbol: str
    lot_id: str
    quantity: Quantity
    acquired: dt.date
    holding_since: dt.date
    sold: dt.date
    proceeds: Money
    basis: Money
    term: Term
    is_taxed: bool
    disallowed: Money = ZERO
    permanent: Money = ZERO
    replaced: Quantity = ZERO
    is_exempt: bool = False
    reporting: Reporting = Reporting.BASIS_REPORTED
    order_id: str = ""
    piece: str = ""
    source: str = ""

    @property
    def raw_gain(self) -> Money:
        """Proceeds less basis, before section 1091; negative for a loss."""
        return self.proceeds - self.basis

    @property
    def gain(self) -> Money:
        """Proceeds less basis plus the disallowed loss: column h of Form 8949."""
        return self.proceeds - self.basis + self.disallowed


class TaxLot(Struct, frozen=True, kw_only=True):
    """Units still held that have one basis and one holding period.

    `basis` is the wash-adjusted cost of all of them and `paid` the cost without adjustments.
    `is_used` units have replaced a loss already; each share does so once. `purchase` names the
    acquisition: units of one purchase never replace each other (Rev. Rul. 56-602).
    """

    account: str
    lot_id: str
    piece: str
    symbol: str
    quantity: Quantity
    basis: Money
    paid: Money
    acquired: dt.date
    holding_since: dt.date
    is_purchase: bool
    is_used: bool
    purchase: str


class WashMatch(Struct, frozen=True, kw_only=True):
    """Units sold at a loss and the units that replaced them, share for share.

    `sale_row` is the id of the `LotSale`. `disallowed` is the loss of these units: added to the
    replacement's basis, or `is_permanent` where a retirement account bought it (Rev. Rul. 2008-5).
    """

    sale_row: str
    sale_id: str
    symbol: str
    account: str
    lot_id: str
    sold: dt.date
    replacement_account: str
    replacement_symbol: str
    replacement_lot: str
    acquired: dt.date
    quantity: Quantity
    disallowed: Money
    is_permanent: bool


class Review(Struct, frozen=True, kw_only=True):
    """Something within a window that the rules do not judge, for a person to look at."""

    account: str
    symbol: str
    date: dt.date
    sentence: str
