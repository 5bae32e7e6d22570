"""What is filed of a year: the rows of a return, beside what its brokers told.

It reads and hands over; every figure comes from the rules.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

import trimtab
from trimtab.apps.tax_source import TaxReturn, TaxSource
from trimtab.apps.tax_wash import basis_from_elsewhere
from trimtab.apps.tax_year import Given, years
from trimtab.apps.views.figures import counted
from trimtab.apps.views.forms import FormsReport
from trimtab.apps.views.tax_notes import not_judged, reviews_near
from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.imported import BrokerSale, Imported
from trimtab.domain.numbers import to_cents
from trimtab.rules.tax.form8949 import BrokerFigures, FormRow, FormRule, form_rows
from trimtab.rules.tax.pairing import paired
from trimtab.rules.tax.reconcile import SETTLEMENT_DAYS_MAX, Reconciliation, reconcile
from trimtab.rules.tax.year import is_provisional, provisional_until
from trimtab.rules.words import listing

_CURRENCY = "USD"


class BrokersTold(NamedTuple):
    """What brokers' files say was sold, by our names of the accounts that they tell of."""

    sales: tuple[BrokerSale, ...] = ()
    accounts: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


class OtherNames(NamedTuple):
    """What brokers call otherwise than we: accounts (or the file, where it names none), symbols."""

    accounts: Mapping[str, str] = {}
    symbols: Mapping[str, str] = {}


class Compared(NamedTuple):
    """Our rows beside the brokers' of some years; `notes` say what was not compared."""

    years: tuple[int, ...]
    found: Reconciliation
    notes: tuple[str, ...]


NOTHING_TOLD = BrokersTold()
NO_NAMES = OtherNames()


def require_dollars(source: TaxSource) -> None:
    """Forms of the IRS are in US dollars.

    Raises:
        InputError: the household counts in another currency.
    """
    if source.currency != _CURRENCY:
        msg = (
            f"{source.title} counts in {source.currency}, and the forms are in {_CURRENCY}: give "
            "its transactions in dollars with --transactions."
        )
        raise InputError(msg)


def chosen_return(source: TaxSource, name: str | None, year: int) -> TaxReturn:
    """The return called *name*; without a name the only one, or the only one that sold anything.

    Raises:
        InputError: there is none of that name, or several to choose from.
    """
    names = [one.id for one in source.returns]
    if name is not None:
        for one in source.returns:
            if one.id == name:
                return one
        msg = f"--return: no return is called {name!r}: write one of {listing(names)}."
        raise InputError(msg)
    rows = [row for row in source.ledger.sales() if row.is_taxed and row.sold.year == year]
    busy = [one for one in source.returns if source.rows_of(one, rows)]
    choice = busy or source.returns[:1]
    if len(choice) != 1:
        msg = f"several returns are filed: name one of {listing(names)} with --return."
        raise InputError(msg)
    return choice[0]


def form_rule(source: TaxSource) -> FormRule:
    """Which symbols are digital assets, and since when these have boxes of their own."""
    return FormRule(
        digital_from_year=source.law.statutes.forms.digital_boxes_since.year,
        digital=source.ledger.rule.exempt,
    )


def read_broker_files(
    source: TaxSource, files: Sequence[Path], names: OtherNames = NO_NAMES
) -> BrokersTold:
    """The sales that *files* tell of in taxed accounts, with our names.

    What no importer recognizes is read with the mapping of *source*.

    Raises:
        InputError: a file cannot be used or tells of no sale.
        FileFaults: files name accounts that are none of ours.
    """
    from trimtab.adapters.imports import import_file

    return told_by([import_file(path, fallback=source.mapping) for path in files], source, names)


def told_by(
    imported: Sequence[Imported], source: TaxSource, names: OtherNames = NO_NAMES
) -> BrokersTold:
    """The sales of files that are read already; see `read_broker_files`."""
    faults: dict[str, str] = {}
    named: set[str] = set()
    sales: list[BrokerSale] = []
    accounts: set[str] = set()
    notes: list[str] = []
    untaxed: dict[str, int] = {}
    for one in imported:
        if not one.sales:
            msg = (
                f"{one.source} ({one.format}) tells of no sale: take the broker's list of "
                "realized gains, or its 1099-B as a file."
            )
            raise InputError(msg)
        notes += [f"{one.source}: {note}" for note in one.notes]
        symbols = _symbols_of(one) | dict(names.symbols)
        named |= {theirs or one.source for theirs in one.accounts}
        for sale in one.sales:
            named.add(sale.account or one.source)
            account = names.accounts.get(sale.account or one.source, sale.account)
            if account not in source.accounts:
                faults[sale.account] = _unknown_account(sale.account, one.source, source)
            elif not source.accounts[account].is_taxed:
                untaxed[account] = untaxed.get(account, 0) + 1
            else:
                symbol = symbols.get(sale.cusip) or symbols.get(sale.symbol) or sale.symbol
                sales.append(replace(sale, account=account, symbol=symbol))
                accounts.add(account)
        accounts |= {
            ours
            for theirs in one.accounts
            if (ours := names.accounts.get(theirs, theirs)) in source.accounts
        }
    for name in names.accounts.keys() - named:
        faults[name] = (
            f"--account-map: no file calls an account {name!r}: write one of "
            f"{', '.join(sorted(named))}"
        )
    if faults:
        raise FileFaults(listing([one.source for one in imported]), list(faults.values()))
    notes += [
        f"{counted(count, 'sale')} in {account} left out: sales there are not taxed."
        for account, count in untaxed.items()
    ]
    return BrokersTold(tuple(sales), frozenset(accounts), tuple(notes))


