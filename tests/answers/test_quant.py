"""Every worked case of the literature, answered by the library's own functions."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.answers.adapters import ADAPTERS

FOLDER = Path(__file__).parent / "quant"


def _cases() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            yield pytest.param(case, id=case["id"])


@pytest.mark.parametrize("case", list(_cases()))
def test_a_worked_case_has_the_answer_that_its_source_gives(case):
    assert case["fn"] in ADAPTERS, f"no adapter answers {case['fn']}"
    answer = ADAPTERS[case["fn"]](**case["inputs"])
    differences = list(_differences("", case["expected"], answer, case["tol"]))
    assert not differences, f"{case['id']}, {case['title']}: {'; '.join(differences)}"


def test_every_adapter_answers_some_case():
    asked = {
        case["fn"]
        for path in FOLDER.glob("*.json")
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]
    }
    assert set(ADAPTERS) <= asked


def _differences(where: str, expected: Any, found: Any, tol: dict[str, float]) -> Iterator[str]:
    """One phrase for each place in which *found* is not what was *expected*."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            if key not in found:
                yield f"{where}{key} is missing"
            else:
                yield from _differences(f"{where}{key} ", value, found[key], tol)
    elif isinstance(expected, list):
        if len(expected) != len(found):
            yield f"{where}has {len(found)} members, not {len(expected)}"
        else:
            for number, (one, other) in enumerate(zip(expected, found, strict=True)):
                yield from _differences(f"{where}[{number}] ", one, other, tol)
    elif _is_number(expected) and _is_number(found):
        most = Decimal(str(tol["abs"])) + Decimal(str(tol["rel"])) * abs(Decimal(str(expected)))
        if abs(Decimal(str(found)) - Decimal(str(expected))) > most:
            yield f"{where}is {found}, not {expected}"
    elif type(expected) is not type(found) or expected != found:
        yield f"{where}is {found}, not {expected}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
