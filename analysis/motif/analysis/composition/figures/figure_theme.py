"""Colours of the composition figures, light and dark, and their common layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from motif.core.errors import ConfigError

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class FigureColours:
    """Colours of one theme."""

    background: str
    text: str
    muted: str
    grid: str
    arrow: str
    bar: str
    accent: str
    diverging: tuple[tuple[float, str], ...]
    """Blue, a neutral middle distinct from the background, red."""
    sequential: str


COLOURS: dict[Theme, FigureColours] = {
    "light": FigureColours(
        background="#ffffff",
        text="#1f2430",
        muted="#6b7280",
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
    "dark": FigureColours(
        background="#11151c",
        text="#e5e9f0",
        muted="#9aa4b2",
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
        ConfigError: there is no such theme.
    """
    for theme in COLOURS:
        if theme == name:
            return theme
    raise ConfigError(f"There is no theme {name!r}; choose {' or '.join(COLOURS)}.")


def diverging(theme: Theme) -> list[list[float | str]]:
    """Colour scale for values around 0."""
    return [list(stop) for stop in COLOURS[theme].diverging]


def apply_theme(
    figure: go.Figure,
    theme: Theme,
    *,
    simulated: bool,
    title: str = "",
    height: int = 480,
    **layout: Any,
) -> go.Figure:
    """Apply fonts, background and grid, and the mark of simulated data."""
    colours = COLOURS[theme]
    figure.update_layout(
        title={"text": title, "x": 0.01, "xanchor": "left", "font": {"size": 15}},
        paper_bgcolor=colours.background,
        plot_bgcolor=colours.background,
        font={"color": colours.text, "size": 12},
        hoverlabel={"bgcolor": colours.background, "font": {"color": colours.text}},
        margin={"l": 60, "r": 20, "t": 64 if title else 44, "b": 48},
        height=height,
        **layout,
    )
    figure.update_xaxes(gridcolor=colours.grid, zerolinecolor=colours.grid, linecolor=colours.muted)
    figure.update_yaxes(gridcolor=colours.grid, zerolinecolor=colours.grid, linecolor=colours.muted)
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
            font={"size": 12, "color": colours.accent},
            name="simulated",
        )
    return figure
