"""Predicted against measured, and skill against the number of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from motif.analysis.composition.figures.theme import INKS, Theme, dress

Array = NDArray[np.float64]


def parity(
    target: Array,
    predicted: Array,
    *,
    fold: NDArray[np.int64] | None = None,
    r2: float | None = None,
    names: Sequence[str] = (),
    title: str = "P (mW/cm²)",
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Held-out predictions (n,) against measured values (n,), coloured by fold."""
    inks = INKS[theme]
    ends = [float(min(target.min(), predicted.min())), float(max(target.max(), predicted.max()))]
    figure = go.Figure(
        go.Scatter(
            x=ends, y=ends, mode="lines", hoverinfo="skip",
            line={"color": inks.quiet, "width": 1, "dash": "dot"},
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
    told = f"Held-out predictions, R² {r2:.3f}" if r2 is not None else "Held-out predictions"
    return dress(figure, theme, simulated=simulated, title=told, showlegend=False)


def learning_curve(
    samples: Sequence[int],
    scores: Mapping[str, Sequence[float]],
    *,
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Held-out R² against the number of training samples, a line a model."""
    figure = go.Figure()
    for name, values in scores.items():
        figure.add_trace(
            go.Scatter(x=list(samples), y=list(values), mode="lines+markers", name=name)
        )
    figure.update_xaxes(title="training samples", type="log", tickvals=list(samples))
    figure.update_yaxes(title="R² of held-out samples")
    return dress(figure, theme, simulated=simulated, title="Learning curve", height=380)


def calibration_plot(
    methods: Mapping[str, Mapping[str, Any]],
    *,
    unit: str,
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Root-mean-square error against mean spread, a line a method (`comparison.calibration`)."""
    figure = go.Figure()
    most = max(max(*told["spread"], *told["error"]) for told in methods.values())
    figure.add_trace(
        go.Scatter(
            x=[0, most], y=[0, most], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": INKS[theme].quiet, "width": 1, "dash": "dot"},
        )
    )  # fmt: skip
    for name, told in methods.items():
        label = f"{name}: {told['within_1']:.0%} within ± 1, {told['within_2']:.0%} within ± 2"
        figure.add_trace(
            go.Scatter(x=told["spread"], y=told["error"], mode="lines+markers", name=label)
        )
    figure.update_xaxes(title=f"spread ({unit})", rangemode="tozero")
    figure.update_yaxes(title=f"error ({unit})", rangemode="tozero")
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    return dress(figure, theme, simulated=simulated, height=440, legend=legend)
