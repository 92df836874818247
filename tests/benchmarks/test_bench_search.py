"""Filtered search and maps against their baselines in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness

from motif.analysis.projection import warm
from motif.analysis.projection.map_alignment import PreviousMap
from motif.analysis.projection.map_transform import MapTransform
from motif.analysis.projection.umap_layout import (
    PRESETS,
    lay_out,
    map_neighbours,
    neighbours,
    normalised,
    quality,
    reduce,
    trust,
)
from motif.analysis.search.nearest_index import NearestIndex

pytestmark = pytest.mark.benchmark

K = 50
QUERIES = 20
SELECTIVITIES = (1.0, 0.5, 0.05, 0.001)
Vectors = NDArray[np.float32]
Report = Callable[..., None]


def clustered(n: int, d: int, seed: int = 0) -> Vectors:
    """Two hundred clusters whose spread falls off along the axes."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((200, d), dtype=np.float32)
    spread = np.linspace(0.8, 0.1, d, dtype=np.float32)
    vectors = np.empty((n, d), np.float32)
    for start in range(0, n, 100_000):
        part = vectors[start : start + 100_000]
        part[:] = centres[rng.integers(0, 200, len(part))]
        part += spread * rng.standard_normal(part.shape, dtype=np.float32)
    return vectors


def timed(ask: Callable[[Vectors], object], queries: Vectors) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    ask(queries[0])
    seconds = []
    for query in queries:
        started = time.perf_counter()
        ask(query)
        seconds.append(1e3 * (time.perf_counter() - started))
    return float(np.median(seconds)), float(np.quantile(seconds, 0.95))


@pytest.fixture(scope="module", params=[(25_133, 512, 10.0), (1_000_000, 128, 40.0)])
def case(request: pytest.FixtureRequest) -> tuple[Vectors, Vectors, float]:
    n, d, limit = request.param
    vectors = clustered(n, d)
    rng = np.random.default_rng(1)
    queries = vectors[rng.integers(0, n, QUERIES)]
    return vectors, queries + 0.05 * rng.standard_normal(queries.shape, dtype=np.float32), limit


def test_filtered_top_50(case: tuple[Vectors, Vectors, float], report: Report) -> None:
    vectors, queries, limit = case
    n, d = vectors.shape
    squares = np.einsum("ij,ij->i", vectors, vectors)
    index, flat = NearestIndex(vectors), faiss.IndexFlatL2(d)
    flat.add(vectors)
    for selectivity in SELECTIVITIES:
        chosen = np.random.default_rng(2).random(n) < selectivity
        rows = np.flatnonzero(chosen)
        bitmap = np.packbits(chosen, bitorder="little")
        parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bitmap))

        def exact(query: Vectors, chosen: NDArray[np.bool_] = chosen) -> NDArray[np.int64]:
            values = np.where(chosen, squares - 2 * (vectors @ query), np.inf)
            best = np.argpartition(values, K)[:K]
            return best[np.argsort(values[best])]

        def planned(query: Vectors, rows: NDArray[np.int64] = rows) -> NDArray[np.int64]:
            return index.nearest(query, K, None if len(rows) == n else rows)[0]

        def flat_search(query: Vectors, parameters: object = parameters) -> object:
            return flat.search(query[None], K, params=parameters)

        hits = sum(len(np.intersect1d(exact(query), planned(query))) for query in queries)
        recall = hits / (len(queries) * min(K, len(rows)))
        ours, baseline = timed(planned, queries), timed(exact, queries)
        flat_times = timed(flat_search, queries)
        report(
            f"top {K} of {n:,} x {d}, filter leaves {selectivity:.1%}",
            route=index.plan(len(rows)), median_ms=round(ours[0], 2), p95_ms=round(ours[1], 2),
            recall=round(recall, 4), numpy_ms=round(baseline[0], 2),
            faiss_flat_ms=round(flat_times[0], 2), times_numpy=round(baseline[0] / ours[0], 1),
        )  # fmt: skip
        assert recall >= 0.99
        # Wall time on a shared machine says little by itself: the same load meets the baseline.
        assert ours[1] <= max(limit, baseline[1])


