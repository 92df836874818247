import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace


def motif(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "motif.core.cli.command_line", *arguments],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_init_then_status(tmp_path: Path) -> None:
    assert motif("init", "lab", cwd=tmp_path).returncode == 0
    done = motif("status", "--json", cwd=tmp_path / "lab")
    assert json.loads(done.stdout)["records"] == 0
    assert (tmp_path / "lab" / "motif.toml").exists()


def test_refusals_are_one_sentence_on_stderr(tmp_path: Path) -> None:
    done = motif("status", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "motif init" in done.stderr


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    fill(
        workspace, "pfm", {name: [image(np.full((3, 4, 4), n))] for n, name in enumerate("ab")},
        {"a": {"operator": "xu"}, "b": {"operator": "<script>"}},
    )  # fmt: skip
    return workspace


def test_measurements_and_show(filled: Workspace) -> None:
    done = motif("measurements", 'operator = "xu"', "--json", cwd=filled.root)
    document = json.loads(done.stdout)
    assert document["total"] == 1
    (measurement,) = document["measurements"]
    assert measurement["record"] == "test:a"
    for identity in (measurement["id"], "test:a"):
        shown = json.loads(motif("show", identity, "--header", "--json", cwd=filled.root).stdout)
        assert shown["header"] == [["Key", "value"]]
        assert shown["measurements"][0]["id"] == measurement["id"]


def test_records_are_listed_with_their_measurements(workspace: Workspace) -> None:
    scans = {name: [image(np.full((3, 4, 4), n), key=str(n)) for n in range(2)] for name in "ab"}
    fill(workspace, "pfm", scans, {"a": {"operator": "xu"}})
    fill(workspace, "other", {"c": [image(np.zeros((3, 4, 4)))]}, source="more")
    done = motif("records", "--json", cwd=workspace.root)
    document = json.loads(done.stdout)
    assert document["total"] == 3
    assert [record["id"] for record in document["records"]] == ["more:c", "test:a", "test:b"]
    first = json.loads(motif("records", 'operator = "xu"', "--json", cwd=workspace.root).stdout)
    (record,) = first["records"]
    assert record["measurements"] == {"image": 2}
    assert (record["id"], record["source"], record["collection"]) == ("test:a", "test", "pfm")
    assert (record["file_name"], record["reader"]) == ("a.ibw", "test")
    listed = motif("records", "--collection", "pfm", "--limit", "1", cwd=workspace.root).stdout
    heading, row, more = listed.splitlines()
    assert heading.split() == ["record", "collection", "measurements", "reader", "title"]
    assert row.split() == ["test:a", "pfm", "2", "test", "a"]
    assert more == "... and 1 more; raise --limit to list them."
    assert heading.index("title") == row.rindex("a")


def test_lists_without_matches_advise(filled: Workspace) -> None:
    for command in ("records", "measurements"):
        done = motif(command, 'operator = "nobody"', cwd=filled.root)
        assert (done.returncode, "motif facets" in done.stdout) == (0, True)
        refused = motif(command, "--collection", "afm", cwd=filled.root)
        assert refused.returncode == 1
        assert 'no collection "afm"; it has pfm' in refused.stderr


def test_check_finds_a_damaged_array(filled: Workspace) -> None:
    assert motif("check", "--json", cwd=filled.root).returncode == 0
    row = filled.select("pfm")[0]
    transaction = filled.store.transaction()
    transaction.append(row.array, np.zeros((1, 3, 4, 4), np.float32) + 99, row.row)
    transaction.root[row.array].resize((2, 3, 4, 4))
    transaction.commit({"what": "derive", "at": "", "derivation": DAMAGE})
    done = motif("check", "--json", cwd=filled.root)
    assert done.returncode == 1
    assert any(row.id in problem for problem in json.loads(done.stdout)["problems"])


def test_check_finds_missing_results_and_no_fault_in_labels(filled: Workspace) -> None:
    assert motif("label", "pfm", "--add", "x", "--where", "", cwd=filled.root).returncode == 0
    result = filled.ledger.record("map", "pfm", {}, [], {"xy": np.zeros(2)}, {}, 0.0)
    assert motif("check", cwd=filled.root).returncode == 0
    transaction = filled.store.transaction()
    del transaction.root[f"derived/map/{result.id}/xy"]
    transaction.commit({"what": "derive", "at": "", "derivation": DAMAGE})
    done = motif("check", "--json", cwd=filled.root)
    assert done.returncode == 1
    (problem,) = json.loads(done.stdout)["problems"]
    assert result.id in problem
    assert "xy" in problem


DAMAGE = {
    "id": "0" * 32, "stage": "s", "collection": "pfm", "parameters": {}, "summary": {},
    "seconds": 0, "snapshot": "", "inputs": [],
}  # fmt: skip


def test_labels_are_added_listed_and_removed(filled: Workspace) -> None:
    root = filled.root
    done = motif("label", "pfm", "--add", "to repeat", "--where", 'operator = "xu"', cwd=root)
    assert done.returncode == 0, done.stderr
    assert json.loads(motif("label", "pfm", "--json", cwd=root).stdout) == {
        "labels": {"to repeat": 1}
    }
    (row,) = filled.select("pfm", 'label = "to repeat"')
    assert motif("label", "pfm", "--note", "worn", "--id", row.id, cwd=root).returncode == 0
    shown = json.loads(motif("show", row.record_id, "--json", cwd=root).stdout)
    (measurement,) = shown["measurements"]
    assert measurement["labels"] == ["to repeat"]
    assert [note["text"] for note in measurement["notes"]] == ["worn"]
    motif("label", "pfm", "--remove", "to repeat", "--id", row.id, cwd=root)
    assert "pfm has no labels" in motif("label", "pfm", cwd=root).stdout
    refused = motif("label", "pfm", "--add", "x", cwd=root)
    assert refused.returncode == 1
    assert "--id or --where" in refused.stderr
