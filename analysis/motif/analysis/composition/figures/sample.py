"""One sample: what it is made of, what would make it better, and which bands say so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from motif.analysis.composition.figures.theme import INKS, Theme, diverging, dress

Array = NDArray[np.float64]


def sample_card(
    elements: Sequence[str],
    composition: Array,
    gradient: Array,
    gradient_std: Array,
    agreement: Array,
    axis: Array,
    spectrum: Array,
    spectrum_gradient: Array,
    spectrum_gradient_std: Array,
    *,
    axis_title: str = "Raman shift (cm⁻¹)",
    gradient_unit: str = "mW/cm² per at.%",
    spectrum_unit: str = "mW/cm² per unit of intensity",
    title: str = "",
    theme: Theme = "light",
    simulated: bool = False,
) -> go.Figure:
    """Bars of concentration with a gradient arrow per element, and the spectrum read by gradient.

    Args:
        composition: atomic fractions (E,), shown in at.% on a logarithmic axis.
        gradient: (E,) with spread `gradient_std` and sign `agreement` over members; arrows are
            faint where members disagree.
        spectrum: normalised intensity (L,) on `axis`, coloured by `spectrum_gradient` (L,).
    """
    figure = make_subplots(
        rows=3,
        cols=2,
        specs=[[{}, {}], [{"colspan": 2}, None], [{"colspan": 2}, None]],
        row_heights=[0.42, 0.33, 0.25],
        column_widths=[0.45, 0.55],
        horizontal_spacing=0.1,
        vertical_spacing=0.09,
        shared_xaxes=False,
    )
    _concentrations(figure, elements, composition, theme)
    _arrows(figure, elements, gradient, gradient_std, agreement, theme)
    if len(axis):
        _spectrum(figure, axis, spectrum, spectrum_gradient, theme)
        _band(figure, axis, spectrum_gradient, spectrum_gradient_std, theme)
    least = float(100 * composition[composition > 0].min()) if composition.any() else 1.0
    figure.update_xaxes(
        title="concentration (at.%)",
        type="log",
        range=[np.log10(min(0.3, least / 2)), 2],
        tickvals=[0.01, 0.1, 0.3, 1, 3, 10, 30, 100],
        ticktext=["0.01", "0.1", "0.3", "1", "3", "10", "30", "100"],
        row=1,
        col=1,
    )
    figure.update_xaxes(title=f"gradient ({gradient_unit})", row=1, col=2)
    figure.update_yaxes(autorange="reversed", row=1)
    figure.update_yaxes(showticklabels=False, row=1, col=2)
    figure.update_yaxes(title="intensity", row=2, col=1)
    figure.update_yaxes(title="gradient", row=3, col=1)
    figure.update_xaxes(title=axis_title, row=3, col=1)
    figure.update_xaxes(matches="x3", row=3, col=1)
    figure.update_xaxes(showticklabels=False, row=2, col=1)
    figure.add_annotation(
        text=spectrum_unit,
        x=0,
        y=0.235,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="top",
        showarrow=False,
        font={"size": 10, "color": INKS[theme].quiet},
    )
    return dress(figure, theme, simulated=simulated, title=title, height=680, showlegend=False)


def _concentrations(
    figure: go.Figure, elements: Sequence[str], composition: Array, theme: Theme
) -> None:
    percent = 100 * composition
    figure.add_trace(
        go.Bar(
            y=list(elements),
            x=np.where(percent > 0, percent, np.nan),
            orientation="h",
            marker={"color": INKS[theme].bar},
            text=[f"{value:.2f}" if value > 0 else "0" for value in percent],
            textposition="auto",
            hovertemplate="%{y} %{x:.3f} at.%<extra></extra>",
        ),
        row=1,
        col=1,
    )


def _arrows(
    figure: go.Figure,
    elements: Sequence[str],
    gradient: Array,
    std: Array,
    agreement: Array,
    theme: Theme,
) -> None:
    inks = INKS[theme]
    for element, mean, spread, agreed in zip(elements, gradient, std, agreement, strict=True):
        colour = inks.diverging[-1 if mean > 0 else 0][1]
        figure.add_trace(
            go.Scatter(
                x=[0, mean],
                y=[element, element],
                mode="lines+markers",
                opacity=1.0 if agreed > 0.999 else 0.4,
                line={"color": colour, "width": 3},
                marker={
                    "symbol": "arrow",
                    "angleref": "previous",
                    "size": [0, 13],
                    "color": colour,
                },
                error_x={
                    "type": "data",
                    "array": [0, spread],
                    "color": inks.quiet,
                    "thickness": 1.2,
                },
                hovertemplate=(
                    f"{element} {mean:+.3g} ± {spread:.2g} (spread), "
                    f"{agreed:.0%} of members agree<extra></extra>"
                ),
            ),
            row=1,
            col=2,
        )
    figure.add_vline(x=0, line={"color": inks.quiet, "width": 1}, row=1, col=2)


def _spectrum(
    figure: go.Figure, axis: Array, spectrum: Array, gradient: Array, theme: Theme
) -> None:
    largest = float(np.abs(gradient).max()) or 1.0
    figure.add_trace(
        go.Scatter(
            x=axis,
            y=spectrum,
            mode="lines+markers",
            line={"color": INKS[theme].grid, "width": 1},
            marker={
                "size": 4,
                "color": gradient,
                "colorscale": diverging(theme),
                "cmin": -largest,
                "cmax": largest,
                "colorbar": {"thickness": 10, "len": 0.3, "y": 0.42, "title": {"text": "gradient"}},
            },
            hovertemplate="%{x:.1f}: %{y:.3f}, gradient %{marker.color:+.3g}<extra></extra>",
        ),
        row=2,
        col=1,
    )


def _band(figure: go.Figure, axis: Array, mean: Array, std: Array, theme: Theme) -> None:
    inks = INKS[theme]
    figure.add_trace(
        go.Scatter(
            x=np.concatenate([axis, axis[::-1]]),
            y=np.concatenate([mean + std, (mean - std)[::-1]]),
            fill="toself",
            fillcolor=inks.bar,
            opacity=0.45,
            line={"width": 0},
            hoverinfo="skip",
        ),
        row=3,
        col=1,
    )
    figure.add_trace(
        go.Scatter(
            x=axis,
            y=mean,
            mode="lines",
            line={"color": inks.text, "width": 1.2},
            hovertemplate="%{x:.1f}: %{y:+.3g}<extra></extra>",
        ),
        row=3,
        col=1,
    )
    figure.add_hline(y=0, line={"color": inks.quiet, "width": 1}, row=3, col=1)
