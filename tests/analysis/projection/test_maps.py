"""Maps of a workspace: made once, stable, recursive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from motif.analysis.projection import children, lineage, place, place_new, project
from motif.analysis.search.spaces import space_of
from motif.core.catalog import Derivation
from motif.core.errors import ConfigError, NotFoundError, QueryError, UnsuitableDataError
from motif.core.records import Measurement
from motif.core.testing.filling import fill
from motif.core.workspace import Workspace


def materials(workspace: Workspace, made: Derivation) -> np.ndarray:
    ids = [one.decode() for one in workspace.ledger.arrays(made)["ids"]]
    facets = workspace.facets(ids)
    return np.array([facets[one]["material"] for one in ids])


def test_a_map_separates_materials_and_is_stored_with_what_made_it(workspace: Workspace) -> None:
    made = project(workspace, "lib")
    arrays, material = workspace.ledger.arrays(made), materials(workspace, made)
    xy = arrays["xy"]
    names = sorted(set(material))
    centres = np.stack([xy[material == name].mean(0) for name in names])
    nearest = np.linalg.norm(xy[:, None] - centres, axis=2).argmin(1)
    assert (np.array(names)[nearest] == material).mean() > 0.98
    assert made.summary["count"] == len(xy) == 90
    assert made.summary["trustworthiness"] > 0.8
    assert set(made.inputs) == {row.id for row in workspace.select("lib")}
    assert made.parameters["seed"] == 42
    assert ((arrays["trust"] >= 0) & (arrays["trust"] <= 1)).all()


def test_the_same_question_gives_the_stored_map(workspace: Workspace) -> None:
    made = project(workspace, "lib", where='operator="xu"')
    assert project(workspace, "lib", where='operator   = "xu"').id == made.id
    assert project(workspace, "lib", where='operator = "xu"', seed=1).id != made.id
    assert len(workspace.ledger.all("projection")) == 2


def test_two_workspaces_with_the_same_data_give_the_same_bits(
    workspace: Workspace, samples: Sequence[Measurement], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Workspace.init(tmp_path_factory.mktemp("twin") / "lab") as twin:
        fill(twin, "lib", {"first": samples[:90]})
        one, two = (project(lab, "lib") for lab in (workspace, twin))
        for name in ("ids", "xy", "trust"):
            np.testing.assert_array_equal(
                workspace.ledger.arrays(one)[name], twin.ledger.arrays(two)[name]
            )


def test_a_refit_is_aligned_to_the_map_before(
    workspace: Workspace, samples: Sequence[Measurement]
) -> None:
    old = project(workspace, "lib")
    fill(workspace, "lib", {"second": samples[90:102]})
    new = project(workspace, "lib")
    assert new.id != old.id
    assert new.parameters["aligned_to"] == old.id
    assert old.id in new.inputs
    assert (new.summary["count"], new.summary["shared"]) == (102, 90)
    before, after = workspace.ledger.arrays(old), workspace.ledger.arrays(new)
    moved = after["moved"][np.isin(after["ids"], before["ids"])]
    assert np.isnan(after["moved"]).sum() == 12
    assert np.median(moved) < 0.1
    assert project(workspace, "lib").id == new.id


def test_maps_form_a_tree_with_a_way_back(workspace: Workspace) -> None:
    whole = project(workspace, "lib")
    part = project(workspace, "lib", parent=whole.id, where='material in ("BiVO4", "PbTiO3")')
    lasso = [one.decode() for one in workspace.ledger.arrays(part)["ids"]][:20]
    leaf = project(workspace, "lib", parent=part.id, ids=lasso, name="my corner")
    assert set(materials(workspace, part)) == {"BiVO4", "PbTiO3"}
    assert leaf.summary["count"] == 20
    assert leaf.summary["name"] == "my corner"
    assert [one.id for one in lineage(workspace, leaf)] == [leaf.id, part.id, whole.id]
    assert [one.id for one in children(workspace, whole)] == [part.id]


def test_published_parameters_by_name(workspace: Workspace) -> None:
    made = project(workspace, "lib", preset="published")
    assert (made.parameters["n_neighbors"], made.parameters["min_dist"]) == (5, 0.3)
    assert made.parameters["metric"] == "correlation"


def test_features_can_be_weighted_and_three_dimensions_asked_for(workspace: Workspace) -> None:
    made = project(workspace, "lib", dims=3, weights={"spectrum": 2})
    assert workspace.ledger.arrays(made)["xy"].shape == (90, 3)
    assert made.parameters["weights"] == {"spectrum": 2.0}


def test_placing_known_vectors_gives_their_coordinates(workspace: Workspace) -> None:
    made = project(workspace, "lib")
    space = space_of(workspace, "lib")
    placed = place(workspace, made, space.vectors)
    np.testing.assert_allclose(placed.xy, workspace.ledger.arrays(made)["xy"], atol=1e-3)
    ids, nothing = place_new(workspace, made)
    assert len(ids) == len(nothing.xy) == 0


def test_a_map_of_other_features_refuses_to_place(
    workspace: Workspace, samples: Sequence[Measurement]
) -> None:
    made = project(workspace, "lib")
    fill(workspace, "lib", {"second": samples[90:93]})
    with pytest.raises(UnsuitableDataError, match="motif project lib"):
        place_new(workspace, made)


def test_wrong_requests_are_refused(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match='no preset "slow"; there are fast, published'):
        project(workspace, "lib", preset="slow")
    with pytest.raises(ConfigError, match="2 to 200 neighbours, not 1"):
        project(workspace, "lib", n_neighbors=1)
    with pytest.raises(ConfigError, match="from 0 to 1"):
        project(workspace, "lib", min_dist=2)
    with pytest.raises(ConfigError, match="2 or 3 dimensions"):
        project(workspace, "lib", dims=4)
    with pytest.raises(NotFoundError, match='no collection "pfm"'):
        project(workspace, "pfm")
    with pytest.raises(NotFoundError, match="no result"):
        project(workspace, "lib", parent="0" * 32)
    with pytest.raises(UnsuitableDataError, match="0 measurements"):
        project(workspace, "lib", where='operator = "nobody"')
    with pytest.raises(QueryError):
        project(workspace, "lib", where="operator =")
