"""Channels of one scan as an image in physical units, the same for every instrument.

The first row is the lowest line of the scan and x runs from left to right, whichever way the tip
moved.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement
from motif.ingest.readers.kit.header_facets import first_of_each_name, number_facets
from motif.ingest.readers.kit.header_text import base_unit


@dataclass(frozen=True)
class ScanPlane:
    """One channel in one direction."""

    name: str
    """Name of the channel with its direction, such as ``HeightRetrace``."""
    unit: str
    """Unit of the values in any spelling; empty where the file states none."""
    values: NDArray[Any]
    """(lines, points), the lowest line first."""


@dataclass(frozen=True)
class ScanGrid:
    """Distances of the pixels, and the position of the lowest, leftmost one."""

    step_y: float
    step_x: float
    unit: str = "m"
    start_y: float = 0.0
    start_x: float = 0.0


def pixel_distance(size: float, count: int) -> float:
    """Distance of `count` pixels whose first and last have the distance `size`."""
    return size / (count - 1) if count > 1 else size


def image(
    path: Path,
    key: str,
    title: str,
    planes: Sequence[ScanPlane],
    grid: ScanGrid,
    facets: Iterable[Facet],
) -> Measurement:
    """Planes of one shape as an image in SI units.

    Equal names of planes are numbered. The facets ``scan_size``, ``pixels`` and ``channels`` are
    added where `facets` has none of the name; of equal names the first counts.

    Args:
        path: the file.
        key: identifies the image in its file, such as ``"0"``.
        title: a name for people; the file's if empty.
        planes: at least one.
        grid: where the pixels are.
        facets: further facets.

    Raises:
        UnreadableFileError: there are no pixels, or their distance is 0 or not finite.
    """
    shape = planes[0].values.shape
    positions = (grid.step_y, grid.step_x, grid.start_y, grid.start_x)
    if min(shape) < 1 or not all(map(math.isfinite, positions)) or 0 in positions[:2]:
        raise UnreadableFileError(
            f"{path.name} has {shape[1]} x {shape[0]} pixels with distances of {grid.step_x:g} and "
            f"{grid.step_y:g} {grid.unit}, which is not a scan; export it again"
        )
    scaled = [_in_base_unit(plane) for plane in planes]
    names = [plane.name.strip() or f"Channel {number}" for number, plane in enumerate(scaled, 1)]
    double = any(plane.values.dtype.itemsize > 4 for plane in scaled)
    data = scan_array(
        np.stack([plane.values for plane in scaled]).astype("f8" if double else "f4", copy=False),
        numbered_names(names),
        [plane.unit for plane in scaled],
        ScanAxis(grid.start_y, grid.step_y, grid.unit),
        ScanAxis(grid.start_x, grid.step_x, grid.unit),
    )
    all_facets = first_of_each_name([*facets, *_pixel_facets(data, grid)])
    return Measurement(key, "image", title or path.stem, data, all_facets)


def numbered_names(names: Sequence[str]) -> list[str]:
    """Equal names with their occurrence: ``Height``, ``Height 2``."""
    seen: dict[str, int] = {}
    numbered = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        numbered.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return numbered


def unit_warnings(planes: Iterable[ScanPlane]) -> list[str]:
    """A warning for every plane without a unit."""
    return [f"no unit is known for {plane.name}" for plane in planes if not plane.unit]


def _in_base_unit(plane: ScanPlane) -> ScanPlane:
    scale, offset, unit = base_unit(plane.unit)
    values = plane.values
    if values.dtype.kind != "f" or values.dtype.itemsize not in (4, 8):
        values = values.astype(np.float64 if values.dtype.itemsize > 2 else np.float32)
    if (scale, offset) != (1.0, 0.0):
        values = values * values.dtype.type(scale) + values.dtype.type(offset)
    return ScanPlane(plane.name, unit, values)


def _pixel_facets(data: xr.DataArray, grid: ScanGrid) -> list[Facet]:
    """What the pixels themselves give, for headers that do not state it."""
    width = abs(grid.step_x) * (data.sizes["x"] - 1)
    size = float(f"{width:.9g}") if grid.unit == "m" and width else None
    return [
        *number_facets("scan_size", size, "m", "pixels"),
        Facet("pixels", float(data.sizes["x"]), "header:pixels"),
        Facet("channels", ", ".join(map(str, data["channel"].values)), "header:channels"),
    ]


GRID_CACHE_SIZE = 64
"""Grids whose coordinates are kept: xarray needs longer to create them than to read a scan."""


@dataclass(frozen=True)
class ScanAxis:
    """Positions `start`, `start` + `step`, ..."""

    start: float
    step: float
    unit: str

    def variable(self, name: str, count: int) -> xr.Variable:
        """The positions of `count` pixels, with their unit."""
        return xr.Variable(name, self.start + self.step * np.arange(count), {"units": self.unit})


def scan_array(
    values: NDArray[Any], channels: Sequence[str], units: Sequence[str], y: ScanAxis, x: ScanAxis
) -> xr.DataArray:
    """Planes (channel, y, x) with their coordinates, as `motif.core.records.Measurement` has them.

    Arrays of the same channels and grid share their coordinates, which must not be changed.
    """
    template = _template(tuple(channels), tuple(units), y, x, values.shape)
    return template.copy(deep=False, data=values)


@lru_cache(GRID_CACHE_SIZE)
def _template(
    channels: tuple[str, ...],
    units: tuple[str, ...],
    y: ScanAxis,
    x: ScanAxis,
    shape: tuple[int, ...],
) -> xr.DataArray:
    """An array of the shape whose values take no memory."""
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
