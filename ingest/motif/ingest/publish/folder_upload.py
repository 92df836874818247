"""Uploads a folder of instrument files, each once, with its header as record metadata."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from motif.core.contracts import Reader
from motif.core.errors import NotFoundError, SourceError, UnreadableFileError
from motif.core.jobs.progress import Progress
from motif.core.records import Asset
from motif.ingest.datafed.datafed_source import OWN_MARK
from motif.ingest.datafed.file_transfers import upload
from motif.ingest.datafed.record_documents import TITLE_LENGTH, RecordDraft
from motif.ingest.folder.folder_source import FolderSource
from motif.ingest.publish.destination import Destination
from motif.ingest.publish.record_metadata import (
    describe_contents,
    facet_document,
    fit_metadata,
    header_document,
)
from motif.ingest.readers import choose
from motif.ingest.sync.containment import contained_readers
from motif.ingest.sync.scratch import scratch_folder

MARK = "upload"
"""Metadata key of the file's name, path, size and SHA-256; DataFed keeps no checksum."""
BATCH = 64
NAMED = 20
"""Number of removed header keys that the metadata list."""
HEADER_SUFFIX = ".header.json"


@dataclass
class UploadReport:
    """What an upload did, with details of files that need attention."""

    collection: str = ""
    files: int = 0
    created: int = 0
    uploaded: int = 0
    unchanged: int = 0
    bytes: int = 0
    versions: int = 0
    """Records created as new versions of a file of the same path."""
    duplicates: list[dict[str, str]] = field(default_factory=list)
    """Files whose bytes another record already has: ``file`` and ``record``."""
    unread: list[dict[str, str]] = field(default_factory=list)
    """Files uploaded without a header: ``file`` and ``reason``."""
    overflow: list[dict[str, str]] = field(default_factory=list)
    """Files whose header is too long for a record: ``file``, and the ``record`` of its header."""
    seconds: float = 0.0


@dataclass
class _UploadFile:
    path: Path
    relative_path: str
    """Path relative to the folder, with ``/``."""
    owner_metadata: Mapping[str, Any]
    """Metadata in the file's sidecar."""
    mark: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)
    """The whole header and the removed metadata, where these exceed a record's limit."""

    @property
    def key(self) -> str:
        return str(self.mark["sha256"])

    def describe(self, readers: Sequence[Reader]) -> None:
        """Read the file and set its metadata; the sidecar's outrank the file's."""
        from_file: dict[str, Any] = {}
        pairs: list[list[str]] = []
        try:
            reader = choose(self.path, readers)
            reading = reader(self.path)
        except UnreadableFileError as error:
            self.mark["unread"] = str(error)
        else:
            self.mark["reader"] = f"{reader.name}/{reader.version}"
            self.mark["contents"] = describe_contents(reading.measurements)
            from_file = {**facet_document(reading), "header": header_document(reading.header)}
            pairs = [[key, value] for key, value in reading.header]
        complete = {**from_file, **self.owner_metadata, MARK: self.mark}
        self.metadata, removed = fit_metadata(complete, (("header",), ()))
        if removed:
            self.mark["rest"] = sorted(removed.get("header", {}))[:NAMED]
            own = {key: value for key, value in removed.items() if key not in ("header", MARK)}
            self.rest = {"header": pairs, "metadata": own}
        self.metadata[MARK] = self.mark


def upload_folder(
    folder: Path, target: Destination, cache: Path, progress: Progress | None = None
) -> UploadReport:
    """Upload every visible file below `folder` into a tree of collections like its own.

    A second call, also after an interruption, creates and uploads only what is missing; equal
    bytes are uploaded once. A changed file becomes a new record, a new version of the former.
    Files that no reader can read are uploaded without a header.

    Args:
        folder: the folder.
        target: the collection to upload into.
        cache: folder for temporary files, which the transfer endpoint reaches.
        progress: advanced by one for every file.

    Raises:
        NotFoundError: the folder does not exist.
        SourceError: the server cannot be used, or some files could not be uploaded.
    """
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder} to upload; give the path of one.")
    progress = progress or Progress("upload", quiet=True)
    started = time.monotonic()
    with (
        closing(FolderSource("upload", folder)) as source,
        scratch_folder(cache, "upload") as scratch,
    ):
        assets = list(source.changes({}, "").changed)
        progress.expect(len(assets))
        folder_upload = _FolderUpload(folder, target, scratch)
        for batch in _batches(assets, BATCH):
            folder_upload.add(
                [_upload_file(asset, path) for asset, path in _existing(source, batch, scratch)]
            )
            progress.advance(len(batch))
    report = folder_upload.report
    report.files = len(assets)
    report.seconds = round(time.monotonic() - started, 3)
    if folder_upload.failures:
        raise SourceError(
            f"{len(folder_upload.failures)} of {len(assets)} files could not be uploaded, first: "
            f"{folder_upload.failures[0]} Run the same command again to upload the rest."
        )
    return report


