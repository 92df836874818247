"""Builds nodes from parse trees: converts values to SI units, checks names and dimensions."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import NoReturn, cast

from lark import Token, Tree

from motif.core.errors import QueryError
from motif.core.query.nodes import (
    BUILT_IN,
    LABEL,
    And,
    Between,
    Compare,
    Has,
    In,
    Like,
    Node,
    Not,
    Operator,
    Or,
    Phrase,
)  # fmt: skip
from motif.core.query.values import Date, Flag, Number, Text, Value, date, unquoted
from motif.core.records import OWN_FACETS, STANDARD_FACETS
from motif.core.units import quantity_name, same_dimension, si

MAX_DEPTH = 50
MAX_TERMS = 200
"""SQLite limits expressions to 1,000 levels, and a date takes four of them."""
MAX_PATTERN = 1_000

_OPERATORS = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}


KnownFacets = Collection[str] | Mapping[str, str | None]
"""Facet names, or names with the SI unit of their numbers ("bool" for flags, None for text)."""


class FacetNames:
    """The facets of a workspace and the units of their numbers."""

    def __init__(self, known: KnownFacets | None) -> None:
        own = {*STANDARD_FACETS, *OWN_FACETS, *BUILT_IN, LABEL}
        self._names = None if known is None else {*known, *own}
        self._units = known if isinstance(known, Mapping) else {}

    def unit(self, name: str) -> str | None:
        """SI unit of a facet's numbers, "bool" for flags, None for text or an unknown unit."""
        return self._units.get(name)

    def missing(self, name: str) -> str | None:
        """Why `name` is refused; None for a known name."""
        if self._names is None or name in self._names:
            return None
        return f"There is no facet {name!r}{self._suggestion(name)}"

    def _suggestion(self, name: str) -> str:
        by_lower = {known.lower(): known for known in sorted(self._names or ())}
        nearest = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
        return f"; did you mean {by_lower[nearest[0]]!r}?" if nearest else "."


