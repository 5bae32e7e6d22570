"""What the rules do not judge, found beside a loss: options, short sales, contracts to buy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from trimtab.domain.history import Review, TaxAccount, Transaction
from trimtab.rules.tax.matching import Disposed, in_window


def reviews_of(
    to_review: Iterable[Transaction],
    losses: Sequence[Disposed],
    accounts: Mapping[str, TaxAccount],
    groups: Mapping[str, str],
) -> tuple[Review, ...]:
    """Each thing to review that lies within the window of a loss on something identical.

    An option or a contract to buy counts as a purchase (26 CFR 1.1091-1(f)), and closing a short
    sale has a rule of its own (26 USC 1091(e)). *groups* name the symbols that count as one.
    """
    return tuple(
        Review(
            account=transaction.account,
            symbol=transaction.symbol,
            date=transaction.date,
            sentence=(
                f"{transaction.text or 'An option or a short position'} of {transaction.date} in "
                f"{transaction.account} lies within 30 days of the loss on {row.lot.symbol} of "
                f"{row.sold}: it may be a purchase in the sense of section 1091, which is not "
                "judged here. Review it by hand."
            ),
        )
        for transaction in to_review
        for row in _near(transaction, losses, accounts[transaction.account].taxpayer, groups)
    )


def gift_reviews(losses: Iterable[Disposed]) -> tuple[Review, ...]:
    """Losses on gifts: their basis for a loss may be lower than the giver's (26 USC 1015(a))."""
    return tuple(
        Review(
            account=row.account.id,
            symbol=row.lot.symbol,
            date=row.sold,
            sentence=(
                f"The loss on {row.lot.symbol} of {row.sold} is on units that were a gift: it "
                "counts from the market value on the day of the gift, where that was below the "
                "giver's basis (26 USC 1015(a)), which is not judged here. Review it by hand."
            ),
        )
        for row in losses
        if not row.lot.is_purchase
    )


def _near(
    transaction: Transaction, losses: Iterable[Disposed], taxpayer: str, groups: Mapping[str, str]
) -> Iterator[Disposed]:
    name = groups.get(transaction.symbol, transaction.symbol)
    for row in losses:
        is_identical = groups.get(row.lot.symbol, row.lot.symbol) == name
        if (
            is_identical
            and row.account.taxpayer == taxpayer
            and in_window(row.sold, transaction.date)
        ):
            yield row
