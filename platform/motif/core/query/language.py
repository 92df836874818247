"""Parses query text into a checked `Query`; errors state the position, the reason and a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from motif.core.errors import QueryError
from motif.core.query.nodes import Facets, Node, leaves

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table

    from motif.core.query.build import KnownFacets
    from motif.core.query.sql import Search

MAX_LENGTH = 100_000
"""Characters of a query; room for some thousand ids."""


@dataclass(frozen=True)
class Query:
    """A checked query. ``str(query)`` is its canonical text; equal queries have equal texts."""

    node: Node | None

    def __str__(self) -> str:
        return "" if self.node is None else str(self.node)

    @property
    def facets(self) -> frozenset[str]:
        """Names of the facets in the query, built-in ones included."""
        comparisons = [] if self.node is None else list(leaves(self.node))
        return frozenset(name for leaf in comparisons if (name := getattr(leaf, "name", None)))

    def matches(self, facets: Facets, text: str = "") -> bool:
        """Evaluate on one measurement: the plain-Python reference.

        Args:
            facets: value by facet name, numbers in SI units; may include the built-in names
                ``id``, ``record``, ``collection``, ``kind`` and ``title``, and several texts
                under ``label``.
            text: further text that ``text "..."`` searches, e.g. the header.
        """
        return self.node is None or self.node.matches(facets, text)

    def where(
        self,
        measurements: Table,
        facets: Table,
        search: Search | None = None,
        annotations: Table | None = None,
    ) -> ColumnElement[bool]:
        """The same as an SQL condition on rows of `measurements`.

        Args:
            measurements: table with the columns number, id, record_id, collection, kind, title.
            facets: table with measurement (that number), name, text, number.
            search: condition for a full-text phrase; None searches titles and facet texts.
            annotations: table with measurement (its id), kind, text; None where there are no
                labels.
        """
        from sqlalchemy import true

        from motif.core.query.sql import Conditions

        if self.node is None:
            return true()
        return Conditions(measurements, facets, search, annotations).of(self.node)


def parse(text: str, known: KnownFacets | None = None) -> Query:
    """Parse a query; an empty one matches everything.

    Args:
        text: the query, e.g. ``operator = "xu" and scan_size <= 2 um``.
        known: facets of the workspace; when given, other names are refused, and where it gives
            units, so are values of another dimension. The standard facets are always known.

    Raises:
        QueryError: with the position, the reason and, for a name or unit, the nearest known one.
    """
    from lark.exceptions import UnexpectedInput

    from motif.core.query.build import Builder, FacetNames
    from motif.core.query.syntax import explain, parser

    if len(text) > MAX_LENGTH:
        reason = f"The query has {len(text)} characters; the maximum is {MAX_LENGTH}."
        raise QueryError(reason, text, MAX_LENGTH)
    if not text.strip():
        return Query(None)
    for position, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            reason = f"Character {position + 1} of the query, {character!r}, is not printable."
            raise QueryError(reason, text, position)
    try:
        tree = parser().parse(text)
    except UnexpectedInput as error:
        raise explain(error, text) from None
    return Query(Builder(text, FacetNames(known)).build(tree))


def pointer(error: QueryError) -> str:
    """Two lines for a terminal: the query, and a caret under the position of the error."""
    line_start = error.query.rfind("\n", 0, error.position) + 1
    line_end = error.query.find("\n", error.position)
    line = error.query[line_start : line_end if line_end >= 0 else None]
    return f"{line}\n{' ' * (error.position - line_start)}^"
