"""The space of a collection of spectra: spectral shape and, on request, composition.

The basis in which shapes are compared is a result of the ledger. New spectra are carried into it
as it is, so a map keeps its meaning while a library grows; only when most spectra are newer than
the basis, or many do not fit it, another one is made. Maps name the basis they were made in.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from motif.analysis.search.candidates import Ids, as_ids
from motif.analysis.search.feature_cache import FeatureCache
from motif.analysis.search.feature_space import Space, Vectors
from motif.analysis.search.spectral_features import SpectralBasis, SpectrumTrace, fit
from motif.core.errors import UnsuitableDataError
from motif.core.records import content_id

if TYPE_CHECKING:
    import xarray as xr

    from motif.core.catalog.database import Derivation, MeasurementRow
    from motif.core.workspace import Workspace

SPECTRUM, COMPOSITION = "spectrum", "composition"
STAGE = "spectral-basis"
VERSION = 1
GROWN = 2
"""A basis is fitted again when there are this many times the spectra it was made from."""
MISFITS = 0.1
"""Or when more than this share of the spectra cannot be carried into it, or one it was made from
is marked with an error."""


def spectral_space(workspace: Workspace, collection: str, basis: str | None = None) -> Space:
    """Parts ``spectrum`` and, where samples tell it, ``composition`` (atomic fractions).

    Composition counts only when given a weight: spectra are alike by their shape alone.

    Args:
        workspace: where the spectra are.
        collection: which spectra.
        basis: id of the basis to compare in; by default the newest, made where there is none.
    """
    rows = workspace.select(collection, kind="spectrum")
    if basis is not None:
        return _space(workspace, workspace.ledger.get(basis), rows)
    made = workspace.ledger.all(STAGE, collection, version=VERSION)
    marked = workspace.marked_measurements()
    sound = [row for row in rows if row.id not in marked] or rows
    is_tainted = bool(made) and not marked.isdisjoint(made[-1].inputs)
    if not made or is_tainted or len(rows) >= GROWN * len(made[-1].inputs):
        return _space(workspace, _fitted(workspace, collection, sound), rows)
    space = _space(workspace, made[-1], rows)
    if len(space.rows(as_ids([row.id for row in rows]))) < (1 - MISFITS) * len(rows):
        renewed = _fitted(workspace, collection, sound)
        return space if renewed.id == made[-1].id else _space(workspace, renewed, rows)
    return space


def _fitted(workspace: Workspace, collection: str, rows: Sequence[MeasurementRow]) -> Derivation:
    started = time.perf_counter()
    parameters = {
        "version": VERSION,
        "elements": list(dict.fromkeys(name for row in rows for name in row.composition)),
    }
    inputs = [row.id for row in rows]
    known = workspace.ledger.find(STAGE, parameters, inputs)
    if known is not None:
        return known
    basis, _ = fit(list(_traces(workspace, rows)))
    return workspace.ledger.record(
        STAGE, collection, parameters, inputs,
        {"axis": basis.axis, "centre": basis.centre, "axes": basis.axes},
        {"count": len(rows), "components": basis.axes.shape[1]},
        time.perf_counter() - started,
    )  # fmt: skip


def _space(workspace: Workspace, made: Derivation, rows: Sequence[MeasurementRow]) -> Space:
    arrays = workspace.ledger.arrays(made)
    basis = SpectralBasis(arrays["axis"], arrays["centre"], arrays["axes"])
    elements: list[str] = made.parameters["elements"]
    split = basis.axes.shape[1]
    parts = {SPECTRUM: slice(0, split)}
    if elements:
        parts[COMPOSITION] = slice(split, split + len(elements))
    by_id = {row.id: row for row in rows}

    def load(sources: Sequence[str]) -> Iterator[tuple[Ids, Vectors]]:
        chosen = [by_id[one] for one in sources]
        shapes = basis.features(list(_traces(workspace, chosen)))
        for row, shape in zip(chosen, shapes, strict=True):
            vector = np.concatenate([shape, _fractions(row.composition, elements)])
            yield as_ids([row.id]), vector[None]

    def describe(data: xr.DataArray, composition: Mapping[str, float]) -> Vectors:
        features = basis.features([_trace(data)])[0]
        if not np.isfinite(features).all():
            low, high = basis.axis[0], basis.axis[-1]
            raise UnsuitableDataError(
                f"This spectrum does not cover {low:g} to {high:g}, where those of "
                f'"{made.collection}" are compared; search among spectra of its own range.'
            )
        return np.concatenate([features, _fractions(composition, elements)])

    stored = FeatureCache(workspace.cache / "features" / content_id(made.collection, made.id))
    ids, vectors = stored.rows(list(by_id), load, split + len(elements), ordered=False)
    return Space(
        "spectrum", ids, vectors, parts, made.id, tuple(by_id), describe,
        optional=frozenset({COMPOSITION}),
    )  # fmt: skip


def _traces(workspace: Workspace, rows: Sequence[MeasurementRow]) -> Iterator[SpectrumTrace]:
    """Spectra with their axes, read one stored array at a time, in the order of `rows`."""
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(row.array, []).append(place)
    snapshot = workspace.store.snapshot()
    found: dict[int, SpectrumTrace] = {}
    for places in groups.values():
        group = [rows[place] for place in places]
        axis = np.asarray(
            snapshot.load(group[0].layout["coordinates"][group[0].dims[0]]["array"]), np.float64
        )
        for place, intensity in zip(places, workspace.spectra(group), strict=True):
            found[place] = SpectrumTrace(axis, intensity)
    for place in range(len(rows)):
        yield found[place]


def _trace(data: xr.DataArray) -> SpectrumTrace:
    if data.ndim != 1:
        raise UnsuitableDataError(
            f"A spectrum has one axis, this has {', '.join(map(str, data.dims))}; "
            "search a collection of its kind."
        )
    axis = data.coords[data.dims[0]].values
    return SpectrumTrace(np.asarray(axis, np.float64), np.asarray(data.values, np.float64))


def _fractions(composition: Mapping[str, float], elements: Sequence[str]) -> NDArray[np.float32]:
    return np.array([composition.get(element, 0.0) for element in elements], np.float32)
