import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from trimtab.apps.cli.terminal import plain_lines
from trimtab.apps.harvesting import Found
from trimtab.apps.views.forms import FormsReport
from trimtab.apps.views.imported import imported_document, imported_page, transaction_document
from trimtab.apps.views.page import Table
from trimtab.apps.views.tax_forms import forms_document, forms_text, notes_on
from trimtab.apps.views.tax_guard import GuardAnswer, Proposal, guard_document, guard_page
from trimtab.apps.views.tax_harvest import harvest_document, harvest_page
from trimtab.apps.views.tax_reconcile import csv_cell, reconcile_csv, reconcile_page
from trimtab.domain.history import LotSale, TaxAccount, Transaction, TransactionKind
from trimtab.domain.imported import BrokerSale, CashLine, Imported, ImportedPosition
from trimtab.domain.numbers import ZERO
from trimtab.domain.trades import LotPick, Side, Term
from trimtab.rules.tax.form8949 import FormRule, form_rows
from trimtab.rules.tax.guard import Guarded, GuardState
from trimtab.rules.tax.losses import Harvest, HarvestState
from trimtab.rules.tax.preview import PreviewedPiece
from trimtab.rules.tax.reconcile import reconcile
from trimtab.rules.tax.saving import YearToDate

DAY = dt.date(2026, 6, 1)
RULE = FormRule(digital_from_year=2025, digital=frozenset({"BTC"}))


def sale(proceeds: str, basis: str, **changes: Any) -> LotSale:
    facts: dict[str, Any] = {
        "id": "1",
        "sale_id": "s1",
        "account": "joint",
        "symbol": "AAA",
        "lot_id": "b1",
        "quantity": Decimal(10),
        "acquired": dt.date(2026, 1, 6),
        "holding_since": dt.date(2026, 1, 6),
        "sold": DAY,
        "proceeds": Decimal(proceeds),
        "basis": Decimal(basis),
        "term": Term.SHORT,
        "is_taxed": True,
    }
    return LotSale(**(facts | changes))


def report(*sales: LotSale, **changes: Any) -> FormsReport:
    facts: dict[str, Any] = {
        "household": "Maya and Jon",
        "year": 2026,
        "prepared": dt.date(2027, 2, 1),
        "program": "trimtab 0.1.0",
        "rows": form_rows(sales, RULE),
        "loss_limit": Decimal(3000),
    }
    return FormsReport(**(facts | changes))


def text_of(page: Any) -> str:
    return "\n".join(plain_lines(page))


def answer(**changes: Any) -> GuardAnswer:
    guarded = Guarded(
        state=GuardState.INCOMPLETE,
        first_safe_day=None,
        gaps=("roth reinvests.",),
        sentence="Nothing washes it, but coverage incomplete: roth reinvests.",
    )
    proposal = Proposal(Side.BUY, Decimal("2.50"), "VTI", "joint", DAY, None, "fifo")
    facts = GuardAnswer(proposal, guarded, (), ("This is not tax advice.",), "Ours", "USD")
    return facts._replace(**changes)


def test_a_guard_without_a_safe_day_and_a_price_says_so():
    page = guard_page(answer())
    assert "Buy 2.5 VTI in joint on 2026-06-01: coverage incomplete" in text_of(page)
    assert "none in sight" in text_of(page)
    assert "not needed" in text_of(page)
    document = guard_document(answer())
    assert document.first_safe_day is None
    assert document.price is None
    assert document.buy_again_from is None
    assert document.notes[-1] == "This is not tax advice."


def test_schedule_d_shows_line_21_only_for_a_loss_and_columns_only_where_there_are_rows():
    def lines(*sales: LotSale) -> dict[str, tuple[str | None, str]]:
        document = forms_document(report(*sales))
        return {line.line: (line.proceeds, line.gain) for line in document.schedule}

    gain = lines(sale("300", "100"))
    assert gain["1b"] == ("300.00", "200.00")
    assert "21" not in gain
    assert "8b" not in gain
    assert lines(sale("100", "5000"))["21"] == (None, "-3000.00")


def test_the_totals_of_a_box_are_the_sums_of_its_printed_rows():
    page = forms_text(report(sale("10.005", "0", id="1"), sale("10.005", "0", lot_id="b2")))
    table = next(block for block in page if isinstance(block, Table))
    assert [row.cells[3] for row in table.rows] == ["10.01", "10.01", "20.02"]
    assert "Line 16 is 0.01 above the sum before rounding." in text_of(page)


def test_a_year_without_sales_says_so():
    assert "Nothing was sold in a taxed account in 2026." in text_of(forms_text(report()))


def test_notes_name_only_the_codes_that_occur_and_the_day_that_moved_a_term():
    washed = sale("90", "100", disallowed=Decimal(10), holding_since=dt.date(2025, 12, 1))
    notes = " ".join(notes_on(report(washed)))
    assert "Codes: W a loss that section 1091 disallows" in notes
    assert "`term from` is the day that decides the term" in notes
    assert "Codes" not in " ".join(notes_on(report(sale("120", "100"))))


def told(proceeds: str, basis: str, **changes: Any) -> BrokerSale:
    facts: dict[str, Any] = {
        "account": "joint",
        "symbol": "AAA",
        "quantity": Decimal(10),
        "sold": DAY,
        "proceeds": Decimal(proceeds),
        "basis": Decimal(basis),
        "disallowed": ZERO,
        "line": 7,
    }
    return BrokerSale(**(facts | changes))


