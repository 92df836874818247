"""Chemical formulas as atomic fractions."""

from __future__ import annotations

import math
import re

from motif.ingest.readers.elements import SYMBOLS

_PART = re.compile(r"([A-Z][a-z]?)(\d*(?:\.\d+)?)")


def fractions(formula: str) -> dict[str, float]:
    """Atomic fractions of a sum formula such as ``Al H2 K O9 Si3``.

    Returns:
        Nothing if it is no such formula: brackets, charges and vacancies are not understood.
    """
    parts = [_PART.fullmatch(part) for part in formula.split()]
    counts = {part[1]: float(part[2] or 1) for part in parts if part}
    whole = sum(counts.values())
    if len(counts) != len(parts) or not set(counts) <= SYMBOLS or not 0 < whole < math.inf:
        return {}
    return {element: count / whole for element, count in counts.items()}
