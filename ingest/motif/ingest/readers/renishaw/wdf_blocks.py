"""The blocks of a Renishaw ``.wdf``: header, spectra, axis, origins and named settings.

Layout after A. Henderson, "Renishaw wdf file format" (doi:10.5281/zenodo.495477) and the
property sets found in files of WiRE 4 and 5. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.kit import MAX_POINTS, MAX_SPECTRA

BLOCK = struct.Struct("<4sIQ")
"""Name, number and size (this header included) of a block."""
HEADER_SIZE = 512
TIME, X, Y, Z = 11, 3, 4, 5
"""Kinds of origins of a spectrum: time (FILETIME) and coordinates."""
COSMIC_RAYS_REMOVED = 1 << 2
"""Flag of the header."""
UNITS = (
    "arb. unit", "cm^-1", "cm^-1", "nm", "eV", "um", "count", "count", "mm", "m", "K", "Pa", "s",
    "ms", "hour", "day", "pixel", "arb. unit", "arb. unit", "deg", "rad", "degC", "degF", "K/min",
)  # fmt: skip
"""Units by their number in the file; 1 is a Raman shift, 2 an absolute wavenumber."""


@dataclass(frozen=True)
class WdfHeader:
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
        """Metres; 0 where the file states no laser."""
        return 0.01 / self.laser if np.isfinite(self.laser) and self.laser > 0 else 0.0


@dataclass(frozen=True)
class WdfOrigin:
    """One number for every spectrum."""

    kind: int
    unit: str
    name: str
    values: NDArray[np.float64]
    ticks: NDArray[np.uint64]


def find_blocks(path: Path, raw: bytes) -> dict[str, slice]:
    """Contents of the first block of every name.

    Raises:
        UnreadableFileError: a block exceeds the file, or a necessary one is missing.
    """
    blocks: dict[str, slice] = {}
    offset = 0
    while offset + BLOCK.size <= len(raw):
        name, _, size = BLOCK.unpack_from(raw, offset)
        if size < BLOCK.size or size > len(raw) - offset:
            raise UnreadableFileError(
                f"{path.name} is cut short or damaged: its block {name.decode('latin-1')!r} "
                f"declares {size:,} of the {len(raw) - offset:,} bytes left; fetch or copy the "
                "file again"
            )
        blocks.setdefault(name.decode("latin-1"), slice(offset + BLOCK.size, offset + size))
        offset += size
    for needed in ("WDF1", "DATA", "XLST"):
        if needed not in blocks:
            raise UnreadableFileError(
                f"{path.name} has no {needed} block, so the measurement was never finished; "
                "save it again in WiRE"
            )
    return blocks


def read_header(path: Path, raw: bytes) -> WdfHeader:
    """The header, its counts checked."""
    points, capacity, count, accumulations = struct.unpack_from("<IQQI", raw, 60)
    origins = struct.unpack_from("<I", raw, 92)[0]
    if not (2 <= points <= MAX_POINTS and 0 < count <= capacity <= MAX_SPECTRA and origins < 64):
        raise UnreadableFileError(
            f"{path.name} declares {count:,} of {capacity:,} spectra of {points:,} points, which "
            "is not a measurement; save it again in WiRE"
        )
    version = ".".join(map(str, struct.unpack_from("<4H", raw, 120)))
    unit, laser = struct.unpack_from("<If", raw, 152)
    return WdfHeader(
        points, capacity, count, accumulations, origins,
        f"{_string(raw[96:120])} {version}", struct.unpack_from("<Q", raw, 136)[0],
        unit, laser, _string(raw[208:240]), _string(raw[240:HEADER_SIZE]),
        struct.unpack_from("<Q", raw, 16)[0],
    )  # fmt: skip


def read_spectra(
    path: Path, raw: bytes, blocks: Mapping[str, slice], header: WdfHeader
) -> tuple[int, NDArray[np.float32], NDArray[np.float32]]:
    """Unit number of the axis, its positions (n,), and the measured spectra (count, n)."""
    data, axis = raw[blocks["DATA"]], raw[blocks["XLST"]]
    value_count, position_count = len(data) // 4, (len(axis) - 8) // 4
    if value_count < header.count * header.points or position_count != header.points:
        raise UnreadableFileError(
            f"{path.name} declares {header.count:,} spectra of {header.points:,} points and has "
            f"{value_count:,} intensities on {position_count:,} positions; fetch or copy the file "
            "again"
        )
    values = np.frombuffer(data, "<f4", header.count * header.points)
    positions = np.frombuffer(axis, "<f4", header.points, 8)
    return struct.unpack_from("<I", axis, 4)[0], positions, values.reshape(header.count, -1)


def read_origins(raw: bytes, blocks: Mapping[str, slice], header: WdfHeader) -> list[WdfOrigin]:
    """Time and position of each spectrum; lists that are cut short are left out."""
    block = raw[blocks["ORGN"]] if "ORGN" in blocks else b""
    origins = []
    for number in range(header.origins):
        offset = 4 + number * (24 + 8 * header.capacity)
        if offset + 24 + 8 * header.capacity > len(block):
            break
        kind, unit = struct.unpack_from("<II", block, offset)
        origins.append(
            WdfOrigin(
                kind & 0x7FFFFFFF,
                UNITS[unit] if unit < len(UNITS) else "",
                _string(block[offset + 8 : offset + 24]),
                np.frombuffer(block, "<f8", header.count, offset + 24),
                np.frombuffer(block, "<u8", header.count, offset + 24),
            )
        )
    return origins


def _string(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace").strip()


Value: TypeAlias = "str | int | float | list[Item]"
Item: TypeAlias = tuple[str, Value]

MAX_DEPTH = 12
MAX_ITEMS = 20_000
MAX_SETTING_LENGTH = 400
"""Characters of a setting that is kept; longer ones are scripts and pictures."""
_SCALARS = {"?": "B", "c": "b", "s": "h", "i": "i", "w": "q", "r": "f", "q": "d", "t": "Q"}


def parse_settings(block: bytes) -> list[Item]:
    """Named and numbered settings in file order; the first damaged one ends the list."""
    if block[:4] != b"PSET" or len(block) < 8:
        return []
    size = struct.unpack_from("<I", block, 4)[0]
    return _items(block[8 : 8 + size], MAX_DEPTH, [MAX_ITEMS])


def named_settings(items: list[Item], prefix: str) -> list[tuple[str, str]]:
    """Settings with a name, as pairs of text."""
    return [
        (f"{prefix}.{name}", str(value))
        for name, value in items
        if not name.isdigit()
        and not isinstance(value, list)
        and len(str(value)) <= MAX_SETTING_LENGTH
    ]


def exposure(items: list[Item], accumulations: int) -> float | None:
    """Exposure of one accumulation in seconds.

    The settings of a scan have no names. Its spectrometer settings are followed by four numbers,
    of which the third is the number of accumulations and the fourth the exposure in
    milliseconds; it counts only where the third agrees with the header.
    """
    for scan in _scans(items):
        spectrometer = next((i for i, (_, v) in enumerate(scan) if isinstance(v, list)), None)
        if spectrometer is None:
            continue
        numbers = [v for _, v in scan[spectrometer + 1 : spectrometer + 5] if isinstance(v, int)]
        if len(numbers) == 4 and numbers[2] == accumulations and numbers[3] > 0:
            return numbers[3] / 1000
    return None


def _scans(items: list[Item]) -> list[list[Item]]:
    """The sets of settings that follow the text ``Scan``, at any depth."""
    scans: list[list[Item]] = []
    after_name = False
    for _, value in items:
        if isinstance(value, list):
            scans += [value] if after_name else _scans(value)
        after_name = value == "Scan" or (after_name and not isinstance(value, list))
    return scans


def _items(raw: bytes, depth: int, budget: list[int]) -> list[Item]:
    names: dict[int, str] = {}
    items: list[tuple[int, Value]] = []
    offset = 0
    while offset + 5 <= len(raw) and budget[0] > 0:
        budget[0] -= 1
        kind, flags, key = struct.unpack_from("<cBH", raw, offset)
        kind, offset = kind.decode("latin-1"), offset + 4
        count = 1
        if flags & 0x80:
            count, offset = (
                struct.unpack_from("<I", raw.ljust(offset + 4, b"\0"), offset)[0],
                offset + 4,
            )
        if kind in _SCALARS:
            size = struct.calcsize("<" + _SCALARS[kind])
            if count == 1 and offset + size <= len(raw):
                items.append((key, struct.unpack_from("<" + _SCALARS[kind], raw, offset)[0]))
            offset += size * count
            continue
        if kind not in "ukbp" or count != 1 or offset + 4 > len(raw):
            break
        size, offset = struct.unpack_from("<I", raw, offset)[0], offset + 4
        content, offset = raw[offset : offset + size], offset + size
        if kind == "k":
            names[key] = content.decode("utf-8", "replace")
        elif kind == "u":
            items.append((key, content.decode("utf-8", "replace").rstrip("\0")))
        elif kind == "p" and depth:
            items.append((key, _items(content, depth - 1, budget)))
    return [(names.get(key, str(key)), value) for key, value in items]
