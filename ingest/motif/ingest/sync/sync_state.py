"""What a workspace remembers of a source between two syncs: what records were read with, and
which files could not be fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from motif.core.catalog.database import Quarantined, RecordRow
from motif.core.contracts import READ_WITH, metadata_digest
from motif.core.records import Asset


def is_current(asset: Asset, record: RecordRow) -> bool:
    """Whether the stored data of a record are what its reader would return now."""
    return record.raw_fingerprint == asset.raw_fingerprint and _is_read_with(asset, record)


def depends_on_bytes_alone(asset: Asset, record: RecordRow) -> bool:
    """Whether the same bytes would be read in the same way: no companion file was used and the
    metadata that were used are unchanged."""
    return not companion_files(record.origin) and _is_read_with(asset, record)


def companion_files(origin: Mapping[str, Any]) -> Mapping[str, str]:
    """Stamps of the companion files a record was read with, by name."""
    stamps: Mapping[str, str] = origin.get(READ_WITH, {}).get("files", {})
    return stamps


def with_stored_context(asset: Asset, record: RecordRow) -> Asset:
    """An asset whose file is not read again, with the reader context stored of its record."""
    return with_origin(
        asset, {key: record.origin[key] for key in (READ_WITH,) if key in record.origin}
    )


def with_origin(asset: Asset, extra: Mapping[str, Any]) -> Asset:
    """An asset with `extra` keys in its origin."""
    return replace(asset, origin={**asset.origin, **extra}) if extra else asset


def _is_read_with(asset: Asset, record: RecordRow) -> bool:
    """Whether the metadata are those the reader used, or it used none."""
    used = record.origin.get(READ_WITH, {}).get("metadata")
    return used is None or used == metadata_digest(asset.metadata)


LIMIT = 3
"""Runs in which a file may fail before it goes to quarantine."""
UNFETCHED = "fetch"
"""Stands for the readers in the quarantine entry of a file that could not be fetched."""
FIRST_WAIT, LONGEST_WAIT = timedelta(hours=1), timedelta(days=7)
"""Between attempts to fetch a quarantined file; each wait is twice the one before."""


def is_due(entry: Quarantined) -> bool:
    """Whether it is time to try to fetch a quarantined file again."""
    wait: timedelta = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(entry.attempts - 1, 10))
    return datetime.now(UTC) - datetime.fromisoformat(entry.last_seen) >= wait
