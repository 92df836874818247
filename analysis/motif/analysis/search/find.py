"""Similarity search: what in a collection is most like the question, under any filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.search.apart import condition
from motif.analysis.search.diversity import POOL as DIVERSE_POOL
from motif.analysis.search.diversity import diverse
from motif.analysis.search.growing import index_of
from motif.analysis.search.members import as_ids, members, texts
from motif.analysis.search.pictures import LEAST_POOL, Picture, freedoms, planes
from motif.analysis.search.pictures import POOL as PICTURE_POOL
from motif.analysis.search.question import Question, Region
from motif.analysis.search.recent import Recent
from motif.analysis.search.space import Rows, Space, Vectors, Weights
from motif.analysis.search.spaces import space_of
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from motif.core.records import FacetValue
    from motif.core.workspace import Workspace

_filtered: Recent[Rows | None] = Recent(16)


@dataclass(frozen=True)
class Hit:
    """One answer of a search."""

    id: str
    record: str
    distance: float
    """Euclidean distance of the weighted features."""
    facets: Mapping[str, FacetValue]
    correlation: float | None = None
    """Of the pictures, where they were compared; from -1 to 1."""

    def document(self) -> dict[str, Any]:
        """As the command line prints it."""
        document: dict[str, Any] = {
            "id": self.id, "record": self.record, "distance": round(self.distance, 6),
            "facets": dict(self.facets),
        }  # fmt: skip
        if self.correlation is not None:
            document["correlation"] = round(self.correlation, 4)
        return document


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
    not_same: Sequence[str] = (),
    different: Sequence[str] = (),
    diversity: float = 0.0,
    up_to: str | None = None,
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
        weights: factor of the squared distance of a feature part (``texture``), a kind of
            channel (``phase``) or both (``texture.phase``): 1 by default and 0 for the
            composition of spectra.
        within: largest distance.
        include_query: keep the measurements asked with among the hits.
        not_same: ``record``, ``session``, ``sample`` or another facet whose value no hit shares
            with the question.
        different: facets, such as ``material``, that every hit tells otherwise.
        diversity: 0 gives the nearest; up to 1, hits that differ ever more from each other.
        up_to: compare the nearest as pictures too, most alike first: ``exact``, or what may
            differ of ``rotation,mirror,inversion``; by default features alone decide.

    Raises:
        ConfigError: not exactly one question, or an option is wrong.
        NotFoundError, QueryError, UnsuitableDataError, UnreadableFileError: as they say.
    """
    if diversity and up_to is not None:
        raise ConfigError("Hits are ranked by diversity or as pictures; leave out one of them.")
    if k < 1:
        raise ConfigError(f"A search for {k} hits finds nothing; ask for at least one.")
    region = Region.parse(roi) if isinstance(roi, str) else roi
    asked = (*((id,) if id else ()), *ids)
    question = Question(asked, tuple(unlike), file, key, vector, region)
    question.check()
    workspace.require_collection(collection)
    space = space_of(workspace, collection, question.kind(workspace))
    excluded = () if include_query else (*asked, *unlike)
    told = question.facets()
    apart = condition(workspace, asked, told, not_same=not_same, different=different)
    both = " and ".join(f"({text})" for text in (where, apart) if text and text.strip())
    own = space.rows(as_ids(excluded))
    rows = _rows(workspace, collection, space, both)
    scales = space.scales(weights)
    index = index_of(workspace, collection, space, scales)
    query = question.vectors(workspace, space)
    pictures = None if up_to is None else question.picture(workspace, freedoms(up_to))
    wanted = k if not diversity else DIVERSE_POOL * k
    wanted = wanted if pictures is None else max(PICTURE_POOL * wanted, LEAST_POOL)
    found, distances = index.nearest(query, wanted + len(own), rows)
    kept = ~np.isin(found, own) & (distances <= (np.inf if within is None else within))
    found, distances = found[kept][:wanted], distances[kept][:wanted]
    hits = _hits(workspace, texts(space.ids[found]), distances)
    if pictures is not None:
        return _as_pictures(workspace, hits, pictures)[:k]
    chosen = diverse(space.vectors[found] * scales, distances, k, diversity)
    return [hits[place] for place in chosen]


def _as_pictures(workspace: Workspace, hits: Sequence[Hit], picture: Picture) -> list[Hit]:
    """The hits by how alike they look, those without a common channel left out."""
    found = [(hit, picture.likeness(planes(workspace.read(hit.id)))) for hit in hits]
    seen = [replace(hit, correlation=value) for hit, value in found if np.isfinite(value)]
    return sorted(seen, key=lambda hit: (-(hit.correlation or 0.0), hit.distance))


def _rows(workspace: Workspace, collection: str, space: Space, where: str) -> Rows | None:
    """Rows of the space that are live and match, ascending; None when all are."""
    ids = members(workspace, collection, space.kind, where)

    def make() -> Rows | None:
        rows = np.sort(space.rows(ids))
        return None if len(rows) == len(space.ids) else rows

    state = workspace.catalog.journal_length
    return _filtered.get((str(workspace.root), state, space.key, where), make)


def _hits(workspace: Workspace, ids: Sequence[str], distances: NDArray[np.float64]) -> list[Hit]:
    records = {row.id: row.record_id for row in workspace.select(ids=ids)}
    facets = workspace.facets(ids)
    return [
        Hit(one, records[one], float(distance), facets[one])
        for one, distance in zip(ids, distances, strict=True)
        if one in records  # it may be deleted while we look
    ]
