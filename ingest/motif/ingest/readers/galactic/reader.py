"""Galactic (GRAMS, Thermo) spectra: ``.spc`` of the new format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import xarray as xr

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header, Reading
from motif.ingest.readers.galactic import spc_format as spc
from motif.ingest.readers.galactic.spc_format import AXES, INTENSITIES, SERIES, SIGNALS
from motif.ingest.readers.kit import (
    FacetRule,
    axis_coordinates,
    check_size,
    datetime_facets,
    facets_by_rules,
    first_of_each_name,
    processing_by_settings,
    quantity_facets,
    spectrum,
    suffix_warnings,
    text_facets,
)

LARGEST = 1 << 30
VERSIONS = {0x4C: "with the most significant byte first", 0x4D: "of the format before 1996"}
EVEN = (
    "the axis is evenly spaced, so an instrument with another axis resampled the spectrum when it "
    "exported it; if the original file is available, this one is a derivative of it"
)


class GalacticSpc:
    """Reads one or many spectra, each on its axis in the file."""

    name = "galactic-spc"
    version = 2
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """A version byte after the flags, known units, and a plausible number of spectra."""
        if len(head) < spc.HEADER.size or not (head[1] == 0x4B or head[1] in VERSIONS):
            return False
        if head[1] != 0x4B:
            return name.lower().endswith(".spc")
        counts = spc.HEADER.unpack_from(head)
        return counts[8] in AXES and counts[9] in INTENSITIES and 0 < counts[7] <= 1 << 20

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file; an even axis gives a warning, since exporting to it resamples."""
        check_size(path, LARGEST, spc.HEADER.size + spc.SUBHEADER.size)
        raw = path.read_bytes()
        if raw[1] != 0x4B:
            raise UnreadableFileError(
                f"{path.name} is a .spc {VERSIONS.get(raw[1], 'of an unknown version')}; open it "
                "in the program it came from and save it as an .spc of the new format"
            )
        header = spc.read_header(path, raw)
        if header.x_unit not in AXES:
            raise UnreadableFileError(
                f"the axis of {path.name} has the unit number {header.x_unit}, which is not one "
                "of a spectrum; set the unit of the axis and export it again"
            )
        axis = AXES[header.x_unit]
        log = spc.read_log(raw, header)
        positions, start = spc.read_axis(raw, header)
        has_own_axes = header.flags & spc.OWN_AXES
        common = xr.Coordinates() if has_own_axes else axis_coordinates(path, axis, positions)
        facets = list(common_facets(header, log))
        unit = INTENSITIES.get(header.y_unit, "arb. unit")
        is_series = header.spectra > 1
        title = header.comment or path.stem
        measurements = [
            spectrum(
                str(i), f"{title} #{i}" if is_series else title,
                common if subfile.axis is None else axis_coordinates(path, axis, subfile.axis),
                subfile.values, unit,
                first_of_each_name([*series_facets(header, subfile), *facets]),
            )
            for i, subfile in enumerate(spc.read_spectra(path, raw, header, start))
        ]  # fmt: skip
        warnings = [] if header.flags & (spc.AXIS | spc.OWN_AXES) else [EVEN]
        return Reading(
            measurements,
            [("comment", header.comment), *log],
            warnings + suffix_warnings(path, "an SPC file", ".spc"),
        )


RULES: tuple[FacetRule, ...] = (
    ("operator", "Operator", None), ("laser_wavelength", "Laser", "nm"),
    ("exposure_time", "Exposure_time", "ms"), ("accumulations", "Accumulations", ""),
    ("instrument", "Instrument", None), ("grating", "Grating_grooves", None),
    ("laser_power_setting", "Laser_power", None),
)  # fmt: skip
"""Keys that Renishaw and Thermo write into the log."""
STEPS = (("Cosmic_ray_removal", "cosmic ray removal"), ("Smoothing", "smoothing"))


def series_facets(header: spc.SpcHeader, subfile: spc.SpcSpectrum) -> Iterator[Facet]:
    """The position of a spectrum in a series."""
    if header.spectra > 1 and header.z_unit in SERIES:
        name, unit = SERIES[header.z_unit]
        yield from quantity_facets(name, subfile.z, unit, "subtime")


def common_facets(header: spc.SpcHeader, log: Header) -> Iterator[Facet]:
    """What header and log state about all spectra of a file."""
    if header.x_unit == 13:
        yield Facet("technique", "Raman spectroscopy", "header:fxtype")
    yield from text_facets("signal", SIGNALS.get(header.y_unit, ""), "fytype")
    yield from facets_by_rules(log, RULES)
    yield from processing_by_settings(log, STEPS)
    if header.acquired:
        yield from datetime_facets(header.acquired, "fdate", str(header.acquired))
