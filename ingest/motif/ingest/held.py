"""What is stored of a record against what its source offers now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from motif.core.catalog import RecordRow
from motif.core.records import Asset
from motif.ingest.readers.beside import READ_WITH, digest


def is_held(asset: Asset, record: RecordRow) -> bool:
    """Whether what is stored of a record is still what its reader would deliver."""
    return record.raw_fingerprint == asset.raw_fingerprint and _is_read_with(asset, record)


def would_read_the_same(asset: Asset, record: RecordRow) -> bool:
    """Whether the same bytes would be read as they were: no other files and metadata were used."""
    return not files_beside(record.origin) and _is_read_with(asset, record)


def files_beside(origin: Mapping[str, Any]) -> Mapping[str, str]:
    """Stamps of the files a record was read with, by name; none where its own file was enough."""
    found: Mapping[str, str] = origin.get(READ_WITH, {}).get("files", {})
    return found


def as_read(asset: Asset, record: RecordRow) -> Asset:
    """An asset whose file is not read again, with what it was read with."""
    return told(asset, {key: record.origin[key] for key in (READ_WITH,) if key in record.origin})


def told(asset: Asset, more: Mapping[str, Any]) -> Asset:
    """An asset with more in its origin."""
    return replace(asset, origin={**asset.origin, **more}) if more else asset


def _is_read_with(asset: Asset, record: RecordRow) -> bool:
    """Whether the metadata are those the reader used, if it used any."""
    used = record.origin.get(READ_WITH, {}).get("metadata")
    return used is None or used == digest(asset.metadata)
