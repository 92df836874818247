"""Queries on columns: the answer of `Query.matches` for a million measurements at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.columns_labels import Labels
from motif.core.columns_table import Column, Mask
from motif.core.query.nodes import (
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
    Words,
)  # fmt: skip
from motif.core.query.values import DIGITS, Date, Flag, Number, Text, Value

Phrase: TypeAlias = Callable[[str], Mask]
_Table: TypeAlias = NDArray[np.bool_]
_Test: TypeAlias = tuple[Operator, Value]
_Join: TypeAlias = Callable[[NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.bool_]]


@dataclass(frozen=True)
class Evaluation:
    """Evaluates nodes on columns of n measurements.

    Attributes:
        count: n.
        column: the column of a name, built-in ones included; None where there is none.
        phrase: (n,) where a full-text phrase is found.
    """

    count: int
    column: Callable[[str], Column | None]
    phrase: Phrase

    def of(self, node: Node | None) -> Mask:
        """(n,) where `node` matches."""
        match node:
            case None:
                return np.ones(self.count, np.bool_)
            case And(terms):
                return reduce(and_, map(self.of, terms))
            case Or(terms):
                return reduce(or_, map(self.of, terms))
            case Not(term):
                return ~self.of(term)
            case Words(phrase):
                return self.phrase(phrase)
        column = self.column(node.name)
        if column is None:
            return np.zeros(self.count, np.bool_)
        match node:
            case Has():
                return column.known
            case Like():
                return self._like(column, node)
            case Compare(_, operator, value):
                return self._compare(column, operator, value)
            case Between(_, low, high, negated):
                if negated:
                    return self._both(column, ("<", low), (">", high), or_)
                return self._both(column, (">=", low), ("<=", high), and_)
            case In(_, values, negated):
                return self._in(column, values, negated)

    def _compare(self, column: Column, operator: Operator, value: Value) -> Mask:
        if isinstance(value, Number | Flag):
            parts = [_numbers(part, operator, value) for part in column.numbers.values()]
            return reduce(or_, parts, np.zeros(self.count, np.bool_))
        return self._labelled(column, _stretch(column.labels, operator, value))

    def _both(self, column: Column, first: _Test, second: _Test, join: _Join) -> Mask:
        """(n,) where one value passes both tests (`and_`) or either (`or_`)."""
        ends = [
            (operator, value)
            for operator, value in (first, second)
            if not isinstance(value, Number | Flag)
        ]
        if len(ends) < 2:
            return join(self._compare(column, *first), self._compare(column, *second))
        stretches = [_stretch(column.labels, operator, value) for operator, value in ends]
        return self._labelled(column, join(*stretches))

    def _in(self, column: Column, values: tuple[Value, ...], negated: bool) -> Mask:
        operator: Operator = "!=" if negated else "="
        exact = np.zeros(len(column.labels), np.bool_)
        found, stretches = [], []
        for value in values:
            if isinstance(value, Text):
                exact[column.labels.below(value.value) : column.labels.up_to(value.value)] = True
            elif isinstance(value, Date):
                stretches.append(_stretch(column.labels, operator, value))
            else:
                found.append(self._compare(column, operator, value))
        if any(isinstance(value, Text) for value in values):
            stretches.append(~exact if negated else exact)
        join = and_ if negated else or_
        if stretches:
            found.append(self._labelled(column, reduce(join, stretches)))
        return reduce(join, found)

    def _like(self, column: Column, node: Like) -> Mask:
        texts = column.labels.texts
        chosen = (node.matches({node.name: text}, "") for text in texts)
        return self._labelled(column, np.fromiter(chosen, np.bool_, len(texts)))

    def _labelled(self, column: Column, chosen: _Table) -> Mask:
        """(n,) where the text is one of the chosen labels (l,)."""
        if column.codes is None or not chosen.any():
            return np.zeros(self.count, np.bool_)
        held = chosen if column.groups is None else column.groups @ chosen
        found: Mask = np.append(held, False)[column.codes]
        return found


def _numbers(part: NDArray[np.float64], operator: Operator, value: Number | Flag) -> Mask:
    low, high = value.low, value.high
    match operator:
        case "=":
            return (part >= low) & (part <= high)
        case "!=":
            return (part < low) | (part > high)
        case "<":
            return part < low
        case "<=":
            return part <= high
        case ">":
            return part > high
        case ">=":
            return part >= low


def _stretch(labels: Labels, operator: Operator, value: Text | Date) -> _Table:
    """(l,) the labels that lie so to the value: those below, at or above it are stretches."""
    if isinstance(value, Text):
        first, last = 0, len(labels)
        low, high = labels.below(value.value), labels.up_to(value.value)
    else:
        first, last = labels.below(DIGITS[0]), labels.below(DIGITS[1])
        low, high = labels.below(value.low), labels.below(value.high)
    chosen = np.zeros(len(labels), np.bool_)
    for start, end in _SIDES[operator](first, low, high, last):
        chosen[max(start, first) : min(end, last)] = True
    return chosen


_SIDES: Mapping[Operator, Callable[[int, int, int, int], tuple[tuple[int, int], ...]]] = {
    "=": lambda first, low, high, last: ((low, high),),
    "!=": lambda first, low, high, last: ((first, low), (high, last)),
    "<": lambda first, low, high, last: ((first, low),),
    "<=": lambda first, low, high, last: ((first, high),),
    ">": lambda first, low, high, last: ((high, last),),
    ">=": lambda first, low, high, last: ((low, last),),
}
