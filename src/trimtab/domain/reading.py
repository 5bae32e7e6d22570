"""Reads a TOML document leaf by leaf along the types of `trimtab.domain.policy`.

One bad value hides no other: each leaves a sentence in the list of faults, and what could not be
read becomes UNSET.
"""

import datetime as dt
import difflib
import functools
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import cast

import msgspec.inspect as shapes
from msgspec import UNSET

from trimtab.domain.errors import FileFaults
from trimtab.domain.policy import HouseholdFile

_SECRET = re.compile(
    r"(api|access|private|secret|client)[_-]?key|secret|passw|passphrase|token|credential",
    re.IGNORECASE,
)
_TWICE = re.compile(r"Cannot declare \((.*)\) twice")
_DIGITS_MAX = 15
_DECIMALS_MAX = 18
"""No amount of a household needs more (a wei is 1e-18 ether)."""
_SHOWN_MAX = 60
_CHOICES_MAX = 6
_ONE_HUNDRED = 100
_SYNTAX_HINTS = {
    "Cannot declare": "write each table once, with all its keys below it",
    "Cannot overwrite": "write each key once in its table",
    "Expected '='": "write key = value, and a comment only after #",
    "Invalid value": 'write text in "quotes", numbers as 0.60 without % or commas, lists in [ ]',
    "Invalid initial character": "begin the line with a key, a [table] or #",
    "Invalid statement": "begin the line with a key, a [table] or #",
    "Expected newline": "write one key = value on each line",
    "Unclosed array": "close the list with ]",
    "Unterminated string": 'close the text with a " on the same line',
    "Illegal character": 'close the text with a " on the same line',
    "Unescaped": "write text with a backslash in 'single quotes'",
    "at the end of a table": "write the table as [name]",
}


