"""A map as it is seen, as a drawing that can be written to a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from motif.dashboard.colours import OTHER, lookup_table
from motif.dashboard.parts.map import Legend
from motif.dashboard.placement import LATTICE, Placement

SIDE, MARGIN, HEAD, KEY = 1000.0, 30.0, 56.0, 250.0
"""Of the square of the points, around it, above it, and the width of the legend."""
MOST = 50_000
"""Points that are drawn; of more a fair sample."""
PAPER, INK, FAINT = "#ffffff", "#1d2a2c", "#d5dadb"
TEXT, SMALL, LINE = 20.0, 15.0, 26.0
LONGEST = 26


@dataclass(frozen=True)
class Words:
    """A line of text, its baseline beginning at x, y."""

    x: float
    y: float
    size: float
    text: str


@dataclass(frozen=True)
class Patch:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True)
class Drawing:
    """Dots of one radius in layers of one colour each, above them an outline; y downwards.

    Attributes:
        layers: colour and the middles (n, 2) of its dots, the faint ones first.
        outline: corners of the selection, none for no selection.
    """

    width: float
    height: float
    radius: float
    layers: Sequence[tuple[str, NDArray[np.float64]]]
    outline: Sequence[tuple[float, float]] = ()
    words: Sequence[Words] = ()
    patches: Sequence[Patch] = ()
    keys: Sequence[tuple[float, float, str]] = field(default=())
    """Dots of the legend: x, y, colour."""


def draw(
    placement: Placement,
    codes: NDArray[np.uint8],
    shown: NDArray[np.bool_],
    legend: Legend,
    polygon: Sequence[tuple[float, float]],
    title: str,
    about: str,
) -> Drawing:
    """The points of a map in their colours, those that do not pass faint.

    Args:
        placement: of the points (n).
        codes: (n,) places among the legend's colours, or of 256 steps of a scale.
        shown: (n,) which pass the filter and the legend.
        legend: what the colours mean.
        polygon: selection in data coordinates.
        title: above the map.
        about: a line below the title.
    """
    n = min(len(placement), MOST)
    scale = (SIDE - 2 * MARGIN) / LATTICE
    place = np.empty((n, 2))
    place[:, 0] = MARGIN + placement.lattice[:n, 0] * scale
    place[:, 1] = HEAD + SIDE - MARGIN - placement.lattice[:n, 1] * scale
    passing = shown[:n]
    layers = [(FAINT, place[~passing]), *_layers(legend, codes[:n], passing, place)]
    if n < len(placement):
        about = f"{about} · drawn: a fair sample of {n:,} points"
    words, patches, keys = _legend(legend, np.bincount(codes[shown], minlength=256))
    head = [Words(MARGIN, 26, TEXT, title), Words(MARGIN, 48, SMALL, about)]
    return Drawing(
        SIDE + KEY, SIDE + HEAD, float(np.clip(15 - 2.5 * np.log10(max(n, 1)), 2, 9)) / 1.6,
        [layer for layer in layers if len(layer[1])],
        [_corner(placement, corner) for corner in polygon], [*head, *words], patches, keys,
    )  # fmt: skip


def _layers(
    legend: Legend, codes: NDArray[np.uint8], passing: NDArray[np.bool_], place: NDArray[np.float64]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    steps = lookup_table("viridis") if legend.continuous else None
    for code in np.unique(codes[passing]).tolist():
        if steps is not None:
            colour = "#" + "".join(f"{value:02x}" for value in steps[code].tolist())
        else:
            colour = legend.colours[code] if code < len(legend.colours) else OTHER
        yield colour, place[passing & (codes == code)]


def _corner(placement: Placement, corner: tuple[float, float]) -> tuple[float, float]:
    bounds, side = placement.bounds, SIDE - 2 * MARGIN
    x, y = (corner[0] - bounds.x) / bounds.span, (corner[1] - bounds.y) / bounds.span
    return MARGIN + x * side, HEAD + SIDE - MARGIN - y * side


def _legend(
    legend: Legend, passing: NDArray[np.intp]
) -> tuple[list[Words], list[Patch], list[tuple[float, float, str]]]:
    left, top = SIDE + 10, HEAD + MARGIN
    words = [Words(left, top, SMALL, legend.title)]
    if legend.continuous:
        step = (KEY - 40) / len(legend.colours)
        ramp = [
            Patch(left + k * step, top + 12, step + 0.5, 14, colour)
            for k, colour in enumerate(legend.colours)
        ]
        below = top + 46
        right = left + KEY - 40 - 8 * len(legend.high)
        ends = [Words(left, below, SMALL, legend.low), Words(right, below, SMALL, legend.high)]
        return [*words, *ends], ramp, []
    keys = []
    entries = zip(legend.labels, legend.colours, legend.counts, passing.tolist(), strict=False)
    there = [(label, colour, count) for label, colour, whole, count in entries if whole]
    for k, (label, colour, count) in enumerate(there):
        y = top + LINE * (k + 1)
        short = label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"
        keys.append((left + 7, y - 5, colour))
        words.append(Words(left + 20, y, SMALL, f"{short}  {count:,}"))
    return words, [], keys
