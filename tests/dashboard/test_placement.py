"""Points on the map: shuffled, quantised, and found inside a lasso."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.dashboard.data.point_grid import LATTICE, Placement, pack_mask, place


def some(n: int, seed: int = 3) -> Placement:
    xy = np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32) * [3, 1] + 5
    return place("key", [f"id{k}" for k in range(n)], xy)


def decoded(placement: Placement) -> np.ndarray:
    low = [placement.bounds.x, placement.bounds.y]
    return placement.lattice / LATTICE * placement.bounds.span + low


def naive(polygon: list[tuple[float, float]], points: np.ndarray) -> np.ndarray:
    """Even-odd rule, point by point, edge by edge."""
    inside = np.zeros(len(points), bool)
    for k, (x, y) in enumerate(points):
        for (ax, ay), (bx, by) in zip([polygon[-1], *polygon], polygon, strict=False):
            if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                inside[k] = not inside[k]
    return inside


def test_points_keep_their_place_and_their_id() -> None:
    xy = np.array([[0, 0], [10, 0], [10, 5], [np.nan, 1]], np.float32)
    placement = place("key", ["a", "b", "c", "gone"], xy)
    assert sorted(placement.ids) == ["a", "b", "c"]
    for position, row in enumerate(placement.rows):
        assert placement.ids[position] == "abc"[row]
        assert np.allclose(decoded(placement)[position], xy[row], atol=10 / LATTICE)


def test_the_order_is_shuffled_but_always_the_same() -> None:
    first, second = some(1000), some(1000)
    assert list(first.ids) == list(second.ids)
    assert list(first.ids) != [f"id{k}" for k in range(1000)]
    head = decoded(first)[:200].mean(axis=0)
    assert np.allclose(head, decoded(first).mean(axis=0), atol=0.6)


polygons = st.lists(
    st.tuples(st.floats(-5, 15, width=32), st.floats(1, 9, width=32)), min_size=3, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(polygons)
def test_a_lasso_finds_what_the_plain_rule_finds(polygon: list[tuple[float, float]]) -> None:
    placement = some(300)
    found, expected = placement.inside(polygon), naive(polygon, decoded(placement))
    # A point on an edge may fall either way by rounding.
    assert (found != expected).sum() <= 2


def test_no_lasso_and_broken_ones_enclose_nothing() -> None:
    placement = some(50)
    assert not placement.inside([]).any()
    assert not placement.inside([(0, 0), (1, 1)]).any()
    assert not placement.inside([(0, 0), (float("nan"), 1), (3, 3)]).any()
    assert placement.inside([(-99, -99), (99, -99), (99, 99), (-99, 99)]).all()


def test_an_empty_map_and_one_point_are_maps() -> None:
    assert len(place("key", [], np.zeros((0, 2), np.float32))) == 0
    assert place("key", ["a"], np.ones((1, 2), np.float32)).lattice.tolist() == [[0, 0]]


def test_masks_hold_one_bit_a_point_lowest_first() -> None:
    mask = np.array([1, 0, 0, 0, 0, 0, 0, 0, 1], bool)
    assert pack_mask(mask) == bytes([1, 1])
