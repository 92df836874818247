"""The parts of a Galactic ``.spc`` file: header, subfiles, axes and log.

Layout of the "Universal Data Format Specification" of Galactic Industries (1997), new format
with the least significant byte first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.spectrum import MAX_POINTS, MAX_SPECTRA

HEADER = struct.Struct("<BBBbIddIBBBBI9s9sH32s130s30sIIBBHf48sfIfB187s")
SUBHEADER = struct.Struct("<BbHfffIIf4s")
LOG = struct.Struct("<5I44s")
SHORT, MANY, OWN_AXES, AXIS = 0x01, 0x04, 0x40, 0x80
"""Flags: 16-bit integers, many spectra, one axis a spectrum, an axis in the file."""
FLOATS = -128
"""The exponent that marks IEEE floats instead of scaled integers."""


@dataclass(frozen=True)
class Spc:
    """The header, what of it counts."""

    flags: int
    exponent: int
    points: int
    first: float
    last: float
    spectra: int
    x_unit: int
    y_unit: int
    z_unit: int
    acquired: datetime | None
    comment: str
    log_at: int


@dataclass(frozen=True)
class Sub:
    """One spectrum: its own axis (or None for the common one), values and place in a series."""

    axis: NDArray[np.float32] | None
    values: NDArray[np.float32] | NDArray[np.float64]
    z: float


def read_header(path: Path, raw: bytes) -> Spc:
    """The header, its counts checked against the size of the file."""
    fields = HEADER.unpack_from(raw)
    flags, points, spectra = fields[0], fields[4], fields[7]
    spectra = spectra if flags & MANY else 1
    own = bool(flags & OWN_AXES)
    width = 2 if flags & SHORT and fields[3] != FLOATS else 4
    needed = spectra * (SUBHEADER.size + (0 if own else width * points))
    if not 0 < spectra <= MAX_SPECTRA or (not own and not 2 <= points <= MAX_POINTS):
        raise UnreadableFileError(
            f"{path.name} claims {spectra:,} spectra of {points:,} points, which is no "
            "measurement; export it again"
        )
    if HEADER.size + needed > len(raw):
        raise UnreadableFileError(
            f"{path.name} declares {spectra:,} spectra of {points:,} points, "
            f"{HEADER.size + needed:,} bytes, and has {len(raw):,}; fetch or copy the file again"
        )
    return Spc(
        flags, fields[3], points, fields[5], fields[6], spectra, fields[8], fields[9], fields[10],
        _moment(fields[12]), fields[17].split(b"\0")[0].decode("latin-1").strip(), fields[19],
    )  # fmt: skip


def read_axis(raw: bytes, spc: Spc) -> tuple[NDArray[np.float64], int]:
    """The common axis, stored or evenly spaced, and where the spectra begin."""
    if spc.flags & OWN_AXES:
        return np.empty(0), HEADER.size
    if spc.flags & AXIS and len(raw) >= HEADER.size + 4 * spc.points:
        stored = np.frombuffer(raw, "<f4", spc.points, HEADER.size)
        return stored.astype(np.float64), HEADER.size + 4 * spc.points
    with np.errstate(all="ignore"):
        return np.linspace(spc.first, spc.last, spc.points), HEADER.size


def read_subs(path: Path, raw: bytes, spc: Spc, start: int) -> Iterator[Sub]:
    """Yield the spectra in file order."""
    place = start
    for number in range(spc.spectra):
        if place + SUBHEADER.size > len(raw):
            raise _cut(path, number, spc)
        fields = SUBHEADER.unpack_from(raw, place)
        place += SUBHEADER.size
        own = bool(spc.flags & OWN_AXES)
        points = fields[6] if own else spc.points
        exponent = fields[1] if spc.flags & MANY else spc.exponent
        floats = FLOATS in (exponent, spc.exponent)
        kind = "<f4" if floats else "<i2" if spc.flags & SHORT else "<i4"
        width = int(kind[-1])
        if points > MAX_POINTS or place + points * (width + 4 * own) > len(raw):
            raise _cut(path, number, spc)
        axis = np.frombuffer(raw, "<f4", points, place) if own else None
        place += 4 * points * own
        values = np.frombuffer(raw, kind, points, place)
        place += width * points
        if not floats:
            values = values * 2.0 ** (exponent - 8 * width)
        yield Sub(axis, values, float(fields[3]))


def read_log(raw: bytes, spc: Spc) -> list[tuple[str, str]]:
    """``key=value`` lines of the log, and lines without a key as ``log``."""
    if not HEADER.size <= spc.log_at <= len(raw) - LOG.size:
        return []
    size, _, text_at, *_ = LOG.unpack_from(raw, spc.log_at)
    text = raw[spc.log_at + text_at : spc.log_at + size].split(b"\0")[0].decode("latin-1")
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return [(key.strip(), value.strip()) if cut else ("log", key) for key, cut, value in pairs]


def _moment(packed: int) -> datetime | None:
    """Minute 6 bits, hour 5, day 5, month 4, year 12."""
    fields = (packed >> 20, packed >> 16 & 15, packed >> 11 & 31, packed >> 6 & 31, packed & 63)
    try:
        return datetime(*fields)
    except ValueError:
        return None


def _cut(path: Path, number: int, spc: Spc) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path.name} ends within spectrum {number + 1} of the {spc.spectra:,} it declares; fetch "
        "or copy the file again"
    )
