"""Fills a DataFed server with the simulated lab, as a scientist's upload would."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motif.core.errors import SourceError
from motif.core.jobs.progress import Progress
from motif.ingest.datafed.client import DataFed
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.file_transfers import upload
from motif.ingest.datafed.record_documents import RecordDraft

if TYPE_CHECKING:
    from motif.ingest.simulate.simulated_lab import SimulatedFile

LAB = "Motif simulated lab"
UPLOAD = "upload"
"""Metadata key for name, size and SHA-256 of the file; DataFed itself keeps no checksum."""


def seed(
    connection: Connection,
    files: Iterable[SimulatedFile],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Upload files into the collection tree of the simulated lab, each once.

    A second call, also after an interruption, creates and uploads only what is missing.

    Returns:
        ``collection`` (id of the lab), ``collections`` (id by title), ``records``, ``created``,
        ``uploaded``, ``bytes`` (uploaded) and ``seconds``.

    Raises:
        SourceError: the server cannot be used, or some files could not be uploaded.
    """
    started = time.monotonic()
    progress = progress or Progress("seeding", quiet=True)
    by_collection: dict[str, list[SimulatedFile]] = {}
    for file in files:
        by_collection.setdefault(file.collection, []).append(file)
    progress.expect(sum(map(len, by_collection.values())))
    with DataFed(connection) as client:
        lab = client.ensure_collection([LAB], aliases=[_alias(LAB)])
        counts = {"records": 0, "created": 0, "uploaded": 0, "bytes": 0}
        collections = {}
        for title, members in by_collection.items():
            collections[title] = client.ensure_collection([title], lab, [_alias(title)])
            for name, count in _fill(client, collections[title], members, progress).items():
                counts[name] += count
    return {
        "collection": lab,
        "collections": collections,
        **counts,
        "seconds": round(time.monotonic() - started, 3),
    }


def _fill(
    client: DataFed, collection: str, files: Sequence[SimulatedFile], progress: Progress
) -> dict[str, int]:
    """Bring the files that are missing into one collection."""
    listed = [item for item, *_ in client.items(collection) if item.startswith("d/")]
    there = {
        (mark.get("name"), mark.get("sha256")): record
        for record in client.records(listed)
        if isinstance(mark := record["metadata"].get(UPLOAD), dict)
    }
    marks = [_mark(file.path) for file in files]
    keys = [(mark["name"], mark["sha256"]) for mark in marks]
    missing = [index for index, key in enumerate(keys) if key not in there]
    drafts = [_draft(files[index], marks[index]) for index in missing]
    for index, record in zip(missing, client.create_records(drafts, collection), strict=True):
        there[keys[index]] = record
    to_send = [
        (there[key]["id"], file.path)
        for key, mark, file in zip(keys, marks, files, strict=True)
        if there[key]["size"] != mark["size"]
    ]
    progress.advance(len(files) - len(to_send))
    sent = _send(client, to_send, progress)
    return {
        "records": len(files),
        "created": len(missing),
        "uploaded": len(to_send),
        "bytes": sent,
    }


def _send(client: DataFed, files: Sequence[tuple[str, Path]], progress: Progress) -> int:
    failures = []
    sent = 0
    for _, path, failure in upload(client, files):
        if failure:
            failures.append(str(failure))
        else:
            sent += path.stat().st_size
        progress.advance()
    if failures:
        raise SourceError(
            f"{len(failures)} of {len(files)} files could not be uploaded, first: {failures[0]} "
            "Run the same again to upload the rest."
        )
    return sent


def _draft(file: SimulatedFile, mark: dict[str, Any]) -> RecordDraft:
    return RecordDraft(
        title=file.title,
        metadata={"simulated": True, **file.metadata, UPLOAD: mark},
        description="Simulated by Motif; not a measurement.",
        tags=["simulated"],
    )


def _mark(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "size": path.stat().st_size, "sha256": digest}


def _alias(title: str) -> str:
    """``PFM scans`` -> ``motif-pfm-scans``: by this name a workspace can point to it."""
    words = "".join(letter if letter.isalnum() else " " for letter in title.lower()).split()
    return "-".join(words if words[:1] == ["motif"] else ["motif", *words])[:40]
