"""The space of a collection of images: the vectors of its newest extractor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from motif.analysis.search.members import Ids
from motif.analysis.search.recent import Recent
from motif.analysis.search.space import Space, Vectors
from motif.analysis.search.stored import Stored
from motif.core.errors import NotFoundError, UnsuitableDataError
from motif.core.records import Measurement, canonical_json, content_id

if TYPE_CHECKING:
    import xarray as xr

    from motif.analysis.symmetry.features import Features
    from motif.core.catalog import Derivation, MeasurementRow
    from motif.core.workspace import Workspace

_made: Recent[list[Derivation]] = Recent(8)


def embeddings(
    workspace: Workspace, collection: str, method: str | None = None
) -> list[Derivation]:
    """Embeddings of one method, by default of the extractor used last, oldest first.

    Raises:
        NotFoundError: there are none; names the command that makes them.
    """
    from motif.analysis.symmetry.embed import STAGE, current

    def make() -> list[Derivation]:
        if method is None:
            return current(workspace, collection)
        made = workspace.ledger.all(STAGE, collection)
        found = [one for one in made if _method(one) == method]
        if not found:
            raise NotFoundError(
                f'The features this was made from are gone from "{collection}"; '
                f"make them with motif embed {collection}."
            )
        return found

    key = (str(workspace.root), workspace.catalog.journal_length, collection, method)
    return _made.get(key, make)


def _method(made: Derivation) -> str:
    return content_id(canonical_json(dict(made.parameters)))


def image_space(workspace: Workspace, made: Sequence[Derivation]) -> Space:
    """The space of these embeddings, of which only those not yet cached are read."""
    parameters, summary, method = made[-1].parameters, made[-1].summary, _method(made[-1])
    by_id = {one.id: one for one in made}

    def load(sources: Sequence[str]) -> Iterator[tuple[Ids, Vectors]]:
        for one in sources:
            arrays = workspace.ledger.arrays(by_id[one])
            yield arrays["ids"], arrays["vectors"]

    folder = workspace.cache / "features" / content_id(made[-1].collection, method)
    ids, vectors = Stored(folder).rows(list(by_id), load, int(summary["dimension"]))
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

    parts = {name: slice(*ends) for name, ends in summary["parts"].items()}
    return Space(
        "image", ids, vectors, parts, method, tuple(by_id), describe, channels=_channels(parts)
    )


def _channels(parts: Mapping[str, slice]) -> dict[str, tuple[slice, ...]]:
    """Ranges of each kind of channel: every part holds all kinds, one after the other."""
    from motif.analysis.symmetry.features import WEIGHTS

    found: dict[str, tuple[slice, ...]] = dict.fromkeys(WEIGHTS, ())
    for name, part in parts.items():
        size, rest = divmod(part.stop - part.start, len(WEIGHTS))
        if rest:
            return {}
        for place, kind in enumerate(WEIGHTS):
            own = slice(part.start + place * size, part.start + (place + 1) * size)
            found[kind] = (*found[kind], own)
            found[f"{name}.{kind}"] = (own,)
    return found


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
