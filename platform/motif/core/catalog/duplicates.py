"""Duplicates: the same measurement in other records, whatever their formats. Linked, never merged.

Candidates come from an index of content signatures, so the cost does not grow with the archive;
their values are then compared in full (`motif.core.catalog.content_signatures`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, and_, select

from motif.core import plugins
from motif.core.catalog import tables
from motif.core.catalog.content_signatures import compare_spectra, in_si, same_images, unevenness
from motif.core.catalog.rows import MeasurementRow, RecordRow
from motif.core.catalog.tables import batched
from motif.core.workspace import Workspace

Relation: TypeAlias = Literal["same file", "same values", "resampled"]
ChannelPairs: TypeAlias = list[tuple[int, int]]
"""Channels of the measurement and of its candidate."""

SIGNATURE_TOLERANCE = 2e-4
"""Distance between the signatures of the same values, at most."""
UNEVENNESS_TOLERANCE = 1e-3
"""Difference between the unevenness of two axes that shows which one was resampled."""
MAX_CANDIDATES = 64
"""Candidates of one measurement that are compared."""


@dataclass(frozen=True)
class Duplicate:
    """Another measurement with the same values."""

    id: str
    record_id: str
    title: str
    reader: str
    relation: Relation
    channels: Sequence[tuple[str, str]]
    """Names of the channels that agree, of both measurements; empty for spectra."""
    is_original: bool
    """Whether the other measurement is the original and this one derived from it."""

    @property
    def words(self) -> str:
        """One line for people."""
        kind = "copy of" if self.relation == "same file" else "derivative of"
        role = kind if self.is_original else "original of"
        pairs = ", ".join(
            own if own == other else f"{own} = {other}" for own, other in self.channels
        )
        return f"{role} {self.record_id} ({self.relation}{': ' if pairs else ''}{pairs}), {self.id}"


def find_duplicates(workspace: Workspace, ids: Sequence[str]) -> dict[str, list[Duplicate]]:
    """Measurement id -> its duplicates in other records; only measurements that have any."""
    candidates = _candidates(workspace, ids)
    wanted = {*candidates, *(other for others in candidates.values() for other in others)}
    rows = {row.id: row for row in workspace.catalog.select(ids=sorted(wanted))}
    comparison = _Comparison(workspace, rows.values())
    duplicates: dict[str, list[Duplicate]] = {}
    for identity, others in candidates.items():
        for other, channels in others.items():
            if identity in rows and other in rows:
                duplicate = comparison.duplicate(rows[identity], rows[other], channels)
                if duplicate is not None:
                    duplicates.setdefault(identity, []).append(duplicate)
    return duplicates


def _candidates(workspace: Workspace, ids: Sequence[str]) -> dict[str, dict[str, ChannelPairs]]:
    """Id -> candidate id -> channels to compare, with at most `MAX_CANDIDATES` candidates."""
    candidates: dict[str, dict[str, ChannelPairs]] = {}
    with workspace.catalog.reading() as connection:
        for part in batched(ids):
            for identity, other, channel, other_channel in connection.execute(
                neighbours_statement(part)
            ):
                pairs = candidates.setdefault(identity, {}).setdefault(other, [])
                pairs.append((channel, other_channel))
            for identity, other in _same_names(connection, part):
                candidates.setdefault(identity, {}).setdefault(other, [(0, 0)])
    return {
        identity: dict(islice(others.items(), MAX_CANDIDATES))
        for identity, others in candidates.items()
    }


def neighbours_statement(ids: Sequence[str]) -> Select[Any]:
    """Rows (id, other id, channel, other channel) of channels with neighbouring signatures."""
    signature = tables.content_signatures.alias("signature")
    other_signature = tables.content_signatures.alias("other_signature")
    measurement = tables.measurements.alias("measurement")
    other = tables.measurements.alias("other")
    near = (
        other_signature.c[name].between(
            signature.c[name] - SIGNATURE_TOLERANCE, signature.c[name] + SIGNATURE_TOLERANCE
        )
        for name in ("first", "second", "third")
    )
    return (
        select(measurement.c.id, other.c.id, signature.c.channel, other_signature.c.channel)
        .join(signature, signature.c.measurement == measurement.c.number)
        .join(other_signature, and_(other_signature.c.form == signature.c.form, *near))
        .join(other, other.c.number == other_signature.c.measurement)
        .where(
            measurement.c.id.in_(ids), other.c.record_id != measurement.c.record_id, other.c.live
        )
        .order_by(measurement.c.id, other.c.id)
    )


def _same_names(connection: Connection, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of spectra with the same key in files of the same name."""
    table, records = tables.measurements, tables.records
    statement = (
        select(table.c.id, table.c.record_id, table.c.key, records.c.stem)
        .join(records, records.c.id == table.c.record_id)
        .join(tables.content_signatures, tables.content_signatures.c.measurement == table.c.number)
        .where(table.c.kind == "spectrum", table.c.live, records.c.stem != "")
    )
    chosen = connection.execute(statement.where(table.c.id.in_(ids))).all()
    by_name: dict[tuple[str, str], list[Any]] = {}
    for part in batched(sorted({row.stem for row in chosen})):
        for row in connection.execute(statement.where(records.c.stem.in_(part))):
            by_name.setdefault((row.stem, row.key), []).append(row)
    for row in chosen:
        for other in by_name[row.stem, row.key]:
            if other.record_id != row.record_id:
                yield row.id, other.id


