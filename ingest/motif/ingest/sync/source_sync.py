"""Brings a workspace up to date with one source, without losing or duplicating anything.

Each batch of assets is fetched, hashed, read and committed in one transaction, so a process that
is killed leaves whole batches, and the next run continues with the rest.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from motif.core.catalog.catalog_queries import FetchFailures
from motif.core.catalog.database import RecordRow
from motif.core.catalog.intake import Intake, MetadataUpdate, NewRecord
from motif.core.config.settings import SourceConfig
from motif.core.contracts import Changes, Reader, ReaderContext, Source, SyncState
from motif.core.errors import MotifError, NotFoundError, SourceError, UnreadableFileError
from motif.core.jobs.progress import Progress
from motif.core.records import Asset
from motif.core.workspace import Workspace
from motif.ingest.readers import choose
from motif.ingest.sync.containment import (
    ContainedSource,
    contained_readers,
    failure_reason,
    log_failure,
    open_source,
)
from motif.ingest.sync.deletion_guard import DeletionGuard, withheld_sentence
from motif.ingest.sync.fetching import FetchedBatch, fetch_batches
from motif.ingest.sync.scratch import disk_full_as_error
from motif.ingest.sync.sync_state import (
    LIMIT,
    UNFETCHED,
    companion_files,
    depends_on_bytes_alone,
    is_current,
    is_due,
    with_origin,
    with_stored_context,
)

log = logging.getLogger(__name__)

FIRST_BYTES = 32
"""Bytes of an unreadable file kept in its quarantine entry."""
INVALID_DATA = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What the intake raises for a reading or metadata that cannot be stored."""


@dataclass
class SyncSummary:
    """Counts of one sync; ``seen = new + updated + unchanged + quarantined``."""

    seen: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    quarantined: int = 0
    """Assets of the source that cannot be read at present."""
    deletions_withheld: int = 0
    """Records that are missing in the source but were not deleted (see `DeletionGuard`)."""


class SyncIncompleteError(SourceError):
    """Some of a source could not be brought in; everything else is stored.

    Attributes:
        summary: what was done.
    """

    def __init__(self, message: str, summary: SyncSummary) -> None:
        super().__init__(message)
        self.summary = summary


@dataclass
class _SyncBatch:
    """What one batch is going to commit."""

    taken: list[NewRecord] = field(default_factory=list)
    renewed: list[MetadataUpdate] = field(default_factory=list)
    quarantined: list[Mapping[str, Any]] = field(default_factory=list)
    unfetched: list[tuple[Asset, Exception]] = field(default_factory=list)
    """Assets that could not be fetched in this run."""

    def single(self) -> list[_SyncBatch]:
        """The same as batches of one record each."""
        return [
            *(_SyncBatch(taken=[record]) for record in self.taken),
            *(_SyncBatch(renewed=[update]) for update in self.renewed),
            *(_SyncBatch(quarantined=[entry]) for entry in self.quarantined),
        ]

    @property
    def size(self) -> int:
        return len(self.taken) + len(self.renewed) + len(self.quarantined)


def sync(
    workspace: Workspace,
    name: str,
    *,
    full: bool = False,
    retry: bool | Collection[str] = False,
    allow_deletions: bool = False,
    progress: Progress | None = None,
) -> SyncSummary:
    """Sync one source of ``motif.toml`` into its collection.

    Args:
        workspace: the workspace.
        name: name of the source.
        full: ignore every fingerprint: fetch and hash all raw data again.
        retry: also read what is in quarantine: everything, or these native ids.
        allow_deletions: delete every record that is missing in the source, however many.
        progress: advanced by one for every asset.

    Raises:
        SyncIncompleteError: some of the source or some files could not be reached, or deletions
            were withheld; everything else was stored, and the next run continues from there. A
            file that could not be fetched in three runs goes to quarantine and is not an error
            any more; it is tried again at growing intervals.
        SourceError: the source could not be reached, or its plugin failed.
        DiskFullError: the disk of the workspace is full; what was stored before is complete.
    """
    config = source_config(workspace, name)
    with (
        disk_full_as_error(workspace.root),
        closing(open_source(config.kind, name, config.options, workspace.root)) as source,
    ):
        return SourceSync(workspace, source, config.into, progress).run(
            full=full, retry=retry, allow_deletions=allow_deletions
        )


