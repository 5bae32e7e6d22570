"""docs/reference/json.md, the documents' types and what commands print say the same."""

import datetime as dt
import re
import types
import typing
from importlib import import_module
from importlib.util import find_spec

import msgspec
import pytest
from tests.apps.cli.command_line import document_of, trimtab

from trimtab.apps.views.digits import Digits

MODULES = [
    import_module(name)
    for part in (
        "documents",
        "plan_documents",
        "hypothetical_documents",
        "tax_documents",
        "tax_documents_trading",
        "tax_documents_lots",
        "performance_documents",
        "targets_documents",
        "yields_documents",
        "contribute_documents",
        "reserve_documents",
    )
    if find_spec(name := f"trimtab.apps.views.{part}") is not None
]
STRUCTS = {
    name.removesuffix("Document"): found
    for module in MODULES
    for name, found in vars(module).items()
    if isinstance(found, type) and issubclass(found, msgspec.Struct) and found is not msgspec.Struct
}
WORDS = {
    str: "string",
    bool: "true or false",
    int: "whole number",
    float: "number",
    dt.datetime: "instant",
    dt.date: "date",
}


def _word(kind: typing.Any) -> str:
    """A field's type as the page writes it."""
    if kind == Digits:
        return "decimal"
    arguments = typing.get_args(kind)
    if types.NoneType in arguments:
        return f"{_word(arguments[0])} or null"
    if typing.get_origin(kind) is tuple:
        return f"list of {_word(arguments[0])}"
    if typing.get_origin(kind) is dict:
        return "object of strings"
    return WORDS.get(kind) or f"`{kind.__name__.removesuffix('Document')}`"


def _fields(struct: type[msgspec.Struct]) -> list[tuple[str, str]]:
    hints = typing.get_type_hints(struct, include_extras=True)
    return [(name, _word(hints[name])) for name in struct.__struct_fields__]


@pytest.fixture(scope="module")
def page(request) -> dict[str, str]:
    """The page's sections by title."""
    text = (request.config.rootpath / "docs/reference/json.md").read_text()
    parts = re.split(r"^#{2,3} (\w+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", STRUCTS)
def test_the_page_explains_every_field_of_every_document_in_its_order(page, name):
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (\S.*?) \|$", page[name], re.MULTILINE)
    assert [(field, kind) for field, kind, _ in rows] == _fields(STRUCTS[name])


def test_the_page_explains_nothing_that_does_not_exist(page):
    assert set(page) - {"Parts"} == set(STRUCTS)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("status",), "Status"),
        (("plan",), "Plan"),
        (("contribute",), "Contribute"),
        (("contribute", "--amount", "5000"), "Contribute"),
        (("reserve",), "OperatingReserve"),
        (("plan", "--what-if", "VTI=-20%", "--what-if", "deposit=5000"), "WhatIf"),
        (("plan", "--what-if", "VTI=x"), "Error"),
        (("plan", "--compare", "relief"), "CompareRelief"),
        (("run",), "Run"),
        (("run", "--execute"), "Run"),
        (("verify",), "Verify"),
        (("tax", "log"), "TaxLog"),
        (("tax", "gains"), "TaxGains"),
        (("tax", "wash"), "TaxWash"),
        (("tax", "year"), "TaxYear"),
        (("tax", "year", "1999"), "TaxYear"),
        (("tax", "calendar"), "TaxCalendar"),
        (("tax", "guard", "buy", "1", "VTI", "--account", "joint"), "TaxGuard"),
        (("tax", "guard", "sell", "1", "VTI", "--account", "joint"), "TaxGuard"),
        (("tax", "harvest"), "TaxHarvest"),
        (("tax", "form8949", "2026"), "TaxForms"),
        (("tax", "txf", "2026"), "TaxTxf"),
        (("tax", "instructions"), "Instructions"),
        (("tax", "gains", "--price", "VTI"), "Error"),
        (("targets",), "Targets"),
        (("performance",), "Performance"),
        (("yields",), "Yields"),
        (("check",), "Check"),
        (("policy",), "Policy"),
        (("explain",), "Explain"),
        (("explain", "VTI"), "Explain"),
        (("explain", "nothing-like-it"), "Error"),
    ],
    ids=str,
)
@pytest.mark.parametrize("folder", ["demo", "untouched"])
def test_what_a_command_prints_is_the_document_that_the_page_explains(
    command, name, folder, page, request
):
    ended = trimtab(*command, "--folder", request.getfixturevalue(folder), "--json")
    printed = document_of(ended)
    assert f"`{printed['schema']}`" in page[name]
    _is_exactly(printed, STRUCTS[name])
    msgspec.convert(printed, STRUCTS[name], strict=True)


def test_instants_are_written_in_utc(demo):
    at = document_of(trimtab("status", "--folder", demo, "--json"))["at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", at)


def _is_exactly(printed: typing.Any, kind: typing.Any) -> None:
    """Every object has the fields of its type, no more and no fewer."""
    arguments = typing.get_args(kind)
    if printed is None or (not arguments and not isinstance(printed, dict)):
        return
    if types.NoneType in arguments:
        _is_exactly(printed, arguments[0])
    elif isinstance(printed, list):
        for one in printed:
            _is_exactly(one, arguments[0])
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind, include_extras=True)
        assert list(printed) == list(hints)
        for name, inner in printed.items():
            _is_exactly(inner, hints[name])
