"""One byte a component, in cells: a quick scan whose answers are bounds, not guesses.

Vectors are turned onto their principal axes. The first axes are kept, the length of the rest
becomes one more component: by the triangle inequality no distance between such short vectors
exceeds that of the whole ones. Components are rounded to bytes on one common step, so FAISS
compares them in integers. What rounding adds is bounded by the largest rounding error, which is
known; what a byte cannot hold is kept aside.

Rows lie in cells around centres (k-means) whose radii are known, so a cell that lies farther
away than the answer so far is passed over whole. Either way what is left out is proved to lie
farther away.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import faiss


import zipfile
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from motif.analysis.search.candidates import Ids
from motif.core.records import content_id

Vectors: TypeAlias = NDArray[np.float32]
Rows: TypeAlias = NDArray[np.int64]
Bitmap: TypeAlias = NDArray[np.uint8]

SAMPLE = 20_000
"""Rows from which axes, step, cells and the number of axes are chosen."""
PROBES = 24
PLANNED = 50
"""Neighbours for which the number of axes is best."""
LANES = 16
"""Components FAISS compares at once."""
LEADING = 48
"""Axes by which cells are made; any cells are right, these are good enough to be small."""
ASIDE = 1e-3
"""Share of rows that may lie outside what a byte holds."""
ROUNDING = 1e-5
"""Relative error of sums of squares in float32, with room to spare."""
BLOCK = 1 << 16
KEPT = ("centre", "axes", "middle", "cells", "radii", "sizes")
"""Arrays that are kept with the bytes."""
THREADS = min(4, os.cpu_count() or 1)
WORTH_THREADS = 50_000
"""Rows to scan from which handing them to threads pays."""

# Nanoseconds on one core: a component scanned, a row scanned, a component compared exactly, a
# candidate kept.
SCAN_NS, ROW_NS, COMPARE_NS, KEEP_NS = 0.1, 1.0, 1.0, 20.0


class ByteCodes:
    """Bytes of vectors (n, d), in cells."""

    def __init__(self, vectors: Vectors, scales: Vectors | None = None) -> None:
        self._scales = scales
        self._count = len(vectors)
        spaced = vectors[:: max(1, len(vectors) // SAMPLE)]
        sample = self._scaled(spaced)
        self._centre: Vectors = sample.mean(0, dtype=np.float64).astype(np.float32)
        centred = (sample - self._centre).astype(np.float64)
        self._axes: Vectors = np.linalg.eigh(centred.T @ centred)[1][:, ::-1].astype(np.float32)
        turned = self._turned(spaced)
        self.size, self.share = _choose(turned, len(vectors))
        short = _shortened(turned, self.size)
        low, high = np.quantile(short, (ASIDE / 2, 1 - ASIDE / 2), axis=0)
        self._middle: Vectors = ((low + high) / 2).astype(np.float32)
        reach = np.quantile(np.abs(short - self._middle).max(1), 1 - ASIDE / 2)
        self.step = float(1.02 * reach / 127) or 1.0
        self.error = 0.0
        self._cells: Vectors = _centres(turned, max(1, math.isqrt(len(vectors)) // 2))
        self._radii: Vectors = np.zeros(len(self._cells), np.float32)
        aside: list[Rows] = []
        self._index = self._encoded(vectors, aside)
        self._sizes = np.array(
            [self._index.get_list_size(cell) for cell in range(len(self._cells))], np.int64
        )
        self.aside: Rows = np.concatenate([np.empty(0, np.int64), *aside])
        """Rows to compare exactly whatever their bytes say, ascending."""
        self._pool = _threads()

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything these bytes consist of, as arrays to keep."""
        import faiss

        arrays = {name: np.asarray(getattr(self, f"_{name}")) for name in KEPT}
        numbers = [self._count, self.size, self.share, self.step, self.error]
        return {
            **arrays, "numbers": np.array(numbers), "aside": self.aside,
            "index": np.asarray(faiss.serialize_index(self._index)),
        }  # fmt: skip

    @classmethod
    def of_state(
        cls, state: Mapping[str, NDArray[Any]], scales: Vectors | None = None
    ) -> ByteCodes:
        """The inverse of `state`, for the same scales."""
        import faiss

        codes = object.__new__(cls)
        codes._scales, codes._pool = scales, _threads()
        for name in KEPT:
            setattr(codes, f"_{name}", state[name])
        count, size, share, step, error = state["numbers"].tolist()
        codes._count, codes.size, codes.share = int(count), int(size), share
        codes.step, codes.error, codes.aside = step, error, state["aside"]
        index = faiss.deserialize_index(state["index"])
        if not isinstance(index, faiss.IndexIVFScalarQuantizer):
            raise ValueError("these bytes hold another index")
        codes._index = index
        return codes

    def __len__(self) -> int:
        return self._count

    def question(self, query: Vectors, chosen: Rows | None) -> CodedQuery:
        """A search for what is near `query` (d,) among the rows `chosen`, or all."""
        turned = self._turned(query[None])
        code, lost = self._code(turned)
        whole = self._cells - turned[0]
        offsets = np.sqrt(np.einsum("ij,ij->i", whole, whole))
        slack = ROUNDING * (offsets + self._radii)
        selector = None
        share = 1.0
        if chosen is not None:
            known = chosen[: np.searchsorted(chosen, self._count)]
            selector = bitmap(known, self._count)
            share = len(known) / max(1, self._count)
        reach = offsets - self._radii - slack
        return CodedQuery(self, code, float(lost[0]) + self.error, offsets, reach, selector, share)

    def top(self, code: Vectors, cells: Rows, wanted: int, chosen: Bitmap | None) -> Rows:
        """The `wanted` chosen rows of some cells whose bytes are nearest to `code` (1, size)."""
        import faiss

        cells, zeros = np.ascontiguousarray(cells), np.zeros(len(cells), np.float32)
        squares, rows = np.empty(wanted, np.float32), np.empty(wanted, np.int64)
        pointers = (faiss.swig_ptr(each) for each in (cells, zeros, squares, rows))
        # The Python wrapper of this method takes no parameters, hence no filter.
        self._index.search_preassigned_c(  # type: ignore[attr-defined]
            1, faiss.swig_ptr(code), wanted, *pointers, False, _parameters(len(cells), chosen)
        )
        return rows[rows >= 0]

    def reached(self, code: Vectors, cells: Rows, limit: float, chosen: Bitmap | None) -> Rows:
        """Chosen rows of some cells whose bytes lie within the square `limit` of `code`."""
        import faiss

        if not len(cells):
            return np.empty(0, np.int64)
        cells, zeros = np.ascontiguousarray(cells), np.zeros(len(cells), np.float32)
        result = faiss.RangeSearchResult(1)
        self._index.range_search_preassigned_c(  # type: ignore[attr-defined]
            1, faiss.swig_ptr(code), limit, faiss.swig_ptr(cells), faiss.swig_ptr(zeros), result,
            False, _parameters(len(cells), chosen),
        )  # fmt: skip
        count = int(faiss.rev_swig_ptr(result.lims, 2)[1])
        return np.array(faiss.rev_swig_ptr(result.labels, count))

    def _scaled(self, vectors: Vectors) -> Vectors:
        return np.asarray(vectors if self._scales is None else vectors * self._scales)

    def _turned(self, vectors: Vectors) -> Vectors:
        return np.asarray((self._scaled(vectors) - self._centre) @ self._axes)

    def _code(self, turned: Vectors) -> tuple[Vectors, NDArray[np.float64]]:
        """Bytes (n, size) as float32, and how far each row lies from what they stand for."""
        places = (_shortened(turned, self.size) - self._middle) / np.float32(self.step)
        code = np.clip(np.rint(places) + 128, 0, 255).astype(np.float32)
        lost = self.step * np.linalg.norm(code - 128 - places, axis=1).astype(np.float64)
        # The turn itself is rounded in proportion to the length turned.
        return code, lost * (1 + ROUNDING) + ROUNDING * np.linalg.norm(turned, axis=1)

    def _encoded(self, vectors: Vectors, aside: list[Rows]) -> faiss.IndexIVFScalarQuantizer:
        import faiss

        near = faiss.IndexFlatL2(min(LEADING, vectors.shape[1]))
        near.add(np.ascontiguousarray(self._cells[:, :LEADING]))
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatL2(self.size), self.size, len(self._cells),
            faiss.ScalarQuantizer.QT_8bit_direct, faiss.METRIC_L2, False,
        )  # fmt: skip
        index.is_trained = True
        within = 0.51 * self.step * math.sqrt(self.size)
        for first, block in _blocks(vectors):
            turned = self._turned(block)
            code, lost = self._code(turned)
            fits = lost <= within + 2 * ROUNDING * np.linalg.norm(turned, axis=1)
            self.error = max(self.error, float(lost[fits].max(initial=0.0)))
            aside.append(np.flatnonzero(~fits) + first)
            cells = near.search(np.ascontiguousarray(turned[:, :LEADING]), 1)[1][:, 0]
            offsets = np.linalg.norm(turned - self._cells[cells], axis=1)
            np.maximum.at(self._radii, cells, offsets)
            rows = np.arange(first, first + len(block))
            code = np.ascontiguousarray(code)
            pointers = (faiss.swig_ptr(each) for each in (code, rows, cells))
            index.add_core(len(block), *pointers)
        return index


