"""Workspaces written by earlier versions still open: their journal lines are translated."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import numpy as np
import pytest

from motif.core.annotations.annotation_log import add_label, annotations_of, remove_label
from motif.core.catalog.intake import Intake, NewRecord
from motif.core.catalog.journal_format import current_line
from motif.core.facets.raw_facets import raw_facets_of
from motif.core.records import Asset, Facet, Reading
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

FACET = {"name": "acquired_at", "value": "2021-07-07T12:00:00Z", "origin": "header:Date"}
OLD_SYNC: dict[str, Any] = {
    "what": "sync", "source": "s", "at": "2024-01-01T00:00:00Z", "quarantined": [],
    "deleted": [], "cursor": None,
    "records": [
        {"id": "s:a", "told_title": "For Ann", "title": "For …", "notes": ["cut off"],
         "measurements": [
             {"id": "m", "title": "scan", "told_title": "Ann's scan",
              "facets": [{**FACET, "unit": "", "told": "7 July, noon"}],
              "facts": [{**FACET, "unit": "", "told": "7/7"}],
              "outlines": [[0, "32 x 32 pixels", 0.1, 0.2, 0.3]]},
             {"id": "kept", "facets": []},
         ]},
    ],
}  # fmt: skip


def old_result(stage: str, **parameters: object) -> dict[str, Any]:
    result = {
        "id": "0" * 32, "stage": stage, "collection": "pfm", "parameters": parameters,
        "summary": {}, "seconds": 0.0, "snapshot": "", "inputs": [],
    }  # fmt: skip
    return {"what": "derive", "at": "2024-01-01T00:00:00Z", "derivation": result, "arrays": []}


def test_keys_of_an_old_sync_line_are_renamed() -> None:
    (record,) = current_line(OLD_SYNC)["records"]
    assert record["raw_title"] == "For Ann"
    assert record["warnings"] == ["cut off"]
    first, second = record["measurements"]
    assert first["raw_title"] == "Ann's scan"
    assert first["facets"][0]["raw_text"] == "7 July, noon"
    assert first["raw_facets"][0]["raw_text"] == "7/7"
    assert first["content_signatures"] == [[0, "32 x 32 pixels", 0.1, 0.2, 0.3]]
    assert second == {"id": "kept", "facets": []}
    assert not {"told", "told_title", "notes", "facts", "outlines"} & keys_of(record)


def test_origins_of_facets_are_worded_as_today() -> None:
    origin = "header:Date, zone not told: taken as UTC"
    facet = {**FACET, "origin": origin, "unit": "", "told": ""}
    record = {"id": "s:a", "measurements": [{"id": "m", "facets": [facet]}]}
    (current,) = current_line({**OLD_SYNC, "records": [record]})["records"]
    (measurement,) = current["measurements"]
    assert measurement["facets"][0]["origin"] == "header:Date, zone not stated: taken as UTC"


def keys_of(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(keys_of(inner) for inner in value.values()))
    return set().union(*(keys_of(inner) for inner in value)) if isinstance(value, list) else set()


@pytest.mark.parametrize(
    "line",
    [OLD_SYNC, old_result("label", action="put", label="odd"), old_result("joining", seed=1)],
)
def test_a_current_line_stays_the_same(line: dict[str, Any]) -> None:
    before = json.dumps(line)
    current = current_line(line)
    assert current_line(current) == current
    assert json.dumps(line) == before, "the line itself is not changed"


@pytest.mark.parametrize(
    ("former", "present"),
    [("joining", "feature-fusion"), ("model-steadiness", "model-invariance"), ("tiles", "tiles")],
)
def test_stages_are_renamed(former: str, present: str) -> None:
    assert current_line(old_result(former))["derivation"]["stage"] == present


@pytest.mark.parametrize(("former", "present"), [("put", "add"), ("take", "remove")])
def test_actions_of_labels_are_renamed(former: str, present: str) -> None:
    line = current_line(old_result("label", action=former, label="odd"))
    assert line["derivation"]["parameters"] == {"action": present, "label": "odd"}


def in_old_spelling(workspace: Workspace) -> None:
    """Rewrite a workspace's journal with former keys, and its catalog as of a former version."""
    transaction = workspace.store.transaction()
    journal = transaction.root["journal"]
    for number in range(journal.shape[0]):
        text = str(journal[number])
        for present, former in (
            ("raw_title", "told_title"), ("warnings", "notes"), ("raw_facets", "facts"),
            ("content_signatures", "outlines"), ("raw_text", "told"),
        ):  # fmt: skip
            text = text.replace(f'"{present}":', f'"{former}":')
        text = text.replace('"action":"add"', '"action":"put"')
        journal[number] = text.replace('"action":"remove"', '"action":"take"')
    transaction._session.commit("old spelling")
    with sqlite3.connect(workspace.root / "catalog.sqlite") as database:
        database.execute("UPDATE state SET value = '4' WHERE key = 'schema'")
        database.execute("ALTER TABLE annotations RENAME TO remarks")


def test_an_old_workspace_opens_with_everything_in_it(workspace: Workspace) -> None:
    scan = image(
        np.random.default_rng(1).normal(size=(3, 32, 32)),
        facets=[Facet("acquired_at", "2021-07-07T12:00:00", "header:Date", raw_text="7 July")],
    )
    new = NewRecord(
        Asset("a", "A scan", "1", "1", "a.ibw"),
        Reading([scan], (), ["cut off"]),
        "test",
        1,
        "00",
        0,
    )
    Intake(workspace, "test", "pfm", workspace.mapper()).commit([new], (), ())
    fill(workspace, "pfm", {"b": [image(np.ones((3, 4, 4)))]})
    ids = [row.id for row in workspace.select("pfm")]
    add_label(workspace, ids, "odd", "ito")
    remove_label(workspace, ids[:1], "odd", "ito")
    before = (
        workspace.catalog.records(), raw_facets_of(workspace.catalog, "test:a"),
        annotations_of(workspace.catalog, ids), workspace.facets(ids),
    )  # fmt: skip
    in_old_spelling(workspace)
    workspace.close()
    with Workspace.open(workspace.root) as opened:
        after = (
            opened.catalog.records(), raw_facets_of(opened.catalog, "test:a"),
            annotations_of(opened.catalog, ids), opened.facets(ids),
        )  # fmt: skip
        assert after == before
        assert opened.record("test:a").warnings == ["cut off"]
        with opened.catalog.reading() as connection:
            names = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
        assert "annotations" in names
        assert "remarks" not in names
        assert len(opened.select("pfm", 'label = "odd"')) == 1


def test_arrays_of_a_renamed_stage_are_found(workspace: Workspace) -> None:
    result = workspace.ledger.record(
        "feature-fusion", "pfm", {"seed": 1}, [], {"weights": np.arange(3.0)}, {}, 0.0
    )
    transaction = workspace.store.transaction()
    group = f"derived/feature-fusion/{result.id}"
    transaction.put(f"derived/joining/{result.id}/weights", np.arange(3.0))
    del transaction.root[group]
    journal = transaction.root["journal"]
    journal[0] = str(journal[0]).replace("feature-fusion", "joining")
    transaction._session.commit("old stage")
    workspace.reindex()
    (stored,) = workspace.ledger.all("feature-fusion")
    np.testing.assert_array_equal(workspace.ledger.arrays(stored)["weights"], np.arange(3.0))
