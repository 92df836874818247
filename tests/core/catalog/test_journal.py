"""What each kind of journal line does to the catalog, and that it does it once."""

from __future__ import annotations

from typing import Any

import pytest

from motif.core.catalog import journal
from motif.core.catalog.database import Catalog
from motif.core.workspace import Workspace

Line = dict[str, Any]
FIRST, LATER = "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"


@pytest.fixture
def catalog(workspace: Workspace) -> Catalog:
    return workspace.catalog


def facet(name: str, value: object, unit: str = "") -> Line:
    return {"name": name, "value": value, "unit": unit, "origin": "header:x", "raw_text": ""}


def measurement(number: int, *facets: Line, stored: bool = True, **parts: object) -> Line:
    line = {"id": f"m{number}", "facets": list(facets), **parts}
    if stored:
        line |= {
            "record_id": f"s:{number}", "collection": "pfm", "kind": "image", "key": "0",
            "title": f"scan {number}", "array": "a", "row": number, "layout": {},
            "composition": {}, "targets": {}, "simulated": False,
        }  # fmt: skip
    return line


def record(number: int, *measurements: Line, **parts: object) -> Line:
    return {
        "id": f"s:{number}", "source": "s", "native_id": str(number), "collection": "pfm",
        "title": f"record {number}", "raw_title": "", "fingerprint": "f", "raw_fingerprint": "r",
        "raw_sha256": "", "raw_size": 0, "file_name": f"Scan{number}.IBW", "reader": "t",
        "reader_version": 1, "metadata": {}, "origin": {}, "warnings": [], "disagreements": [],
        "simulated": False, "measurements": list(measurements), **parts,
    }  # fmt: skip


def sync(catalog: Catalog, *records: Line, at: str = FIRST, **parts: object) -> int:
    """Apply the next line; returns its number."""
    number = catalog.journal_length
    line = {
        "what": "sync", "source": "s", "at": at, "records": list(records), "deleted": [],
        "quarantined": [], "cursor": None, **parts,
    }  # fmt: skip
    journal.apply(catalog, number, line)
    return number


def quarantined(native_id: str, reason: str = "not a wave") -> Line:
    return {
        "native_id": native_id, "title": native_id, "file_name": f"{native_id}.ibw",
        "reason": reason, "reader": "", "first_bytes": "00", "metadata": {}, "origin": {},
        "fingerprint": "f", "raw_fingerprint": "r", "readers": "t 1",
    }  # fmt: skip


def live(catalog: Catalog) -> list[str]:
    return [row.id for row in catalog.select()]


def test_a_record_is_inserted_then_revised(catalog: Catalog) -> None:
    sync(catalog, record(1, measurement(1)))
    sync(catalog, record(1, measurement(1, stored=False), title="renamed"), at=LATER)
    (row,) = catalog.records()
    assert (row.title, row.revision) == ("renamed", 2)
    assert (row.first_seen, row.updated_at) == (FIRST, LATER)
    assert row.stem == "scan1"
    assert live(catalog) == ["m1"]


def test_a_line_is_applied_once(catalog: Catalog) -> None:
    number = sync(catalog, record(1, measurement(1)))
    line = {
        "what": "sync", "source": "s", "at": LATER, "records": [record(2, measurement(2))],
        "deleted": [], "quarantined": [], "cursor": None,
    }  # fmt: skip
    journal.apply(catalog, number, line)
    assert live(catalog) == ["m1"]
    assert catalog.journal_length == number + 1


def test_a_line_out_of_order_waits(catalog: Catalog) -> None:
    sync(catalog, record(1, measurement(1)))
    line = {
        "what": "sync", "source": "s", "at": LATER, "records": [record(2, measurement(2))],
        "deleted": [], "quarantined": [], "cursor": None,
    }  # fmt: skip
    journal.apply(catalog, 7, line)
    assert live(catalog) == ["m1"]


def test_a_deleted_record_returns_with_its_measurements(catalog: Catalog) -> None:
    sync(catalog, record(1, measurement(1)), record(2, measurement(2)))
    sync(catalog, deleted=["1"], at=LATER)
    assert live(catalog) == ["m2"]
    assert not catalog.record("s:1").live
    assert catalog.measurement("m1").live is False
    assert catalog.has_measurement("m1")
    sync(catalog, record(1, measurement(1, stored=False)))
    assert live(catalog) == ["m1", "m2"]


def test_measurements_that_left_a_file_are_retired(catalog: Catalog) -> None:
    other = {**measurement(2), "record_id": "s:1"}
    sync(catalog, record(1, measurement(1), other))
    sync(catalog, record(1, measurement(1, stored=False)))
    assert live(catalog) == ["m1"]


def test_deletion_concerns_one_source(catalog: Catalog) -> None:
    sync(catalog, record(1, measurement(1)))
    sync(catalog, source="other", deleted=["1"])
    assert live(catalog) == ["m1"]


