"""Quarantine entries: read a file again, store its record without data, describe an entry."""

from __future__ import annotations

import json
import shlex
import shutil
import textwrap
from collections.abc import Sequence

from motif.core.catalog.database import Quarantined
from motif.core.catalog.intake import Intake, NewRecord
from motif.core.errors import NotFoundError
from motif.core.jobs.progress import Progress
from motif.core.records import Asset
from motif.core.workspace import Workspace
from motif.ingest.sync.source_sync import SyncSummary, source_config, sync
from motif.ingest.sync.sync_state import UNFETCHED


def quarantine_entry(workspace: Workspace, source: str, native_id: str) -> Quarantined:
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
) -> SyncSummary:
    """Read one quarantined asset again, or all of a source."""
    if native_id is not None:
        quarantine_entry(workspace, source, native_id)
    requested = True if native_id is None else (native_id,)
    return sync(workspace, source, retry=requested, progress=progress)


def release(workspace: Workspace, source: str, native_id: str) -> str:
    """Store the record with its metadata but without measurements; returns the record's id.

    It is read again when its file changes.
    """
    entry = quarantine_entry(workspace, source, native_id)
    asset = Asset(
        native_id=entry.native_id,
        title=entry.title,
        fingerprint=entry.fingerprint,
        raw_fingerprint=entry.raw_fingerprint,
        file_name=entry.file_name,
        metadata=entry.metadata,
        origin=entry.origin,
    )
    collection = source_config(workspace, source).into
    intake = Intake(workspace, source, collection, workspace.mapper())
    intake.commit(
        [NewRecord.without_data(asset, f"released from quarantine: {entry.reason}")], (), ()
    )
    return intake.record_id(asset)


def list_text(entries: Sequence[Quarantined]) -> str:
    """Each file with its reason, wrapped to the width of the terminal."""
    if not entries:
        return "Nothing is in quarantine."
    lines = []
    for entry in entries:
        lines.append(f"{entry.source}  {entry.native_id}")
        lines += _wrapped(f"{entry.reason}.")
        lines += _wrapped(f"(since {_history(entry)})")
    count = "1 file" if len(entries) == 1 else f"{len(entries)} files"
    lines.append(f"{count}; see an entry in full with motif quarantine show SOURCE ID.")
    return "\n".join(lines)


def entry_text(entry: Quarantined) -> str:
    """All that is known of a file, and what can be done."""
    arguments = f"{entry.source} {shlex.quote(entry.native_id)}"
    fields = {
        "reason": f"{entry.reason}.",
        "since": _history(entry),
        "readers": _readers_text(entry),
        "first bytes": entry.first_bytes or "none",
        "as text": printable_bytes(entry) or "none",
        "record": json.dumps(entry.metadata, ensure_ascii=False) if entry.metadata else "",
        "from": str(entry.origin.get("path", "")),
        "next": (
            "it is read again automatically when its file changes or a reader is updated; read it "
            f"now with motif quarantine retry {arguments}, or keep its record without data with "
            f"motif quarantine release {arguments}"
        ),
    }
    lines = [f"{entry.source}  {entry.native_id}"]
    for name, text in fields.items():
        if text:
            first, *rest = _wrapped(text, 14)
            lines += [f"  {name:12}{first[14:]}", *rest]
    return "\n".join(lines)


def printable_bytes(entry: Quarantined) -> str:
    """The first bytes as text, with a dot for each byte that is not printable ASCII."""
    first = bytes.fromhex(entry.first_bytes.replace(" ", ""))
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in first)


def _readers_text(entry: Quarantined) -> str:
    readers = [reader.replace("/", " version ") for reader in entry.readers.split()]
    if entry.readers == UNFETCHED:
        return "none, because the file could not be fetched"
    if entry.reader:
        reader = entry.reader.replace("/", " version ")
        return f"{reader} recognised it and failed; {len(readers) - 1} others do not recognise it"
    return f"none of {len(readers)} recognises it: {', '.join(readers)}"


def _history(entry: Quarantined) -> str:
    """First attempt, and how often the file was tried since."""
    attempts = (
        "once"
        if entry.attempts == 1
        else f"{entry.attempts} times, last {_minute(entry.last_seen)}"
    )
    return f"{_minute(entry.first_seen)}, tried {attempts}"


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ") + " UTC"


def _wrapped(text: str, indent: int = 4) -> list[str]:
    width = max(40, shutil.get_terminal_size().columns)
    margin = " " * indent
    return textwrap.wrap(
        text, width, initial_indent=margin, subsequent_indent=margin,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
