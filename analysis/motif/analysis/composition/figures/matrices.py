"""Elements against elements, against bands, and as the first layer sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from motif.analysis.composition.alignment import align_units
from motif.analysis.composition.correlations import pearson
from motif.analysis.composition.figures.theme import INKS, Theme, diverging, dress

Array = NDArray[np.float64]

DOTS = 250
"""Most samples in one scatter plot of the pair matrix."""


def element_pairs(
    gradient: Array,
    elements: Sequence[str],
    *,
    unit: str = "mW/cm² per at.%",
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Pearson coefficients of gradients (n, E) above the diagonal, scatter below, histograms on.

    Samples beyond `DOTS` are thinned evenly in the scatter plots only.
    """
    count = len(elements)
    inks = INKS[theme]
    coefficient = pearson(gradient, gradient)
    figure = make_subplots(
        rows=count, cols=count, horizontal_spacing=0.012, vertical_spacing=0.012,
    )  # fmt: skip
    thin = gradient[:: max(1, -(-len(gradient) // DOTS))]
    for i in range(count):
        for j in range(count):
            place = {"row": i + 1, "col": j + 1}
            if i == j:
                figure.add_trace(
                    go.Histogram(x=gradient[:, i], nbinsx=24, marker={"color": inks.bar}), **place
                )
            elif i > j:
                marker = {"size": 2.5, "color": inks.text, "opacity": 0.45}
                figure.add_trace(
                    go.Scatter(x=thin[:, j], y=thin[:, i], mode="markers", marker=marker), **place
                )
            else:
                _coefficient(figure, float(coefficient[i, j]), place, theme)
    figure.update_xaxes(showticklabels=False, zeroline=False, showgrid=False)
    figure.update_yaxes(showticklabels=False, zeroline=False, showgrid=False)
    for i, element in enumerate(elements):
        figure.update_yaxes(title=f"<b>{element}</b>", row=i + 1, col=1)
        figure.update_xaxes(title=f"<b>{element}</b>", row=count, col=i + 1)
    figure.update_traces(hoverinfo="skip")
    return dress(
        figure, theme, simulated=simulated, title=f"Gradients by element ({unit})",
        height=680, showlegend=False, bargap=0.02,
    )  # fmt: skip


def _coefficient(figure: go.Figure, value: float, place: dict[str, int], theme: Theme) -> None:
    figure.add_trace(
        go.Heatmap(
            z=[[value]], zmin=-1, zmax=1, colorscale=diverging(theme), showscale=False,
            text=[[f"{value:.2f}"]], texttemplate="%{text}",
            textfont={"size": 13, "color": "#ffffff"},
        ),
        **place,
    )  # fmt: skip


def band_map(
    gradient: Array,
    spectrum_gradient: Array,
    elements: Sequence[str],
    axis: Array,
    *,
    axis_title: str = "Raman shift (cm⁻¹)",
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Which bands carry what an element does.

    Pearson coefficients over samples between the gradient by element (n, E) and the gradient
    by spectrum (n, L).
    """
    figure = go.Figure(
        go.Heatmap(
            x=axis,
            y=list(elements),
            z=pearson(gradient, spectrum_gradient),
            zmin=-1,
            zmax=1,
            colorscale=diverging(theme),
            colorbar={"title": {"text": "Pearson"}, "thickness": 12},
            hovertemplate="%{y}, %{x:.1f}: %{z:.2f}<extra></extra>",
        )
    )
    figure.update_xaxes(title=axis_title)
    figure.update_yaxes(autorange="reversed")
    return dress(
        figure, theme, simulated=simulated, title="Gradient by element and by band", height=360
    )


def weight_maps(
    weights: Array,
    elements: Sequence[str],
    *,
    theme: Theme = "light",
    simulated: bool = False,
    columns: int = 4,
) -> go.Figure:
    """First-layer weights (K, E, units) of each run, units aligned across runs."""
    aligned = align_units(weights)
    runs = len(aligned)
    rows = -(-runs // columns)
    largest = float(np.abs(aligned).max()) or 1.0
    figure = make_subplots(
        rows=rows, cols=min(columns, runs), subplot_titles=[f"run {k + 1}" for k in range(runs)],
        horizontal_spacing=0.03, vertical_spacing=0.18 / rows,
    )  # fmt: skip
    for k, run in enumerate(aligned):
        figure.add_trace(
            go.Heatmap(
                z=run, y=list(elements), zmin=-largest, zmax=largest, showscale=k == 0,
                colorscale=diverging(theme),
                colorbar={"title": {"text": "weight"}, "thickness": 12},
                hovertemplate=f"run {k + 1}, %{{y}}, unit %{{x}}: %{{z:.3f}}<extra></extra>",
            ),
            row=k // columns + 1, col=k % columns + 1,
        )  # fmt: skip
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    for k in range(runs):
        if k % columns:
            figure.update_yaxes(showticklabels=False, row=k // columns + 1, col=k % columns + 1)
    return dress(
        figure, theme, simulated=simulated, height=110 + 210 * rows,
        title="First-layer weights, element by unit (aligned)",
    )  # fmt: skip
