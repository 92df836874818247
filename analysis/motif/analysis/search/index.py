"""Exact nearest neighbours under any filter, by the cheapest of three routes.

* ``gather``: copy the chosen vectors and compare them all: best when a filter leaves few.
* ``exact``: compare with every vector by one matrix product: best for small collections.
* ``quantised``: scan one byte a component (FAISS SQ8, limited to the filter by a bitmap), then
  compare the candidates exactly. The rounding error of a byte is bounded, so the answer is proved
  to be the exact one, or the candidates are widened until it is.

Graph and cell indices (HNSW, IVF) are left out on purpose: under a filter that leaves one in a
thousand they find less than half of the true neighbours.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import faiss

Route: TypeAlias = Literal["gather", "exact", "quantised"]
Vectors: TypeAlias = NDArray[np.float32]
Rows: TypeAlias = NDArray[np.int64]
Answer: TypeAlias = tuple[Rows, NDArray[np.float64]]

# Measured on one core, in nanoseconds: per component compared, per row looked at.
GATHER_NS = 0.6
EXACT_NS = 0.3
QUANTISED_NS, SELECTOR_NS = 0.15, 1.5
QUANTISE_FROM = 32_000_000
"""Components from which a byte index is worth the time (3 ns each) and memory it takes."""

WIDEN = 4
ROUNDING = 1e-5
"""Relative error of sums of squares in float32, with room to spare."""
_SHARDS = min(4, os.cpu_count() or 1)
_BLOCK = 1 << 16


class Index:
    """Vectors (n, d) by row, compared by Euclidean distance. Threads may share one index."""

    def __init__(self, vectors: Vectors) -> None:
        if vectors.ndim != 2:
            raise ValueError(f"vectors need the shape (n, d), not {vectors.shape}")
        self.vectors: Vectors = np.ascontiguousarray(vectors, np.float32)
        self._squares = np.einsum("ij,ij->i", self.vectors, self.vectors)
        self._lock = Lock()
        self._bytes: _Bytes | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    def nearest(
        self, query: Vectors, k: int, rows: Rows | None = None, route: Route | None = None
    ) -> Answer:
        """The `k` rows closest to `query` (d,), nearest first, equal ones in row order.

        Args:
            query: the vector to compare with.
            k: how many; all of `rows` where these are fewer.
            rows: rows that pass the filter, ascending; None for all.
            route: how to search; None lets the planner choose. The answer is the same.

        Returns:
            Rows (m,) and distances (m,).
        """
        if query.shape != self.vectors.shape[1:]:
            raise ValueError(f"query has shape {query.shape}, vectors {self.vectors.shape[1:]}")
        query = np.ascontiguousarray(query, np.float32)
        chosen = len(self) if rows is None else len(rows)
        k = min(k, chosen)
        if k == 0:
            return np.empty(0, np.int64), np.empty(0)
        route = route or self.plan(chosen)
        found = self._quantised(query, k, rows) if route == "quantised" else None
        if found is None:
            candidates = self._compared(query, k, rows, gather=route == "gather")
            found = self._ranked(query, k, candidates)
        return found

    def plan(self, chosen: int) -> Route:
        """The cheapest route when a filter leaves `chosen` rows."""
        n, d = self.vectors.shape
        costs: dict[Route, float] = {"exact": n * d * EXACT_NS}
        if chosen < n:
            costs["gather"] = chosen * d * GATHER_NS
        if n * d >= QUANTISE_FROM:
            costs["quantised"] = chosen * d * QUANTISED_NS + n * SELECTOR_NS * (chosen < n)
        return min(costs, key=lambda route: costs[route])

    def _compared(self, query: Vectors, k: int, rows: Rows | None, *, gather: bool) -> Rows:
        """Rows that may be among the k nearest, by |x|² - 2xq in float32 and its rounding."""
        if rows is None:
            squares, products = self._squares, self.vectors @ query
        elif gather:
            squares = self._squares[rows]
            starts = range(0, len(rows), _BLOCK)
            parts = [self.vectors[rows[start : start + _BLOCK]] @ query for start in starts]
            products = np.concatenate(parts)
        else:
            squares, products = self._squares[rows], (self.vectors @ query)[rows]
        values = squares - 2.0 * products
        slack = np.float32(ROUNDING) * (squares + float(query @ query))
        kth = np.partition(values + slack, k - 1)[k - 1]
        found = np.flatnonzero(values - slack <= kth)
        return found if rows is None else rows[found]

    def _quantised(self, query: Vectors, k: int, rows: Rows | None) -> Answer | None:
        """The k nearest, or None where bytes are too coarse for these data."""
        with self._lock:
            if self._bytes is None:
                self._bytes = _Bytes(self.vectors)
        chosen = len(self) if rows is None else len(rows)
        bitmap = None if rows is None else _bitmap(rows, len(self))
        wanted = WIDEN * k
        while wanted <= max(chosen // WIDEN, 1):
            candidates, farthest = self._bytes.search(query, wanted, bitmap)
            found = self._ranked(query, k, candidates)
            # Whatever was left out lies at least `farthest` less the rounding error away.
            if farthest - self._bytes.error > found[1][-1] * (1 + ROUNDING):
                return found
            wanted *= WIDEN
        return None

    def _ranked(self, query: Vectors, k: int, candidates: Rows) -> Answer:
        candidates = np.sort(candidates)
        distances = np.empty(len(candidates))
        for start in range(0, len(candidates), _BLOCK):
            apart = self.vectors[candidates[start : start + _BLOCK]].astype(np.float64) - query
            distances[start : start + _BLOCK] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
        order = np.argsort(distances, kind="stable")[:k]
        return candidates[order], distances[order]


class _Bytes:
    """One byte a component, in shards that threads scan side by side."""

    def __init__(self, vectors: Vectors) -> None:
        n = len(vectors)
        low, high = vectors.min(0), vectors.max(0)
        # Half a step in every component, and the rounding of FAISS's own float32 arithmetic.
        steps = (high - low).astype(np.float64) / 255
        reach = np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
        self.error = float(0.51 * np.linalg.norm(steps) + ROUNDING * np.linalg.norm(reach))
        size = -(-n // (_SHARDS * 8)) * 8  # a whole number of bitmap bytes
        self._starts = range(0, n, size)
        self._size = size
        self._shards: Sequence[faiss.IndexScalarQuantizer] = [
            _shard(vectors[start : start + size], np.stack([low, high])) for start in self._starts
        ]
        count = len(self._shards)
        self._pool = ThreadPoolExecutor(count, initializer=_alone) if count > 1 else None

    def search(
        self, query: Vectors, k: int, bitmap: NDArray[np.uint8] | None
    ) -> tuple[Rows, float]:
        """About the k nearest rows, and the distance beyond which some may be missing."""

        def scan(number: int) -> tuple[Rows, NDArray[np.float32]]:
            return self._scan(number, query, k, bitmap)

        numbers = range(len(self._shards))
        parts = list(self._pool.map(scan, numbers) if self._pool else map(scan, numbers))
        rows = np.concatenate([part[0] for part in parts])
        squares = np.concatenate([part[1] for part in parts])
        if len(rows) > k:
            kept = np.argpartition(squares, k - 1)[:k]
            rows, squares = rows[kept], squares[kept]
        return rows, float(np.sqrt(squares.max(initial=0.0)))

    def _scan(
        self, number: int, query: Vectors, k: int, bitmap: NDArray[np.uint8] | None
    ) -> tuple[Rows, NDArray[np.float32]]:
        import faiss

        shard, start = self._shards[number], self._starts[number]
        parameters = None
        if bitmap is not None:
            part = np.ascontiguousarray(bitmap[start // 8 : (start + self._size) // 8])
            # FAISS's stubs describe the C++ signatures, not these Python ones.
            selector = faiss.IDSelectorBitmap(part)  # type: ignore[call-arg, arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        squares, rows = shard.search(query[None], min(k, shard.ntotal), params=parameters)
        valid = rows[0] >= 0
        return rows[0][valid] + start, squares[0][valid]


def _alone() -> None:
    """The shards are the parallelism: FAISS's own threads would compete with them."""
    import faiss

    faiss.omp_set_num_threads(1)


def _shard(vectors: Vectors, extremes: Vectors) -> faiss.IndexScalarQuantizer:
    import faiss

    kind = faiss.ScalarQuantizer.QT_8bit
    shard = faiss.IndexScalarQuantizer(vectors.shape[1], kind, faiss.METRIC_L2)
    shard.train(extremes)  # the ends of every component, so that nothing is clipped
    shard.add(vectors)
    return shard


def _bitmap(rows: Rows, n: int) -> NDArray[np.uint8]:
    mask = np.zeros(-(-n // 8) * 8, bool)
    mask[rows] = True
    return np.packbits(mask, bitorder="little")
