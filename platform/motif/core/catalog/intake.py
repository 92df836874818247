"""Stores readings: turns what readers returned into array rows and one journal line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.catalog.catalog_queries import measurement_ids_of, next_row
from motif.core.catalog.content_signatures import content_signatures
from motif.core.catalog.fulltext import strings
from motif.core.catalog.rows import RecordRow
from motif.core.facets.facet_rules import Mapper, composition_facets, merge
from motif.core.facets.privacy import Masks, masked
from motif.core.facets.raw_facets import DISAGREEMENT, document, raw_facets_of
from motif.core.provenance import taint
from motif.core.reading_contract import check_reading
from motif.core.records import Asset, Facet, Header, Measurement, Reading
from motif.core.store.array_layout import (
    bucket_of,
    canonical,
    chunk_rows,
    layout_of,
    measurement_id,
)
from motif.core.store.repository import Transaction
from motif.core.workspace import Workspace

RECORD_WARNING = "record: "
"""Begins a warning about record metadata, which is replaced when the metadata change."""


@dataclass(frozen=True)
class NewRecord:
    """An asset whose file was read, ready to be stored."""

    asset: Asset
    reading: Reading
    reader: str
    reader_version: int
    sha256: str
    size: int

    @classmethod
    def without_data(cls, asset: Asset, *warnings: str) -> NewRecord:
        """A record that has metadata only."""
        return cls(asset, Reading((), (), warnings), "", 0, "", 0)


@dataclass(frozen=True)
class MetadataUpdate:
    """An asset whose metadata changed while its raw data stayed the same."""

    asset: Asset
    record: RecordRow
    sha256: str


class Intake:
    """Builds the commits of one source.

    Args:
        workspace: where records are stored.
        source: name of the source, part of the record ids.
        collection: of the measurements.
        mapper: rules that derive facets from headers and metadata.
    """

    def __init__(self, workspace: Workspace, source: str, collection: str, mapper: Mapper) -> None:
        self._workspace = workspace
        self._source = source
        self._collection = collection
        self._mapper = mapper
        config = workspace.config.sources.get(source)
        self._error_tag = config.error_tag if config else taint.DEFAULT_TAG

    def commit(
        self,
        new: Sequence[NewRecord],
        updates: Sequence[MetadataUpdate],
        quarantined: Sequence[Mapping[str, Any]],
        deleted: Sequence[str] = (),
        cursor: str | None = None,
    ) -> None:
        """Store one batch: arrays, records, facets and quarantine entries in one commit.

        Args:
            new: records whose files were read.
            updates: records of which only the metadata changed.
            quarantined: entries as columns of `motif.core.catalog.rows.Quarantined`.
            deleted: native ids the source no longer has.
            cursor: the source's position after this batch; None keeps the stored one.

        Raises:
            UnreadableFileError: a reading does not meet the contract of readers.
        """
        for each in new:
            check_reading(each.reading, each.reader)

        def build(transaction: Transaction) -> dict[str, Any]:
            rows = _ArrayRows(
                self._workspace, self._collection, [self.record_id(each.asset) for each in new]
            )
            records = [self._new_record(each, rows) for each in new]
            records += [self._updated_record(each) for each in updates]
            rows.write(transaction)
            return {
                "what": "sync", "source": self._source, "records": records,
                "quarantined": list(quarantined), "deleted": list(deleted), "cursor": cursor,
            }  # fmt: skip

        self._workspace.commit(build)

    def record_id(self, asset: Asset) -> str:
        """Id of the record of an asset."""
        return f"{self._source}:{asset.native_id}"

    def _new_record(self, new: NewRecord, rows: _ArrayRows) -> dict[str, Any]:
        reading = new.reading
        record_id = self.record_id(new.asset)
        from_record, record_warnings = self._mapper.record_facets(new.asset.metadata)
        declared = self._mapper.header_facets(reading.header)
        from_file = {
            measurement.key: [*measurement.facets, *composition_facets(measurement)]
            for measurement in reading.measurements
        }
        all_facets = [*chain(*from_file.values()), *declared, *from_record]
        titles = {measurement.title for measurement in reading.measurements}
        masks = self._masks(new.asset, all_facets, reading.header, titles)
        measurements: dict[str, dict[str, Any]] = {}
        disagreements: list[dict[str, Any]] = []
        for measurement in reading.measurements:
            raw = from_file[measurement.key]
            facets, differing = self._merged([*raw, *declared], from_record, new.asset, masks)
            disagreements = disagreements or differing
            added = rows.add(record_id, measurement)
            shown = _shown(raw, facets, measurement.title, masks)
            measurements[added["id"]] = added | shown
        simulated = _is_simulated(new.asset, reading)
        for added in measurements.values():
            if "array" in added:
                added["simulated"] = simulated
        return {
            **self._columns(new.asset, masks),
            "raw_sha256": new.sha256, "raw_size": new.size,
            "reader": new.reader, "reader_version": new.reader_version,
            "warnings": [*reading.warnings, *(RECORD_WARNING + text for text in record_warnings)],
            "disagreements": disagreements, "simulated": simulated,
            "header": [list(pair) for pair in reading.header],
            "measurements": list(measurements.values()),
        }  # fmt: skip

    def _updated_record(self, update: MetadataUpdate) -> dict[str, Any]:
        record = update.record
        from_record, record_warnings = self._mapper.record_facets(update.asset.metadata)
        header = self._header(record.id)
        declared = self._mapper.header_facets(header)
        raw_by_id = raw_facets_of(self._workspace.catalog, record.id)
        raw_facets = chain(*(raw.facets for raw in raw_by_id.values()))
        titles = {raw.title for raw in raw_by_id.values()}
        masks = self._masks(update.asset, [*raw_facets, *declared, *from_record], header, titles)
        measurements: list[dict[str, Any]] = []
        disagreements: list[dict[str, Any]] = []
        for identity, raw in raw_by_id.items():
            facets, differing = self._merged(
                [*raw.facets, *declared], from_record, update.asset, masks
            )
            disagreements = disagreements or differing
            measurements.append({"id": identity, **_shown(raw.facets, facets, raw.title, masks)})
        kept = [text for text in record.warnings if not text.startswith(RECORD_WARNING)]
        return {
            **self._columns(update.asset, masks),
            "raw_sha256": update.sha256, "raw_size": record.raw_size,
            "reader": record.reader, "reader_version": record.reader_version,
            "warnings": [*kept, *(RECORD_WARNING + text for text in record_warnings)],
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
        """One facet per name as clock and privacy policy show them, and the disagreements."""
        clock, privacy = self._mapper.clock, self._mapper.privacy
        facets, differing = merge(clock.applied(from_file), clock.applied(from_record))
        disagreements = [
            {key: masked(value, masks) if isinstance(value, str) else value
             for key, value in each.items()}
            for each in differing if not privacy.is_personal(each["facet"])
        ]  # fmt: skip
        if differing:
            facets.append(Facet("disagreement", True, DISAGREEMENT))
        facets = [facet for facet in facets if facet.name != taint.FACET]
        facets += taint.facets(asset.origin, asset.metadata, self._error_tag)
        return privacy.applied(facets, masks), disagreements

    def _masks(
        self, asset: Asset, facets: Sequence[Facet], header: Header, titles: Iterable[str]
    ) -> Masks:
        """Parts of a record's texts that the privacy policy hides."""
        texts = (asset.title, *titles, *strings(asset.metadata), *(value for _, value in header))
        return self._mapper.privacy.masks(facets, texts)

    def _header(self, record_id: str) -> Header:
        """The header of a stored record, where the rules of the workspace need it."""
        if self._mapper.reads_headers or not self._mapper.privacy.keeps:
            return self._workspace.catalog.header(record_id)
        return ()

    def _columns(self, asset: Asset, masks: Masks) -> dict[str, Any]:
        return {
            "id": self.record_id(asset), "source": self._source, "native_id": asset.native_id,
            "collection": self._collection, "title": masked(asset.title, masks),
            "raw_title": asset.title, "masks": masks,
            "fingerprint": asset.fingerprint, "raw_fingerprint": asset.raw_fingerprint,
            "file_name": asset.file_name, "metadata": dict(asset.metadata),
            "origin": dict(asset.origin),
        }  # fmt: skip


