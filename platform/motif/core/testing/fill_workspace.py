"""Stores measurements in a workspace as a sync does, for tests of later steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from motif.core.catalog.database import MeasurementRow
from motif.core.catalog.intake import Intake, NewRecord
from motif.core.records import Asset, Facet, Measurement, Reading, content_id
from motif.core.workspace import Workspace


def image(
    values: NDArray[Any],
    channels: Sequence[str] = ("Height", "Amplitude", "Phase"),
    units: Sequence[str] = ("m", "m", "deg"),
    pixel_size: float = 1e-8,
    key: str = "0",
    facets: Sequence[Facet] = (),
) -> Measurement:
    """An image measurement of `values` (channel, y, x) whose pixels are `pixel_size` metres."""
    _, height, width = values.shape
    data = xr.DataArray(
        values.astype(np.float32),
        dims=("channel", "y", "x"),
        coords={
            "channel": list(channels),
            "unit": ("channel", list(units)),
            "y": ("y", pixel_size * np.arange(height), {"units": "m"}),
            "x": ("x", pixel_size * np.arange(width), {"units": "m"}),
        },
    )
    return Measurement(key, "image", f"image {key}", data, facets)


def spectrum(
    values: NDArray[Any],
    axis: NDArray[Any],
    key: str,
    composition: Mapping[str, float],
    targets: Mapping[str, tuple[float, str]],
) -> Measurement:
    """A Raman spectrum (L,) of one sample of a composition library."""
    data = xr.DataArray(
        values.astype(np.float32),
        dims=("raman_shift",),
        coords={"raman_shift": ("raman_shift", axis, {"units": "cm^-1"})},
        attrs={"units": "arb. unit"},
    )
    return Measurement(key, "spectrum", f"sample {key}", data, (), composition, targets)


def fill(
    workspace: Workspace,
    collection: str,
    records: Mapping[str, Sequence[Measurement]],
    metadata: Mapping[str, Mapping[str, Any]] | None = None,
    source: str = "test",
) -> list[MeasurementRow]:
    """Store records (native id -> measurements) with metadata; returns the collection's rows."""
    new_records = []
    for native_id, measurements in records.items():
        stated = dict((metadata or {}).get(native_id, {}))
        digest = content_id(native_id, *(m.data.values.tobytes() for m in measurements))
        asset = Asset(native_id, native_id, digest, digest, f"{native_id}.ibw", metadata=stated)
        reading = Reading(measurements, [("Key", "value")])
        new_records.append(NewRecord(asset, reading, "test", 1, digest, 0))
    intake = Intake(workspace, source, collection, workspace.mapper())
    intake.commit(new_records, (), ())
    return workspace.select(collection)
