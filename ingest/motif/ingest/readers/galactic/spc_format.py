"""The format of Galactic ``.spc`` files: header, subfiles, axes and log.

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
from motif.ingest.readers.kit import MAX_POINTS, MAX_SPECTRA, SpectralAxis

HEADER = struct.Struct("<BBBbIddIBBBBI9s9sH32s130s30sIIBBHf48sfIfB187s")
SUBHEADER = struct.Struct("<BbHfffIIf4s")
LOG = struct.Struct("<5I44s")
SHORT, MANY, OWN_AXES, AXIS = 0x01, 0x04, 0x40, 0x80
"""Flags: 16-bit integers, many spectra, one axis per spectrum, an axis in the file."""
FLOATS = -128
"""The exponent that marks IEEE floats instead of scaled integers."""


@dataclass(frozen=True)
class SpcHeader:
    """The fields of the header that are used."""

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
class SpcSpectrum:
    """One spectrum: its own axis (or None for the common one), values and position in a series."""

    axis: NDArray[np.float32] | None
    values: NDArray[np.float32] | NDArray[np.float64]
    z: float


def read_header(path: Path, raw: bytes) -> SpcHeader:
    """The header, its counts checked against the size of the file."""
    fields = HEADER.unpack_from(raw)
    flags, points, spectra = fields[0], fields[4], fields[7]
    spectra = spectra if flags & MANY else 1
    has_own_axes = bool(flags & OWN_AXES)
    width = 2 if flags & SHORT and fields[3] != FLOATS else 4
    needed = spectra * (SUBHEADER.size + (0 if has_own_axes else width * points))
    if not 0 < spectra <= MAX_SPECTRA or (not has_own_axes and not 2 <= points <= MAX_POINTS):
        raise UnreadableFileError(
            f"{path.name} declares {spectra:,} spectra of {points:,} points, which is not a "
            "measurement; export it again"
        )
    if HEADER.size + needed > len(raw):
        raise UnreadableFileError(
            f"{path.name} declares {spectra:,} spectra of {points:,} points, "
            f"{HEADER.size + needed:,} bytes, and has {len(raw):,}; fetch or copy the file again"
        )
    return SpcHeader(
        flags, fields[3], points, fields[5], fields[6], spectra, fields[8], fields[9], fields[10],
        _moment(fields[12]), fields[17].split(b"\0")[0].decode("latin-1").strip(), fields[19],
    )  # fmt: skip


def read_axis(raw: bytes, spc: SpcHeader) -> tuple[NDArray[np.float64], int]:
    """The common axis, stored or evenly spaced, and where the spectra begin."""
    if spc.flags & OWN_AXES:
        return np.empty(0), HEADER.size
    if spc.flags & AXIS and len(raw) >= HEADER.size + 4 * spc.points:
        stored = np.frombuffer(raw, "<f4", spc.points, HEADER.size)
        return stored.astype(np.float64), HEADER.size + 4 * spc.points
    with np.errstate(all="ignore"):
        return np.linspace(spc.first, spc.last, spc.points), HEADER.size


def read_spectra(path: Path, raw: bytes, spc: SpcHeader, start: int) -> Iterator[SpcSpectrum]:
    """Yield the spectra in file order."""
    position = start
    for number in range(spc.spectra):
        if position + SUBHEADER.size > len(raw):
            raise _cut_short(path, number, spc)
        fields = SUBHEADER.unpack_from(raw, position)
        position += SUBHEADER.size
        has_own_axes = bool(spc.flags & OWN_AXES)
        points = fields[6] if has_own_axes else spc.points
        exponent = fields[1] if spc.flags & MANY else spc.exponent
        floats = FLOATS in (exponent, spc.exponent)
        kind = "<f4" if floats else "<i2" if spc.flags & SHORT else "<i4"
        width = int(kind[-1])
        if points > MAX_POINTS or position + points * (width + 4 * has_own_axes) > len(raw):
            raise _cut_short(path, number, spc)
        axis = np.frombuffer(raw, "<f4", points, position) if has_own_axes else None
        position += 4 * points * has_own_axes
        values = np.frombuffer(raw, kind, points, position)
        position += width * points
        if not floats:
            values = values * 2.0 ** (exponent - 8 * width)
        yield SpcSpectrum(axis, values, float(fields[3]))


def read_log(raw: bytes, spc: SpcHeader) -> list[tuple[str, str]]:
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


def _cut_short(path: Path, number: int, spc: SpcHeader) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path.name} ends within spectrum {number + 1} of the {spc.spectra:,} it declares; fetch "
        "or copy the file again"
    )


AXES = {
    1: SpectralAxis("wavenumber", "cm^-1"), 2: SpectralAxis("wavelength", "um"),
    3: SpectralAxis("wavelength", "nm"),
    4: SpectralAxis("time", "s"), 5: SpectralAxis("time", "min"),
    6: SpectralAxis("frequency", "Hz"),
    7: SpectralAxis("frequency", "kHz"), 8: SpectralAxis("frequency", "MHz"),
    9: SpectralAxis("mass_to_charge", "1"),
    10: SpectralAxis("chemical_shift", "ppm"), 13: SpectralAxis("raman_shift", "cm^-1"),
    14: SpectralAxis("photon_energy", "eV"), 18: SpectralAxis("two_theta", "deg"),
    23: SpectralAxis("time", "ms"),
    24: SpectralAxis("time", "us"), 25: SpectralAxis("time", "ns"),
    26: SpectralAxis("frequency", "GHz"),
    30: SpectralAxis("time", "hour"),
}  # fmt: skip
"""Axes of spectra; arbitrary ones, lengths and channel numbers are not included."""

INTENSITIES = {
    0: "arb. unit", 1: "arb. unit", 2: "1", 3: "1", 4: "count", 5: "V", 6: "deg", 7: "mA",
    8: "mm", 9: "mV", 10: "1", 11: "percent", 12: "arb. unit", 13: "arb. unit", 14: "arb. unit",
    16: "arb. unit", 19: "degF", 20: "degC", 21: "K", 22: "1", 23: "1", 24: "arb. unit",
    25: "arb. unit", 128: "1", 129: "1", 130: "arb. unit", 131: "1",
}  # fmt: skip
"""Absorbance, transmission and reflectance are pure numbers."""

SIGNALS = {
    1: "interferogram", 2: "absorbance", 3: "Kubelka-Munk", 10: "log(1/R)", 128: "transmission",
    129: "reflectance", 131: "emission",
}  # fmt: skip
"""Signal by the number of an intensity without a unit."""

SERIES = {
    4: ("series_time", "s"), 5: ("series_time", "min"), 20: ("temperature", "degC"),
    21: ("temperature", "K"), 23: ("series_time", "ms"), 29: ("map_x", "mm"), 2: ("map_x", "um"),
}  # fmt: skip
"""Facet and unit of the third axis of a series."""
