"""The three seams of Motif. Each ships its conformance tests in `motif.core.testing`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from motif.core.records import Asset, Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Reader(Protocol):
    """Turns one file of one format into measurements.

    A reader of a format that programs export to, and no instrument writes, has the attribute
    ``exchange = True``: of two files with the same values, such a one is the derivative.
    """

    name: str
    """Format name as users know it, e.g. ``asylum-ibw``."""
    version: int
    """Raised whenever the same file would be read differently."""

    def recognises(self, head: bytes, name: str) -> bool:
        """Whether the first 4,096 bytes (and, second, the file name) are of this format."""
        ...

    def __call__(self, path: Path) -> Reading:
        """Read the file; raise `UnreadableFileError` with a reason a scientist understands."""
        ...


@dataclass(frozen=True)
class Known:
    """What the workspace remembers of an asset it has taken in (or quarantined)."""

    fingerprint: str
    raw_fingerprint: str
    beside: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Files its reader looked at besides, by name relative to the folder of the asset's own file:
    what told one state of them from another."""


@dataclass(frozen=True)
class Changes:
    """What differs between a source and the workspace."""

    seen: int
    """Assets the source holds now."""
    changed: Iterable[Asset]
    """New and changed assets, described lazily in batches; may be consumed once, by the thread
    that fetches."""
    deleted: Sequence[str]
    """Native ids the workspace knows and the source no longer holds."""
    cursor: str
    """Opaque position to hand back next time; stored with the records it covers."""
    failures: Sequence[str] = ()
    """Parts of the source that cannot be reached now, one sentence each; nothing of theirs is
    among the deleted."""


class Source(Protocol):
    """Somewhere assets come from."""

    name: str

    def changes(self, known: Mapping[str, Known], cursor: str, *, full: bool = False) -> Changes:
        """Compare with what is known; `full` distrusts the cursor and every fingerprint."""
        ...

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        """Bring the raw files into the folder `into`, under names that are safe and unique.

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
        """Features (n, d) of images (n, height, width) whose pixels measure `pixel_size` (n,) m."""
        ...
