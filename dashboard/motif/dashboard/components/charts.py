"""Charts in the dashboard's own look, light and dark."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from motif.dashboard.data.number_format import written
from motif.dashboard.server.server_process import TEAL, TEAL_ON_DARK

FONT = "Source Sans, Source Sans Pro, sans-serif"
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "svg"},
    "scrollZoom": False,
}


def is_dark() -> bool:
    """Whether the browser uses the dark theme."""
    return st.context.theme.type == "dark"


def accent() -> str:
    return TEAL_ON_DARK if is_dark() else TEAL


def ink() -> str:
    return "#e3eaea" if is_dark() else "#1d2a2c"


def with_unit(name: str, unit: str) -> str:
    """An axis title; Plotly reads some HTML, so names are escaped."""
    return escape(f"{name} ({written(unit)})" if unit else name)


def styled(figure: go.Figure, height: int) -> go.Figure:
    """Background, fonts and grid of the present theme."""
    dark = is_dark()
    grid = "#243035" if dark else "#e4e9ea"
    figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 28, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 13, "color": ink()},
        hoverlabel={"font_size": 13},
    )  # fmt: skip
    line: dict[str, Any] = {"gridcolor": grid, "zerolinecolor": grid, "linecolor": grid}
    figure.update_xaxes(**line, automargin=True)
    figure.update_yaxes(**line, automargin=True)
    return figure


def clear(figure: go.Figure) -> go.Figure:
    """A figure of the analysis with the page's background and fonts."""
    figure.update_layout(
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font_family=FONT
    )
    return figure


def show(figure: go.Figure, key: str, **more: Any) -> Any:
    """Draw a figure with a reduced tool bar."""
    return st.plotly_chart(figure, key=key, theme=None, config=CONFIG, **more)
