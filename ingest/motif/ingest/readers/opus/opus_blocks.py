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
from motif.ingest.readers.kit import MAX_POINTS

MAGIC = b"\x0a\x0a\xfe\xfe"
START = struct.Struct("<4sdIII")
"""Magic, version, offset of the directory, its capacity, its entries."""
ENTRY = struct.Struct("<III")
MAX_BLOCKS = 4096
STATUS = 1
"""Kind of parameters that belong to a data block of the same type."""

OpusParameters = dict[str, str | int | float]


@dataclass(frozen=True)
class OpusBlockKind:
    """What a block contains, from the bits of its type."""

    channel: int
    """1 sample, 2 reference, 3 result of both."""
    parameters: int
    data: int
    derived: int

    @classmethod
    def of(cls, code: int) -> OpusBlockKind:
        return cls(code >> 2 & 3, code >> 4 & 63, code >> 10 & 127, code >> 17)

    @property
    def is_data(self) -> bool:
        return self.data not in (0, 13) and self.parameters == 0


@dataclass(frozen=True)
class OpusTrace:
    """A block of data with its status parameters."""

    kind: OpusBlockKind
    status: OpusParameters
    values: NDArray[np.float32]


def read_blocks(path: Path, raw: bytes) -> list[tuple[OpusBlockKind, bytes]]:
    """Blocks in the order of the directory.

    Raises:
        UnreadableFileError: the directory or a block is outside the file.
    """
    _, _, start, _, count = START.unpack_from(raw)
    if not 0 < count <= MAX_BLOCKS or start + count * ENTRY.size > len(raw):
        raise UnreadableFileError(
            f"{path.name} has a directory of {count:,} blocks that is outside the file; fetch or "
            "copy the file again"
        )
    blocks = []
    for number in range(count):
        code, words, offset = ENTRY.unpack_from(raw, start + number * ENTRY.size)
        if offset + 4 * words > len(raw):
            raise UnreadableFileError(
                f"{path.name} is cut short: block {number + 1} of {count} ends at byte "
                f"{offset + 4 * words:,} of {len(raw):,}; fetch or copy the file again"
            )
        blocks.append((OpusBlockKind.of(code), raw[offset : offset + 4 * words]))
    return blocks


def read_parameters(block: bytes) -> OpusParameters:
    """Three-letter names with their values; the first damaged one ends the list."""
    parameters: OpusParameters = {}
    offset = 0
    while offset + 8 <= len(block):
        name = block[offset : offset + 3].decode("latin-1")
        type_code, words = struct.unpack_from("<HH", block, offset + 4)
        content = block[offset + 8 : offset + 8 + 2 * words]
        offset += 8 + 2 * words
        if name == "END" or len(content) < 2 * words or not name.isalnum():
            break
        if type_code == 0 and len(content) >= 4:
            parameters[name] = struct.unpack_from("<i", content)[0]
        elif type_code == 1 and len(content) >= 8:
            parameters[name] = struct.unpack_from("<d", content)[0]
        elif type_code in (2, 3, 4):
            parameters[name] = content.split(b"\0")[0].decode("latin-1").strip()
    return parameters


def read_traces(path: Path, blocks: Sequence[tuple[OpusBlockKind, bytes]]) -> list[OpusTrace]:
    """Data blocks with the status that describes them."""
    status = {
        (kind.channel, kind.data, kind.derived): read_parameters(block)
        for kind, block in blocks
        if kind.parameters == STATUS
    }
    traces = []
    for kind, block in blocks:
        if not kind.is_data or (kind.channel, kind.data, kind.derived) not in status:
            continue
        status_block = status[kind.channel, kind.data, kind.derived]
        points = status_block.get("NPT")
        if not isinstance(points, int) or not 2 <= points <= min(MAX_POINTS, len(block) // 4):
            raise UnreadableFileError(
                f"{path.name} declares {points} points (NPT) for a block of {len(block) // 4:,}; "
                "fetch or copy the file again"
            )
        traces.append(OpusTrace(kind, status_block, np.frombuffer(block, "<f4", points)))
    return traces


def number(parameters: Mapping[str, str | int | float], name: str) -> float:
    """A parameter as a number, NaN where it is missing or a text."""
    value = parameters.get(name)
    return float(value) if isinstance(value, int | float) else float("nan")
