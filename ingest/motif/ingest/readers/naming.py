"""Remarks on files whose suffix is that of another format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from motif.core.records import Reading

TEXTS = ("", ".txt", ".csv", ".tsv", ".dat", ".asc", ".prn", ".text")
"""Suffixes a text with columns may have, whoever wrote it."""


def misnamed(path: Path, what: str, *suffixes: str) -> list[str]:
    """A remark if the suffix of a file is none of its format's."""
    if path.suffix.lower() in suffixes:
        return []
    return [f"{path.name} is {what} whatever its suffix says"]


def misnumbered(path: Path, what: str, *suffixes: str) -> list[str]:
    """`misnamed` of formats whose files are numbered: ``.0``, ``.001``."""
    return [] if path.suffix[1:].isdecimal() else misnamed(path, what, *suffixes)


def noted(reading: Reading, notes: Sequence[str]) -> Reading:
    """The reading with more remarks."""
    return replace(reading, notes=[*reading.notes, *notes])
