"""Schedule D: the lines that Form 8949 fills, and what they come to.

Lines 1a and 8a are never used: every sale is listed on Form 8949, which is always allowed.
"""

from collections.abc import Iterable
from decimal import localcontext

from msgspec import Struct

from trimtab.domain.numbers import EXACT, ZERO, Money
from trimtab.rules.tax.form8949 import Amounts, Box, FormRow, amounts_of

LINE_OF_BOX = {
    Box.A: "1b",
    Box.G: "1b",
    Box.B: "2",
    Box.H: "2",
    Box.C: "3",
    Box.I: "3",
    Box.D: "8b",
    Box.J: "8b",
    Box.E: "9",
    Box.K: "9",
    Box.F: "10",
    Box.L: "10",
}
"""The line of Schedule D that takes the totals of a box."""
SHORT_LINES = ("1b", "2", "3")
LONG_LINES = ("8b", "9", "10")


class ScheduleD(Struct, frozen=True, kw_only=True):
    """The lines of Schedule D (Form 1040).

    `lines` holds 1b, 2, 3, 8b, 9 and 10, those that have a row. Lines 6 and 14 are the carryovers
    into the year, zero or negative as on the form; line 21 is the loss that is deducted, zero or
    negative.
    """

    lines: dict[str, Amounts]
    line_6: Money
    line_7: Money
    line_14: Money
    line_15: Money
    line_16: Money
    line_21: Money

    def figures(self) -> dict[str, Money | dict[str, Money]]:
        """Every line by its number: an amount, or the columns d, e, g and h."""
        columns: dict[str, Money | dict[str, Money]] = {
            line: {
                "d": amounts.proceeds,
                "e": amounts.basis,
                "g": amounts.adjustment,
                "h": amounts.gain,
            }
            for line, amounts in self.lines.items()
        }
        return columns | {
            "6": self.line_6,
            "7": self.line_7,
            "14": self.line_14,
            "15": self.line_15,
            "16": self.line_16,
            "21": self.line_21,
        }


def schedule_d(
    rows: Iterable[FormRow],
    *,
    loss_limit: Money,
    carry_in_short: Money = ZERO,
    carry_in_long: Money = ZERO,
) -> ScheduleD:
    """Schedule D of one return for *rows* of one year: exact for exact rows, in cents for printed.

    *loss_limit* is what a return of that status may deduct from other income (26 USC 1211(b));
    the carryovers into the year are positive.
    """
    found: dict[str, list[FormRow]] = {}
    for row in rows:
        found.setdefault(LINE_OF_BOX[row.box], []).append(row)
    lines = {line: amounts_of(found[line]) for line in (*SHORT_LINES, *LONG_LINES) if line in found}
    with localcontext(EXACT):
        short = _gain(lines, SHORT_LINES) - carry_in_short
        long = _gain(lines, LONG_LINES) - carry_in_long
        net = short + long
        return ScheduleD(
            lines=lines,
            line_6=ZERO - carry_in_short,
            line_7=short,
            line_14=ZERO - carry_in_long,
            line_15=long,
            line_16=net,
            line_21=max(min(net, ZERO), -loss_limit),
        )


def _gain(lines: dict[str, Amounts], names: tuple[str, ...]) -> Money:
    return sum((lines[name].gain for name in names if name in lines), ZERO)
