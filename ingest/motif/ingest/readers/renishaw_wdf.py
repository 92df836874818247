"""Renishaw WiRE measurements (``.wdf``): single spectra, series and maps."""

from __future__ import annotations

from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers import wdf_blocks as wdf
from motif.ingest.readers.facet_values import once
from motif.ingest.readers.naming import misnamed
from motif.ingest.readers.spectral_axes import Axis
from motif.ingest.readers.spectrum import coordinates, sized, spectrum
from motif.ingest.readers.wdf_facets import common_facets, place_facets
from motif.ingest.readers.wdf_settings import exposure, named, parse_settings

LARGEST = 1 << 31
AXES = {
    1: Axis("raman_shift", "cm^-1"), 2: Axis("wavenumber", "cm^-1"), 3: Axis("wavelength", "nm"),
    4: Axis("photon_energy", "eV"), 5: Axis("wavelength", "um"),
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

    def __call__(self, path: Path) -> Reading:
        """Read the file; an interrupted map gives the spectra that were measured."""
        sized(path, LARGEST, wdf.HEADER_SIZE)
        raw = path.read_bytes()
        blocks = wdf.find_blocks(path, raw)
        header = wdf.read_header(path, raw)
        unit, positions, rows = wdf.read_spectra(path, raw, blocks, header)
        if unit not in AXES:
            raise UnreadableFileError(
                f"the axis of {path.name} is in {wdf.UNITS[unit : unit + 1] or unit}, no spectral "
                "unit; show the data in Raman shift or nm in WiRE and save it again"
            )
        on = coordinates(path, AXES[unit], positions)
        settings = {n: parse_settings(raw[blocks[n]]) for n in SETTINGS if n in blocks}
        origins = wdf.read_origins(raw, blocks, header)
        seconds = exposure(settings.get("WXDM", []), header.accumulations)
        model = next(
            (v for _, v in settings.get("WXIS", []) if isinstance(v, str) and v.isalpha()), ""
        )
        common = list(common_facets(header, unit, seconds, f"Renishaw {model}"))
        many = header.capacity > 1
        title = header.title or path.stem
        intensity = wdf.UNITS[header.unit] if header.unit < len(wdf.UNITS) else "arb. unit"
        measurements = [
            spectrum(
                str(i), f"{title} #{i}" if many else title, on, row, intensity,
                once([*(place_facets(origins, i) if many else ()), *common]),
            )
            for i, row in enumerate(rows)
        ]  # fmt: skip
        notes = misnamed(path, "a Renishaw WiRE file", ".wdf")
        if header.count < header.capacity:
            notes.append(f"interrupted: {header.count} of {header.capacity} spectra were measured")
        pairs = [(key, str(value)) for key, value in vars(header).items()]
        return Reading(measurements, pairs + named(settings.get("WXDA", []), "WXDA"), notes)
