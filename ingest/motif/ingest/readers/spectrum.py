"""Spectra as measurements: an axis checked once, and one or many spectra on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement
from motif.ingest.readers.spectral_axes import Axis

MAX_POINTS = 1 << 24
"""Points of one spectrum; no spectrometer comes near."""
MAX_SPECTRA = 1 << 20
"""Spectra of one file."""


def coordinates(path: Path, axis: Axis, positions: NDArray[Any]) -> xr.Coordinates:
    """Positions along an axis, ascending or descending as measured.

    Raises:
        UnreadableFileError: fewer than two positions, some that are no numbers, or all the same.
    """
    if len(positions) < 2:
        raise UnreadableFileError(
            f"{path.name} holds {len(positions)} points, too few for a spectrum; export it again"
        )
    with np.errstate(invalid="ignore", over="ignore"):
        places = np.asarray(positions, np.float64)
        bad = int((~np.isfinite(places)).sum())
        still = not bad and places.min() == places.max()
    if bad or still:
        what = f"{bad} of its {len(places)} positions are no numbers" if bad else "it stands still"
        raise UnreadableFileError(
            f"the axis of {path.name} ({axis.name}) is damaged: {what}; export the file again"
        )
    return xr.Coordinates({axis.name: xr.Variable(axis.name, places, {"units": axis.unit})})


def spectrum(
    key: str,
    title: str,
    on: xr.Coordinates,
    values: NDArray[Any],
    unit: str,
    facets: Sequence[Facet],
) -> Measurement:
    """One spectrum on checked coordinates, kept in the precision it was stored in.

    Args:
        key: its place in the file.
        title: what to call it.
        on: what `coordinates` made.
        values: intensities (n,).
        unit: unit of the intensities, "arb. unit" where the file tells none.
        facets: what is known about it.
    """
    kept = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    data = xr.DataArray(kept, on, list(on), attrs={"units": unit})
    return Measurement(key, "spectrum", title or key, data, facets)


def sized(path: Path, largest: int, smallest: int = 0) -> int:
    """Size of a file in bytes, checked before anything is allocated for it."""
    size = path.stat().st_size
    if size > largest:
        raise UnreadableFileError(
            f"{path.name} has {size:,} bytes, more than the {largest:,} a file of its kind may "
            "have; export it in parts"
        )
    if size < smallest:
        raise UnreadableFileError(
            f"{path.name} has {size:,} bytes and is cut short; fetch or copy the file again"
        )
    return size
