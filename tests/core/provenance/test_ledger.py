"""Results are stored once, found by their inputs, and have arrays and lazy inputs."""

import copy
from dataclasses import asdict

import numpy as np
import pytest

from motif.core.errors import NotFoundError
from motif.core.workspace import Workspace


def record(workspace: Workspace, value: float = 1.0, **parameters: object):
    return workspace.ledger.record(
        "projection", "pfm", {"seed": 1, **parameters}, ["in1", "in2"],
        {"xy": np.full((3, 2), value, np.float32), "ids": np.array([b"aa", b"bbbb", b""])},
        {"trustworthiness": 0.9}, 1.25,
    )  # fmt: skip


def test_a_result_is_found_by_parameters_and_inputs(workspace: Workspace) -> None:
    result = record(workspace)
    assert workspace.ledger.find("projection", {"seed": 1}, ["in1", "in2"]) == result
    assert workspace.ledger.find("projection", {"seed": 2}, ["in1", "in2"]) is None
    assert workspace.ledger.find("projection", {"seed": 1}, ["in2", "in1"]) is None
    assert result.inputs == ("in1", "in2")
    arrays = workspace.ledger.arrays(result)
    np.testing.assert_array_equal(arrays["xy"], np.ones((3, 2), np.float32))
    assert list(arrays["ids"]) == [b"aa", b"bbbb", b""]
    assert set(arrays) == {"xy", "ids"}


def test_the_same_computation_is_stored_once(workspace: Workspace) -> None:
    first = record(workspace, 1.0)
    second = record(workspace, 2.0)
    assert first == second
    assert workspace.ledger.arrays(second)["xy"][0, 0] == 1.0
    assert len(workspace.ledger.all()) == 1


def test_latest_and_filters(workspace: Workspace) -> None:
    record(workspace)
    newer = record(workspace, seed=2, parent="x")
    assert workspace.ledger.latest("projection", "pfm") == newer
    assert [each.parameters["seed"] for each in workspace.ledger.all("projection", seed=1)] == [1]
    assert workspace.ledger.derived_from("in1")[-1] == newer
    with pytest.raises(NotFoundError, match="motif embed pfm"):
        workspace.ledger.latest("embedding", "pfm")


def test_results_are_counted_by_stage(workspace: Workspace) -> None:
    assert workspace.counts()["derived"] == {}
    record(workspace)
    record(workspace, seed=2)
    workspace.ledger.record("embedding", "pfm", {}, ["m"], {"x": np.zeros(1)}, {}, 0.0)
    assert workspace.counts()["derived"] == {"projection": 2, "embedding": 1}


def test_inputs_are_read_on_first_access(workspace: Workspace) -> None:
    result = record(workspace)
    (listed,) = workspace.ledger.all()
    assert "inputs" not in vars(listed)
    assert listed == result
    assert listed.inputs == ("in1", "in2")
    assert asdict(listed)["inputs"] == ("in1", "in2")
    copied = copy.deepcopy(workspace.ledger.all()[0])
    workspace.close()
    assert copied.inputs == ("in1", "in2")
    assert copied == result


def test_ids_of_results_among_others(workspace: Workspace) -> None:
    first, second = record(workspace), record(workspace, seed=2)
    ids = ["in1", second.id, "0" * 32, first.id]
    assert list(workspace.ledger.among(ids)) == [second.id, first.id]
    assert workspace.ledger.among(ids)[first.id] == first
    assert workspace.ledger.has(first.id)
    assert not workspace.ledger.has("in1")
    with pytest.raises(NotFoundError, match="motif status"):
        workspace.ledger.get("in1")


def test_a_missing_result_names_its_command(workspace: Workspace) -> None:
    for stage, command in (
        ("learning-curve", "motif learning-curve pfm"),
        ("tiles", "motif embed pfm --tiles 4"),
        ("unheard-of", "motif status"),
    ):
        with pytest.raises(NotFoundError, match=f"create it with {command}"):
            workspace.ledger.latest(stage, "pfm")
