"""The card of one sample: its composition, the gradient by element, and its spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from motif.analysis.arrays import FloatArray
from motif.analysis.composition.figures.figure_theme import COLOURS, Theme, apply_theme, diverging


@dataclass(frozen=True)
class SampleCard:
    """What the card of one sample shows, for E elements and L spectral points."""

    elements: Sequence[str]
    composition: FloatArray
    """Atomic fractions (E,), shown in at.% on a logarithmic axis."""
    gradient: FloatArray
    """(E,)"""
    gradient_std: FloatArray
    """Spread (E,) over the members."""
    agreement: FloatArray
    """Share of members (E,) that agree in sign; arrows are faint where members disagree."""
    axis: FloatArray
    """Spectral axis (L,); empty where there is no spectrum."""
    spectrum: FloatArray
    """Normalised intensity (L,)."""
    spectrum_gradient: FloatArray
    """(L,), shown as colour of the spectrum."""
    spectrum_gradient_std: FloatArray
    """Spread (L,) over the members."""
    axis_title: str = "Raman shift (cm⁻¹)"
    gradient_unit: str = "mW/cm² per at.%"
    spectrum_unit: str = "mW/cm² per unit of intensity"
    title: str = ""


def sample_card(card: SampleCard, *, theme: Theme = "light", simulated: bool = False) -> go.Figure:
    """Bars of concentration with a gradient arrow per element, and the spectrum with its
    gradient."""
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
    _draw_concentrations(figure, card, theme)
    _draw_arrows(figure, card, theme)
    if len(card.axis):
        _draw_spectrum(figure, card, theme)
        _draw_spectrum_gradient(figure, card, theme)
    composition = card.composition
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
    figure.update_xaxes(title=f"gradient ({card.gradient_unit})", row=1, col=2)
    figure.update_yaxes(autorange="reversed", row=1)
    figure.update_yaxes(showticklabels=False, row=1, col=2)
    figure.update_yaxes(title="intensity", row=2, col=1)
    figure.update_yaxes(title="gradient", row=3, col=1)
    figure.update_xaxes(title=card.axis_title, row=3, col=1)
    figure.update_xaxes(matches="x3", row=3, col=1)
    figure.update_xaxes(showticklabels=False, row=2, col=1)
    figure.add_annotation(
        text=card.spectrum_unit,
        x=0,
        y=0.235,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="top",
        showarrow=False,
        font={"size": 10, "color": COLOURS[theme].muted},
    )
    return apply_theme(
        figure, theme, simulated=simulated, title=card.title, height=680, showlegend=False
    )


def _draw_concentrations(figure: go.Figure, card: SampleCard, theme: Theme) -> None:
    percent = 100 * card.composition
    figure.add_trace(
        go.Bar(
            y=list(card.elements),
            x=np.where(percent > 0, percent, np.nan),
            orientation="h",
            marker={"color": COLOURS[theme].bar},
            text=[f"{value:.2f}" if value > 0 else "0" for value in percent],
            textposition="auto",
            hovertemplate="%{y} %{x:.3f} at.%<extra></extra>",
        ),
        row=1,
        col=1,
    )


def _draw_arrows(figure: go.Figure, card: SampleCard, theme: Theme) -> None:
    colours = COLOURS[theme]
    for element, mean, spread, agreed in zip(
        card.elements, card.gradient, card.gradient_std, card.agreement, strict=True
    ):
        colour = colours.diverging[-1 if mean > 0 else 0][1]
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
                    "color": colours.muted,
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
    figure.add_vline(x=0, line={"color": colours.muted, "width": 1}, row=1, col=2)


def _draw_spectrum(figure: go.Figure, card: SampleCard, theme: Theme) -> None:
    gradient = card.spectrum_gradient
    largest = float(np.abs(gradient).max()) or 1.0
    figure.add_trace(
        go.Scatter(
            x=card.axis,
            y=card.spectrum,
            mode="lines+markers",
            line={"color": COLOURS[theme].grid, "width": 1},
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


def _draw_spectrum_gradient(figure: go.Figure, card: SampleCard, theme: Theme) -> None:
    colours, axis = COLOURS[theme], card.axis
    mean, std = card.spectrum_gradient, card.spectrum_gradient_std
    figure.add_trace(
        go.Scatter(
            x=np.concatenate([axis, axis[::-1]]),
            y=np.concatenate([mean + std, (mean - std)[::-1]]),
            fill="toself",
            fillcolor=colours.bar,
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
            line={"color": colours.text, "width": 1.2},
            hovertemplate="%{x:.1f}: %{y:+.3g}<extra></extra>",
        ),
        row=3,
        col=1,
    )
    figure.add_hline(y=0, line={"color": colours.muted, "width": 1}, row=3, col=1)
