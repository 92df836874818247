"""The space of a collection of images: the vectors of its newest extractor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from motif.analysis.search.members import Ids
from motif.analysis.search.recent import Recent
from motif.analysis.search.space import Space, Vectors
from motif.core.errors import UnsuitableDataError
from motif.core.records import Measurement, canonical_json, content_id

if TYPE_CHECKING:
    import xarray as xr

    from motif.analysis.symmetry.features import Features
    from motif.core.catalog import Derivation, MeasurementRow
    from motif.core.workspace import Workspace

_made: Recent[list[Derivation]] = Recent(8)


def embeddings(workspace: Workspace, collection: str) -> list[Derivation]:
    """Embeddings of the extractor used last, oldest first.

    Raises:
        NotFoundError: there are none; names the command that makes them.
    """
    from motif.analysis.symmetry.embed import current

    key = (str(workspace.root), workspace.catalog.journal_length, collection)
    return _made.get(key, lambda: current(workspace, collection))


def image_space(workspace: Workspace, made: Sequence[Derivation]) -> Space:
    """The space of these embeddings; a later vector of an image replaces an earlier one."""
    ids, vectors = _joined(workspace, made)
    parameters = made[-1].parameters
    extractor = str(parameters["extractor"])

    def describe(data: xr.DataArray, _: Mapping[str, float]) -> Vectors:
        values = np.asarray(data.values, np.float32)
        found = np.asarray(_features(extractor)([(_as_row(data), values)])[0], np.float32)
        if not found.any() or not np.isfinite(found).all():
            channels = ", ".join(str(name) for name in data.coords["channel"].values)
            raise UnsuitableDataError(
                f"Nothing can be compared in this image of {channels}; choose one that shows a "
                "pattern in phase, amplitude or height."
            )
        return found

    return Space.made(
        kind="image",
        ids=ids,
        vectors=vectors,
        parts={name: slice(*ends) for name, ends in made[-1].summary["parts"].items()},
        method=content_id(canonical_json(dict(parameters))),
        inputs=tuple(one.id for one in made),
        describe=describe,
    )


def _joined(workspace: Workspace, made: Sequence[Derivation]) -> tuple[Ids, Vectors]:
    arrays = [workspace.ledger.arrays(one) for one in reversed(made)]
    ids = np.concatenate([one["ids"] for one in arrays])
    vectors = np.concatenate([one["vectors"] for one in arrays])
    unique, first = np.unique(ids, return_index=True)
    return unique, np.asarray(vectors[first], np.float32)


@cache
def _features(extractor: str) -> Features:
    from motif.analysis.symmetry.features import Features
    from motif.core.plugins import extractor as extractor_named

    return Features(extractor_named(extractor))


def _as_row(data: xr.DataArray) -> MeasurementRow:
    """What the catalog would know of an image that is not in it."""
    from motif.core.catalog import MeasurementRow
    from motif.core.layout import canonical, layout_of

    measurement = Measurement("0", "image", "", data)
    layout, _ = layout_of(measurement, canonical(measurement))
    return MeasurementRow(
        id="", record_id="", collection="", kind="image", key="0", title="", array="", row=0,
        layout=layout, composition={}, targets={}, simulated=False, live=True,
    )  # fmt: skip
