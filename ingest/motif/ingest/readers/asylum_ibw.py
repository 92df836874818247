"""Asylum Research images: Igor binary waves of named planes with the instrument's note."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement, Reading
from motif.ingest.readers.asylum_channels import channel_unit, clean_label, unique
from motif.ingest.readers.asylum_note import Note, note_facets, parse_note
from motif.ingest.readers.igor_wave import IgorWave, byte_order, checksum_holds, read_wave
from motif.ingest.readers.not_an_image import planes
from motif.ingest.readers.processing import asylum_processing
from motif.ingest.readers.scan_array import Axis, scan_array


class AsylumIbw:
    """Reads every plane of an Asylum ``.ibw`` image in physical units.

    Positions are in metres; the first row of an image is its lowest line, as Igor stores it.
    """

    name = "asylum-ibw"
    version = 2

    def recognises(self, head: bytes, name: str) -> bool:
        """A version 5 wave by its checksum; any Igor wave, sound or not, by its suffix too."""
        named = name.lower().endswith(".ibw")
        older = (b"\1\0", b"\2\0", b"\3\0", b"\0\1", b"\0\2", b"\0\3")
        igor = bool(byte_order(head)) or head[:2] in older
        return checksum_holds(head) or (named and igor)

    def __call__(self, path: Path) -> Reading:
        """Read one image; anything else an ``.ibw`` may hold is refused by what it is."""
        wave = read_wave(path)
        header = parse_note(wave.note)
        note = Note(header)
        channels = unique([clean_label(label) for label in planes(path, wave, header)])
        units = [channel_unit(channel, note) for channel in channels]
        y, x = (_axis(path, wave, dimension) for dimension in (1, 0))
        values = wave.data.dtype.kind == "f"
        data = scan_array(
            wave.data if values else wave.data.astype(np.float64), channels, units, y, x
        )
        facets = [*note_facets(header), *asylum_processing(header, channels)]
        if not any(facet.name == "scan_size" for facet in facets):
            size = float(f"{abs(wave.scale[0]) * (wave.shape[0] - 1):.9g}")
            facets.append(Facet("scan_size", size, "header:sfA", "m"))
        facets.append(Facet("pixels", float(wave.shape[0]), "header:nDim"))
        facets.append(Facet("channels", ", ".join(channels), "header:dimLabels"))
        notes = note.contradictions()
        notes += [
            f"no unit is known for {c}" for c, u in zip(channels, units, strict=True) if not u
        ]
        if path.suffix.lower() != ".ibw":
            notes.append(f"{path.name} is an Igor wave whatever its suffix says")
        image = Measurement("0", "image", wave.name or path.stem, data, facets)
        return Reading([image], header, notes)


def _axis(path: Path, wave: IgorWave, dimension: int) -> Axis:
    """Positions of the points along a dimension, in metres."""
    step, start, unit = wave.scale[dimension], wave.offset[dimension], wave.units[dimension]
    if unit != "m" or not np.isfinite([step, start]).all() or step == 0:
        raise UnreadableFileError(
            f"the pixels of {path.name} lie {step:g} {unit or '(no unit)'} apart, which is no "
            "distance in metres, so its scale is unknown; set the wave scaling in Igor and save it"
        )
    return Axis(start, step, "m")
