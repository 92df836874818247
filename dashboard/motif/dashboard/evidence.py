"""Why two images are alike, and what is said of the symmetry of one, kept at hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.features import WEIGHTS, channel_of, prepare
from motif.analysis.symmetry.likeness import Evidence, WhyAlike, describe, why_alike
from motif.core.catalog import MeasurementRow
from motif.dashboard.lab import Lab

GRID = 32
"""Cells a side of a map as it goes to the browser."""


def why(here: Lab, asked: str, found: str) -> WhyAlike:
    """Why one image is like another; measurements never change, so it is kept without a version."""
    return here.keep(("why", asked, found), lambda: why_alike(here.workspace, asked, found))


def symmetry_of(here: Lab, row: MeasurementRow) -> tuple[str, Evidence] | None:
    """The kind of channel that tells most of an image, and its symmetry; None without such one."""

    def look() -> tuple[str, Evidence] | None:
        data = here.workspace.read(row.id)
        for kind in WEIGHTS:
            place = channel_of(row.channels, kind)
            if place is None:
                continue
            image = prepare(np.asarray(data.values[place], np.float32), kind, row.units[place])
            if image.any():
                return kind, describe(image, row.pixel_size)
        return None

    return here.keep(("symmetry", row.id), look)


def channel_place(row: MeasurementRow, kind: str) -> int:
    """Place of the channel of a kind in a measurement that has one."""
    return channel_of(row.channels, kind) or 0


def coarse(likeness: NDArray[np.float64], low: float, high: float) -> list[list[float]]:
    """A map (y, x) as at most `GRID` by `GRID` shares of the way from `low` to `high`.

    Places where nothing was measured are as unlike as can be.
    """
    y, x = (np.linspace(0, n - 1, min(GRID, n)).astype(int) for n in likeness.shape)
    shares = (likeness[np.ix_(y, x)] - low) / ((high - low) or 1.0)
    cells: list[list[float]] = np.round(np.clip(np.nan_to_num(shares), 0, 1), 3).tolist()
    return cells
