"""What else an Igor wave from a microscope may be: force curves, stacks, interrupted scans."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Header
from motif.ingest.readers.igor_wave import IgorWave

NEXT = "Motif reads image scans with named channels from .ibw files"


def planes(path: Path, wave: IgorWave, header: Header) -> Sequence[str]:
    """Return the labels of the planes of an image.

    Raises:
        UnreadableFileError: the wave is no image; the reason says what it is instead.
    """
    if what := _otherwise(wave, header):
        raise UnreadableFileError(f"{path.name} is {what}; {NEXT}")
    return _names(wave, 2)


def _otherwise(wave: IgorWave, header: Header) -> str:
    """Say what a wave is that is no image of named planes; "" for an image."""
    if len(wave.shape) == 1:
        return f"a single curve of {wave.shape[0]} points, not an image"
    size = " x ".join(map(str, wave.shape[:2]))
    if len(wave.shape) == 2:
        if names := _names(wave, 1):
            return (
                f"a force curve of {wave.shape[0]} points with channels {', '.join(names)}, "
                "not an image"
            )
        cut = next((line for line, _ in header if "incomplete" in line.lower()), "")
        why = f'an incomplete scan (its note says "{cut}")' if cut else "a single plane"
        return f"{why} of {size} points without channel names"
    if len(wave.shape) == 4:
        return f"a four-dimensional wave of {' x '.join(map(str, wave.shape))} points, not an image"
    if min(wave.shape[:2]) < 2:
        return f"a stack of {size} points, too narrow for an image"
    names, layers = _names(wave, 2), wave.shape[2]
    if not names:
        return (
            f"a stack of {layers} layers of {size} points without channel names, such as a bias "
            "or force volume, not an image"
        )
    if len(names) != layers or not all(names):
        return f"an image of {layers} planes that names {len([n for n in names if n])} channels"
    return ""


def _names(wave: IgorWave, dimension: int) -> Sequence[str]:
    """Labels of the points along a dimension, without the name of the dimension itself.

    Igor writes that name first, Gwyddion leaves it out.
    """
    labels = wave.labels[dimension]
    return labels[1:] if len(labels) == wave.shape[dimension] + 1 else labels