def test_facets_are_replaced(catalog: Catalog) -> None:
    sync(catalog, record(1, measurement(1, facet("mode", "PFM"), facet("bias", 2.0, "V"))))
    assert catalog.facets(["m1"]) == {"m1": {"mode": "PFM", "bias": 2.0}}
    sync(catalog, record(1, measurement(1, facet("simulated", True), stored=False)))
    assert catalog.facets(["m1"]) == {"m1": {"simulated": True}}


def test_a_header_stays_until_another_is_read(catalog: Catalog) -> None:
    header = [["Key", "1"], ["Key", "2"]]
    sync(catalog, record(1, measurement(1), header=header))
    sync(catalog, record(1, measurement(1, stored=False)))
    assert catalog.header("s:1") == [("Key", "1"), ("Key", "2")]
    sync(catalog, record(1, measurement(1, stored=False), header=[]))
    assert catalog.header("s:1") == []
    assert catalog.header("s:unknown") == []


def test_titles_change_with_the_line(catalog: Catalog) -> None:
    sync(catalog, record(1, measurement(1)))
    sync(catalog, record(1, measurement(1, stored=False, title="new title")))
    assert catalog.measurement("m1").title == "new title"
    assert [row.id for row in catalog.select(where='text "new title"')] == ["m1"]


def test_quarantine_counts_attempts_and_ends_when_read(catalog: Catalog) -> None:
    sync(catalog, quarantined=[quarantined("1")])
    sync(catalog, quarantined=[quarantined("1", "cut off")], at=LATER)
    (entry,) = catalog.quarantined("s")
    assert (entry.attempts, entry.reason) == (2, "cut off")
    assert (entry.first_seen, entry.last_seen) == (FIRST, LATER)
    assert catalog.counts() == {"records": 0, "disagreeing": 0, "quarantined": 1}
    assert catalog.quarantined("other") == []
    sync(catalog, record(1, measurement(1)))
    assert catalog.quarantined() == []


def test_a_quarantined_record_is_not_listed(catalog: Catalog) -> None:
    sync(catalog, record(1, measurement(1)))
    sync(catalog, quarantined=[quarantined("1")])
    assert live(catalog) == []
    assert list(catalog.sync_states("s")) == ["1"]
    sync(catalog, deleted=["1"])
    assert catalog.quarantined() == []
    assert catalog.sync_states("s") == {}


def test_the_cursor_is_kept_until_a_line_has_one(catalog: Catalog) -> None:
    assert catalog.cursor("s") == ""
    sync(catalog, cursor="7")
    sync(catalog, record(1, measurement(1)))
    assert catalog.cursor("s") == "7"
    sync(catalog, cursor="")
    assert catalog.cursor("s") == ""


def test_disagreeing_records_are_counted(catalog: Catalog) -> None:
    difference = {"facet": "mode", "header": "PFM", "record": "AFM"}
    sync(catalog, record(1, measurement(1), disagreements=[difference]), record(2, measurement(2)))
    assert catalog.counts() == {"records": 2, "disagreeing": 1, "quarantined": 0}


def derive(catalog: Catalog, identity: str, stage: str = "s", *inputs: str, **parameters: object):
    result = {
        "id": identity, "stage": stage, "collection": "pfm", "parameters": parameters,
        "summary": {}, "seconds": 1.0, "snapshot": "", "inputs": list(inputs),
    }  # fmt: skip
    line = {"what": "derive", "at": FIRST, "derivation": result, "arrays": []}
    journal.apply(catalog, catalog.journal_length, line)


def test_results_keep_the_order_of_their_inputs(workspace: Workspace, catalog: Catalog) -> None:
    derive(catalog, "r1", "s", "b", "a")
    derive(catalog, "r1", "s", "c")
    (result,) = workspace.ledger.all()
    assert result.inputs == ("b", "a")
    assert catalog.journal_length == 2


def label(action: str) -> Line:
    return {"action": action, "label": "odd", "who": "ito", "at": FIRST}


def test_labels_change_the_measurements(workspace: Workspace, catalog: Catalog) -> None:
    sync(catalog, record(1, measurement(1)), record(2, measurement(2)))
    derive(catalog, "r1", "label", "m1", "m2", **label("add"))
    assert [row.id for row in catalog.select(where='label = "odd"')] == ["m1", "m2"]
    derive(catalog, "r2", "label", "m2", **label("remove"))
    assert [row.id for row in catalog.select(where="has label")] == ["m1"]
    assert workspace.columns("pfm").counts("label") == {"odd": 1}


def test_many_records_are_written_in_batches(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    from motif.core.catalog import tables

    monkeypatch.setattr(tables, "IDS_PER_STATEMENT", 3)
    records = [record(n, measurement(n, facet("mode", f"m{n % 2}"))) for n in range(10)]
    sync(catalog, *records)
    assert len(live(catalog)) == 10
    assert len(catalog.facets([f"m{n}" for n in range(10)])) == 10
    sync(catalog, deleted=[str(n) for n in range(7)])
    assert live(catalog) == ["m7", "m8", "m9"]
