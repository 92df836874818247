"""Ink and paper of the figures, light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from motif.core.errors import ConfigError

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Inks:
    """Colours of one theme."""

    paper: str
    text: str
    quiet: str
    grid: str
    arrow: str
    bar: str
    accent: str
    diverging: tuple[tuple[float, str], ...]
    """Blue through a neutral middle, distinct from the paper, to red."""
    sequential: str


INKS: dict[Theme, Inks] = {
    "light": Inks(
        paper="#ffffff",
        text="#1f2430",
        quiet="#6b7280",
        grid="#e5e7eb",
        arrow="#111111",
        bar="#93a4bd",
        accent="#c2410c",
        diverging=(
            (0.0, "#1d4f9c"),
            (0.25, "#6aa3d5"),
            (0.5, "#d9d9d9"),
            (0.75, "#e58368"),
            (1.0, "#a6192e"),
        ),
        sequential="Viridis",
    ),
    "dark": Inks(
        paper="#11151c",
        text="#e5e9f0",
        quiet="#9aa4b2",
        grid="#2a313c",
        arrow="#ffffff",
        bar="#55657d",
        accent="#fb923c",
        diverging=(
            (0.0, "#5ea0ef"),
            (0.25, "#3c6aa0"),
            (0.5, "#4b5260"),
            (0.75, "#b0564a"),
            (1.0, "#ff7b66"),
        ),
        sequential="Viridis",
    ),
}


def theme_named(name: str) -> Theme:
    """The theme of that name.

    Raises:
        ConfigError: there is none.
    """
    for theme in INKS:
        if theme == name:
            return theme
    raise ConfigError(f"There is no theme {name!r}; choose {' or '.join(INKS)}.")


def diverging(theme: Theme) -> list[list[float | str]]:
    """Colour scale for values around 0."""
    return [list(stop) for stop in INKS[theme].diverging]


def dress(
    figure: go.Figure,
    theme: Theme,
    *,
    simulated: bool,
    title: str = "",
    height: int = 480,
    **layout: Any,
) -> go.Figure:
    """Apply fonts, paper and grid, and the mark of simulated data."""
    inks = INKS[theme]
    figure.update_layout(
        title={"text": title, "x": 0.01, "xanchor": "left", "font": {"size": 15}},
        paper_bgcolor=inks.paper,
        plot_bgcolor=inks.paper,
        font={"color": inks.text, "size": 12},
        hoverlabel={"bgcolor": inks.paper, "font": {"color": inks.text}},
        margin={"l": 60, "r": 20, "t": 64 if title else 44, "b": 48},
        height=height,
        **layout,
    )
    figure.update_xaxes(gridcolor=inks.grid, zerolinecolor=inks.grid, linecolor=inks.quiet)
    figure.update_yaxes(gridcolor=inks.grid, zerolinecolor=inks.grid, linecolor=inks.quiet)
    if simulated:
        figure.add_annotation(
            text="simulated",
            x=1,
            y=1,
            xref="paper",
            yref="paper",
            xanchor="right",
            yanchor="bottom",
            yshift=16,
            showarrow=False,
            font={"size": 12, "color": inks.accent},
            name="simulated",
        )
    return figure