class CodedQuery:
    """One search through the bytes: first a few cells, then all that may hold an answer."""

    def __init__(
        self,
        codes: ByteCodes,
        code: Vectors,
        lost: float,
        offsets: Vectors,
        reach: Vectors,
        selector: Bitmap | None,
        share: float,
    ) -> None:
        self._codes, self._code, self._lost = codes, code, lost
        self._selector, self._share = selector, share
        self._reach = reach
        self._order = np.argsort(offsets)

    def nearby(self, wanted: int, rows: int) -> Rows:
        """About the `wanted` nearest rows of the nearest cells that hold `rows` of the chosen."""
        held = np.cumsum(self._codes._sizes[self._order]) * self._share
        cells = self._order[: int(np.searchsorted(held, rows)) + 1]
        codes = self._codes
        return codes._pool.submit(codes.top, self._code, cells, wanted, self._selector).result()

    def reaching(self, distance: float) -> int:
        """About how many of the chosen rows lie in cells that reach within `distance`."""
        return int(self._codes._sizes[self._reach <= distance].sum() * self._share)

    def within(self, distance: float) -> Rows:
        """Every chosen row that may lie within `distance`, and maybe others."""
        limit = float(((distance + self._lost) / self._codes.step) ** 2 * (1 + ROUNDING) + 1)
        cells = self._order[self._reach[self._order] <= distance]

        codes = self._codes
        count = THREADS if codes._sizes[cells].sum() >= WORTH_THREADS else 1
        scans = [
            codes._pool.submit(
                codes.reached, self._code, cells[start::count], limit, self._selector
            )
            for start in range(count)
        ]
        return np.concatenate([scan.result() for scan in scans])


