"""Layout of feature vectors in a plane, by PCA and UMAP, and the quality of the result.

McInnes, Healy, Melville, "UMAP", arXiv:1802.03426. Row-centred vectors of unit length make
Euclidean distance a monotone function of correlation distance, so PCA is the only approximation.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np

from motif.analysis.arrays import Float32Array, Int32Array

COMPONENTS = 50
EXACT_UP_TO = 200_000
"""Points up to which neighbours are exact; beyond, FAISS searches the nearest cells only."""
REFINE_RATE = 0.1
"""Learning rate from a previous map: equally good, and points move a third as far."""
MIN_POINTS_UMAP = 5
"""Points from which UMAP has something to optimise; fewer are laid out by PCA alone."""
QUALITY_SAMPLE = 2_000
"""Points on which trustworthiness is measured; it needs all their distances."""
TRUST_FACTOR = 3
"""A neighbour on the map is true if it is among this many times k nearest in the features."""
_BLOCK = 8_192


@dataclass(frozen=True)
class UmapSettings:
    """Parameters of UMAP. `epochs` 0 leaves their number to UMAP."""

    n_neighbors: int
    min_dist: float
    epochs: int


PRESETS: Mapping[str, UmapSettings] = MappingProxyType(
    {
        # 200 epochs come within half a percent of the trustworthiness of UMAP's own 500.
        "fast": UmapSettings(n_neighbors=15, min_dist=0.1, epochs=200),
        # Recursive maps of Nguyen et al.: five neighbours, correlation distance.
        "published": UmapSettings(n_neighbors=5, min_dist=0.3, epochs=0),
    }
)


@dataclass(frozen=True)
class Reduction:
    """Vectors (n, d) reduced to points (n, p), and the axes that reduce new vectors."""

    centre: Float32Array
    """Mean of the normalised vectors (d,)."""
    axes: Float32Array
    """Orthonormal axes (d, p)."""
    points: Float32Array
    """Reduced vectors (n, p)."""

    def transform(self, vectors: Float32Array) -> Float32Array:
        """Reduce new vectors (m, d), each independently of the others."""
        rows = [(row - self.centre) @ self.axes for row in normalised(vectors)]
        return np.array(rows, np.float32).reshape(len(vectors), self.axes.shape[1])


def normalised(vectors: Float32Array) -> Float32Array:
    """Centre each row and scale it to unit length; constant rows become zero."""
    centred = vectors - vectors.mean(1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    result: Float32Array = (centred / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return result


def reduce(vectors: Float32Array, components: int = COMPONENTS) -> Reduction:
    """PCA of the normalised vectors; the sign of each axis is fixed, so that it is reproducible."""
    rows = normalised(vectors)
    centre = rows.mean(0)
    rows -= centre
    covariance = (rows.T @ rows).astype(np.float64)
    kept = min(components, *vectors.shape)
    axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :kept]
    largest = np.abs(axes).argmax(0)
    axes *= np.where(axes[largest, np.arange(kept)] < 0, -1.0, 1.0)
    axes = axes.astype(np.float32)
    return Reduction(centre, axes, np.ascontiguousarray(rows @ axes))


def neighbours(points: Float32Array, k: int) -> tuple[Int32Array, Float32Array]:
    """The k nearest rows of every row (n, k), itself first, and their distances."""
    import faiss

    n, d = points.shape
    if n <= EXACT_UP_TO:
        index: faiss.Index = faiss.IndexFlatL2(d)
    else:
        index = faiss.index_factory(d, f"IVF{4 * math.isqrt(n)},Flat")
        index.train(points[:: max(1, n // EXACT_UP_TO)])
        faiss.extract_index_ivf(index).nprobe = 32
    index.add(points)
    squares, nearest = index.search(points, k)
    rows: Int32Array = nearest.astype(np.int32)
    _put_self_first(rows, squares)
    distances: Float32Array = np.sqrt(np.maximum(squares, 0), dtype=np.float32)
    return rows, distances


def _put_self_first(rows: Int32Array, squares: Float32Array) -> None:
    # Among duplicates another row may come first, or k duplicates may push the row itself out.
    own = np.arange(len(rows), dtype=np.int32)
    for row in np.flatnonzero(rows[:, 0] != own):
        columns = np.flatnonzero(rows[row] == row)
        at = int(columns[0]) if len(columns) else rows.shape[1] - 1
        rows[row, 1 : at + 1] = rows[row, :at]
        squares[row, 1 : at + 1] = squares[row, :at]
        rows[row, 0], squares[row, 0] = row, 0.0


def lay_out(
    points: Float32Array,
    nearest: tuple[Int32Array, Float32Array],
    settings: UmapSettings,
    *,
    seed: int,
    dims: int = 2,
    start: Float32Array | None = None,
    target: Int32Array | None = None,
) -> Float32Array:
    """Coordinates (n, dims) on the map; the same input gives the same bits.

    Args:
        points: reduced vectors (n, p) whose first axes are the PCA start.
        nearest: rows and distances from `neighbours`, itself first.
        settings: parameters of UMAP.
        seed: of its sampling of non-neighbours.
        dims: 2 or 3.
        start: coordinates to start from, such as those of the previous map; None for PCA.
        target: class of each point (n,), -1 where unknown, that draws its members together.
    """
    first = np.zeros((len(points), dims), np.float32)
    first[:, : min(dims, points.shape[1])] = points[:, :dims]
    if len(points) < MIN_POINTS_UMAP:
        return first
    first = _spread(first, seed) if start is None else start
    # Numba compiles once for contiguous arrays and once more for any other.
    rows, distances = (np.ascontiguousarray(p[:, : settings.n_neighbors]) for p in nearest)
    with warnings.catch_warnings():
        # It warns that it brings no Tensorflow model and cannot place new points by itself.
        warnings.filterwarnings("ignore", category=ImportWarning, message="Tensorflow")
        warnings.filterwarnings("ignore", category=UserWarning, module="umap")
        from umap import UMAP

        fit = UMAP(
            n_neighbors=rows.shape[1],
            n_components=dims,
            min_dist=settings.min_dist,
            n_epochs=settings.epochs or None,
            init=first,
            learning_rate=1.0 if start is None else REFINE_RATE,
            random_state=seed,
            n_jobs=1,
            precomputed_knn=(rows, distances),
            force_approximation_algorithm=True,
        )
        result: Float32Array = fit.fit_transform(points, target)
    return np.asarray(result, np.float32)


def _spread(first: Float32Array, seed: int) -> Float32Array:
    """The scaling of a start by UMAP itself: ten units wide, duplicates slightly separated."""
    scaled = first * (10.0 / max(float(np.abs(first).max()), 1e-12))
    noise = np.random.default_rng(seed).normal(scale=1e-4, size=first.shape)
    return (scaled + noise).astype(np.float32)


@cache
def warm() -> None:
    """Compile UMAP once per process, before the first request: some 17 seconds of CPU time."""
    points = np.random.default_rng(0).standard_normal((64, 8)).astype(np.float32)
    for dims in (2, 3):
        lay_out(points, neighbours(points, 15), PRESETS["fast"], seed=0, dims=dims)
    target = np.arange(64, dtype=np.int32) % 3
    lay_out(points, neighbours(points, 15), PRESETS["fast"], seed=0, target=target)


def map_neighbours(xy: Float32Array, k: int) -> Int32Array:
    """Rows of the k points nearest on the map (n, k), without the point itself."""
    from scipy.spatial import cKDTree

    _, nearest = cKDTree(xy).query(xy, k + 1)
    own = np.arange(len(xy))[:, None]
    # Where duplicates hide the point itself, the last of the k + 1 goes.
    is_own = nearest == own
    is_own[~is_own.any(1), -1] = True
    result: Int32Array = nearest[~is_own].reshape(len(xy), k).astype(np.int32)
    return result


def neighbour_overlap(first: Int32Array, second: Int32Array) -> Float32Array:
    """Share (n,) of each row of `first` (n, k) that is in the same row of `second` (n, m)."""
    result = np.empty(len(first), np.float32)
    for start in range(0, len(first), _BLOCK):
        rows = slice(start, start + _BLOCK)
        same = first[rows][:, :, None] == second[rows][:, None, :]
        result[rows] = same.any(2).mean(1)
    return result


def trust(near_on_map: Int32Array, nearest: Int32Array) -> Float32Array:
    """Share of each point's k neighbours on the map that are among its 3k in the features."""
    return neighbour_overlap(near_on_map, nearest[:, 1 : TRUST_FACTOR * near_on_map.shape[1] + 1])


def quality(
    features: Float32Array, xy: Float32Array, nearest: Int32Array, k: int, seed: int
) -> dict[str, float]:
    """Quality of a map for its summary.

    * ``trustworthiness``: Venna & Kaski (2001), of at most `QUALITY_SAMPLE` points among
      themselves: 1 if every neighbour on the map is one in the features.
    * ``neighbourhood_preservation``: mean share of the k nearest in the features that are also
      the k nearest on the map.
    """
    from sklearn.manifold import trustworthiness

    n = len(xy)
    near = map_neighbours(xy, k)
    chosen = np.random.default_rng(seed).permutation(n)[:QUALITY_SAMPLE]
    measured = min(k, (len(chosen) - 1) // 2)
    value = trustworthiness(features[chosen], xy[chosen], n_neighbors=measured)
    return {
        "trustworthiness": round(float(value), 4),
        "neighbourhood_preservation": round(
            float(neighbour_overlap(near, nearest[:, 1 : k + 1]).mean()), 4
        ),
        "sample": len(chosen),
    }
