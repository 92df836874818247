"""Raw data there and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from motif.core.errors import ConfigError
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.datafed_errors import TransferError
from motif.ingest.datafed.file_transfers import RawFile, download, upload
from motif.ingest.datafed.record_documents import RecordDraft
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox

if TYPE_CHECKING:
    from conftest import DataFedLab  # type: ignore[import-not-found]


@pytest.fixture
def records(lab: DataFedLab) -> list[RawFile]:
    """Twelve records of different sizes."""
    drafts = [RecordDraft(f"scan {i}") for i in range(12)]
    made = lab.client.create_records(drafts, lab.collection)
    pairs = []
    for i, record in enumerate(made):
        path = lab.folder / f"{i}.ibw"
        path.write_bytes(bytes([i]) * (100 + i))
        pairs.append((record["id"], path))
    assert all(failure is None for _, _, failure in upload(lab.client, pairs))
    return [RawFile(record["id"], 100 + i, f"{i}.ibw") for i, record in enumerate(made)]


def contents(results: Iterator[tuple[RawFile, Path | TransferError]]) -> dict[str, object]:
    return {
        item.record_id: result.read_bytes() if isinstance(result, Path) else result
        for item, result in results
    }


def whole(records: list[RawFile]) -> dict[str, object]:
    return {item.record_id: bytes([i]) * item.size for i, item in enumerate(records)}


def edit(sandbox: Sandbox, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(sandbox.folder / "sandbox.sqlite")) as db, db:
        assert db.execute(statement, values).rowcount == 1


def raw_file(sandbox: Sandbox, record_id: str) -> Path:
    digits = record_id.partition("/")[2]
    (path,) = (p for p in (sandbox.folder / "repo").rglob(digits) if p.is_file())
    return path


def test_everything_arrives_under_its_own_name(
    lab: DataFedLab, records: list[RawFile], tmp_path: Path
) -> None:
    into = tmp_path / "in"
    assert contents(download(lab.client, records, into)) == whole(records)
    assert {path.name for path in into.iterdir()} == {f"{r.digits}.ibw" for r in records}


def test_a_failed_batch_is_repeated_one_by_one(
    sandbox: Sandbox, lab: DataFedLab, records: list[RawFile], tmp_path: Path
) -> None:
    sandbox.faults.fail_transfer()
    assert contents(download(lab.client, records, tmp_path / "in")) == whole(records)


def test_a_record_that_cannot_be_fetched_fails_alone(
    sandbox: Sandbox, lab: DataFedLab, records: list[RawFile], tmp_path: Path
) -> None:
    raw_file(sandbox, records[3].record_id).unlink()
    raw_file(sandbox, records[5].record_id).write_bytes(b"half")
    results = contents(download(lab.client, records, tmp_path / "in"))
    expected = whole(records)
    for broken in (records[3], records[5]):
        failure = results.pop(broken.record_id)
        assert isinstance(failure, TransferError)
        assert broken.record_id in str(failure)
        del expected[broken.record_id]
    assert results == expected
    assert len(list((tmp_path / "in").iterdir())) == 10


def test_a_size_that_differs_is_reported(
    sandbox: Sandbox, lab: DataFedLab, records: list[RawFile], tmp_path: Path
) -> None:
    raw_file(sandbox, records[0].record_id).write_bytes(b"half")
    (failure,) = contents(download(lab.client, records[:1], tmp_path / "in")).values()
    assert "4 of 100 bytes arrived" in str(failure)
    assert list((tmp_path / "in").iterdir()) == []


def test_hostile_names_stay_text(
    sandbox: Sandbox, lab: DataFedLab, records: list[RawFile], tmp_path: Path
) -> None:
    hostile, escaping = records[0], records[1]
    edit(sandbox, "UPDATE item SET source = '../../x', ext = '' WHERE id = ?", hostile.record_id)
    edit(sandbox, "UPDATE item SET ext = '/../../../x' WHERE id = ?", escaping.record_id)
    into = tmp_path / "deep" / "er" / "in"
    wanted = [replace(hostile, file_name="../../x"), replace(escaping, file_name="../../y.ibw")]
    results = contents(download(lab.client, [*wanted, *records[2:]], into))
    assert results[hostile.record_id] == b"\0" * 100
    assert isinstance(results[escaping.record_id], TransferError)
    assert {path.name for path in into.iterdir()} == {
        hostile.digits,
        *(item.safe_name for item in records[2:]),
    }
    assert [path.name for path in (tmp_path / "deep" / "er").iterdir()] == ["in"]


def test_ids_of_another_form_fail_alone(
    lab: DataFedLab, records: list[RawFile], tmp_path: Path
) -> None:
    odd = [RawFile("d/../../x", 1, "x"), RawFile("c/1000", 1, "x"), RawFile("d/٣", 1, "x")]
    results = contents(download(lab.client, [*odd, *records], tmp_path / "in"))
    assert all(isinstance(results.pop(item.record_id), TransferError) for item in odd)
    assert results == whole(records)


def test_a_stuck_transfer_ends_in_time(
    sandbox: Sandbox, connection: Connection, records: list[RawFile], tmp_path: Path
) -> None:
    sandbox.faults.hold_transfers()
    with DataFed(replace(connection, transfer_timeout=0.2)) as client:
        results = contents(download(client, records[:2], tmp_path / "in"))
    left = list((tmp_path / "in").iterdir())
    sandbox.faults.release_transfers()
    assert all("did not end in time" in str(result) for result in results.values())
    assert left == []


def test_a_lost_acknowledgement_starts_another_transfer(
    sandbox: Sandbox, connection: Connection, records: list[RawFile], tmp_path: Path
) -> None:
    with DataFed(replace(connection, timeout=0.5)) as client:
        sandbox.faults.drop_reply("DataGetRequest")
        assert contents(download(client, records, tmp_path / "in")) == whole(records)


def test_an_endpoint_that_reaches_one_folder_only(
    connection: Connection, records: list[RawFile], tmp_path: Path
) -> None:
    reach = tmp_path / "reach"
    reach.mkdir()
    bound = replace(connection, local_root=reach)
    with DataFed(bound) as client:
        assert contents(download(client, records, tmp_path / "in")) == whole(records)
        (tmp_path / "new.ibw").write_bytes(b"new content")
        ((_, _, failure),) = upload(client, [(records[0].record_id, tmp_path / "new.ibw")])
        assert failure is None
        assert client.record(records[0].record_id)["size"] == 11
        assert client.record(records[0].record_id)["source"].endswith("/new.ibw")
    assert list(reach.iterdir()) == []
    with DataFed(replace(connection, endpoint="")) as client, pytest.raises(ConfigError):
        list(download(client, records, tmp_path / "in"))


def test_a_failed_upload_is_reported(
    sandbox: Sandbox, lab: DataFedLab, records: list[RawFile]
) -> None:
    sandbox.faults.fail_transfer("no space left")
    pairs = [(item.record_id, lab.folder / "0.ibw") for item in records[:3]]
    results = [failure for _, _, failure in upload(lab.client, pairs)]
    assert sum(failure is None for failure in results) == 2
    assert "no space left" in next(str(failure) for failure in results if failure)
    ((_, _, refused),) = upload(lab.client, [("d/424242", lab.folder / "0.ibw")])
    assert isinstance(refused, TransferError)
