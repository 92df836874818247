"""Text of instruments: lines, numbers with units, rows of numbers, chemical formulas."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.units import si

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LEADING_NUMBER = re.compile(
    r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?)(?![\d_.])\s*(.*?)\s*", re.S
)
UNITS_AS_WRITTEN = {
    "deg": "deg", "°": "deg", "º": "deg", "degree": "deg", "degrees": "deg", "": "", "1": "1",
    "%": "percent", "percent": "percent", "arb": "arb. unit", "a.u.": "arb. unit",
    "arb. unit": "arb. unit", "Arb": "arb. unit", "counts": "counts",
}  # fmt: skip
"""Units of channels that are not converted: phases stay in degrees, as measured."""
PREFIXES = {
    "": 0, "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "k": 3,
    "M": 6, "G": 9,
}  # fmt: skip
"""Power of ten by prefix."""
_PLAIN_UNIT = re.compile(f"({'|'.join(PREFIXES)})(m|V|A|N|Hz|Pa|W|F|S|s|K|J|C|T)")


def decode_text(raw: bytes) -> str:
    """Text in UTF-8, with or without a byte order mark, or else in latin-1."""
    raw = raw.removeprefix(BYTE_ORDER_MARK)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def text_lines(raw: bytes) -> list[str]:
    """Lines of a text as `decode_text` decodes it, ended by CR, LF or both."""
    return re.split(r"\r\n|\r|\n", decode_text(raw))


def leading_number(text: str) -> float | None:
    """The finite number a text begins with; None where there is none.

    A comma is the decimal mark where there is no point. An underscore is not part of a number.
    """
    quantity = number_and_rest(text)
    return None if quantity is None else quantity[0]


def number_and_rest(text: str) -> tuple[float, str] | None:
    """A number and the text after it: ``"2000 nm"`` → ``(2000.0, "nm")``; None without one."""
    if "," in text and "." not in text:
        text = text.replace(",", ".", 1)
    match = _LEADING_NUMBER.fullmatch(text)
    if match is None:
        return None
    value = float(match[1])
    return (value, match[2]) if math.isfinite(value) else None


def base_unit(unit: str) -> tuple[float, float, str]:
    """Scale, offset and name of the SI unit of a channel: ``"nm"`` → ``(1e-9, 0.0, "m")``.

    Degrees, percent, counts and arbitrary units are kept, and so is an unknown unit.
    """
    unit = " ".join(unit.replace("~m", "um").split())
    if unit in UNITS_AS_WRITTEN:
        return 1.0, 0.0, UNITS_AS_WRITTEN[unit]
    # Plain units are converted here: loading the unit registry takes as long as reading a file.
    if plain := _PLAIN_UNIT.fullmatch(unit):
        return float(f"1e{PREFIXES[plain[1]]}"), 0.0, plain[2]
    try:
        zero, name = si(0.0, unit)
        return si(1.0, unit)[0] - zero, zero, name
    except ValueError:
        return 1.0, 0.0, unit


def length_in_metres(text: str, unit: str = "") -> float | None:
    """A length such as ``"500 nm"``, or a bare number in `unit`, in metres; None otherwise."""
    quantity = number_and_rest(text)
    if quantity is None:
        return None
    scale, _, base = base_unit(quantity[1] or unit)
    length = quantity[0] * scale
    return length if base == "m" and math.isfinite(length) else None


_PERIODIC_TABLE = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br
Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho
Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es
Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
"""
ELEMENT_SYMBOLS = frozenset(_PERIODIC_TABLE.split())
_ELEMENT_AND_COUNT = re.compile(r"([A-Z][a-z]?)(\d*(?:\.\d+)?)")


def atomic_fractions(formula: str) -> dict[str, float]:
    """Atomic fraction by element of a sum formula such as ``Al H2 K O9 Si3``.

    Returns:
        An empty dictionary for other formulas, such as those with brackets or charges.
    """
    terms = [_ELEMENT_AND_COUNT.fullmatch(term) for term in formula.split()]
    counts = {term[1]: float(term[2] or 1) for term in terms if term}
    total = sum(counts.values())
    distinct = len(counts) == len(terms)
    if not distinct or not counts.keys() <= ELEMENT_SYMBOLS or not 0 < total < math.inf:
        return {}
    return {element: count / total for element, count in counts.items()}


MAX_TEXT_BYTES = 1 << 27
"""Bytes of a text file of spectra."""
# Possessive throughout: a hostile line costs no more than its length.
_NUMBER = r"[-+]?+(?>\d++(?:[.,]\d*+)?+|[.,]\d++)(?:[eE][-+]?+\d{1,3}+)?+|nan|NaN|NAN"
_ROW = re.compile(rf"\s*+(?:{_NUMBER})(?:(?>\s*+[,;]\s*+|\s++)(?:{_NUMBER}))*+\s*+[,;]?+\s*+")
_SEPARATOR = re.compile(r"[\s;]+|,(?=\s)|,$")


def parse_row(line: str) -> list[float] | None:
    """The numbers of a line; None where it has anything else.

    Numbers are separated by white space, semicolons or commas. A comma is a decimal mark where
    white space or semicolons separate the numbers.
    """
    if not _ROW.fullmatch(line):
        return None
    cells = [cell for cell in _SEPARATOR.split(line.strip()) if cell]
    if any("," in cell for cell in cells):
        if len(cells) > 1 and all(cell.count(",") <= 1 for cell in cells):
            cells = [cell.replace(",", ".") for cell in cells]
        else:
            cells = [cell for cell in line.replace(";", ",").split(",") if cell.strip()]
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def first_row(lines: Sequence[str], least: int = 2) -> int:
    """Index of the first line of at least `least` numbers; the number of lines without one."""
    for index, line in enumerate(lines):
        numbers = parse_row(line)
        if numbers is not None and len(numbers) >= least:
            return index
    return len(lines)


def read_rows(path: Path, lines: Sequence[str], first: int) -> NDArray[np.float64]:
    """Numbers (n, columns) of the lines from index `first` on.

    Blank lines and ``##END=`` are left out. Without any row the array has the shape (0, 0).

    Raises:
        UnreadableFileError: a line is not a row of numbers, or the rows differ in length.
    """
    rows: list[NDArray[np.float64]] = []
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip() or line.startswith("##END"):
            continue
        values = parse_row(line)
        if values is None or (rows and len(values) != len(rows[0])):
            raise UnreadableFileError(
                f"line {number} of {path.name} is {line.strip()[:40]!r} instead of "
                f"{len(rows[0]) if rows else 2} numbers; it is cut short or damaged: export it "
                "again"
            )
        rows.append(np.array(values))
    return np.array(rows, np.float64) if rows else np.empty((0, 0))