def _threads() -> ThreadPoolExecutor:
    """Threads for scans, a single one too: FAISS's own wait for each other by spinning."""
    return ThreadPoolExecutor(THREADS, initializer=_alone)


def _parameters(cells: int, chosen: Bitmap | None) -> faiss.SearchParametersIVF:
    import faiss

    if chosen is None:
        return faiss.SearchParametersIVF(nprobe=cells)  # type: ignore[call-arg]
    # FAISS's stubs describe the C++ signatures, not these Python ones.
    selector = faiss.IDSelectorBitmap(chosen)  # type: ignore[call-arg, arg-type]
    return faiss.SearchParametersIVF(nprobe=cells, sel=selector)  # type: ignore[call-arg]


def _blocks(vectors: Vectors) -> Iterator[tuple[int, Vectors]]:
    for first in range(0, len(vectors), BLOCK):
        yield first, vectors[first : first + BLOCK]


def _shortened(turned: Vectors, size: int) -> Vectors:
    """The leading components (n, size), the last of them the length of what is left out."""
    _, d = turned.shape
    if size >= d:
        return np.pad(turned, ((0, 0), (0, size - d)))
    rest = np.linalg.norm(turned[:, size - 1 :], axis=1, keepdims=True)
    return np.hstack([turned[:, : size - 1], rest])


