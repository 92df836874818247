"""Colours of the points of a map: by any facet, or by the trust of their position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
import plotly.colors
from numpy.typing import NDArray

from motif.dashboard.components.map_view.map_component import Legend
from motif.dashboard.data.facet_table import Column, FacetTable
from motif.dashboard.data.number_format import quantity

TRUST = "trust of placement"
NONE = "none"
UNKNOWN = "not given"
PREFERRED = ("material", "mode", "outcome", "operator", "instrument")
CLIP = (1.0, 99.0)


@dataclass(frozen=True)
class Colouring:
    """One byte a point (n,), and what it means."""

    codes: NDArray[np.uint8]
    legend: Legend


def choices(table: FacetTable) -> list[str]:
    """What points may be coloured by."""
    varied = [name for name, column in table.columns.items() if _varies(column)]
    return [*varied, TRUST, NONE]


def preferred(table: FacetTable) -> str:
    """The default colouring."""
    offered = choices(table)
    return next((name for name in PREFERRED if name in offered), offered[0])


def colouring(
    name: str, table: FacetTable, rows: NDArray[np.intp], trust: NDArray[np.float32]
) -> Colouring:
    """Colours of points that stand for `rows` of the table (-1: no longer there)."""
    if name == TRUST:
        return _continuous("Trust of placement", trust.astype(np.float64), "")
    column = table.columns.get(name)
    if column is None:
        single = Legend("Measurements", [CATEGORIES[0]], labels=["all"], counts=[len(rows)])
        return Colouring(np.zeros(len(rows), np.uint8), single)
    title = name.replace("_", " ").capitalize()
    if column.kind == "category":
        return _categories(title, column, rows)
    values = np.where(rows >= 0, column.values[rows], np.nan)
    return _continuous(title, values, column.unit, column.kind == "date")


def _varies(column: Column) -> bool:
    if column.kind == "category":
        return 2 <= len(column.labels) <= 200
    known = column.values[np.isfinite(column.values)]
    return bool(known.size and known.min() < known.max())


def _categories(title: str, column: Column, rows: NDArray[np.intp]) -> Colouring:
    codes = np.where(rows >= 0, column.codes[rows], -1)
    counts = np.bincount(codes[codes >= 0], minlength=len(column.labels))
    # Ranked over the whole collection: a colour keeps its meaning whatever the filter.
    order = sorted(range(len(counts)), key=lambda code: (-counts[code], column.labels[code]))
    named = sorted(order[: len(CATEGORIES)], key=lambda code: column.labels[code])
    spot = np.full(len(column.labels) + 1, len(named), np.int64)
    for place, code in enumerate(named):
        spot[code] = place
    placed = spot[codes]
    labels = [column.labels[code] for code in named]
    shown = [int(counts[code]) for code in named]
    rest = int((placed == len(named)).sum())
    colours: list[str] = list(CATEGORIES[: len(named)])
    if rest:
        others = len(order) - len(named)
        labels.append(f"{others} others" if others else UNKNOWN)
        shown.append(rest)
        colours.append(OTHER)
    return Colouring(placed.astype(np.uint8), Legend(title, colours, labels=labels, counts=shown))


def _continuous(
    title: str, values: NDArray[np.float64], unit: str, is_date: bool = False
) -> Colouring:
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, CLIP) if known.size else (0.0, 1.0)
    scaled = np.nan_to_num((values - low) / ((high - low) or 1.0), nan=0.0)
    codes = np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    low_text, high_text = (_end(float(end), unit, is_date) for end in (low, high))
    legend = Legend(title, list(stops("viridis")), continuous=True, low=low_text, high=high_text)
    return Colouring(codes, legend)


def _end(value: float, unit: str, is_date: bool) -> str:
    if is_date:
        return str(np.datetime64(int(value), "s"))[:10]
    return quantity(value, unit)


def hidden_codes(legend: Legend, hidden: Sequence[str]) -> list[int]:
    """Indices of the legend entries that are switched off."""
    return [place for place, label in enumerate(legend.labels) if label in hidden]


Scale: TypeAlias = Literal["viridis", "cividis", "gray"]

SCALES: tuple[Scale, ...] = ("viridis", "cividis", "gray")

CATEGORIES = (
    "#4477aa", "#ee7733", "#228833", "#cc3366", "#33aabb", "#aa4499",
    "#b8860b", "#6655cc", "#88aa22", "#aa5533",
)  # fmt: skip
"""After P. Tol's qualitative schemes, darkened where they were faint on white."""

OTHER = "#9aa0a6"
"""Colour of categories beyond the palette, and of missing values."""


@cache
def stops(scale: Scale) -> tuple[str, ...]:
    """Hexadecimal colours at equal steps along the scale."""
    if scale == "gray":
        return ("#000000", "#ffffff")
    named = {
        "viridis": plotly.colors.sequential.Viridis,
        "cividis": plotly.colors.sequential.Cividis,
    }
    return tuple("#" + "".join(f"{v:02x}" for v in _rgb(colour)) for colour in named[scale])


@cache
def lookup_table(scale: Scale) -> NDArray[np.uint8]:
    """Colours (256, 3) from the lowest value to the highest."""
    rgb = np.array([_rgb(colour) for colour in stops(scale)], dtype=np.float64)
    place = np.linspace(0, len(rgb) - 1, 256)
    columns = [np.interp(place, np.arange(len(rgb)), rgb[:, k]) for k in range(3)]
    return np.rint(np.stack(columns, axis=1)).astype(np.uint8)


def _rgb(colour: str) -> tuple[int, int, int]:
    if colour.startswith("#"):
        red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    else:
        red, green, blue = (int(part) for part in colour[4:-1].split(","))
    return red, green, blue
