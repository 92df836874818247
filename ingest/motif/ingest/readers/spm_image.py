"""Planes of one scan as an image in physical units, the same for every instrument.

The first row is the lowest line and x runs from left to right, whichever way the tip moved.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement
from motif.ingest.readers.asylum_channels import unique
from motif.ingest.readers.scan_array import Axis, scan_array
from motif.ingest.readers.spm_values import base_unit, measured

LARGEST_PACKED = 128 * 2**20
"""Bytes a compressed file may unfold to: memory is asked for before the file proves it."""


@dataclass(frozen=True)
class Plane:
    """One channel in one direction: `values` (lines, points), the lowest line first."""

    name: str
    unit: str
    values: NDArray[Any]


@dataclass(frozen=True)
class Grid:
    """Where the pixels lie: their distances, and the place of the lowest, leftmost one."""

    step_y: float
    step_x: float
    unit: str = "m"
    start_y: float = 0.0
    start_x: float = 0.0


def spread(size: float, count: int) -> float:
    """Distance of `count` pixels whose first and last are `size` apart."""
    return size / (count - 1) if count > 1 else size


def image(
    path: Path, key: str, title: str, planes: Sequence[Plane], grid: Grid, facets: Iterable[Facet]
) -> Measurement:
    """Put planes of one shape together; the first facet of a name counts.

    Raises:
        UnreadableFileError: there are no pixels, or their distance is not known.
    """
    shape = planes[0].values.shape
    steps = (grid.step_y, grid.step_x, grid.start_y, grid.start_x)
    if min(shape) < 1 or not all(map(math.isfinite, steps)) or 0 in steps[:2]:
        raise UnreadableFileError(
            f"{path.name} holds {shape[1]} x {shape[0]} pixels that lie {grid.step_x:g} and "
            f"{grid.step_y:g} {grid.unit} apart, which is no scan; export it again"
        )
    scaled = [_in_base_unit(plane) for plane in planes]
    names = unique([plane.name.strip() or f"Channel {n}" for n, plane in enumerate(scaled, 1)])
    double = any(plane.values.dtype.itemsize > 4 for plane in scaled)
    data = scan_array(
        np.stack([plane.values for plane in scaled]).astype("f8" if double else "f4", copy=False),
        names,
        [plane.unit for plane in scaled],
        Axis(grid.start_y, grid.step_y, grid.unit),
        Axis(grid.start_x, grid.step_x, grid.unit),
    )
    found: dict[str, Facet] = {}
    for facet in (*facets, *_own_facets(data, grid)):
        found.setdefault(facet.name, facet)
    return Measurement(key, "image", title or path.stem, data, list(found.values()))


def announced(path: Path, what: str, needed: int, there: int) -> None:
    """Refuse a file that announces more bytes than it holds, before any are asked for."""
    if needed > there or needed <= 0:
        raise UnreadableFileError(
            f"{path.name} announces {what}, which take {needed:,} bytes, but holds {there:,}: "
            "it is cut short or damaged; fetch or copy the file again"
        )


def unknown_units(planes: Iterable[Plane]) -> list[str]:
    """Remarks on planes nobody gave a unit."""
    return [f"no unit is known for {plane.name}" for plane in planes if not plane.unit]


def _in_base_unit(plane: Plane) -> Plane:
    scale, offset, unit = base_unit(plane.unit)
    values = plane.values
    if values.dtype.kind != "f" or values.dtype.itemsize not in (4, 8):
        values = values.astype(np.float64 if values.dtype.itemsize > 2 else np.float32)
    if (scale, offset) != (1.0, 0.0):
        values = values * values.dtype.type(scale) + values.dtype.type(offset)
    return Plane(plane.name, unit, values)


def _own_facets(data: xr.DataArray, grid: Grid) -> list[Facet]:
    """What the pixels themselves tell, for headers that do not."""
    width = abs(grid.step_x) * (data.sizes["x"] - 1)
    size = float(f"{width:.9g}") if grid.unit == "m" and width else None
    return [
        *measured("scan_size", size, "m", "header:pixels"),
        Facet("pixels", float(data.sizes["x"]), "header:pixels"),
        Facet("channels", ", ".join(map(str, data["channel"].values)), "header:channels"),
    ]
