"""Spectra that a table names by the files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from motif.core.contracts import Reader
from motif.core.errors import UnreadableFileError
from motif.core.records import Measurement
from motif.ingest.readers.beside import looked_at
from motif.ingest.readers.choosing import choose, installed

TABLES = frozenset({"composition-table", "composition-workbook", "drnets-instance"})
"""Readers that a table does not ask: it would ask itself."""


def read_beside(
    path: Path, names: Sequence[str], readers: Sequence[Reader] | None = None
) -> list[Measurement]:
    """The one spectrum of every named file.

    Args:
        path: the table; names are relative to its folder and do not leave it.
        names: one a sample; the same file is read once.
        readers: readers to choose from, the installed ones unless given.

    Raises:
        UnreadableFileError: a file is missing, unreadable, or holds not one spectrum.
    """
    candidates = [r for r in (readers or installed()) if r.name not in TABLES]
    folder = path.parent.resolve()
    found: dict[str, Measurement] = {}
    missing = sorted({name for name in names if _locate(folder, name) is None})
    if missing:
        raise UnreadableFileError(
            f"{path.name} names {len(missing)} files of spectra that do not lie beside it, the "
            f"first {missing[0][:80]!r}; put them into the folder of the table"
        )
    for name in names:
        beside = _locate(folder, name)
        if name in found or beside is None:
            continue
        try:
            measurements = choose(beside, candidates)(beside).measurements
        except UnreadableFileError as error:
            raise UnreadableFileError(f"{path.name} needs {name}, but {error}") from error
        if len(measurements) != 1 or measurements[0].kind != "spectrum":
            raise UnreadableFileError(
                f"{path.name} needs one spectrum from {name}, which holds {len(measurements)} "
                f"{measurements[0].kind if measurements else 'measurement'}s; name a file with one"
            )
        found[name] = measurements[0]
    return [found[name] for name in names]


def _locate(folder: Path, name: str) -> Path | None:
    """The file of a name inside the folder, None where there is none or it lies elsewhere."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if not name or "\0" in name or parts.is_absolute() or ".." in parts.parts or len(name) > 1000:
        return None
    try:
        beside = (folder / parts).resolve()
        if not beside.is_relative_to(folder):
            return None
        looked_at(beside)
        return beside if beside.is_file() else None
    except OSError:
        return None
