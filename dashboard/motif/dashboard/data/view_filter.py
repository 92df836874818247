"""A view's filter: facet choices and the query text, as one query and as masks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import QueryError
from motif.core.query.values import plain, quoted
from motif.dashboard.data.facet_table import Column, FacetTable
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession

Mask = NDArray[np.bool_]

NAME = re.compile(r"[^\W\d]\w*(\.\w+)*")
KEYWORDS = frozenset({"and", "or", "not", "in", "between", "like", "has", "text", "true", "false"})


@dataclass(frozen=True)
class Filtered:
    """The measurements of a collection's table (n) that pass a filter.

    Attributes:
        mask: (n,) measurements that pass everything.
        parts: facet -> (n,) mask of that facet's choice alone.
        typed: (n,) mask of the query text alone.
        question: the filter in the query language, as any command takes it.
        total: measurements there are at the view's moment.
        error: why the query text was not understood; it then filters nothing.
    """

    mask: Mask
    parts: Mapping[str, Mask]
    typed: Mask
    question: str
    error: QueryError | None
    total: int

    def without(self, facet: str) -> Mask:
        """The mask (n,) without one facet's own choice: the base of its counts."""
        mask = self.typed.copy()
        for name, part in self.parts.items():
            if name != facet:
                mask &= part
        return mask


def apply(lab: WorkspaceSession, view: View, table: FacetTable) -> Filtered:
    """Filter a collection's table by a view."""
    parts: dict[str, Mask] = {}
    clauses: list[str] = []
    for name, values in view.facets.items():
        column = table.columns.get(name)
        if column is None:
            continue
        part = _chosen(column, values)
        if part is not None:
            parts[name] = part
            clauses.append(_clause(column, values))
    typed = np.ones(len(table), np.bool_)
    error = None
    if view.where.strip():
        try:
            typed = _typed(lab, view, table)
            clauses.append(f"({view.where.strip()})" if clauses else view.where.strip())
        except QueryError as problem:
            error = problem
    known = lab.known(view.at, view.collection)
    if known is not None:
        typed = typed & known
    mask = typed.copy()
    for part in parts.values():
        mask &= part
    total = len(table) if known is None else int(known.sum())
    return Filtered(mask, parts, typed, " and ".join(clauses), error, total)


def _typed(lab: WorkspaceSession, view: View, table: FacetTable) -> Mask:
    """Measurements the query text leaves; `QueryError` if it is not understood."""
    columns = table.source
    if columns is None:
        columns = lab.workspace.columns(view.collection)
    key = ("typed", view.collection, view.where, columns.position)
    return lab.keep(key, lambda: columns.mask(view.where))


def parse_range(text: str, kind: str) -> tuple[float, float] | None:
    """``low..high`` of numbers or dates as floats; None if it is not a range."""
    low, dots, high = text.partition("..")
    if not dots:
        return None
    try:
        if kind == "date":
            start, end = (datetime.fromisoformat(part).replace(tzinfo=UTC) for part in (low, high))
            return start.timestamp(), end.timestamp() + 86_400
        return float(low), float(high)
    except ValueError:
        return None


def _chosen(column: Column, values: Sequence[str]) -> Mask | None:
    if column.kind == "category":
        return column.having(values)
    limits = parse_range(values[0], column.kind)
    if limits is None:
        return None
    slack = 1e-9 * max(abs(limits[0]), abs(limits[1]))
    with np.errstate(invalid="ignore"):
        return (column.values >= limits[0] - slack) & (column.values <= limits[1] + slack)


def _clause(column: Column, values: Sequence[str]) -> str:
    name = column.name
    if not NAME.fullmatch(name) or name.lower() in KEYWORDS:
        name = quoted(name)
    if column.kind == "category":
        if column.unit == "bool":
            terms = [f"{name} = {value}" for value in values]
            return terms[0] if len(terms) == 1 else f"({' or '.join(terms)})"
        texts = [quoted(value) for value in values]
        return f"{name} = {texts[0]}" if len(texts) == 1 else f"{name} in ({', '.join(texts)})"
    low, _, high = values[0].partition("..")
    if column.kind == "number":
        low, high = (f"{plain(float(end))} {column.unit}".strip() for end in (low, high))
    return f"{name} between {low} and {high}"
