"""Which reader takes a file: by its content first, by its name second."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from motif.core import plugins
from motif.core.contracts import Reader
from motif.core.errors import UnreadableFileError
from motif.ingest.readers.signatures import describe

HEAD = 4096
"""Bytes from the beginning of a file that a reader may judge by."""


@cache
def installed() -> tuple[Reader, ...]:
    """One of every installed reader, by name; made once in a process."""
    return tuple(plugins.readers())


def choose(path: Path, readers: Sequence[Reader] | None = None) -> Reader:
    """Return the first reader that recognises the file.

    Args:
        path: the file.
        readers: candidates in order of preference; all installed ones unless given.

    Raises:
        UnreadableFileError: none does; the reason says what the file looks like instead.
        OSError: the file cannot be opened.
    """
    candidates = installed() if readers is None else readers
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    for reader in candidates:
        if reader.recognises(head, path.name):
            return reader
    raise UnreadableFileError(describe(head, path.name, [reader.name for reader in candidates]))
