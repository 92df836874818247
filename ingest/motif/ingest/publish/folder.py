"""Uploads a folder of instrument files with their headers as metadata, each file once."""

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

from motif.core.errors import NotFoundError, SourceError, UnreadableFileError
from motif.core.progress import Progress
from motif.core.records import Asset
from motif.ingest.datafed.drafting import TITLE_LENGTH, Draft
from motif.ingest.datafed.source import OWN_MARK
from motif.ingest.datafed.transfer import upload
from motif.ingest.folder import FolderSource
from motif.ingest.passing import passing_folder
from motif.ingest.publish.headers import contents, facet_document, header_document
from motif.ingest.publish.target import Target
from motif.ingest.publish.trimming import fit
from motif.ingest.readers import choose

MARK = "upload"
"""Metadata key for name, path, size and SHA-256 of the file; DataFed keeps no checksum."""
BATCH = 64
NAMED = 20
"""Header keys that are named where they found no room."""
HEADER_SUFFIX = ".header.json"


@dataclass
class Report:
    """What an upload did, file by file where it matters."""

    collection: str = ""
    files: int = 0
    created: int = 0
    uploaded: int = 0
    unchanged: int = 0
    bytes: int = 0
    versions: int = 0
    """Records made as new versions of a file of the same path."""
    duplicates: list[dict[str, str]] = field(default_factory=list)
    """Files whose bytes another record already holds: ``file`` and ``record``."""
    unread: list[dict[str, str]] = field(default_factory=list)
    """Files uploaded without a header, and why: ``file`` and ``reason``."""
    overflow: list[dict[str, str]] = field(default_factory=list)
    """Files whose header is too long for a record, and the record that holds all of it."""
    seconds: float = 0.0


@dataclass
class _File:
    path: Path
    place: str
    """Path relative to the folder."""
    owner_metadata: Mapping[str, Any]
    """What the owner wrote beside the file."""
    mark: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)
    """The whole header and the metadata that found no room."""

    @property
    def key(self) -> str:
        return str(self.mark["sha256"])

    def describe(self) -> None:
        """Read the file for its metadata: the owner's own first, then what the file says."""
        told: dict[str, Any] = {}
        pairs: list[list[str]] = []
        try:
            reader = choose(self.path)
            reading = reader(self.path)
        except UnreadableFileError as error:
            self.mark["unread"] = str(error)
        else:
            self.mark["reader"] = f"{reader.name}/{reader.version}"
            self.mark["contents"] = contents(reading.measurements)
            told = {**facet_document(reading), "header": header_document(reading.header)}
            pairs = [[key, value] for key, value in reading.header]
        wanted = {**told, **self.owner_metadata, MARK: self.mark}
        self.metadata, removed = fit(wanted, (("header",), ()))
        if removed:
            self.mark["rest"] = sorted(removed.get("header", {}))[:NAMED]
            own = {key: value for key, value in removed.items() if key not in ("header", MARK)}
            self.rest = {"header": pairs, "metadata": own}
        self.metadata[MARK] = self.mark


def upload_folder(
    folder: Path, target: Target, cache: Path, progress: Progress | None = None
) -> Report:
    """Upload every visible file below `folder` into a tree of collections like its own.

    A second call, also after an interruption, creates and uploads only what is missing; equal
    bytes are uploaded once. A file that changed is a new record, a new version of the former.
    Files no reader knows are uploaded without a header.

    Args:
        cache: folder for passing files, which the transfer endpoint reaches.

    Raises:
        NotFoundError: there is no such folder.
        SourceError: the server cannot be used, or some files could not be uploaded.
    """
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder} to upload; name one.")
    progress = progress or Progress("upload", quiet=True)
    begun = time.monotonic()
    with (
        closing(FolderSource("upload", folder)) as source,
        passing_folder(cache, "upload") as scratch,
    ):
        assets = list(source.changes({}, "").changed)
        progress.expect(len(assets))
        job = _Upload(folder, target, scratch)
        for batch in _batches(assets, BATCH):
            job.take([_found(*one) for one in _there(source, batch, scratch)])
            progress.advance(len(batch))
    job.report.files = len(assets)
    job.report.seconds = round(time.monotonic() - begun, 3)
    if job.failures:
        raise SourceError(
            f"{len(job.failures)} of {len(assets)} files could not be uploaded, first: "
            f"{job.failures[0]} Run the same again to upload the rest."
        )
    return job.report


