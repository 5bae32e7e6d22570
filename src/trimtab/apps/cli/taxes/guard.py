"""`trimtab tax guard`: would this trade be a wash sale, and from when on not?"""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.door import DONE, HELD
from trimtab.apps.cli.options import example, json_option
from trimtab.apps.cli.taxes.parameters import NUMBER, PICKS
from trimtab.apps.cli.taxes.source import source_options
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource
    from trimtab.apps.views.tax_guard import GuardAnswer, Proposal
    from trimtab.domain.history import Transaction
    from trimtab.domain.policy import LotMethod
    from trimtab.domain.trades import LotPick
    from trimtab.rules.tax.guard import Outlook

_PROPOSED = "the proposed trade"


@click.command(
    "guard",
    epilog=example(
        "trimtab tax guard sell 10 VTI --account joint",
        "trimtab tax guard buy 5 VTI --account roth --on 2026-12-28",
    ),
)
@click.argument("side", type=click.Choice(["sell", "buy"]))
@click.argument("quantity", type=NUMBER)
@click.argument("symbol")
@source_options
@click.option("--account", required=True, metavar="ACCOUNT", help="Where it would be traded.")
@click.option(
    "--price", type=NUMBER, help="Of one unit; default: the household's price now, the bid."
)
@click.option("--lots", "picks", type=PICKS, help="Which lots a sale takes, as t1:10,t2:5.")
@click.option(
    "--method",
    type=click.Choice(["fifo", "lifo", "hifo", "min_tax"]),
    help="Which lots a sale takes; default: what the account's broker books, else fifo.",
)
@click.option(
    "--scheduled",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Purchases that happen by themselves: CSV with account, symbol, first, every, amount.",
)
@click.option(
    "--reinvests",
    multiple=True,
    metavar="ACCOUNT",
    help="An account that reinvests its dividends, beside those of household.toml.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    *,
    side: str,
    quantity: Decimal,
    symbol: str,
    source: "TaxSource",
    account: str,
    price: Decimal | None,
    picks: "tuple[LotPick, ...] | None",
    method: "LotMethod | None",
    scheduled: Path | None,
    reinvests: tuple[str, ...],
    as_json: bool,
) -> int:
    """Would this trade be a wash sale, and from when not?

    Looks 30 days to either side of the day (--on, default today), over every account of the
    household, retirement accounts included, and over purchases that are planned. Nothing is sent
    and nothing is written. Exit status 3 says that the trade is not clear: a loss would be
    disallowed in part or in full, or the records may lack something.
    """
    from trimtab.apps.cli.taxes.parameters import account_of, symbol_of
    from trimtab.apps.views.tax_guard import Proposal, guard_document, guard_page
    from trimtab.domain.errors import InputError
    from trimtab.domain.trades import Side
    from trimtab.rules.tax.guard import GuardState

    if side == "buy" and (picks is not None or method is not None):
        raise InputError("--lots and --method belong to a sale: leave them out for a purchase.")
    if picks is not None and method is not None:
        raise InputError("--lots and --method both say which lots are sold: give one of them.")
    if side == "sell" and picks is None and method is None:
        picks = _standing(context, source, account, symbol, quantity)
    proposal = Proposal(
        side=Side(side),
        quantity=quantity,
        symbol=symbol_of(source, symbol),
        account=account_of(source.accounts, account, "--account"),
        on=source.today,
        price=price,
        method="specified" if picks is not None else method or _method_of(context, account),
    )
    outlook = _outlook(source, proposal, scheduled, reinvests)
    answer = _answer(source, proposal, picks or (), outlook)
    if as_json:
        show_document(guard_document(answer))
    else:
        show(guard_page(answer))
    return DONE if answer.guarded.state is GuardState.CLEAR else HELD


def _standing(
    context: click.Context, source: "TaxSource", account: str, symbol: str, quantity: Decimal
) -> "tuple[LotPick, ...] | None":
    """The lots that a broker with a standing order books; None where there is none."""
    from trimtab.apps.cli.taxes.household import household_of
    from trimtab.domain.values import Relief
    from trimtab.rules.tax.relief import booked_picks

    file = household_of(context)
    rule = None if file is None else file.accounts.get(account)
    if rule is None or rule.relief is not Relief.HIFO:
        return None
    picks = booked_picks(source.ledger, account, symbol, quantity, Relief.HIFO)
    named = sum((pick.quantity for pick in picks), Decimal(0))
    return picks if named == quantity else None


