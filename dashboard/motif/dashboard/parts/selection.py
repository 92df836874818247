"""What was chosen on the map: a summary in words and a gallery; one measurement when clicked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from motif.core.catalog import Derivation
from motif.core.errors import NotFoundError
from motif.dashboard import state
from motif.dashboard.captions import SHOWN, caption
from motif.dashboard.drawing import Drawing
from motif.dashboard.export import Selection
from motif.dashboard.facets import FacetTable
from motif.dashboard.filters import Filtered
from motif.dashboard.lab import Lab
from motif.dashboard.links import link
from motif.dashboard.parts import frame
from motif.dashboard.parts.exporting import show_export
from motif.dashboard.parts.gallery import Tile, show_gallery
from motif.dashboard.parts.labelling import show_labelling
from motif.dashboard.quantities import quantity
from motif.dashboard.thumbnails import thumbnail_url
from motif.dashboard.view import View

PAGE = 60
"""Pictures of a gallery; they load as they come into sight."""

GALLERY = "selection-gallery"

FEWEST, MOST = 2, 6
"""Measurements that are seen side by side."""


def show_selection(
    here: Lab,
    view: View,
    filtered: Filtered,
    made: Derivation,
    table: FacetTable,
    chosen: NDArray[np.intp],
    lit: NDArray[np.intp],
    picture: Callable[[], Drawing],
) -> None:
    """Draw the rail beside the map for table rows inside the lasso, else for all that pass.

    `picture` draws the map for a file.
    """
    if view.id:
        _show_one(here, view)
    rows = chosen if view.polygon else lit
    rows = rows[rows >= 0]
    if view.polygon:
        frame.subheading(f"{len(rows):,} selected", f"of {len(lit):,} shown")
    else:
        frame.subheading(
            f"{len(rows):,} shown", "" if len(rows) == filtered.total else f"of {filtered.total:,}"
        )
    if len(rows) == 0:
        frame.quiet("No measurement passes here; widen the filter or the lasso.")
        return
    frame.quiet(summary(table, rows))
    with st.container(horizontal=True, key="selection-actions"):
        if view.polygon or view.filtered:
            show_labelling([table.ids[row] for row in rows.tolist()])
        # The question alone names the rows unless a lasso, a legend or a part of a map cuts them.
        exact = len(rows) == int(filtered.mask.sum()) and filtered.total == len(table)
        selection = Selection(view.collection, table, rows, made)
        if view.polygon and FEWEST <= len(rows) <= MOST:
            those = replace(view.carried(), like=tuple(selection.ids))
            link("compare", those, "Compare", ":material/compare:")
        show_export(here, selection, filtered.question, exact=exact, picture=picture)
    if not view.polygon and not view.id:
        frame.quiet("Draw a lasso to choose points; rest on one to see it, click it to open it.")
    with st.container(key="rail-short" if view.id else "rail"):
        show_gallery(
            tiles(table, representatives(rows)), key=GALLERY, on_pick=_on_pick,
            current=view.id, tile_width=108,
        )  # fmt: skip


def representatives(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most `PAGE` rows, spread evenly over all of them; the same ones every time."""
    if len(rows) <= PAGE:
        return rows
    return rows[np.linspace(0, len(rows) - 1, PAGE).astype(np.intp)]


def tiles(table: FacetTable, rows: NDArray[np.intp]) -> list[Tile]:
    """Gallery entries of table rows."""
    return [
        Tile(
            id=table.ids[row], image=thumbnail_url(table.ids[row]), title=table.titles[row],
            lines=table.words(row, SHOWN)[:2],
        )
        for row in rows.tolist()
    ]  # fmt: skip


def summary(table: FacetTable, rows: NDArray[np.intp]) -> str:
    """What the rows are made of: the largest materials, the median scan size, the outcomes."""
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


def _show_one(here: Lab, view: View) -> None:
    try:
        words = caption(here.workspace, view.id)
    except NotFoundError as error:
        frame.refusal(str(error))
        return
    lines = "".join(f"<span>{escape(line)}</span>" for line in words.lines)
    st.html(
        f'<div class="motif-one"><img src="{escape(thumbnail_url(view.id, 256))}" alt="">'
        f"<div><b>{escape(words.title)}</b>{lines}</div></div>"
    )
    there = replace(view.carried(), id=view.id)
    with st.container(horizontal=True):
        link("measurement", there, "Open", ":material/open_in_full:")
        link("search", there, "Find alike", ":material/image_search:")
        st.button("Close", type="tertiary", key="close-one", on_click=lambda: state.change(id=""))


def _on_pick() -> None:
    picked = st.session_state[GALLERY].get("picked")
    if picked:
        state.change(id=str(picked))
