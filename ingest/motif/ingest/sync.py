"""Brings a workspace up to date with one source: nothing lost, nothing doubled.

Each batch of assets is fetched, hashed, read and committed in one transaction, so a process
killed anywhere leaves whole batches, and the next run goes on with the rest.
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

from motif.core import plugins
from motif.core.catalog import RecordRow
from motif.core.config import SourceConfig
from motif.core.contracts import Known, Source
from motif.core.errors import NotFoundError, SourceError, UnreadableFileError
from motif.core.intake import Intake, Renewed, Taken
from motif.core.progress import Progress
from motif.core.records import Asset
from motif.core.workspace import Workspace
from motif.ingest.disk import telling_of_a_full_disk
from motif.ingest.failures import UNFETCHED, Failures, is_due
from motif.ingest.fetching import Fetched, batches
from motif.ingest.held import as_read, files_beside, is_held, told, would_read_the_same
from motif.ingest.readers import choose
from motif.ingest.readers.beside import offering

log = logging.getLogger(__name__)

FIRST_BYTES = 32
"""Bytes of an unreadable file kept in its quarantine entry."""


@dataclass
class Summary:
    """What one sync did; ``seen = new + updated + unchanged + quarantined``."""

    seen: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    quarantined: int = 0
    """Assets of the source that cannot be read at present."""


@dataclass
class _Batch:
    """Outcome of one batch, as it will be committed."""

    taken: list[Taken] = field(default_factory=list)
    renewed: list[Renewed] = field(default_factory=list)
    quarantined: list[Mapping[str, Any]] = field(default_factory=list)
    failed: list[tuple[Asset, Exception]] = field(default_factory=list)
    """What could not be fetched in this run."""


def sync(
    workspace: Workspace,
    name: str,
    *,
    full: bool = False,
    retry: bool | Collection[str] = False,
    progress: Progress | None = None,
) -> Summary:
    """Sync one source of ``motif.toml`` into its collection.

    Args:
        workspace: where to.
        name: the source.
        full: distrust every fingerprint: fetch and hash all raw data again.
        retry: try what is in quarantine again: everything, or these native ids.
        progress: told of every asset that is dealt with.

    Raises:
        SourceError: the source, or some of its files, could not be reached; everything else
            was stored, and the next run goes on from there. A file that could not be fetched in
            three runs goes to quarantine and is no error any more; it is tried again at growing
            intervals.
        DiskFullError: the workspace has no room left; what was stored before is complete.
    """
    table = source_table(workspace, name)
    with (
        telling_of_a_full_disk(workspace.root),
        closing(plugins.source(table.kind, name, table.options, workspace.root)) as source,
    ):
        return Sync(workspace, source, table.into, progress).run(full=full, retry=retry)


def source_table(workspace: Workspace, name: str) -> SourceConfig:
    """The table of a source in ``motif.toml``."""
    sources = workspace.config.sources
    if name not in sources:
        known = f"known sources are {', '.join(sources)}" if sources else "motif.toml declares none"
        raise NotFoundError(f'There is no source "{name}"; {known}.')
    return sources[name]


class Sync:
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
        self._source = source
        self._progress = progress or Progress(source.name, quiet=True)
        self._readers = plugins.readers()
        self._intake = Intake(workspace, source.name, collection, workspace.mapper())
        self._summary = Summary()
        self._book = Failures(workspace.catalog, source.name)
        self._failures: list[str] = []

    def run(self, *, full: bool = False, retry: bool | Collection[str] = False) -> Summary:
        """Compare, fetch, read, store; returns what was done."""
        name = self._source.name
        stored = {record.native_id: record for record in self._catalog.records(name)}
        cursor = self._catalog.cursor(name)
        changes = self._source.changes(
            self._known(stored, retry), "" if full else cursor, full=full
        )

        def wants(asset: Asset) -> bool:
            record = stored.get(asset.native_id)
            held = record is not None and is_held(asset, record)
            return bool(asset.raw_fingerprint) and (full or not held)

        with closing(batches(self._source, changes.changed, wants, self._cache)) as coming:
            for batch in coming:
                self._take(batch, stored, full)
        position = cursor if self._failures else changes.cursor
        if changes.deleted or position != cursor:
            self._intake.commit((), (), (), changes.deleted, position)
        self._book.forget(changes.deleted)
        self._report(changes.failures)
        self._count(changes.seen, len(changes.deleted))
        return self._summary

    def _known(
        self, stored: Mapping[str, RecordRow], retry: bool | Collection[str]
    ) -> dict[str, Known]:
        """Fingerprints of the past, without quarantined assets that should be tried again."""
        known = self._catalog.known(self._source.name)
        quarantined = self._catalog.quarantined(self._source.name)
        for native_id, origin in chain(
            ((record.native_id, record.origin) for record in stored.values()),
            ((held.native_id, held.origin) for held in quarantined),
        ):
            if (files := files_beside(origin)) and native_id in known:
                known[native_id] = replace(known[native_id], beside=files)
        for held in quarantined:
            asked = retry if isinstance(retry, bool) else held.native_id in retry
            unfetched = held.readers == UNFETCHED
            due = is_due(held) if unfetched else held.readers != self._reader_versions
            if asked or due:
                known.pop(held.native_id, None)
        return known

    @property
    def _reader_versions(self) -> str:
        return " ".join(f"{reader.name}/{reader.version}" for reader in self._readers)

    def _take(self, fetched: Fetched, stored: Mapping[str, RecordRow], full: bool) -> None:
        """Read and commit one batch."""
        batch = _Batch()
        for asset in fetched.others:
            record = stored.get(asset.native_id)
            if record and not full and is_held(asset, record):
                batch.renewed.append(Renewed(as_read(asset, record), record, record.raw_sha256))
            else:
                batch.taken.append(Taken.without_data(asset))
        self._progress.advance(len(fetched.others))
        for asset, found in fetched.arrived:
            self._read(asset, found, stored.get(asset.native_id), batch)
            self._progress.advance()
        self._settle(batch, [asset for asset, _ in fetched.arrived], stored)
        if batch.taken or batch.renewed or batch.quarantined:
            self._intake.commit(batch.taken, batch.renewed, batch.quarantined)
        fresh = sum(one.asset.native_id not in stored for one in batch.taken)
        self._summary.new += fresh
        self._summary.updated += len(batch.taken) - fresh + len(batch.renewed)

    def _read(
        self, asset: Asset, fetched: Path | Exception, record: RecordRow | None, batch: _Batch
    ) -> None:
        """Turn one fetched file into measurements, or into a quarantine entry."""
        if isinstance(fetched, UnreadableFileError):
            batch.quarantined.append(self._quarantine(asset, fetched, "", b""))
            return
        if isinstance(fetched, Exception):
            if not isinstance(fetched, OSError):
                raise fetched
            batch.failed.append((asset, fetched))
            return
        digest, size, head = _digest(fetched)
        if record and record.raw_sha256 == digest and self._is_current(record, asset):
            same = (record.fingerprint, record.raw_fingerprint) == (
                asset.fingerprint,
                asset.raw_fingerprint,
            )
            if not same:
                batch.renewed.append(Renewed(as_read(asset, record), record, digest))
            return
        reader_name = ""
        with offering(fetched, asset.metadata) as beside:
            try:
                reader = choose(fetched, self._readers)
                reader_name = f"{reader.name}/{reader.version}"
                reading = reader(fetched)
            except UnreadableFileError as error:
                asset = told(asset, beside.document())
                batch.quarantined.append(self._quarantine(asset, error, reader_name, head))
                return
        asset = told(asset, beside.document())
        batch.taken.append(Taken(asset, reading, reader.name, reader.version, digest, size))

    def _settle(
        self, batch: _Batch, fetched: Sequence[Asset], stored: Mapping[str, RecordRow]
    ) -> None:
        """Count what could not be fetched; what has failed too often goes to quarantine."""
        failed = {asset.native_id for asset, _ in batch.failed}
        self._book.forget([one.native_id for one in fetched if one.native_id not in failed])
        often = self._book.add([asset for asset, _ in batch.failed])
        for asset, error in batch.failed:
            record = stored.get(asset.native_id)
            held_already = record is not None and record.raw_fingerprint == asset.raw_fingerprint
            if asset.native_id in often and not held_already:
                reason = f"It could not be fetched in {often[asset.native_id]} runs: {error}"
                log.warning("%s goes to quarantine. %s", asset.native_id, reason)
                entry = self._quarantine(asset, UnreadableFileError(reason), "", b"")
                batch.quarantined.append({**entry, "readers": UNFETCHED})
            else:
                self._failures.append(f"{asset.native_id} ({error})")

    def _is_current(self, record: RecordRow, asset: Asset) -> bool:
        """Whether the installed reader would read the same bytes as it did before."""
        installed = {(reader.name, reader.version) for reader in self._readers}
        reader = (record.reader, record.reader_version)
        return reader in installed and would_read_the_same(asset, record)

    def _quarantine(
        self, asset: Asset, error: UnreadableFileError, reader: str, head: bytes
    ) -> dict[str, Any]:
        return {
            "native_id": asset.native_id, "title": asset.title, "file_name": asset.file_name,
            "reason": str(error), "reader": reader, "first_bytes": head[:FIRST_BYTES].hex(" "),
            "metadata": dict(asset.metadata), "origin": dict(asset.origin),
            "fingerprint": asset.fingerprint, "raw_fingerprint": asset.raw_fingerprint,
            "readers": self._reader_versions,
        }  # fmt: skip

    def _report(self, unreachable: Sequence[str]) -> None:
        problems = list(unreachable)
        if self._failures:
            problems.append(
                f'{len(self._failures)} files of "{self._source.name}" could not be fetched, '
                f"first {self._failures[0]}"
            )
        if problems:
            sentences = "; ".join(problem.rstrip(".;") for problem in problems)
            raise SourceError(f"{sentences}; everything else is stored: run motif ingest again.")

    def _count(self, seen: int, deleted: int) -> None:
        summary = self._summary
        summary.seen, summary.deleted = seen, deleted
        summary.quarantined = len(self._catalog.quarantined(self._source.name))
        summary.unchanged = seen - summary.new - summary.updated - summary.quarantined


def _digest(path: Path) -> tuple[str, int, bytes]:
    """SHA-256, size and first bytes of a file, read in pieces."""
    digest, size, head = hashlib.sha256(), 0, b""
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            head = head or piece[:FIRST_BYTES]
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size, head
