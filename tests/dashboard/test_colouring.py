"""Colours of points, and the legend that explains them."""

from __future__ import annotations

import numpy as np
import pytest

from motif.dashboard.data import point_colours
from motif.dashboard.data.facet_table import Column, FacetTable
from motif.dashboard.data.point_colours import CATEGORIES, OTHER
from motif.dashboard.state.workspace_session import WorkspaceSession


def table_of(column: Column) -> FacetTable:
    n = len(column.codes)
    ids = [f"{k}" for k in range(n)]
    index = {identity: k for k, identity in enumerate(ids)}
    return FacetTable(ids, ids, ["image"] * n, index, {column.name: column})


def category(labels: list[str], codes: list[int]) -> Column:
    n = len(codes)
    return Column("a", "category", "", labels, np.array(codes, np.int32), np.full(n, np.nan))


def coloured(column: Column) -> point_colours.Colouring:
    n = len(column.codes)
    return point_colours.colouring("a", table_of(column), np.arange(n), np.ones(n, np.float32))


def test_each_category_has_its_colour_and_count() -> None:
    made = coloured(category(["x", "y"], [1, 0, 1, -1]))
    assert made.legend.labels == ["x", "y", point_colours.UNKNOWN]
    assert list(made.legend.counts) == [1, 2, 1]
    assert made.legend.colours == [*CATEGORIES[:2], OTHER]
    assert made.codes.tolist() == [1, 0, 1, 2]


def test_small_categories_share_one_grey() -> None:
    many = len(CATEGORIES) + 3
    codes = [k for k in range(many) for _ in range(many - k)]
    made = coloured(category([f"c{k:02}" for k in range(many)], codes))
    assert made.legend.labels[-1] == "3 others"
    assert sum(made.legend.counts) == len(codes)


def test_points_that_are_gone_are_not_mistaken_for_others() -> None:
    column = category(["x", "y"], [0, 1])
    made = point_colours.colouring("a", table_of(column), np.array([0, -1]), np.ones(2, np.float32))
    assert made.codes.tolist() == [0, 2]


def test_numbers_run_along_the_scale() -> None:
    values = np.array([1.0, 2.0, 3.0, np.nan])
    column = Column("a", "number", "m", (), np.full(4, -1, np.int32), values)
    made = coloured(column)
    assert made.legend.continuous
    assert made.codes[0] < made.codes[1] < made.codes[2]


@pytest.mark.parametrize(
    "name", ["material", "acquired_at", "scan_size", point_colours.TRUST, "none"]
)
def test_every_offered_colour_works(session: WorkspaceSession, name: str) -> None:
    table = session.table("pfm")
    assert name in point_colours.choices(table)
    rows = np.arange(len(table))
    made = point_colours.colouring(name, table, rows, np.ones(len(rows), np.float32))
    assert len(made.codes) == len(rows)
    assert made.legend.continuous or made.codes.max() < len(made.legend.labels)


def test_hidden_entries_are_found_by_their_words() -> None:
    made = coloured(category(["x", "y"], [1, 0]))
    assert point_colours.hidden_codes(made.legend, ["y", "no such"]) == [1]
