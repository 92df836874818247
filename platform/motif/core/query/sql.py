"""Queries as SQL conditions: bound parameters only, in forms that indices support."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_ as either
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Table, and_, false, not_, or_, select

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
from motif.core.query.values import DIGITS, Column, Date, Flag, Number, Text, Value

Condition: TypeAlias = ColumnElement[bool]
Search: TypeAlias = Callable[[str], Condition]

_ESCAPE = "\\"


@dataclass(frozen=True)
class Conditions:
    """Translates nodes into conditions on rows of `measurements`.

    `measurements` has the columns number, id, record_id, collection, kind, title; `facets` has
    measurement (that number), name, text, number. `search` answers full-text phrases from an
    index; without it, titles and facet texts are scanned. `annotations` has measurement (an id),
    kind and text; without it there are no labels.
    """

    measurements: Table
    facets: Table
    search: Search | None = field(default=None)
    annotations: Table | None = field(default=None)

    def of(self, node: Node) -> Condition:
        """The condition equivalent to `node.matches`."""
        match node:
            case And(terms):
                return and_(*map(self.of, terms))
            case Or(terms):
                return or_(*map(self.of, terms))
            case Not(term):
                return not_(self.of(term))
            case Phrase(phrase):
                return self._phrase(phrase)
            case Has(name):
                return self._facet(name, None, lambda column: column.is_not(None))
            case Like(name, pattern, negated):
                return self._facet(name, "text", lambda column: _like(column, pattern, negated))
            case Compare(name, operator, value):
                return self._facet(name, column_of(value), lambda c: _compare(c, operator, value))
            case Between(name, low, high, negated):
                return self._between(name, low, high, negated)
            case In(name, values, negated):
                return self._in(name, values, negated)

    def _between(self, name: str, low: Value, high: Value, negated: bool) -> Condition:
        if negated:
            outside = (Compare(name, "<", low), Compare(name, ">", high))
            return or_(*map(self.of, outside))
        return self._facet(
            name,
            column_of(low),
            lambda column: and_(_compare(column, ">=", low), _compare(column, "<=", high)),
        )

    def _in(self, name: str, values: tuple[Value, ...], negated: bool) -> Condition:
        if negated:
            return self._none_of(name, values)
        exact = [value.value for value in values if isinstance(value, Text)]
        rest = [value for value in values if not isinstance(value, Text)]
        conditions = [self.of(Compare(name, "=", value)) for value in rest]
        if exact:
            conditions.append(self._facet(name, "text", lambda column: column.in_(exact)))
        return or_(*conditions)

    def _none_of(self, name: str, values: tuple[Value, ...]) -> Condition:
        """Rows whose value differs from each; text and numbers are not comparable."""
        kinds = {column_of(value) for value in values}
        if len(kinds) > 1:
            return false()
        return self._facet(
            name, kinds.pop(), lambda c: and_(*(_compare(c, "!=", value) for value in values))
        )

    def _facet(
        self, name: str, kind: Column | None, test: Callable[[ColumnElement[Any]], Condition]
    ) -> Condition:
        """Rows whose facet `name` passes `test` on its text or number (either, for None)."""
        if name == LABEL:
            return self._label(test) if kind != "number" else false()
        if name in BUILT_IN:
            return false() if kind == "number" else test(self.measurements.c[BUILT_IN[name]])
        columns = [self.facets.c[kind]] if kind else [self.facets.c.text, self.facets.c.number]
        passed = reduce(either, map(test, columns))
        chosen = select(self.facets.c.measurement).where(self.facets.c.name == name, passed)
        return self.measurements.c.number.in_(chosen)

    def _label(self, test: Callable[[ColumnElement[Any]], Condition]) -> Condition:
        if self.annotations is None:
            return false()
        is_label = self.annotations.c.kind == LABEL
        chosen = select(self.annotations.c.measurement).where(
            is_label, test(self.annotations.c.text)
        )
        return self.measurements.c.id.in_(chosen)

    def _phrase(self, phrase: str) -> Condition:
        if self.search is not None:
            return self.search(phrase)
        inside = self.facets.c.text.icontains(phrase, autoescape=True)
        return or_(
            self._label(lambda text: text.icontains(phrase, autoescape=True)),
            self.measurements.c.title.icontains(phrase, autoescape=True),
            self.measurements.c.number.in_(select(self.facets.c.measurement).where(inside)),
        )


def column_of(value: Value) -> Column:
    """The column of `facets` that holds values comparable with `value`."""
    return "number" if isinstance(value, Number | Flag) else "text"


def _compare(column: ColumnElement[Any], operator: Operator, value: Value) -> Condition:
    if isinstance(value, Text):
        return _of_text(column, operator, value.value)
    below = column < value.low
    above = column >= value.high if isinstance(value, Date) else column > value.high
    inside = and_(column >= value.low, not_(above))
    condition: Condition
    match operator:
        case "=":
            return inside
        case "!=":
            condition = or_(below, above)
        case "<":
            condition = below
        case "<=":
            condition = not_(above)
        case ">":
            condition = above
        case ">=":
            condition = not_(below)
    if isinstance(value, Date):
        return and_(column >= DIGITS[0], column < DIGITS[1], condition)
    return condition


def _of_text(column: ColumnElement[Any], operator: Operator, text: str) -> Condition:
    match operator:
        case "=":
            return column == text
        case "!=":
            return column != text
        case "<":
            return column < text
        case "<=":
            return column <= text
        case ">":
            return column > text
        case ">=":
            return column >= text


def _like(column: ColumnElement[Any], pattern: str, negated: bool) -> Condition:
    matches = column.ilike(pattern, escape=_ESCAPE)
    return not_(matches) if negated else matches