def test_unplanned_indices_lose_neighbours(
    case: tuple[Vectors, Vectors, float], report: Report
) -> None:
    """Why the planner never asks a graph or cells for their best guess under a filter."""
    vectors, queries, _ = case
    n, d = vectors.shape
    exact = NearestIndex(vectors)
    cells = faiss.index_factory(d, f"IVF{int(n**0.5) // 2},Flat")
    cells.train(vectors[:50_000])
    cells.add(vectors)
    others: list[tuple[str, faiss.Index, Callable[..., object]]] = [
        ("IVF nprobe 16", cells, lambda sel: faiss.SearchParametersIVF(nprobe=16, sel=sel))
    ]
    if n <= 100_000:  # a graph of a million takes many minutes to build
        graph = faiss.IndexHNSWFlat(d, 32)
        graph.add(vectors)
        others.append(
            ("HNSW ef 400", graph, lambda sel: faiss.SearchParametersHNSW(efSearch=400, sel=sel))
        )
    for selectivity in SELECTIVITIES:
        chosen = np.random.default_rng(2).random(n) < selectivity
        rows = np.flatnonzero(chosen)
        bits = np.packbits(chosen, bitorder="little")
        true = [exact.nearest(query, K, rows)[0] for query in queries]
        for name, index, parameters in others:
            asked = parameters(faiss.IDSelectorBitmap(bits))

            def ask(
                query: Vectors, index: faiss.Index = index, asked: object = asked
            ) -> NDArray[np.int64]:
                found: NDArray[np.int64] = index.search(query[None], K, params=asked)[1][0]
                return found

            hits = sum(
                len(np.intersect1d(ask(query), best))
                for query, best in zip(queries, true, strict=True)
            )
            median, p95 = timed(ask, queries)
            report(
                f"{name} of {n:,} x {d}, filter leaves {selectivity:.1%}",
                recall=round(hits / sum(map(len, true)), 3),
                median_ms=round(median, 2), p95_ms=round(p95, 2),
            )  # fmt: skip


def shapes(kind: str, n: int, d: int) -> Vectors:
    """Data without clusters: a sheet of few dimensions with noise, or nothing but noise."""
    rng = np.random.default_rng(0)
    if kind == "noise":
        return rng.standard_normal((n, d), dtype=np.float32)
    axes = rng.standard_normal((12, d), dtype=np.float32)
    vectors = rng.standard_normal((n, 12), dtype=np.float32) @ axes
    vectors += 0.3 * rng.standard_normal(vectors.shape, dtype=np.float32)
    return vectors


@pytest.mark.parametrize("kind", ["sheet", "noise"])
def test_data_without_clusters(kind: str, report: Report) -> None:
    vectors = shapes(kind, 1_000_000, 128)
    rng = np.random.default_rng(1)
    queries = vectors[rng.integers(0, len(vectors), QUERIES)]
    queries = queries + 0.05 * rng.standard_normal(queries.shape, dtype=np.float32)
    index = NearestIndex(vectors)
    index.nearest(queries[0], K)
    for selectivity in (1.0, 0.5, 0.05):
        chosen = np.random.default_rng(2).random(len(vectors)) < selectivity
        rows = None if selectivity == 1 else np.flatnonzero(chosen)

        def planned(query: Vectors, rows: NDArray[np.int64] | None = rows) -> object:
            return index.nearest(query, K, rows)

        def exact(query: Vectors, rows: NDArray[np.int64] | None = rows) -> object:
            return index.nearest(query, K, rows, "exact")

        ours, baseline = timed(planned, queries), timed(exact, queries)
        report(
            f"top {K} of a {kind}, filter leaves {selectivity:.1%}",
            route=index.plan(len(vectors) if rows is None else len(rows)),
            median_ms=round(ours[0], 2), p95_ms=round(ours[1], 2), exact_ms=round(baseline[0], 2),
        )  # fmt: skip
        assert ours[1] <= max(40.0, 2 * baseline[1])


def test_growth_and_memory(report: Report) -> None:
    """Extending does not depend on what is there; the bytes of 2M tell those of 10M."""
    vectors = clustered(2_000_000, 128)
    started = time.process_time()
    index = NearestIndex(vectors[:1_990_000])
    query = vectors[3] + np.float32(0.01)
    index.nearest(query, K)
    built = time.process_time() - started
    started = time.perf_counter()
    longer = index.extended(vectors)
    extended = time.perf_counter() - started
    ours = timed(lambda one: longer.nearest(one, K), vectors[:QUERIES])
    codes = longer._bytes()
    held = codes.size + 8 + 4 + 8 / len(vectors) * len(codes.aside)
    report(
        "growing 1,990,000 by 10,000", built_cpu_s=round(built, 1),
        extended_ms=round(1e3 * extended, 1), median_ms=round(ours[0], 2), p95_ms=round(ours[1], 2),
        bytes_a_row_in_memory=round(held, 1), bytes_a_row_on_disk=128 * 4 + 32,
        gib_at_10M=round(1e7 * (held + 128 * 4 + 32) / 2**30, 1),
    )  # fmt: skip
    assert 1e7 * (held + 128 * 4 + 32 + 16) / 2**30 < 24
    assert extended < built / 10