def _centres(turned: Vectors, count: int) -> Vectors:
    """Centres of cells (count, d): k-means along the leading axes, means along the others."""
    import faiss

    leading = np.ascontiguousarray(turned[:, :LEADING])
    if len(turned) <= count:
        return np.array(turned)
    means = faiss.Kmeans(
        leading.shape[1], count, niter=6, seed=0, min_points_per_centroid=1,
        max_points_per_centroid=SAMPLE,
    )  # fmt: skip
    means.train(leading)
    nearest = means.index.search(leading, 1)[1][:, 0]
    totals = np.zeros((count, turned.shape[1]))
    np.add.at(totals, nearest, turned)
    sizes = np.bincount(nearest, minlength=count)
    result = (totals / np.maximum(sizes, 1)[:, None]).astype(np.float32)
    return np.ascontiguousarray(result[sizes > 0])


def _choose(turned: Vectors, n: int) -> tuple[int, float]:
    """Components that make a scan of `n` such rows cheapest, and the share of candidates then."""
    d = turned.shape[1]
    probes = np.linspace(0, len(turned) - 1, min(PROBES, len(turned))).astype(int)
    rank = min(max(1, round(PLANNED * len(turned) / n)), len(turned) - 1)
    nearest = np.partition(_distances_to_probes(turned, probes), rank, axis=1)[:, rank]
    whole = -(-d // LANES) * LANES
    best, least, kept = whole, np.inf, 1.0
    for size in range(LANES, whole + 1, LANES):
        short = _shortened(turned, size)
        rounding = 2 * np.abs(short).max(1).mean() / 127 * math.sqrt(size / 12)
        share = float((_distances_to_probes(short, probes) <= (nearest + rounding)[:, None]).mean())
        candidates = share * (d * COMPARE_NS + KEEP_NS)
        cost = n * (size * SCAN_NS + ROW_NS + candidates)
        if cost < least:
            best, least, kept = size, cost, share
    return best, kept


def _distances_to_probes(rows: Vectors, probes: NDArray[np.int_]) -> Vectors:
    """Distances (p, n) of some rows from all."""
    squares = np.einsum("ij,ij->i", rows, rows)
    both = squares[probes][:, None] + squares - 2 * rows[probes] @ rows.T
    return np.asarray(np.sqrt(np.maximum(both, 0)))


def bitmap(rows: Rows, n: int) -> Bitmap:
    """One bit a row (n), set for `rows`, as FAISS reads it."""
    mask = np.zeros(-(-n // 8) * 8, bool)
    mask[rows] = True
    return np.packbits(mask, bitorder="little")


def _alone() -> None:
    """Cells are shared out among our threads: FAISS's own would compete with them."""
    import faiss

    faiss.omp_set_num_threads(1)


WORTH = 20_000_000
"""Components from which making bytes takes longer than reading them."""


@dataclass(frozen=True)
class ByteCodeFile:
    """Where the bytes of a space lie under some scales."""

    path: Path
    ids: Ids
    """Of the rows of the space (n,)."""

    def read(self, scales: Vectors | None) -> ByteCodes | None:
        """Bytes of the first rows; None where none are kept that fit."""
        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                state = dict(file)
            codes = ByteCodes.of_state(state, scales)
        except (OSError, ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile):
            return None
        fits = len(codes) <= len(self.ids) and str(state["digest"]) == self._digest(len(codes))
        return codes if fits else None

    def write(self, codes: ByteCodes) -> None:
        """Keep these bytes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{uuid4().hex}.npz")
        state = {"digest": np.array(self._digest(len(codes))), **codes.state()}
        np.savez(draft, allow_pickle=False, **state)
        os.replace(draft, self.path)

    def _digest(self, count: int) -> str:
        return content_id(np.ascontiguousarray(self.ids[:count]).tobytes())
