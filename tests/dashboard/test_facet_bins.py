"""Histogram bins of numeric and date facets, and the ranges they write into the address."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from motif.dashboard.data.facet_table import LOG_FROM, Bins, Column, bins_for


def column(values: list[float], kind: str = "number", unit: str = "m") -> Column:
    return Column("size", kind, unit, [], np.full(len(values), -1), np.array(values))


def bins_of(values: list[float], kind: str = "number", unit: str = "m") -> Bins:
    bins = bins_for(column(values, kind, unit))
    assert bins is not None
    return bins


@pytest.mark.parametrize("values", [[], [float("nan")], [2.0, 2.0, float("nan")]])
def test_a_column_without_spread_has_no_bins(values: list[float]) -> None:
    assert bins_for(column(values)) is None


@pytest.mark.parametrize(
    "values", [[1e-9, 2e-9, 5e-9], [1e-9, 1e-6, 1e-3], [-3.0, 0.0, 4.0], [0.0, 1.0, 1e6]]
)
def test_every_finite_value_is_counted_once(values: list[float]) -> None:
    bins = bins_of([*values, float("nan")])
    assert np.all(np.diff(bins.edges) > 0)
    assert sum(bins.counts(np.array([*values, float("nan")]))) == len(values)


def test_edges_of_positive_quantities_over_many_decades_grow_in_proportion() -> None:
    edges = bins_of([1e-9, 1e-9 * LOG_FROM * 100]).edges
    ratios = edges[1:] / edges[:-1]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-6)


def test_edges_over_a_narrow_range_are_equally_spaced() -> None:
    steps = np.diff(bins_of([1.0, 2.0]).edges)
    np.testing.assert_allclose(steps, steps[0])


def test_a_range_is_written_in_si_numbers() -> None:
    bins = Bins(np.array([0.0, 5e-7, 1e-6]), "number", "m")
    assert bins.spelled(0, 1) == "0..5e-07"
    assert bins.texts() == ["0 m", "500 nm", "1 µm"]


def test_a_range_of_dates_ends_with_its_last_day() -> None:
    days = [datetime(2024, 5, day, tzinfo=UTC).timestamp() for day in (1, 3, 6)]
    bins = Bins(np.array(days), "date", "")
    assert bins.texts() == ["2024-05-01", "2024-05-03", "2024-05-06"]
    assert bins.spelled(0, 2) == "2024-05-01..2024-05-05"


@pytest.mark.parametrize(("value", "edge"), [(-1.0, 0), (0.4, 0), (0.6, 1), (9.0, 2)])
def test_the_nearest_edge(value: float, edge: int) -> None:
    assert Bins(np.array([0.0, 1.0, 2.0]), "number", "").nearest(value) == edge


def test_labels_of_several_values_are_counted_by_membership() -> None:
    member = np.array([[True, True, False], [False, True, False]])
    labels = Column(
        "label",
        "category",
        "",
        ["domain", "wall"],
        np.array([0, 0, -1]),
        np.full(3, np.nan),
        member,
    )
    assert labels.counts(np.ones(3, bool)).tolist() == [2, 1]
    assert labels.counts(np.array([True, False, True])).tolist() == [1, 0]
    assert labels.having(["wall"]).tolist() == [False, True, False]
    assert [labels.text_at(row) for row in range(3)] == ["domain", "domain, wall", ""]
