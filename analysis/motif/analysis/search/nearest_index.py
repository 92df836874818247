"""Exact nearest neighbours under any filter, by the cheapest of three routes.

* ``gather``: copy the chosen vectors and compare them all: best when a filter leaves few.
* ``exact``: compare with every vector by one matrix product: best for small collections.
* ``quantised``: scan short vectors of bytes in cells (`motif.analysis.search.byte_codes`), limited
to
  the filter by a bitmap: first the nearest cells, which tell how far to look, then every cell that
  reaches so near. Bytes and cells give lower bounds, so the candidates hold the exact answer.

Graph and cell indices (HNSW, IVF) are left out on purpose: under a filter that leaves one in a
thousand they find less than half of the true neighbours.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.analysis.search.byte_codes import (
    BLOCK,
    ROUNDING,
    WORTH,
    ByteCodeFile,
    ByteCodes,
    Rows,
    Vectors,
)
from motif.analysis.search.computed_cache import ComputedCache
from motif.analysis.search.feature_space import Space
from motif.core.records import content_id

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

Route: TypeAlias = Literal["gather", "exact", "quantised"]
Answer: TypeAlias = tuple[Rows, NDArray[np.float64]]

# Measured on one core, in nanoseconds: per component compared, per row looked at.
GATHER_NS = 0.6
EXACT_NS = 0.2
QUANTISED_NS, SELECTOR_NS = 0.05, 2.0
CANDIDATE_NS = 1.2
QUESTION_NS = 600_000
"""What asking the bytes costs however few there are."""
QUANTISE_FROM = 4_000_000
"""Components from which bytes are worth the time (5 ns each) and memory they take."""

WIDEN = 4
"""Rows compared exactly for every neighbour wanted, to know how far away the last may lie."""
MANY = 100_000
"""Rows in reach from which it pays to look twice for how far to look."""
ENOUGH = 20
"""Rows for every neighbour wanted that the cells looked into first should hold."""
LOOSE = 16
"""One row in this many may come after the bytes were made, before they are computed again."""


class NearestIndex:
    """Vectors (n, d) by row, compared by weighted Euclidean distance. Threads may share one.

    Args:
        vectors: rows to search, float32; a memory-mapped array stays on disk.
        scales: factor of each component (d,); None for one.
        file: where bytes of these rows are kept, if they are.
    """

    def __init__(
        self, vectors: Vectors, scales: Vectors | None = None, file: ByteCodeFile | None = None
    ) -> None:
        if vectors.ndim != 2:
            raise ValueError(f"vectors need the shape (n, d), not {vectors.shape}")
        self.vectors: Vectors = np.ascontiguousarray(vectors, np.float32)
        plain = scales is None or bool((scales == 1).all())
        self._scales = None if plain else np.asarray(scales, np.float32)
        self._squares = self._lengths(0)
        self._lock = Lock()
        self._codes: ByteCodes | None = None
        self._file = file

    def __len__(self) -> int:
        return len(self.vectors)

    def extended(self, vectors: Vectors, file: ByteCodeFile | None = None) -> NearestIndex:
        """An index of `vectors`, which begin with the rows of this one; only the rest is read."""
        longer = object.__new__(NearestIndex)
        longer.vectors = np.ascontiguousarray(vectors, np.float32)
        longer._scales, longer._lock = self._scales, Lock()
        longer._squares = np.concatenate([self._squares, longer._lengths(len(self))])
        longer._codes = self._codes if _covers(self._codes, len(vectors)) else None
        longer._file = file
        return longer

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
            size, share = (d, 0.0) if self._codes is None else (self._codes.size, self._codes.share)
            each = size * QUANTISED_NS + share * d * CANDIDATE_NS
            costs["quantised"] = chosen * each + n * SELECTOR_NS * (chosen < n) + QUESTION_NS
        return min(costs, key=lambda route: costs[route])

    def _lengths(self, start: int) -> Vectors:
        """Squared lengths of the rows from `start` on."""
        parts = [np.empty(0, np.float32)]
        for first in range(start, len(self.vectors), BLOCK):
            block = self.vectors[first : first + BLOCK]
            block = block if self._scales is None else block * self._scales
            parts.append(np.einsum("ij,ij->i", block, block))
        return np.concatenate(parts)

    def _compared(self, query: Vectors, k: int, rows: Rows | None, *, gather: bool) -> Rows:
        """Rows that may be among the k nearest, by |x|² - 2xq in float32 and its rounding."""
        scaled = query if self._scales is None else query * self._scales
        towards = query if self._scales is None else scaled * self._scales
        if rows is None:
            squares, products = self._squares, self.vectors @ towards
        elif gather:
            squares = self._squares[rows]
            starts = range(0, len(rows), BLOCK)
            parts = [self.vectors[rows[start : start + BLOCK]] @ towards for start in starts]
            products = np.concatenate(parts)
        else:
            squares, products = self._squares[rows], (self.vectors @ towards)[rows]
        values = squares - 2.0 * products
        slack = np.float32(ROUNDING) * (squares + float(scaled @ scaled))
        kth = np.partition(values + slack, k - 1)[k - 1]
        found = np.flatnonzero(values - slack <= kth)
        return found if rows is None else rows[found]

    def _quantised(self, query: Vectors, k: int, rows: Rows | None) -> Answer | None:
        """The k nearest, or None where too few are near to tell where to stop."""
        codes = self._bytes()
        asked = codes.question(query, rows)
        exactly = self._screened(query, k, self._unscanned(codes, rows))
        near = asked.nearby(WIDEN * k, ENOUGH * k)
        best = self._ranked(query, k, np.union1d(near, exactly))[1]
        if len(best) < k:
            return None
        many = asked.reaching(float(best[-1]))
        if many > MANY:  # a look at more of them spares comparing most
            near = asked.nearby(WIDEN * k, many // 16)
            best = self._ranked(query, k, np.union1d(near, exactly))[1]
        candidates = asked.within(float(best[-1]) * (1 + ROUNDING))
        candidates = np.concatenate([self._screened(query, k, candidates), exactly])
        return self._ranked(query, k, np.unique(candidates))

    def _screened(self, query: Vectors, k: int, candidates: Rows) -> Rows:
        """Those of many candidates that are among the k nearest up to rounding."""
        if len(candidates) <= ENOUGH * k:
            return candidates
        return self._compared(query, k, candidates, gather=True)

    def _bytes(self) -> ByteCodes:
        with self._lock:
            if self._codes is None:
                self._codes = self._kept() or self._made()
            return self._codes

    def _kept(self) -> ByteCodes | None:
        codes = None if self._file is None else self._file.read(self._scales)
        return codes if _covers(codes, len(self)) else None

    def _made(self) -> ByteCodes:
        codes = ByteCodes(self.vectors, self._scales)
        if self._file is not None and self.vectors.size >= WORTH:
            self._file.write(codes)
        return codes

    def _unscanned(self, codes: ByteCodes, rows: Rows | None) -> Rows:
        """Rows the bytes say nothing of: those set aside, and those that came later."""
        later = np.arange(len(codes), len(self))
        if rows is None:
            return np.concatenate([codes.aside, later])
        places = np.searchsorted(rows, codes.aside)
        places[places == len(rows)] = 0
        aside = codes.aside[rows[places] == codes.aside]
        return np.concatenate([aside, rows[np.searchsorted(rows, len(codes)) :]])

    def _ranked(self, query: Vectors, k: int, candidates: Rows) -> Answer:
        candidates = np.sort(candidates)
        distances = np.empty(len(candidates))
        for start in range(0, len(candidates), BLOCK):
            difference = self.vectors[candidates[start : start + BLOCK]].astype(np.float64) - query
            if self._scales is not None:
                difference *= self._scales
            distances[start : start + BLOCK] = np.sqrt(
                np.einsum("ij,ij->i", difference, difference)
            )
        order = np.argsort(distances, kind="stable")[:k]
        return candidates[order], distances[order]


def _covers(codes: ByteCodes | None, rows: int) -> bool:
    """Whether few enough of the rows came after the bytes were made."""
    return codes is not None and (rows - len(codes)) * LOOSE <= rows


class GrowingIndex:
    """The newest index of one method of features."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: tuple[Space, NearestIndex] | None = None

    def of(self, space: Space, scales: Vectors, path: Path) -> NearestIndex:
        """An index of the space's vectors, extended from the one before where it may be."""
        file = ByteCodeFile(path, space.ids)
        with self._lock:
            if self._held is None or not _begins(space, self._held[0]):
                index = NearestIndex(space.vectors, scales, file)
            elif len(space.ids) == len(self._held[0].ids):
                index = self._held[1]
            else:
                index = self._held[1].extended(space.vectors, file)
            if self._held is None or self._held[0] is not space:
                self._held = (space, index)
            return index


_indices: ComputedCache[GrowingIndex] = ComputedCache(4)


def index_of(workspace: Workspace, collection: str, space: Space, scales: Vectors) -> NearestIndex:
    """The index of a collection's space under these scales (d,)."""
    key = (str(workspace.root), collection, space.method, content_id(scales.tobytes()))
    path = workspace.cache / "codes" / f"{content_id(*key[1:])}.npz"
    return _indices.get(key, GrowingIndex).of(space, scales, path)


def _begins(space: Space, before: Space) -> bool:
    """Whether the rows of `before` are the first of `space`."""
    if space is before:
        return True
    n = len(before.ids)
    return len(space.ids) >= n and bool(np.array_equal(space.ids[:n], before.ids))