def test_what_is_open_comes_first_and_what_is_equal_needs_no_sentence():
    rows = form_rows([sale("90", "80"), sale("50", "40", lot_id="b2", symbol="BBB")], RULE)
    found = reconcile(rows, [told("90", "80"), told("51", "40", symbol="BBB")])
    text = text_of(reconcile_page(found, [2026], ["1099.csv"], ["a note"]))
    assert "1 equal and 1 unexplained. 1 comparison for you to look at" in text
    assert text.count("- unexplained: 10 BBB") == 1
    assert "- equal" not in text
    (equal, open_one) = csv.DictReader(io.StringIO(reconcile_csv(found.comparisons)))
    assert (equal["verdict"], open_one["is_open"], open_one["lines"]) == ("equal", "yes", "7")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("-12.50", "-12.50"),
        ("-x", "'-x"),
        ("a\nb", "a b"),
        (("s1", "s2"), "s1 s2"),
        (True, "yes"),
        (DAY, "2026-06-01"),
    ],
)
def test_no_cell_is_a_formula_and_numbers_keep_their_sign(value, cell):
    assert csv_cell(value) == cell


def harvested(state: HarvestState, **changes: Any) -> Harvest:
    facts: dict[str, Any] = {
        "account": "joint",
        "symbol": "VTI",
        "lot_id": "t1",
        "piece": "2",
        "quantity": Decimal(10),
        "acquired": dt.date(2025, 1, 6),
        "term": Term.LONG,
        "proceeds": Decimal(2000),
        "basis": Decimal(3000),
        "state": state,
        "saved": Decimal(300),
        "later": Decimal(100),
        "costs": Decimal(1),
        "substitute": "SCHB",
        "sentence": f"{state} it.",
    }
    return Harvest(**(facts | changes))


def found(*harvests: Harvest) -> Found:
    return Found(DAY, YearToDate(year=2026, short=Decimal(-5)), harvests, (), ("a remark",))


def test_only_what_is_to_be_taken_is_added_up():
    one = found(
        harvested(HarvestState.TAKE),
        harvested(HarvestState.ASK),
        harvested(HarvestState.LEAVE, substitute=""),
    )
    text = text_of(harvest_page(one, "Ours", "USD", ()))
    assert "1 loss worth taking, 1,000.00 in all" in text
    assert "199.00 is left. 1 more is to be asked about." in text
    places = [text.index(title) for title in ("Worth taking", "but ask first", "Not taken")]
    assert places == sorted(places)
    assert "t1#2" in text
    document = harvest_document(one, "Ours", "USD", ())
    assert (document.worth, document.short_so_far) == ("199.00", "-5.00")
    assert [each.state for each in document.harvests] == ["take", "ask", "leave"]


def test_a_household_without_losses_is_told_so():
    text = text_of(harvest_page(found(), "Ours", "USD", ()))
    assert "Nothing in the taxed accounts is at a loss." in text


def transaction(kind: TransactionKind, **changes: Any) -> Transaction:
    facts: dict[str, Any] = {
        "id": "1",
        "date": DAY,
        "account": "X1",
        "kind": kind,
        "symbol": "VTI",
        "quantity": Decimal(3),
    }
    return Transaction(**(facts | changes))


def test_a_transfer_to_nobody_knows_where_becomes_a_line_to_look_at():
    document = transaction_document(transaction(TransactionKind.TRANSFER))
    assert document.action == "review"
    assert "unknown account" in document.text
    known = transaction_document(transaction(TransactionKind.TRANSFER, to_account="X2"))
    assert (known.action, known.to) == ("transfer", "X2")


def test_picks_of_one_lot_are_written_once_and_the_account_says_whose_it_is():
    picks = tuple(
        LotPick(lot_id=lot, quantity=Decimal(number), piece=piece)
        for lot, number, piece in (("t1", 1, ""), ("t1", 2, "1"), ("t2", 1, None))
    )
    sold = transaction(TransactionKind.SELL, method="specified", picks=picks)
    document = transaction_document(sold, TaxAccount(id="X1", owner="ann"))
    assert (document.lots, document.method) == ("t1:3;t2:1", "")
    assert (document.owner, document.role, document.account_kind) == ("ann", "self", "taxable")


def test_text_of_a_file_cannot_upset_a_terminal():
    imported = Imported(
        format="x",
        source="a.csv",
        accounts=("", "X2"),
        positions=(
            ImportedPosition(
                account="X2", symbol="VTI", quantity=Decimal(-3), name="\x1b[2Jred\nline"
            ),
        ),
        cash_lines=(
            CashLine(account="X2", date=DAY, amount=Decimal(1), kind="fee", text="\x07beep"),
        ),
    )
    text = text_of(imported_page(imported))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "2 accounts (not named and X2): 1 position and 1 other cash line." in text
    assert imported_document(imported).positions[0].price is None


def test_an_empty_file_has_nothing_in_it():
    imported = Imported(format="ofx", source="a.ofx", notes=("nobody signed on",))
    text = text_of(imported_page(imported))
    assert "No account named: nothing in it." in text
    assert "- nobody signed on" in text


def test_a_guard_names_a_piece_of_a_lot():
    row = replace(sale("90", "100"), piece="2")
    proposal = answer().proposal._replace(side=Side.SELL, price=Decimal(9), method="hifo")
    one = answer(proposal=proposal, pieces=(PreviewedPiece(row=row),))
    text = text_of(guard_page(one))
    assert "b1#2" in text
    assert "Lots sold, the highest basis first" in text
    assert "buy nothing identical to VTI in any account before 2026-07-02" in text
    assert guard_document(one).buy_again_from == dt.date(2026, 7, 2)