def _method_of(context: click.Context, account: str) -> "LotMethod":
    """How lots are chosen in *account*: by its broker, or by [orders] where it may be told."""
    from trimtab.apps.cli.taxes.household import household_of
    from trimtab.domain.values import Relief

    file = household_of(context)
    rule = None if file is None else file.accounts.get(account)
    if file is None or rule is None:
        return "fifo"
    match rule.relief:
        case Relief.SPECIFIC:
            method = file.orders.lot_method
            return "fifo" if method == "specified" else method
        case Relief.HIFO:
            return "hifo"
        case Relief.FIFO:
            return "fifo"


def _outlook(
    source: "TaxSource", proposal: "Proposal", scheduled: Path | None, reinvests: tuple[str, ...]
) -> "Outlook":
    from trimtab.adapters.purchases import read_purchases
    from trimtab.apps.cli.taxes.parameters import account_of
    from trimtab.rules.tax.guard import Outlook

    accounts = source.accounts
    read = () if scheduled is None else read_purchases(scheduled, accounts)
    named = {account_of(accounts, name, "--reinvests") for name in reinvests}
    prices = dict(source.prices)
    if proposal.price is not None:
        prices[proposal.symbol] = proposal.price
    return Outlook(
        to_review=source.ledger.to_review(),
        purchases=(*source.purchases, *read),
        reinvesting=source.reinvesting | named,
        incomplete=source.incomplete,
        prices=prices,
    )


def _answer(
    source: "TaxSource", proposal: "Proposal", picks: "tuple[LotPick, ...]", outlook: "Outlook"
) -> "GuardAnswer":
    from trimtab.apps.views.tax_guard import GuardAnswer, similar_trades
    from trimtab.apps.views.tax_notes import closing_notes
    from trimtab.domain.trades import Side
    from trimtab.rules.tax.guard import guard_purchase, guard_sale
    from trimtab.rules.tax.preview import preview_sale

    price = _price(source, proposal)
    proposal = proposal._replace(price=price)
    trade = _transaction(proposal, picks)
    is_sale = proposal.side is Side.SELL
    guard = guard_sale if is_sale else guard_purchase
    pieces = preview_sale(source.ledger, trade) if is_sale else ()
    own = (*_unknown(source, proposal.symbol), *similar_trades(source, proposal, pieces))
    return GuardAnswer(
        proposal=proposal,
        guarded=guard(source.ledger, trade, outlook),
        pieces=pieces,
        notes=closing_notes(source, *own),
        household=source.title,
        currency=source.currency,
    )


def _price(source: "TaxSource", proposal: "Proposal") -> Decimal | None:
    """The price of a sale; a purchase washes whatever it costs.

    Raises:
        InputError: a sale has none, or nothing is held.
    """
    from trimtab.adapters.delimited import nearest
    from trimtab.domain.errors import InputError
    from trimtab.domain.trades import Side

    is_sale = proposal.side is Side.SELL
    row = source.ledger.held(proposal.account, proposal.symbol)
    if is_sale and (row is None or row.quantity == 0):
        held = {lot.symbol for lot in source.ledger.lots() if lot.account == proposal.account}
        msg = f"{proposal.account} holds no {proposal.symbol}: {nearest(proposal.symbol, held)}"
        raise InputError(msg)
    price = proposal.price or source.prices.get(proposal.symbol)
    if price is None and is_sale:
        msg = (
            f"there is no price of {proposal.symbol} to tell a loss from a gain: give one with "
            "--price."
        )
        raise InputError(msg)
    return price


def _transaction(proposal: "Proposal", picks: "tuple[LotPick, ...]") -> "Transaction":
    from trimtab.domain.history import Transaction, TransactionKind
    from trimtab.domain.numbers import ZERO
    from trimtab.domain.trades import Side

    is_sale = proposal.side is Side.SELL
    return Transaction(
        id="(proposed)",
        date=proposal.on,
        account=proposal.account,
        kind=TransactionKind.SELL if is_sale else TransactionKind.BUY,
        symbol=proposal.symbol,
        quantity=proposal.quantity,
        amount=proposal.quantity * (proposal.price or ZERO),
        method=proposal.method,
        picks=picks,
        source=_PROPOSED,
    )


def _unknown(source: "TaxSource", symbol: str) -> tuple[str, ...]:
    from trimtab.apps.cli.taxes.parameters import known_symbols

    if symbol in known_symbols(source):
        return ()
    note = (
        f"Nothing is known of {symbol}: it was taken to be identical to itself only. If it is not "
        "a slip, name its group with `identical` in [tax], or with --identical."
    )
    return (note,)
