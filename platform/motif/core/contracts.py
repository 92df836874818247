"""The protocols that plugins implement; `motif.core.testing` has conformance tests of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from motif.core.errors import UnsuitableDataError
from motif.core.records import Asset, Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


import hashlib
import os
from typing import Any

from motif.core.records import canonical_json


class Reader(Protocol):
    """Turns one file of one format into measurements.

    A reader of a format that programs export to, and no instrument writes, has the attribute
    ``exchange = True``: of two files with the same values, the exported one is the copy.
    A reader that recognises files by their layout alone, such as two columns of numbers, has
    ``fallback = True`` and is tried last.
    """

    name: str
    """Format name as users know it, e.g. ``asylum-ibw``."""
    version: int
    """Raised whenever the same file would be read differently."""

    def recognises(self, head: bytes, name: str) -> bool:
        """Whether the first 4,096 bytes (and, second, the file name) are of this format."""
        ...

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file.

        Args:
            path: the file.
            context: the metadata of its record and its companion files; None outside a sync.

        Raises:
            UnreadableFileError: the file cannot be read, with a reason for scientists.
        """
        ...


@dataclass(frozen=True)
class SyncState:
    """What the workspace remembers of an asset that it has ingested or quarantined."""

    fingerprint: str
    raw_fingerprint: str
    companions: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Stamps of the companion files its reader used, by name relative to the folder of the asset's
    own file."""


@dataclass(frozen=True)
class Changes:
    """What differs between a source and the workspace."""

    seen: int
    """Number of assets in the source now."""
    changed: Iterable[Asset]
    """New and changed assets, described lazily in batches; may be consumed once, by the thread
    that fetches."""
    deleted: Sequence[str]
    """Native ids that the workspace knows and the source no longer has."""
    cursor: str
    """Opaque position to pass to the next call; stored with the records it covers."""
    failures: Sequence[str] = ()
    """Parts of the source that cannot be reached now, one sentence each; none of their assets is
    among the deleted."""
    seen_by_member: Mapping[str, int] = field(default_factory=dict)
    """Of a source with independent members: number of assets of each. The native ids of a member
    begin with its name and a slash."""


class Source(Protocol):
    """Somewhere assets come from."""

    name: str

    def changes(
        self, known: Mapping[str, SyncState], cursor: str, *, full: bool = False
    ) -> Changes:
        """Compare the source with `known`; `full` ignores the cursor and compares every asset."""
        ...

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        """Write the raw files into the folder `into`, under names that are safe and unique.

        Yields each asset once with its file, or with the error that concerns it alone. An error
        that concerns the whole source is raised.
        """
        ...

    def close(self) -> None: ...


class Extractor(Protocol):
    """Turns images into feature vectors with named parts."""

    name: str
    fingerprint: str
    """Identifies code version, parameters and weights."""
    parts: Mapping[str, slice]
    """Named ranges of the vector: ``symmetry``, ``texture``, ``scale``."""

    def __call__(
        self, images: NDArray[np.float32], pixel_size: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Features (n, d) of images (n, height, width) whose pixels measure `pixel_size` (n,) m.

        A pixel size is NaN where it is unknown. Each row depends on its own image alone.

        Raises:
            ValueError: the images are not finite or not of that shape, see `check_images`.
        """
        ...


def check_images(images: NDArray[np.float32], pixel_size: NDArray[np.float64]) -> None:
    """Raise `UnsuitableDataError`, a ValueError, unless an `Extractor` can use the images.

    Args:
        images: (n, height, width), finite.
        pixel_size: (n,) in metres, positive or NaN.
    """
    import numpy as np

    if images.ndim != 3 or (len(images) and not images.size):
        raise UnsuitableDataError(
            f"Images have the shape {images.shape} instead of (n, height, width)."
        )
    if pixel_size.shape != (len(images),):
        raise UnsuitableDataError(
            f"There are {len(images)} images, but pixel sizes of the shape {pixel_size.shape}."
        )
    if not np.isfinite(images).all():
        raise UnsuitableDataError("Images have values that are not finite; fill them first.")
    if (pixel_size <= 0).any():
        raise UnsuitableDataError("A pixel size is not positive; pass NaN where it is unknown.")


READ_WITH = "read_with"
"""Key in the origin of a record for what its reader used in addition to the file."""


@dataclass
class ReaderContext:
    """What a reader may use in addition to its file: the record's metadata and companion files.

    It records what the reader used, so that the file is read again when that changes.
    """

    path: Path
    """The file being read."""
    record_metadata: Mapping[str, Any] | None = None
    """Metadata of the file's record; None outside a sync. Readers call `metadata`."""
    metadata_used: bool = False
    """Whether the reader used the metadata."""
    companions: dict[str, str] = field(default_factory=dict)
    """Stamps of the companion files used, by name relative to the folder of the file."""

    def metadata(self) -> Mapping[str, Any] | None:
        """Metadata of the file's record, None where the file belongs to no record."""
        self.metadata_used = self.record_metadata is not None
        return self.record_metadata

    def use_companion(self, path: Path) -> None:
        """Record that the reader depends on another file, whether or not it exists."""
        if path != self.path:
            name = os.path.relpath(path, self.path.parent.resolve())
            self.companions[Path(name).as_posix()] = file_stamp(path)

    def for_companion(self, path: Path) -> ReaderContext:
        """The context for reading a companion file by another reader."""
        return CompanionContext(path, parent=self)

    def document(self) -> dict[str, Any]:
        """For the origin of the record; empty where the reader used the file alone."""
        used: dict[str, Any] = {}
        if self.metadata_used:
            used["metadata"] = metadata_digest(self.record_metadata or {})
        if self.companions:
            used["files"] = dict(sorted(self.companions.items()))
        return {READ_WITH: used} if used else {}


@dataclass
class CompanionContext(ReaderContext):
    """The context of a companion file: what its reader uses counts for the file being read."""

    parent: ReaderContext | None = None

    def use_companion(self, path: Path) -> None:
        if self.parent is not None:
            self.parent.use_companion(path)


def file_stamp(path: Path) -> str:
    """Text that differs when a file has changed; empty for a missing file."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size:x}-{status.st_mtime_ns:x}"


def metadata_digest(metadata: Mapping[str, Any]) -> str:
    """Text that differs when metadata differ."""
    return hashlib.sha256(canonical_json(dict(metadata)).encode()).hexdigest()[:32]