class _Comparison:
    """Compares measurements whose values are read together, array by array."""

    def __init__(self, workspace: Workspace, rows: Iterable[MeasurementRow]) -> None:
        self._catalog = workspace.catalog
        self._snapshot = workspace.store.snapshot()
        self._records: dict[str, RecordRow] = {}
        self._exchange = {
            reader.name for reader in plugins.readers() if getattr(reader, "exchange", False)
        }
        self._values: dict[str, NDArray[Any]] = {}
        by_array: dict[str, list[MeasurementRow]] = {}
        for row in rows:
            by_array.setdefault(row.array, []).append(row)
        for path, group in by_array.items():
            group.sort(key=lambda row: row.row)
            stored = np.asarray(
                self._snapshot.array(path).oindex[np.array([row.row for row in group])]
            )
            self._values.update(zip((row.id for row in group), stored, strict=True))

    def duplicate(
        self, row: MeasurementRow, other: MeasurementRow, candidates: ChannelPairs
    ) -> Duplicate | None:
        """How `other` duplicates `row`; None where it does not."""
        record, other_record = self._record(row.record_id), self._record(other.record_id)
        relation: Relation | None
        channels: list[tuple[str, str]] = []
        if row.kind == "image":
            pairs = [pair for pair in candidates if self._same_planes(row, other, pair)]
            channels = [(row.channels[own], other.channels[its]) for own, its in pairs]
            relation = "same values" if pairs else None
        else:
            relation = compare_spectra(
                (self._axis(row), self._values[row.id]),
                (self._axis(other), self._values[other.id]),
                (row.units[0], other.units[0]),
                same_name=(record.stem, row.key) == (other_record.stem, other.key),
            )
        if relation is None:
            return None
        is_original = self._is_original(other, row, relation)
        if record.raw_sha256 and record.raw_sha256 == other_record.raw_sha256:
            relation = "same file"
        return Duplicate(
            other.id, other_record.id, other.title, other_record.reader, relation, channels,
            is_original,
        )  # fmt: skip

    def _same_planes(
        self, row: MeasurementRow, other: MeasurementRow, channels: tuple[int, int]
    ) -> bool:
        own, its = channels
        planes = self._values[row.id][own], self._values[other.id][its]
        return same_images(*planes, (row.units[own], other.units[its]))

    def _axis(self, row: MeasurementRow) -> NDArray[np.float64]:
        """Positions (n,) along the axis of a spectrum in SI units."""
        axis = row.layout["coordinates"][row.dims[0]]
        return in_si(np.asarray(self._snapshot.load(axis["array"])), axis["units"])[0]

    def _is_original(self, row: MeasurementRow, other: MeasurementRow, relation: Relation) -> bool:
        """Whether `row` is closer to the instrument: by spacing, format, size or age."""
        if relation == "resampled":
            spacing, other_spacing = (unevenness(self._axis(each)) for each in (row, other))
            if abs(spacing - other_spacing) > UNEVENNESS_TOLERANCE:
                return spacing > other_spacing
        key, other_key = (
            (record.reader in self._exchange, -record.raw_size, record.first_seen, record.id)
            for record in (self._record(row.record_id), self._record(other.record_id))
        )
        return key < other_key

    def _record(self, record_id: str) -> RecordRow:
        if record_id not in self._records:
            self._records[record_id] = self._catalog.record(record_id)
        return self._records[record_id]
