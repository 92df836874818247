"""Asylum Research images: Igor binary waves of named planes with the instrument's note."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header, Measurement, Reading
from motif.ingest.readers.asylum.asylum_note import (
    AsylumNote,
    asylum_processing,
    channel_unit,
    clean_label,
    note_facets,
    parse_note,
)
from motif.ingest.readers.asylum.igor_wave import IgorWave, byte_order, checksum_holds, read_wave
from motif.ingest.readers.kit import ScanAxis, numbered_names, scan_array


class AsylumIbw:
    """Reads every plane of an Asylum ``.ibw`` image in physical units.

    Positions are in metres; the first row of an image is its lowest line, as Igor stores it.
    """

    name = "asylum-ibw"
    version = 3

    def recognises(self, head: bytes, name: str) -> bool:
        """A version 5 wave by its checksum; any Igor wave, even a damaged one, by its suffix."""
        named = name.lower().endswith(".ibw")
        older = (b"\1\0", b"\2\0", b"\3\0", b"\0\1", b"\0\2", b"\0\3")
        igor = bool(byte_order(head)) or head[:2] in older
        return checksum_holds(head) or (named and igor)

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read one image; other content of an ``.ibw`` is refused by name."""
        wave = read_wave(path)
        header = parse_note(wave.note)
        note = AsylumNote(header)
        channels = numbered_names([clean_label(label) for label in planes(path, wave, header)])
        units = [channel_unit(channel, note) for channel in channels]
        y, x = (_axis(path, wave, dimension) for dimension in (1, 0))
        is_float = wave.data.dtype.kind == "f"
        data = scan_array(
            wave.data if is_float else wave.data.astype(np.float64), channels, units, y, x
        )
        facets = [*note_facets(header), *asylum_processing(header, channels)]
        if not any(facet.name == "scan_size" for facet in facets):
            size = float(f"{abs(wave.scale[0]) * (wave.shape[0] - 1):.9g}")
            facets.append(Facet("scan_size", size, "header:sfA", "m"))
        facets.append(Facet("pixels", float(wave.shape[0]), "header:nDim"))
        facets.append(Facet("channels", ", ".join(channels), "header:dimLabels"))
        warnings = note.contradictions()
        warnings += [
            f"no unit is known for {c}" for c, u in zip(channels, units, strict=True) if not u
        ]
        if path.suffix.lower() != ".ibw":
            warnings.append(f"{path.name} is an Igor wave in spite of its suffix")
        image = Measurement("0", "image", wave.name or path.stem, data, facets)
        return Reading([image], header, warnings)


def _axis(path: Path, wave: IgorWave, dimension: int) -> ScanAxis:
    """Positions of the points along a dimension, in metres."""
    step, start, unit = wave.scale[dimension], wave.offset[dimension], wave.units[dimension]
    if unit != "m" or not np.isfinite([step, start]).all() or step == 0:
        raise UnreadableFileError(
            f"the pixels of {path.name} have a distance of {step:g} {unit or '(no unit)'}, which "
            "is not a "
            "distance in metres, so its scale is unknown; set the wave scaling in Igor and save it"
        )
    return ScanAxis(start, step, "m")


READ_INSTEAD = "Motif reads image scans with named channels from .ibw files"


def planes(path: Path, wave: IgorWave, header: Header) -> Sequence[str]:
    """Return the labels of the planes of an image.

    Raises:
        UnreadableFileError: the wave is not an image; the reason states what it is instead.
    """
    if what := _other_content(wave, header):
        raise UnreadableFileError(f"{path.name} is {what}; {READ_INSTEAD}")
    return _names(wave, 2)


def _other_content(wave: IgorWave, header: Header) -> str:
    """What a wave is instead of an image of named planes; "" for an image."""
    if len(wave.shape) == 1:
        return f"a single curve of {wave.shape[0]} points, not an image"
    size = " x ".join(map(str, wave.shape[:2]))
    if len(wave.shape) == 2:
        if names := _names(wave, 1):
            return (
                f"a force curve of {wave.shape[0]} points with channels {', '.join(names)}, "
                "not an image"
            )
        incomplete = next((line for line, _ in header if "incomplete" in line.lower()), "")
        plane = (
            f'an incomplete scan (its note states "{incomplete}")'
            if incomplete
            else "a single plane"
        )
        return f"{plane} of {size} points without channel names"
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
