"""What a file that no reader takes looks like, in the words of those who made it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from motif.ingest.readers.elements import SYMBOLS

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
"""What a file begins with (blanks and a byte order mark left out) and what it then is."""
_CELL = re.compile(r"\s*[,;\t]\s*")
_SYMBOLS = SYMBOLS - {"I", "As", "At", "Be", "He", "In", "No", "V"}
"""Symbols that are no words or names of channels."""
_NUMBERS = re.compile(r"\s*[-+.\d][-+.\deE]*([\s,;]+[-+.\d][-+.\deE]*)+\s*")


def describe(head: bytes, name: str, known: Sequence[str]) -> str:
    """Say in one sentence what a file is and why it is not read.

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
        return f"{name} is {len(head)} bytes long, too short to hold a measurement; fetch it again"
    what = _looks_like(head)
    if not known:
        return f"{name} is {what}, and no reader is installed; install Motif again"
    return (
        f"{name} is {what}, which no reader takes: its beginning is damaged, or "
        "it is of a kind that is not read; fetch it again, or export it to a format that is read"
    )


def _looks_like(head: bytes) -> str:
    """Name the kind of file by how it begins."""
    bare = head.removeprefix(b"\xef\xbb\xbf")
    for beginning, what in BEGINNINGS:
        if bare.startswith(beginning) or bare.lstrip(b" \t\r\n").startswith(beginning):
            return what
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
        return "a text of numbers in columns whose quantities and units are not told"
    return "a text without a known table of measurements"
