"""From text to a checked `Query`, or to an error with the place, the reason and a way out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from motif.core.errors import QueryError
from motif.core.query.nodes import BUILT_IN, LABEL, Facets, Node, leaves
from motif.core.records import OWN_FACETS, STANDARD_FACETS

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table

    from motif.core.query.sql import Search

MAX_LENGTH = 100_000
"""Characters of a query; room for some thousand ids."""

Known = Collection[str] | Mapping[str, str | None]
"""Facet names, or names with the SI unit of their numbers ("bool" for flags, None for text)."""


@dataclass(frozen=True)
class Query:
    """A checked question. ``str(query)`` is its canonical text; two equal ones mean the same."""

    node: Node | None

    def __str__(self) -> str:
        return "" if self.node is None else str(self.node)

    @property
    def facets(self) -> frozenset[str]:
        """The names the query asks about, built-in ones included."""
        found = [] if self.node is None else list(leaves(self.node))
        return frozenset(name for leaf in found if (name := getattr(leaf, "name", None)))

    def matches(self, facets: Facets, text: str = "") -> bool:
        """Evaluate on one measurement: the plain-Python reference.

        Args:
            facets: value by facet name, numbers in SI units; may include the built-in names
                ``id``, ``record``, ``collection``, ``kind`` and ``title``, and several texts
                under ``label``.
            text: further text that ``text "..."`` looks into, e.g. the header.
        """
        return self.node is None or self.node.matches(facets, text)

    def where(
        self,
        measurements: Table,
        facets: Table,
        search: Search | None = None,
        remarks: Table | None = None,
    ) -> ColumnElement[bool]:
        """The same as an SQL condition on rows of `measurements`.

        Args:
            measurements: table with the columns number, id, record_id, collection, kind, title.
            facets: table with measurement (that number), name, text, number.
            search: condition for a full-text phrase; None looks into titles and facet texts.
            remarks: table with measurement (its id), kind, text; None: nothing has a label.
        """
        from sqlalchemy import true

        from motif.core.query.sql import Conditions

        if self.node is None:
            return true()
        return Conditions(measurements, facets, search, remarks).of(self.node)


def parse(text: str, known: Known | None = None) -> Query:
    """Understand `text`; an empty one matches everything.

    Args:
        text: the question, e.g. ``operator = "xu" and scan_size <= 2 um``.
        known: facets of the workspace; when given, other names are refused, and where it tells
            units, so are values of another dimension. The standard facets are always known.

    Raises:
        QueryError: with the place, the reason and, for a name or unit, the nearest known one.
    """
    from lark.exceptions import UnexpectedInput

    from motif.core.query.build import Builder
    from motif.core.query.grammar import parser
    from motif.core.query.mistakes import explain

    if len(text) > MAX_LENGTH:
        reason = f"The query has {len(text)} characters; the most is {MAX_LENGTH}."
        raise QueryError(reason, text, MAX_LENGTH)
    if not text.strip():
        return Query(None)
    for position, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            reason = f"The query holds the unprintable {character!r} at character {position + 1}."
            raise QueryError(reason, text, position)
    try:
        tree = parser().parse(text)
    except UnexpectedInput as error:
        raise explain(error, text) from None
    return Query(Builder(text, _Names(known)).build(tree))


def pointer(error: QueryError) -> str:
    """Two lines for a terminal: the query, and a caret under the place of the error."""
    line_start = error.query.rfind("\n", 0, error.position) + 1
    line_end = error.query.find("\n", error.position)
    line = error.query[line_start : line_end if line_end >= 0 else None]
    return f"{line}\n{' ' * (error.position - line_start)}^"


class _Names:
    """Which facets there are, and in which unit their numbers are kept."""

    def __init__(self, known: Known | None) -> None:
        own = {*STANDARD_FACETS, *OWN_FACETS, *BUILT_IN, LABEL}
        self._names = None if known is None else {*known, *own}
        self._units = known if isinstance(known, Mapping) else {}

    def unit(self, name: str) -> str | None:
        return self._units.get(name)

    def missing(self, name: str) -> str | None:
        """Why `name` is refused, or None if it is not."""
        if self._names is None or name in self._names:
            return None
        return f"There is no facet {name!r}{self._suggestion(name)}"

    def _suggestion(self, name: str) -> str:
        by_lower = {known.lower(): known for known in sorted(self._names or ())}
        found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
        return f"; did you mean {by_lower[found[0]]!r}?" if found else "."
