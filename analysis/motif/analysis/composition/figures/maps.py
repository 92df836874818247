"""Performance over a composition subspace, with gradient arrows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from motif.analysis.composition.correlations import alike
from motif.analysis.composition.figures.theme import INKS, Theme, dress

Array = NDArray[np.float64]
Corners = Sequence[Sequence[str]]

CORNERS = np.array([[0.5, np.sqrt(0.75)], [0.0, 0.0], [1.0, 0.0]])
"""Top, left and right corner of the triangle, (3, 2)."""
LONGEST = 0.075
"""Length of the longest arrow in triangle sides."""
EXPONENT = 0.2
"""Displayed length grows as strength to this power (Umehara et al. 2019, figure S1)."""
FAINTEST = 0.05
"""Arrows weaker than this share of the strongest are left out."""
CELL = 0.03
"""Side of the cells of which each carries one arrow at most, in triangle sides."""
AGREEMENT_BINS = ((0.0, 0.25), (0.75, 0.55), (0.999, 1.0))
"""From this mean agreement on, arrows have this opacity."""


def composition_map(
    composition: Array,
    elements: Sequence[str],
    value: Array,
    gradient: Array,
    agreement: Array,
    *,
    corners: Corners | None = None,
    names: Sequence[str] = (),
    value_title: str = "P",
    theme: Theme = "light",
    simulated: bool = False,
    arrows: bool = True,
) -> go.Figure:
    """Pseudo-ternary map of `value` (n,) with arrows along the total gradient (n, E).

    Args:
        composition: atomic fractions (n, E).
        agreement: share of members that agree in sign, (n, E); sets the arrows' opacity.
        corners: three groups of elements; by default hosts and two groups that act alike. The
            triangle is zoomed to the range of the data.
    """
    corners = corners or alike(composition, gradient, tuple(elements))
    inks = INKS[theme]
    place, low, size = barycentric(composition, elements, corners)
    xy = place @ CORNERS
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
                "colorscale": inks.sequential,
                "size": 7,
                "opacity": 0.85,
                "colorbar": {"title": {"text": value_title}, "thickness": 12, "len": 0.75},
            },
            customdata=np.arange(len(value)),
            text=list(names) or None,
            hovertemplate="%{text}<br>" * bool(len(names))
            + f"{value_title} %{{marker.color:.3g}}<extra></extra>",
        )
    )
    if arrows:
        _draw_arrows(figure, xy, group_direction(gradient, elements, corners), agreement, theme)
    figure.update_xaxes(visible=False, range=[-0.12, 1.12], constrain="domain")
    figure.update_yaxes(visible=False, range=[-0.1, 0.98], scaleanchor="x")
    return dress(figure, theme, simulated=simulated, height=560, showlegend=False, dragmode="lasso")


def barycentric(
    composition: Array, elements: Sequence[str], corners: Corners
) -> tuple[Array, Array, float]:
    """Coordinates (n, 3) in the smallest upright triangle around the data.

    Returns the coordinates (rows sum to 1), each corner's smallest share and the width of the
    triangle; a corner stands for its smallest share plus that width.
    """
    groups = _sums(composition, elements, corners)
    groups = groups / np.maximum(groups.sum(1, keepdims=True), 1e-12)
    low = groups.min(0)
    size = max(1 - float(low.sum()), 1e-9)
    return (groups - low) / size, low, size


def group_direction(gradient: Array, elements: Sequence[str], corners: Corners) -> Array:
    """What a step along the gradient (n, E) does to the three groups, (n, 3); rows sum to 0."""
    moved = _sums(gradient, elements, corners)
    return np.asarray(moved - moved.mean(1, keepdims=True))


def _sums(values: Array, elements: Sequence[str], corners: Corners) -> Array:
    columns = [[list(elements).index(name) for name in group] for group in corners]
    return np.stack([values[:, group].sum(1) for group in columns], 1)


def _draw_triangle(
    figure: go.Figure, corners: Corners, low: Array, size: float, theme: Theme
) -> None:
    inks = INKS[theme]
    for share in (0.2, 0.4, 0.6, 0.8):
        for i in range(3):
            ends = np.zeros((2, 3))
            ends[:, i] = share
            ends[0, (i + 1) % 3] = ends[1, (i + 2) % 3] = 1 - share
            _line(figure, ends @ CORNERS, inks.grid, 1)
    _line(figure, CORNERS[[0, 1, 2, 0]], inks.quiet, 1.5)
    for i, (group, anchor) in enumerate(zip(corners, ("bottom", "top", "top"), strict=True)):
        x, y = CORNERS[i]
        figure.add_annotation(
            x=x,
            y=y,
            yshift=8 if anchor == "bottom" else -10,
            yanchor=anchor,
            showarrow=False,
            font={"size": 13, "color": inks.text},
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
            font={"size": 10, "color": inks.quiet},
            text=f"{'+'.join(corners[i])} {_percent(low[i])}",
        )


def _line(figure: go.Figure, points: Array, colour: str, width: float) -> None:
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
    figure: go.Figure, xy: Array, direction: Array, agreement: Array, theme: Theme
) -> None:
    """One trace per level of agreement: shafts with heads turned along them."""
    step = direction @ CORNERS
    strength = np.linalg.norm(step, axis=1)
    strongest = float(strength.max()) or 1.0
    drawn = _one_per_cell(xy) & (strength > FAINTEST * strongest)
    length = LONGEST * (strength / strongest) ** EXPONENT
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
                line={"color": INKS[theme].arrow, "width": 1.3},
                marker={
                    "symbol": "arrow",
                    "angleref": "previous",
                    "size": np.tile([0, 8, 0], int(chosen.sum())),
                    "color": INKS[theme].arrow,
                },
                hoverinfo="skip",
                meta="arrows",
            )
        )


def _one_per_cell(xy: Array) -> NDArray[np.bool_]:
    """The first sample of each cell: even cover instead of a thicket where samples crowd."""
    cells = np.floor(xy / CELL).astype(np.int64)
    _, first = np.unique(cells, axis=0, return_index=True)
    chosen = np.zeros(len(xy), bool)
    chosen[first] = True
    return chosen


def _percent(share: float) -> str:
    return f"{100 * share:.3g} at.%"
