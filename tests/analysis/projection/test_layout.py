"""The steps of a map: reduction, neighbours, layout, quality, transform, alignment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.analysis.arrays import Float32Array
from motif.analysis.projection import umap_layout
from motif.analysis.projection.map_alignment import PreviousMap
from motif.analysis.projection.map_transform import MapTransform
from motif.analysis.projection.umap_layout import (
    PRESETS,
    Reduction,
    lay_out,
    map_neighbours,
    neighbour_overlap,
    neighbours,
    normalised,
    quality,
    reduce,
    trust,
)
from motif.core.errors import UnsuitableDataError

FAST = PRESETS["fast"]


def clusters(n: int, d: int = 40, seed: int = 0) -> tuple[Float32Array, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 4
    centres = 4 * rng.standard_normal((4, d))
    return (centres[label] + rng.standard_normal((n, d))).astype(np.float32), label


@pytest.fixture(scope="module")
def fitted() -> tuple[Reduction, Float32Array, np.ndarray, MapTransform]:
    vectors, label = clusters(240)
    reduction = reduce(vectors)
    nearest = neighbours(reduction.points, 46)
    xy = lay_out(reduction.points, nearest, FAST, seed=1)
    map_transform = MapTransform(
        reduction, xy, trust(map_neighbours(xy, 15), nearest[0]), nearest[1][:, 15], 15
    )
    return reduction, xy, label, map_transform


def test_reduction_keeps_correlation_distance() -> None:
    vectors, _ = clusters(60, d=30)
    reduced = reduce(vectors).points
    rows = normalised(vectors)
    expected = np.sqrt(2 * (1 - np.corrcoef(vectors)))
    np.testing.assert_allclose(
        np.linalg.norm(rows[:, None] - rows[None], axis=2), expected, atol=1e-3
    )
    np.testing.assert_allclose(
        np.linalg.norm(reduced[:, None] - reduced[None], axis=2), expected, atol=1e-3
    )  # fmt: skip


def test_carried_vectors_equal_reduced_ones() -> None:
    vectors, _ = clusters(80)
    reduction = reduce(vectors)
    np.testing.assert_allclose(reduction.transform(vectors), reduction.points, atol=1e-5)


def test_neighbours_are_exact_and_begin_with_the_point_itself() -> None:
    points = np.random.default_rng(0).standard_normal((200, 6)).astype(np.float32)
    points[50:60] = points[49]
    rows, distances = neighbours(points, 5)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.testing.assert_array_equal(rows[:, 0], np.arange(200))
    np.testing.assert_allclose(distances, np.sort(distance, axis=1)[:, :5], atol=1e-3)


def test_beyond_the_exact_limit_most_neighbours_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).standard_normal((3000, 6)).astype(np.float32)
    exact, _ = neighbours(points, 10)
    monkeypatch.setattr(umap_layout, "EXACT_UP_TO", 2999)
    approximate, _ = neighbours(points, 10)
    assert neighbour_overlap(approximate, exact).mean() > 0.95


def test_clusters_stay_together_and_the_numbers_say_so(
    fitted: tuple[Reduction, Float32Array, np.ndarray, MapTransform],
) -> None:
    reduction, xy, label, _ = fitted
    near = map_neighbours(xy, 10)
    assert (label[near] == label[:, None]).mean() > 0.98
    numbers = quality(reduction.points, xy, neighbours(reduction.points, 46)[0], 15, seed=0)
    assert numbers["trustworthiness"] > 0.9
    scrambled = np.random.default_rng(0).permutation(xy)
    worse = quality(reduction.points, scrambled, neighbours(reduction.points, 46)[0], 15, seed=0)
    assert worse["trustworthiness"] < 0.6
    assert worse["neighbourhood_preservation"] < numbers["neighbourhood_preservation"] / 2


def test_the_same_seed_gives_the_same_bits_in_two_and_three_dimensions() -> None:
    points = reduce(clusters(120)[0]).points
    nearest = neighbours(points, 20)
    for dims in (2, 3):
        one, two = (lay_out(points, nearest, FAST, seed=5, dims=dims) for _ in range(2))
        assert one.shape == (120, dims)
        np.testing.assert_array_equal(one, two)
    other = lay_out(points, nearest, FAST, seed=6)
    assert not np.array_equal(other, lay_out(points, nearest, FAST, seed=5))


@pytest.mark.parametrize("n", [3, 4, 5, 6, 12])
def test_few_and_identical_points_are_laid_out(n: int) -> None:
    for vectors in (clusters(n)[0], np.ones((n, 7), np.float32)):
        reduction = reduce(vectors)
        xy = lay_out(reduction.points, neighbours(reduction.points, n), FAST, seed=0)
        assert xy.shape == (n, 2)
        assert np.isfinite(xy).all()


def test_known_vectors_are_placed_where_they_are(
    fitted: tuple[Reduction, Float32Array, np.ndarray, MapTransform],
) -> None:
    _, xy, _, map_transform = fitted
    placed = map_transform.transform(clusters(240)[0])
    np.testing.assert_allclose(placed.xy, xy, atol=1e-3)


def test_outliers_are_placed_without_trust(
    fitted: tuple[Reduction, Float32Array, np.ndarray, MapTransform],
) -> None:
    _, xy, label, map_transform = fitted
    vectors, _ = clusters(240)
    rng = np.random.default_rng(9)
    similar = vectors[:40] + 0.3 * rng.standard_normal((40, 40)).astype(np.float32)
    outlying = rng.standard_normal((40, 40)).astype(np.float32)
    near, far = map_transform.transform(similar), map_transform.transform(outlying)
    from scipy.spatial import cKDTree

    assert (label[cKDTree(xy).query(near.xy)[1]] == label[:40]).all()
    assert near.trust.mean() > 2 * far.trust.mean()
    assert 0 <= far.trust.min() <= near.trust.max() <= 1


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(6)), together=st.integers(1, 6))
def test_positions_do_not_depend_on_what_is_placed_together(
    fitted: tuple[Reduction, Float32Array, np.ndarray, MapTransform],
    order: list[int],
    together: int,
) -> None:
    map_transform = fitted[3]
    vectors = np.random.default_rng(3).standard_normal((6, 40)).astype(np.float32)
    separate = np.concatenate([map_transform.transform(vectors[n : n + 1]).xy for n in range(6)])
    batches = [order[start : start + together] for start in range(0, 6, together)]
    for batch in batches:
        placed = map_transform.transform(vectors[batch])
        np.testing.assert_array_equal(placed.xy, separate[batch])


def test_vectors_of_other_features_are_refused(
    fitted: tuple[Reduction, Float32Array, np.ndarray, MapTransform],
) -> None:
    with pytest.raises(UnsuitableDataError, match="features of 40 numbers"):
        fitted[3].transform(np.zeros((1, 3), np.float32))


@settings(max_examples=50, deadline=None)
@given(
    angle=st.floats(0, 6.28), mirror=st.booleans(), scale=st.floats(0.2, 5), shift=st.floats(-9, 9)
)
def test_alignment_undoes_turning_mirroring_scaling_and_shifting(
    angle: float, mirror: bool, scale: float, shift: float
) -> None:
    rng = np.random.default_rng(0)
    old = rng.standard_normal((80, 2)).astype(np.float32)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    new = (scale * old @ turn * ([-1, 1] if mirror else [1, 1]) + shift).astype(np.float32)
    new[70:] += 2 * scale  # some points did move
    rows = np.arange(80)
    carried, moved = PreviousMap("before", rows, old).aligned(new)
    np.testing.assert_allclose(carried[:70], old[:70], atol=0.02 * np.ptp(old))
    assert np.median(moved[70:]) > 5 * np.median(moved[:70])


def test_a_start_from_the_map_before_puts_new_points_amid_their_neighbours() -> None:
    old = np.array([[0, 0], [1, 0], [10, 10], [11, 10]], np.float32)
    nearest = np.array([[0, 1], [1, 0], [2, 3], [3, 2], [4, 2]], np.int32)
    start = PreviousMap("before", np.arange(4), old).start(nearest, seed=0)
    np.testing.assert_allclose(start, [*old, [10, 10]], atol=0.02)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), newcomers=st.integers(0, 15), k=st.integers(1, 8))
def test_known_points_move_no_farther_than_their_newcomers_ask(
    seed: int, newcomers: int, k: int
) -> None:
    rng = np.random.default_rng(seed)
    n = 40 + newcomers
    old = rng.standard_normal((40, 2)).astype(np.float32)
    rows = np.sort(rng.permutation(n)[:40])
    near = np.array([rng.permutation(np.delete(np.arange(n), one))[:k] for one in range(n)])
    laid = rng.standard_normal((n, 2)).astype(np.float32)
    before = PreviousMap("before", rows, old)
    settled, moved = before.settled(laid, near.astype(np.int32))
    share = ~np.isin(near, rows)
    limit = np.minimum(1.0, 2.0 * share.mean(1)[rows])
    free = np.linalg.norm(laid[rows] - old, axis=1)
    distance = np.linalg.norm(settled[rows] - old, axis=1)
    assert (distance <= limit * free + 1e-5).all()
    np.testing.assert_array_equal(settled[rows][limit == 0], old[limit == 0])
    np.testing.assert_allclose(moved[rows], distance / np.ptp(old, axis=0).max(), atol=1e-5)
    assert np.isnan(moved).sum() == newcomers
