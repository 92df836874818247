"""Planes of a scan as a DataArray; scans of one grid share their coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

GRIDS = 64
"""Grids whose coordinates are kept: xarray takes longer to make them than a scan to read."""


@dataclass(frozen=True)
class Axis:
    """Positions `start`, `start` + `step`, ..."""

    start: float
    step: float
    unit: str

    def variable(self, name: str, count: int) -> xr.Variable:
        return xr.Variable(name, self.start + self.step * np.arange(count), {"units": self.unit})


def scan_array(
    values: NDArray[Any], channels: Sequence[str], units: Sequence[str], y: Axis, x: Axis
) -> xr.DataArray:
    """Planes (channel, y, x) with their coordinates, as `motif.core.records.Measurement` has them.

    Arrays of the same channels and grid share their coordinates, which are not to be changed.
    """
    like = _empty(tuple(channels), tuple(units), y, x, values.shape)
    return like.copy(deep=False, data=values)


@lru_cache(GRIDS)
def _empty(
    channels: tuple[str, ...], units: tuple[str, ...], y: Axis, x: Axis, shape: tuple[int, ...]
) -> xr.DataArray:
    """An array of the shape that holds no memory of its own."""
    return xr.DataArray(
        np.broadcast_to(np.float32(0), shape),
        dims=("channel", "y", "x"),
        coords={
            "channel": list(channels),
            "unit": ("channel", list(units)),
            "y": y.variable("y", shape[1]),
            "x": x.variable("x", shape[2]),
        },
    )
