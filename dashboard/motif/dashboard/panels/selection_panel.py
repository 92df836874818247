"""The selection on the map: a summary and a gallery, or the clicked measurement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from motif.analysis.projection.map_figure import MapFigure
from motif.core.catalog.database import Derivation
from motif.core.errors import NotFoundError
from motif.dashboard.components import page_frame
from motif.dashboard.components.gallery.gallery_component import GalleryTile, show_gallery
from motif.dashboard.data.facet_table import FacetTable
from motif.dashboard.data.number_format import quantity
from motif.dashboard.data.thumbnails import SHOWN, caption, thumbnail_url
from motif.dashboard.data.view_filter import Filtered
from motif.dashboard.export.selection_export import Selection
from motif.dashboard.panels.annotation_panel import show_labelling
from motif.dashboard.panels.export_and_publish_panel import show_export
from motif.dashboard.state import current_view
from motif.dashboard.state.current_view import link
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession

PAGE = 60
"""Largest number of thumbnails of a gallery; they load when scrolled into view."""

GALLERY = "selection-gallery"

FEWEST, MOST = 2, 6
"""Largest number of measurements compared side by side."""


def show_selection(
    session: WorkspaceSession,
    view: View,
    filtered: Filtered,
    made: Derivation,
    table: FacetTable,
    chosen: NDArray[np.intp],
    lit: NDArray[np.intp],
    picture: Callable[[], MapFigure],
) -> None:
    """Draw the panel next to the map for table rows inside the lasso, else for all that pass.

    `picture` draws the map for a file.
    """
    if view.id:
        _show_one(session, view)
    rows = chosen if view.polygon else lit
    rows = rows[rows >= 0]
    if view.polygon:
        page_frame.subheading(f"{len(rows):,} selected", f"of {len(lit):,} shown")
    else:
        page_frame.subheading(
            f"{len(rows):,} shown", "" if len(rows) == filtered.total else f"of {filtered.total:,}"
        )
    if len(rows) == 0:
        page_frame.quiet("No measurement matches; widen the filter or the lasso.")
        return
    page_frame.quiet(summary(table, rows))
    with st.container(horizontal=True, key="selection-actions"):
        if view.polygon or view.filtered:
            show_labelling([table.ids[row] for row in rows.tolist()])
        # The question alone names the rows unless a lasso, a legend or a part of a map cuts them.
        exact = len(rows) == int(filtered.mask.sum()) and filtered.total == len(table)
        selection = Selection(view.collection, table, rows, made)
        if view.polygon and FEWEST <= len(rows) <= MOST:
            those = replace(view.carried(), like=tuple(selection.ids))
            link("compare", those, "Compare", ":material/compare:")
        show_export(session, selection, filtered.question, exact=exact, picture=picture)
    if not view.polygon and not view.id:
        page_frame.quiet(
            "Draw a lasso to choose points; hover over one to see it, click it to open it."
        )
    with st.container(key="rail-short" if view.id else "rail"):
        show_gallery(
            tiles(table, representatives(rows)), key=GALLERY, on_pick=_on_pick,
            current=view.id, tile_width=108,
        )  # fmt: skip


def representatives(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most `PAGE` rows at equal steps; the same rows every time."""
    if len(rows) <= PAGE:
        return rows
    return rows[np.linspace(0, len(rows) - 1, PAGE).astype(np.intp)]


def tiles(table: FacetTable, rows: NDArray[np.intp]) -> list[GalleryTile]:
    """Gallery entries of table rows."""
    return [
        GalleryTile(
            id=table.ids[row], image=thumbnail_url(table.ids[row]), title=table.titles[row],
            lines=table.words(row, SHOWN)[:2],
        )
        for row in rows.tolist()
    ]  # fmt: skip


def summary(table: FacetTable, rows: NDArray[np.intp]) -> str:
    """A summary of the rows: the largest materials, the median scan size, the outcomes."""
    parts: list[str] = []
    mask = np.zeros(len(table), np.bool_)
    mask[rows] = True
    for name in ("material", "outcome"):
        column = table.columns.get(name)
        if column is None or column.kind != "category" or len(column.labels) < 2:
            continue
        counts = column.counts(mask)
        total = int(counts.sum()) or 1
        for code in np.argsort(-counts, kind="stable")[:3].tolist():
            if counts[code]:
                parts.append(f"{column.labels[code]} {100 * counts[code] / total:.0f} %")
    size = table.columns.get("scan_size")
    if size is not None and size.kind == "number":
        known = size.values[rows][np.isfinite(size.values[rows])]
        if known.size:
            parts.append(f"median scan {quantity(float(np.median(known)), size.unit)}")
    return " · ".join(parts)


def _show_one(session: WorkspaceSession, view: View) -> None:
    try:
        words = caption(session.workspace, view.id)
    except NotFoundError as error:
        page_frame.refusal(str(error))
        return
    lines = "".join(f"<span>{escape(line)}</span>" for line in words.lines)
    st.html(
        f'<div class="motif-one"><img src="{escape(thumbnail_url(view.id, 256))}" alt="">'
        f"<div><b>{escape(words.title)}</b>{lines}</div></div>"
    )
    there = replace(view.carried(), id=view.id)
    with st.container(horizontal=True):
        link("measurement", there, "Open", ":material/open_in_full:")
        link("search", there, "Search similar", ":material/image_search:")
        st.button(
            "Close", type="tertiary", key="close-one", on_click=lambda: current_view.change(id="")
        )


def _on_pick() -> None:
    picked = st.session_state[GALLERY].get("picked")
    if picked:
        current_view.change(id=str(picked))
