"""The filter in the sidebar: query text with its errors in place, and the facet panel."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from motif.core.query.values import quoted
from motif.dashboard import filters, state
from motif.dashboard.facets import FacetTable
from motif.dashboard.filters import Filtered
from motif.dashboard.lab import Lab
from motif.dashboard.parts.facets import chosen_values, show_facets
from motif.dashboard.parts.querybox import show_query
from motif.dashboard.parts.saving import show_saved
from motif.dashboard.quantities import quantity
from motif.dashboard.view import View
from motif.dashboard.vocabulary import Word, mistake, vocabulary

QUERY = "query"


def show_filter(lab: Lab, view: View, table: FacetTable) -> Filtered:
    """Draw the filter of a view in the sidebar and apply it."""
    filtered = filters.apply(lab, view, table)
    panel = f"facets-{view.collection}"
    with st.sidebar:
        with st.container(horizontal=True, vertical_alignment="center", key="filter-head"):
            st.html('<div class="motif-label">Filter</div>', width="stretch")
            show_saved(lab, view)
            if view.filtered:
                st.button("Clear", type="tertiary", key="clear-filter", on_click=_clear)
        show_query(
            view.where, _words(lab, view, table),
            None if filtered.error is None else mistake(filtered.error, table),
            placeholder=example(table), key=QUERY, on_asked=_on_asked,
        )  # fmt: skip
        show_facets(
            table, filtered, view.facets, key=panel, on_change=lambda: _on_facet(panel, table)
        )
        if filtered.question:
            st.html(
                '<div class="motif-question"><span>This filter on the command line: --where</span>'
                f" <code>{escape(filtered.question)}</code></div>"
            )
    return filtered


def example(table: FacetTable) -> str:
    """A query that would work here, to show what may be written."""
    parts: list[str] = []
    for column in table.columns.values():
        short = column.kind == "category" and len(column.labels) > 1 and len(column.labels[0]) < 20
        if short and not parts:
            parts.append(f"{column.name} = {quoted(column.labels[0])}")
        elif column.kind == "number" and column.known.any():
            parts.append(
                f"{column.name} > {quantity(float(np.nanmedian(column.values)), column.unit)}"
            )
            break
    return " and ".join(parts[-2:])


def _clear() -> None:
    state.change(where="", facets={}, polygon=())


def _words(lab: Lab, view: View, table: FacetTable) -> list[Word]:
    return lab.keep(("words", view.collection, lab.version), lambda: vocabulary(table))


def _on_asked() -> None:
    asked = st.session_state[QUERY].get("asked")
    if asked:
        state.change(where=str(asked["query"]))


def _on_facet(panel: str, table: FacetTable) -> None:
    change = st.session_state[panel].get("changed")
    if change:
        name, values = chosen_values(table, change)
        state.go(state.current().with_facet(name, values))
