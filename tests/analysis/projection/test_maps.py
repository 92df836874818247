"""Maps of a workspace: computed once, stable, recursive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from motif.analysis.projection import (
    children,
    find_clusters,
    lineage,
    measurements_of,
    moved_points,
    project,
    recompute,
    transform,
    transform_new,
)
from motif.analysis.projection.projection_request import ProjectionRequest
from motif.analysis.search.image_space import space_of
from motif.core.catalog.database import Derivation
from motif.core.errors import ConfigError, NotFoundError, QueryError, UnsuitableDataError
from motif.core.records import Facet, Measurement
from motif.core.testing.fill_workspace import fill
from motif.core.workspace import Workspace


def materials(workspace: Workspace, made: Derivation) -> np.ndarray:
    ids = [one.decode() for one in workspace.ledger.arrays(made)["ids"]]
    facets = workspace.facets(ids)
    return np.array([facets[one]["material"] for one in ids])


def test_a_map_separates_materials_and_is_stored_with_what_made_it(workspace: Workspace) -> None:
    made = project(workspace, ProjectionRequest("lib"))
    arrays, material = workspace.ledger.arrays(made), materials(workspace, made)
    xy = arrays["xy"]
    names = sorted(set(material))
    centres = np.stack([xy[material == name].mean(0) for name in names])
    nearest = np.linalg.norm(xy[:, None] - centres, axis=2).argmin(1)
    assert (np.array(names)[nearest] == material).mean() > 0.98
    assert made.summary["count"] == len(xy) == 90
    assert made.summary["trustworthiness"] > 0.8
    spectra = {row.id for row in workspace.select("lib")}
    assert set(made.inputs) == {made.parameters["method"], *spectra}
    assert made.parameters["seed"] == 42
    assert ((arrays["trust"] >= 0) & (arrays["trust"] <= 1)).all()


def test_the_same_request_gives_the_stored_map(workspace: Workspace) -> None:
    made = project(workspace, ProjectionRequest("lib", where='operator="xu"'))
    assert project(workspace, ProjectionRequest("lib", where='operator   = "xu"')).id == made.id
    assert (
        project(workspace, ProjectionRequest("lib", where='operator = "xu"', seed=1)).id != made.id
    )
    assert len(workspace.ledger.all("projection")) == 2


def test_two_workspaces_with_the_same_data_give_the_same_bits(
    workspace: Workspace, samples: Sequence[Measurement], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Workspace.init(tmp_path_factory.mktemp("twin") / "lab") as twin:
        fill(twin, "lib", {"first": samples[:90]})
        one, two = (project(lab, ProjectionRequest("lib")) for lab in (workspace, twin))
        for name in ("ids", "xy", "trust"):
            np.testing.assert_array_equal(
                workspace.ledger.arrays(one)[name], twin.ledger.arrays(two)[name]
            )


def test_a_new_map_is_aligned_to_the_previous_one(
    workspace: Workspace, samples: Sequence[Measurement]
) -> None:
    old = project(workspace, ProjectionRequest("lib"))
    fill(workspace, "lib", {"second": samples[90:102]})
    new = project(workspace, ProjectionRequest("lib"))
    assert new.id != old.id
    assert new.parameters["aligned_to"] == old.id
    assert old.id in new.inputs
    assert (new.summary["count"], new.summary["shared"]) == (102, 90)
    before, after = workspace.ledger.arrays(old), workspace.ledger.arrays(new)
    moved = after["moved"][np.isin(after["ids"], before["ids"])]
    assert np.isnan(after["moved"]).sum() == 12
    assert np.median(moved) < 0.06
    assert project(workspace, ProjectionRequest("lib")).id == new.id
    points = moved_points(workspace, new, count=5)
    assert [point.moved for point in points] == sorted(
        (point.moved for point in points), reverse=True
    )
    assert all(point.moved > 0.05 and point.new_neighbours > 0 for point in points)
    assert {len(point.why) > 10 for point in points} <= {True}
    with pytest.raises(UnsuitableDataError, match="first of its kind"):
        moved_points(workspace, old)


def test_maps_form_a_tree_with_a_lineage(workspace: Workspace) -> None:
    whole = project(workspace, ProjectionRequest("lib"))
    part = project(
        workspace,
        ProjectionRequest("lib", parent=whole.id, where='material in ("BiVO4", "PbTiO3")'),
    )
    lasso = [one.decode() for one in workspace.ledger.arrays(part)["ids"]][:20]
    leaf = project(workspace, ProjectionRequest("lib", parent=part.id, ids=lasso, name="my corner"))
    assert set(materials(workspace, part)) == {"BiVO4", "PbTiO3"}
    assert leaf.summary["count"] == 20
    assert leaf.summary["name"] == "my corner"
    assert [one.id for one in lineage(workspace, leaf)] == [leaf.id, part.id, whole.id]
    assert [one.id for one in children(workspace, whole)] == [part.id]


def test_published_parameters_by_name(workspace: Workspace) -> None:
    made = project(workspace, ProjectionRequest("lib", preset="published"))
    assert (made.parameters["n_neighbors"], made.parameters["min_dist"]) == (5, 0.3)
    assert made.parameters["metric"] == "correlation"


def test_features_can_be_weighted_and_laid_out_in_three_dimensions(workspace: Workspace) -> None:
    made = project(workspace, ProjectionRequest("lib", dims=3, weights={"spectrum": 2}))
    assert workspace.ledger.arrays(made)["xy"].shape == (90, 3)
    assert made.parameters["weights"] == {"spectrum": 2.0}


def test_the_measurements_of_another_result_can_be_mapped(workspace: Workspace) -> None:
    made = project(workspace, ProjectionRequest("lib"))
    part = project(workspace, ProjectionRequest("lib", where='material = "BiVO4"'))
    ids = measurements_of(workspace, find_clusters(workspace, part).id)
    again = project(workspace, ProjectionRequest("lib", parent=made.id, ids=ids))
    assert again.summary["count"] == len(ids) < made.summary["count"]
    other = workspace.ledger.record("other", "lib", {}, [], {"a": np.zeros(1)}, {}, 0.0)
    with pytest.raises(UnsuitableDataError, match="stage other"):
        measurements_of(workspace, other.id)


def test_known_vectors_get_their_coordinates(workspace: Workspace) -> None:
    made = project(workspace, ProjectionRequest("lib"))
    space = space_of(workspace, "lib")
    placed = transform(workspace, made, space.vectors)
    np.testing.assert_allclose(placed.xy, workspace.ledger.arrays(made)["xy"], atol=1e-3)
    ids, nothing = transform_new(workspace, made)
    assert len(ids) == len(nothing.xy) == 0


def test_new_measurements_are_placed_independently_of_each_other(
    workspace: Workspace, samples: Sequence[Measurement]
) -> None:
    made = project(workspace, ProjectionRequest("lib"))
    fill(workspace, "lib", {"second": samples[90:93]})
    ids, first = transform_new(workspace, made)
    assert len(ids) == len(first.xy) == 3
    fill(workspace, "lib", {"third": samples[93:]})
    later, both = transform_new(workspace, made)
    rows = np.searchsorted(later, ids)
    np.testing.assert_array_equal(both.xy[rows], first.xy)
    np.testing.assert_array_equal(both.trust[rows], first.trust)
    names = materials(workspace, made)
    facets = workspace.facets([one.decode() for one in later])
    xy = workspace.ledger.arrays(made)["xy"]
    for identity, position in zip(later, both.xy, strict=True):
        nearest = np.linalg.norm(xy - position, axis=1).argmin()
        assert names[nearest] == facets[identity.decode()]["material"]


def test_an_old_map_accepts_new_spectra_after_its_basis_was_replaced(
    workspace: Workspace, samples: Sequence[Measurement]
) -> None:
    made = project(workspace, ProjectionRequest("lib", where='operator = "xu"'))
    renamed = [
        Measurement(f"{one.key}b", "spectrum", one.title, one.data, one.facets) for one in samples
    ]
    fill(workspace, "lib", {"copies": renamed})
    assert space_of(workspace, "lib").method != made.parameters["method"]
    ids, placed = transform_new(workspace, made)
    assert len(ids) == 102
    assert placed.trust.min() > 0
    with pytest.raises(UnsuitableDataError, match="features of"):
        transform(workspace, made, np.zeros((1, 3), np.float32))


def test_a_map_is_recomputed_to_the_last_bit(
    workspace: Workspace, samples: Sequence[Measurement]
) -> None:
    whole = project(workspace, ProjectionRequest("lib"))
    part = project(
        workspace, ProjectionRequest("lib", parent=whole.id, where='material != "BiVO4"', dims=3)
    )
    guided = project(workspace, ProjectionRequest("lib", by="material"))
    fill(workspace, "lib", {"second": samples[90:102]})
    refit = project(workspace, ProjectionRequest("lib"))
    assert refit.parameters["aligned_to"] == whole.id
    for made in (whole, part, guided, refit):
        assert recompute(workspace, made) == {"identical": True, "largest": 0.0}


def test_a_supervising_facet_draws_its_values_together(
    workspace: Workspace, samples: Sequence[Measurement]
) -> None:
    halves = [
        Measurement(
            one.key, "spectrum", one.title, one.data,
            [*one.facets, Facet("side", ("left", "right")[number % 2], "test"),
             Facet("dose", float(number), "test", "m")],
        )
        for number, one in enumerate(samples[:60:3])
    ]  # fmt: skip
    fill(workspace, "sides", {"a": halves})

    def split(made: Derivation) -> float:
        ids = [one.decode() for one in workspace.ledger.arrays(made)["ids"]]
        side = np.array([workspace.facets([one])[one]["side"] for one in ids])
        xy = workspace.ledger.arrays(made)["xy"]
        distance = np.linalg.norm(xy[side == "left"].mean(0) - xy[side == "right"].mean(0))
        return float(distance / xy.std())

    free, guided = (
        project(workspace, ProjectionRequest("sides")),
        project(workspace, ProjectionRequest("sides", by="side")),
    )
    assert split(guided) > split(free) + 0.5
    assert guided.parameters["by"] == "side"
    assert project(workspace, ProjectionRequest("sides")).id == free.id
    numbers = project(workspace, ProjectionRequest("sides", by="dose"))
    assert workspace.ledger.arrays(numbers)["target"].max() == 9
    with pytest.raises(ConfigError, match='has the facet "colour"'):
        project(workspace, ProjectionRequest("sides", by="colour"))


def test_wrong_requests_are_refused(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match='no preset "slow"; choose fast or published'):
        project(workspace, ProjectionRequest("lib", preset="slow"))
    with pytest.raises(ConfigError, match="2 to 200 neighbours, not 1"):
        project(workspace, ProjectionRequest("lib", n_neighbors=1))
    with pytest.raises(ConfigError, match="from 0 to 1"):
        project(workspace, ProjectionRequest("lib", min_dist=2))
    with pytest.raises(ConfigError, match="2 or 3 dimensions"):
        project(workspace, ProjectionRequest("lib", dims=4))
    with pytest.raises(NotFoundError, match='no collection "pfm"'):
        project(workspace, ProjectionRequest("pfm"))
    with pytest.raises(NotFoundError, match="no result"):
        project(workspace, ProjectionRequest("lib", parent="0" * 32))
    with pytest.raises(UnsuitableDataError, match="0 measurements"):
        project(workspace, ProjectionRequest("lib", where='operator = "nobody"'))
    with pytest.raises(QueryError):
        project(workspace, ProjectionRequest("lib", where="operator ="))
