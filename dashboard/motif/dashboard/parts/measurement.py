"""One measurement: its large picture, its spectrum, its facets."""

from __future__ import annotations

from html import escape

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import xarray as xr

from motif.dashboard.colours import Scale
from motif.dashboard.parts import charts
from motif.dashboard.picture import SIZES
from motif.dashboard.thumbnails import thumbnail_url


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
