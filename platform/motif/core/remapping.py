"""Choosing facets: what the archive offers, and mapping it anew without reading a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from motif.core.facets import as_quantity
from motif.core.intake import Intake, Renewed
from motif.core.progress import Progress
from motif.core.records import Asset
from motif.core.workspace import Workspace

EXAMPLES = 3
BATCH = 256
"""Records in one transaction of a re-mapping."""

_UNIT_BY_WORD = (
    ("voltage", "V"), ("bias", "V"), ("frequency", "Hz"), ("temperature", "degC"),
    ("temp", "degC"), ("wavelength", "nm"), ("pressure", "Pa"), ("springconstant", "N/m"),
    ("size", "m"), ("rate", "Hz"), ("time", "s"), ("angle", "degree"),
)  # fmt: skip


@dataclass
class Offer:
    """One key of headers or record metadata that could become a facet."""

    path: str
    """``header:KEY`` or ``record:DOTTED.PATH``, as ``[facets.NAME] path`` takes it."""
    records: int = 0
    share: float = 0.0
    """Part of the records that have it."""
    examples: list[str] = field(default_factory=list)
    unit: str = ""
    """Suggested unit; empty for text and pure numbers."""
    facet: str = ""
    """The facet that takes this path already."""


def survey(workspace: Workspace, collection: str | None = None) -> list[Offer]:
    """Every key the headers and metadata of a collection hold, the most frequent first."""
    declared = {rule.path: name for name, rule in workspace.config.facets.items()}
    offers: dict[str, Offer] = {}
    seen: dict[str, Counter[str]] = {}
    records = workspace.catalog.records(collection=collection)
    for record in records:
        for path, value in _told(workspace, record.id, record.metadata).items():
            offer = offers.setdefault(path, Offer(path, facet=declared.get(path, "")))
            offer.records += 1
            seen.setdefault(path, Counter())[value[:80]] += 1
    for path, offer in offers.items():
        offer.share = round(offer.records / len(records), 4)
        offer.examples = [value for value, _ in seen[path].most_common(EXAMPLES)]
        offer.unit = _suggested_unit(path, offer.examples)
    return sorted(offers.values(), key=lambda offer: (-offer.records, offer.path))


def remap(workspace: Workspace, progress: Progress | None = None) -> int:
    """Make all facets anew by the present rules; returns the number of records."""
    records = workspace.catalog.records()
    if progress:
        progress.expect(len(records))
    groups: dict[tuple[str, str], list[Renewed]] = {}
    for record in records:
        asset = Asset(
            native_id=record.native_id, title=record.told_title or record.title,
            fingerprint=record.fingerprint,
            raw_fingerprint=record.raw_fingerprint, file_name=record.file_name,
            metadata=record.metadata, origin=record.origin,
        )  # fmt: skip
        place = (record.source, record.collection)
        groups.setdefault(place, []).append(Renewed(asset, record, record.raw_sha256))
    for (source, collection), renewed in groups.items():
        intake = Intake(workspace, source, collection, workspace.mapper())
        for start in range(0, len(renewed), BATCH):
            part = renewed[start : start + BATCH]
            intake.commit((), part, ())
            if progress:
                progress.advance(len(part))
    return len(records)


def _told(workspace: Workspace, record_id: str, metadata: Mapping[str, Any]) -> dict[str, str]:
    """Paths and values of one record; the first of repeated header keys."""
    found: dict[str, str] = {}
    for key, value in workspace.catalog.header(record_id):
        found.setdefault(f"header:{key}", value)
    found.update((f"record:{path}", value) for path, value in _leaves(metadata))
    return found


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _leaves(inner, f"{prefix}{key}.")
        elif not isinstance(inner, list):
            yield f"{prefix}{key}", str(inner)


def _suggested_unit(path: str, examples: list[str]) -> str:
    """The unit the values carry, or the one their name suggests."""
    for example in examples:
        quantity = as_quantity(example)
        if quantity is not None:
            return example.strip().lstrip("+-0123456789.eE").strip()
    if not all(_is_number(example) for example in examples):
        return ""
    key = path.lower().replace("_", "").replace(" ", "")
    return next((unit for word, unit in _UNIT_BY_WORD if word in key), "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
