"""Requests for studies and maps: validated once, the same in JSON, ledger and command line."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.analysis.composition.regression.training_recipe import FAST, TrainingRecipe
from motif.analysis.composition.training_request import TrainingRequest
from motif.analysis.projection.projection_request import ProjectionRequest
from motif.core.catalog.database import Derivation
from motif.core.errors import ConfigError

texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)
optional = st.none() | texts


def result(stage: str, parameters: dict[str, Any], summary: dict[str, Any]) -> Derivation:
    return Derivation(
        number=1, id="0" * 32, stage=stage, collection="lib", parameters=parameters, inputs=(),
        summary=summary, created_at="2024-01-01T00:00:00+00:00", seconds=0.1, snapshot="",
    )  # fmt: skip


training_requests = st.builds(
    TrainingRequest, texts, target=optional, where=optional, members=st.integers(1, 99),
    recipe=st.sampled_from(["fast", "smooth", "published", FAST]),
    folds=st.integers(2, 20) | st.just(0), seed=st.integers(0, 99),
    shuffle_index=st.none() | st.just(Path("orders.txt")),
)  # fmt: skip
projection_requests = st.builds(
    ProjectionRequest, texts, where=optional, parent=optional,
    ids=st.none() | st.lists(texts, max_size=3).map(tuple), name=optional,
    preset=st.sampled_from(["fast", "published"]), n_neighbors=st.none() | st.integers(2, 200),
    min_dist=st.none() | st.floats(0, 1), seed=st.integers(0, 99), dims=st.sampled_from([2, 3]),
    weights=st.dictionaries(texts, st.floats(0, 9), max_size=2), by=optional,
    features=optional, tiles=st.none() | st.integers(1, 8),
)  # fmt: skip


@given(training_requests)
def test_training_requests_survive_json(request: TrainingRequest) -> None:
    document = json.loads(json.dumps(request.document()))
    assert TrainingRequest.from_document(document) == request


@given(projection_requests)
def test_projection_requests_survive_json(request: ProjectionRequest) -> None:
    document = json.loads(json.dumps(request.document()))
    assert ProjectionRequest.from_document(document) == request


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"members": 0}, "0 members cannot be trained; request 1 or more"),
        ({"folds": 1}, "1 folds cannot be cross-validated"),
        ({"folds": -2}, "-2 folds cannot be cross-validated"),
        ({"recipe": "slow"}, "no recipe 'slow'; choose fast, smooth, published"),
        ({"stratify": True, "shuffle_index": Path("x")}, "leave out --stratify"),
    ],
)
def test_training_requests_out_of_range_are_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        TrainingRequest("lib", **fields)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"preset": "slow"}, 'no preset "slow"; choose fast or published'),
        ({"n_neighbors": 1}, "2 to 200 neighbours, not 1"),
        ({"n_neighbors": 201}, "2 to 200 neighbours, not 201"),
        ({"min_dist": 1.5}, "from 0 to 1, not 1.5"),
        ({"dims": 4}, "2 or 3 dimensions, not 4"),
    ],
)
def test_projection_requests_out_of_range_are_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        ProjectionRequest("lib", **fields)


@pytest.mark.parametrize("kind", [TrainingRequest, ProjectionRequest])
def test_unknown_fields_are_refused_with_the_known_ones(kind: Any) -> None:
    with pytest.raises(ConfigError, match=r"no field speed; its fields are .*where"):
        kind.from_document({"collection": "lib", "speed": 1})


def test_the_preset_gives_what_is_not_requested() -> None:
    settings = ProjectionRequest("lib", preset="published", min_dist=0.5).settings
    assert (settings.n_neighbors, settings.min_dist, settings.epochs) == (5, 0.5, 0)


def test_commands_leave_out_defaults_and_quote_the_rest() -> None:
    assert TrainingRequest("lib").command() == "motif train composition lib"
    assert ProjectionRequest("lib").command() == "motif project lib"
    training = TrainingRequest("my lib", target="P", members=3, stratify=True, where="a = 1")
    assert shlex.split(training.command())[3:] == [
        "my lib", "--target", "P", "--members", "3", "--where", "a = 1", "--stratify",
    ]  # fmt: skip
    projection = ProjectionRequest("lib", where='m = "x y"', n_neighbors=5, weights={"texture": 2})
    assert shlex.split(projection.command())[3:] == [
        "--where", 'm = "x y"', "--neighbors", "5", "--weight", "texture=2",
    ]  # fmt: skip


def test_the_request_of_a_study_is_read_from_the_ledger() -> None:
    request = TrainingRequest(
        "lib", target="P", where="a = 1", members=3, folds=4, seed=7, stratify=True
    )
    parameters = {
        "version": 1, "recipe": "fast", "members": 3,
        **request.ledger_parameters("P", "stratified 7"),
    }  # fmt: skip
    assert TrainingRequest.from_result(result("gradients", parameters, {})) == request


def test_the_request_of_a_learning_curve_keeps_its_recipe() -> None:
    parameters = {"recipe": FAST.parameters(), **TrainingRequest("lib").ledger_parameters("P", 0)}
    summary = {"recipe": "fast", "shuffle_index": "orders.txt"}
    request = TrainingRequest.from_result(result("learning-curve", parameters, summary))
    assert isinstance(request.recipe, TrainingRecipe)
    assert request.training_recipe == FAST
    assert request.shuffle_index == Path("orders.txt")


def test_the_request_of_a_map_is_read_from_the_ledger() -> None:
    request = ProjectionRequest(
        "lib", where="a = 1", name="my map", seed=1, weights={"spectrum": 2.0}, by="material",
        kind="spectrum", n_neighbors=7, min_dist=0.1,
    )  # fmt: skip
    parameters = {
        **request.ledger_parameters(None), "kind": "spectrum", "where": "a = 1", "parent": "",
        "selection": False, "weights": {"spectrum": 2.0},
    }  # fmt: skip
    summary = {"name": "my map", "feature_name": ""}
    assert ProjectionRequest.from_result(result("projection", parameters, summary)) == request
