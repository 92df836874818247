"""What stands out on a map: clusters with names, outliers, near-duplicates."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from motif.analysis.arrays import Float32Array, Int32Array
from motif.analysis.projection.map_points import point_ids
from motif.analysis.projection.umap_layout import neighbours
from motif.analysis.search.answer_facets import enriched_facets
from motif.analysis.search.candidates import texts
from motif.analysis.search.confounding import Facets

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

CLUSTERS_STAGE = "clusters"
CLUSTERS_VERSION = 1
NAME_FACETS = 2
"""Facets in the name of a cluster."""
MIN_CLUSTER = 5
DUPLICATE_DISTANCE = 0.02
"""Distance of unit feature vectors below which two measurements are nearly the same."""


@dataclass(frozen=True)
class NearDuplicate:
    """Two measurements, or tiles, that are nearly the same."""

    first: str
    second: str
    distance: float
    """Of their normalised features, from 0 to 2."""


def find_clusters(
    workspace: Workspace, result: Derivation, smallest: int | None = None
) -> Derivation:
    """Group the points of a map by density (HDBSCAN, Campello et al. 2013).

    The result has the arrays ``ids`` (n,) and ``label`` (n,), -1 for points in no cluster. Its
    summary has ``clusters``: label, name, count, representative id and enriched facets of each.

    Args:
        workspace: holds the map.
        result: the map.
        smallest: fewest points of a cluster; by default a fiftieth of all, at least 5.
    """
    n = int(result.summary["count"])
    smallest = min(smallest or max(MIN_CLUSTER, n // 50), n)
    parameters = {"version": CLUSTERS_VERSION, "map": result.id, "smallest": smallest}
    known = workspace.ledger.find(CLUSTERS_STAGE, parameters, [result.id])
    if known is not None:
        return known
    started = time.perf_counter()
    arrays = workspace.ledger.arrays(result)
    xy, ids = arrays["xy"], arrays["ids"]
    label = _cluster_labels(xy, max(2, smallest))
    facets = workspace.facets(texts(ids))
    clusters = [
        _describe_cluster(number, texts(ids[label == number]), xy[label == number], facets)
        for number in range(int(label.max(initial=-1)) + 1)
    ]
    summary = {"count": len(clusters), "alone": int((label < 0).sum()), "clusters": clusters}
    return workspace.ledger.record(
        CLUSTERS_STAGE, result.collection, parameters, [result.id], {"ids": ids, "label": label},
        summary, time.perf_counter() - started,
    )  # fmt: skip


def outliers(workspace: Workspace, result: Derivation, count: int = 20) -> list[tuple[str, float]]:
    """Points that are far from all others in the features: id and isolation, highest first.

    The isolation of a point is the distance to its k-th neighbour in the features over the
    median of that distance among its neighbours.
    """
    arrays = workspace.ledger.arrays(result)
    rows, distances = neighbours(arrays["points"], _neighbour_count(result))
    reach = distances[:, -1]
    around = np.median(reach[rows[:, 1:]], axis=1)
    isolation = reach / np.where(around > 0, around, np.inf)
    order = np.argsort(-isolation, kind="stable")[:count]
    ids = texts(point_ids(arrays)[order])
    return list(zip(ids, isolation[order].astype(float).tolist(), strict=True))


def near_duplicates(
    workspace: Workspace, result: Derivation, within: float = DUPLICATE_DISTANCE
) -> list[NearDuplicate]:
    """Pairs of points on the map that are nearly the same, closest first."""
    arrays = workspace.ledger.arrays(result)
    rows, distances = neighbours(arrays["points"], _neighbour_count(result))
    first, column = np.nonzero(distances <= within)
    second = rows[first, column]
    # Each pair once: it is found from either end, unless one end has many closer neighbours.
    pairs = {
        (min(a, b), max(a, b)): float(distances[a, c])
        for a, b, c in zip(first.tolist(), second.tolist(), column.tolist(), strict=True)
        if a != b
    }
    ids = texts(point_ids(arrays))
    ordered = sorted(pairs.items(), key=lambda pair: (pair[1], pair[0]))
    return [NearDuplicate(ids[a], ids[b], distance) for (a, b), distance in ordered]


def _neighbour_count(result: Derivation) -> int:
    return min(int(result.parameters["n_neighbors"]) + 1, int(result.summary["count"]))


def _cluster_labels(xy: Float32Array, smallest: int) -> Int32Array:
    """Cluster (n,) of each point, 0 for the largest cluster, -1 for none."""
    from sklearn.cluster import HDBSCAN

    unordered = HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(xy)
    sizes = np.bincount(unordered[unordered >= 0])
    rank = np.empty(len(sizes) + 1, np.int32)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    rank[-1] = -1
    label: Int32Array = rank[unordered]
    return label


def _describe_cluster(
    label: int, ids: list[str], xy: Float32Array, facets: Mapping[str, Facets]
) -> dict[str, Any]:
    enriched = enriched_facets((facets[identity] for identity in ids), facets.values())
    middle = np.linalg.norm(xy - np.median(xy, axis=0), axis=1).argmin()
    values = [str(facet.value) for facet in enriched[:NAME_FACETS]]
    return {
        "label": label, "name": ", ".join(values) or f"mixed {label + 1}", "count": len(ids),
        "representative": ids[int(middle)], "shared": [asdict(facet) for facet in enriched],
    }  # fmt: skip
