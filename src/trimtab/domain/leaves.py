"""What a single value of `household.toml` must be like, beside its type.

Only the decoder (`trimtab.domain.reading`) reads the `extra` of `Meta`: a policy that is already in
the journal can always be read back.
"""

from typing import Annotated

from msgspec import Meta

from trimtab.domain.numbers import Money, Weight

Fraction = Annotated[Weight, Meta(extra={"least": 0, "most": 1, "example": "0.25"})]
Growth = Annotated[Weight, Meta(extra={"above": -1, "most": 1, "example": "0.03"})]
Part = Annotated[Weight, Meta(extra={"above": 0, "most": 1, "example": "0.25"})]
Positive = Annotated[Weight, Meta(extra={"above": 0, "example": "50"})]
BasisPoints = Annotated[Weight, Meta(extra={"least": 0, "most": 10_000, "example": "10"})]
Amount = Annotated[Money, Meta(extra={"least": 0, "example": "1000"})]
Count = Annotated[int, Meta(extra={"least": 1, "most": 100_000, "example": "1"})]
Days = Annotated[int, Meta(extra={"least": 0, "most": 3_650, "example": "30"})]
CalendarYear = Annotated[int, Meta(extra={"least": 1900, "most": 2200, "example": "2026"})]
Identifier = Annotated[
    str,
    Meta(
        extra={
            "pattern": r"[A-Za-z0-9][A-Za-z0-9._-]*",
            "form": "letters, digits, - _ . and no spaces",
            "example": '"NAME"',
        }
    ),
]
Symbol = Annotated[
    str,
    Meta(
        extra={
            "pattern": r"[A-Za-z0-9^][A-Za-z0-9.^=/_-]*",
            "form": "a ticker such as VTI or BRK.B, without spaces",
            "example": '"VTI"',
        }
    ),
]
Currency = Annotated[
    str,
    Meta(
        extra={
            "pattern": r"[A-Z]{3}",
            "form": "the three capital letters of a currency code",
            "example": '"USD"',
        }
    ),
]
Text = Annotated[
    str, Meta(extra={"pattern": r"(?s).*\S.*", "form": "at least one word", "example": '"text"'})
]
