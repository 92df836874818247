"""Clusters get the names of what they share; strangers and near-duplicates are found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from motif.analysis.projection import clusters, near_duplicates, project, strangers
from motif.analysis.search.sharing import shared_facets
from motif.core.records import Measurement
from motif.core.testing.filling import fill, spectrum
from motif.core.workspace import Workspace


def test_clusters_are_named_after_what_their_members_share(workspace: Workspace) -> None:
    made = project(workspace, "lib")
    found = clusters(workspace, made, smallest=10)
    names = {one["name"] for one in found.summary["clusters"]}
    assert names == {"BiVO4", "PbTiO3", "BiFeO3"}
    label = workspace.ledger.arrays(found)["label"]
    for one in found.summary["clusters"]:
        assert one["count"] == (label == one["label"]).sum()
        facets = workspace.facets([one["representative"]])[one["representative"]]
        assert facets["material"] == one["name"]
    assert clusters(workspace, made, smallest=10).id == found.id
    assert found.inputs == (made.id,)


def test_a_map_without_clusters_has_none(workspace: Workspace) -> None:
    made = project(workspace, "lib")
    found = clusters(workspace, made, smallest=90)
    assert found.summary["clusters"] == []
    assert found.summary["alone"] == 90


def test_a_stranger_and_a_twin_are_found(
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
    made = project(workspace, "lib")
    keys = {row.id: row.key for row in workspace.select("lib")}
    (pair,) = near_duplicates(workspace, made, within=1e-3)
    assert {keys[pair.first], keys[pair.second]} == {"s0", "twin"}
    stranger, score = strangers(workspace, made, count=3)[0]
    assert keys[stranger] == "odd"
    assert score > 1.2


def test_shared_facets_are_common_inside_and_rarer_outside() -> None:
    group = [{"material": "PTO", "operator": "xu", "run": str(n), "d": 1.0} for n in range(10)]
    rest = [{"material": "BFO", "operator": "xu", "run": str(n), "d": 1.0} for n in range(10, 90)]
    (only,) = shared_facets(group, [*group, *rest])
    assert (only.name, only.value, only.share, only.overall) == ("material", "PTO", 1.0, 10 / 90)
