"""Tables of a JCAMP-DX block as axes and intensities, checked against what it declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.jcamp_asdf import DamagedTableError, Table, decode, pairs
from motif.ingest.readers.jcamp_blocks import Block

MAX_POINTS = 1 << 20
FORM = re.compile(r"\(\s*([A-Z])(\+\+\(([A-Z])\.\.\3\)|([A-Z])\.\.\1\4)\s*\)", re.IGNORECASE)


@dataclass(frozen=True)
class Curve:
    """One spectrum as the block describes it."""

    page: str
    positions: NDArray[np.float64]
    values: NDArray[np.float64]
    x_unit: str
    y_unit: str
    notes: tuple[str, ...] = ()


def curves(path: Path, block: Block) -> Iterator[Curve]:
    """Yield the curves of a block.

    Raises:
        UnreadableFileError: a table is of no known form, is damaged, or holds another number of
            points than the block declares.
    """
    labels = block.labels
    for table, lines in zip(block.tables, block.lines, strict=True):
        form = FORM.search(table["FORM"])
        if form is None:
            raise UnreadableFileError(
                f"{path.name} holds its data as {table['FORM'] or 'nothing'}, which is no "
                "spectrum; export it as XYDATA=(X++(Y..Y))"
            )
        told = _told(labels, table, form[1].upper(), (form[3] or form[4]).upper())
        most = _points(path, told)
        try:
            with np.errstate(all="ignore"):  # absurd factors give infinities, which axes refuse
                if form[3]:
                    curve = _evenly(table, told, decode(lines, most), most)
                else:
                    curve = _paired(table, told, pairs(lines, most), most)
            yield curve
        except DamagedTableError as error:
            raise UnreadableFileError(
                f"{path.name} is damaged: {error}; export it again"
            ) from error


def _told(labels: Mapping[str, str], table: Mapping[str, str], x: str, y: str) -> dict[str, str]:
    """First, last, factors, units and points of the variables of one table."""
    if "SYMBOL" not in labels:
        names = ("FIRSTX", "LASTX", "XFACTOR", "YFACTOR", "XUNITS", "YUNITS", "NPOINTS", "FIRSTY")
        return {name: labels.get(name, "") for name in names}
    symbols = [symbol.strip().upper() for symbol in labels["SYMBOL"].split(",")]

    def of(label: str, symbol: str) -> str:
        values = [value.strip() for value in labels.get(label, "").split(",")]
        place = symbols.index(symbol) if symbol in symbols else len(values)
        return values[place] if place < len(values) else ""

    return {
        "FIRSTX": of("FIRST", x), "LASTX": of("LAST", x), "XFACTOR": of("FACTOR", x),
        "YFACTOR": of("FACTOR", y), "XUNITS": of("UNITS", x), "YUNITS": of("UNITS", y),
        "NPOINTS": table.get("NPOINTS") or of("VARDIM", y), "FIRSTY": "",
    }  # fmt: skip


def _points(path: Path, told: Mapping[str, str]) -> int:
    declared = _number(told["NPOINTS"])
    if not 2 <= declared <= MAX_POINTS:
        raise UnreadableFileError(
            f"{path.name} declares {told['NPOINTS'] or 'no'} points (##NPOINTS=), so it cannot be "
            "checked whether its spectrum is whole; export it again"
        )
    return int(declared)


def _evenly(table: Mapping[str, str], told: Mapping[str, str], found: Table, points: int) -> Curve:
    """A table of ordinates at even steps from the first to the last abscissa."""
    first, last = _number(told["FIRSTX"]), _number(told["LASTX"])
    if not np.isfinite([first, last]).all():
        raise DamagedTableError("it does not tell where its axis begins and ends")
    _count(len(found.values), points)
    positions = np.linspace(first, last, points)
    step = abs(last - first) / (points - 1)
    factor = _factor(told["XFACTOR"])
    index = np.array([min(i, points - 1) for i, _ in found.places])
    written = np.array([x for _, x in found.places]) * factor
    # Abscissae are written with few digits: one step of the axis and one digit are left to them.
    off = np.abs(positions[index] - written)
    if (off > 1.5 * step + abs(factor)).any():
        line = int(np.argmax(off))
        raise DamagedTableError(
            f"its data line {line + 1} begins at {written[line]:g} where point {index[line] + 1} "
            f"lies at {positions[index[line]]:g}"
        )
    values = np.array(found.values) * _factor(told["YFACTOR"])
    return Curve(
        table.get("PAGE", ""), positions, values, told["XUNITS"], told["YUNITS"],
        _remarks(told, values),
    )  # fmt: skip


def _paired(
    table: Mapping[str, str], told: Mapping[str, str], found: NDArray[Any], points: int
) -> Curve:
    """A table of pairs."""
    _count(len(found), points)
    positions = found[:, 0] * _factor(told["XFACTOR"])
    values = found[:, 1] * _factor(told["YFACTOR"])
    return Curve(
        table.get("PAGE", ""), positions, values, told["XUNITS"], told["YUNITS"],
        _remarks(told, values),
    )  # fmt: skip


def _count(found: int, declared: int) -> None:
    if found != declared:
        raise DamagedTableError(f"it declares {declared:,} points and holds {found:,}")


def _remarks(told: Mapping[str, str], values: NDArray[np.float64]) -> tuple[str, ...]:
    first = _number(told["FIRSTY"])
    if np.isfinite(first) and abs(first - values[0]) > 0.01 * np.nanmax(np.abs(values)):
        return (f"##FIRSTY= says {first:g} and the first intensity is {values[0]:g}",)
    return ()


def _factor(text: str) -> float:
    factor = _number(text)
    return factor if np.isfinite(factor) and factor else 1.0


def _number(text: str) -> float:
    try:
        return float("nan" if "_" in text else text.split()[0])
    except (ValueError, IndexError):
        return float("nan")
