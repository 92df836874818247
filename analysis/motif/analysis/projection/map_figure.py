"""A map as a picture: points in colours with a legend, as SVG, PDF or PNG, drawn by Matplotlib.

Equal maps give equal bytes. Text is set in DejaVu Sans, which has α, ₃, Å, μ and the like, and is
never read as mathematics.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.arrays import BoolArray, FloatArray
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE_FORMATS = ("svg", "pdf", "png")
WIDTH, HEIGHT = 10.0, 8.0
"""Size in inches; the map is a square at the left, the legend is at the right."""
PNG_DPI = 200
MAX_VECTOR_POINTS = 30_000
"""Points up to which SVG and PDF draw each as vector graphics; more are drawn as an image."""
# Okabe & Ito's palette: distinguishable also with a colour vision deficiency.
PALETTE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000",
)  # fmt: skip
OTHER, FAINT = "#B4B4B4", "#D5DADB"
"""Colours of values without a colour of their own, and of points that a filter leaves out."""
INK, MARK = "#1D2A2C", "#C2410C"
FONT = "DejaVu Sans"
MAX_LABEL = 28
"""Characters of a legend entry."""
MAX_ENTRIES = 30
"""Entries of a legend."""
LEGEND_TOP, LEGEND_STEP = 0.86, 0.027

_drawing = Lock()
"""Matplotlib's settings belong to the process, and pages draw in several threads."""


@dataclass(frozen=True)
class LegendEntry:
    """One colour of a legend, and how many points have it."""

    label: str
    colour: str
    count: int


@dataclass(frozen=True)
class ColourBar:
    """The scale of a continuous quantity."""

    colours: Sequence[str]
    """From the lowest to the highest value."""
    low: str
    high: str


@dataclass(frozen=True)
class MapFigure:
    """What a picture of a map shows, for n points."""

    xy: NDArray[Any]
    """Coordinates (n, 2 or more); the first two are drawn."""
    codes: NDArray[Any]
    """Place (n,) of each point's colour in `palette`."""
    palette: Sequence[str]
    """Colours as #rrggbb."""
    legend: Sequence[LegendEntry] = ()
    colour_bar: ColourBar | None = None
    """Replaces the legend where the colour is a continuous quantity."""
    legend_title: str = ""
    shown: BoolArray | None = None
    """Points (n,) that match a filter; the others are faint. None for all."""
    polygon: Sequence[tuple[float, float]] = ()
    """Corners of a selection, in coordinates of the map."""
    title: str = ""
    subtitle: str = ""
    simulated: bool = False


def colour_by_label(labels: Sequence[Any] | None, n: int) -> dict[str, Any]:
    """The fields `codes`, `palette` and `legend` of a map coloured by a facet.

    The most common values have colours of their own, all others share one.

    Args:
        labels: value of each point (n), None where it has none; None for a single colour.
        n: number of points.
    """
    if labels is None:
        return {"codes": np.zeros(n, np.uint8), "palette": PALETTE[:1]}
    counts = Counter(str(label) for label in labels if label is not None)
    named = [name for name, _ in counts.most_common(len(PALETTE))]
    code_of = {name: code for code, name in enumerate(named)}
    codes = [
        len(named) if label is None else code_of.get(str(label), len(named)) for label in labels
    ]
    legend = [
        LegendEntry(name, colour, counts[name])
        for name, colour in zip(named, PALETTE, strict=False)
    ]
    rest = n - sum(counts[name] for name in named)
    if rest:
        legend.append(LegendEntry("other or not stated", OTHER, rest))
    palette = (*PALETTE[: len(named)], OTHER)
    return {"codes": np.array(codes, np.uint8), "palette": palette, "legend": legend}


def map_figure(data: MapFigure) -> Figure:
    """Draw a map; write it with `write_figure` or `figure_bytes`."""
    from matplotlib.figure import Figure

    xy = np.asarray(data.xy, np.float64)[:, :2]
    figure = Figure(figsize=(WIDTH, HEIGHT), facecolor="white")
    side = 0.9 * HEIGHT / WIDTH
    axes = figure.add_axes((0.02, 0.02, side, 0.9))
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_axis_off()
    radius = float(np.clip(120 / np.sqrt(max(len(xy), 1)), 1.2, 7))
    for colour, points in _layers(data, xy):
        axes.plot(
            points[:, 0], points[:, 1], linestyle="none", marker="o", markersize=radius,
            markeredgewidth=0, color=colour, rasterized=len(xy) > MAX_VECTOR_POINTS, gid="points",
        )  # fmt: skip
    if data.polygon:
        corners = np.array([*data.polygon, data.polygon[0]])
        axes.plot(corners[:, 0], corners[:, 1], color=INK, linewidth=1, gid="selection")
    _text(figure, 0.03, 0.965, data.title, 14)
    _text(figure, 0.03, 0.935, data.subtitle, 9)
    if data.simulated:
        _text(figure, 0.97, 0.965, "simulated", 10, colour=MARK, align="right")
    _draw_legend(figure, data, 0.04 + side)
    return figure


