"""What a reader looks at besides the file it is given, so that a change there is noticed.

Readers ask for the metadata of the record and for files in the folder through this module; the
sync, which knows the record, offers the one and keeps note of both.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from motif.core.records import canonical_json

READ_WITH = "read_with"
"""Key in the origin of a record for what its reader looked at besides."""


@dataclass
class Beside:
    """What has been looked at while one file is read."""

    path: Path
    metadata: Mapping[str, Any]
    """What the record of the file says."""
    asked: bool = False
    """Whether the reader asked for the metadata."""
    files: dict[str, str] = field(default_factory=dict)
    """Stamp by name relative to the folder of the file."""

    def document(self) -> dict[str, Any]:
        """For the origin of the record; empty where the file alone was read."""
        told: dict[str, Any] = {"metadata": digest(self.metadata)} if self.asked else {}
        if self.files:
            told["files"] = dict(sorted(self.files.items()))
        return {READ_WITH: told} if told else {}


_reading: ContextVar[Beside | None] = ContextVar("reading", default=None)


@contextmanager
def offering(path: Path, metadata: Mapping[str, Any]) -> Iterator[Beside]:
    """While a file is read: offer the metadata of its record, note what is looked at."""
    beside = Beside(path, metadata)
    token = _reading.set(beside)
    try:
        yield beside
    finally:
        _reading.reset(token)


def metadata_of(path: Path) -> Mapping[str, Any] | None:
    """Metadata of the record a file belongs to, None where no sync reads this file."""
    beside = _reading.get()
    if beside is None or beside.path != path:
        return None
    beside.asked = True
    return beside.metadata


def looked_at(path: Path) -> None:
    """A reader has looked at another file than the one it was given, be it there or not."""
    beside = _reading.get()
    if beside is not None and path != beside.path:
        name = os.path.relpath(path, beside.path.parent.resolve())
        beside.files[Path(name).as_posix()] = stamp(path)


def stamp(path: Path) -> str:
    """What differs when a file has changed; empty where there is none."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size:x}-{status.st_mtime_ns:x}"


def digest(metadata: Mapping[str, Any]) -> str:
    """The same for the same metadata."""
    return hashlib.sha256(canonical_json(dict(metadata)).encode()).hexdigest()[:32]
