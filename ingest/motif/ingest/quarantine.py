"""What to do with files that could not be read: try again, or take the record without its data."""

from __future__ import annotations

from motif.core.catalog import Quarantined
from motif.core.errors import NotFoundError
from motif.core.intake import Intake, Taken
from motif.core.progress import Progress
from motif.core.records import Asset
from motif.core.workspace import Workspace
from motif.ingest.sync import Summary, source_table, sync


def held(workspace: Workspace, source: str, native_id: str) -> Quarantined:
    """The quarantine entry of one asset."""
    for entry in workspace.catalog.quarantined(source):
        if entry.native_id == native_id:
            return entry
    raise NotFoundError(
        f'"{native_id}" of source "{source}" is not in quarantine; see motif quarantine list.'
    )


def retry(
    workspace: Workspace,
    source: str,
    native_id: str | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Try to read one quarantined asset again, or all of a source."""
    if native_id is not None:
        held(workspace, source, native_id)
    asked = True if native_id is None else (native_id,)
    return sync(workspace, source, retry=asked, progress=progress)


def release(workspace: Workspace, source: str, native_id: str) -> str:
    """Take the record in with its metadata but without measurements; returns the record's id.

    It is read again when its file changes.
    """
    entry = held(workspace, source, native_id)
    asset = Asset(
        native_id=entry.native_id,
        title=entry.title,
        fingerprint=entry.fingerprint,
        raw_fingerprint=entry.raw_fingerprint,
        file_name=entry.file_name,
        metadata=entry.metadata,
        origin=entry.origin,
    )
    into = source_table(workspace, source).into
    intake = Intake(workspace, source, into, workspace.mapper())
    intake.commit([Taken.without_data(asset, f"released from quarantine: {entry.reason}")], (), ())
    return intake.record_id(asset)
