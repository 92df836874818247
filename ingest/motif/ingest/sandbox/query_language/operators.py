"""What operators do: functions of records made from functions of records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from motif.ingest.sandbox.query_language.functions import DATE_FUNCTIONS, FUNCTIONS
from motif.ingest.sandbox.query_language.query_values import (
    Value,
    compare,
    finite,
    is_like,
    is_match,
    number,
    text,
    truth,
)

Expression = Callable[[dict[str, Any]], Value]
"""Gives the value of an expression for a record."""
Relation = Callable[[Value, Value], Value]


def logical(until: bool, parts: list[Expression]) -> Expression:
    """Give the first value whose truth is `until`, else the last one."""

    def evaluate(record: dict[str, Any]) -> Value:
        value: Value = None
        for part in parts:
            value = part(record)
            if truth(value) is until:
                break
        return value

    return evaluate


def folded(first: Expression, rest: list[tuple[Relation, Expression]]) -> Expression:
    """Apply relations from left to right."""
    if len(rest) == 1:
        function, second = rest[0]
        return lambda record: function(first(record), second(record))

    def evaluate(record: dict[str, Any]) -> Value:
        value = first(record)
        for relation, operand in rest:
            value = relation(value, operand(record))
        return value

    return evaluate


def prefix(operator: str, inner: Expression) -> Expression:
    """Apply ``!``, ``-`` or ``+``."""
    if operator == "!":
        return lambda record: not truth(inner(record))
    sign = -1 if operator == "-" else 1
    return lambda record: sign * number(inner(record))


def attribute(inner: Expression, name: str) -> Expression:
    """Give what an object holds under `name`; null for anything else."""

    def evaluate(record: dict[str, Any]) -> Value:
        value = inner(record)
        return value.get(name) if isinstance(value, dict) else None

    return evaluate


def array(parts: list[Expression]) -> Expression:
    """Put values into an array."""
    return lambda record: [part(record) for part in parts]


def element(value: Value, index: Value) -> Value:
    """Give what an array or object holds at `index`."""
    if isinstance(value, dict):
        return value.get(text(index))
    if isinstance(value, list):
        place = int(number(index))
        return value[place] if -len(value) <= place < len(value) else None
    return None


def _is_in(value: Value, values: Value) -> bool:
    return isinstance(values, list) and any(compare(value, each) == 0 for each in values)


def _arithmetic(function: Callable[[float, float], float]) -> Relation:
    def evaluate(left: Value, right: Value) -> Value:
        try:
            return finite(function(number(left), number(right)))
        except (ZeroDivisionError, OverflowError):
            return None

    return evaluate


RELATIONS: dict[str, Relation] = {
    "==": lambda left, right: compare(left, right) == 0,
    "!=": lambda left, right: compare(left, right) != 0,
    "<": lambda left, right: compare(left, right) < 0,
    "<=": lambda left, right: compare(left, right) <= 0,
    ">": lambda left, right: compare(left, right) > 0,
    ">=": lambda left, right: compare(left, right) >= 0,
    "in": _is_in,
    "like": lambda left, right: is_like(text(left), text(right)),
    "=~": lambda left, right: is_match(text(left), text(right)),
    "!~": lambda left, right: not is_match(text(left), text(right)),
    "+": _arithmetic(lambda left, right: left + right),
    "-": _arithmetic(lambda left, right: left - right),
    "*": _arithmetic(lambda left, right: left * right),
    "/": _arithmetic(lambda left, right: left / right),
}
"""Operators between two values."""


_TERMS = frozenset(
    "title alias external owner creator ct ut size source ext".split()  # noqa: SIM905
)
_WORDS = frozenset(("like", "true", "false", "null", "in"))
_PLAIN = frozenset("=<>!~|&+-/*^()0123456789. ")
_LONGEST = 10_000


class QuerySyntaxError(ValueError):
    """A metadata expression is not of the language."""


def rewrite(text: str) -> str:
    """Give the AQL expression that the service makes of `text`.

    Raises:
        QuerySyntaxError: a character outside strings that is not allowed, a comment, or a string
            without end.
    """
    if len(text) > _LONGEST:
        raise QuerySyntaxError(f"Metadata expression is longer than {_LONGEST} characters.")
    result: list[str] = []
    place = 0
    while place < len(text):
        letter = text[place]
        if letter in "'\"":
            place = _copy_string(text, place, result)
        elif letter == "/" and text[place + 1 : place + 2] in ("/", "*"):
            raise QuerySyntaxError("In-line metadata expression comments are not permitted.")
        elif letter in _PLAIN:
            result.append(letter)
            place += 1
        elif letter.isascii() and letter.isalpha():
            place = _copy_name(text, place, result)
        else:
            raise QuerySyntaxError("Metadata expression contains invalid character(s).")
    return "".join(result)


def _copy_string(text: str, start: int, result: list[str]) -> int:
    """Copy a quoted string; a quote behind an odd number of backslashes does not end it."""
    quote, place = text[start], start + 1
    while place < len(text) and text[place] != quote:
        place += 2 if text[place] == "\\" else 1
    if place >= len(text):
        raise QuerySyntaxError("Mismatched quotation marks in query")
    result.append(text[start : place + 1])
    return place + 1


def _copy_name(text: str, start: int, result: list[str]) -> int:
    """Copy a name with its prefix, and the character behind it whatever it is."""
    end = start
    while end < len(text) and _in_name(text[end]):
        end += 1
    result.append(_prefixed(text[start:end], text[end:]))
    if end == len(text) or text[end] in "'\"":
        return end
    result.append(text[end])
    return end + 1


def _in_name(letter: str) -> bool:
    return (letter.isascii() and letter.isalnum()) or letter in "._"


def _prefixed(name: str, rest: str) -> str:
    called = rest.lstrip().startswith("(")
    if name == "desc":
        return "i['desc']"
    if name in _WORDS or (called and name in FUNCTIONS):
        return name
    if called and name in DATE_FUNCTIONS:
        return f"0.001*{name}"
    if name == "id":
        return "i._id"
    if name in _TERMS:
        return f"i.{name}"
    if name.lower() == "def":
        return "!= null"
    if name.lower() == "undef":
        return "== null"
    if name == "md" or name.startswith("md."):
        return f"i.{name}"
    return f"i.md.{name}"
