"""``motif check`` names what is missing or damaged, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from motif.core.annotations.annotation_log import add_label
from motif.core.jobs.progress import Progress
from motif.core.store.integrity import check_workspace
from motif.core.testing.fill_workspace import fill, image, spectrum
from motif.core.workspace import Workspace

EMPTY_RESULT = {
    "id": "0" * 32, "stage": "s", "collection": "pfm", "parameters": {}, "summary": {},
    "seconds": 0, "snapshot": "", "inputs": [],
}  # fmt: skip
LINE = {"what": "derive", "at": "", "derivation": EMPTY_RESULT}


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    fill(workspace, "pfm", {name: [image(np.full((3, 4, 4), ord(name)))] for name in "abc"})
    table = [spectrum(np.full(5, n), np.arange(5.0) ** 2, str(n), {}, {}) for n in range(4)]
    fill(workspace, "lib", {"t": table})
    return workspace


def problems(workspace: Workspace) -> list[str]:
    with Progress("checking", quiet=True) as progress:
        return check_workspace(workspace, progress)


def test_an_intact_workspace_has_no_problems(filled: Workspace) -> None:
    ids = [row.id for row in filled.select()]
    add_label(filled, ids[:1], "odd", "ito")
    filled.ledger.record("map", "pfm", {}, ids, {"xy": np.zeros(2)}, {}, 0.0)
    assert problems(filled) == []
    filled.reindex()
    assert problems(filled) == []


def test_changed_values_are_noticed(filled: Workspace) -> None:
    row = filled.select("lib")[2]
    transaction = filled.store.transaction()
    transaction.root[row.array][row.row] = np.full(5, 99, np.float32)
    transaction.commit(LINE)
    filled.refresh()
    (problem,) = problems(filled)
    assert row.id in problem
    assert "does not match its bytes" in problem


def test_a_missing_array_is_named_for_each_measurement(filled: Workspace) -> None:
    rows = filled.select("pfm")
    transaction = filled.store.transaction()
    del transaction.root[rows[0].array]
    transaction.commit(LINE)
    filled.refresh()
    named = problems(filled)
    assert len(named) == 3
    assert all("is missing at collections/pfm/image" in problem for problem in named)


def test_a_shortened_array_is_noticed(filled: Workspace) -> None:
    rows = sorted(filled.select("pfm"), key=lambda row: row.row)
    transaction = filled.store.transaction()
    transaction.root[rows[0].array].resize((2, 3, 4, 4))
    transaction.commit(LINE)
    filled.refresh()
    (problem,) = problems(filled)
    assert rows[2].id in problem


def test_lines_that_were_not_applied_are_counted(filled: Workspace) -> None:
    transaction = filled.store.transaction()
    transaction.commit(LINE)
    (problem,) = problems(filled)
    assert problem.startswith(f"The catalog has applied {filled.catalog.journal_length} of ")


def test_lost_arrays_of_a_result_are_named(filled: Workspace) -> None:
    arrays = {"xy": np.zeros(2), "trust": np.zeros(2), "ids": np.array(["a"])}
    result = filled.ledger.record("map", "pfm", {}, [], arrays, {}, 0.0)
    transaction = filled.store.transaction()
    del transaction.root[f"derived/map/{result.id}/xy"]
    del transaction.root[f"derived/map/{result.id}/trust"]
    transaction.commit(LINE)
    filled.refresh()
    assert problems(filled) == [f"Of map {result.id} these arrays are missing: trust, xy."]
