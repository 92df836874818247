"""Igor binary waves, version 5 (WaveMetrics Technical Note 003): one array, its scales, a note.

Every size the header announces is checked against the file before anything is allocated.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError

HEADER = np.dtype(
    {
        "names": [
            "version", "checksum", "wave_size", "formula_size", "note_size", "data_unit_size",
            "unit_sizes", "label_sizes", "modified", "points", "type", "wave_version", "name",
            "shape", "scale", "offset", "data_unit", "units",
        ],
        "formats": [
            "i2", "i2", "i4", "i4", "i4", "i4", "4i4", "4i4", "u4", "i4", "i2", "i2", "V32",
            "4i4", "4f8", "4f8", "V4", "4V4",
        ],
        "offsets": [0, 2, 4, 8, 12, 16, 20, 36, 72, 76, 80, 90, 92, 132, 148, 180, 212, 216],
        "itemsize": 384,
    }
)  # fmt: skip
"""Binary header (64 bytes) and wave header (320 bytes), which precede the data."""
LABEL = 32
"""Bytes of one dimension label on disk, null-terminated."""
TYPES = {2: "f4", 4: "f8", 8: "i1", 16: "i2", 32: "i4", 72: "u1", 80: "u2", 96: "u4"}
"""NumPy type by Igor's number type."""


@dataclass(frozen=True)
class IgorWave:
    """A wave as stored; tuples are in the order of Igor: rows, columns, layers, chunks."""

    data: NDArray[Any]
    """Dimensions reversed, ``(..., layers, columns, rows)``: the order of the bytes on disk."""
    name: str
    shape: tuple[int, ...]
    scale: tuple[float, ...]
    """Distance between neighbouring points."""
    offset: tuple[float, ...]
    data_unit: str
    units: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    """Names along each dimension; the first may name the dimension itself."""
    note: str


def byte_order(header: bytes) -> Literal["<", ">"] | None:
    """Byte order of a version 5 wave; None for other bytes."""
    if header[:2] == b"\x05\x00":
        return "<"
    return ">" if header[:2] == b"\x00\x05" else None


def checksum_holds(header: bytes) -> bool:
    """Whether the 16-bit words of both headers add up to zero, as Igor requires on opening."""
    order = byte_order(header)
    if not order or len(header) < HEADER.itemsize:
        return False
    words = np.frombuffer(header, f"{order}i2", HEADER.itemsize // 2)
    return int(words.sum(dtype=np.int64)) % 65536 == 0


def read_wave(path: Path) -> IgorWave:
    """Read a version 5 wave of real numbers.

    Raises:
        UnreadableFileError: another version, damaged, cut short, or text or complex numbers.
    """
    with path.open("rb") as stream:
        head = _header(path, stream.read(HEADER.itemsize))
        shape = _shape(path, head, os.fstat(stream.fileno()).st_size)
        count = prod(shape)
        dtype = np.dtype(TYPES[int(head["type"])]).newbyteorder(head.dtype["scale"].base.byteorder)
        data = np.frombuffer(stream.read(count * dtype.itemsize), dtype, count)
        stream.seek(int(head["formula_size"]), os.SEEK_CUR)
        note = stream.read(int(head["note_size"]))
        long_unit = stream.read(int(head["data_unit_size"]))
        long_units = [stream.read(int(size)) for size in head["unit_sizes"]]
        labels = [stream.read(int(size)) for size in head["label_sizes"]]
    n = len(shape)
    units = (long or bytes(short) for long, short in zip(long_units, head["units"], strict=True))
    return IgorWave(
        data=data.reshape(shape[::-1]).astype(dtype.newbyteorder("="), copy=False),
        name=_text(bytes(head["name"])),
        shape=shape,
        scale=tuple(head["scale"][:n].tolist()),
        offset=tuple(head["offset"][:n].tolist()),
        data_unit=_text(long_unit or bytes(head["data_unit"])),
        units=tuple(map(_text, units))[:n],
        labels=tuple(
            tuple(_text(raw[i : i + LABEL]) for i in range(0, len(raw), LABEL)) for raw in labels
        )[:n],
        note=note.decode("latin-1"),
    )


def _header(path: Path, header: bytes) -> np.void:
    """Parse the headers; anything but an intact version 5 wave is refused."""
    if len(header) < HEADER.itemsize:
        raise UnreadableFileError(
            f"{path.name} is {len(header)} bytes long, too short for an Igor wave, whose headers "
            f"take {HEADER.itemsize}; fetch or copy the file again"
        )
    order = byte_order(header)
    if not order:
        version = max(header[0], header[1])
        raise UnreadableFileError(
            f"{path.name} is not an Igor binary wave of version 5 (it says version {version}); "
            "images "
            "need version 5: open it in Igor Pro 6 or later and save it again"
        )
    if not checksum_holds(header):
        raise UnreadableFileError(
            f"the header of {path.name} is damaged: its checksum is wrong; fetch or copy the "
            "file again"
        )
    fields: np.void = np.frombuffer(header, HEADER.newbyteorder(order), 1)[0]
    if int(fields["type"]) not in TYPES:
        content = "text" if int(fields["type"]) == 0 else "complex numbers"
        raise UnreadableFileError(f"{path.name} is an Igor wave of {content}, not an image")
    return fields


def _shape(path: Path, header: np.void, size: int) -> tuple[int, ...]:
    """The dimensions, checked against each other and the size of the file."""
    listed = [int(n) for n in header["shape"]]
    shape = tuple(listed[: listed.index(0)] if 0 in listed else listed)
    sizes = [int(header[name]) for name in ("formula_size", "note_size", "data_unit_size")]
    sizes += [int(n) for name in ("unit_sizes", "label_sizes") for n in header[name]]
    if not shape or min(*shape, *sizes) < 0:
        raise UnreadableFileError(
            f"{path.name} announces dimensions {listed} and sections of {sizes} bytes, which no "
            "wave has; fetch or copy the file again"
        )
    data = prod(shape) * int(TYPES[int(header["type"])][1])
    needed = HEADER.itemsize + data + sum(sizes)
    if needed > size:
        raise UnreadableFileError(
            f"{path.name} announces {' x '.join(map(str, shape))} points and needs {needed:,} "
            f"bytes but has {size:,}: it is cut short or damaged; fetch or copy it again"
        )
    if int(header["points"]) != prod(shape) or int(header["wave_size"]) != 320 + data:
        raise UnreadableFileError(
            f"{path.name} contradicts itself: {' x '.join(map(str, shape))} points by its "
            f"dimensions, {int(header['points']):,} by its count; fetch or copy the file again"
        )
    return shape


def _text(raw: bytes) -> str:
    """Text up to the first null; the rest belongs to an earlier, longer name."""
    return raw.split(b"\0", 1)[0].decode("latin-1").strip()
