"""Chooses the reader of a file, and describes a file that no reader recognises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from motif.core import plugins
from motif.core.contracts import Reader
from motif.core.errors import UnreadableFileError
from motif.ingest.readers.kit import ELEMENT_SYMBOLS

BEGINNINGS = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (USID, NSID or NeXus)"),
    (b"GWYP", "a Gwyddion file (.gwy)"),
    (b"GWYO", "a Gwyddion file of the old version 1 (.gwy)"),
    (b"Gwyddion Simple Field", "a Gwyddion simple field (.gsf)"),
    (b"\\*Force file list", "a Bruker/Nanoscope force curve or force volume"),
    (b"\\*File list", "a Bruker/Nanoscope image file"),
    (b":NANONIS_VERSION", "a Nanonis scan (.sxm)"),
    (b"Grid dim=", "a Nanonis grid of spectra (.3ds)"),
    (b"Experiment\t", "a Nanonis single spectrum (.dat)"),
    (b"WDF1", "a Renishaw WiRE measurement (.wdf)"),
    (b"LabSpec", "a Horiba LabSpec file (.l6s, .l6m), a closed format"),
    (b"\n\n\xfe\xfe", "a Bruker OPUS spectrum"),
    (b"\x00K", "a Galactic spectrum (.spc)"),
    (b"//Exported ASCII-File", "a WITec text export"),
    (b"##TITLE", "a JCAMP-DX spectrum"),
    (b"##NAMES", "an RRUFF text spectrum"),
    (b"IGOR", "an Igor text wave (.itx)"),
    (b"\x89PNG", "a PNG picture without a scale"),
    (b"\xff\xd8\xff", "a JPEG picture without a scale"),
    (b"GIF8", "a GIF picture without a scale"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"PK\3\4", "a ZIP archive or an Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xff\xfe", "a UTF-16 text"),
    (b"\xfe\xff", "a UTF-16 text"),
)
"""First bytes of a file, after blanks and a byte order mark, and what they mean."""
_CELL = re.compile(r"\s*[,;\t]\s*")
_SYMBOLS = ELEMENT_SYMBOLS - {"I", "As", "At", "Be", "He", "In", "No", "V"}
"""Symbols that are not also words or names of channels."""
_NUMBERS = re.compile(r"\s*[-+.\d][-+.\deE]*([\s,;]+[-+.\d][-+.\deE]*)+\s*")


def describe_file(head: bytes, name: str, known: Sequence[str]) -> str:
    """One sentence about what a file is and why it is not read.

    Args:
        head: its first bytes.
        name: its file name.
        known: names of the formats that are read.
    """
    if not head.strip():
        size = "1 byte" if len(head) == 1 else f"{len(head)} bytes"
        return f"{name} is empty ({size}); fetch or copy the file again"
    if head.startswith(b"version https://git-lfs"):
        return f"{name} is a git-LFS pointer, not the data; fetch the file itself (git lfs pull)"
    if len(head) < 16:
        return f"{name} is {len(head)} bytes long, too short for a measurement; fetch it again"
    content = _content_by_beginning(head)
    if not known:
        return f"{name} is {content}, and no reader is installed; install Motif again"
    return (
        f"{name} is {content}, which no reader recognises: its beginning is "
        "damaged or its format is not supported; fetch it again, or export it to another format"
    )


def _content_by_beginning(head: bytes) -> str:
    """The kind of a file by its first bytes."""
    start = head.removeprefix(b"\xef\xbb\xbf")
    for beginning, content in BEGINNINGS:
        if start.startswith(beginning) or start.lstrip(b" \t\r\n").startswith(beginning):
            return content
    if b"\0" in head:
        return f"a binary file of unknown format (it begins with {head[:4].hex(' ')})"
    text = head.decode("latin-1")
    if "_rod_database" in text or re.search(r"^_raman", text, re.MULTILINE):
        return "a Raman Open Database entry (.rod)"
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    if any(len(_SYMBOLS.intersection(_CELL.split(line))) > 1 for line in lines[:4]):
        return "a table of compositions without positions on an axis or a column of spectrum files"
    numeric = sum(bool(_NUMBERS.fullmatch(line)) for line in lines[1:-1] or lines)
    if numeric > 0.8 * len(lines[1:-1] or lines):
        return "a text of numbers in columns whose quantities and units are not given"
    return "a text without a known table of measurements"


HEAD = 4096
"""Bytes at the beginning of a file by which readers recognise it."""


@cache
def installed() -> tuple[Reader, ...]:
    """One of every installed reader, ordered by name; created once per process."""
    return tuple(plugins.readers())


def choose(path: Path, readers: Sequence[Reader] | None = None) -> Reader:
    """The first reader that recognises the file; those with ``fallback = True`` come last.

    Args:
        path: the file.
        readers: candidates in order of preference; all installed ones unless given.

    Raises:
        UnreadableFileError: none does; the reason states what the file is instead.
        OSError: the file cannot be opened.
    """
    candidates = sorted(
        installed() if readers is None else readers,
        key=lambda reader: getattr(reader, "fallback", False),
    )
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    for reader in candidates:
        if reader.recognises(head, path.name):
            return reader
    raise UnreadableFileError(
        describe_file(head, path.name, [reader.name for reader in candidates])
    )
