"""Gwyddion's serialised objects: a type name, a size, then named components of typed values.

After "Gwyddion native format" in the Gwyddion user guide. Arrays are views of the file's bytes
and every size is checked against the bytes that are there, so nothing is allocated on trust.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from motif.ingest.readers.spm_values import decoded

ATOMS = {"b": "B", "c": "c", "i": "<i", "q": "<q", "d": "<d"}
ARRAYS = {"C": "S1", "I": "<i4", "Q": "<i8", "D": "<f8"}
CONTAINER_TYPES = {12: "c", 16: "c", 20: "b", 24: "i", 40: "q", 60: "d", 64: "s", 80: "o"}
"""Types of a version 1 container's components, numbered as in GLib; all else is as in version 2."""
DEEPEST = 16
"""Objects inside objects; genuine files stay below six."""
Object = dict[str, Any]
"""Components by name; the type of an object is at ``""``."""


def parse(raw: bytes) -> Object:
    """The object behind the four bytes of magic, ``GWYP`` or ``GWYO`` for version 1.

    Raises:
        ValueError: sizes or types that no such file has; the text says where.
    """
    if not raw.startswith(b"GWYO"):
        return _object(memoryview(raw), 4, len(raw), 0)[0]
    return _first_container(memoryview(raw))


def _first_container(raw: memoryview) -> Object:
    """A version 1 container: each component's type stands before its name, as a number."""
    name, at = _string(raw, 4, len(raw))
    size, at = _size(raw, at, len(raw), 1)
    end = at + size
    result: Object = {"": name}
    while at < end:
        number = int.from_bytes(raw[at : at + 4], "little")
        key, at = _string(raw, at + 4, end)
        if number not in CONTAINER_TYPES:
            raise ValueError(f"type {number} of {key!r} is none of version 1")
        result[key], at = _value(raw, CONTAINER_TYPES[number], at, end, 0)
    return result


def _object(raw: memoryview, at: int, end: int, depth: int) -> tuple[Object, int]:
    if depth > DEEPEST:
        raise ValueError(f"objects are nested deeper than {DEEPEST} at byte {at}")
    name, at = _string(raw, at, end)
    size, at = _size(raw, at, end, 1)
    end = at + size
    result: Object = {"": name}
    while at < end:
        key, at = _string(raw, at, end)
        if at >= end:
            raise ValueError(f"component {key!r} has no type at byte {at}")
        result[key], at = _value(raw, chr(raw[at]), at + 1, end, depth)
    return result, end


def _value(raw: memoryview, kind: str, at: int, end: int, depth: int) -> tuple[Any, int]:
    if kind in ATOMS:
        after = at + struct.calcsize(ATOMS[kind])
        if after > end:
            raise ValueError(f"a value is cut short at byte {at}")
        return struct.unpack_from(ATOMS[kind], raw, at)[0], after
    if kind == "s":
        return _string(raw, at, end)
    if kind == "o":
        return _object(raw, at, end, depth + 1)
    if kind in ARRAYS:
        dtype = np.dtype(ARRAYS[kind])
        size, at = _size(raw, at, end, dtype.itemsize)
        return np.frombuffer(raw, dtype, size, at), at + size * dtype.itemsize
    if kind in "SO":
        return _sequence(raw, kind.lower(), at, end, depth)
    raise ValueError(f"type {kind!r} at byte {at} is none of the format")


def _sequence(raw: memoryview, kind: str, at: int, end: int, depth: int) -> tuple[list[Any], int]:
    count, at = _size(raw, at, end, 1)
    values = []
    for _ in range(count):
        value, at = _value(raw, kind, at, end, depth)
        values.append(value)
    return values, at


def _size(raw: memoryview, at: int, end: int, each: int) -> tuple[int, int]:
    if at + 4 > end:
        raise ValueError(f"a size is cut short at byte {at}")
    size = int.from_bytes(raw[at : at + 4], "little")
    if size * each > end - at - 4:
        raise ValueError(
            f"{size * each:,} bytes are announced at byte {at} where {end - at - 4:,} are left"
        )
    return size, at + 4


def _string(raw: memoryview, at: int, end: int) -> tuple[str, int]:
    start = at
    while True:
        piece = bytes(raw[at : min(at + 256, end)])
        if not piece:
            raise ValueError(f"a text does not end at byte {start}")
        stop = piece.find(0)
        if stop >= 0:
            return decoded(bytes(raw[start : at + stop])), at + stop + 1
        at += len(piece)
