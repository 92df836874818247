"""One channel of an image with axes and colour scale, and the profile of a line drawn on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from motif.core.catalog.database import MeasurementRow
from motif.dashboard.components import charts, component_assets, page_frame
from motif.dashboard.data import line_profile, number_format
from motif.dashboard.data.line_profile import Axis, Profile
from motif.dashboard.data.measurement_picture import SIZES
from motif.dashboard.data.number_format import quantity, scale_for
from motif.dashboard.data.point_colours import Scale, stops
from motif.dashboard.data.thumbnails import thumbnail_url
from motif.dashboard.state import current_view
from motif.dashboard.state.workspace_session import WorkspaceSession

SCAN = "scan"
CHART_HEIGHT = 230

_component = st.components.v2.component(
    "motif.scan",
    js=component_assets.text("scan/scan.js"),
    css=component_assets.text("scan/scan.css"),
)


def show_scan(
    session: WorkspaceSession, row: MeasurementRow, channel: int, scale: Scale, line: str
) -> None:
    """Draw a channel; a line over it is part of the address, its profile stands below."""
    data = session.keep(("read", row.id), lambda: session.workspace.read(row.id))
    values = np.asarray(data.values[channel], np.float32)
    unit = row.units[channel] if channel < len(row.units) else ""
    x, y = (line_profile.axis_of(data.coords[name]) for name in ("x", "y"))
    ends = line_profile.parse_line(line)
    low, high = number_format.ends(*line_profile.limits(values), unit)
    _mount(
        {
            "image": thumbnail_url(row.id, SIZES[-1], channel, scale),
            "title": f"{row.title}, {row.channels[channel]}",
            "aspect": f"{values.shape[1]} / {values.shape[0]}",
            "x": _document(x), "y": _document(y), "colours": list(stops(scale)),
            "low": low, "high": high,
            "line": list(ends) if ends else None,
        },
        on_drawn=_on_drawn,
    )  # fmt: skip
    if ends is None:
        page_frame.quiet("Drag over the image to see the values along a line.")
    else:
        _show_profile(
            line_profile.profile(values, ends, (x.length, y.length)), data.coords["x"], unit
        )


def _document(axis: Axis) -> dict[str, Any]:
    return {"unit": axis.unit, "ticks": [list(tick) for tick in axis.ticks]}


def _mount(data: dict[str, Any], on_drawn: Callable[[], None]) -> Any:
    return _component(key=SCAN, data=data, on_drawn_change=on_drawn)


def _on_drawn() -> None:
    drawn = st.session_state[SCAN].get("drawn")
    if drawn:
        current_view.change(line=line_profile.spell_line(drawn["line"]) if drawn["line"] else "")


def _show_profile(found: Profile, along: Any, unit: str) -> None:
    """A chart of the values, with the length of the line and what it spans in words."""
    length_unit = str(along.attrs.get("units", "")) or line_profile.PIXELS
    length = float(found.distance[-1])
    scale, name = scale_for(length, length_unit)
    spread = float(np.nanmax(np.abs(found.values)))
    factor, value_name = scale_for(spread, unit)
    figure = go.Figure(_trace(found.distance / scale, found.values / factor))
    figure.update_xaxes(title_text=charts.with_unit("Along the line", name))
    figure.update_yaxes(title_text=charts.with_unit("Value", value_name))
    charts.show(charts.styled(figure, CHART_HEIGHT), "profile")
    with st.container(horizontal=True, vertical_alignment="center"):
        low, high = float(np.nanmin(found.values)), float(np.nanmax(found.values))
        page_frame.quiet(
            f"{quantity(length, length_unit)} long, from {quantity(low, unit)} to "
            f"{quantity(high, unit)}; Escape on the image removes it."
        )
        st.button(
            "Remove the line",
            type="tertiary",
            key="no-line",
            on_click=lambda: current_view.change(line=""),
        )


def _trace(x: NDArray[np.float64], y: NDArray[np.float64]) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="lines", line={"width": 1.6, "color": charts.accent()},
        hovertemplate="%{x:.4g}: %{y:.4g}<extra></extra>",
    )  # fmt: skip
