"""The space of a collection of spectra: spectral shape and, on request, composition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from motif.analysis.search.members import as_ids
from motif.analysis.search.space import Space, Vectors
from motif.analysis.search.spectral import Trace, fit
from motif.core.errors import UnsuitableDataError
from motif.core.records import content_id

if TYPE_CHECKING:
    import xarray as xr

    from motif.core.catalog import MeasurementRow
    from motif.core.workspace import Workspace

SPECTRUM, COMPOSITION = "spectrum", "composition"


def spectral_space(workspace: Workspace, collection: str) -> Space:
    """Parts ``spectrum`` and, where samples tell it, ``composition`` (atomic fractions).

    Composition counts only when given a weight: spectra are alike by their shape alone.
    """
    rows = workspace.select(collection, kind="spectrum")
    basis, shape = fit(_traces(workspace, rows))
    elements = tuple(dict.fromkeys(name for row in rows for name in row.composition))
    split = shape.shape[1]
    parts = {SPECTRUM: slice(0, split)}
    if elements:
        parts[COMPOSITION] = slice(split, split + len(elements))
    fractions = np.stack([_fractions(row.composition, elements) for row in rows])

    def describe(data: xr.DataArray, composition: Mapping[str, float]) -> Vectors:
        features = basis.features([_trace(data)])[0]
        if not np.isfinite(features).all():
            low, high = basis.axis[0], basis.axis[-1]
            raise UnsuitableDataError(
                f'This spectrum does not cover {low:g} to {high:g}, where those of "{collection}" '
                "are compared; search among spectra of its own range."
            )
        return np.concatenate([features, _fractions(composition, elements)])

    ids = as_ids([row.id for row in rows])
    return Space.made(
        kind="spectrum",
        ids=ids,
        vectors=np.hstack([shape, fractions]),
        parts=parts,
        method=content_id("spectrum", basis.axes.tobytes(), *elements),
        inputs=tuple(row.id for row in rows),
        describe=describe,
        optional=frozenset({COMPOSITION}),
    )


def _traces(workspace: Workspace, rows: Sequence[MeasurementRow]) -> list[Trace]:
    """Spectra with their axes, read one stored array at a time, in the order of `rows`."""
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(row.array, []).append(place)
    snapshot = workspace.store.snapshot()
    found: dict[int, Trace] = {}
    for places in groups.values():
        group = [rows[place] for place in places]
        axis = np.asarray(
            snapshot.load(group[0].layout["coordinates"][group[0].dims[0]]["array"]), np.float64
        )
        for place, intensity in zip(places, workspace.spectra(group), strict=True):
            found[place] = Trace(axis, intensity)
    return [found[place] for place in range(len(rows))]


def _trace(data: xr.DataArray) -> Trace:
    if data.ndim != 1:
        raise UnsuitableDataError(
            f"A spectrum has one axis, this has {', '.join(map(str, data.dims))}; "
            "search a collection of its kind."
        )
    axis = data.coords[data.dims[0]].values
    return Trace(np.asarray(axis, np.float64), np.asarray(data.values, np.float64))


def _fractions(composition: Mapping[str, float], elements: Sequence[str]) -> NDArray[np.float32]:
    return np.array([composition.get(element, 0.0) for element in elements], np.float32)
