"""Turns what was read into array rows and one journal line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core import taint
from motif.core.catalog import RecordRow
from motif.core.facets import Mapper, composition_facets, merge
from motif.core.facts import DISAGREEMENT, document, file_facts
from motif.core.fulltext import strings
from motif.core.layout import bucket_of, canonical, chunk_rows, layout_of, measurement_id
from motif.core.outlines import outlines
from motif.core.privacy import Masks, masked
from motif.core.records import Asset, Facet, Header, Measurement, Reading
from motif.core.store import Transaction
from motif.core.workspace import Workspace

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
        told = {one.key: [*one.facets, *composition_facets(one)] for one in reading.measurements}
        everything = [*chain(*told.values()), *declared, *from_record]
        titles = {one.title for one in reading.measurements}
        masks = self._masks(taken.asset, everything, reading.header, titles)
        measurements: dict[str, dict[str, Any]] = {}
        disagreements: list[dict[str, Any]] = []
        for measurement in reading.measurements:
            own = told[measurement.key]
            facets, differing = self._merged([*own, *declared], from_record, taken.asset, masks)
            disagreements = disagreements or differing
            added = rows.add(record_id, measurement)
            measurements[added["id"]] = added | _shown(own, facets, measurement.title, masks)
        simulated = _is_simulated(taken.asset, reading)
        for added in measurements.values():
            if "array" in added:
                added["simulated"] = simulated
        return {
            **self._columns(taken.asset, masks),
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
        header = self._header(record.id)
        declared = self._mapper.header_facets(header)
        told = file_facts(self._workspace.catalog, record.id)
        everything = [*chain(*(one.facets for one in told.values())), *declared, *from_record]
        titles = {one.title for one in told.values()}
        masks = self._masks(renewed.asset, everything, header, titles)
        measurements: list[dict[str, Any]] = []
        disagreements: list[dict[str, Any]] = []
        for identity, one in told.items():
            facets, differing = self._merged(
                [*one.facets, *declared], from_record, renewed.asset, masks
            )
            disagreements = disagreements or differing
            measurements.append({"id": identity, **_shown(one.facets, facets, one.title, masks)})
        kept = [note for note in record.notes if not note.startswith(RECORD_NOTE)]
        return {
            **self._columns(renewed.asset, masks),
            "raw_sha256": renewed.sha256, "raw_size": record.raw_size,
            "reader": record.reader, "reader_version": record.reader_version,
            "notes": [*kept, *(RECORD_NOTE + note for note in notes)],
            "disagreements": disagreements, "simulated": record.simulated,
            "measurements": measurements,
        }  # fmt: skip

    def _merged(
        self,
        from_file: Sequence[Facet],
        from_record: Sequence[Facet],
        asset: Asset,
        masks: Masks,
    ) -> tuple[list[Facet], list[dict[str, Any]]]:
        """One facet a name, as clock and policy show them; and the disagreements."""
        clock, privacy = self._mapper.clock, self._mapper.privacy
        facets, differing = merge(clock.applied(from_file), clock.applied(from_record))
        shown = [
            {key: masked(told, masks) if isinstance(told, str) else told
             for key, told in one.items()}
            for one in differing if not privacy.is_personal(one["facet"])
        ]  # fmt: skip
        if differing:
            facets.append(Facet("disagreement", True, DISAGREEMENT))
        facets = [one for one in facets if one.name != taint.FACET]
        facets += taint.facets(asset.origin, asset.metadata, self._error_tag)
        return privacy.applied(facets, masks), shown

    def _masks(
        self, asset: Asset, facets: Sequence[Facet], header: Header, titles: Iterable[str]
    ) -> Masks:
        """What of a record's texts the policy does not let be seen."""
        texts = (asset.title, *titles, *strings(asset.metadata), *(value for _, value in header))
        return self._mapper.privacy.masks(facets, texts)

    def _header(self, record_id: str) -> Header:
        """The header of a stored record, where the rules of the workspace need it."""
        if self._mapper.reads_headers or not self._mapper.privacy.keeps:
            return self._workspace.catalog.header(record_id)
        return ()

    def record_id(self, asset: Asset) -> str:
        return f"{self._source}:{asset.native_id}"

    def _columns(self, asset: Asset, masks: Masks) -> dict[str, Any]:
        return {
            "id": self.record_id(asset), "source": self._source, "native_id": asset.native_id,
            "collection": self._collection, "title": masked(asset.title, masks),
            "told_title": asset.title, "masks": masks,
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

    def add(self, record_id: str, measurement: Measurement) -> dict[str, Any]:
        """Journal document of a measurement; its values get a row unless they have one."""
        values = canonical(measurement)
        layout, axes = layout_of(measurement, values)
        identity = measurement_id(record_id, measurement.key, measurement.kind, layout, values)
        told: dict[str, Any] = {"id": identity, "outlines": outlines(layout, values, axes)}
        if identity in self._added or identity in self._stored:
            return told
        self._added.add(identity)
        bucket = bucket_of(self._collection, measurement.kind, layout)
        if bucket not in self._values:
            self._values[bucket] = []
            self._start[bucket] = self._workspace.next_row(bucket)
            self._kind[bucket] = measurement.kind
        row = self._start[bucket] + len(self._values[bucket])
        self._values[bucket].append(values)
        self._axes |= axes
        return told | {
            "record_id": record_id, "collection": self._collection, "kind": measurement.kind,
            "key": measurement.key, "array": bucket, "row": row,
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


def _shown(
    told: Sequence[Facet], shown: Sequence[Facet], title: str, masks: Masks
) -> dict[str, Any]:
    """Title and facets as they are shown, and the facts behind those that say something else."""
    seen = {facet.name: facet for facet in shown}
    seen_title = masked(title, masks)
    return {
        "title": seen_title,
        "facets": list(map(document, shown)),
        "facts": [document(facet) for facet in told if seen.get(facet.name) != facet],
        "told_title": title if seen_title != title else "",
    }


def _is_simulated(asset: Asset, reading: Reading) -> bool:
    told = asset.metadata.get("simulated") is True
    return told or any(
        facet.name == "simulated" and facet.value is True
        for measurement in reading.measurements
        for facet in measurement.facets
    )
