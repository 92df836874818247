"""Choosing facets: what the archive offers, and mapping it anew without reading a file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from motif.core.catalog import RecordRow
from motif.core.facets import Mapper, as_quantity
from motif.core.facts import file_facts
from motif.core.fulltext import strings
from motif.core.intake import Intake, Renewed
from motif.core.privacy import Masks, masked
from motif.core.progress import Progress
from motif.core.records import Asset, Header
from motif.core.workspace import Workspace

EXAMPLES = 3
LONGEST = 80
"""Characters of an example."""
DISTINCT = 200
"""Values of one key told apart; beyond, only those already met are counted."""
BATCH = 256
"""Records in one transaction of a re-mapping."""

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
    """Part of the records that have it."""
    values: int = 0
    """Different values, at most `DISTINCT`."""
    examples: list[str] = field(default_factory=list)
    unit: str = ""
    """Suggested unit; empty for text and pure numbers."""
    facet: str = ""
    """The facet that takes this path already."""


def survey(workspace: Workspace, collection: str | None = None) -> list[Offer]:
    """Every key the headers and metadata of a collection hold.

    What one can filter by comes first: keys with more than one value, those of most records
    before the others. People are shown as the privacy policy says.
    """
    declared = {rule.path: name for name, rule in workspace.config.facets.items()}
    mapper = workspace.mapper()
    offers: dict[str, Offer] = {}
    seen: dict[str, Counter[str]] = {}
    records = workspace.catalog.records(collection=collection)
    for record in records:
        header = workspace.catalog.header(record.id)
        masks = _masks(workspace, mapper, record, header)
        for path, value in _told(header, record.metadata).items():
            offer = offers.setdefault(path, Offer(path, facet=declared.get(path, "")))
            offer.records += 1
            counter = seen.setdefault(path, Counter())
            shown = masked(value, masks)[:LONGEST]
            if len(counter) < DISTINCT or shown in counter:
                counter[shown] += 1
    for path, offer in offers.items():
        offer.share = round(offer.records / len(records), 4)
        offer.values = len(seen[path])
        offer.examples = [value for value, _ in seen[path].most_common(EXAMPLES) if value]
        offer.unit = _suggested_unit(path, offer.examples)
    return sorted(offers.values(), key=lambda offer: (offer.values < 2, -offer.records, offer.path))


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


def _told(header: Header, metadata: Mapping[str, Any]) -> dict[str, str]:
    """Paths and values of one record; the first of repeated header keys."""
    found: dict[str, str] = {}
    for key, value in header:
        found.setdefault(f"header:{key}", value)
    found.update((f"record:{path}", value) for path, value in _leaves(metadata))
    return found


def _masks(workspace: Workspace, mapper: Mapper, record: RecordRow, header: Header) -> Masks:
    """What of a record the privacy policy does not let be seen."""
    if mapper.privacy.keeps:
        return ()
    told = file_facts(workspace.catalog, record.id).values()
    facets = [facet for one in told for facet in one.facets]
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
    """The unit the values carry, or the one their name tells or suggests."""
    for example in examples:
        quantity = as_quantity(example)
        if quantity is not None:
            return example.strip().lstrip("+-0123456789.eE").strip()
    if not examples or not all(_is_number(example) for example in examples):
        return ""
    told = _IN_BRACKETS.search(path)
    if told and as_quantity(1.0, told[1]) is not None:
        return told[1]
    key = re.sub(r"[^a-z]", "", path.lower())
    return next((unit for word, unit in _UNIT_BY_WORD if word in key), "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
