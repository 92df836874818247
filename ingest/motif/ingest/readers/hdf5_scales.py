"""Arrays with a scale along each dimension as images and spectra, for NSID and NeXus."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement
from motif.ingest.readers.spectral_axes import Axis, declared
from motif.ingest.readers.spectrum import coordinates, spectrum
from motif.ingest.readers.spm_image import Grid, Plane, image
from motif.ingest.readers.spm_values import base_unit

UNEVEN = 0.02
"""How far the distance of two pixels may be from the mean one."""


@dataclass(frozen=True)
class Scale:
    """Positions along one dimension, in the unit told ("" if none is)."""

    name: str
    unit: str
    places: NDArray[Any]


def scaled_image(
    path: Path,
    key: str,
    title: str,
    channels: Sequence[tuple[str, str, NDArray[Any]]],
    up: Scale,
    across: Scale,
    facets: Sequence[Facet],
) -> Measurement:
    """Channels (name, unit, values (lines, points)) as an image, y made to ascend.

    Raises:
        UnreadableFileError: a scale is uneven or does not fit the values.
    """
    shape = channels[0][2].shape
    steps, starts, unit = [], [], "pixel"
    for scale, count in ((up, shape[0]), (across, shape[1])):
        factor, _, base = base_unit(scale.unit)
        step, start = _even(path, scale, count)
        steps.append(step * (factor if base else 1.0))
        starts.append(start * (factor if base else 1.0))
        unit = base or unit
    turn = steps[0] < 0
    if turn:
        steps[0], starts[0] = -steps[0], starts[0] + steps[0] * (shape[0] - 1)
    planes = [Plane(name, told, data[::-1] if turn else data) for name, told, data in channels]
    grid = Grid(steps[0], steps[1], unit, starts[0], starts[1])
    return image(path, key, title, planes, grid, facets)


def scaled_spectrum(
    path: Path,
    key: str,
    title: str,
    quantity: str,
    scale: Scale,
    data: NDArray[Any],
    unit: str,
    facets: Sequence[Facet],
) -> Measurement:
    """Values along one scale as a spectrum, the axis in the unit told."""
    if scale.places.shape != data.shape:
        raise UnreadableFileError(
            f"the {len(scale.places)} positions of {scale.name} in {path.name} do not fit the "
            f"{len(data)} values of {quantity}; export it again"
        )
    name = re.sub(r"\W+", "_", scale.name.lower()).strip("_") or "axis"
    axis = declared(scale.name, scale.unit) or Axis(name, scale.unit or "1")
    on = coordinates(path, axis, scale.places)
    return spectrum(key, title, on, data, unit or "arb. unit", facets)


def _even(path: Path, scale: Scale, count: int) -> tuple[float, float]:
    """Distance of neighbours and the first place."""
    places = np.asarray(scale.places, float)
    if places.shape != (count,):
        raise UnreadableFileError(
            f"the {places.size} positions of {scale.name} in {path.name} do not fit {count} pixels"
        )
    if count < 2:
        return 1.0, 0.0
    step = float(f"{(places[-1] - places[0]) / (count - 1):.9g}")
    if not np.isfinite(places).all() or (np.abs(np.diff(places) - step) > UNEVEN * abs(step)).any():
        raise UnreadableFileError(
            f"the pixels of {path.name} lie unevenly along {scale.name}, so they are no image; "
            "export them on an even grid"
        )
    return step, float(places[0])