def source_config(workspace: Workspace, name: str) -> SourceConfig:
    """The table of a source in ``motif.toml``."""
    sources = workspace.config.sources
    if name not in sources:
        known = f"known sources are {', '.join(sources)}" if sources else "motif.toml declares none"
        raise NotFoundError(f'There is no source "{name}"; {known}.')
    return sources[name]


class SourceSync:
    """One sync of one source into one collection."""

    def __init__(
        self,
        workspace: Workspace,
        source: Source,
        collection: str,
        progress: Progress | None = None,
    ) -> None:
        self._catalog = workspace.catalog
        self._cache = workspace.cache
        self._config = workspace.config.sources.get(source.name)
        self._source = (
            source
            if isinstance(source, ContainedSource)
            else ContainedSource(source, source.name, type(source).__name__)
        )
        self._progress = progress or Progress(source.name, quiet=True)
        self._readers = contained_readers()
        self._intake = Intake(workspace, source.name, collection, workspace.mapper())
        self._summary = SyncSummary()
        self._fetch_failures = FetchFailures(workspace.catalog, source.name)
        self._unfetched: list[str] = []

    def run(
        self,
        *,
        full: bool = False,
        retry: bool | Collection[str] = False,
        allow_deletions: bool = False,
    ) -> SyncSummary:
        """Compare, fetch, read and store; returns what was done."""
        name = self._source.name
        stored = {record.native_id: record for record in self._catalog.records(name)}
        cursor = self._catalog.cursor(name)
        known = self._known(stored, retry)
        changes = self._source.changes(known, "" if full else cursor, full=full)
        deleted, withheld = self._guard(allow_deletions).split(known, changes)

        def wants(asset: Asset) -> bool:
            record = stored.get(asset.native_id)
            current = record is not None and is_current(asset, record)
            return bool(asset.raw_fingerprint) and (full or not current)

        with closing(
            fetch_batches(self._source, changes.changed, wants, self._cache)
        ) as fetched_batches:
            for fetched in fetched_batches:
                self._process(fetched, stored, full)
        position = cursor if self._unfetched or withheld else changes.cursor
        if deleted or position != cursor:
            self._intake.commit((), (), (), deleted, position)
        self._fetch_failures.forget(deleted)
        self._count(changes, deleted, withheld)
        self._raise_problems(changes.failures, len(withheld), len(known))
        return self._summary

    def _guard(self, allow_deletions: bool) -> DeletionGuard:
        if self._config is None:
            return DeletionGuard(allowed=allow_deletions)
        allowed = allow_deletions or self._config.allow_deletions
        return DeletionGuard(self._config.max_deleted_share, allowed)

    def _known(
        self, stored: Mapping[str, RecordRow], retry: bool | Collection[str]
    ) -> dict[str, SyncState]:
        """Fingerprints of the last sync, without quarantined assets that are to be read again."""
        known = self._catalog.sync_states(self._source.name)
        quarantined = self._catalog.quarantined(self._source.name)
        for native_id, origin in chain(
            ((record.native_id, record.origin) for record in stored.values()),
            ((entry.native_id, entry.origin) for entry in quarantined),
        ):
            if (files := companion_files(origin)) and native_id in known:
                known[native_id] = replace(known[native_id], companions=files)
        for entry in quarantined:
            requested = retry if isinstance(retry, bool) else entry.native_id in retry
            unfetched = entry.readers == UNFETCHED
            due = is_due(entry) if unfetched else entry.readers != self._reader_versions
            if requested or due:
                known.pop(entry.native_id, None)
        return known

    @property
    def _reader_versions(self) -> str:
        return " ".join(f"{reader.name}/{reader.version}" for reader in self._readers)

    def _process(self, fetched: FetchedBatch, stored: Mapping[str, RecordRow], full: bool) -> None:
        """Read and commit one batch."""
        batch = _SyncBatch()
        for asset in fetched.others:
            record = stored.get(asset.native_id)
            if record and not full and is_current(asset, record):
                unchanged = with_stored_context(asset, record)
                batch.renewed.append(MetadataUpdate(unchanged, record, record.raw_sha256))
            else:
                batch.taken.append(NewRecord.without_data(asset))
        self._progress.advance(len(fetched.others))
        for asset, result in fetched.fetched:
            self._read(asset, result, stored.get(asset.native_id), batch)
            self._progress.advance()
        self._settle_unfetched(batch, [asset for asset, _ in fetched.fetched], stored)
        self._commit(batch)
        new = sum(record.asset.native_id not in stored for record in batch.taken)
        self._summary.new += new
        self._summary.updated += len(batch.taken) - new + len(batch.renewed)

    def _read(
        self, asset: Asset, result: Path | Exception, record: RecordRow | None, batch: _SyncBatch
    ) -> None:
        """Turn one fetched file into measurements, or into a quarantine entry."""
        if isinstance(result, UnreadableFileError):
            batch.quarantined.append(self._quarantine_entry(asset, result, "", b""))
            return
        if isinstance(result, Exception):
            batch.unfetched.append((asset, result))
            return
        try:
            digest, size, head = _digest(result)
        except OSError as error:
            batch.unfetched.append((asset, error))
            return
        if record and record.raw_sha256 == digest and self._is_read_with_same(record, asset):
            same = (record.fingerprint, record.raw_fingerprint) == (
                asset.fingerprint,
                asset.raw_fingerprint,
            )
            if not same:
                updated = with_stored_context(asset, record)
                batch.renewed.append(MetadataUpdate(updated, record, digest))
            return
        reader_name = ""
        context = ReaderContext(result, asset.metadata)
        try:
            reader = self._choose(result)
            reader_name = f"{reader.name}/{reader.version}"
            reading = reader(result, context)
        except UnreadableFileError as error:
            asset = with_origin(asset, context.document())
            batch.quarantined.append(self._quarantine_entry(asset, error, reader_name, head))
            return
        asset = with_origin(asset, context.document())
        batch.taken.append(NewRecord(asset, reading, reader.name, reader.version, digest, size))

    def _choose(self, path: Path) -> Reader:
        """The reader of a file; where none recognises it, one that failed is the reason."""
        try:
            return choose(path, self._readers)
        except UnreadableFileError:
            for reader in self._readers:
                if reader.recognition_failure:
                    raise UnreadableFileError(reader.recognition_failure) from None
            raise

    def _settle_unfetched(
        self, batch: _SyncBatch, assets: Sequence[Asset], stored: Mapping[str, RecordRow]
    ) -> None:
        """Count files that could not be fetched; those that fail too often go to quarantine."""
        unfetched = {asset.native_id for asset, _ in batch.unfetched}
        self._fetch_failures.forget(
            [asset.native_id for asset in assets if asset.native_id not in unfetched]
        )
        failures = self._fetch_failures.add(
            {asset.native_id: asset.raw_fingerprint for asset, _ in batch.unfetched}
        )
        for asset, error in batch.unfetched:
            record = stored.get(asset.native_id)
            is_stored = record is not None and record.raw_fingerprint == asset.raw_fingerprint
            if failures[asset.native_id] >= LIMIT and not is_stored:
                reason = f"It could not be fetched in {failures[asset.native_id]} runs: {error}"
                log.warning("%s goes to quarantine. %s", asset.native_id, reason)
                entry = self._quarantine_entry(asset, UnreadableFileError(reason), "", b"")
                batch.quarantined.append({**entry, "readers": UNFETCHED})
            else:
                self._unfetched.append(f"{asset.native_id} ({error})")

    def _commit(self, batch: _SyncBatch) -> None:
        """Store one batch; a record that cannot be stored goes to quarantine alone."""
        if not batch.size:
            return
        try:
            self._intake.commit(batch.taken, batch.renewed, batch.quarantined)
            return
        except INVALID_DATA as error:
            if batch.size == 1:
                self._quarantine_unstorable(batch, error)
                return
        stored = _SyncBatch()
        for single in batch.single():
            self._commit(single)
            stored.taken += single.taken
            stored.renewed += single.renewed
        batch.taken, batch.renewed = stored.taken, stored.renewed

    def _quarantine_unstorable(self, batch: _SyncBatch, error: Exception) -> None:
        """Quarantine the only record of a batch, whose data cannot be stored."""
        if not batch.taken:
            raise SourceError(
                f'A record of source "{self._source.name}" cannot be stored ({error}); everything '
                "stored before is complete."
            ) from error
        record = batch.taken.pop()
        plugin = f"reader {record.reader}" if record.reader else f'source "{self._source.name}"'
        reason = str(error) if isinstance(error, MotifError) else failure_reason(plugin, error)
        log_failure(plugin, error, record.asset.native_id)
        reader = f"{record.reader}/{record.reader_version}" if record.reader else ""
        entry = self._quarantine_entry(record.asset, UnreadableFileError(reason), reader, b"")
        try:
            self._intake.commit((), (), [entry])
        except INVALID_DATA:
            log.warning("%s: its metadata cannot be stored", record.asset.native_id)
            self._intake.commit((), (), [{**entry, "metadata": {}, "origin": {}}])

    def _is_read_with_same(self, record: RecordRow, asset: Asset) -> bool:
        """Whether the installed reader would read the same bytes as it did before."""
        installed = {(reader.name, reader.version) for reader in self._readers}
        reader = (record.reader, record.reader_version)
        return reader in installed and depends_on_bytes_alone(asset, record)

    def _quarantine_entry(
        self, asset: Asset, error: UnreadableFileError, reader: str, head: bytes
    ) -> dict[str, Any]:
        return {
            "native_id": asset.native_id, "title": asset.title, "file_name": asset.file_name,
            "reason": str(error).removesuffix("."), "reader": reader,
            "first_bytes": head[:FIRST_BYTES].hex(" "),
            "metadata": dict(asset.metadata), "origin": dict(asset.origin),
            "fingerprint": asset.fingerprint, "raw_fingerprint": asset.raw_fingerprint,
            "readers": self._reader_versions,
        }  # fmt: skip

    def _count(self, changes: Changes, deleted: Sequence[str], withheld: Sequence[str]) -> None:
        summary = self._summary
        summary.seen, summary.deleted = changes.seen, len(deleted)
        summary.deletions_withheld = len(withheld)
        summary.quarantined = len(self._catalog.quarantined(self._source.name))
        summary.unchanged = changes.seen - summary.new - summary.updated - summary.quarantined

    def _raise_problems(self, unreachable: Sequence[str], withheld: int, known: int) -> None:
        name = self._source.name
        problems = list(unreachable)
        if self._unfetched:
            problems.append(
                f'{len(self._unfetched)} files of "{name}" could not be fetched, '
                f"first {self._unfetched[0]}"
            )
        sentences = "; ".join(problem.rstrip(".;") for problem in problems)
        if sentences:
            sentences += "; everything else is stored: run motif ingest again"
        if withheld:
            sentences += ("; " if sentences else "") + withheld_sentence(name, withheld, known)
        if sentences:
            raise SyncIncompleteError(f"{sentences}.", self._summary)


def _digest(path: Path) -> tuple[str, int, bytes]:
    """SHA-256, size and first bytes of a file, read in pieces."""
    digest, size, head = hashlib.sha256(), 0, b""
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            head = head or piece[:FIRST_BYTES]
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size, head
