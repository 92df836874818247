"""The blocks of a Renishaw ``.wdf``: header, spectra, axis, origins and named settings.

Layout after A. Henderson, "Renishaw wdf file format" (doi:10.5281/zenodo.495477) and the
property sets found in files of WiRE 4 and 5. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.spectrum import MAX_POINTS, MAX_SPECTRA

BLOCK = struct.Struct("<4sIQ")
"""Name, number and size (this header included) of a block."""
HEADER_SIZE = 512
TIME, X, Y, Z = 11, 3, 4, 5
"""Kinds of origins of a spectrum: when (FILETIME) and where."""
COSMIC_RAYS_REMOVED = 1 << 2
"""Flag of the header."""
UNITS = (
    "arb. unit", "cm^-1", "cm^-1", "nm", "eV", "um", "count", "count", "mm", "m", "K", "Pa", "s",
    "ms", "hour", "day", "pixel", "arb. unit", "arb. unit", "deg", "rad", "degC", "degF", "K/min",
)  # fmt: skip
"""Units by their number in the file; 1 is a Raman shift, 2 an absolute wavenumber."""


@dataclass(frozen=True)
class Header:
    """The fixed first block."""

    points: int
    capacity: int
    count: int
    accumulations: int
    origins: int
    application: str
    started: int
    unit: int
    laser: float
    user: str
    title: str
    flags: int

    @property
    def laser_wavelength(self) -> float:
        """Metres; 0 where the file tells no laser."""
        return 0.01 / self.laser if np.isfinite(self.laser) and self.laser > 0 else 0.0


@dataclass(frozen=True)
class Origin:
    """One number for every spectrum."""

    kind: int
    unit: str
    name: str
    values: NDArray[np.float64]
    ticks: NDArray[np.uint64]


def find_blocks(path: Path, raw: bytes) -> dict[str, slice]:
    """Contents of the first block of every name."""
    found: dict[str, slice] = {}
    place = 0
    while place + BLOCK.size <= len(raw):
        name, _, size = BLOCK.unpack_from(raw, place)
        if size < BLOCK.size or size > len(raw) - place:
            raise UnreadableFileError(
                f"{path.name} is cut short or damaged: its block {name.decode('latin-1')!r} claims "
                f"{size:,} of the {len(raw) - place:,} bytes left; fetch or copy the file again"
            )
        found.setdefault(name.decode("latin-1"), slice(place + BLOCK.size, place + size))
        place += size
    for needed in ("WDF1", "DATA", "XLST"):
        if needed not in found:
            raise UnreadableFileError(
                f"{path.name} has no {needed} block, so the measurement was never finished; "
                "save it again in WiRE"
            )
    return found


def read_header(path: Path, raw: bytes) -> Header:
    """The header, its counts checked."""
    points, capacity, count, accumulations = struct.unpack_from("<IQQI", raw, 60)
    origins = struct.unpack_from("<I", raw, 92)[0]
    if not (2 <= points <= MAX_POINTS and 0 < count <= capacity <= MAX_SPECTRA and origins < 64):
        raise UnreadableFileError(
            f"{path.name} claims {count:,} of {capacity:,} spectra of {points:,} points, which is "
            "no measurement that was begun; save it again in WiRE"
        )
    version = ".".join(map(str, struct.unpack_from("<4H", raw, 120)))
    unit, laser = struct.unpack_from("<If", raw, 152)
    return Header(
        points, capacity, count, accumulations, origins,
        f"{_string(raw[96:120])} {version}", struct.unpack_from("<Q", raw, 136)[0],
        unit, laser, _string(raw[208:240]), _string(raw[240:HEADER_SIZE]),
        struct.unpack_from("<Q", raw, 16)[0],
    )  # fmt: skip


def read_spectra(
    path: Path, raw: bytes, blocks: Mapping[str, slice], header: Header
) -> tuple[int, NDArray[np.float32], NDArray[np.float32]]:
    """Unit number of the axis, its positions (n,), and the measured spectra (count, n)."""
    data, axis = raw[blocks["DATA"]], raw[blocks["XLST"]]
    room, places = len(data) // 4, (len(axis) - 8) // 4
    if room < header.count * header.points or places != header.points:
        raise UnreadableFileError(
            f"{path.name} declares {header.count:,} spectra of {header.points:,} points and holds "
            f"{room:,} intensities on {places:,} positions; fetch or copy the file again"
        )
    values = np.frombuffer(data, "<f4", header.count * header.points)
    positions = np.frombuffer(axis, "<f4", header.points, 8)
    return struct.unpack_from("<I", axis, 4)[0], positions, values.reshape(header.count, -1)


def read_origins(raw: bytes, blocks: Mapping[str, slice], header: Header) -> list[Origin]:
    """Where and when each spectrum was measured; lists that are cut short are left out."""
    block = raw[blocks["ORGN"]] if "ORGN" in blocks else b""
    found = []
    for number in range(header.origins):
        place = 4 + number * (24 + 8 * header.capacity)
        if place + 24 + 8 * header.capacity > len(block):
            break
        kind, unit = struct.unpack_from("<II", block, place)
        found.append(
            Origin(
                kind & 0x7FFFFFFF,
                UNITS[unit] if unit < len(UNITS) else "",
                _string(block[place + 8 : place + 24]),
                np.frombuffer(block, "<f8", header.count, place + 24),
                np.frombuffer(block, "<u8", header.count, place + 24),
            )
        )
    return found


def _string(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace").strip()
