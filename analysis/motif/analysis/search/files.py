"""Reads a file to ask with, through whatever readers are installed; nothing is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from motif.core.errors import NotFoundError, UnreadableFileError

if TYPE_CHECKING:
    from motif.core.records import Reading

HEAD = 4096
"""Bytes a reader judges by."""


def read_file(path: Path) -> Reading:
    """What the first reader that recognises the content makes of a file.

    Raises:
        NotFoundError: there is no such file.
        UnreadableFileError: no reader knows its format, or it is damaged.
    """
    from motif.core.plugins import readers

    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise NotFoundError(f"{path} cannot be opened: {error.strerror}.") from error
    installed = readers()
    for reader in installed:
        if reader.recognises(head, path.name):
            return reader(path)
    known = ", ".join(reader.name for reader in installed)
    raise UnreadableFileError(f"{path} is of none of the formats that can be read: {known}.")
