"""Compare: two to six measurements side by side, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from motif.core.catalog import MeasurementRow
from motif.core.errors import NotFoundError
from motif.dashboard import state
from motif.dashboard.captions import caption
from motif.dashboard.colours import CATEGORIES
from motif.dashboard.lab import Lab, lab
from motif.dashboard.links import link
from motif.dashboard.parts import charts, frame
from motif.dashboard.parts.selection import FEWEST, MOST
from motif.dashboard.picture import SIZES
from motif.dashboard.thumbnails import default_channel, thumbnail_url
from motif.dashboard.view import View


def show() -> None:
    """Draw the page."""
    here = lab()
    view = state.current()
    rows = _rows(here, view.like[:MOST])
    if len(rows) < FEWEST:
        frame.heading("Compare")
        frame.empty(
            "Nothing to compare is chosen",
            f"Choose {FEWEST} to {MOST} points on the map with a lasso, or add results to a "
            "search, then open them here. Measurements are taken in with",
            ["motif ingest SOURCE"],
        )
        frame.status("compare none")
        return
    frame.heading("Compare", f"{len(rows)} side by side", any(row.simulated for row in rows))
    images = [row for row in rows if row.kind == "image"]
    spectra = [row for row in rows if row.kind != "image"]
    if images:
        _show_images(here, view, images)
    if spectra:
        _show_spectra(here, spectra)
    frame.status(f"compare images={len(images)} spectra={len(spectra)}")


def _rows(here: Lab, ids: Sequence[str]) -> list[MeasurementRow]:
    found = []
    for one in ids:
        try:
            row = here.workspace.measurement(one)
        except NotFoundError:
            continue
        if row.live:
            found.append(row)
    return found


def _show_images(here: Lab, view: View, rows: Sequence[MeasurementRow]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row.channels))
    usual = rows[0].channels[default_channel(rows[0].channels)]
    chosen = view.channel if view.channel in names else usual
    with st.container(width=240):
        state.choose("Channel", names, chosen, field="channel")
    widest = max((row.scan_size or 0.0 for row in rows), default=0.0)
    for row, column in zip(rows, st.columns(len(rows), gap="medium"), strict=True):
        with column:
            share = row.scan_size / widest if row.scan_size and widest else 1.0
            _show_image(row, chosen, share)
            words = caption(here.workspace, row.id)
            frame.subheading(words.title)
            frame.quiet(" · ".join(words.lines))
            link(
                "measurement", replace(view.carried(), id=row.id), "Open", ":material/open_in_full:"
            )
    frame.quiet(
        "Pictures are as wide as their scans relative to each other. Colours run over each "
        "picture's own values."
    )


def _show_image(row: MeasurementRow, channel: str, share: float) -> None:
    if channel not in row.channels:
        frame.quiet(f"It has no channel {channel}.")
        return
    source = thumbnail_url(row.id, SIZES[-1], row.channels.index(channel))
    st.html(
        f'<figure class="motif-picture" style="width:{100 * share:.1f}%">'
        f'<img src="{escape(source)}" alt="{escape(f"{row.title}, {channel}")}"></figure>'
    )


def _show_spectra(here: Lab, rows: Sequence[MeasurementRow]) -> None:
    figure = go.Figure()
    for place, row in enumerate(rows):
        data = here.workspace.read(row.id)
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
