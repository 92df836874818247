"""Lists the keys that could become facets, and maps facets again without reading files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from motif.core.catalog.database import RecordRow
from motif.core.catalog.fulltext import strings
from motif.core.catalog.intake import Intake, MetadataUpdate
from motif.core.facets.facet_rules import Mapper, as_quantity
from motif.core.facets.privacy import Masks, masked
from motif.core.facets.raw_facets import raw_facets_of
from motif.core.jobs.progress import Progress
from motif.core.records import Asset, Header
from motif.core.workspace import Workspace

EXAMPLES = 3
EXAMPLE_LENGTH = 80
"""Maximum characters of an example."""
DISTINCT = 200
"""Distinct values counted for one key; further values are ignored."""
BATCH = 256
"""Records in one transaction."""

_UNIT_BY_WORD = (
    ("voltage", "V"), ("volts", "V"), ("bias", "V"), ("frequency", "Hz"), ("freq", "Hz"),
    ("temperature", "degC"), ("temp", "degC"), ("wavelength", "nm"), ("pressure", "Pa"),
    ("springconstant", "N/m"), ("thickness", "nm"), ("scansize", "m"), ("rate", "Hz"),
    ("exposuretime", "s"), ("angle", "degree"), ("humidity", "percent"),
)  # fmt: skip
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,12})[)\]]\s*$")


@dataclass
class Offer:
    """One key of headers or record metadata that could become a facet."""

    path: str
    """``header:KEY`` or ``record:DOTTED.PATH``, as ``[facets.NAME] path`` takes it."""
    records: int = 0
    share: float = 0.0
    """Share of the records that have it."""
    values: int = 0
    """Number of distinct values, at most `DISTINCT`."""
    examples: list[str] = field(default_factory=list)
    unit: str = ""
    """Suggested unit; empty for text and pure numbers."""
    facet: str = ""
    """The facet declared with this path; empty for none."""


def survey(workspace: Workspace, collection: str | None = None) -> list[Offer]:
    """Every key in the headers and metadata of a collection.

    Keys with more than one value come first, then those of most records. Examples follow the
    privacy policy.
    """
    declared = {rule.path: name for name, rule in workspace.config.facets.items()}
    mapper = workspace.mapper()
    offers: dict[str, Offer] = {}
    seen: dict[str, Counter[str]] = {}
    records = workspace.catalog.records(collection=collection)
    for record in records:
        header = workspace.catalog.header(record.id)
        masks = _masks(workspace, mapper, record, header)
        for path, value in _values_by_path(header, record.metadata).items():
            offer = offers.setdefault(path, Offer(path, facet=declared.get(path, "")))
            offer.records += 1
            counter = seen.setdefault(path, Counter())
            shown = masked(value, masks)[:EXAMPLE_LENGTH]
            if len(counter) < DISTINCT or shown in counter:
                counter[shown] += 1
    for path, offer in offers.items():
        offer.share = round(offer.records / len(records), 4)
        offer.values = len(seen[path])
        offer.examples = [value for value, _ in seen[path].most_common(EXAMPLES) if value]
        offer.unit = _suggested_unit(path, offer.examples)
    return sorted(offers.values(), key=lambda offer: (offer.values < 2, -offer.records, offer.path))


def remap(workspace: Workspace, progress: Progress | None = None) -> int:
    """Map all facets by the present rules; returns the number of records."""
    records = workspace.catalog.records()
    if progress:
        progress.expect(len(records))
    groups: dict[tuple[str, str], list[MetadataUpdate]] = {}
    for record in records:
        asset = Asset(
            native_id=record.native_id, title=record.raw_title or record.title,
            fingerprint=record.fingerprint,
            raw_fingerprint=record.raw_fingerprint, file_name=record.file_name,
            metadata=record.metadata, origin=record.origin,
        )  # fmt: skip
        group = (record.source, record.collection)
        groups.setdefault(group, []).append(MetadataUpdate(asset, record, record.raw_sha256))
    for (source, collection), updates in groups.items():
        intake = Intake(workspace, source, collection, workspace.mapper())
        for start in range(0, len(updates), BATCH):
            batch = updates[start : start + BATCH]
            intake.commit((), batch, ())
            if progress:
                progress.advance(len(batch))
    return len(records)


def _values_by_path(header: Header, metadata: Mapping[str, Any]) -> dict[str, str]:
    """Paths and values of one record; the first of repeated header keys."""
    values: dict[str, str] = {}
    for key, value in header:
        values.setdefault(f"header:{key}", value)
    values.update((f"record:{path}", value) for path, value in _leaves(metadata))
    return values


def _masks(workspace: Workspace, mapper: Mapper, record: RecordRow, header: Header) -> Masks:
    """What the privacy policy hides in the texts of a record."""
    if mapper.privacy.keeps:
        return ()
    measurements = raw_facets_of(workspace.catalog, record.id).values()
    facets = [facet for measurement in measurements for facet in measurement.facets]
    facets += [*mapper.record_facets(record.metadata)[0], *mapper.header_facets(header)]
    texts = (*strings(record.metadata), *(value for _, value in header))
    return mapper.privacy.masks(facets, texts)


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _leaves(inner, f"{prefix}{key}.")
        elif not isinstance(inner, list):
            yield f"{prefix}{key}", str(inner)


def _suggested_unit(path: str, examples: list[str]) -> str:
    """The unit that the values state, or the one that their key states or suggests."""
    for example in examples:
        quantity = as_quantity(example)
        if quantity is not None:
            return example.strip().lstrip("+-0123456789.eE").strip()
    if not examples or not all(_is_number(example) for example in examples):
        return ""
    stated = _IN_BRACKETS.search(path)
    if stated and as_quantity(1.0, stated[1]) is not None:
        return stated[1]
    key = re.sub(r"[^a-z]", "", path.lower())
    return next((unit for word, unit in _UNIT_BY_WORD if word in key), "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