def processor_seconds(work: Callable[[], Vectors]) -> tuple[Vectors, float]:
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


@pytest.mark.parametrize(("n", "limit"), [(2_000, 4.0), (5_000, 9.0), (25_133, 30.0)])
def test_map_against_umap_default(n: int, limit: float, report: Report) -> None:
    vectors = clustered(n, 512)
    warm()

    def fast() -> Vectors:
        points = reduce(vectors).points
        return lay_out(points, neighbours(points, 46), PRESETS["fast"], seed=42)

    ours, seconds = processor_seconds(fast)
    sample = np.random.default_rng(0).permutation(n)[:2_000]
    features = normalised(vectors)[sample]
    figures: dict[str, object] = {
        "cpu_s": round(seconds, 2),
        "trustworthiness": round(trustworthiness(features, ours[sample], n_neighbors=15), 4),
    }
    if n <= 5_000:  # the default takes minutes beyond
        from umap import UMAP

        default = UMAP(metric="correlation", random_state=42, n_jobs=1)
        default.fit(vectors[:100])
        theirs, baseline = processor_seconds(lambda: default.fit_transform(vectors))
        figures["default_cpu_s"] = round(baseline, 2)
        figures["default_trustworthiness"] = round(
            trustworthiness(features, theirs[sample], n_neighbors=15), 4
        )
        figures["times_faster"] = round(baseline / seconds, 1)
    report(f"map of {n:,} x 512", **figures)
    assert seconds <= limit


@pytest.mark.parametrize("newcomers", [50, 500])
def test_a_refit_stays_put(newcomers: int, report: Report) -> None:
    n, k = 5_000, 15
    vectors = clustered(n + newcomers, 512)
    warm()
    first, every = reduce(vectors[:n]), reduce(vectors)
    old = lay_out(first.points, neighbours(first.points, 46), PRESETS["fast"], seed=42)
    near = neighbours(every.points, 46)
    before = PreviousMap("before", np.arange(n), old)

    def refit() -> Vectors:
        start = before.start(near[0], 42)
        laid = lay_out(every.points, near, PRESETS["fast"], seed=42, start=start)
        return before.settled(before.aligned(laid)[0], near[0][:, 1 : k + 1])[0]

    ours, seconds = processor_seconds(refit)
    afresh = lay_out(every.points, near, PRESETS["fast"], seed=42)
    turned, loose = before.aligned(afresh)
    extent = float(np.ptp(old, axis=0).max())
    moved = np.linalg.norm(ours[:n] - old, axis=1) / extent
    own = quality(normalised(vectors), ours, near[0], k, 0)
    free = quality(normalised(vectors), turned, near[0], k, 0)
    report(
        f"refit of {n:,} with {newcomers} new", cpu_s=round(seconds, 1),
        median_moved=round(float(np.median(moved)), 4),
        p95_moved=round(float(np.quantile(moved, 0.95)), 4),
        afresh_moved=round(float(np.nanmedian(loose)), 4),
        trustworthiness=own["trustworthiness"], afresh_trustworthiness=free["trustworthiness"],
    )  # fmt: skip
    assert np.median(moved) <= 0.02
    assert own["trustworthiness"] >= free["trustworthiness"] - 0.03


def test_placing_100_points(report: Report) -> None:
    vectors = clustered(25_233, 512)
    reduction = reduce(vectors[:25_133])
    nearest = neighbours(reduction.points, 46)
    xy = np.ascontiguousarray(reduction.points[:, :2])
    scale = nearest[1][:, 15]
    placer = MapTransform(reduction, xy, trust(map_neighbours(xy, 15), nearest[0]), scale, 15)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        placed = placer.transform(vectors[-100:])
        seconds.append(time.perf_counter() - started)
        assert len(placed.xy) == 100
    report("placing 100 points on a map of 25,133", seconds=round(min(seconds), 3))
    assert min(seconds) <= 0.1
