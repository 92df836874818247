"""Turns what was read into array rows and one journal line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core import taint
from motif.core.catalog import RecordRow
from motif.core.facets import DECLARED, Mapper, composition_facets, merge
from motif.core.layout import bucket_of, canonical, chunk_rows, layout_of, measurement_id
from motif.core.records import Asset, Facet, Measurement, Reading
from motif.core.store import Transaction
from motif.core.workspace import Workspace

DISAGREEMENT = "header against record"
"""Origin of the facet that marks measurements whose file and record disagree."""
RECORD_NOTE = "record: "
"""Begins a remark on record metadata, which is made anew when the metadata change."""


@dataclass(frozen=True)
class Taken:
    """An asset that was read, ready to be stored."""

    asset: Asset
    reading: Reading
    reader: str
    reader_version: int
    sha256: str
    size: int

    @classmethod
    def without_data(cls, asset: Asset, *notes: str) -> Taken:
        """A record that has metadata only."""
        return cls(asset, Reading((), (), notes), "", 0, "", 0)


@dataclass(frozen=True)
class Renewed:
    """An asset whose metadata changed while its raw data stayed as they are."""

    asset: Asset
    record: RecordRow
    sha256: str


class Intake:
    """Builds the commits of one source."""

    def __init__(self, workspace: Workspace, source: str, collection: str, mapper: Mapper) -> None:
        self._workspace = workspace
        self._source = source
        self._collection = collection
        self._mapper = mapper
        table = workspace.config.sources.get(source)
        self._error_tag = table.error_tag if table else taint.DEFAULT_TAG

    def commit(
        self,
        taken: Sequence[Taken],
        renewed: Sequence[Renewed],
        quarantined: Sequence[Mapping[str, Any]],
        deleted: Sequence[str] = (),
        cursor: str | None = None,
    ) -> None:
        """Store one batch: arrays, records, facets and quarantine in one transaction."""

        def build(transaction: Transaction) -> dict[str, Any]:
            rows = _Rows(
                self._workspace, self._collection, [self.record_id(one.asset) for one in taken]
            )
            records = [self._new_record(one, rows) for one in taken]
            records += [self._renewed_record(one) for one in renewed]
            rows.write(transaction)
            return {
                "what": "sync", "source": self._source, "records": records,
                "quarantined": list(quarantined), "deleted": list(deleted), "cursor": cursor,
            }  # fmt: skip

        self._workspace.commit(build)

    def _new_record(self, taken: Taken, rows: _Rows) -> dict[str, Any]:
        reading = taken.reading
        record_id = self.record_id(taken.asset)
        from_record, notes = self._mapper.record_facets(taken.asset.metadata)
        declared = self._mapper.header_facets(reading.header)
        measurements: dict[str, dict[str, Any]] = {}
        disagreements: list[dict[str, Any]] = []
        for measurement in reading.measurements:
            own = [*measurement.facets, *declared, *composition_facets(measurement)]
            facets, differing = self._merged(own, from_record, taken.asset)
            disagreements = disagreements or differing
            document = rows.add(record_id, measurement, facets)
            measurements[document["id"]] = document
        simulated = _is_simulated(taken.asset, reading)
        for document in measurements.values():
            if "array" in document:
                document["simulated"] = simulated
        return {
            **self._columns(taken.asset),
            "raw_sha256": taken.sha256, "raw_size": taken.size,
            "reader": taken.reader, "reader_version": taken.reader_version,
            "notes": [*reading.notes, *(RECORD_NOTE + note for note in notes)],
            "disagreements": disagreements, "simulated": simulated,
            "header": [list(pair) for pair in reading.header],
            "measurements": list(measurements.values()),
        }  # fmt: skip

    def _renewed_record(self, renewed: Renewed) -> dict[str, Any]:
        record = renewed.record
        from_record, notes = self._mapper.record_facets(renewed.asset.metadata)
        measurements: list[dict[str, Any]] = []
        disagreements: list[dict[str, Any]] = []
        for measurement, from_file in self._facets_from_file(record.id).items():
            facets, differing = self._merged(from_file, from_record, renewed.asset)
            disagreements = disagreements or differing
            measurements.append({"id": measurement, "facets": list(map(_facet_document, facets))})
        kept = [note for note in record.notes if not note.startswith(RECORD_NOTE)]
        return {
            **self._columns(renewed.asset),
            "raw_sha256": renewed.sha256, "raw_size": record.raw_size,
            "reader": record.reader, "reader_version": record.reader_version,
            "notes": [*kept, *(RECORD_NOTE + note for note in notes)],
            "disagreements": disagreements, "simulated": record.simulated,
            "measurements": measurements,
        }  # fmt: skip

    def _merged(
        self, from_file: Sequence[Facet], from_record: Sequence[Facet], asset: Asset
    ) -> tuple[list[Facet], list[dict[str, Any]]]:
        """One facet a name, as the privacy policy shows them; and the disagreements."""
        privacy = self._mapper.privacy
        facets, differing = merge(from_file, from_record)
        shown = [one for one in differing if not privacy.is_personal(one["facet"])]
        if differing:
            facets.append(Facet("disagreement", True, DISAGREEMENT))
        facets = [one for one in facets if one.name != taint.FACET]
        facets += taint.facets(asset.origin, asset.metadata, self._error_tag)
        return privacy.applied(facets), shown

    def _facets_from_file(self, record_id: str) -> dict[str, list[Facet]]:
        """What the reader and the declared paths into the header say, by measurement."""
        catalog = self._workspace.catalog
        declared: list[Facet] = []
        if self._mapper.reads_headers:
            declared = self._mapper.header_facets(catalog.header(record_id))
        found: dict[str, list[Facet]] = {row.id: [] for row in catalog.measurements_of(record_id)}
        for row in catalog.facet_rows(list(found)):
            if not row.origin.startswith(("record:", DECLARED)) and row.origin != DISAGREEMENT:
                number = bool(row.number) if row.unit == "bool" else row.number
                value = row.text if row.text is not None else number
                found[row.measurement_id].append(Facet(row.name, value, row.origin, row.unit))
        return {one: [*facets, *declared] for one, facets in found.items()}

    def record_id(self, asset: Asset) -> str:
        return f"{self._source}:{asset.native_id}"

    def _columns(self, asset: Asset) -> dict[str, Any]:
        return {
            "id": self.record_id(asset), "source": self._source, "native_id": asset.native_id,
            "collection": self._collection, "title": self._mapper.privacy.title(asset.title),
            "fingerprint": asset.fingerprint, "raw_fingerprint": asset.raw_fingerprint,
            "file_name": asset.file_name, "metadata": dict(asset.metadata),
            "origin": dict(asset.origin),
        }  # fmt: skip


class _Rows:
    """Array rows of one commit, gathered by the array they go into."""

    def __init__(self, workspace: Workspace, collection: str, record_ids: Sequence[str]) -> None:
        self._workspace = workspace
        self._stored = taint.measurements_of(workspace.catalog, record_ids)
        self._collection = collection
        self._values: dict[str, list[NDArray[Any]]] = {}
        self._start: dict[str, int] = {}
        self._kind: dict[str, str] = {}
        self._axes: dict[str, NDArray[Any]] = {}
        self._added: set[str] = set()

    def add(
        self, record_id: str, measurement: Measurement, facets: Sequence[Facet]
    ) -> dict[str, Any]:
        """Journal document of a measurement; its values get a row unless they have one."""
        values = canonical(measurement)
        layout, axes = layout_of(measurement, values)
        identity = measurement_id(record_id, measurement.key, measurement.kind, layout, values)
        document: dict[str, Any] = {"id": identity, "facets": list(map(_facet_document, facets))}
        if identity in self._added or identity in self._stored:
            return document
        self._added.add(identity)
        bucket = bucket_of(self._collection, measurement.kind, layout)
        if bucket not in self._values:
            self._values[bucket] = []
            self._start[bucket] = self._workspace.next_row(bucket)
            self._kind[bucket] = measurement.kind
        row = self._start[bucket] + len(self._values[bucket])
        self._values[bucket].append(values)
        self._axes |= axes
        return document | {
            "record_id": record_id, "collection": self._collection, "kind": measurement.kind,
            "key": measurement.key, "title": measurement.title, "array": bucket, "row": row,
            "layout": layout, "composition": dict(measurement.composition),
            "targets": {
                name: [value if math.isfinite(value) else None, unit]
                for name, (value, unit) in measurement.targets.items()
            },
        }  # fmt: skip

    def write(self, transaction: Transaction) -> None:
        for path, axis in self._axes.items():
            if path not in transaction.root:
                transaction.put(path, axis)
        for bucket, values in self._values.items():
            transaction.append(
                bucket, np.stack(values), self._start[bucket], chunk_rows(self._kind[bucket])
            )


def _facet_document(facet: Facet) -> dict[str, Any]:
    return {
        "name": facet.name, "value": facet.value, "origin": facet.origin, "unit": facet.unit
    }  # fmt: skip


def _is_simulated(asset: Asset, reading: Reading) -> bool:
    told = asset.metadata.get("simulated") is True
    return told or any(
        facet.name == "simulated" and facet.value is True
        for measurement in reading.measurements
        for facet in measurement.facets
    )
