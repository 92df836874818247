"""The panel's filter and the query language give the same answer."""

from __future__ import annotations

import numpy as np
import pytest

from motif.dashboard.components.facet_list.facet_list_component import chosen_values
from motif.dashboard.data import view_filter
from motif.dashboard.data.facet_table import bins_for
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession


@pytest.mark.parametrize(
    ("facets", "where"),
    [
        ({}, ""),
        ({"material": ("PbTiO3",)}, ""),
        ({"material": ("PbTiO3", "BiFeO3"), "operator": ("xu",)}, ""),
        ({"scan_size": ("1.5e-06..5e-06",)}, ""),
        ({"acquired_at": ("2024-02-01..2024-04-11",)}, ""),
        ({"simulated": ("true",)}, 'outcome = "failed"'),
        ({"material": ("PbTiO3",)}, 'operator = "xu" or operator = "ito"'),
        ({"purpose": ("HOSTILE",)}, ""),
        ({"material": ("no such",)}, ""),
    ],
)
def test_the_question_shown_finds_what_the_panel_finds(
    session: WorkspaceSession, small_lab: object, facets: dict[str, tuple[str, ...]], where: str
) -> None:
    hostile = small_lab.HOSTILE  # type: ignore[attr-defined]
    facets = {
        name: tuple(hostile if v == "HOSTILE" else v for v in vs) for name, vs in facets.items()
    }
    table = session.table("pfm")
    filtered = view_filter.apply(session, View(collection="pfm", where=where, facets=facets), table)
    chosen = {table.ids[row] for row in np.flatnonzero(filtered.mask)}
    asked = {row.id for row in session.workspace.select("pfm", filtered.question or None)}
    assert chosen == asked
    if facets.get("material") != ("no such",):
        assert chosen


def test_a_query_nobody_understands_filters_nothing_and_says_why(session: WorkspaceSession) -> None:
    view = View(collection="pfm", where='opertor = "xu"', facets={"material": ("PbTiO3",)})
    filtered = view_filter.apply(session, view, session.table("pfm"))
    assert filtered.error is not None
    assert "operator" in str(filtered.error)
    assert filtered.question == 'material = "PbTiO3"'
    assert 0 < filtered.mask.sum() < len(filtered.mask)


def test_counts_of_a_facet_ignore_its_own_choice(session: WorkspaceSession) -> None:
    table = session.table("pfm")
    view = View(collection="pfm", facets={"material": ("PbTiO3",), "operator": ("xu",)})
    filtered = view_filter.apply(session, view, table)
    material = table.columns["material"]
    counts = material.counts(filtered.without("material"))
    for label, number in zip(material.labels, counts, strict=True):
        where = f'material = "{label}" and operator = "xu"'
        assert number == len(session.workspace.select("pfm", where))


@pytest.mark.parametrize("name", ["scan_size", "acquired_at"])
def test_a_range_by_histogram_covers_the_bins_between_its_handles(
    session: WorkspaceSession, name: str
) -> None:
    table = session.table("pfm")
    column = table.columns[name]
    bins = bins_for(column)
    assert bins is not None
    last = len(bins.edges) - 1
    assert sum(bins.counts(column.values)) == column.known.sum()
    _, values = chosen_values(table, {"facet": name, "range": [0, last]})
    everything = view_filter.apply(session, View(collection="pfm", facets={name: values}), table)
    assert everything.mask.sum() == column.known.sum()
    _, values = chosen_values(table, {"facet": name, "range": [last // 2, last]})
    upper = view_filter.apply(session, View(collection="pfm", facets={name: values}), table)
    assert 0 < upper.mask.sum() < len(table)
    assert upper.mask.sum() >= sum(bins.counts(column.values)[last // 2 :])


def test_a_broken_range_is_not_a_filter(session: WorkspaceSession) -> None:
    view = View(collection="pfm", facets={"scan_size": ("wide..open",), "acquired_at": ("x",)})
    filtered = view_filter.apply(session, view, session.table("pfm"))
    assert filtered.mask.all()
    assert filtered.question == ""


def test_a_new_commit_is_seen_at_once(session: WorkspaceSession, small_lab: object) -> None:
    before = session.version
    known = session.derivations("projection", "pfm")
    small_lab.add_map(session.workspace, "pfm", seed=before)  # type: ignore[attr-defined]
    assert session.version > before
    assert len(session.derivations("projection", "pfm")) == len(known) + 1
