"""Property sets of a Renishaw ``.wdf``: the settings of the measurement and the instrument."""

from __future__ import annotations

import struct
from typing import TypeAlias

Value: TypeAlias = "str | int | float | list[Item]"
Item: TypeAlias = tuple[str, Value]

DEPTH = 12
MAX_ITEMS = 20_000
LONGEST = 400
"""Characters of a setting worth keeping; longer ones are scripts and pictures."""
_SCALARS = {"?": "B", "c": "b", "s": "h", "i": "i", "w": "q", "r": "f", "q": "d", "t": "Q"}


def parse_settings(block: bytes) -> list[Item]:
    """Named and numbered settings in file order; what is damaged ends the list."""
    if block[:4] != b"PSET" or len(block) < 8:
        return []
    size = struct.unpack_from("<I", block, 4)[0]
    return _items(block[8 : 8 + size], DEPTH, [MAX_ITEMS])


def named(items: list[Item], prefix: str) -> list[tuple[str, str]]:
    """Settings that have a name, as pairs of text."""
    return [
        (f"{prefix}.{name}", str(value))
        for name, value in items
        if not name.isdigit() and not isinstance(value, list) and len(str(value)) <= LONGEST
    ]


def exposure(items: list[Item], accumulations: int) -> float | None:
    """Exposure of one accumulation in seconds.

    The settings of a scan have no names. Behind its spectrometer settings follow four numbers,
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
    """The sets that follow the text ``Scan``, however deep."""
    found: list[list[Item]] = []
    announced = False
    for _, value in items:
        if isinstance(value, list):
            found += [value] if announced else _scans(value)
        announced = value == "Scan" or (announced and not isinstance(value, list))
    return found


def _items(raw: bytes, depth: int, budget: list[int]) -> list[Item]:
    names: dict[int, str] = {}
    found: list[tuple[int, Value]] = []
    place = 0
    while place + 5 <= len(raw) and budget[0] > 0:
        budget[0] -= 1
        kind, flags, key = struct.unpack_from("<cBH", raw, place)
        kind, place = kind.decode("latin-1"), place + 4
        many = 1
        if flags & 0x80:
            many, place = struct.unpack_from("<I", raw.ljust(place + 4, b"\0"), place)[0], place + 4
        if kind in _SCALARS:
            size = struct.calcsize("<" + _SCALARS[kind])
            if many == 1 and place + size <= len(raw):
                found.append((key, struct.unpack_from("<" + _SCALARS[kind], raw, place)[0]))
            place += size * many
            continue
        if kind not in "ukbp" or many != 1 or place + 4 > len(raw):
            break
        size, place = struct.unpack_from("<I", raw, place)[0], place + 4
        content, place = raw[place : place + size], place + size
        if kind == "k":
            names[key] = content.decode("utf-8", "replace")
        elif kind == "u":
            found.append((key, content.decode("utf-8", "replace").rstrip("\0")))
        elif kind == "p" and depth:
            found.append((key, _items(content, depth - 1, budget)))
    return [(names.get(key, str(key)), value) for key, value in found]
