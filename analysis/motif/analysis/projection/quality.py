"""How far to believe a map: per point, and as two numbers for the whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motif.analysis.projection.layout import Points

SAMPLE = 2_000
"""Points on which trustworthiness is measured; it needs all their distances."""
WIDER = 3
"""A neighbour on the map is true when it is among this many times k nearest in the features."""
_BLOCK = 8_192

Rows = NDArray[np.int32]


def map_neighbours(xy: Points, k: int) -> Rows:
    """Rows of the k points nearest on the map (n, k), the point itself left out."""
    from scipy.spatial import cKDTree

    _, found = cKDTree(xy).query(xy, k + 1)
    own = np.arange(len(xy))[:, None]
    # Where duplicates hide the point itself, the last of the k + 1 goes.
    is_own = found == own
    is_own[~is_own.any(1), -1] = True
    result: Rows = found[~is_own].reshape(len(xy), k).astype(np.int32)
    return result


def shared(first: Rows, second: Rows) -> NDArray[np.float32]:
    """Share of each row of `first` (n, k) that the same row of `second` (n, m) holds."""
    result = np.empty(len(first), np.float32)
    for start in range(0, len(first), _BLOCK):
        one, other = first[start : start + _BLOCK], second[start : start + _BLOCK]
        result[start : start + _BLOCK] = (one[:, :, None] == other[:, None, :]).any(2).mean(1)
    return result


def trust(near_on_map: Rows, nearest: Rows) -> NDArray[np.float32]:
    """Share of each point's k neighbours on the map that are among its 3k in the features."""
    return shared(near_on_map, nearest[:, 1 : WIDER * near_on_map.shape[1] + 1])


def quality(features: Points, xy: Points, nearest: Rows, k: int, seed: int) -> dict[str, float]:
    """Quality of a map for its summary.

    * ``trustworthiness``: Venna & Kaski (2001), of at most `SAMPLE` points among themselves:
      1 when no neighbour on the map is a stranger in the features.
    * ``neighbourhood_preservation``: mean share of the k nearest in the features that are also
      the k nearest on the map.
    """
    from sklearn.manifold import trustworthiness

    n = len(xy)
    near = map_neighbours(xy, k)
    chosen = np.random.default_rng(seed).permutation(n)[:SAMPLE]
    measured = min(k, (len(chosen) - 1) // 2)
    value = trustworthiness(features[chosen], xy[chosen], n_neighbors=measured)
    return {
        "trustworthiness": round(float(value), 4),
        "neighbourhood_preservation": round(float(shared(near, nearest[:, 1 : k + 1]).mean()), 4),
        "sample": len(chosen),
    }
