"""Errors of wrong queries state the position, the reason and the nearest known facet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.core.errors import QueryError
from motif.core.query import parse, pointer

KNOWN = {
    "operator": None, "scan_size": "m", "tip_voltage": "V", "simulated": "bool",
    "Flatten Order 0": "", "stiffness": "N/m", "scan_angle": "rad",
}  # fmt: skip


@pytest.mark.parametrize(
    ("query", "position", "reason"),
    [
        ('operater = "xu"', 0, "There is no facet 'operater'; did you mean 'operator'?"),
        ('has Operatro and operator = "a"', 4, "did you mean 'operator'?"),
        ("scan_size <= 3 V", 13, "scan_size is a length; 3 V is a voltage."),
        ("scan_size <= 3", 13, "scan_size is a length; give 3 a unit, for example 3 um."),
        ("scan_angle = 30", 13, "scan_angle is an angle; give 30 a unit, for example 30 deg."),
        ('"Flatten Order 0" = 3 deg', 20, "is a pure number; 3 deg is an angle"),
        ("stiffness < 3 N", 12, "stiffness is a stiffness; 3 N is a force."),
        ('"Flatten Order 0" = 3 V', 20, "is a pure number; 3 V is a voltage"),
        ("scan_size < 3 umm", 14, "'umm' is not a known unit; the nearest is 'um'."),
        ('scan_size = "3 um"', 12, 'scan_size is a length; "3 um" is not a number'),
        ("simulated = 3", 12, "simulated is either true or false"),
        ("simulated < true", 10, "write = or !="),
        ("operator = xu", 11, 'write "xu"'),
        ("operator =", 10, "the query ends where a value".capitalize()),
        ('operator "xu"', 9, "where a comparison"),
        ('(operator = "xu"', 16, "closing parenthesis"),
        ('operator = "xu', 11, "no closing"),
        ("operator = “xu”", 11, "typographic quote"),
        ('operator = "a" && has operator', 15, "write and, or"),
        ('operator = "a" operator = "b"', 15, "and, or, or the end"),
        ('text = "a"', 5, "followed by the phrase to search for"),
        ("acquired_at = 2019-02-30", 14, "2019-02-30 is not a date of the calendar"),
        ("scan_size > 1 um .. 2 um", 10, "A range follows =, in or between, not >"),
        ('acquired_at = 2019-01 .. "x"', 14, "two numbers, dates or texts"),
        ("scan_size = 1e999 um", 12, "outside the range"),
        ('operator like "x\\\\"', 14, "escapes nothing"),
        ('operator = "a\0"', 13, "not printable"),
    ],
)
def test_position_and_reason(query: str, position: int, reason: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query, known=KNOWN)
    assert reason in str(caught.value)
    assert (caught.value.query, caught.value.position) == (query, position)


def test_standard_and_built_in_names_are_always_known() -> None:
    assert parse('outcome = "failed" and kind = "image"', known=()).facets == {"outcome", "kind"}


@pytest.mark.parametrize(
    ("query", "advice"),
    [
        ("simulated", "write has simulated, or simulated = true"),
        ("not (simulated) and has x", "write has simulated, or simulated = true"),
        ("acquired_at > yesterday", "Dates are written like 2019-05-17"),
        ("acquired_at between monday and 2019-05-17", "Dates are written like"),
    ],
)
def test_what_was_probably_meant_is_suggested(query: str, advice: str) -> None:
    with pytest.raises(QueryError, match=advice):
        parse(query)


def test_any_name_is_accepted_without_known_facets() -> None:
    assert parse('"Any Thing" = 1').facets == {"Any Thing"}


def test_pointer_marks_the_position_in_its_line() -> None:
    with pytest.raises(QueryError) as caught:
        parse('operator = "xu"\nand scan_size < 3 umm', known=KNOWN)
    assert pointer(caught.value) == "and scan_size < 3 umm\n                  ^"


@pytest.mark.parametrize(
    "query",
    [
        "(" * 60 + "has a" + ")" * 60,
        "not " * 60 + "has a",
        " and ".join(["has a"] * 201),
        f'a like "{"%" * 1001}"',
        "a" * 100_001,
    ],
)
def test_size_is_bounded(query: str) -> None:
    with pytest.raises(QueryError):
        parse(query)


def test_many_values_are_accepted() -> None:
    ids = ", ".join(f'"{number:032x}"' for number in range(2_000))
    assert parse(f"id in ({ids})").matches({"id": f"{1999:032x}"})


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | st.text("ab\"'()=<>!.,0123456789um- /%^and or not in", max_size=40))
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    mistake = mistake_in(text)
    if mistake is not None:
        assert 0 <= mistake.position <= len(text)
        assert str(mistake).endswith((".", "?"))
        assert pointer(mistake).endswith("^")


def mistake_in(text: str) -> QueryError | None:
    try:
        parse(text, known=KNOWN)
    except QueryError as error:
        return error
    return None
