"""What is shown of one record or result, and of all tainted ones: documents and their texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from motif.core.annotations.annotation_log import NOTE, Annotation, annotations_of, labels_of
from motif.core.catalog.database import facet_value
from motif.core.catalog.duplicates import Duplicate, find_duplicates
from motif.core.catalog.rows import Derivation, MeasurementRow
from motif.core.provenance.rebuild_commands import rebuild_command, request_key
from motif.core.records import ID_LENGTH
from motif.core.workspace import Workspace

SHOWN = 12
"""Measurements of one record that the text lists in full."""


def record_document(workspace: Workspace, record_id: str, *, header: bool) -> dict[str, Any]:
    """A record with its measurements, facets, annotations, duplicates and results.

    Args:
        workspace: where the record is.
        record_id: of a record, deleted ones included.
        header: whether the instrument's header is included.
    """
    record = asdict(workspace.record(record_id))
    del record["raw_title"], record["stem"]
    rows = workspace.catalog.measurements_of(record_id)
    ids = [row.id for row in rows]
    facets: dict[str, list[dict[str, Any]]] = {identity: [] for identity in ids}
    for row in workspace.catalog.facet_rows(ids):
        facets[row.measurement_id].append(
            {"name": row.name, "value": facet_value(row),
             "unit": "" if row.unit == "bool" else row.unit, "origin": row.origin,
             **({"raw_text": row.raw_text} if row.raw_text else {})}
        )  # fmt: skip
    annotations_by_id = annotations_of(workspace.catalog, ids)
    duplicates_by_id = find_duplicates(workspace, ids)
    tainted = {derivation.id for derivation in workspace.ledger.tainted()}
    document = {
        **record,
        "marked": workspace.marked_records().get(record_id, ""),
        "measurements": [
            {**_measurement(row, annotations_by_id.get(row.id, ()),
                            duplicates_by_id.get(row.id, ())),
             "facets": facets[row.id],
             "derived": [_derived(each, tainted) for each in workspace.ledger.derived_from(row.id)]}
            for row in rows
        ],
    }  # fmt: skip
    if header:
        document["header"] = [list(pair) for pair in workspace.catalog.header(record_id)]
    return document


def _measurement(
    row: MeasurementRow, annotated: Sequence[Annotation], others: Sequence[Duplicate]
) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "title": row.title, "layout": row.layout,
        "array": f"{row.array}[{row.row}]", "labels": labels_of(annotated),
        "notes": [
            {"text": each.text, "who": each.who, "at": each.at}
            for each in annotated if each.kind == NOTE
        ],
        "duplicates": [{**asdict(each), "words": each.words} for each in others],
    }  # fmt: skip


def _derived(derivation: Derivation, tainted: set[str]) -> dict[str, Any]:
    document = {
        "id": derivation.id, "stage": derivation.stage, "tainted": derivation.id in tainted,
    }  # fmt: skip
    return document | ({"rebuild": rebuild_command(derivation)} if document["tainted"] else {})


def result_document(workspace: Workspace, identity: str) -> dict[str, Any] | None:
    """A derived result with its inputs, or None where `identity` is not the id of one."""
    if len(identity) != ID_LENGTH or not workspace.ledger.has(identity):
        return None
    derivation = workspace.ledger.get(identity)
    tainted = any(each.id == identity for each in workspace.ledger.tainted())
    return {
        **asdict(derivation),
        "arrays": list(workspace.ledger.arrays(derivation)),
        "tainted": tainted,
        "rebuild": rebuild_command(derivation) if tainted else "",
        "derived": [
            {"id": each.id, "stage": each.stage} for each in workspace.ledger.derived_from(identity)
        ],
    }


def taint_document(workspace: Workspace) -> dict[str, Any]:
    """``records`` (id -> reason) and ``results`` that are tainted and not replaced since.

    Of results of the same request the newest is listed, with their number as ``count``.
    """
    records = workspace.marked_records()
    groups: dict[tuple[str, str, str], list[Derivation]] = {}
    tainted = workspace.ledger.tainted() if records else []
    for derivation in tainted:
        key = (derivation.stage, derivation.collection, request_key(derivation))
        groups.setdefault(key, []).append(derivation)
    tainted_ids = {derivation.id for derivation in tainted}
    results = []
    for (stage, collection, request), group in groups.items():
        same_request = [
            derivation
            for derivation in workspace.ledger.all(stage, collection)
            if request_key(derivation) == request
        ]
        if same_request[-1].id in tainted_ids:
            results.append(
                {
                    "id": group[-1].id, "stage": stage, "collection": collection,
                    "count": len(group), "rebuild": rebuild_command(group[-1]),
                }
            )  # fmt: skip
    return {"records": records, "results": results}


def record_text(document: Mapping[str, Any]) -> str:
    """The document of a record for people; a long one is cut to its first measurements."""
    return "\n".join(_lines(document))


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"Record {document['id']}: {document['title']}"
    yield f"  collection    {document['collection']}, from {document['source']}"
    if document["reader"]:
        yield f"  read by       {document['reader']}, version {document['reader_version']}"
        yield f"  file          {document['file_name']}, {document['raw_size']:,} bytes"
        yield f"  sha256        {document['raw_sha256']}"
    if not document["live"]:
        yield "  deleted       its source does not have it any more"
    if document["marked"]:
        yield f"  wrong         {document['marked']}"
    for warning in document["warnings"]:
        yield f"  warning       {warning}"
    for each in document["disagreements"]:
        yield (
            f"  disagreement  {each['facet']}: the file states {each['header']!r}, which is used; "
            f"the record states {each['record']!r}"
        )
    for measurement in document["measurements"][:SHOWN]:
        yield from _measurement_lines(measurement)
    left = len(document["measurements"]) - SHOWN
    if left > 0:
        yield f"... and {left} more measurements; list them with --json."
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
        raw = f', originally "{facet["raw_text"]}"' if facet.get("raw_text") else ""
        yield f"  {facet['name']:{width}} {_value(facet)}  [{facet['origin']}{raw}]"
    for label in measurement["labels"]:
        yield f"  label         {label}"
    for note in measurement["notes"]:
        yield f"  note          {note['text']} ({note['who']}, {note['at']})"
    for each in measurement["duplicates"]:
        yield f"  duplicate     {each['words']}"
    for each in measurement["derived"]:
        yield f"  used in       {each['stage']} {each['id']}{_taint(each)}"


def _value(facet: Mapping[str, Any]) -> str:
    value = facet["value"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.6g} {facet['unit']}".strip()


def _taint(derived: Mapping[str, Any]) -> str:
    """That a result is tainted, with the command that replaces it."""
    if not derived["tainted"]:
        return ""
    return f" (tainted; rebuild it: {derived['rebuild']})" if derived["rebuild"] else " (tainted)"
