"""Colours: perceptual scales for measured values and a colour-blind-safe set for categories."""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeAlias

import numpy as np
import plotly.colors
from numpy.typing import NDArray

Scale: TypeAlias = Literal["viridis", "cividis", "gray"]

SCALES: tuple[Scale, ...] = ("viridis", "cividis", "gray")

CATEGORIES = (
    "#4477aa", "#ee7733", "#228833", "#cc3366", "#33aabb", "#aa4499",
    "#b8860b", "#6655cc", "#88aa22", "#aa5533",
)  # fmt: skip
"""After P. Tol's qualitative schemes, darkened where they were faint on white."""

OTHER = "#9aa0a6"
"""Categories beyond the palette, and values nobody gave."""


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
