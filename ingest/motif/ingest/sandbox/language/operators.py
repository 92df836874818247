"""What operators do: functions of records made from functions of records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from motif.ingest.sandbox.language.patterns import is_like, is_match
from motif.ingest.sandbox.language.values import Value, compare, finite, number, text, truth

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
