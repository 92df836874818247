"""The numbers of a JCAMP-DX data table: plain pairs and the compressed forms.

Forms after McDonald and Wilks, Appl. Spectrosc. 42, 151 (1988): AFFN and PAC numbers, and the
squeezed (SQZ), difference (DIF) and duplicate (DUP) digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
    """The table cannot be what was written; the text says where and why."""


@dataclass
class Table:
    """Ordinates in file order, and the abscissa each line begins with."""

    values: list[float] = field(default_factory=list)
    places: list[tuple[int, float]] = field(default_factory=list)
    """(index of the point, abscissa before its factor) of every line."""


def decode(lines: Sequence[str], most: int) -> Table:
    """Ordinates of a ``(X++(Y..Y))`` table.

    Args:
        lines: the table, comments removed.
        most: points it may hold.

    Raises:
        DamagedTableError: something is no number, a line does not take up where the one before
            it ended, or there are more than `most` points.
    """
    table = Table()
    difference = False
    for number, line in enumerate(lines, 1):
        tokens = list(_tokens(line, number))
        if not tokens:
            continue
        kind, text = tokens[0]
        if kind not in ("plain", "squeezed"):
            raise DamagedTableError(f"its data line {number} does not begin with an abscissa")
        before = len(table.values)
        checked = difference and before > 0 and len(tokens) > 1
        table.places.append((before - checked, float(text)))
        difference = _append(table.values, tokens[1:], number, most)
        if checked:
            expected, found = table.values[before - 1], table.values.pop(before)
            if abs(expected - found) > 1e-6 * max(1.0, abs(expected)):
                raise DamagedTableError(
                    f"its data line {number} takes up at {found:g} where the line before it ended "
                    f"at {expected:g}"
                )
    return table


def pairs(lines: Sequence[str], most: int) -> NDArray[np.float64]:
    """Points (n, 2) of an ``(XY..XY)`` table."""
    numbers: list[float] = []
    for number, line in enumerate(lines, 1):
        if _PAIR_NUMBER.sub("", line).strip(" \t,;"):
            raise DamagedTableError(f"its data line {number} holds something that is no number")
        numbers += [float("nan") if t == "?" else float(t) for t in _PAIR_NUMBER.findall(line)]
        if len(numbers) > 2 * most:
            raise DamagedTableError(f"it holds more than the {most} points it declares")
    if len(numbers) % 2:
        raise DamagedTableError(f"its {len(numbers)} numbers make no pairs of x and y")
    return np.array(numbers).reshape(-1, 2)


def _append(values: list[float], tokens: list[tuple[str, str]], number: int, most: int) -> bool:
    """Add the ordinates of one line; whether it ends in a difference.

    A repetition of a difference adds the difference again, of a number the number.
    """
    step: float | None = None
    for place, (kind, text) in enumerate(tokens):
        count = 1
        if kind == "repeat":
            count = int(text) - 1
            if place == 0 or count < 0:
                raise DamagedTableError(f"its data line {number} repeats nothing")
        else:
            step = float(text) if kind == "difference" else None
        if step is not None and not values:
            raise DamagedTableError(f"its data line {number} begins with a difference")
        if len(values) + count > most + 1:  # a line may repeat the last point as a check
            raise DamagedTableError(f"it holds more than the {most:,} points it declares")
        if step is not None:
            last = values[-1]
            values.extend(last + step * (i + 1) for i in range(count))
        elif kind == "repeat":
            values.extend([values[-1]] * count)
        else:
            values.append(float(text))
    return step is not None


def _tokens(line: str, number: int) -> Iterator[tuple[str, str]]:
    """Divide a line into numbers: plain, squeezed, difference, repeat, unknown."""
    place = 0
    while place < len(line):
        found = _TOKEN.match(line, place)
        if found is None:
            raise DamagedTableError(f"its data line {number} holds {line[place]!r}, no number")
        place = found.end()
        plain, letter, digits, unknown = found.groups()
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
