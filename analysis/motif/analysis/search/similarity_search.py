"""Similarity search: what in a collection is most similar to an example, under any filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.search.candidates import as_ids, members, texts
from motif.analysis.search.computed_cache import ComputedCache
from motif.analysis.search.exclusions import POOL as DIVERSE_POOL
from motif.analysis.search.exclusions import condition, diverse
from motif.analysis.search.feature_space import Rows, Space, Vectors
from motif.analysis.search.image_space import ANY_GRID, has_tiles, space_of
from motif.analysis.search.nearest_index import Answer, NearestIndex, index_of
from motif.analysis.search.pixel_comparison import LEAST_POOL, PixelImage, freedoms, planes
from motif.analysis.search.pixel_comparison import POOL as PIXEL_POOL
from motif.analysis.search.search_example import Region, SearchExample
from motif.analysis.search.search_request import SearchRequest
from motif.analysis.symmetry.embedding.tiles import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from motif.core.records import FacetValue
    from motif.core.workspace import Workspace

_filtered: ComputedCache[Rows | None] = ComputedCache(16)


@dataclass(frozen=True)
class Hit:
    """One answer of a search."""

    id: str
    record: str
    distance: float
    """Euclidean distance of the weighted features."""
    facets: Mapping[str, FacetValue]
    correlation: float | None = None
    """Of the pixels, where they were compared; from -1 to 1."""
    region: Region | None = None
    """Tile of the image that is the hit, in pixels, where tiles were searched."""
    tile: str = ""
    """Its id."""
    method: str = ""
    """Identifies the features compared: `space_of` finds them by it, also when newer ones are in
    use meanwhile."""

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


def search(workspace: Workspace, request: SearchRequest) -> list[Hit]:
    """Find the measurements most similar to the example of a request, nearest first.

    Raises:
        ConfigError, NotFoundError, QueryError, UnsuitableDataError, UnreadableFileError: each with
            the reason and the next step.
    """
    example = request.example()
    workspace.require_collection(request.collection)
    space = _space(workspace, request, example)
    own = space.belonging(as_ids(() if request.include_query else (*example.ids, *example.unlike)))
    rows = _candidates(workspace, request, example, space)
    scales = space.scales(request.weights)
    index = index_of(workspace, request.collection, space, scales)
    query = example.vectors(workspace, space)
    pixels = None if request.up_to is None else example.picture(workspace, freedoms(request.up_to))
    wanted = request.k if not request.diversity else DIVERSE_POOL * request.k
    wanted = wanted if pixels is None else max(PIXEL_POOL * wanted, LEAST_POOL)
    nearest, distances = _nearest(index, space, query, wanted, rows, own)
    near = distances <= (np.inf if request.within is None else request.within)
    nearest, distances = nearest[near], distances[near]
    if pixels is not None:
        hits = _hits(workspace, space, nearest, distances)
        return _by_correlation(workspace, hits, pixels)[: request.k]
    chosen = diverse(space.vectors[nearest] * scales, distances, request.k, request.diversity)
    return _hits(workspace, space, nearest[chosen], distances[chosen])


def _space(workspace: Workspace, request: SearchRequest, example: SearchExample) -> Space:
    """The feature space of the collection, of tiles where the request or a region ask for them."""
    kind = example.kind(workspace)
    tiles = request.tiles
    if tiles is None:
        tiles = (
            example.region is not None
            and kind == "image"
            and has_tiles(workspace, request.collection, request.features)
        )
    return space_of(
        workspace, request.collection, kind,
        features=request.features, tiles=ANY_GRID if tiles else None,
    )  # fmt: skip


def _candidates(
    workspace: Workspace, request: SearchRequest, example: SearchExample, space: Space
) -> Rows | None:
    """Rows of the space that filter, exclusions and `keep` leave; None for all of them."""
    exclusion = condition(
        workspace, example.ids, example.facets(),
        not_same=request.not_same, different=request.different,
    )  # fmt: skip
    conditions = (request.where, exclusion)
    where = " and ".join(f"({text})" for text in conditions if text and text.strip())
    rows = _rows(workspace, request.collection, space, where)
    if request.keep is None:
        return rows
    kept = space.belonging(as_ids(sorted(request.keep)))
    return kept if rows is None else np.intersect1d(rows, kept, assume_unique=True)


def _by_correlation(workspace: Workspace, hits: Sequence[Hit], picture: PixelImage) -> list[Hit]:
    """The hits by correlation of their pixels; those without a common channel are left out."""
    found = []
    for hit in hits:
        data = workspace.read(hit.id)
        seen_in = data if hit.region is None else hit.region.cut(data)
        found.append((hit, picture.correlation(planes(seen_in))))
    seen = [replace(hit, correlation=value) for hit, value in found if np.isfinite(value)]
    return sorted(seen, key=lambda hit: (-(hit.correlation or 0.0), hit.distance))


def _nearest(
    index: NearestIndex, space: Space, query: Vectors, wanted: int, rows: Rows | None, own: Rows
) -> Answer:
    """The `wanted` nearest rows that are not the example's own; of tiles one of each image."""
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
    # Read before the ids: what came in between is read again, never cached as if it were known.
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