class _FolderUpload:
    """One upload in progress."""

    def __init__(self, folder: Path, target: Destination, scratch: Path) -> None:
        self.failures: list[str] = []
        self._client = target.client
        self._owner = target.owner
        self._scratch = scratch
        self._readers = contained_readers()
        self._by_key: dict[str, dict[str, Any]] = {}
        self._by_path: dict[str, dict[str, Any]] = {}
        self._top = _title(folder.resolve().name)
        self._parent = target.collection
        self._collections: dict[str, str] = {}
        self._load_existing(target.collection)
        self.report = UploadReport(collection=self._collection(PurePosixPath(".")))

    def add(self, files: Sequence[_UploadFile]) -> None:
        """Upload one batch: create the records that are missing, then send the missing bytes."""
        new: dict[str, list[_UploadFile]] = {}
        unique: dict[str, _UploadFile] = {}
        copies = []
        for file in files:
            if file.key in unique or self._is_copy(file):
                copies.append(file)
                continue
            unique[file.key] = file
            existing = self._by_key.get(file.key)
            if existing is None or "rest" in existing["metadata"][MARK]:
                file.describe(self._readers)
            if existing is None:
                new.setdefault(str(PurePosixPath(file.relative_path).parent), []).append(file)
        for parent, children in new.items():
            self._create(parent, children)
        self._send(list(unique.values()))
        for file in copies:
            record = str(self._by_key[file.key]["id"])
            self.report.duplicates.append({"file": file.relative_path, "record": record})

    def _load_existing(self, collection: str) -> None:
        """Remember the records below the target that an earlier upload created."""
        ids = list(self._client.tree(collection).records)
        for record in sorted(self._client.records(ids), key=lambda record: record["created"]):
            mark = record["metadata"].get(MARK)
            if isinstance(mark, dict) and isinstance(mark.get("sha256"), str):
                self._remember(record, mark)

    def _remember(self, record: dict[str, Any], mark: Mapping[str, Any]) -> None:
        known = {"id": record["id"], "size": record["size"], "metadata": {MARK: dict(mark)}}
        self._by_key.setdefault(mark["sha256"], known)
        if mark.get("path"):
            self._by_path[f"{mark.get('folder', '')}/{mark['path']}"] = known

    def _is_copy(self, file: _UploadFile) -> bool:
        existing = self._by_key.get(file.key)
        mark = existing["metadata"].get(MARK, {}) if existing else {}
        return bool(mark.get("path")) and mark["path"] != file.relative_path

    def _create(self, parent: str, files: Sequence[_UploadFile]) -> None:
        drafts = [self._draft(file) for file in files]
        records = self._client.create_records(drafts, self._collection(PurePosixPath(parent)))
        for file, draft, record in zip(files, drafts, records, strict=True):
            self._remember(record, file.mark)
            self.report.created += 1
            self.report.versions += bool(draft.dependencies)

    def _draft(self, file: _UploadFile) -> RecordDraft:
        former = self._by_path.get(f"{self._top}/{file.relative_path}")
        file.mark["folder"] = self._top
        return RecordDraft(
            title=_title(file.path.name),
            metadata=file.metadata,
            tags=["simulated"] if file.metadata.get("simulated") is True else [],
            dependencies=[("ver", former["id"])] if former else [],
        )

    def _send(self, files: Sequence[_UploadFile]) -> None:
        waiting: list[tuple[str, Path]] = []
        for file in files:
            record = self._by_key[file.key]
            if "unread" in file.mark:
                self.report.unread.append(
                    {"file": file.relative_path, "reason": file.mark["unread"]}
                )
            if file.rest:
                waiting += self._header_file(file, record["id"])
            if record["size"] != file.mark["size"] and file.mark["size"]:
                waiting.append((record["id"], file.path))
                self.report.uploaded += 1
                self.report.bytes += file.mark["size"]
            else:
                self.report.unchanged += 1
        for _, _, failure in upload(self._client, waiting):
            if failure is not None:
                self.failures.append(str(failure))
                self.report.uploaded -= 1

    def _header_file(self, file: _UploadFile, record: str) -> Iterator[tuple[str, Path]]:
        """The whole header as the file of a record of its own, a component of the file's record."""
        alias = f"motif-hd-{file.key[:31]}"
        path = self._scratch / f"{file.key[:16]}{HEADER_SUFFIX}"
        path.write_text(json.dumps(file.rest, allow_nan=False, ensure_ascii=False))
        existing = self._client.find(alias, self._owner)
        if existing is None:
            mark = {"what": "header", "of": file.key, "file": {"size": path.stat().st_size}}
            parent = PurePosixPath(file.relative_path).parent
            existing = self._client.create_record(
                RecordDraft(
                    _title(f"{file.path.name} header"), {OWN_MARK: mark}, tags=["motif"],
                    alias=alias, dependencies=[("comp", record)],
                ),
                self._collection(parent),
            )  # fmt: skip
        self.report.overflow.append({"file": file.relative_path, "record": existing["id"]})
        if existing["size"] != path.stat().st_size:
            yield existing["id"], path

    def _collection(self, subfolder: PurePosixPath) -> str:
        """Id of the collection of a sub-folder, created where it is missing."""
        name = subfolder.as_posix()
        if name not in self._collections:
            parent = self._parent if name == "." else self._collection(subfolder.parent)
            title = self._top if name == "." else _title(subfolder.name)
            self._collections[name] = self._client.ensure_collection([title], parent)
        return self._collections[name]


def _existing(
    source: FolderSource, assets: Sequence[Asset], into: Path
) -> Iterator[tuple[Asset, Path]]:
    """Files that still exist."""
    for asset, result in source.fetch(assets, into):
        if isinstance(result, Path):
            yield asset, result


def _upload_file(asset: Asset, path: Path) -> _UploadFile:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    mark = {
        "name": asset.file_name, "path": asset.native_id, "size": path.stat().st_size,
        "sha256": digest,
    }  # fmt: skip
    return _UploadFile(path, asset.native_id, asset.metadata, mark)


def _title(name: str) -> str:
    """A name of at most `TITLE_LENGTH` characters; one that had to be cut ends with a digest."""
    text = name.strip() or "unnamed"
    if len(text) <= TITLE_LENGTH:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: TITLE_LENGTH - 9]} {digest}"


def _batches(assets: Sequence[Asset], size: int) -> Iterator[list[Asset]]:
    remaining = iter(assets)
    while batch := list(islice(remaining, size)):
        yield batch
