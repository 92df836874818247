"""Numbers, units and times as microscopes write them, read strictly."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime

from motif.core.clock import spelled
from motif.core.records import Facet
from motif.core.units import si

KEPT = {
    "deg": "deg", "°": "deg", "º": "deg", "degree": "deg", "degrees": "deg", "": "", "1": "1",
    "%": "percent", "percent": "percent", "arb": "arb. unit", "a.u.": "arb. unit",
    "arb. unit": "arb. unit", "Arb": "arb. unit", "counts": "counts",
}  # fmt: skip
"""Units of planes kept as told: phases stay in degrees, as their instrument measured them."""
PREFIXES = {
    "": 0, "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "k": 3,
    "M": 6, "G": 9,
}  # fmt: skip
_PLAIN = re.compile(f"({'|'.join(PREFIXES)})(m|V|A|N|Hz|Pa|W|F|S|s|K|J|C|T)")
_NUMBER = re.compile(
    r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?)(?![\d_.])\s*(.*?)\s*", re.S
)


def number(text: str) -> float | None:
    """The finite number a text begins with; None where there is none.

    A comma is taken as the decimal mark where there is no point; an underscore makes no number.
    """
    quantity = number_and_rest(text)
    return None if quantity is None else quantity[0]


def number_and_rest(text: str) -> tuple[float, str] | None:
    """A number and the text behind it: ``"2000 nm"`` → ``(2000.0, "nm")``."""
    if "," in text and "." not in text:
        text = text.replace(",", ".", 1)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    value = float(match[1])
    return (value, match[2]) if math.isfinite(value) else None


def base_unit(unit: str) -> tuple[float, float, str]:
    """Scale, offset and name of the SI unit of a plane; a unit nobody knows is kept as told.

    The plain ones are known here: loading all units of physics takes as long as reading a file.
    """
    unit = " ".join(unit.replace("~m", "um").split())
    if unit in KEPT:
        return 1.0, 0.0, KEPT[unit]
    if plain := _PLAIN.fullmatch(unit):
        return float(f"1e{PREFIXES[plain[1]]}"), 0.0, plain[2]
    try:
        zero, name = si(0.0, unit)
        return si(1.0, unit)[0] - zero, zero, name
    except ValueError:
        return 1.0, 0.0, unit


def metres(text: str, unit: str = "") -> float | None:
    """A length told as text (``"500 nm"``), or as a bare number in `unit`, in metres."""
    quantity = number_and_rest(text)
    if quantity is None:
        return None
    scale, _, base = base_unit(quantity[1] or unit)
    length = quantity[0] * scale
    return length if base == "m" and math.isfinite(length) else None


def acquired(text: str, patterns: Iterable[str], origin: str) -> list[Facet]:
    """When a scan was made, by the clock of the instrument, which tells no time zone."""
    plain = " ".join(text.split())
    for pattern in patterns:
        try:
            moment = datetime.strptime(plain, pattern)
        except ValueError:
            continue
        return [Facet("acquired_at", spelled(moment), origin, told=plain)]
    return []


def told(name: str, text: str, origin: str) -> list[Facet]:
    """A facet of text, none where nothing is told."""
    text = text.strip().strip('"').strip()
    return [Facet(name, text, origin)] if text and text.lower() not in ("n/a", "none") else []


def measured(name: str, value: float | None, unit: str, origin: str) -> list[Facet]:
    """A facet of a number in an SI unit, none where it is not told or not finite."""
    if value is None or not math.isfinite(value):
        return []
    return [Facet(name, float(value), origin, unit)]


def decoded(raw: bytes) -> str:
    """Text in UTF-8, or else latin-1, in which any bytes can be read."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