class _Upload:
    """One upload in progress."""

    def __init__(self, folder: Path, target: Target, scratch: Path) -> None:
        self.failures: list[str] = []
        self._client = target.client
        self._owner = target.owner
        self._scratch = scratch
        self._by_key: dict[str, dict[str, Any]] = {}
        self._by_place: dict[str, dict[str, Any]] = {}
        self._top = _title(folder.resolve().name)
        self._parent = target.collection
        self._collections: dict[str, str] = {}
        self._learn(target.collection)
        self.report = Report(collection=self._collection(PurePosixPath(".")))

    def take(self, files: Sequence[_File]) -> None:
        """Bring one batch: make the records that are missing, then send bytes that are."""
        fresh: dict[str, list[_File]] = {}
        unique: dict[str, _File] = {}
        copies = []
        for file in files:
            if file.key in unique or self._is_copy(file):
                copies.append(file)
                continue
            unique[file.key] = file
            there = self._by_key.get(file.key)
            if there is None or "rest" in there["metadata"][MARK]:
                file.describe()
            if there is None:
                fresh.setdefault(str(PurePosixPath(file.place).parent), []).append(file)
        for place, members in fresh.items():
            self._create(place, members)
        self._send(list(unique.values()))
        for file in copies:
            record = str(self._by_key[file.key]["id"])
            self.report.duplicates.append({"file": file.place, "record": record})

    def _learn(self, collection: str) -> None:
        """Records below the target that an earlier upload made."""
        ids = list(self._client.tree(collection).records)
        for record in sorted(self._client.records(ids), key=lambda one: one["created"]):
            mark = record["metadata"].get(MARK)
            if isinstance(mark, dict) and isinstance(mark.get("sha256"), str):
                self._keep(record, mark)

    def _keep(self, record: dict[str, Any], mark: Mapping[str, Any]) -> None:
        slim = {"id": record["id"], "size": record["size"], "metadata": {MARK: dict(mark)}}
        self._by_key.setdefault(mark["sha256"], slim)
        if mark.get("path"):
            self._by_place[f"{mark.get('folder', '')}/{mark['path']}"] = slim

    def _is_copy(self, file: _File) -> bool:
        there = self._by_key.get(file.key)
        mark = there["metadata"].get(MARK, {}) if there else {}
        return bool(mark.get("path")) and mark["path"] != file.place

    def _create(self, place: str, files: Sequence[_File]) -> None:
        drafts = [self._draft(file) for file in files]
        made = self._client.create_records(drafts, self._collection(PurePosixPath(place)))
        for file, draft, record in zip(files, drafts, made, strict=True):
            self._keep(record, file.mark)
            self.report.created += 1
            self.report.versions += bool(draft.dependencies)

    def _draft(self, file: _File) -> Draft:
        former = self._by_place.get(f"{self._top}/{file.place}")
        file.mark["folder"] = self._top
        return Draft(
            title=_title(file.path.name),
            metadata=file.metadata,
            tags=["simulated"] if file.metadata.get("simulated") is True else [],
            dependencies=[("ver", former["id"])] if former else [],
        )

    def _send(self, files: Sequence[_File]) -> None:
        waiting: list[tuple[str, Path]] = []
        for file in files:
            record = self._by_key[file.key]
            if "unread" in file.mark:
                self.report.unread.append({"file": file.place, "reason": file.mark["unread"]})
            if file.rest:
                waiting += self._rest(file, record["id"])
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

    def _rest(self, file: _File, record: str) -> Iterator[tuple[str, Path]]:
        """The whole header as a file of its own record, a component of the measurement's."""
        alias = f"motif-hd-{file.key[:31]}"
        path = self._scratch / f"{file.key[:16]}{HEADER_SUFFIX}"
        path.write_text(json.dumps(file.rest, allow_nan=False, ensure_ascii=False))
        there = self._client.find(alias, self._owner)
        if there is None:
            mark = {"what": "header", "of": file.key, "file": {"size": path.stat().st_size}}
            place = PurePosixPath(file.place).parent
            there = self._client.create_record(
                Draft(
                    _title(f"{file.path.name} header"), {OWN_MARK: mark}, tags=["motif"],
                    alias=alias, dependencies=[("comp", record)],
                ),
                self._collection(place),
            )  # fmt: skip
        self.report.overflow.append({"file": file.place, "record": there["id"]})
        if there["size"] != path.stat().st_size:
            yield there["id"], path

    def _collection(self, place: PurePosixPath) -> str:
        """Id of the collection for a sub-folder, made where it is missing."""
        name = place.as_posix()
        if name not in self._collections:
            above = self._parent if name == "." else self._collection(place.parent)
            title = self._top if name == "." else _title(place.name)
            self._collections[name] = self._client.ensure_collection([title], above)
        return self._collections[name]


def _there(
    source: FolderSource, assets: Sequence[Asset], into: Path
) -> Iterator[tuple[Asset, Path]]:
    """Files that are still there."""
    for asset, found in source.fetch(assets, into):
        if isinstance(found, Path):
            yield asset, found


def _found(asset: Asset, path: Path) -> _File:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    mark = {
        "name": asset.file_name, "path": asset.native_id, "size": path.stat().st_size,
        "sha256": digest,
    }  # fmt: skip
    return _File(path, asset.native_id, asset.metadata, mark)


def _title(name: str) -> str:
    """A name of at most `TITLE_LENGTH` characters, still its own where it had to be cut."""
    text = name.strip() or "unnamed"
    if len(text) <= TITLE_LENGTH:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: TITLE_LENGTH - 9]} {digest}"


def _batches(assets: Sequence[Asset], size: int) -> Iterator[list[Asset]]:
    stream = iter(assets)
    while batch := list(islice(stream, size)):
        yield batch
