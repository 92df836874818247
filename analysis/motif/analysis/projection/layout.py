"""From feature vectors to a plane: PCA, exact neighbours, UMAP from a PCA start.

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
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

COMPONENTS = 50
EXACT_UP_TO = 200_000
"""Points up to which neighbours are exact; beyond, FAISS looks into the nearest cells only."""
GENTLE = 0.1
"""Learning rate from a start that is a map already: as good, and points move a third as far."""
FEWEST = 5
"""Points from which UMAP has something to optimise; fewer are laid out by PCA alone."""

Points: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """Parameters of UMAP. `epochs` 0 leaves their number to UMAP."""

    n_neighbors: int
    min_dist: float
    epochs: int


PRESETS: Mapping[str, Settings] = MappingProxyType(
    {
        # 200 epochs come within half a percent of the trustworthiness of UMAP's own 500.
        "fast": Settings(n_neighbors=15, min_dist=0.1, epochs=200),
        # Recursive maps of Nguyen et al.: five neighbours, correlation distance.
        "published": Settings(n_neighbors=5, min_dist=0.3, epochs=0),
    }
)


@dataclass(frozen=True)
class Reduction:
    """Vectors (n, d) as points (n, p) in a space new vectors can be carried into."""

    centre: Points
    """Mean of the normalised vectors (d,)."""
    axes: Points
    """Orthonormal axes (d, p)."""
    points: Points
    """Reduced vectors (n, p)."""

    def carry(self, vectors: Points) -> Points:
        """Reduce new vectors (m, d) one by one: what arrives together does not matter."""
        rows = [(row - self.centre) @ self.axes for row in normalised(vectors)]
        return np.array(rows, np.float32).reshape(len(vectors), self.axes.shape[1])


def normalised(vectors: Points) -> Points:
    """Centre each row and scale it to unit length; constant rows become zero."""
    centred = vectors - vectors.mean(1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    result: Points = (centred / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return result


def reduce(vectors: Points, components: int = COMPONENTS) -> Reduction:
    """PCA of the normalised vectors; the sign of each axis is fixed, so equal data agree."""
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


def neighbours(points: Points, k: int) -> tuple[NDArray[np.int32], Points]:
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
    squares, found = index.search(points, k)
    rows: NDArray[np.int32] = found.astype(np.int32)
    _put_self_first(rows, squares)
    distances: Points = np.sqrt(np.maximum(squares, 0), dtype=np.float32)
    return rows, distances


def _put_self_first(rows: NDArray[np.int32], squares: Points) -> None:
    # Among duplicates another row may come first, or k duplicates may push the row itself out.
    own = np.arange(len(rows), dtype=np.int32)
    for row in np.flatnonzero(rows[:, 0] != own):
        place = np.flatnonzero(rows[row] == row)
        at = int(place[0]) if len(place) else rows.shape[1] - 1
        rows[row, 1 : at + 1] = rows[row, :at]
        squares[row, 1 : at + 1] = squares[row, :at]
        rows[row, 0], squares[row, 0] = row, 0.0


def lay_out(
    points: Points,
    nearest: tuple[NDArray[np.int32], Points],
    settings: Settings,
    *,
    seed: int,
    dims: int = 2,
    start: Points | None = None,
    target: NDArray[np.int32] | None = None,
) -> Points:
    """Coordinates (n, dims) on the map; the same input gives the same bits.

    Args:
        points: reduced vectors (n, p) whose first axes are the PCA start.
        nearest: rows and distances from `neighbours`, itself first.
        settings: parameters of UMAP.
        seed: of its sampling of non-neighbours.
        dims: 2 or 3.
        start: coordinates to start from, e.g. of the map before; None for PCA.
        target: class of each point (n,), -1 where unknown, that draws its members together.
    """
    first = np.zeros((len(points), dims), np.float32)
    first[:, : min(dims, points.shape[1])] = points[:, :dims]
    if len(points) < FEWEST:
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
            learning_rate=1.0 if start is None else GENTLE,
            random_state=seed,
            n_jobs=1,
            precomputed_knn=(rows, distances),
            force_approximation_algorithm=True,
        )
        result: Points = fit.fit_transform(points, target)
    return np.asarray(result, np.float32)


def _spread(first: Points, seed: int) -> Points:
    """UMAP's own scaling of a start: ten units wide, and duplicates a hair apart."""
    scaled = first * (10.0 / max(float(np.abs(first).max()), 1e-12))
    noise = np.random.default_rng(seed).normal(scale=1e-4, size=first.shape)
    return (scaled + noise).astype(np.float32)


@cache
def warm() -> None:
    """Compile UMAP, once per process: some 17 seconds of processor time, kept out of requests."""
    points = np.random.default_rng(0).standard_normal((64, 8)).astype(np.float32)
    for dims in (2, 3):
        lay_out(points, neighbours(points, 15), PRESETS["fast"], seed=0, dims=dims)
    target = np.arange(64, dtype=np.int32) % 3
    lay_out(points, neighbours(points, 15), PRESETS["fast"], seed=0, target=target)
