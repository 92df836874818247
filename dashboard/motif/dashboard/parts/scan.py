"""One channel of an image with axes and colour scale, and the profile of a line drawn on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from motif.core.catalog import MeasurementRow
from motif.dashboard import profiles, quantities, state
from motif.dashboard.colours import Scale, stops
from motif.dashboard.lab import Lab
from motif.dashboard.parts import assets, charts, frame
from motif.dashboard.picture import SIZES
from motif.dashboard.profiles import Axis, Profile
from motif.dashboard.quantities import quantity, scale_for
from motif.dashboard.thumbnails import thumbnail_url

SCAN = "scan"
CHART_HEIGHT = 230

_component = st.components.v2.component(
    "motif.scan", js=assets.text("scan.js"), css=assets.text("scan.css")
)


def show_scan(here: Lab, row: MeasurementRow, channel: int, scale: Scale, line: str) -> None:
    """Draw a channel; a line over it is part of the address, its profile stands below."""
    data = here.keep(("read", row.id), lambda: here.workspace.read(row.id))
    values = np.asarray(data.values[channel], np.float32)
    unit = row.units[channel] if channel < len(row.units) else ""
    x, y = (profiles.axis_of(data.coords[name]) for name in ("x", "y"))
    ends = profiles.parse_line(line)
    low, high = quantities.ends(*profiles.limits(values), unit)
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
        frame.quiet("Drag over the picture to see the values along a line.")
    else:
        _show_profile(profiles.profile(values, ends, (x.length, y.length)), data.coords["x"], unit)


def _document(axis: Axis) -> dict[str, Any]:
    return {"unit": axis.unit, "ticks": [list(tick) for tick in axis.ticks]}


def _mount(data: dict[str, Any], on_drawn: Callable[[], None]) -> Any:
    return _component(key=SCAN, data=data, on_drawn_change=on_drawn)


def _on_drawn() -> None:
    drawn = st.session_state[SCAN].get("drawn")
    if drawn:
        state.change(line=profiles.spell_line(drawn["line"]) if drawn["line"] else "")


def _show_profile(found: Profile, along: Any, unit: str) -> None:
    """A chart of the values, with the length of the line and what it spans in words."""
    length_unit = str(along.attrs.get("units", "")) or profiles.PIXELS
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
        frame.quiet(
            f"{quantity(length, length_unit)} long, from {quantity(low, unit)} to "
            f"{quantity(high, unit)}; Escape on the picture takes it away."
        )
        st.button(
            "Take it away", type="tertiary", key="no-line", on_click=lambda: state.change(line="")
        )


def _trace(x: NDArray[np.float64], y: NDArray[np.float64]) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="lines", line={"width": 1.6, "color": charts.accent()},
        hovertemplate="%{x:.4g}: %{y:.4g}<extra></extra>",
    )  # fmt: skip
