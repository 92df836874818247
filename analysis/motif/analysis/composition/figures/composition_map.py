"""Performance over a composition subspace, with gradient arrows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from motif.analysis.arrays import BoolArray, FloatArray
from motif.analysis.composition.figures.figure_theme import COLOURS, Theme, apply_theme
from motif.analysis.composition.gradients.element_similarity import element_groups

Corners = Sequence[Sequence[str]]

CORNERS = np.array([[0.5, np.sqrt(0.75)], [0.0, 0.0], [1.0, 0.0]])
"""Top, left and right corner of the triangle, (3, 2)."""
MAX_ARROW = 0.075
"""Length of the longest arrow in triangle sides."""
LENGTH_EXPONENT = 0.2
"""Displayed length grows as strength to this power (Umehara et al. 2019, figure S1)."""
MIN_STRENGTH = 0.05
"""Arrows weaker than this share of the strongest are left out."""
CELL = 0.03
"""Side of the cells of which each carries one arrow at most, in triangle sides."""
AGREEMENT_BINS = ((0.0, 0.25), (0.75, 0.55), (0.999, 1.0))
"""From this mean agreement on, arrows have this opacity."""


@dataclass(frozen=True)
class CompositionMap:
    """What a map of a composition subspace shows, for n samples of E elements."""

    composition: FloatArray
    """Atomic fractions (n, E)."""
    elements: Sequence[str]
    value: FloatArray
    """Figure of merit (n,), shown as colour."""
    gradient: FloatArray
    """Gradients (n, E), shown as arrows."""
    agreement: FloatArray
    """Share of members that agree in sign (n, E); sets the opacity of the arrows."""
    corners: Corners | None = None
    """Three groups of elements; None for host elements and two groups of similar gradients."""
    names: Sequence[str] = ()
    """Name of each sample as HTML, shown under the pointer."""
    value_title: str = "P"


def composition_map(
    data: CompositionMap, *, theme: Theme = "light", simulated: bool = False
) -> go.Figure:
    """Pseudo-ternary map with arrows along the gradient, zoomed to the range of the data."""
    elements, value = data.elements, data.value
    corners = data.corners or element_groups(data.composition, data.gradient, tuple(elements))
    colours = COLOURS[theme]
    coordinates, low, size = barycentric(data.composition, elements, corners)
    xy = coordinates @ CORNERS
    figure = go.Figure()
    _draw_triangle(figure, corners, low, size, theme)
    figure.add_trace(
        go.Scatter(
            x=xy[:, 0],
            y=xy[:, 1],
            mode="markers",
            name="samples",
            marker={
                "color": value,
                "colorscale": colours.sequential,
                "size": 7,
                "opacity": 0.85,
                "colorbar": {"title": {"text": data.value_title}, "thickness": 12, "len": 0.75},
            },
            customdata=np.arange(len(value)),
            text=list(data.names) or None,
            hovertemplate="%{text}<br>" * bool(len(data.names))
            + f"{data.value_title} %{{marker.color:.3g}}<extra></extra>",
        )
    )
    direction = group_direction(data.gradient, elements, corners)
    _draw_arrows(figure, xy, direction, data.agreement, theme)
    figure.update_xaxes(visible=False, range=[-0.12, 1.12], constrain="domain")
    figure.update_yaxes(visible=False, range=[-0.1, 0.98], scaleanchor="x")
    return apply_theme(
        figure, theme, simulated=simulated, height=560, showlegend=False, dragmode="lasso"
    )


def barycentric(
    composition: FloatArray, elements: Sequence[str], corners: Corners
) -> tuple[FloatArray, FloatArray, float]:
    """Coordinates (n, 3) in the smallest upright triangle around the data.

    Returns the coordinates (rows sum to 1), each corner's smallest share and the width of the
    triangle; a corner is its smallest share plus that width.
    """
    groups = _sums(composition, elements, corners)
    groups = groups / np.maximum(groups.sum(1, keepdims=True), 1e-12)
    low = groups.min(0)
    size = max(1 - float(low.sum()), 1e-9)
    return (groups - low) / size, low, size


def group_direction(gradient: FloatArray, elements: Sequence[str], corners: Corners) -> FloatArray:
    """Change of the three groups by a step along the gradient (n, E): (n, 3), rows sum to 0."""
    moved = _sums(gradient, elements, corners)
    return np.asarray(moved - moved.mean(1, keepdims=True))


def _sums(values: FloatArray, elements: Sequence[str], corners: Corners) -> FloatArray:
    columns = [[list(elements).index(name) for name in group] for group in corners]
    return np.stack([values[:, group].sum(1) for group in columns], 1)


def _draw_triangle(
    figure: go.Figure, corners: Corners, low: FloatArray, size: float, theme: Theme
) -> None:
    colours = COLOURS[theme]
    for share in (0.2, 0.4, 0.6, 0.8):
        for i in range(3):
            ends = np.zeros((2, 3))
            ends[:, i] = share
            ends[0, (i + 1) % 3] = ends[1, (i + 2) % 3] = 1 - share
            _line(figure, ends @ CORNERS, colours.grid, 1)
    _line(figure, CORNERS[[0, 1, 2, 0]], colours.muted, 1.5)
    for i, (group, anchor) in enumerate(zip(corners, ("bottom", "top", "top"), strict=True)):
        x, y = CORNERS[i]
        figure.add_annotation(
            x=x,
            y=y,
            yshift=8 if anchor == "bottom" else -10,
            yanchor=anchor,
            showarrow=False,
            font={"size": 13, "color": colours.text},
            text=f"<b>{'+'.join(group)}</b><br>{_percent(low[i] + size)}",
        )
    for x, i in ((0.5, 0), (0.78, 1), (0.22, 2)):
        opposite = CORNERS[[j for j in range(3) if j != i]].mean(0)
        figure.add_annotation(
            x=x if i == 0 else opposite[0] + (0.04 if i == 1 else -0.04),
            y=opposite[1] - (0.01 if i == 0 else 0),
            yanchor="top" if i == 0 else "middle",
            xanchor={0: "center", 1: "left", 2: "right"}[i],
            showarrow=False,
            font={"size": 10, "color": colours.muted},
            text=f"{'+'.join(corners[i])} {_percent(low[i])}",
        )


def _line(figure: go.Figure, points: FloatArray, colour: str, width: float) -> None:
    figure.add_trace(
        go.Scatter(
            x=points[:, 0],
            y=points[:, 1],
            mode="lines",
            line={"color": colour, "width": width},
            hoverinfo="skip",
        )
    )


def _draw_arrows(
    figure: go.Figure, xy: FloatArray, direction: FloatArray, agreement: FloatArray, theme: Theme
) -> None:
    """One trace per level of agreement: lines with an arrow head at their end."""
    step = direction @ CORNERS
    strength = np.linalg.norm(step, axis=1)
    strongest = float(strength.max()) or 1.0
    drawn = _first_per_cell(xy) & (strength > MIN_STRENGTH * strongest)
    length = MAX_ARROW * (strength / strongest) ** LENGTH_EXPONENT
    tip = xy + step / np.maximum(strength, 1e-300)[:, None] * length[:, None]
    mean = agreement.mean(1)
    bounds = [start for start, _ in AGREEMENT_BINS] + [np.inf]
    for level, (_, opacity) in enumerate(AGREEMENT_BINS):
        chosen = drawn & (mean >= bounds[level]) & (mean < bounds[level + 1])
        ends = np.stack([xy[chosen], tip[chosen], np.full((chosen.sum(), 2), np.nan)], 1)
        flat = ends.reshape(-1, 2)
        figure.add_trace(
            go.Scatter(
                x=flat[:, 0],
                y=flat[:, 1],
                mode="lines+markers",
                name=f"agreement ≥ {AGREEMENT_BINS[level][0]:.0%}",
                opacity=opacity,
                line={"color": COLOURS[theme].arrow, "width": 1.3},
                marker={
                    "symbol": "arrow",
                    "angleref": "previous",
                    "size": np.tile([0, 8, 0], int(chosen.sum())),
                    "color": COLOURS[theme].arrow,
                },
                hoverinfo="skip",
                meta="arrows",
            )
        )


def _first_per_cell(xy: FloatArray) -> BoolArray:
    """Mask (n,) of the first sample of each cell, so that arrows cover dense regions evenly."""
    cells = np.floor(xy / CELL).astype(np.int64)
    _, first = np.unique(cells, axis=0, return_index=True)
    chosen = np.zeros(len(xy), bool)
    chosen[first] = True
    return chosen


def _percent(share: float) -> str:
    return f"{100 * share:.3g} at.%"
