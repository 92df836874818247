"""Checks of a file before memory is allocated for it, and warnings about its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading

MAX_UNPACKED = 128 * 2**20
"""Bytes a compressed array may unpack to."""
TEXT_SUFFIXES = ("", ".txt", ".csv", ".tsv", ".dat", ".asc", ".prn", ".text")
"""Suffixes of text files with columns, of any program."""


def check_size(path: Path, largest: int, smallest: int = 0) -> int:
    """The size of a file in bytes.

    Raises:
        UnreadableFileError: it is not between `smallest` and `largest`.
    """
    size = path.stat().st_size
    if size > largest:
        raise UnreadableFileError(
            f"{path.name} has {size:,} bytes, more than the {largest:,} a file of its kind may "
            "have; export it in several files"
        )
    if size < smallest:
        raise UnreadableFileError(
            f"{path.name} has {size:,} bytes and is cut short; fetch or copy the file again"
        )
    return size


def check_announced(path: Path, content: str, needed: int, available: int) -> None:
    """Refuse a file that announces more bytes than it has, before they are allocated.

    Args:
        path: the file.
        content: what it announces, e.g. ``256 x 256 pixels``.
        needed: bytes of the content.
        available: bytes in the file for it.

    Raises:
        UnreadableFileError: `needed` is not between 1 and `available`.
    """
    if needed > available or needed <= 0:
        raise UnreadableFileError(
            f"{path.name} announces {content}, which take {needed:,} bytes, but has {available:,}: "
            "it is cut short or damaged; fetch or copy the file again"
        )


def suffix_warnings(path: Path, format_name: str, *suffixes: str) -> list[str]:
    """A warning where the suffix of a file is not one of its format.

    Args:
        path: the file.
        format_name: with its article, e.g. ``a Park scan``.
        suffixes: those of the format, in lower case.
    """
    if path.suffix.lower() in suffixes:
        return []
    return [f"{path.name} is {format_name} in spite of its suffix"]


def numbered_suffix_warnings(path: Path, format_name: str, *suffixes: str) -> list[str]:
    """`suffix_warnings` of formats whose files are also numbered: ``.0``, ``.001``."""
    return [] if path.suffix[1:].isdecimal() else suffix_warnings(path, format_name, *suffixes)


def with_warnings(reading: Reading, warnings: Sequence[str]) -> Reading:
    """The reading with further warnings."""
    return replace(reading, warnings=[*reading.warnings, *warnings])
