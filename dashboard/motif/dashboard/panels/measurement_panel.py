"""One measurement: its large picture, its spectrum, its facets."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import xarray as xr

from motif.core.catalog.database import MeasurementRow, RecordRow
from motif.dashboard.components import charts, page_frame
from motif.dashboard.components.graph.graph_component import show_graph
from motif.dashboard.data.measurement_picture import SIZES
from motif.dashboard.data.number_format import moment
from motif.dashboard.data.point_colours import Scale
from motif.dashboard.data.provenance_graph import lineage
from motif.dashboard.data.thumbnails import thumbnail_url
from motif.dashboard.state.workspace_session import WorkspaceSession


def show_picture(
    measurement_id: str,
    title: str,
    channel: int | None = None,
    scale: Scale = "viridis",
    size: int = SIZES[-1],
) -> None:
    """A picture large enough for its scale bar."""
    source = thumbnail_url(measurement_id, size, channel, scale)
    st.html(
        f'<figure class="motif-picture"><img src="{escape(source)}" alt="{escape(title)}" '
        f'width="{size}" height="{size}"></figure>'
    )


def spectrum_figure(data: xr.DataArray) -> go.Figure:
    """Intensity (n,) over the spectral axis."""
    axis = data.coords[data.dims[0]]
    name = str(data.dims[0]).replace("_", " ").capitalize()
    figure = go.Figure(
        go.Scatter(
            x=np.asarray(axis.values), y=np.asarray(data.values), mode="lines",
            line={"width": 1.6, "color": charts.accent()},
            hovertemplate="%{x:.1f}: %{y:.4g}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title_text=charts.with_unit(name, str(axis.attrs.get("units", ""))))
    figure.update_yaxes(title_text=charts.with_unit("Intensity", str(data.attrs.get("units", ""))))
    return charts.styled(figure, 380)


PROVENANCE = ("server", "repository", "owner", "parents", "tags", "path")
ROW_HEIGHT = 35
TALLEST = 360


def show_disagreements(record: RecordRow) -> None:
    """Where the file's header and the record's metadata contradict each other."""
    if not record.disagreements:
        return
    page_frame.subheading("Disagreements", "the file's header outranks the record")
    page_frame.facts(
        [
            (
                str(disagreement["facet"]),
                f"file: {disagreement['header']}  ·  record: {disagreement['record']}",
                "",
            )
            for disagreement in record.disagreements
        ]
    )


def show_provenance(session: WorkspaceSession, row: MeasurementRow, record: RecordRow) -> None:
    """The provenance graph from the record to derived results, and identifiers to copy."""
    page_frame.subheading("Provenance", "from the record to the results derived from it")
    show_graph(lineage(session, row, record), key="provenance")
    origin = [
        (name, _listed(record.origin[name]), "") for name in PROVENANCE if record.origin.get(name)
    ]
    reader = f"{record.reader} version {record.reader_version}" if record.reader else "none"
    with st.expander("Particulars"):
        page_frame.facts(
            [
                ("record", record.title, ""),
                ("source", f"{record.source}: {record.native_id}", ""),
                *origin,
                ("file", record.file_name, ""),
                ("SHA-256", record.raw_sha256, ""),
                ("read by", reader, ""),
                ("taken in", f"{moment(record.first_seen)}, revision {record.revision}", ""),
                ("measurement", row.id, ""),
            ]
        )


def show_header(session: WorkspaceSession, record: RecordRow) -> None:
    """The file's own header as a searchable table."""
    header = session.workspace.catalog.header(record.id)
    if not header:
        return
    page_frame.subheading(
        "Header of the file", f"{len(header):,} entries, as the instrument wrote them"
    )
    wanted = st.text_input(
        "Search the header", key="header-search", placeholder="part of a name or value",
        label_visibility="collapsed", width=380,
    )  # fmt: skip
    word = (wanted or "").strip().lower()
    shown = [pair for pair in header if word in pair[0].lower() or word in pair[1].lower()]
    if not shown:
        page_frame.quiet(f"No header entry contains “{wanted}”.")
        return
    table = {"Name": [name for name, _ in shown], "Value": [value for _, value in shown]}
    height = min(TALLEST, ROW_HEIGHT * (1 + len(shown)) + 3)
    st.dataframe(table, hide_index=True, height=height)


def _listed(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(entry) for entry in value)
    return str(value)