def figure_bytes(figure: Figure, file_format: str) -> bytes:
    """A figure as a file of the format svg, pdf or png; equal figures give equal bytes.

    Raises:
        ConfigError: the format is unknown.
    """
    import matplotlib

    if file_format not in FIGURE_FORMATS:
        raise ConfigError(
            f"Maps are not drawn as {file_format}; choose {', '.join(FIGURE_FORMATS)}."
        )
    # Without the time of writing.
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[file_format]
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "motif", "pdf.fonttype": 42}
    stream = io.BytesIO()
    with _drawing, warnings.catch_warnings(), matplotlib.rc_context(settings):
        # A letter that no font has is drawn as a box.
        warnings.filterwarnings("ignore", category=UserWarning, message="Glyph")
        figure.savefig(stream, format=file_format, dpi=PNG_DPI, metadata=metadata)
    return stream.getvalue()


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure to a file whose name ends in .svg, .pdf or .png.

    Raises:
        ConfigError: the ending is unknown, or the file cannot be written.
    """
    data = figure_bytes(figure, path.suffix.lower().lstrip("."))
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error


def _layers(data: MapFigure, xy: FloatArray) -> Iterator[tuple[str, FloatArray]]:
    """Colour and points (m, 2) of each layer, the faint points first."""
    shown = np.ones(len(xy), bool) if data.shown is None else data.shown
    if not shown.all():
        yield FAINT, xy[~shown]
    for code in np.unique(data.codes[shown]).tolist():
        colour = data.palette[code] if code < len(data.palette) else OTHER
        yield colour, xy[shown & (data.codes == code)]


def _draw_legend(figure: Figure, data: MapFigure, left: float) -> None:
    from matplotlib.colors import ListedColormap

    _text(figure, left, LEGEND_TOP + 0.035, data.legend_title, 10)
    if data.colour_bar is not None:
        bar = _blank_axes(figure, (left, LEGEND_TOP - 0.01, 0.94 - left, 0.02))
        colours = ListedColormap(list(data.colour_bar.colours))
        bar.imshow(np.arange(colours.N)[None], cmap=colours, aspect="auto")
        _text(figure, left, LEGEND_TOP - 0.035, data.colour_bar.low, 9)
        _text(figure, 0.94, LEGEND_TOP - 0.035, data.colour_bar.high, 9, align="right")
        return
    entries = list(data.legend[:MAX_ENTRIES])
    if not entries:
        return
    keys = _blank_axes(figure, (0, 0, 1, 1))
    keys.set_xlim(0, 1)
    keys.set_ylim(0, 1)
    for row, entry in enumerate(entries):
        y = LEGEND_TOP - LEGEND_STEP * row
        keys.plot([left + 0.007], [y], "o", markersize=7, markeredgewidth=0, color=entry.colour)
        label = entry.label
        if len(label) > MAX_LABEL:
            label = label[: MAX_LABEL - 1] + "…"
        _text(figure, left + 0.022, y - 0.006, f"{label} ({entry.count:,})", 9)
    more = len(data.legend) - len(entries)
    if more:
        y = LEGEND_TOP - LEGEND_STEP * len(entries)
        _text(figure, left + 0.022, y - 0.006, f"and {more} more", 9)


def _blank_axes(figure: Figure, bounds: tuple[float, float, float, float]) -> Axes:
    axes = figure.add_axes(bounds)
    axes.set_axis_off()
    return axes


def _text(
    figure: Figure,
    x: float,
    y: float,
    text: str,
    size: float,
    *,
    colour: str = INK,
    align: str = "left",
) -> None:
    if text:
        figure.text(
            x, y, text, fontsize=size, color=colour, ha=align, va="baseline", family=FONT,
            parse_math=False,
        )  # fmt: skip
