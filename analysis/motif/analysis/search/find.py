"""Similarity search: what in a collection is most like the question, under any filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.search.index import Index, Rows
from motif.analysis.search.members import as_ids, members, texts
from motif.analysis.search.question import Question, Region
from motif.analysis.search.recent import Recent
from motif.analysis.search.space import Space, Vectors, Weights
from motif.analysis.search.spaces import space_of
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from motif.core.records import FacetValue
    from motif.core.workspace import Workspace

_indices: Recent[Index] = Recent(4)
_filtered: Recent[Rows | None] = Recent(16)


@dataclass(frozen=True)
class Hit:
    """One answer of a search."""

    id: str
    record: str
    distance: float
    """Euclidean distance of the weighted features."""
    facets: Mapping[str, FacetValue]

    def document(self) -> dict[str, Any]:
        """As the command line prints it."""
        return {
            "id": self.id, "record": self.record, "distance": round(self.distance, 6),
            "facets": dict(self.facets),
        }  # fmt: skip


def search(
    workspace: Workspace,
    collection: str,
    *,
    id: str | None = None,  # noqa: A002 - the word every other part uses
    ids: Sequence[str] = (),
    unlike: Sequence[str] = (),
    file: Path | None = None,
    key: str | None = None,
    vector: Vectors | None = None,
    roi: Region | str | None = None,
    where: str | None = None,
    k: int = 20,
    weights: Weights | None = None,
    within: float | None = None,
    include_query: bool = False,
) -> list[Hit]:
    """Find the `k` measurements of `collection` most alike, nearest first.

    Args:
        workspace: where to look.
        collection: what to look through.
        id: measurement to compare with; of any collection.
        ids: several of them: their centre is compared.
        unlike: measurements the answer should lie away from.
        file: file of any readable format to compare with; it is not stored.
        key: which measurement of the file; the first by default.
        vector: features to compare with.
        roi: region of the image asked with, in pixels: ``x,y,width,height``.
        where: query that holds before the search, so `k` hits come when `k` match.
        k: how many.
        weights: factor of a feature part's squared distance, 1 by default and 0 for the
            composition of spectra.
        within: largest distance.
        include_query: keep the measurements asked with among the hits.

    Raises:
        ConfigError: not exactly one question, or an option is wrong.
        NotFoundError, QueryError, UnsuitableDataError, UnreadableFileError: as they say.
    """
    if k < 1:
        raise ConfigError(f"A search for {k} hits finds nothing; ask for at least one.")
    region = Region.parse(roi) if isinstance(roi, str) else roi
    asked = (*((id,) if id else ()), *ids)
    question = Question(asked, tuple(unlike), file, key, vector, region)
    question.check()
    workspace.require_collection(collection)
    space = space_of(workspace, collection, question.kind(workspace))
    excluded = () if include_query else (*asked, *unlike)
    own = space.rows(as_ids(excluded))
    rows = _rows(workspace, collection, space, where)
    query, index = question.vectors(workspace, space), _index(workspace, space, weights)
    found, distances = index.nearest(query * space.scales(weights), k + len(own), rows)
    kept = ~np.isin(found, own) & (distances <= (np.inf if within is None else within))
    found, distances = found[kept][:k], distances[kept][:k]
    return _hits(workspace, texts(space.ids[found]), distances)


def _rows(workspace: Workspace, collection: str, space: Space, where: str | None) -> Rows | None:
    """Rows of the space that are live and match; None when all are."""
    ids = members(workspace, collection, space.kind, where)

    def make() -> Rows | None:
        rows = space.rows(ids)
        return None if len(rows) == len(space.ids) else rows

    state = workspace.catalog.journal_length
    return _filtered.get((str(workspace.root), state, space.key, where), make)


def _index(workspace: Workspace, space: Space, weights: Weights | None) -> Index:
    scales = space.scales(weights)
    key = (str(workspace.root), space.key, scales.tobytes())

    def make() -> Index:
        return Index(space.vectors if (scales == 1).all() else space.vectors * scales)

    return _indices.get(key, make)


def _hits(workspace: Workspace, ids: Sequence[str], distances: NDArray[np.float64]) -> list[Hit]:
    records = {row.id: row.record_id for row in workspace.select(ids=ids)}
    facets = workspace.facets(ids)
    return [
        Hit(one, records[one], float(distance), facets[one])
        for one, distance in zip(ids, distances, strict=True)
    ]
