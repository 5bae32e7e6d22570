"""The type of a number in a document."""

from typing import Annotated

from msgspec import Meta

Digits = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
"""A number in exact digits, without an exponent."""
