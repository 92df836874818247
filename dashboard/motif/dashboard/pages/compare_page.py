"""Compare: two to six measurements side by side, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from motif.core.catalog.database import MeasurementRow
from motif.core.errors import NotFoundError
from motif.dashboard.components import charts, page_frame
from motif.dashboard.data.measurement_picture import SIZES
from motif.dashboard.data.point_colours import CATEGORIES
from motif.dashboard.data.thumbnails import caption, default_channel, thumbnail_url
from motif.dashboard.panels.selection_panel import FEWEST, MOST
from motif.dashboard.state import current_view
from motif.dashboard.state.current_view import link
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession, lab


def show() -> None:
    """Draw the page."""
    session = lab()
    view = current_view.current()
    rows = _rows(session, view.like[:MOST])
    if len(rows) < FEWEST:
        page_frame.heading("Compare")
        page_frame.empty(
            "No measurements are selected",
            f"Choose {FEWEST} to {MOST} points on the map with a lasso, or add results to a "
            "search, then open them here. Measurements are ingested with",
            ["motif ingest SOURCE"],
        )
        page_frame.status("compare none")
        return
    page_frame.heading("Compare", f"{len(rows)} side by side", any(row.simulated for row in rows))
    images = [row for row in rows if row.kind == "image"]
    spectra = [row for row in rows if row.kind != "image"]
    if images:
        _show_images(session, view, images)
    if spectra:
        _show_spectra(session, spectra)
    page_frame.status(f"compare images={len(images)} spectra={len(spectra)}")


def _rows(session: WorkspaceSession, ids: Sequence[str]) -> list[MeasurementRow]:
    found = []
    for identity in ids:
        try:
            row = session.workspace.measurement(identity)
        except NotFoundError:
            continue
        if row.live:
            found.append(row)
    return found


def _show_images(session: WorkspaceSession, view: View, rows: Sequence[MeasurementRow]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row.channels))
    usual = rows[0].channels[default_channel(rows[0].channels)]
    chosen = view.channel if view.channel in names else usual
    with st.container(width=240):
        current_view.choose("Channel", names, chosen, field="channel")
    widest = max((row.scan_size or 0.0 for row in rows), default=0.0)
    for row, column in zip(rows, st.columns(len(rows), gap="medium"), strict=True):
        with column:
            share = row.scan_size / widest if row.scan_size and widest else 1.0
            _show_image(row, chosen, share)
            words = caption(session.workspace, row.id)
            page_frame.subheading(words.title)
            page_frame.quiet(" · ".join(words.lines))
            link(
                "measurement", replace(view.carried(), id=row.id), "Open", ":material/open_in_full:"
            )
    page_frame.quiet(
        "Images are drawn to a common length scale. Colours span each image's own values."
    )


def _show_image(row: MeasurementRow, channel: str, share: float) -> None:
    if channel not in row.channels:
        page_frame.quiet(f"It has no channel {channel}.")
        return
    source = thumbnail_url(row.id, SIZES[-1], row.channels.index(channel))
    st.html(
        f'<figure class="motif-picture" style="width:{100 * share:.1f}%">'
        f'<img src="{escape(source)}" alt="{escape(f"{row.title}, {channel}")}"></figure>'
    )


def _show_spectra(session: WorkspaceSession, rows: Sequence[MeasurementRow]) -> None:
    figure = go.Figure()
    for place, row in enumerate(rows):
        data = session.workspace.read(row.id)
        axis = data.coords[data.dims[0]]
        figure.add_trace(
            go.Scatter(
                x=np.asarray(axis.values), y=np.asarray(data.values), mode="lines",
                name=escape(row.title), line={"width": 1.6, "color": CATEGORIES[place]},
            )
        )  # fmt: skip
        name = str(data.dims[0]).replace("_", " ").capitalize()
        figure.update_xaxes(title_text=charts.with_unit(name, str(axis.attrs.get("units", ""))))
        figure.update_yaxes(
            title_text=charts.with_unit("Intensity", str(data.attrs.get("units", "")))
        )
    charts.show(charts.styled(figure, 460), "compared-spectra")
