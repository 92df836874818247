"""The ``key=value,value,...`` lists of a DRNets instance as arrays, checked for their lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.elements import SYMBOLS
from motif.ingest.readers.spectral_axes import Axis

MAX_SAMPLES = 100_000
PLAUSIBLE = (1.0, 12.0, 200.0)
"""Q in 1/nm lies between the outer two and reaches beyond the middle one."""


def lists_of(lines: Sequence[str]) -> dict[str, str]:
    """The text behind every key; where a key repeats, its first counts."""
    found: dict[str, str] = {}
    for line in lines:
        key, cut, value = line.partition("=")
        if cut and not line.startswith("//"):
            found.setdefault(key.strip(), value.strip())
    return found


def samples_of(path: Path, told: Mapping[str, str]) -> tuple[int, list[str]]:
    """Number of samples and the elements of their composition."""
    count = told.get("N", "")
    elements = [name.strip() for name in told.get("Composition", "").split(",")]
    if not (count.isdecimal() and 0 < int(count[:9]) <= MAX_SAMPLES and len(count) < 9):
        raise UnreadableFileError(
            f"{path.name} declares N={count[:20] or 'nothing'} samples; correct the file"
        )
    if not set(elements) <= SYMBOLS:
        raise UnreadableFileError(
            f"{path.name} declares Composition={','.join(elements)[:60]}, which are no elements; "
            "correct the file"
        )
    return int(count), elements


def numbers(path: Path, told: Mapping[str, str], key: str, count: int = 0) -> NDArray[np.float64]:
    """One list as numbers.

    Raises:
        UnreadableFileError: it is missing, holds something that is no number, or has not `count`
            of them.
    """
    text = told.get(key, "")
    try:
        values = np.array([float("x" if "_" in cell else cell) for cell in text.split(",")])
    except ValueError:
        raise UnreadableFileError(
            f"{path.name} has no list of numbers {key}= (it is {text[:40]!r}); it is cut short or "
            "damaged: fetch it again"
        ) from None
    if count and len(values) != count:
        raise UnreadableFileError(
            f"{key}= of {path.name} holds {len(values):,} numbers where {count:,} should stand; it "
            "is cut short: fetch it again"
        )
    return values


def texts(told: Mapping[str, str], key: str, count: int) -> list[str]:
    """One list as text, empty where it is missing or of another length."""
    values = [cell.strip() for cell in told.get(key, "").split(",")]
    return values if len(values) == count else [""] * count


def q_axis(path: Path, q: NDArray[np.float64]) -> Axis:
    """The axis of the patterns, in 1/nm as published.

    Raises:
        UnreadableFileError: the values cannot be in 1/nm.
    """
    lowest, reached, highest = PLAUSIBLE
    if lowest < q.min() and reached < q.max() < highest:
        return Axis("q", "1/nm")
    raise UnreadableFileError(
        f"Q of {path.name} runs from {q.min():g} to {q.max():g}, which is not in 1/nm as in the "
        'published format; put {"axis": "q", "axis_unit": "1/angstrom"} into '
        f"{path.name}.json beside it if it is in another unit"
    )