class Builder:
    """Builds the nodes of one query; see `motif.core.query.parse`."""

    def __init__(self, query: str, names: FacetNames) -> None:
        self._query = query
        self._names = names
        self._terms = 0

    def build(self, tree: Tree[Token], depth: int = 0) -> Node:
        """The node of `tree`."""
        if depth > MAX_DEPTH:
            self._refuse(f"Parentheses are nested deeper than {MAX_DEPTH}", tree)
        children = tree.children
        match tree.data:
            case "start" | "group":
                return self.build(_tree(children[0]), depth + 1)
            case "disjunction" | "conjunction":
                terms = tuple(self.build(_tree(child), depth) for child in children)
                if len(terms) == 1:
                    return terms[0]
                return Or(terms) if tree.data == "disjunction" else And(terms)
            case "negation":
                return Not(self.build(_tree(children[1]), depth + 1))
        self._terms += 1
        if self._terms > MAX_TERMS:
            self._refuse(f"A query has at most {MAX_TERMS} comparisons; use in (...)", tree)
        return self._leaf(tree)

    def _leaf(self, tree: Tree[Token]) -> Node:
        if tree.data == "phrase":
            return Phrase(self._text(_token(tree.children[0])))
        name = self._name(_tree(tree.children[0]))
        negated = any(isinstance(child, Token) and child.type == "NOT" for child in tree.children)
        match tree.data:
            case "has":
                return Has(name)
            case "like":
                return Like(name, self._pattern(_token(tree.children[-1])), negated)
            case "member":
                values = [child for child in tree.children[1:] if isinstance(child, Tree)]
                return In(name, tuple(self._value(name, child) for child in values), negated)
            case "compare":
                return self._compare(name, tree)
            case _:
                return self._between(name, tree, negated)

    def _compare(self, name: str, tree: Tree[Token]) -> Compare:
        written = _token(tree.children[1])
        operator = cast(Operator, _OPERATORS.get(written, str(written)))
        value = self._value(name, _tree(tree.children[2]))
        if isinstance(value, Flag) and operator not in ("=", "!="):
            self._refuse(f"{name} {operator} {value} has no meaning; write = or !=", written)
        return Compare(name, operator, value)

    def _between(self, name: str, tree: Tree[Token], negated: bool) -> Between:
        operator = next((c for c in tree.children[1:] if isinstance(c, Token)), None)
        if operator is not None and operator.type == "OPERATOR" and operator not in ("=", "=="):
            self._refuse(f"A range follows =, in or between, not {operator}", operator)
        first, second = (child for child in tree.children[1:] if isinstance(child, Tree))
        high = self._value(name, second)
        low = self._value(name, first, high.unit if isinstance(high, Number) else "")
        if type(low) is not type(high) or isinstance(low, Flag):
            self._refuse(f"The range {low} .. {high} needs two numbers, dates or texts", first)
        return Between(name, low, high, negated)

    def _name(self, tree: Tree[Token]) -> str:
        token = _token(tree.children[0])
        name = self._text(token) if token.type == "STRING" else str(token)
        reason = self._names.missing(name)
        if reason:
            self._refuse(reason.removesuffix("."), token)
        return name

    def _value(self, name: str, tree: Tree[Token], default_unit: str = "") -> Value:
        token = _token(tree.children[0])
        value: Value
        match token.type:
            case "NUMBER":
                unit = _token(tree.children[1]) if len(tree.children) > 1 else None
                value = self._number(token, unit, default_unit)
            case "FLAG":
                value = Flag(token.lower() == "true")
            case "DATE":
                value = self._date(token)
            case _:
                value = Text(self._text(token))
        self._check_dimension(name, value, token)
        return value

    def _number(self, token: Token, unit: Token | None, default_unit: str) -> Number:
        written = str(unit) if unit else default_unit
        written = f"1{written}" if written.startswith("/") else written
        try:
            converted, _ = si(float(token), written)
        except ValueError as error:
            self._refuse(str(error).removesuffix("."), unit or token)
        if not math.isfinite(converted):
            self._refuse(f"{token} is outside the range of numbers", token)
        return Number(converted, float(token), written)

    def _date(self, token: Token) -> Date:
        try:
            return date(token)
        except (ValueError, OverflowError):
            self._refuse(f"{token} is not a date of the calendar", token)

    def _text(self, token: Token) -> str:
        return unquoted(token)

    def _pattern(self, token: Token) -> str:
        pattern = self._text(token)
        if len(pattern) > MAX_PATTERN:
            self._refuse(f"A pattern has at most {MAX_PATTERN} characters", token)
        if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
            self._refuse("The pattern ends with a backslash that escapes nothing", token)
        return pattern

    def _check_dimension(self, name: str, value: Value, token: Token) -> None:
        unit = self._names.unit(name)
        if unit is None or (isinstance(value, Flag) and unit == "bool"):
            return
        if unit == "bool":
            self._refuse(f"{name} is either true or false, not {value}", token)
        if not isinstance(value, Number):
            self._refuse(f"{name} is {quantity_name(unit)}; {value} is not a number", token)
        if not same_dimension(unit, value.unit):
            self._refuse(_mismatch(name, unit, value), token)

    def _refuse(self, reason: str, source: Tree[Token] | Token) -> NoReturn:
        token = source if isinstance(source, Token) else next(source.scan_values(lambda _: True))
        position = token.start_pos or 0
        mark = "" if reason.endswith("?") else "."
        raise QueryError(f"At character {position + 1}: {reason}{mark}", self._query, position)


def _mismatch(name: str, unit: str, value: Number) -> str:
    quantity = quantity_name(unit)
    if not value.unit:
        example = {"m": "um", "1/m": "1/cm", "rad": "deg"}.get(unit, unit)
        return f"{name} is {quantity}; give {value} a unit, for example {value} {example}"
    return f"{name} is {quantity}; {value} is {quantity_name(value.unit)}"


def _tree(child: Tree[Token] | Token) -> Tree[Token]:
    return cast("Tree[Token]", child)


def _token(child: Tree[Token] | Token) -> Token:
    return cast(Token, child)
