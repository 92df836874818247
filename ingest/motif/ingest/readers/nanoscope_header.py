"""The header of a Bruker/Nanoscope file: lists of ``\\key: value`` lines, then padding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Header
from motif.ingest.readers.spm_values import base_unit, number, number_and_rest

BEGINNINGS = (b"\\*File list", b"\\*Force file list", b"\\*EC File list")
END = b"\\*File list end"
LONGEST = 4 * 2**20
"""Bytes a header may have; genuine ones take 40 to 160 thousand."""
_SCALE = re.compile(r"V\s*(?:\[(?P<sens>[^\]]*)\])?\s*(?:\([^)]*\))?\s*(?P<value>[-+.\deE]+.*)")
_CHOICE = re.compile(r'S\s*\[(?P<key>[^\]]*)\]\s*"(?P<name>[^"]*)"')


@dataclass(frozen=True)
class Section:
    """One list of the header, e.g. ``Ciao image list``; of a repeated key the first counts."""

    name: str
    pairs: list[tuple[str, str]]
    values: dict[str, str]

    def text(self, *keys: str) -> str:
        """Value of the first key that is there, or ""."""
        return next((self.values[key] for key in keys if self.values.get(key)), "")

    def whole(self, key: str) -> int:
        """The first whole number of a value, 0 if there is none."""
        value = number(self.text(key).split(" ")[0])
        return int(value) if value is not None and 0 < value < 2**40 else 0

    def choice(self, key: str) -> str:
        """The name a ``S [internal] "external"`` value shows."""
        found = _CHOICE.match(self.text(key))
        return (found["name"] or found["key"]).strip() if found else ""

    def starting(self, pattern: str) -> str:
        """The first key that matches, since parameters carry the number of a group: ``@2:``."""
        return next((key for key in self.values if re.fullmatch(pattern, key)), "")


def sections(path: Path, raw: bytes) -> list[Section]:
    """Split the header of a file into its lists.

    Raises:
        UnreadableFileError: the header does not end.
    """
    end = raw.find(END, 0, LONGEST)
    if end < 0 or not raw.startswith(BEGINNINGS):
        raise UnreadableFileError(
            f"the header of {path.name} does not end: the file is cut short; copy it again"
        )
    found: list[Section] = []
    for line in re.split(r"[\r\n]+", raw[:end].decode("latin-1")):
        if line.startswith("\\*"):
            found.append(Section(line[2:].strip(), [], {}))
        elif line.startswith("\\"):
            key, value = _pair(line[1:])
            found[-1].pairs.append((key, value))
            found[-1].values.setdefault(key, value)
    return found


def header(lists: list[Section]) -> Header:
    """All keys in file order; the name of each list stands before its keys, without a value."""
    return [
        pair for one in lists for pair in ((f"*{one.name}", ""), *one.pairs)
    ]  # fmt: skip


def scale(image: Section, lists: list[Section], key: str) -> tuple[float, str] | None:
    """What full scale stands for: (number, unit), through the sensitivity it refers to.

    ``V [Sens. Zsens] (0.000375 V/LSB) 24.5 V`` with ``@Sens. Zsens: V 33.5 nm/V`` is 821 nm.
    """
    match = _SCALE.match(image.text(key))
    quantity = number_and_rest(match["value"]) if match else None
    if match is None or quantity is None:
        return None
    value, unit = quantity
    named = f"@{match['sens']}"
    told = next((one.values[named] for one in lists if named in one.values), "")
    if not match["sens"] or not told:
        return None if match["sens"] else (value, unit)
    sensitivity = number_and_rest(told.removeprefix("V").strip())
    if sensitivity is None:
        return None
    if not sensitivity[1]:
        return value * sensitivity[0], unit
    above, _, below = sensitivity[1].partition("/")
    factor = base_unit(unit)[0] / base_unit(below)[0] if below else 1.0
    return value * factor * sensitivity[0], above


def _pair(line: str) -> tuple[str, str]:
    """Key and value: ``@2:Z scale: V ...`` has a colon in its key."""
    at = line.find(":", 3 if re.match(r"@\d:", line) else 0)
    return (line.strip(), "") if at < 0 else (line[:at].strip(), line[at + 1 :].strip())


def planes_of(lists: list[Section]) -> Iterator[Section]:
    """The lists that describe an image each."""
    return (one for one in lists if one.name.lower() in ("ciao image list", "ec image list"))
