"""Evaluates queries on columns: the answer of `Query.matches` for all measurements at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.columns.column_table import FacetColumn, Mask, TextDictionary
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
    Phrase,
)
from motif.core.query.values import DIGITS, Date, Flag, Number, Text, Value

PhraseSearch: TypeAlias = Callable[[str], Mask]
_Chosen: TypeAlias = NDArray[np.bool_]
"""(l,) which labels of a column match."""
_Test: TypeAlias = tuple[Operator, Value]
_Join: TypeAlias = Callable[[NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.bool_]]


@dataclass(frozen=True)
class ColumnEvaluation:
    """Evaluates query nodes on columns of n measurements.

    Attributes:
        count: n.
        column: the column of a name, built-in names included; None for an unknown name.
        phrase: (n,) where a full-text phrase occurs.
    """

    count: int
    column: Callable[[str], FacetColumn | None]
    phrase: PhraseSearch

    def of(self, node: Node | None) -> Mask:
        """(n,) where `node` matches; everywhere for None."""
        match node:
            case None:
                return np.ones(self.count, np.bool_)
            case And(terms):
                return reduce(and_, map(self.of, terms))
            case Or(terms):
                return reduce(or_, map(self.of, terms))
            case Not(term):
                return ~self.of(term)
            case Phrase(phrase):
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

    def _compare(self, column: FacetColumn, operator: Operator, value: Value) -> Mask:
        if isinstance(value, Number | Flag):
            masks = [_numbers_match(each, operator, value) for each in column.numbers.values()]
            return reduce(or_, masks, np.zeros(self.count, np.bool_))
        return self._with_labels(column, _label_range(column.labels, operator, value))

    def _both(self, column: FacetColumn, first: _Test, second: _Test, join: _Join) -> Mask:
        """(n,) where one value passes both tests (`and_`) or either (`or_`)."""
        text_tests = [
            (operator, value)
            for operator, value in (first, second)
            if not isinstance(value, Number | Flag)
        ]
        if len(text_tests) < 2:
            return join(self._compare(column, *first), self._compare(column, *second))
        ranges = [_label_range(column.labels, operator, value) for operator, value in text_tests]
        return self._with_labels(column, join(*ranges))

    def _in(self, column: FacetColumn, values: tuple[Value, ...], negated: bool) -> Mask:
        operator: Operator = "!=" if negated else "="
        labels = column.labels
        exact = np.zeros(len(labels), np.bool_)
        masks, ranges = [], []
        for value in values:
            if isinstance(value, Text):
                exact[labels.below(value.value) : labels.up_to(value.value)] = True
            elif isinstance(value, Date):
                ranges.append(_label_range(labels, operator, value))
            else:
                masks.append(self._compare(column, operator, value))
        if any(isinstance(value, Text) for value in values):
            ranges.append(~exact if negated else exact)
        join = and_ if negated else or_
        if ranges:
            masks.append(self._with_labels(column, reduce(join, ranges)))
        return reduce(join, masks)

    def _like(self, column: FacetColumn, node: Like) -> Mask:
        texts = column.labels.texts
        chosen = (node.matches({node.name: text}, "") for text in texts)
        return self._with_labels(column, np.fromiter(chosen, np.bool_, len(texts)))

    def _with_labels(self, column: FacetColumn, chosen: _Chosen) -> Mask:
        """(n,) where the text is one of the chosen labels (l,)."""
        if column.codes is None or not chosen.any():
            return np.zeros(self.count, np.bool_)
        by_code = chosen if column.groups is None else column.groups @ chosen
        mask: Mask = np.append(by_code, False)[column.codes]
        return mask


def _numbers_match(numbers: NDArray[np.float64], operator: Operator, value: Number | Flag) -> Mask:
    low, high = value.low, value.high
    match operator:
        case "=":
            return (numbers >= low) & (numbers <= high)
        case "!=":
            return (numbers < low) | (numbers > high)
        case "<":
            return numbers < low
        case "<=":
            return numbers <= high
        case ">":
            return numbers > high
        case ">=":
            return numbers >= low


def _label_range(labels: TextDictionary, operator: Operator, value: Text | Date) -> _Chosen:
    """(l,) labels for which `operator` holds; as labels are in order, these are ranges."""
    if isinstance(value, Text):
        first, last = 0, len(labels)
        low, high = labels.below(value.value), labels.up_to(value.value)
    else:
        first, last = labels.below(DIGITS[0]), labels.below(DIGITS[1])
        low, high = labels.below(value.low), labels.below(value.high)
    chosen = np.zeros(len(labels), np.bool_)
    for start, end in _RANGES[operator](first, low, high, last):
        chosen[max(start, first) : min(end, last)] = True
    return chosen


_RANGES: Mapping[Operator, Callable[[int, int, int, int], tuple[tuple[int, int], ...]]] = {
    "=": lambda first, low, high, last: ((low, high),),
    "!=": lambda first, low, high, last: ((first, low), (high, last)),
    "<": lambda first, low, high, last: ((first, low),),
    "<=": lambda first, low, high, last: ((first, high),),
    ">": lambda first, low, high, last: ((high, last),),
    ">=": lambda first, low, high, last: ((low, last),),
}
