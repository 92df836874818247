"""The filter in the sidebar: query text with its errors in place, and the facet panel."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from motif.core.errors import MotifError
from motif.core.query.values import quoted
from motif.dashboard.auth.permissions import may_change
from motif.dashboard.components import page_frame
from motif.dashboard.components.facet_list.facet_list_component import chosen_values, show_facets
from motif.dashboard.components.query_box.query_box_component import show_query
from motif.dashboard.data import view_filter
from motif.dashboard.data.facet_table import FacetTable
from motif.dashboard.data.number_format import quantity
from motif.dashboard.data.query_vocabulary import Word, mistake, vocabulary
from motif.dashboard.data.view_filter import Filtered
from motif.dashboard.state import current_view
from motif.dashboard.state.saved_filters import LONGEST, Saved
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession, lab

QUERY = "query"


def show_filter(lab: WorkspaceSession, view: View, table: FacetTable) -> Filtered:
    """Draw the filter of a view in the sidebar and apply it."""
    filtered = view_filter.apply(lab, view, table)
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
    """An example query for this collection."""
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
    current_view.change(where="", facets={}, polygon=())


def _words(lab: WorkspaceSession, view: View, table: FacetTable) -> list[Word]:
    return lab.keep(("words", view.collection, lab.version), lambda: vocabulary(table))


def _on_asked() -> None:
    asked = st.session_state[QUERY].get("asked")
    if asked:
        current_view.change(where=str(asked["query"]))


def _on_facet(panel: str, table: FacetTable) -> None:
    change = st.session_state[panel].get("changed")
    if change:
        name, values = chosen_values(table, change)
        current_view.go(current_view.current().with_facet(name, values))


CHOSEN = "saved-filter"
NAME = "saved-name"
REFUSED = "saved-refused"


def show_saved(session: WorkspaceSession, view: View) -> None:
    """The menu of saved filters, shown when a filter is or can be saved."""
    names = list(Saved(session.workspace.root).all())
    if not names and not (view.filtered and may_change()):
        return
    with st.popover("Saved", icon=":material/bookmark:", type="tertiary"):
        if st.session_state.get(REFUSED):
            page_frame.refusal(st.session_state.pop(REFUSED))
        if names:
            st.selectbox("Saved", names, key=CHOSEN)
            with st.container(horizontal=True):
                st.button("Use it", key="use-saved", on_click=_use)
                if may_change():
                    st.button("Delete", key="forget-saved", type="tertiary", on_click=_forget)
        if view.filtered and may_change():
            with st.form("save-filter", border=False, clear_on_submit=True):
                st.text_input("Save this filter as", key=NAME, max_chars=LONGEST)
                st.form_submit_button("Save", on_click=_save, args=(view,))


def _use() -> None:
    view = Saved(lab().workspace.root).all().get(str(st.session_state[CHOSEN]))
    if view is not None:
        current_view.change(
            collection=view.collection, where=view.where, facets=view.facets, polygon=()
        )


def _forget() -> None:
    Saved(lab().workspace.root).forget(str(st.session_state[CHOSEN]))


def _save(view: View) -> None:
    try:
        Saved(lab().workspace.root).save(str(st.session_state[NAME]), view)
    except MotifError as error:
        st.session_state[REFUSED] = str(error)
