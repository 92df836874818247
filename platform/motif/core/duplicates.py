"""The same measurement met in other records, whatever their formats: linked, never merged.

Candidates come from an index of outlines (`motif.core.outlines`), so the cost does not grow with
the archive; their numbers are then compared in full (`motif.core.likeness`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, and_, select

from motif.core import plugins, schema
from motif.core.catalog import MeasurementRow, RecordRow
from motif.core.likeness import same_images, spectra_likeness, unevenness
from motif.core.outlines import in_si
from motif.core.schema import batched
from motif.core.workspace import Workspace

Relation: TypeAlias = Literal["same file", "same values", "resampled"]
Channels: TypeAlias = list[tuple[int, int]]
"""Pairs of channels: here, there."""

NEAR = 2e-4
"""How far outlines of the same values lie apart at most."""
EVEN = 1e-3
"""Difference of the unevenness of two axes that says which was resampled."""
MOST = 64
"""Candidates of one measurement that are compared."""


@dataclass(frozen=True)
class Duplicate:
    """Another measurement of the same thing."""

    id: str
    record_id: str
    title: str
    reader: str
    relation: Relation
    channels: Sequence[tuple[str, str]]
    """Names of the channels that agree, here and there; none for spectra."""
    is_original: bool
    """Whether the other one is the original and this one derived from it."""

    @property
    def words(self) -> str:
        """One line for people."""
        kind = "copy of" if self.relation == "same file" else "derivative of"
        role = kind if self.is_original else "original of"
        pairs = ", ".join(a if a == b else f"{a} = {b}" for a, b in self.channels)
        return f"{role} {self.record_id} ({self.relation}{': ' if pairs else ''}{pairs}), {self.id}"


def duplicates(workspace: Workspace, ids: Sequence[str]) -> dict[str, list[Duplicate]]:
    """Measurements of other records that hold what these hold; those with some only, by id."""
    pairs = _candidates(workspace, ids)
    wanted = {*pairs, *(other for others in pairs.values() for other in others)}
    rows = {row.id: row for row in workspace.catalog.select(ids=sorted(wanted))}
    comparison = _Comparison(workspace, rows.values())
    found: dict[str, list[Duplicate]] = {}
    for identity, others in pairs.items():
        for other, channels in others.items():
            if identity in rows and other in rows:
                one = comparison.of(rows[identity], rows[other], channels)
                if one is not None:
                    found.setdefault(identity, []).append(one)
    return found


def _candidates(workspace: Workspace, ids: Sequence[str]) -> dict[str, dict[str, Channels]]:
    """Id -> id of a measurement that may be the same, `MOST` at most -> the channels concerned."""
    found: dict[str, dict[str, Channels]] = {}
    with workspace.catalog.reading() as connection:
        for part in batched(ids):
            for one, other, channel, its_channel in connection.execute(_near(part)):
                found.setdefault(one, {}).setdefault(other, []).append((channel, its_channel))
            for one, other in _namesakes(connection, part):
                found.setdefault(one, {}).setdefault(other, [(0, 0)])
    return {one: dict(islice(others.items(), MOST)) for one, others in found.items()}


def _near(ids: Sequence[str]) -> Select[Any]:
    """Pairs of channels whose outlines are near."""
    here, there = schema.outlines.alias("here"), schema.outlines.alias("there")
    mine, theirs = schema.measurements.alias("mine"), schema.measurements.alias("theirs")
    close = (
        there.c[name].between(here.c[name] - NEAR, here.c[name] + NEAR)
        for name in ("first", "second", "third")
    )
    return (
        select(mine.c.id, theirs.c.id, here.c.channel, there.c.channel)
        .join(here, here.c.measurement == mine.c.number)
        .join(there, and_(there.c.form == here.c.form, *close))
        .join(theirs, theirs.c.number == there.c.measurement)
        .where(mine.c.id.in_(ids), theirs.c.record_id != mine.c.record_id, theirs.c.live)
        .order_by(mine.c.id, theirs.c.id)
    )


def _namesakes(connection: Connection, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of spectra at the same place in files of one name."""
    table, records = schema.measurements, schema.records
    statement = (
        select(table.c.id, table.c.record_id, table.c.key, records.c.stem)
        .join(records, records.c.id == table.c.record_id)
        .join(schema.outlines, schema.outlines.c.measurement == table.c.number)
        .where(table.c.kind == "spectrum", table.c.live, records.c.stem != "")
    )
    mine = connection.execute(statement.where(table.c.id.in_(ids))).all()
    theirs: dict[tuple[str, str], list[Any]] = {}
    for part in batched(sorted({row.stem for row in mine})):
        for row in connection.execute(statement.where(records.c.stem.in_(part))):
            theirs.setdefault((row.stem, row.key), []).append(row)
    for one in mine:
        for other in theirs[one.stem, one.key]:
            if other.record_id != one.record_id:
                yield one.id, other.id


class _Comparison:
    """Compares measurements whose numbers are read together, array by array."""

    def __init__(self, workspace: Workspace, rows: Iterable[MeasurementRow]) -> None:
        self._catalog = workspace.catalog
        self._snapshot = workspace.store.snapshot()
        self._records: dict[str, RecordRow] = {}
        self._exchange = {r.name for r in plugins.readers() if getattr(r, "exchange", False)}
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

    def of(self, here: MeasurementRow, there: MeasurementRow, near: Channels) -> Duplicate | None:
        """How the second measurement duplicates the first; None where it does not."""
        own, other = (self._record(row.record_id) for row in (here, there))
        relation: Relation | None
        if here.kind == "image":
            pairs = [pair for pair in near if self._same_planes(here, there, pair)]
            channels = [(here.channels[a], there.channels[b]) for a, b in pairs]
            relation = "same values" if pairs else None
        else:
            channels = []
            relation = spectra_likeness(
                (self._axis(here), self._values[here.id]),
                (self._axis(there), self._values[there.id]),
                (here.units[0], there.units[0]),
                one_name=(own.stem, here.key) == (other.stem, there.key),
            )
        if relation is None:
            return None
        is_original = self._is_original(there, here, relation)
        if own.raw_sha256 and own.raw_sha256 == other.raw_sha256:
            relation = "same file"
        return Duplicate(
            there.id, other.id, there.title, other.reader, relation, channels, is_original
        )

    def _same_planes(
        self, here: MeasurementRow, there: MeasurementRow, pair: tuple[int, int]
    ) -> bool:
        a, b = pair
        planes = self._values[here.id][a], self._values[there.id][b]
        return same_images(*planes, (here.units[a], there.units[b]))

    def _axis(self, row: MeasurementRow) -> NDArray[np.float64]:
        """Positions along the axis of a spectrum in SI units."""
        axis = row.layout["coordinates"][row.dims[0]]
        return in_si(np.asarray(self._snapshot.load(axis["array"])), axis["units"])[0]

    def _is_original(self, one: MeasurementRow, other: MeasurementRow, relation: Relation) -> bool:
        """Whether the first is nearer to the instrument: by spacing, format, size or age."""
        record, other_record = (self._record(row.record_id) for row in (one, other))
        if relation == "resampled":
            spacing, other_spacing = (unevenness(self._axis(row)) for row in (one, other))
            if abs(spacing - other_spacing) > EVEN:
                return spacing > other_spacing
        first, second = (
            (one.reader in self._exchange, -one.raw_size, one.first_seen, one.id)
            for one in (record, other_record)
        )
        return first < second

    def _record(self, record_id: str) -> RecordRow:
        if record_id not in self._records:
            self._records[record_id] = self._catalog.record(record_id)
        return self._records[record_id]
