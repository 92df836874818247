"""Numbers formatted for display: SI prefixes, few digits, short dates."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

PREFIXES = (
    (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"),
    (1e-12, "p"),
)  # fmt: skip
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
PREFIXED = frozenset({"m", "s", "V", "A", "Hz", "N", "J", "W", "F", "C", "S", "m/V", "N/m", "T"})
"""Units that take prefixes; others (K, rad, none) are shown as they are."""


def quantity(value: float, unit: str = "") -> str:
    """A number in SI units with at most four significant digits: ``2.5e-06, "m"`` -> 2.5 µm."""
    if not math.isfinite(value):
        return "–"
    if unit in PREFIXED and value:
        scale, prefix = scale_for(abs(value), unit)
        return f"{value / scale:.4g} {prefix}"
    return f"{value:.4g} {written(unit)}".strip()


def ends(low: float, high: float, unit: str = "") -> tuple[str, str]:
    """Both ends of a range with the same prefix: ``0, 2e-9, "m"`` -> 0 nm, 2 nm."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return quantity(low, unit), quantity(high, unit)
    scale, name = scale_for(max(abs(low), abs(high)), unit)
    first, last = (f"{value / scale:.4g} {written(name)}".strip() for value in (low, high))
    return first, last


def written(unit: str) -> str:
    """A unit as it is printed: ``mW/cm**2`` -> mW/cm², ``1/cm`` -> cm⁻¹."""
    inverse = re.fullmatch(r"1/([^\W\d]+)(?:\*\*|\^)?(\d?)", unit)
    if inverse:
        return f"{inverse[1]}⁻{(inverse[2] or '1').translate(RAISED)}"
    return re.sub(r"(?:\*\*|\^)(-?\d+)", lambda power: power[1].translate(RAISED), unit).replace(
        "*", "·"
    )


def scale_for(magnitude: float, unit: str) -> tuple[float, str]:
    """The factor and the prefixed unit in which a number of this size reads best."""
    if unit not in PREFIXED or not magnitude or not math.isfinite(magnitude):
        return 1.0, unit
    for scale, prefix in PREFIXES:
        if magnitude >= scale * 0.9995:
            return scale, prefix + unit
    return PREFIXES[-1][0], PREFIXES[-1][1] + unit


def day(iso: str) -> str:
    """The date of an ISO 8601 time."""
    return iso[:10]


def moment(iso: str) -> str:
    """Date and minute of an ISO 8601 time in UTC."""
    return iso[:16].replace("T", " ")


def ago(iso: str, now: datetime | None = None) -> str:
    """How long ago an ISO 8601 time was."""
    try:
        then = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count = int(seconds // size)
        if count >= 1:
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60:02d} min"


def count(number: int, noun: str) -> str:
    """``3, "image"`` -> 3 images."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
