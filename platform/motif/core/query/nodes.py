"""The nodes of a query, and their meaning in plain Python.

A comparison of a facet that is missing, or of another type than the value, is false; so
``not material = "PbTiO3"`` includes measurements without a material and ``material != "PbTiO3"``
does not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from motif.core.query.values import Value, listed, quoted
from motif.core.records import FacetValue

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]
Facets: TypeAlias = Mapping[str, FacetValue | tuple[str, ...]]
"""Value by name; a tuple of texts for the labels of a measurement."""

BUILT_IN: Mapping[str, str] = {
    "id": "id", "record": "record_id", "collection": "collection", "kind": "kind", "title": "title",
}  # fmt: skip
"""Names every measurement has, and the column of each."""

LABEL = "label"
"""Name of the labels people add: a comparison is true when any label satisfies it."""

KEYWORDS = frozenset({"and", "or", "not", "in", "between", "like", "has", "text", "true", "false"})
_HOLDS: Mapping[Operator, Callable[[int], bool]] = {
    "=": lambda side: side == 0,
    "!=": lambda side: side != 0,
    "<": lambda side: side < 0,
    "<=": lambda side: side <= 0,
    ">": lambda side: side > 0,
    ">=": lambda side: side >= 0,
}
_PLAIN_NAME = re.compile(r"[^\W\d]\w*(?:\.\w+)*")


@dataclass(frozen=True)
class Compare:
    """``scan_size <= 2 um``"""

    name: str
    operator: Operator
    value: Value

    def __str__(self) -> str:
        return f"{spelled(self.name)} {self.operator} {self.value}"

    def matches(self, facets: Facets, text: str) -> bool:
        return _any(facets.get(self.name), self._holds)

    def _holds(self, value: object) -> bool:
        side = self.value.order(value)
        return side is not None and _HOLDS[self.operator](side)


@dataclass(frozen=True)
class Between:
    """``scan_size between 1 um and 5 um``, both ends included"""

    name: str
    low: Value
    high: Value
    negated: bool = False

    def __str__(self) -> str:
        negation = "not " if self.negated else ""
        return f"{spelled(self.name)} {negation}between {self.low} and {self.high}"

    def matches(self, facets: Facets, text: str) -> bool:
        return _any(facets.get(self.name), self._holds)

    def _holds(self, value: object) -> bool:
        low, high = self.low.order(value), self.high.order(value)
        return low is not None and high is not None and (low >= 0 and high <= 0) != self.negated


@dataclass(frozen=True)
class In:
    """``material in ("PbTiO3", "BiFeO3")``; the negated form differs from every value"""

    name: str
    values: tuple[Value, ...]
    negated: bool = False

    def __str__(self) -> str:
        negation = "not " if self.negated else ""
        return f"{spelled(self.name)} {negation}in {listed(self.values)}"

    def matches(self, facets: Facets, text: str) -> bool:
        return _any(facets.get(self.name), self._holds)

    def _holds(self, facet: object) -> bool:
        sides = [value.order(facet) for value in self.values]
        if self.negated:
            return all(side is not None and side != 0 for side in sides)
        return 0 in sides


@dataclass(frozen=True)
class Like:
    """``material like "Pb%"``: ``%`` any text, ``_`` any character, case of A–Z ignored"""

    name: str
    pattern: str
    negated: bool = False

    def __str__(self) -> str:
        negation = "not " if self.negated else ""
        return f"{spelled(self.name)} {negation}like {quoted(self.pattern)}"

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        parts = re.findall(r"\\.|.|\n", self.pattern, flags=re.DOTALL)
        wild = {"%": ".*", "_": "."}
        pieces = [wild.get(part) or re.escape(folded(part[-1])) for part in parts]
        return re.compile("".join(pieces), flags=re.DOTALL)

    def matches(self, facets: Facets, text: str) -> bool:
        return _any(facets.get(self.name), self._holds)

    def _holds(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        return (self._expression.fullmatch(folded(value)) is not None) != self.negated


@dataclass(frozen=True)
class Has:
    """``has tip_voltage``"""

    name: str

    def __str__(self) -> str:
        return f"has {spelled(self.name)}"

    def matches(self, facets: Facets, text: str) -> bool:
        return _any(facets.get(self.name), self._holds)

    def _holds(self, value: object) -> bool:
        return value is not None and not (isinstance(value, float) and math.isnan(value))


@dataclass(frozen=True)
class Phrase:
    """``text "domain wall"``: the title, the text of a facet or the further text contains it"""

    phrase: str

    def __str__(self) -> str:
        return f"text {quoted(self.phrase)}"

    def matches(self, facets: Facets, text: str) -> bool:
        texts = [value for name, value in facets.items() if name not in BUILT_IN]
        texts += [text, facets.get("title", "")]
        phrase = folded(self.phrase)
        return any(_any(value, lambda item: _contains(item, phrase)) for value in texts)


@dataclass(frozen=True)
class Not:
    term: Node

    def __str__(self) -> str:
        return f"not {_wrapped(self.term)}"

    def matches(self, facets: Facets, text: str) -> bool:
        return not self.term.matches(facets, text)


@dataclass(frozen=True)
class And:
    terms: tuple[Node, ...]

    def __str__(self) -> str:
        return " and ".join(_wrapped(term) for term in self.terms)

    def matches(self, facets: Facets, text: str) -> bool:
        return all(term.matches(facets, text) for term in self.terms)


@dataclass(frozen=True)
class Or:
    terms: tuple[Node, ...]

    def __str__(self) -> str:
        return " or ".join(_wrapped(term) for term in self.terms)

    def matches(self, facets: Facets, text: str) -> bool:
        return any(term.matches(facets, text) for term in self.terms)


Leaf: TypeAlias = Compare | Between | In | Like | Has | Phrase
Node: TypeAlias = Leaf | Not | And | Or


def leaves(node: Node) -> Iterator[Leaf]:
    """Every comparison of a query, from left to right."""
    match node:
        case Not(term):
            yield from leaves(term)
        case And(terms) | Or(terms):
            for each in terms:
                yield from leaves(each)
        case _:
            yield node


def _any(value: FacetValue | tuple[str, ...] | None, test: Callable[[object], bool]) -> bool:
    """Whether a value, or any of several, passes."""
    return any(map(test, value)) if isinstance(value, tuple) else test(value)


def _contains(value: object, phrase: str) -> bool:
    return isinstance(value, str) and phrase in folded(value)


def folded(text: str) -> str:
    """Lower the letters A–Z only, as SQLite's LIKE does."""
    return text.translate(_FOLD)


_FOLD = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def spelled(name: str) -> str:
    """A facet's name as a query writes it: quoted where it is not a plain word."""
    if _PLAIN_NAME.fullmatch(name) and name.lower() not in KEYWORDS:
        return name
    return quoted(name)


def _wrapped(term: Node) -> str:
    return f"({term})" if isinstance(term, And | Or) else str(term)
