import copy
from dataclasses import asdict

import numpy as np
import pytest

from motif.core.errors import NotFoundError
from motif.core.workspace import Workspace


def make(workspace: Workspace, value: float = 1.0, **parameters: object):
    return workspace.ledger.record(
        "projection", "pfm", {"seed": 1, **parameters}, ["in1", "in2"],
        {"xy": np.full((3, 2), value, np.float32), "ids": np.array([b"aa", b"bbbb", b""])},
        {"trustworthiness": 0.9}, 1.25,
    )  # fmt: skip


def test_a_result_is_found_by_what_made_it(workspace: Workspace) -> None:
    made = make(workspace)
    assert workspace.ledger.find("projection", {"seed": 1}, ["in1", "in2"]) == made
    assert workspace.ledger.find("projection", {"seed": 2}, ["in1", "in2"]) is None
    assert workspace.ledger.find("projection", {"seed": 1}, ["in2", "in1"]) is None
    assert made.inputs == ("in1", "in2")
    arrays = workspace.ledger.arrays(made)
    np.testing.assert_array_equal(arrays["xy"], np.ones((3, 2), np.float32))
    assert list(arrays["ids"]) == [b"aa", b"bbbb", b""]
    assert set(arrays) == {"xy", "ids"}


def test_the_same_computation_is_kept_once(workspace: Workspace) -> None:
    first = make(workspace, 1.0)
    second = make(workspace, 2.0)
    assert first == second
    assert workspace.ledger.arrays(second)["xy"][0, 0] == 1.0
    assert len(workspace.ledger.all()) == 1


def test_latest_and_filters(workspace: Workspace) -> None:
    make(workspace)
    newer = make(workspace, seed=2, parent="x")
    assert workspace.ledger.latest("projection", "pfm") == newer
    assert [one.parameters["seed"] for one in workspace.ledger.all("projection", seed=1)] == [1]
    assert workspace.ledger.made_from("in1")[-1] == newer
    with pytest.raises(NotFoundError, match="motif embed pfm"):
        workspace.ledger.latest("embedding", "pfm")


def test_results_are_counted_by_stage(workspace: Workspace) -> None:
    assert workspace.counts()["derived"] == {}
    make(workspace)
    make(workspace, seed=2)
    workspace.ledger.record("embedding", "pfm", {}, ["m"], {"x": np.zeros(1)}, {}, 0.0)
    assert workspace.counts()["derived"] == {"projection": 2, "embedding": 1}


def test_inputs_are_read_when_asked_for(workspace: Workspace) -> None:
    made = make(workspace)
    (listed,) = workspace.ledger.all()
    assert "inputs" not in vars(listed)
    assert listed == made
    assert listed.inputs == ("in1", "in2")
    assert asdict(listed)["inputs"] == ("in1", "in2")
    elsewhere = copy.deepcopy(workspace.ledger.all()[0])
    workspace.close()
    assert elsewhere.inputs == ("in1", "in2")
    assert elsewhere == made
