"""What the catalog returns for one measurement, record, quarantined file, run or result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class MeasurementRow:
    """What the catalog knows of one measurement; its values are stored in the store."""

    id: str
    record_id: str
    collection: str
    kind: str
    key: str
    title: str
    array: str
    """Path of the array in the store."""
    row: int
    """Row of the array."""
    layout: Mapping[str, Any]
    """Shape, dtype, channels, units and coordinates (`motif.core.store.array_layout`)."""
    composition: Mapping[str, float]
    targets: Mapping[str, tuple[float | None, str]]
    simulated: bool
    live: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.layout["shape"])

    @property
    def dims(self) -> tuple[str, ...]:
        return tuple(self.layout["dims"])

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(self.layout.get("channels", ()))

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each channel of an image, or the one unit of a spectrum's intensity."""
        return tuple(self.layout["units"])

    @property
    def pixel_size(self) -> float | None:
        """Distance between neighbouring pixels along x in metres, where the file gives it."""
        axis = self.layout["coordinates"].get("x")
        return float(axis["step"]) if axis and axis["units"] == "m" and "step" in axis else None

    @property
    def scan_size(self) -> float | None:
        """Width of the image in metres, from the first pixel's centre to the last's."""
        step = self.pixel_size
        return None if step is None else step * (self.shape[-1] - 1)


@dataclass(frozen=True)
class RecordRow:
    """What the catalog knows of one record."""

    id: str
    source: str
    native_id: str
    collection: str
    title: str
    fingerprint: str
    raw_fingerprint: str
    raw_sha256: str
    raw_size: int
    file_name: str
    reader: str
    reader_version: int
    metadata: Mapping[str, Any]
    origin: Mapping[str, Any]
    warnings: Sequence[str]
    disagreements: Sequence[Mapping[str, Any]]
    simulated: bool
    live: bool
    revision: int
    first_seen: str
    updated_at: str
    raw_title: str = ""
    """The title as its source gives it; `title` is as the privacy policy shows it."""
    stem: str = ""
    """The file name without its last suffix, in lower case."""


@dataclass(frozen=True)
class Quarantined:
    """A record whose file could not be read, and why."""

    source: str
    native_id: str
    title: str
    file_name: str
    reason: str
    reader: str
    first_bytes: str
    """The first bytes in hexadecimal."""
    metadata: Mapping[str, Any]
    origin: Mapping[str, Any]
    fingerprint: str
    raw_fingerprint: str
    readers: str
    """Readers and versions that were tried; other ones may try again."""
    first_seen: str
    last_seen: str
    attempts: int


@dataclass(frozen=True)
class Run:
    """One run of a job."""

    id: str
    job: str
    commands: Sequence[str]
    state: str
    """``running``, ``done``, ``failed`` or ``lost`` (its process has ended without a result)."""
    started_at: str
    finished_at: str | None
    counts: Mapping[str, Any]
    error: str
    log: str
    pid: int


@dataclass(frozen=True)
class Derivation:
    """One derived result: its stage, parameters and inputs, and a summary of it."""

    id: str
    stage: str
    collection: str
    parameters: Mapping[str, Any]
    summary: Mapping[str, Any]
    created_at: str
    seconds: float
    snapshot: str
    """Store snapshot its inputs were read from."""
    number: int
    """Number of its journal line."""
    inputs: tuple[str, ...] = field(default=(), repr=False)


class StoredDerivation(Derivation):
    """A derivation of the ledger; its inputs, which may be many, are read on first access."""

    def __init__(self, read_inputs: Callable[[str], tuple[str, ...]], **columns: Any) -> None:
        self.__dict__.update(columns, _read_inputs=read_inputs)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        read: Callable[[str], tuple[str, ...]] = self.__dict__["_read_inputs"]
        return read(self.id)

    def __eq__(self, other: object) -> bool:
        """Ids are hashes of stage, parameters and inputs."""
        return isinstance(other, Derivation) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickled copy carries its inputs, not the connection to the catalog."""
        return Derivation, tuple(getattr(self, each.name) for each in fields(Derivation))
