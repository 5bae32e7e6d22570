"""What happened against what the journal says: every difference is named and blocks its account."""

from collections.abc import Mapping, Sequence

from trimtab.domain.memory import Memory
from trimtab.domain.numbers import CENT, ZERO, Money, Quantity
from trimtab.domain.trades import AccountReport, Discrepancy
from trimtab.domain.values import Lot
from trimtab.rules.words import units

_LOT_QUANTITY_GRAIN = Quantity("0.000001")


def compare(memory: Memory, report: AccountReport) -> tuple[Discrepancy, ...]:
    """The differences between the journal and the broker's word about one account.

    Positions and cash are compared over the union of what either side knows: what a broker has
    stopped mentioning is a difference too. Lots are compared only where positions agree and the
    broker tells them, by symbol and acquisition date, since lot numbers differ from house to house.
    Positions and cash agree to the last digit; a lot's parts may be rounded in another way.
    """
    lots = [lot for lot in memory.lots.values() if lot.account == report.account]
    found = _positions(report, _by_symbol(lots))
    found += _cash(memory, report)
    if not found and report.lots is not None:
        found += _lots(report.account, lots, report.lots)
    return tuple(found)


def _positions(report: AccountReport, booked: Mapping[str, Quantity]) -> list[Discrepancy]:
    found = []
    for symbol in sorted({*booked, *report.positions}):
        expected, actual = booked.get(symbol, ZERO), report.positions.get(symbol, ZERO)
        if expected == actual:
            continue
        kind = "position-differs"
        if actual == 0:
            kind = "position-missing"
        elif expected == 0:
            kind = "position-unexpected"
        found.append(
            Discrepancy(
                kind=kind,
                account=report.account,
                subject=symbol,
                expected=units(expected),
                found=units(actual),
                sentence=(
                    f"{report.account}: the journal holds {units(expected)} {symbol} and the "
                    f"broker says {units(actual)}."
                ),
            )
        )
    return found


def _cash(memory: Memory, report: AccountReport) -> list[Discrepancy]:
    booked: dict[str, Money] = {
        currency: amount
        for (account, currency), amount in memory.cash.items()
        if account == report.account
    }
    found = []
    for currency in sorted({*booked, *report.cash}):
        expected, actual = booked.get(currency, ZERO), report.cash.get(currency, ZERO)
        if expected != actual:
            found.append(
                Discrepancy(
                    kind="cash-differs",
                    account=report.account,
                    subject=currency,
                    expected=f"{expected:f}",
                    found=f"{actual:f}",
                    sentence=(
                        f"{report.account}: the journal holds {expected:,f} {currency} in cash "
                        f"and the broker says {actual:,f}."
                    ),
                )
            )
    return found


def _lots(account: str, own: Sequence[Lot], told: Sequence[Lot]) -> list[Discrepancy]:
    booked, reported = _by_purchase(own), _by_purchase(told)
    found = []
    for key in sorted({*booked, *reported}):
        expected, actual = booked.get(key, (ZERO, ZERO)), reported.get(key, (ZERO, ZERO))
        if _is_rounding(expected, actual):
            continue
        symbol, acquired = key
        found.append(
            Discrepancy(
                kind="lots-differ",
                account=account,
                subject=f"{symbol} of {acquired}",
                expected=f"{units(expected[0])} at {expected[1]:f}",
                found=f"{units(actual[0])} at {actual[1]:f}",
                sentence=(
                    f"{account}: of the {symbol} bought on {acquired} the journal holds "
                    f"{units(expected[0])} with a basis of {expected[1]:,f}, and the broker "
                    f"{units(actual[0])} with {actual[1]:,f}."
                ),
            )
        )
    return found


def _is_rounding(expected: tuple[Quantity, Money], actual: tuple[Quantity, Money]) -> bool:
    """Whether two lots differ by less than anybody's rounding of the parts of a sale or a split."""
    return (
        abs(expected[0] - actual[0]) < _LOT_QUANTITY_GRAIN and abs(expected[1] - actual[1]) < CENT
    )


def _by_symbol(lots: Sequence[Lot]) -> dict[str, Quantity]:
    sums: dict[str, Quantity] = {}
    for lot in lots:
        sums[lot.symbol] = sums.get(lot.symbol, ZERO) + lot.quantity
    return sums


def _by_purchase(lots: Sequence[Lot]) -> dict[tuple[str, str], tuple[Quantity, Money]]:
    sums: dict[tuple[str, str], tuple[Quantity, Money]] = {}
    for lot in lots:
        key = (lot.symbol, lot.acquired.isoformat())
        quantity, basis = sums.get(key, (ZERO, ZERO))
        sums[key] = (quantity + lot.quantity, basis + lot.basis)
    return sums
