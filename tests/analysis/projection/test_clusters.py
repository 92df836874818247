"""Clusters get the names of their enriched facets; outliers and near-duplicates are found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from motif.analysis.projection import find_clusters, near_duplicates, outliers, project
from motif.analysis.projection.projection_request import ProjectionRequest
from motif.analysis.search.answer_facets import enriched_facets
from motif.core.records import Measurement
from motif.core.testing.fill_workspace import fill, spectrum
from motif.core.workspace import Workspace


def test_clusters_are_named_after_what_their_members_share(workspace: Workspace) -> None:
    made = project(workspace, ProjectionRequest("lib"))
    found = find_clusters(workspace, made, smallest=10)
    names = {one["name"] for one in found.summary["clusters"]}
    assert names == {"BiVO4", "PbTiO3", "BiFeO3"}
    label = workspace.ledger.arrays(found)["label"]
    for one in found.summary["clusters"]:
        assert one["count"] == (label == one["label"]).sum()
        facets = workspace.facets([one["representative"]])[one["representative"]]
        assert facets["material"] == one["name"]
    assert find_clusters(workspace, made, smallest=10).id == found.id
    assert found.inputs == (made.id,)


def test_a_map_without_clusters_has_none(workspace: Workspace) -> None:
    made = project(workspace, ProjectionRequest("lib"))
    found = find_clusters(workspace, made, smallest=90)
    assert found.summary["clusters"] == []
    assert found.summary["alone"] == 90


def test_an_outlier_and_a_near_duplicate_are_found(
    workspace: Workspace, samples: Sequence[Measurement]
) -> None:
    data = samples[0].data
    axis = data.raman_shift.values
    odd = np.sin(axis / 7.0) + 0.01 * np.random.default_rng(0).standard_normal(len(axis))
    fill(
        workspace, "lib",
        {"twin": [spectrum(5 * data.values + 1, axis, "twin", {}, {})],
         "odd": [spectrum(odd, axis, "odd", {}, {})]},
    )  # fmt: skip
    made = project(workspace, ProjectionRequest("lib"))
    keys = {row.id: row.key for row in workspace.select("lib")}
    (pair,) = near_duplicates(workspace, made, within=1e-3)
    assert {keys[pair.first], keys[pair.second]} == {"s0", "twin"}
    outlier, isolation = outliers(workspace, made, count=3)[0]
    assert keys[outlier] == "odd"
    assert isolation > 1.2


def test_shared_facets_are_common_inside_and_rarer_outside() -> None:
    group = [{"material": "PTO", "operator": "xu", "run": str(n), "d": 1.0} for n in range(10)]
    rest = [{"material": "BFO", "operator": "xu", "run": str(n), "d": 1.0} for n in range(10, 90)]
    (only,) = enriched_facets(group, [*group, *rest])
    assert (only.name, only.value, only.share, only.overall) == ("material", "PTO", 1.0, 10 / 90)