def parse_toml(text: str, source: str) -> dict[str, object]:
    """The document in *text*, its numbers exact.

    Raises:
        FileFaults: the first thing in it that is no TOML; a parser sees no further.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"), parse_float=_parse_number)
    except RecursionError:
        fault = "lists or tables are nested too deeply; none of ours is deeper than two"
        raise FileFaults(source, [fault]) from None
    except ValueError as error:
        raise FileFaults(source, [_syntax_fault(str(error))]) from None


def _parse_number(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond what Decimal can hold; refused with its key
        return Decimal("inf")


def _syntax_fault(message: str) -> str:
    if "integer string conversion" in message:
        return "a number has thousands of digits; write at most 15 before the point"
    what, _, place = message.rstrip(")").partition(" (at ")
    twice = _TWICE.match(what)
    if twice:
        table = ".".join(part.strip(" '\"") for part in twice[1].strip(",").split(","))
        return (
            f"{place}: the table [{table}] stands there for the second time; keep one of the two, "
            "with all its keys below it"
        )
    hint = next((hint for words, hint in _SYNTAX_HINTS.items() if words in what), None)
    return f"{place or 'somewhere'}: {what}; {hint or 'write key = value below a [table]'}"


@functools.cache
def file_shape() -> shapes.StructType:
    """The shape that household.toml must have."""
    return cast("shapes.StructType", shapes.type_info(HouseholdFile))


def _bare(shape: shapes.Type) -> tuple[shapes.Type, Mapping[str, object]]:
    """The type itself, without None, and what `Meta` says about it."""
    if isinstance(shape, shapes.UnionType):
        shape = next(kind for kind in shape.types if not isinstance(kind, shapes.NoneType))
    if isinstance(shape, shapes.Metadata):
        return shape.type, shape.extra or {}
    return shape, {}


def read_shape(shape: shapes.Type, value: object, path: str, faults: list[str]) -> object:
    """*value* as *shape* wants it, or UNSET with a sentence added to *faults*."""
    bare, _ = _bare(shape)
    match bare, value:
        case shapes.StructType(), dict():
            return _read_table(bare, value, path, faults)
        case shapes.DictType(), dict():
            return _read_names(bare, value, path, faults)
        case shapes.VarTupleType(), list():
            places = _places(bare, path, len(value))
            items = [
                read_shape(bare.item_type, item, place, faults)
                for item, place in zip(value, places, strict=True)
            ]
            return tuple(items) if is_known(*items) else UNSET
        case shapes.EnumType(), str():
            return _read_choice({str(each.value): each for each in bare.cls}, value, path, faults)
        case shapes.LiteralType(), str():
            return _read_choice({str(each): each for each in bare.values}, value, path, faults)
    return _read_leaf(shape, value, path, faults)


def _places(shape: shapes.VarTupleType, path: str, count: int) -> list[str]:
    """Where each member of a list stands; tables of one name are counted."""
    if not isinstance(shape.item_type, shapes.StructType):
        return [path] * count
    return [f"{path}[{number}]" for number in range(1, count + 1)]


def _read_leaf(shape: shapes.Type, value: object, path: str, faults: list[str]) -> object:
    bare, extra = _bare(shape)
    leaf = Decimal(value) if type(bare) is shapes.DecimalType and type(value) is int else value
    if type(leaf) is not _PYTHON_TYPES.get(type(bare)):
        faults.append(_type_fault(shape, value, path))
        return UNSET
    fault = _range_fault(leaf, extra)
    if fault:
        faults.append(f"{path}: {fault}")
        return UNSET
    return leaf


def _read_table(
    shape: shapes.StructType, table: dict[str, object], path: str, faults: list[str]
) -> object:
    fields = {field.name: field for field in shape.fields}
    for key in [key for key in table if key not in fields]:
        faults += _unknown_key_faults(path, key, table[key], fields)
    parts: dict[str, object] = {}
    for name, field in fields.items():
        where = join(path, name)
        if field.required and table.get(name, {}) == {}:
            faults.append(_missing_fault(field.type, where, name))
            parts[name] = UNSET
        elif name in table:
            parts[name] = read_shape(field.type, table[name], where, faults)
    return shape.cls(**parts)


def _read_names(
    shape: shapes.DictType, table: dict[str, object], path: str, faults: list[str]
) -> object:
    _, name_extra = _bare(shape.key_type)
    is_rules = isinstance(shape.value_type, shapes.StructType)
    rules: dict[str, object] = {}
    for name, value in table.items():
        where = join(path, name)
        if is_rules and not isinstance(value, dict) and _SECRET.search(name):
            faults.append(_secret_fault(where))
            continue
        fault = _range_fault(name, name_extra)
        if fault:
            faults.append(f"{where}: the name {fault}")
        rule = read_shape(shape.value_type, value, where, faults)
        rules[name] = rule if is_rules or not fault else UNSET
    return rules


def _read_choice(choices: Mapping[str, object], value: str, path: str, faults: list[str]) -> object:
    if value in choices:
        return choices[value]
    faults.append(f"{path}: {_shown(value)} is unknown; write {one_of(value, choices)}")
    return UNSET


_PYTHON_TYPES: dict[type[shapes.Type], type] = {
    shapes.BoolType: bool,
    shapes.DecimalType: Decimal,
    shapes.IntType: int,
    shapes.StrType: str,
    shapes.DateType: dt.date,
}
_WORDS: dict[type[shapes.Type], str] = {
    shapes.BoolType: "true or false",
    shapes.StructType: "a table",
    shapes.DictType: "a table",
    shapes.VarTupleType: "a list",
    shapes.DecimalType: "a number",
    shapes.IntType: "a whole number",
    shapes.DateType: "a date",
}


def _type_fault(shape: shapes.Type, value: object, path: str) -> str:
    bare, _ = _bare(shape)
    wanted = _WORDS.get(type(bare), "text")
    if isinstance(bare, shapes.VarTupleType) and isinstance(bare.item_type, shapes.StructType):
        return f"{path}: expected tables, found {_shown(value)}; write [[{path}]], its keys below"
    if wanted == "a table":
        return f"{path}: expected a table, found {_shown(value)}; write [{path}], its keys below"
    return f"{path}: expected {wanted}, found {_shown(value)}; write for example {_example(shape)}"


def _missing_fault(shape: shapes.Type, path: str, key: str) -> str:
    bare, _ = _bare(shape)
    match bare:
        case shapes.StructType():
            return f"{path}: missing; write [{path}] with {_example(bare)}"
        case shapes.DictType():
            name = _example(bare.key_type).strip('"')
            return (
                f"{path}: missing; write at least [{path}.{name}] with {_example(bare.value_type)}"
            )
    return f"{path}: missing; write for example {key} = {_example(shape)}"


def _example(shape: shapes.Type) -> str:
    """TOML that *shape* accepts; of a table only the keys that it must have."""
    bare, extra = _bare(shape)
    match bare:
        case shapes.StructType():
            needed = [field for field in bare.fields if field.required]
            return ", ".join(f"{field.name} = {_example(field.type)}" for field in needed)
        case shapes.VarTupleType():
            return f"[{_example(bare.item_type)}]"
        case shapes.EnumType():
            return json.dumps(next(iter(bare.cls)).value)
        case shapes.DateType():
            return "2024-01-02"
    return str(extra["example"])


def _range_fault(leaf: object, extra: Mapping[str, object]) -> str:
    """What is wrong with a value of the right type; empty when nothing is."""
    match leaf:
        case str() if not re.fullmatch(str(extra.get("pattern", "(?s).*")), leaf):
            return f"{_shown(leaf)} cannot be used; write {extra['form']}"
        case Decimal() if not _is_plain(leaf):
            digits = f"{_DIGITS_MAX} digits before the point and {_DECIMALS_MAX} after it"
            return f"{_shown(leaf)} cannot be used; write a number of at most {digits}"
        case bool():
            return ""
        case int() | Decimal():
            return _bounds_fault(leaf, extra)
    return ""


def _is_plain(number: Decimal) -> bool:
    if not number.is_finite():
        return False
    decimals = -cast("int", number.as_tuple().exponent)
    return number.adjusted() < _DIGITS_MAX and decimals <= _DECIMALS_MAX


def _bounds_fault(number: int | Decimal, extra: Mapping[str, object]) -> str:
    least, above, most = (cast("int | None", extra.get(key)) for key in ("least", "above", "most"))
    is_low = (least is not None and number < least) or (above is not None and number <= above)
    is_high = most is not None and number > most
    if not is_low and not is_high:
        return ""
    start = f"at least {least}" if above is None else f"more than {above}"
    end = "" if most is None else f" and at most {most}"
    is_percent = is_high and most == 1 and number <= _ONE_HUNDRED
    percent = f" ({number} % is {Decimal(number) / _ONE_HUNDRED})" if is_percent else ""
    return f"{_shown(number)} is out of range; write a number that is {start}{end}{percent}"


def _unknown_key_faults(path: str, key: str, value: object, fields: Iterable[str]) -> Iterator[str]:
    """A sentence on *key*, or one for every secret in it."""
    where = join(path, key)
    secrets = list(_secrets(where, key, value))
    if secrets:
        yield from map(_secret_fault, secrets)
        return
    near = difflib.get_close_matches(key[:_SHOWN_MAX], list(fields), 1)
    home = _home_of(key)
    if near:
        yield f'{where}: unknown key; did you mean "{near[0]}"?'
    elif home:
        yield f"{where}: unknown key here; move it below [{home}]"
    else:
        yield f"{where}: unknown key; remove it, or write one of {', '.join(fields)}"


def _home_of(key: str) -> str | None:
    """The table that has a key of this name, for a key written below the wrong table."""
    for table in file_shape().fields:
        bare, _ = _bare(table.type)
        if isinstance(bare, shapes.StructType) and any(key == each.name for each in bare.fields):
            return table.name
    return None


def _secrets(path: str, key: str, value: object) -> Iterator[str]:
    """Where in an unknown key something is named like a secret; never what it is."""
    pending = [(path, key, value)]
    while pending:
        path, key, value = pending.pop()
        if _SECRET.search(key):
            yield path
        elif isinstance(value, dict):
            pending += [(join(path, name), name, inner) for name, inner in value.items()]


def _secret_fault(path: str) -> str:
    return (
        f"no secrets in this file: {path} looks like one; remove the line, and keep the secret "
        "in the environment or in the system's keyring"
    )


def is_known(*values: object) -> bool:
    """Whether all of *values* could be read."""
    return all(value is not UNSET for value in values)


def join(path: str, key: str) -> str:
    """The path of *key* in the table at *path*, as it is written in TOML."""
    written = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else quoted(key)
    return f"{path}.{written}" if path else written


def quoted(text: str) -> str:
    """*text* in quotes, cut when it is long."""
    return json.dumps(_shortened(text), ensure_ascii=False)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


def _shown(value: object) -> str:
    """*value* as a short piece of TOML or in words."""
    match value:
        case bool():
            return str(value).lower()
        case int() if value.bit_length() > _ONE_HUNDRED:
            return "a number of very many digits"
        case str():
            return quoted(value)
        case dict():
            return "a table"
        case list():
            return "a list"
    return _shortened(str(value))


def one_of(word: str, allowed: Iterable[str]) -> str:
    """What to write instead of *word*: the nearest first, and not more than help."""

    def likeness(each: str) -> float:
        return difflib.SequenceMatcher(None, word[:_SHOWN_MAX].lower(), each.lower()).ratio()

    near = [quoted(each) for each in sorted(allowed, key=likeness, reverse=True)[:_CHOICES_MAX]]
    return near[0] if len(near) == 1 else f"one of {', '.join(near)}"