class _ArrayRows:
    """Array rows of one commit, grouped by the array they are appended to."""

    def __init__(self, workspace: Workspace, collection: str, record_ids: Sequence[str]) -> None:
        self._workspace = workspace
        self._stored = measurement_ids_of(workspace.catalog, record_ids)
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
        row: dict[str, Any] = {
            "id": identity, "content_signatures": content_signatures(layout, values, axes),
        }  # fmt: skip
        if identity in self._added or identity in self._stored:
            return row
        self._added.add(identity)
        bucket = bucket_of(self._collection, measurement.kind, layout)
        if bucket not in self._values:
            self._values[bucket] = []
            self._start[bucket] = next_row(self._workspace.catalog, bucket)
            self._kind[bucket] = measurement.kind
        position = self._start[bucket] + len(self._values[bucket])
        self._values[bucket].append(values)
        self._axes |= axes
        return row | {
            "record_id": record_id, "collection": self._collection, "kind": measurement.kind,
            "key": measurement.key, "array": bucket, "row": position,
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
    raw: Sequence[Facet], shown: Sequence[Facet], title: str, masks: Masks
) -> dict[str, Any]:
    """Title and facets as shown, with the raw title and raw facets that differ from them."""
    shown_by_name = {facet.name: facet for facet in shown}
    shown_title = masked(title, masks)
    return {
        "title": shown_title,
        "facets": list(map(document, shown)),
        "raw_facets": [document(facet) for facet in raw if shown_by_name.get(facet.name) != facet],
        "raw_title": title if shown_title != title else "",
    }


def _is_simulated(asset: Asset, reading: Reading) -> bool:
    return asset.metadata.get("simulated") is True or any(
        facet.name == "simulated" and facet.value is True
        for measurement in reading.measurements
        for facet in measurement.facets
    )
