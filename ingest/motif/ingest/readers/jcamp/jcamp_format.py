"""The JCAMP-DX format: records, blocks, and numbers of data tables, plain or compressed.

Forms after McDonald and Wilks, Appl. Spectrosc. 42, 151 (1988): AFFN and PAC numbers, and the
squeezed (SQZ), difference (DIF) and duplicate (DUP) digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.kit import text_lines

_PLAIN = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]\d{1,3})?"
_TOKEN = re.compile(rf"({_PLAIN})|([@A-Ia-i%J-Rj-rS-Zs])(\d*\.?\d*)|(\?)|[\s,;]+")
_PAIR_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?|\?")
_SQUEEZED = {letter: str(i) for i, letter in enumerate("@ABCDEFGHI")} | {
    letter: f"-{i}" for i, letter in enumerate("abcdefghi", 1)
}
_DIFFERENCE = {letter: str(i) for i, letter in enumerate("%JKLMNOPQR")} | {
    letter: f"-{i}" for i, letter in enumerate("jklmnopqr", 1)
}
_REPEAT = {letter: str(i) for i, letter in enumerate("STUVWXYZs", 1)}


class DamagedTableError(ValueError):
    """A table contradicts itself; the text states where and why."""


@dataclass
class AsdfTable:
    """Ordinates in file order, and the abscissa at the beginning of each line."""

    values: list[float] = field(default_factory=list)
    abscissae: list[tuple[int, float]] = field(default_factory=list)
    """(index of the point, abscissa before its factor) of every line."""


def decode(lines: Sequence[str], most: int) -> AsdfTable:
    """Ordinates of a ``(X++(Y..Y))`` table.

    Args:
        lines: the table, comments removed.
        most: points it may have.

    Raises:
        DamagedTableError: something is not a number, a line does not begin with the value at which
            the line before it ended, or there are more than `most` points.
    """
    table = AsdfTable()
    difference = False
    for number, line in enumerate(lines, 1):
        tokens = list(_tokens(line, number))
        if not tokens:
            continue
        kind, text = tokens[0]
        if kind not in ("plain", "squeezed"):
            raise DamagedTableError(f"its data line {number} does not begin with an abscissa")
        points_before = len(table.values)
        checked = difference and points_before > 0 and len(tokens) > 1
        table.abscissae.append((points_before - checked, float(text)))
        difference = _append(table.values, tokens[1:], number, most)
        if checked:
            expected, repeated = table.values[points_before - 1], table.values.pop(points_before)
            if abs(expected - repeated) > 1e-6 * max(1.0, abs(expected)):
                raise DamagedTableError(
                    f"its data line {number} begins with {repeated:g}, but the line before it "
                    f"ended at {expected:g}"
                )
    return table


def pairs(lines: Sequence[str], most: int) -> NDArray[np.float64]:
    """Points (n, 2) of an ``(XY..XY)`` table."""
    numbers: list[float] = []
    for number, line in enumerate(lines, 1):
        if _PAIR_NUMBER.sub("", line).strip(" \t,;"):
            raise DamagedTableError(f"its data line {number} has something that is not a number")
        numbers += [float("nan") if t == "?" else float(t) for t in _PAIR_NUMBER.findall(line)]
        if len(numbers) > 2 * most:
            raise DamagedTableError(f"it has more than the {most} points it declares")
    if len(numbers) % 2:
        raise DamagedTableError(f"its {len(numbers)} numbers do not form pairs of x and y")
    return np.array(numbers).reshape(-1, 2)


def _append(values: list[float], tokens: list[tuple[str, str]], number: int, most: int) -> bool:
    """Add the ordinates of one line; whether it ends in a difference.

    A repetition of a difference adds the difference again, of a number the number.
    """
    step: float | None = None
    for index, (kind, text) in enumerate(tokens):
        count = 1
        if kind == "repeat":
            count = int(text) - 1
            if index == 0 or count < 0:
                raise DamagedTableError(f"its data line {number} repeats nothing")
        else:
            step = float(text) if kind == "difference" else None
        if step is not None and not values:
            raise DamagedTableError(f"its data line {number} begins with a difference")
        if len(values) + count > most + 1:  # a line may repeat the last point as a check
            raise DamagedTableError(f"it has more than the {most:,} points it declares")
        if step is not None:
            last = values[-1]
            values.extend(last + step * (i + 1) for i in range(count))
        elif kind == "repeat":
            values.extend([values[-1]] * count)
        else:
            values.append(float(text))
    return step is not None


def _tokens(line: str, number: int) -> Iterator[tuple[str, str]]:
    """Split a line into numbers: plain, squeezed, difference, repeat, unknown."""
    position = 0
    while position < len(line):
        match = _TOKEN.match(line, position)
        if match is None:
            raise DamagedTableError(
                f"its data line {number} has {line[position]!r}, which is not a number"
            )
        position = match.end()
        plain, letter, digits, unknown = match.groups()
        if plain:
            yield "plain", plain
        elif letter in _SQUEEZED:
            yield "squeezed", _SQUEEZED[letter] + digits
        elif letter in _DIFFERENCE:
            yield "difference", _DIFFERENCE[letter] + digits
        elif letter:
            yield "repeat", _REPEAT[letter] + digits.partition(".")[0]
        elif unknown:
            yield "plain", "nan"


MAX_DEPTH = 8
"""Blocks within blocks."""
MAX_RECORD_LENGTH = 4000
"""Characters after which further lines of a record are skipped."""
TABLES = ("XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE")
_RECORD = re.compile(r"\s*##([^=]{0,80})=(.*)")


@dataclass
class JcampBlock:
    """One block: its records in file order and its tables."""

    records: list[tuple[str, str]] = field(default_factory=list)
    tables: list[dict[str, str]] = field(default_factory=list)
    lines: list[list[str]] = field(default_factory=list)
    """Data lines of each table."""
    blocks: list[JcampBlock] = field(default_factory=list)
    closed: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """First value of every label that is not empty, in the spelling of `normal_label`."""
        labels: dict[str, str] = {}
        for key, value in self.records:
            if value:
                labels.setdefault(normal_label(key), value)
        return labels


def normal_label(key: str) -> str:
    """``Data Type``, ``DATA-TYPE`` and ``DATATYPE`` are one label."""
    return re.sub(r"[\s/_-]", "", key).upper()


def read_blocks(path: Path, raw: bytes) -> JcampBlock:
    """The outermost block; text before the first title is skipped.

    Raises:
        UnreadableFileError: blocks are nested too deep, or a compound file is cut short.
    """
    root = JcampBlock()
    open_blocks = [root]
    page: dict[str, str] = {}
    in_table = False
    for line in text_lines(raw):
        text = line.split("$$")[0]
        match = _RECORD.match(text)
        block = open_blocks[-1]
        if match is None:
            if in_table:
                block.lines[-1].append(text)
            elif block.records and text.strip() and len(block.records[-1][1]) < MAX_RECORD_LENGTH:
                key, value = block.records[-1]
                block.records[-1] = (key, f"{value}\n{text.strip()}".strip())
            continue
        key, value, in_table = match[1].strip(), match[2].strip(), False
        name = normal_label(key)
        if name == "TITLE":
            if len(open_blocks) > MAX_DEPTH:
                raise UnreadableFileError(
                    f"{path.name} nests more than {MAX_DEPTH} blocks; split it into single spectra"
                )
            block.blocks.append(JcampBlock())
            open_blocks.append(block.blocks[-1])
            block, page = open_blocks[-1], {}
        if len(open_blocks) == 1:
            continue
        if name == "END":
            open_blocks.pop().closed = True
        elif name in TABLES:
            block.tables.append({**page, "LABEL": name, "FORM": value})
            block.lines.append([])
            in_table = True
        elif name == "PAGE" or (name == "NPOINTS" and page):
            page[name] = value
            block.records.append((key, value))
        else:
            block.records.append((key, value))
    if not root.blocks:
        raise UnreadableFileError(f"{path.name} has no ##TITLE=, so it is not a JCAMP-DX file")
    outermost = root.blocks[0]
    if outermost.blocks and not outermost.closed:
        raise UnreadableFileError(
            f"{path.name} is a compound of {len(outermost.blocks)} blocks without its ##END=, so "
            "it is cut short; fetch or copy the file again"
        )
    return root


def data_blocks(block: JcampBlock) -> list[JcampBlock]:
    """The blocks with tables, outermost first."""
    blocks = [block] if block.tables else []
    return blocks + [nested for inner in block.blocks for nested in data_blocks(inner)]
