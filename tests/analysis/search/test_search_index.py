"""The index answers as brute force does, whatever the filter, the data and the route."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from motif.analysis.search.nearest_index import QUANTISE_FROM, NearestIndex, Route


def brute_force(
    vectors: NDArray[np.float32], query: NDArray[np.float32], k: int, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    distances = np.linalg.norm(vectors[rows].astype(np.float64) - query, axis=1)
    order = np.argsort(distances, kind="stable")[:k]
    return rows[order], distances[order]


def data(kind: str, n: int, d: int, seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, d))
    if kind == "far from zero":
        vectors = vectors * 1e-3 + 100
    elif kind == "outlier":
        vectors[0] *= 1e4
    elif kind == "duplicates":
        vectors = vectors[rng.integers(0, max(1, n // 4), n)]
    elif kind == "constant":
        vectors = np.ones((n, d))
    return vectors.astype(np.float32)


KINDS = ("plain", "far from zero", "outlier", "duplicates", "constant")


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    n=st.integers(1, 300),
    d=st.integers(1, 20),
    k=st.integers(0, 60),
    share=st.sampled_from([None, 0.0, 0.01, 0.3, 1.0]),
    route=st.sampled_from([None, *get_args(Route)]),
    seed=st.integers(0, 1000),
)
def test_nearest_is_brute_force(
    kind: str, n: int, d: int, k: int, share: float | None, route: Route | None, seed: int
) -> None:
    vectors = data(kind, n, d, seed)
    rng = np.random.default_rng(seed)
    query = vectors[rng.integers(n)] + rng.choice([0.0, 0.1]) * rng.standard_normal(d)
    query = query.astype(np.float32)
    rows = None if share is None else np.flatnonzero(rng.random(n) < share)
    found, distances = NearestIndex(vectors).nearest(query, k, rows, route)
    every = np.arange(n) if rows is None else rows
    expected, expected_distances = brute_force(vectors, query, k, every)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(distances, expected_distances, rtol=1e-12)


def test_planner_gathers_few_and_quantises_many() -> None:
    index = NearestIndex(np.zeros((QUANTISE_FROM // 128 + 8, 128), np.float32))
    n = len(index)
    assert index.plan(n // 1000) == "gather"
    assert index.plan(n // 2) == "quantised"
    assert index.plan(n) == "quantised"
    assert index.plan(n // 100) == "gather"
    small = NearestIndex(np.zeros((1000, 16), np.float32))
    assert small.plan(1000) == "exact"


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        NearestIndex(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="shape"):
        NearestIndex(np.zeros((3, 2), np.float32)).nearest(np.zeros(3, np.float32), 1)
