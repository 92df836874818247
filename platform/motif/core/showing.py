"""All that is known of one record: its measurements, facets, provenance and duplicates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from motif.core.catalog import MeasurementRow, facet_value
from motif.core.duplicates import Duplicate, duplicates
from motif.core.rebuilding import rebuild_command
from motif.core.remarks import NOTE, Remark, labels_of, remarks_on
from motif.core.workspace import Workspace

SHOWN = 12
"""Measurements of one record told to people in full."""


def record_document(workspace: Workspace, record_id: str, *, header: bool) -> dict[str, Any]:
    """Everything of a record as one document."""
    record = asdict(workspace.record(record_id))
    del record["told_title"], record["stem"]
    rows = workspace.catalog.measurements_of(record_id)
    ids = [row.id for row in rows]
    said = remarks_on(workspace.catalog, ids)
    facets: dict[str, list[dict[str, Any]]] = {one: [] for one in ids}
    for row in workspace.catalog.facet_rows(ids):
        facets[row.measurement_id].append(
            {"name": row.name, "value": facet_value(row),
             "unit": "" if row.unit == "bool" else row.unit, "origin": row.origin,
             **({"told": row.told} if row.told else {})}
        )  # fmt: skip
    linked = duplicates(workspace, ids)
    tainted = {one.id for one in workspace.ledger.tainted()}
    document = {
        **record,
        "marked": workspace.marked_records().get(record_id, ""),
        "measurements": [
            _measurement(workspace, row, facets[row.id], said.get(row.id, ()),
                         linked.get(row.id, ()), tainted)
            for row in rows
        ],
    }  # fmt: skip
    if header:
        document["header"] = [list(pair) for pair in workspace.catalog.header(record_id)]
    return document


def _measurement(
    workspace: Workspace,
    row: MeasurementRow,
    facets: Sequence[Mapping[str, Any]],
    said: Sequence[Remark],
    linked: Sequence[Duplicate],
    tainted: set[str],
) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "title": row.title, "layout": row.layout,
        "array": f"{row.array}[{row.row}]", "facets": list(facets),
        "labels": labels_of(said),
        "notes": [
            {"text": one.text, "who": one.who, "at": one.at} for one in said if one.kind == NOTE
        ],
        "duplicates": [{**asdict(one), "words": one.words} for one in linked],
        "derived": [
            {"id": one.id, "stage": one.stage, "tainted": one.id in tainted,
             **({"rebuild": rebuild_command(one)} if one.id in tainted else {})}
            for one in workspace.ledger.made_from(row.id)
        ],
    }  # fmt: skip


def record_text(document: Mapping[str, Any]) -> str:
    """The document for people; a long file is cut to its first measurements."""
    return "\n".join(_lines(document))


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"Record {document['id']}: {document['title']}"
    yield f"  collection    {document['collection']}, from {document['source']}"
    if document["reader"]:
        yield f"  read by       {document['reader']}, version {document['reader_version']}"
        yield f"  file          {document['file_name']}, {document['raw_size']:,} bytes"
        yield f"  sha256        {document['raw_sha256']}"
    if not document["live"]:
        yield "  gone          its source does not hold it any more"
    if document["marked"]:
        yield f"  wrong         {document['marked']}"
    for note in document["notes"]:
        yield f"  remark        {note}"
    for one in document["disagreements"]:
        yield (
            f"  disagreement  {one['facet']}: the file says {one['header']!r}, which holds; "
            f"the record says {one['record']!r}"
        )
    for measurement in document["measurements"][:SHOWN]:
        yield from _measurement_lines(measurement)
    left = len(document["measurements"]) - SHOWN
    if left > 0:
        yield f"... and {left} more measurements; --json tells them all."
    for key, value in document.get("header", ()):
        yield f"  {key}: {value}"


def _measurement_lines(measurement: Mapping[str, Any]) -> Iterator[str]:
    layout = measurement["layout"]
    shape = " x ".join(map(str, layout["shape"]))
    yield f"{measurement['kind'].capitalize()} {measurement['id']}: {measurement['title']}"
    yield f"  array         {measurement['array']}, {shape} {layout['dtype']}"
    for name, unit in zip(layout["channels"], layout["units"], strict=False):
        yield f"  channel       {name} ({unit or 'no unit'})"
    width = max([13, *(len(facet["name"]) for facet in measurement["facets"])])
    for facet in measurement["facets"]:
        told = f', there "{facet["told"]}"' if facet.get("told") else ""
        yield f"  {facet['name']:{width}} {_value(facet)}  [{facet['origin']}{told}]"
    for label in measurement["labels"]:
        yield f"  label         {label}"
    for note in measurement["notes"]:
        yield f"  note          {note['text']} ({note['who']}, {note['at']})"
    for one in measurement["duplicates"]:
        yield f"  duplicate     {one['words']}"
    for one in measurement["derived"]:
        yield f"  went into     {one['stage']} {one['id']}{_harm(one)}"


def _value(facet: Mapping[str, Any]) -> str:
    value = facet["value"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.6g} {facet['unit']}".strip()


def _harm(derived: Mapping[str, Any]) -> str:
    """That a result is tainted, with the command that makes it anew."""
    if not derived["tainted"]:
        return ""
    return f" (tainted; rebuild it: {derived['rebuild']})" if derived["rebuild"] else " (tainted)"
