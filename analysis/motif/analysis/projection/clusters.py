"""What stands out on a map: clusters with names, strangers, near-duplicates."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.projection.layout import Points, neighbours
from motif.analysis.projection.points import point_ids
from motif.analysis.search.members import texts
from motif.analysis.search.sharing import Facets, shared_facets

if TYPE_CHECKING:
    from motif.core.catalog import Derivation
    from motif.core.workspace import Workspace

STAGE = "clusters"
VERSION = 1
NAMED_BY = 2
"""Facets a cluster's name is made of."""
DUPLICATE = 0.02
"""Distance of unit feature vectors below which two measurements are nearly the same."""


@dataclass(frozen=True)
class Pair:
    """Two measurements, or tiles, that are nearly the same."""

    first: str
    second: str
    distance: float
    """Of their normalised features, from 0 to 2."""


def clusters(workspace: Workspace, made: Derivation, smallest: int | None = None) -> Derivation:
    """Group the points of a map by density (HDBSCAN, Campello et al. 2013).

    The result has the arrays ``ids`` (n,) and ``label`` (n,), -1 for points in no cluster, and in
    its summary ``clusters``: label, name, count, representative id and what its members share.

    Args:
        workspace: where the map is.
        made: the map.
        smallest: fewest members of a cluster; by default a fiftieth of the points, at least 5.
    """
    n = int(made.summary["count"])
    smallest = min(smallest or max(5, n // 50), n)
    parameters = {"version": VERSION, "map": made.id, "smallest": smallest}
    known = workspace.ledger.find(STAGE, parameters, [made.id])
    if known is not None:
        return known
    started = time.perf_counter()
    arrays = workspace.ledger.arrays(made)
    xy, ids = arrays["xy"], arrays["ids"]
    label = _grouped(xy, max(2, smallest))
    facets = workspace.facets(texts(ids))
    found = [
        _described(number, texts(ids[label == number]), xy[label == number], facets)
        for number in range(int(label.max(initial=-1)) + 1)
    ]
    summary = {"count": len(found), "alone": int((label < 0).sum()), "clusters": found}
    return workspace.ledger.record(
        STAGE, made.collection, parameters, [made.id], {"ids": ids, "label": label}, summary,
        time.perf_counter() - started,
    )  # fmt: skip


def strangers(workspace: Workspace, made: Derivation, count: int = 20) -> list[tuple[str, float]]:
    """Points like nothing else on the map: id and how many times lonelier than others.

    The loneliness of a point is the distance to its k-th neighbour in the features over the
    median of that distance among its neighbours.
    """
    arrays = workspace.ledger.arrays(made)
    rows, distances = neighbours(arrays["points"], _columns(made))
    reach = distances[:, -1]
    around = np.median(reach[rows[:, 1:]], axis=1)
    lonely = reach / np.where(around > 0, around, np.inf)
    order = np.argsort(-lonely, kind="stable")[:count]
    ids = texts(point_ids(arrays)[order])
    return [(one, float(score)) for one, score in zip(ids, lonely[order], strict=True)]


def near_duplicates(
    workspace: Workspace, made: Derivation, within: float = DUPLICATE
) -> list[Pair]:
    """Pairs of measurements on the map that are nearly the same, closest first."""
    arrays = workspace.ledger.arrays(made)
    rows, distances = neighbours(arrays["points"], _columns(made))
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
    return [Pair(ids[a], ids[b], distance) for (a, b), distance in ordered]


def _columns(made: Derivation) -> int:
    return min(int(made.parameters["n_neighbors"]) + 1, int(made.summary["count"]))


def _grouped(xy: Points, smallest: int) -> NDArray[np.int32]:
    """Cluster of each point, the largest cluster first, -1 for none."""
    from sklearn.cluster import HDBSCAN

    found = HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(xy)
    sizes = np.bincount(found[found >= 0])
    rank = np.empty(len(sizes) + 1, np.int32)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    rank[-1] = -1
    result: NDArray[np.int32] = rank[found]
    return result


def _described(
    label: int, ids: list[str], xy: Points, facets: Mapping[str, Facets]
) -> dict[str, Any]:
    shared = shared_facets((facets[one] for one in ids), facets.values())
    middle = np.linalg.norm(xy - np.median(xy, axis=0), axis=1).argmin()
    words = [str(one.value) for one in shared[:NAMED_BY]]
    return {
        "label": label, "name": ", ".join(words) or f"mixed {label + 1}", "count": len(ids),
        "representative": ids[int(middle)], "shared": [asdict(one) for one in shared],
    }  # fmt: skip
