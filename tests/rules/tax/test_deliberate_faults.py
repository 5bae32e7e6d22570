"""Faults that tax programs really have, put into the ledger one by one: each turns cases red.

A fault names the worked cases that must find it; the random households must find it too. Without
the fault, all of these are green.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache

import pytest
from msgspec import Struct
from msgspec.structs import replace
from tests.answers.tax_adapters import plain_cases
from tests.answers.tax_checks import Case, differences
from tests.rules.tax.histories import history
from tests.rules.tax.trial import disagreements

from trimtab.domain.errors import InputError
from trimtab.domain.history import LotSale, TaxAccount, TransactionKind, WashRule
from trimtab.domain.values import AccountKind
from trimtab.rules.tax import ledger, lots, matching
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.matching import Group

Break = Callable[[pytest.MonkeyPatch], None]
SEEDS = 1_500


class Fault(Struct, frozen=True):
    """How to break the ledger, and the worked cases that must notice."""

    name: str
    put_in: Break
    cases: tuple[str, ...]


def _window_of(days: int) -> Break:
    def put_in(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(matching, "WINDOW_DAYS", days)

    return put_in


def _year_of_365_days(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lots, "long_term_from", lambda since: since + dt.timedelta(days=365))


def _anniversary_is_long(patch: pytest.MonkeyPatch) -> None:
    right = lots.long_term_from
    patch.setattr(lots, "long_term_from", lambda since: right(since) - dt.timedelta(days=1))


def _day_after_the_anniversary(patch: pytest.MonkeyPatch) -> None:
    """Wrong only for 28 February before a leap day, where many programs are wrong."""

    def long_term_from(since: dt.date) -> dt.date:
        is_leap = (since.month, since.day) == (2, 29)
        next_year = dt.date(since.year + 1, since.month, 28 if is_leap else since.day)
        return next_year + dt.timedelta(days=1)

    patch.setattr(lots, "long_term_from", long_term_from)


def _spouse_is_a_stranger(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TaxAccount, "taxpayer", property(lambda account: account.owner))


def _stranger_is_family(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TaxAccount, "taxpayer", property(lambda account: "household"))


def _ira_gets_the_basis(patch: pytest.MonkeyPatch) -> None:
    right = Group._match

    def match(group, loss, piece):
        account = piece.lot.account
        piece.lot.account = replace(account, kind=AccountKind.TAXABLE)
        rest = right(group, loss, piece)
        for each in (piece, *piece.lot.pieces):
            each.lot.account = account
        return rest

    patch.setattr(Group, "_match", match)


def _ira_purchases_are_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    right = Group._replaces

    def replaces(group, piece, row):
        return piece.lot.account.is_taxed and right(group, piece, row)

    patch.setattr(Group, "_replaces", replaces)


def _gains_offset_losses_of_the_same_sale(patch: pytest.MonkeyPatch) -> None:
    match = Ledger._match

    def match_netted(books, sold):
        if sum(row.proceeds - row.basis for row in sold) < 0:
            match(books, sold)

    patch.setattr(Ledger, "_match", match_netted)


def _rest_of_the_same_purchase_replaces(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        Group,
        "_replaces",
        lambda group, piece, row: matching.in_window(row.sold, piece.lot.acquired),
    )


def _share_replaces_twice(patch: pytest.MonkeyPatch) -> None:
    right = Group._match

    def match(group, loss, piece):
        rest = right(group, loss, piece)
        used = piece if rest is None else piece.lot.pieces[piece.lot.pieces.index(rest) - 1]
        used.is_used = False
        group.keep(used)
        return rest

    patch.setattr(Group, "_match", match)


def _tacked_date_is_taken_for_the_purchase(patch: pytest.MonkeyPatch) -> None:
    """Then the window, the order of lots and column (b) go by a day on which nothing happened."""
    right = Group._match

    def match(group, loss, piece):
        rest = right(group, loss, piece)
        piece.lot.acquired = min(each.since for each in (piece, *piece.lot.pieces))
        return rest

    patch.setattr(Group, "_match", match)


def _window_goes_by_the_tacked_date(patch: pytest.MonkeyPatch) -> None:
    """Then what is left of a lot, part of which has replaced a loss, drops out of the window."""

    def replaces(group, piece, row):
        start = min((each.since for each in piece.lot.pieces), default=piece.since)
        return piece.lot.purchase != row.lot.purchase and matching.in_window(row.sold, start)

    patch.setattr(Group, "_replaces", replaces)


def _holding_period_is_not_tacked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(matching, "tacked", lambda acquired, sold, since, tacking: acquired)


def _only_later_purchases_count(patch: pytest.MonkeyPatch) -> None:
    right = Group._replaces

    def replaces(group, piece, row):
        return piece.lot.acquired >= row.sold and right(group, piece, row)

    patch.setattr(Group, "_replaces", replaces)


def _only_the_same_symbol_counts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "group_names", lambda rule: {})


def _only_the_same_account_counts(patch: pytest.MonkeyPatch) -> None:
    right = Group._replaces

    def replaces(group, piece, row):
        return piece.lot.account is row.account and right(group, piece, row)

    patch.setattr(Group, "_replaces", replaces)


def _coins_are_securities(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(WashRule, "is_exempt", lambda rule, symbol, sold: False)


def _reinvested_dividends_are_no_purchase(patch: pytest.MonkeyPatch) -> None:
    right = Ledger._new_lot

    def new_lot(books, transaction, account, lot_id):
        lot = right(books, transaction, account, lot_id)
        lot.is_purchase &= transaction.kind is not TransactionKind.REINVEST
        return lot

    patch.setattr(Ledger, "_new_lot", new_lot)


def _whole_loss_is_disallowed(patch: pytest.MonkeyPatch) -> None:
    """One share bought back, and the loss of a hundred is gone."""
    right = Ledger.sales

    def all_of_it(sale: LotSale) -> LotSale:
        return replace(sale, disallowed=sale.basis - sale.proceeds) if sale.disallowed else sale

    patch.setattr(Ledger, "sales", lambda books: tuple(all_of_it(sale) for sale in right(books)))


FAULTS = (
    Fault("a window of 29 days", _window_of(29), ("P12",)),
    Fault("a window of 31 days", _window_of(31), ("P12",)),
    Fault("a year of 365 days", _year_of_365_days, ("P13",)),
    Fault("long term on the anniversary", _anniversary_is_long, ("P13",)),
    Fault("long term the day after the anniversary", _day_after_the_anniversary, ("P13",)),
    Fault("the spouse is a stranger", _spouse_is_a_stranger, ("P17",)),
    Fault("a stranger is family", _stranger_is_family, ("G15", "G26")),
    Fault("the IRA gets the basis", _ira_gets_the_basis, ("P10",)),
    Fault("the IRA is not looked at", _ira_purchases_are_not_looked_at, ("P10",)),
    Fault("gains offset losses of a sale", _gains_offset_losses_of_the_same_sale, ("P09",)),
    Fault("the rest of a purchase", _rest_of_the_same_purchase_replaces, ("P11",)),
    Fault("a share replaces twice", _share_replaces_twice, ("P02", "P07")),
    Fault("the tacked date is the purchase", _tacked_date_is_taken_for_the_purchase, ("P18",)),
    Fault("the window goes by the tacked date", _window_goes_by_the_tacked_date, ("G10", "G11")),
    Fault("nothing is tacked", _holding_period_is_not_tacked, ("P03", "P04", "P05")),
    Fault("only later purchases count", _only_later_purchases_count, ("P01", "P02", "P07")),
    Fault("only the same symbol counts", _only_the_same_symbol_counts, ("P20",)),
    Fault("only the same account counts", _only_the_same_account_counts, ("P10", "P17")),
    Fault("coins are securities", _coins_are_securities, ("P21",)),
    Fault("reinvesting is no purchase", _reinvested_dividends_are_no_purchase, ("P19",)),
    Fault("the whole loss is disallowed", _whole_loss_is_disallowed, ("P02", "P19", "P24")),
)
PAIRS = [pytest.param(fault, id=fault.name) for fault in FAULTS]


@cache
def _cases() -> Mapping[str, Case]:
    return {plain["id"]: plain for plain in plain_cases()}


@pytest.mark.parametrize("fault", PAIRS)
def test_the_worked_cases_that_should_find_a_fault_do(fault, monkeypatch):
    named = [_cases()[name] for name in fault.cases]
    assert not any(differences(plain) for plain in named)
    fault.put_in(monkeypatch)
    missed = [plain["id"] for plain in named if not differences(plain)]
    assert not missed, f"{fault.name}: {', '.join(missed)} did not notice"


@pytest.mark.parametrize("fault", PAIRS)
def test_the_random_households_find_the_fault_too(fault, monkeypatch):
    with monkeypatch.context() as patch:
        fault.put_in(patch)
        first = next((seed for seed in range(SEEDS) if _is_noticed(seed)), None)
    assert first is not None, f"{fault.name}: {SEEDS} households did not notice"
    assert not _is_noticed(first)


def _is_noticed(seed: int) -> bool:
    try:
        return bool(disagreements(history(seed)))
    except InputError:  # a faulty ledger may not even let a right history pass
        return True
