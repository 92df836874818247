"""Gwyddion's serialised objects: a type name, a size, then named components of typed values.

After "Gwyddion native format" in the Gwyddion user guide. Arrays are views of the file's bytes
and every size is checked against the size of the file before memory is allocated.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from motif.ingest.readers.kit import decode_text

ATOMS = {"b": "B", "c": "c", "i": "<i", "q": "<q", "d": "<d"}
ARRAYS = {"C": "S1", "I": "<i4", "Q": "<i8", "D": "<f8"}
CONTAINER_TYPES = {12: "c", 16: "c", 20: "b", 24: "i", 40: "q", 60: "d", 64: "s", 80: "o"}
"""Types of the components of a version 1 container, numbered as in GLib."""
MAX_DEPTH = 16
"""Objects inside objects; genuine files stay below six."""
Object = dict[str, Any]
"""Components by name; the type of an object has the name ``""``."""


def parse(raw: bytes) -> Object:
    """The object after the magic bytes, ``GWYP`` or ``GWYO`` for version 1.

    Raises:
        ValueError: sizes or types that no such file has; the text states where.
    """
    if not raw.startswith(b"GWYO"):
        return _object(memoryview(raw), 4, len(raw), 0)[0]
    return _first_container(memoryview(raw))


def _first_container(raw: memoryview) -> Object:
    """A version 1 container: a number before the name of each component gives its type."""
    name, offset = _string(raw, 4, len(raw))
    size, offset = _size(raw, offset, len(raw), 1)
    end = offset + size
    result: Object = {"": name}
    while offset < end:
        number = int.from_bytes(raw[offset : offset + 4], "little")
        key, offset = _string(raw, offset + 4, end)
        if number not in CONTAINER_TYPES:
            raise ValueError(f"type {number} of {key!r} is not one of version 1")
        result[key], offset = _value(raw, CONTAINER_TYPES[number], offset, end, 0)
    return result


def _object(raw: memoryview, offset: int, end: int, depth: int) -> tuple[Object, int]:
    if depth > MAX_DEPTH:
        raise ValueError(f"objects are nested deeper than {MAX_DEPTH} at byte {offset}")
    name, offset = _string(raw, offset, end)
    size, offset = _size(raw, offset, end, 1)
    end = offset + size
    result: Object = {"": name}
    while offset < end:
        key, offset = _string(raw, offset, end)
        if offset >= end:
            raise ValueError(f"component {key!r} has no type at byte {offset}")
        result[key], offset = _value(raw, chr(raw[offset]), offset + 1, end, depth)
    return result, end


def _value(raw: memoryview, kind: str, offset: int, end: int, depth: int) -> tuple[Any, int]:
    if kind in ATOMS:
        after = offset + struct.calcsize(ATOMS[kind])
        if after > end:
            raise ValueError(f"a value is cut short at byte {offset}")
        return struct.unpack_from(ATOMS[kind], raw, offset)[0], after
    if kind == "s":
        return _string(raw, offset, end)
    if kind == "o":
        return _object(raw, offset, end, depth + 1)
    if kind in ARRAYS:
        dtype = np.dtype(ARRAYS[kind])
        size, offset = _size(raw, offset, end, dtype.itemsize)
        return np.frombuffer(raw, dtype, size, offset), offset + size * dtype.itemsize
    if kind in "SO":
        return _sequence(raw, kind.lower(), offset, end, depth)
    raise ValueError(f"type {kind!r} at byte {offset} is not one of the format")


def _sequence(
    raw: memoryview, kind: str, offset: int, end: int, depth: int
) -> tuple[list[Any], int]:
    count, offset = _size(raw, offset, end, 1)
    values = []
    for _ in range(count):
        value, offset = _value(raw, kind, offset, end, depth)
        values.append(value)
    return values, offset


def _size(raw: memoryview, offset: int, end: int, item_size: int) -> tuple[int, int]:
    if offset + 4 > end:
        raise ValueError(f"a size is cut short at byte {offset}")
    size = int.from_bytes(raw[offset : offset + 4], "little")
    if size * item_size > end - offset - 4:
        raise ValueError(
            f"{size * item_size:,} bytes are announced at byte {offset} and {end - offset - 4:,} "
            "are left"
        )
    return size, offset + 4


def _string(raw: memoryview, offset: int, end: int) -> tuple[str, int]:
    start = offset
    while True:
        piece = bytes(raw[offset : min(offset + 256, end)])
        if not piece:
            raise ValueError(f"a text does not end at byte {start}")
        stop = piece.find(0)
        if stop >= 0:
            return decode_text(bytes(raw[start : offset + stop])), offset + stop + 1
        offset += len(piece)
