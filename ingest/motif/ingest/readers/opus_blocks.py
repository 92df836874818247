"""The blocks of a Bruker OPUS file: directory, parameters and data.

All numbers are little-endian; sizes in the directory count 4-byte words, sizes of parameters
2-byte words.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.spectrum import MAX_POINTS

MAGIC = b"\x0a\x0a\xfe\xfe"
START = struct.Struct("<4sdIII")
"""Magic, version, place of the directory, room in it, entries in it."""
ENTRY = struct.Struct("<III")
MAX_BLOCKS = 4096
STATUS = 1
"""Kind of parameters that belong to a data block of the same type."""

Parameters = dict[str, str | int | float]


@dataclass(frozen=True)
class Kind:
    """What a block holds, from the bits of its type."""

    channel: int
    """1 sample, 2 reference, 3 result of both."""
    parameters: int
    data: int
    derived: int

    @classmethod
    def of(cls, code: int) -> Kind:
        return cls(code >> 2 & 3, code >> 4 & 63, code >> 10 & 127, code >> 17)

    @property
    def is_data(self) -> bool:
        return self.data not in (0, 13) and self.parameters == 0


@dataclass(frozen=True)
class Trace:
    """A block of data with its status parameters."""

    kind: Kind
    status: Parameters
    values: NDArray[np.float32]


def read_blocks(path: Path, raw: bytes) -> list[tuple[Kind, bytes]]:
    """Blocks in the order of the directory.

    Raises:
        UnreadableFileError: the directory or a block lies outside the file.
    """
    _, _, start, _, count = START.unpack_from(raw)
    if not 0 < count <= MAX_BLOCKS or start + count * ENTRY.size > len(raw):
        raise UnreadableFileError(
            f"{path.name} has a directory of {count:,} blocks that lies outside the file; fetch or "
            "copy the file again"
        )
    blocks = []
    for number in range(count):
        code, words, place = ENTRY.unpack_from(raw, start + number * ENTRY.size)
        if place + 4 * words > len(raw):
            raise UnreadableFileError(
                f"{path.name} is cut short: block {number + 1} of {count} ends at byte "
                f"{place + 4 * words:,} of {len(raw):,}; fetch or copy the file again"
            )
        blocks.append((Kind.of(code), raw[place : place + 4 * words]))
    return blocks


def read_parameters(block: bytes) -> Parameters:
    """Three-letter names with their values; what is damaged ends the list."""
    found: Parameters = {}
    place = 0
    while place + 8 <= len(block):
        name = block[place : place + 3].decode("latin-1")
        kind, words = struct.unpack_from("<HH", block, place + 4)
        content = block[place + 8 : place + 8 + 2 * words]
        place += 8 + 2 * words
        if name == "END" or len(content) < 2 * words or not name.isalnum():
            break
        if kind == 0 and len(content) >= 4:
            found[name] = struct.unpack_from("<i", content)[0]
        elif kind == 1 and len(content) >= 8:
            found[name] = struct.unpack_from("<d", content)[0]
        elif kind in (2, 3, 4):
            found[name] = content.split(b"\0")[0].decode("latin-1").strip()
    return found


def read_traces(path: Path, blocks: Sequence[tuple[Kind, bytes]]) -> list[Trace]:
    """Data blocks with the status that describes them."""
    status = {
        (kind.channel, kind.data, kind.derived): read_parameters(block)
        for kind, block in blocks
        if kind.parameters == STATUS
    }
    found = []
    for kind, block in blocks:
        if not kind.is_data or (kind.channel, kind.data, kind.derived) not in status:
            continue
        told = status[kind.channel, kind.data, kind.derived]
        points = told.get("NPT")
        if not isinstance(points, int) or not 2 <= points <= min(MAX_POINTS, len(block) // 4):
            raise UnreadableFileError(
                f"{path.name} declares {points} points (NPT) for a block of {len(block) // 4:,}; "
                "fetch or copy the file again"
            )
        found.append(Trace(kind, told, np.frombuffer(block, "<f4", points)))
    return found


def number(parameters: Mapping[str, str | int | float], name: str) -> float:
    """A parameter as a number, NaN where it is missing or a text."""
    value = parameters.get(name)
    return float(value) if isinstance(value, int | float) else float("nan")
