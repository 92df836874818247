"""Renishaw WiRE measurements (``.wdf``): single spectra, series and maps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.kit import (
    SpectralAxis,
    axis_coordinates,
    check_size,
    filetime_facets,
    first_of_each_name,
    processing_facets,
    quantity_facets,
    spectrum,
    suffix_warnings,
    text_facets,
)
from motif.ingest.readers.renishaw import wdf_blocks as wdf
from motif.ingest.readers.renishaw.wdf_blocks import exposure, named_settings, parse_settings

LARGEST = 1 << 31
AXES = {
    1: SpectralAxis("raman_shift", "cm^-1"), 2: SpectralAxis("wavenumber", "cm^-1"),
    3: SpectralAxis("wavelength", "nm"),
    4: SpectralAxis("photon_energy", "eV"), 5: SpectralAxis("wavelength", "um"),
}  # fmt: skip
SETTINGS = ("WXDM", "WXDA", "WXIS")
"""Blocks of settings: of the measurement, of its acquisition, of the instrument."""


class RenishawWdf:
    """Reads every spectrum that was measured, in order, on the axis as stored (descending).

    Spectra of a map carry their position on the stage in metres as ``map_x`` and ``map_y``.
    """

    name = "renishaw-wdf"
    version = 2

    def recognises(self, head: bytes, name: str) -> bool:
        """The first block is the header and has its fixed size."""
        return head[:4] == b"WDF1" and head[8:16] == wdf.HEADER_SIZE.to_bytes(8, "little")

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file; of an interrupted map, the spectra that were measured."""
        check_size(path, LARGEST, wdf.HEADER_SIZE)
        raw = path.read_bytes()
        blocks = wdf.find_blocks(path, raw)
        header = wdf.read_header(path, raw)
        unit, positions, rows = wdf.read_spectra(path, raw, blocks, header)
        if unit not in AXES:
            unit_name = wdf.UNITS[unit] if unit < len(wdf.UNITS) else f"unit {unit}"
            raise UnreadableFileError(
                f"the axis of {path.name} is in {unit_name}, which is not a unit of spectra; show "
                "the data in Raman shift or nm in WiRE and save it again"
            )
        coordinates = axis_coordinates(path, AXES[unit], positions)
        settings = {n: parse_settings(raw[blocks[n]]) for n in SETTINGS if n in blocks}
        origins = wdf.read_origins(raw, blocks, header)
        seconds = exposure(settings.get("WXDM", []), header.accumulations)
        model = next(
            (v for _, v in settings.get("WXIS", []) if isinstance(v, str) and v.isalpha()), ""
        )
        common = list(common_facets(header, unit, seconds, f"Renishaw {model}"))
        is_series = header.capacity > 1
        title = header.title or path.stem
        intensity = wdf.UNITS[header.unit] if header.unit < len(wdf.UNITS) else "arb. unit"
        measurements = [
            spectrum(
                str(i), f"{title} #{i}" if is_series else title, coordinates, row, intensity,
                first_of_each_name([*(origin_facets(origins, i) if is_series else ()), *common]),
            )
            for i, row in enumerate(rows)
        ]  # fmt: skip
        warnings = suffix_warnings(path, "a Renishaw WiRE file", ".wdf")
        if header.count < header.capacity:
            warnings.append(
                f"interrupted: {header.count} of {header.capacity} spectra were measured"
            )
        pairs = [(key, str(value)) for key, value in vars(header).items()]
        return Reading(
            measurements, pairs + named_settings(settings.get("WXDA", []), "WXDA"), warnings
        )


ORIGIN_FACETS = {wdf.X: "map_x", wdf.Y: "map_y", wdf.Z: "map_z", 9: "temperature"}


def common_facets(
    header: wdf.WdfHeader, unit: int, seconds: float | None, model: str
) -> Iterator[Facet]:
    """What the header and settings state about all spectra of a file."""
    if unit == 1:
        yield Facet("technique", "Raman spectroscopy", "header:XLST.unit")
    yield from text_facets("instrument", model, "WXIS")
    yield from text_facets("operator", header.user, "user")
    yield from filetime_facets(header.started, "started")
    if header.laser_wavelength:
        yield from quantity_facets("laser_wavelength", header.laser_wavelength, "m", "laser")
    yield from quantity_facets("accumulations", header.accumulations, "", "accumulations")
    yield from processing_facets(
        ["cosmic ray removal"] if header.flags & wdf.COSMIC_RAYS_REMOVED else [], "flags"
    )
    if seconds:
        yield from quantity_facets("exposure_time", seconds, "s", "WXDM.Scan")


def origin_facets(origins: list[wdf.WdfOrigin], index: int) -> Iterator[Facet]:
    """Time and position of one spectrum of a map or series."""
    for origin in origins:
        if origin.kind == wdf.TIME:
            yield from filetime_facets(int(origin.ticks[index]), "ORGN.Time")
        elif origin.kind in ORIGIN_FACETS:
            value = float(origin.values[index])
            yield from quantity_facets(
                ORIGIN_FACETS[origin.kind], value, origin.unit, f"ORGN.{origin.name}"
            )
