"""Where a measurement's values are stored, and how they become a DataArray again.

Measurements of one collection, kind, shape and dtype share one array (bucket by shape); spectra
also share their axis, which is stored once under its hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.core.records import Measurement, canonical_json, content_id

if TYPE_CHECKING:
    import xarray as xr

    from motif.core.catalog.database import MeasurementRow
    from motif.core.store.repository import Snapshot

SPECTRA_PER_CHUNK = 256
LINEAR_TOLERANCE = 1e-6
"""Largest deviation from even spacing, in steps, of an axis stored as start and step."""


def measurement_id(
    record_id: str, key: str, kind: str, layout: Mapping[str, Any], data: NDArray[Any]
) -> str:
    """Hash of the `canonical` bytes and the record: two samples may have identical values."""
    return content_id(record_id, key, kind, canonical_json(dict(layout)), data.data)


def canonical(measurement: Measurement) -> NDArray[Any]:
    """Values as they are stored: C order, little-endian, float32 or float64."""
    values = measurement.data.values
    wide = values.dtype.itemsize > 4 if values.dtype.kind == "f" else values.dtype.itemsize > 2
    return np.ascontiguousarray(values, "<f8" if wide else "<f4")


def layout_of(
    measurement: Measurement, stored: NDArray[Any]
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The layout document of a measurement, and the axis arrays it names (path -> values)."""
    data = measurement.data
    axes: dict[str, NDArray[Any]] = {}
    coordinates: dict[str, Any] = {}
    variables = (
        data.coords.variables
    )  # unlike data.coords[...], does not build an array for each access
    for dim in map(str, data.dims):
        if dim == "channel" or dim not in variables:
            continue
        values = np.asarray(variables[dim].values, np.float64)
        axis_units = {"units": str(variables[dim].attrs.get("units", ""))}
        step = _even_step(values) if measurement.kind == "image" else None
        if step is None:
            path = f"axes/{content_id(values.tobytes())}"
            axes[path] = values
            coordinates[dim] = {**axis_units, "array": path}
        else:
            coordinates[dim] = {**axis_units, "start": float(values[0]), "step": step}
    if "channel" in data.dims:
        channels = [str(name) for name in variables["channel"].values]
        units = [str(unit) for unit in variables["unit"].values]
    else:
        channels, units = [], [str(data.attrs.get("units", ""))]
    document = {
        "dims": [str(dim) for dim in data.dims],
        "shape": list(data.shape),
        "dtype": stored.dtype.name,
        "channels": channels,
        "units": units,
        "coordinates": coordinates,
    }
    return document, axes


def bucket_of(collection: str, kind: str, layout: Mapping[str, Any]) -> str:
    """Path of the array for measurements of this layout."""
    shape = "x".join(map(str, layout["shape"]))
    name = f"{shape}-{layout['dtype']}"
    axes = [axis["array"] for axis in layout["coordinates"].values() if "array" in axis]
    if kind == "spectrum" and axes:
        name += "-" + content_id(*axes)[:12]
    return f"collections/{collection}/{kind}/{name}"


def chunk_rows(kind: str) -> int:
    """Measurements in one chunk of an array."""
    return 1 if kind == "image" else SPECTRA_PER_CHUNK


def restore(row: MeasurementRow, values: NDArray[Any], snapshot: Snapshot) -> xr.DataArray:
    """The measurement as its reader returned it.

    Args:
        row: of the catalog.
        values: of the array at `row`.
        snapshot: where stored axes are.
    """
    import xarray as xr

    coordinates: dict[str, Any] = {}
    for dim, axis in row.layout["coordinates"].items():
        if "array" in axis:
            points = snapshot.load(axis["array"])
        else:
            points = axis["start"] + axis["step"] * np.arange(row.shape[row.dims.index(dim)])
        coordinates[dim] = (dim, points, {"units": axis["units"]})
    if row.channels:
        coordinates["channel"] = ("channel", list(row.channels))
        coordinates["unit"] = ("channel", list(row.units))
    attributes = {} if row.channels else {"units": row.units[0]}
    return xr.DataArray(values, dims=row.dims, coords=coordinates, attrs=attributes, name=row.title)


def _even_step(values: NDArray[np.float64]) -> float | None:
    """Step of an evenly spaced axis; None for any other."""
    if len(values) < 2:
        return None
    step = float(values[-1] - values[0]) / (len(values) - 1)
    even = values[0] + step * np.arange(len(values))
    tolerance = LINEAR_TOLERANCE * abs(step)
    return step if np.abs(values - even).max() <= tolerance else None
