"""Charts of a study: gradients by element and band, weights, predictions, learning, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from motif.analysis.arrays import FloatArray, IntArray
from motif.analysis.composition.figures.figure_theme import COLOURS, Theme, apply_theme, diverging
from motif.analysis.composition.gradients.element_similarity import align_units, pearson

MAX_POINTS = 250
"""Most samples in one scatter plot of the pair matrix."""


def element_pairs(
    gradient: FloatArray,
    elements: Sequence[str],
    *,
    unit: str = "mW/cm² per at.%",
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Pearson coefficients of gradients (n, E) above the diagonal, scatter below, histograms on it.

    Samples beyond `MAX_POINTS` are thinned evenly in the scatter plots only.
    """
    count = len(elements)
    colours = COLOURS[theme]
    coefficient = pearson(gradient, gradient)
    figure = make_subplots(
        rows=count, cols=count, horizontal_spacing=0.012, vertical_spacing=0.012,
    )  # fmt: skip
    thin = gradient[:: max(1, -(-len(gradient) // MAX_POINTS))]
    for i in range(count):
        for j in range(count):
            cell = {"row": i + 1, "col": j + 1}
            if i == j:
                figure.add_trace(
                    go.Histogram(x=gradient[:, i], nbinsx=24, marker={"color": colours.bar}), **cell
                )
            elif i > j:
                marker = {"size": 2.5, "color": colours.text, "opacity": 0.45}
                figure.add_trace(
                    go.Scatter(x=thin[:, j], y=thin[:, i], mode="markers", marker=marker), **cell
                )
            else:
                _draw_coefficient(figure, float(coefficient[i, j]), cell, theme)
    figure.update_xaxes(showticklabels=False, zeroline=False, showgrid=False)
    figure.update_yaxes(showticklabels=False, zeroline=False, showgrid=False)
    for i, element in enumerate(elements):
        figure.update_yaxes(title=f"<b>{element}</b>", row=i + 1, col=1)
        figure.update_xaxes(title=f"<b>{element}</b>", row=count, col=i + 1)
    figure.update_traces(hoverinfo="skip")
    return apply_theme(
        figure, theme, simulated=simulated, title=f"Gradients by element ({unit})",
        height=680, showlegend=False, bargap=0.02,
    )  # fmt: skip


def _draw_coefficient(figure: go.Figure, value: float, cell: dict[str, int], theme: Theme) -> None:
    figure.add_trace(
        go.Heatmap(
            z=[[value]], zmin=-1, zmax=1, colorscale=diverging(theme), showscale=False,
            text=[[f"{value:.2f}"]], texttemplate="%{text}",
            textfont={"size": 13, "color": "#ffffff"},
        ),
        **cell,
    )  # fmt: skip


def band_map(
    gradient: FloatArray,
    spectrum_gradient: FloatArray,
    elements: Sequence[str],
    axis: FloatArray,
    *,
    axis_title: str = "Raman shift (cm⁻¹)",
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Which bands of the spectrum change with an element.

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
    return apply_theme(
        figure, theme, simulated=simulated, title="Gradient by element and by band", height=360
    )


def weight_maps(
    weights: FloatArray,
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
    for k, network in enumerate(aligned):
        figure.add_trace(
            go.Heatmap(
                z=network, y=list(elements), zmin=-largest, zmax=largest, showscale=k == 0,
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
    return apply_theme(
        figure, theme, simulated=simulated, height=110 + 210 * rows,
        title="First-layer weights, element by unit (aligned)",
    )  # fmt: skip


def parity(
    target: FloatArray,
    predicted: FloatArray,
    *,
    fold: IntArray | None = None,
    r2: float | None = None,
    names: Sequence[str] = (),
    title: str = "P (mW/cm²)",
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Held-out predictions (n,) against measured values (n,), coloured by fold."""
    colours = COLOURS[theme]
    ends = [float(min(target.min(), predicted.min())), float(max(target.max(), predicted.max()))]
    figure = go.Figure(
        go.Scatter(
            x=ends, y=ends, mode="lines", hoverinfo="skip",
            line={"color": colours.muted, "width": 1, "dash": "dot"},
        )
    )  # fmt: skip
    groups = [0] if fold is None else sorted(set(fold.tolist()))
    for group in groups:
        chosen = np.ones(len(target), bool) if fold is None else fold == group
        figure.add_trace(
            go.Scatter(
                x=target[chosen], y=predicted[chosen], mode="markers", name=f"fold {group + 1}",
                marker={"size": 4, "opacity": 0.6},
                text=[names[i] for i in np.flatnonzero(chosen).tolist()] if names else None,
                hovertemplate="%{text}<br>" * bool(names)
                + "measured %{x:.3g}, predicted %{y:.3g}<extra></extra>",
            )
        )  # fmt: skip
    figure.update_xaxes(title=f"measured {title}", constrain="domain")
    figure.update_yaxes(title=f"predicted {title}", scaleanchor="x", constrain="domain")
    heading = f"Held-out predictions, R² {r2:.3f}" if r2 is not None else "Held-out predictions"
    return apply_theme(figure, theme, simulated=simulated, title=heading, showlegend=False)


def learning_curve(
    samples: Sequence[int],
    scores: Mapping[str, Sequence[float]],
    *,
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Held-out R² against the number of training samples, one line per model."""
    figure = go.Figure()
    for name, values in scores.items():
        figure.add_trace(
            go.Scatter(x=list(samples), y=list(values), mode="lines+markers", name=name)
        )
    figure.update_xaxes(title="training samples", type="log", tickvals=list(samples))
    figure.update_yaxes(title="R² of held-out samples")
    return apply_theme(figure, theme, simulated=simulated, title="Learning curve", height=380)


def calibration_plot(
    methods: Mapping[str, Mapping[str, Any]],
    *,
    unit: str,
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Root-mean-square error against mean spread, one line per method.

    The values are those of `motif.analysis.composition.gradients.gradient_truth.calibration`.
    """
    figure = go.Figure()
    largest = max(max(*scores["spread"], *scores["error"]) for scores in methods.values())
    figure.add_trace(
        go.Scatter(
            x=[0, largest], y=[0, largest], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": COLOURS[theme].muted, "width": 1, "dash": "dot"},
        )
    )  # fmt: skip
    for name, scores in methods.items():
        label = f"{name}: {scores['within_1']:.0%} within ± 1, {scores['within_2']:.0%} within ± 2"
        figure.add_trace(
            go.Scatter(x=scores["spread"], y=scores["error"], mode="lines+markers", name=label)
        )
    figure.update_xaxes(title=f"spread ({unit})", rangemode="tozero")
    figure.update_yaxes(title=f"error ({unit})", rangemode="tozero")
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    return apply_theme(figure, theme, simulated=simulated, height=440, legend=legend)
