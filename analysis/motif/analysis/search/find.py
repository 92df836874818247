"""Similarity search: what in a collection is most like the question, under any filter."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.search.apart import condition
from motif.analysis.search.diversity import POOL as DIVERSE_POOL
from motif.analysis.search.diversity import diverse
from motif.analysis.search.growing import index_of
from motif.analysis.search.images import ANY_GRID, has_tiles
from motif.analysis.search.index import Answer, Index
from motif.analysis.search.members import as_ids, members, texts
from motif.analysis.search.pictures import LEAST_POOL, Picture, freedoms, planes
from motif.analysis.search.pictures import POOL as PICTURE_POOL
from motif.analysis.search.question import Question, Region
from motif.analysis.search.recent import Recent
from motif.analysis.search.space import Rows, Space, Vectors, Weights
from motif.analysis.search.spaces import space_of
from motif.analysis.symmetry.tiles import Tile
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
    region: Region | None = None
    """Tile of the image that answers, in pixels, where tiles were searched."""
    tile: str = ""
    """Its id."""
    method: str = ""
    """Identifies the features compared: `space_of` finds them by it, also when newer ones count
    meanwhile."""

    def document(self) -> dict[str, Any]:
        """As the command line prints it."""
        document: dict[str, Any] = {
            "id": self.id, "record": self.record, "distance": round(self.distance, 6),
            "facets": dict(self.facets),
        }  # fmt: skip
        if self.correlation is not None:
            document["correlation"] = round(self.correlation, 4)
        if self.region is not None:
            document["tile"], document["region"] = self.tile, asdict(self.region)
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
    features: str | None = None,
    tiles: bool | None = None,
    keep: Collection[str] | None = None,
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
        features: name of features of images to compare by, such as ``symmetry@10nm``; by default
            those that count now.
        tiles: whether tiles of images answer, of each image the one most alike; by default they
            do where a region is asked with and there are tiles.
        keep: measurements of which hits are; beside `where`, e.g. those with a label.

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
    kind = question.kind(workspace)
    if tiles is None:
        tiles = region is not None and kind == "image" and has_tiles(
            workspace, collection, features
        )  # fmt: skip
    space = space_of(
        workspace, collection, kind, features=features, tiles=ANY_GRID if tiles else None
    )
    excluded = () if include_query else (*asked, *unlike)
    told = question.facets()
    apart = condition(workspace, asked, told, not_same=not_same, different=different)
    both = " and ".join(f"({text})" for text in (where, apart) if text and text.strip())
    own = space.belonging(as_ids(excluded))
    rows = _rows(workspace, collection, space, both)
    if keep is not None:
        kept = space.belonging(as_ids(sorted(keep)))
        rows = kept if rows is None else np.intersect1d(rows, kept, assume_unique=True)
    scales = space.scales(weights)
    index = index_of(workspace, collection, space, scales)
    query = question.vectors(workspace, space)
    pictures = None if up_to is None else question.picture(workspace, freedoms(up_to))
    wanted = k if not diversity else DIVERSE_POOL * k
    wanted = wanted if pictures is None else max(PICTURE_POOL * wanted, LEAST_POOL)
    found, distances = _nearest(index, space, query, wanted, rows, own)
    near = distances <= (np.inf if within is None else within)
    found, distances = found[near], distances[near]
    if pictures is not None:
        return _as_pictures(workspace, _hits(workspace, space, found, distances), pictures)[:k]
    chosen = diverse(space.vectors[found] * scales, distances, k, diversity)
    return _hits(workspace, space, found[chosen], distances[chosen])


def _as_pictures(workspace: Workspace, hits: Sequence[Hit], picture: Picture) -> list[Hit]:
    """The hits by how alike they look, those without a common channel left out."""
    found = []
    for hit in hits:
        data = workspace.read(hit.id)
        seen_in = data if hit.region is None else hit.region.cut(data)
        found.append((hit, picture.likeness(planes(seen_in))))
    seen = [replace(hit, correlation=value) for hit, value in found if np.isfinite(value)]
    return sorted(seen, key=lambda hit: (-(hit.correlation or 0.0), hit.distance))


def _nearest(
    index: Index, space: Space, query: Vectors, wanted: int, rows: Rows | None, own: Rows
) -> Answer:
    """The `wanted` nearest rows that are not the question's own; of tiles one of each image."""
    count = wanted + len(own)
    while True:
        found, distances = index.nearest(query, count, rows)
        exhausted = len(found) < count
        kept = ~np.isin(found, own)
        found, distances = found[kept], distances[kept]
        if space.tiled:
            first = np.sort(np.unique(space.owners[found], return_index=True)[1])
            found, distances = found[first], distances[first]
        if exhausted or len(found) >= wanted:
            return found[:wanted], distances[:wanted]
        count *= 4


def _rows(workspace: Workspace, collection: str, space: Space, where: str) -> Rows | None:
    """Rows of the space that are live and match, ascending; None when all are."""
    # Read before the ids: what came in between is asked for anew, never kept as if it were known.
    state = workspace.catalog.journal_length
    ids = members(workspace, collection, space.kind, where)

    def make() -> Rows | None:
        rows = space.belonging(ids)
        return None if len(rows) == len(space.ids) else rows

    return _filtered.get((str(workspace.root), state, space.key, where), make)


def _hits(
    workspace: Workspace, space: Space, rows: Rows, distances: NDArray[np.float64]
) -> list[Hit]:
    ids = texts(space.owners[rows])
    known = {row.id: row for row in workspace.select(ids=ids)}
    facets = workspace.facets(ids)
    hits = []
    for one, name, distance in zip(ids, texts(space.ids[rows]), distances, strict=True):
        if one not in known:  # it may be deleted while we look
            continue
        region = Region(*Tile.of(name).box(known[one].shape)) if space.tiled else None
        tile = name if space.tiled else ""
        record = known[one].record_id
        hits.append(
            Hit(one, record, float(distance), facets[one], None, region, tile, space.method)
        )
    return hits
