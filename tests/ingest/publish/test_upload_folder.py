"""Upload of a folder of instrument files to DataFed."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.errors import NotFoundError, SourceError
from motif.core.workspace import Workspace
from motif.ingest.datafed.metadata_json import from_json
from motif.ingest.publish.destination import Destination
from motif.ingest.publish.folder_upload import upload_folder
from motif.ingest.publish.record_metadata import (
    SIZE_LIMIT,
    fit_metadata,
    header_document,
    parse_value,
    size_of,
)
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox
from motif.ingest.sync.source_sync import sync

WriteScan = Callable[..., None]


def records(target: Destination) -> dict[str, dict[str, Any]]:
    tree = target.client.tree(target.collection)
    return {record["title"]: record for record in target.client.records(list(tree.records))}


def test_a_tree_with_full_headers(scans: Path, target: Destination) -> None:
    (scans / "scan0.ibw.json").write_text('{"operator": "xu"}')
    report = upload_folder(scans, target, scans.parent)
    assert (report.files, report.created, report.uploaded) == (5, 5, 5)
    tree = target.client.tree(target.collection)
    assert set(tree.collections.values()) == {"", "2021-10", "night"}
    record = records(target)["scan0.ibw"]
    assert record["size"] == (scans / "scan0.ibw").stat().st_size
    assert record["metadata"]["operator"] == "xu"
    assert record["metadata"]["header"]["ScanSize"] == 2e-06
    assert record["metadata"]["header"]["ImagingMode"] == "PFM Mode"
    assert record["metadata"]["scan_size"] == {"value": 2e-6, "unit": "m"}
    assert record["metadata"]["upload"]["contents"]["channels"] == ["HeightRetrace"]


def test_a_second_upload_changes_nothing_and_a_changed_file_is_a_new_version(
    scans: Path, target: Destination, write_scan: WriteScan
) -> None:
    upload_folder(scans, target, scans.parent)
    again = upload_folder(scans, target, scans.parent)
    assert (again.created, again.uploaded, again.unchanged) == (0, 0, 5)
    before = records(target)["scan1.ibw"]["id"]
    write_scan(scans / "scan1.ibw", 77)
    changed = upload_folder(scans, target, scans.parent)
    assert (changed.created, changed.versions, changed.unchanged) == (1, 1, 4)
    newer = [record for record in records(target).values() if record["dependencies"]]
    assert [record["dependencies"] for record in newer] == [[{"id": before, "type": "ver"}]]


def test_equal_bytes_are_one_record(scans: Path, target: Destination) -> None:
    shutil.copy(scans / "scan0.ibw", scans / "night" / "copy of scan0.ibw")
    report = upload_folder(scans, target, scans.parent)
    assert report.created == 5
    (copy,) = report.duplicates
    assert copy["record"] in {record["id"] for record in records(target).values()}
    again = upload_folder(scans, target, scans.parent)
    assert (again.created, len(again.duplicates)) == (0, 1)


def test_an_interrupted_upload_is_completed(
    scans: Path, target: Destination, sandbox: Sandbox
) -> None:
    sandbox.faults.fail_transfer("Globus transfer failed for unknown reasons")
    with pytest.raises(SourceError, match=r"1 of 5 files .* unknown reasons"):
        upload_folder(scans, target, scans.parent)
    report = upload_folder(scans, target, scans.parent)
    assert (report.created, report.uploaded, report.unchanged) == (0, 1, 4)


def test_a_file_no_reader_can_read_is_uploaded_and_reported(
    scans: Path, target: Destination
) -> None:
    (scans / "notes.txt").write_text("call the technician\n")
    report = upload_folder(scans, target, scans.parent)
    assert [file["file"] for file in report.unread] == ["notes.txt"]
    assert records(target)["notes.txt"]["size"] == 20


def test_uploaded_files_can_be_ingested(
    scans: Path, target: Destination, workspace: Workspace
) -> None:
    upload_folder(scans, target, scans.parent)
    report = sync(workspace, "pfm")
    assert (report.new, report.quarantined) == (5, 0)
    assert all(not r.disagreements for r in workspace.catalog.records("pfm"))
    assert len(workspace.select("pfm", 'mode = "PFM Mode" or has scan_size')) == 5


def test_a_header_that_is_too_long_becomes_a_file(
    scans: Path, target: Destination, workspace: Workspace, write_scan: WriteScan
) -> None:
    note = [("ScanSize", "2e-06"), *((f"Setting {n}", f"{n} " + "x" * 200) for n in range(900))]
    write_scan(scans / "long.ibw", 9, note)
    report = upload_folder(scans, target, scans.parent)
    (overflow,) = report.overflow
    assert overflow["file"] == "long.ibw"
    made = records(target)
    record, rest = made["long.ibw"], made["long.ibw header"]
    assert size_of(record["metadata"]) <= 102_400
    assert record["metadata"]["upload"]["rest"]
    assert rest["dependencies"] == [{"id": record["id"], "type": "comp"}]
    path = next((workspace.root.parent / "sandbox" / "repo").rglob(rest["id"][2:]))
    pairs = json.loads(path.read_text())["header"]
    assert {key: value for key, value in pairs if key.startswith("Setting")} == dict(note[1:])
    again = upload_folder(scans, target, scans.parent)
    assert (again.created, again.uploaded) == (0, 0)
    sync(workspace, "pfm")
    assert workspace.catalog.quarantined() == []


def test_no_folder(target: Destination, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no folder"):
        upload_folder(tmp_path / "missing", target, tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-06", 2e-6), ("-3.50", -3.5), ("12", 12), ("+7", 7), (" 5 ", 5), (".5", 0.5),
        ("1.", 1.0), ("007", "007"), ("1,5", "1,5"), ("10:20:30", "10:20:30"),
        ("2021-10-08", "2021-10-08"), ("0x10", "0x10"), ("1e999", "1e999"), ("1e-999", "1e-999"),
        ("0e-999", 0.0), ("1_000", "1_000"), ("٣", "٣"), ("", ""), ("5 V", "5 V"),
        ("0.12345678901234567890", "0.12345678901234567890"), ("-Infinity", -math.inf),
    ],
)  # fmt: skip
def test_numbers_are_numbers_and_names_are_names(text: str, value: object) -> None:
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_repeated_keys_and_not_a_number() -> None:
    document = header_document([("NapMode", "Off"), ("bias", "NaN"), ("NapMode", "0"), ("", "x")])
    assert document["NapMode"] == ["Off", 0]
    assert math.isnan(document["bias"])
    assert document[""] == "x"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_survives(number: float) -> None:
    assert parse_value(repr(number)) == number


@given(st.integers())
def test_every_integer_survives(number: int) -> None:
    assert parse_value(str(number)) == number


@given(
    st.dictionaries(st.text(max_size=8), st.floats() | st.text(max_size=40), max_size=30),
    st.integers(60, 1500),
)
def test_nothing_is_lost_in_trimming(header: dict[str, object], limit: int) -> None:
    content = {"upload": {"name": "a"}, "header": header}
    kept, removed = fit_metadata(content, (("header",),), limit)
    assert size_of(kept) <= max(limit, size_of({**content, "header": {}}))
    whole = {**kept["header"], **removed.get("header", {})}
    restored = {key: from_json(value) for key, value in whole.items()}
    assert repr(sorted(restored.items())) == repr(sorted(header.items())) or not all(
        key.isprintable() for key in header
    )
    assert SIZE_LIMIT < 102_400