def compare(source: TaxSource, told: BrokersTold, year: int | None = None) -> Compared:
    """The household's rows beside the brokers', of *year* or of every year that they tell of.

    A row belongs to the year of its trade, whatever day the broker gives, so rows are paired
    before the year is looked at.
    """
    rows = form_rows(source.ledger.sales(), form_rule(source))
    return _compared(source, rows, told, year)


def report_of(
    source: TaxSource,
    one: TaxReturn,
    year: int,
    told: BrokersTold = NOTHING_TOLD,
    given: Given = Given(),  # noqa: B008  a value
) -> FormsReport:
    """Form 8949 and Schedule D of a return; columns (d) to (g) beside what the brokers told.

    *given* are carryovers that the command was told. Its notes begin with what brokers' files
    leave open.
    """
    statutes, rule = source.law.statutes, form_rule(source)
    sales = source.rows_of(one, source.ledger.sales())
    figures: Mapping[str, BrokerFigures] = {}
    compared = None
    notes: list[str] = []
    if told.accounts:
        mine = _of_return(source, one, told)
        compared = _compared(source, form_rows(sales, rule), mine, year)
        figures = compared.found.figures
        notes += compared.notes
    rows = form_rows(sales, rule, year=year, broker=figures)
    (of_year,) = years(source, year, given, one.id)
    into, out = of_year.carried_in, of_year.totals.netting.carry
    return FormsReport(
        household=source.title if one.id == "household" else f"{source.title}: {one.id}",
        year=year,
        prepared=source.today,
        program=f"trimtab {trimtab.__version__}",
        rows=rows,
        loss_limit=statutes.capital_loss.limit_of(one.status),
        status=one.status.replace("_", " "),
        carry_in_short=to_cents(into.st),
        carry_in_long=to_cents(into.lt),
        carry_out_short=to_cents(out.st),
        carry_out_long=to_cents(out.lt),
        provisional_until=(
            provisional_until(year, statutes)
            if is_provisional(year, source.today, statutes)
            else None
        ),
        reconciliation=None if compared is None else compared.found,
        notes=(
            *notes,
            *_untold_basis(source, rows, told),
            *reviews_near(source, year),
            *not_judged(source),
            *of_year.remarks,
            *source.notes,
        ),
    )


def _untold_basis(source: TaxSource, rows: Iterable[FormRow], told: BrokersTold) -> tuple[str, ...]:
    """The rows that need the broker's basis, which nobody told: ours holds a loss from elsewhere.

    Instructions for Form 8949, column (e): where the IRS was told the basis, it is repeated.
    """
    elsewhere = basis_from_elsewhere(source)
    named = [
        f"{row.description} sold {row.sold} ({row.account}, lot {row.lot_id})"
        for row in rows
        if row.box.is_basis_reported
        and row.account not in told.accounts
        and (row.symbol, row.lot_id, row.holding_since) in elsewhere
    ]
    if not named:
        return ()
    note = (
        f"{listing(named)}: the basis printed here holds a loss that was disallowed in another "
        "account or on another security, which the broker's form leaves out. Column (e) wants the "
        "broker's basis, with code B and the difference in (g): give its realized gains or its "
        "1099-B with --broker."
    )
    return (note,)


def _compared(
    source: TaxSource, rows: Iterable[FormRow], told: BrokersTold, year: int | None
) -> Compared:
    covered = [row for row in rows if row.account in told.accounts]
    others = [row for row in rows if row.account not in told.accounts]
    pairs = paired(covered, told.sales, settlement_days_max=SETTLEMENT_DAYS_MAX)
    dated = [(pair, (pair.ours or pair.theirs)[0].sold.year) for pair in pairs]
    years = {each for pair, each in dated if pair.theirs} if year is None else {year}
    kept = [pair for pair, each in dated if each in years]
    found = reconcile(
        [row for pair in kept for row in pair.ours],
        [sale for pair in kept for sale in pair.theirs],
        washes=source.ledger.matches(),
    )
    notes = [*told.notes]
    missing = [row for row in others if row.sold.year in years]
    if missing:
        names = sorted({row.account for row in missing})
        notes.append(
            f"Not compared, as no file tells of {listing(names)}: "
            f"{counted(len(missing), 'row')} of ours."
        )
    elsewhere = sum(len(pair.theirs) for pair, each in dated if each not in years)
    if elsewhere:
        notes.append(f"{counted(elsewhere, 'row')} of the files belong to other years.")
    return Compared(tuple(sorted(years)), found, tuple(notes))


def _of_return(source: TaxSource, one: TaxReturn, told: BrokersTold) -> BrokersTold:
    """What brokers told of the accounts of one return."""
    mine = frozenset(name for name in told.accounts if source.accounts[name].owner in one.owners)
    notes = list(told.notes)
    if mine != told.accounts:
        others = listing(sorted(told.accounts - mine))
        notes.append(f"{others} of the files belongs to another return and was left out.")
    sales = tuple(sale for sale in told.sales if sale.account in mine)
    return BrokersTold(sales, mine, tuple(notes))


def _symbols_of(one: Imported) -> dict[str, str]:
    """Symbols by CUSIP, where the file names both."""
    held = {each.cusip: each.symbol for each in one.positions if each.cusip and each.symbol}
    sold = {each.cusip: each.symbol for each in one.sales if each.cusip and each.symbol}
    return {cusip: symbol for cusip, symbol in (held | sold).items() if cusip != symbol}


def _unknown_account(account: str, file: str, source: TaxSource) -> str:
    ours = listing([name for name, one in source.accounts.items() if one.is_taxed])
    if not account:
        return (
            f"{file} does not name its account: say which of {ours} it is with --account-map "
            f"{file}=ACCOUNT"
        )
    return (
        f"the account {account!r} is none of ours: say which of {ours} it is with --account-map "
        f"{account}=ACCOUNT"
    )
