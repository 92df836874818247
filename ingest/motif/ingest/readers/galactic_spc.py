"""Galactic (GRAMS, Thermo) spectra: ``.spc`` of the new format."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers import spc_parts as spc
from motif.ingest.readers.facet_values import once
from motif.ingest.readers.naming import misnamed
from motif.ingest.readers.spc_facets import common_facets, place_facets
from motif.ingest.readers.spc_units import AXES, INTENSITIES
from motif.ingest.readers.spectrum import coordinates, sized, spectrum

LARGEST = 1 << 30
VERSIONS = {0x4C: "with the most significant byte first", 0x4D: "of the format before 1996"}
EVEN = (
    "the axis is evenly spaced, so an instrument with another axis resampled the spectrum when it "
    "exported it; where the original file is at hand, this one is a derivative of it"
)


class GalacticSpc:
    """Reads one or many spectra, each on the axis the file gives it."""

    name = "galactic-spc"
    version = 2
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """A version byte behind the flags, units that exist, and a sensible header."""
        if len(head) < spc.HEADER.size or not (head[1] == 0x4B or head[1] in VERSIONS):
            return False
        if head[1] != 0x4B:
            return name.lower().endswith(".spc")
        counts = spc.HEADER.unpack_from(head)
        return counts[8] in AXES and counts[9] in INTENSITIES and 0 < counts[7] <= 1 << 20

    def __call__(self, path: Path) -> Reading:
        """Read the file; an even axis is remarked, for exporting to it resamples."""
        sized(path, LARGEST, spc.HEADER.size + spc.SUBHEADER.size)
        raw = path.read_bytes()
        if raw[1] != 0x4B:
            raise UnreadableFileError(
                f"{path.name} is a .spc {VERSIONS.get(raw[1], 'of an unknown version')}; open it "
                "in the program it came from and save it as a current .spc"
            )
        header = spc.read_header(path, raw)
        if header.x_unit not in AXES:
            raise UnreadableFileError(
                f"the axis of {path.name} has the unit number {header.x_unit}, which is none of a "
                "spectrum; set the unit of the axis and export it again"
            )
        axis = AXES[header.x_unit]
        log = spc.read_log(raw, header)
        positions, start = spc.read_axis(raw, header)
        own = header.flags & spc.OWN_AXES
        common = xr.Coordinates() if own else coordinates(path, axis, positions)
        facets = list(common_facets(header, log))
        unit = INTENSITIES.get(header.y_unit, "arb. unit")
        many = header.spectra > 1
        title = header.comment or path.stem
        measurements = [
            spectrum(
                str(i), f"{title} #{i}" if many else title,
                common if sub.axis is None else coordinates(path, axis, sub.axis),
                sub.values, unit, once([*place_facets(header, sub), *facets]),
            )
            for i, sub in enumerate(spc.read_subs(path, raw, header, start))
        ]  # fmt: skip
        notes = [] if header.flags & (spc.AXIS | spc.OWN_AXES) else [EVEN]
        return Reading(
            measurements,
            [("comment", header.comment), *log],
            notes + misnamed(path, "an SPC file", ".spc"),
        )
