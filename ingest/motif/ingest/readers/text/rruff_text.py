"""RRUFF text files: ``##KEY=value`` lines, then pairs. They are not JCAMP-DX."""

from __future__ import annotations

import re
from pathlib import Path

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.kit import (
    MAX_TEXT_BYTES,
    TEXT_SUFFIXES,
    FacetRule,
    SpectralAxis,
    axis_coordinates,
    check_size,
    facets_by_rules,
    first_of_each_name,
    first_row,
    quantity_facets,
    read_rows,
    spectrum,
    suffix_warnings,
    text_lines,
)

KINDS = (
    ("raman", SpectralAxis("raman_shift", "cm^-1"), "Raman spectroscopy"),
    ("broad_scan", SpectralAxis("raman_shift", "cm^-1"), "Raman spectroscopy"),
    ("infrared", SpectralAxis("wavenumber", "cm^-1"), "infrared spectroscopy"),
    ("powder", SpectralAxis("two_theta", "deg"), "X-ray diffraction"),
    ("x-ray", SpectralAxis("two_theta", "deg"), "X-ray diffraction"),
)
"""Part of the name of a file, its axis and its technique (rruff.info)."""
RULES: tuple[FacetRule, ...] = (
    ("material", "NAMES", None), ("sample", "RRUFFID", None), ("locality", "LOCALITY", None),
    ("chemistry", "IDEAL CHEMISTRY", None), ("status", "STATUS", None),
)  # fmt: skip
_LASER = re.compile(r"__(\d{3,4})__")
_FIRST_LABEL = re.compile(rb"\s*##(NAMES|RRUFFID|IDEAL CHEMISTRY)=")


class RruffText:
    """Reads one spectrum; RRUFF states in the name of a file what it is."""

    name = "rruff-text"
    version = 1
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The first label, and an RRUFF number."""
        return b"##RRUFFID=" in head and _FIRST_LABEL.match(head) is not None

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file; it is refused if its name does not state what it is."""
        check_size(path, MAX_TEXT_BYTES)
        lines = text_lines(path.read_bytes())
        data_start = first_row(lines)
        pairs = [line[2:].partition("=") for line in lines[:data_start] if line.startswith("##")]
        header = [(key.strip(), value.strip()) for key, _, value in pairs]
        file_name = path.name.lower()
        file_kind = next((file_kind for file_kind in KINDS if file_kind[0] in file_name), None)
        if file_kind is None:
            raise UnreadableFileError(
                f"{path.name} is an RRUFF text whose name does not contain Raman, Infrared or "
                "Powder, so the unit of its axis is unknown; rename it as it was downloaded"
            )
        _, axis, technique = file_kind
        table = read_rows(path, lines, data_start)
        if not len(table) or table.shape[1] != 2:
            raise UnreadableFileError(f"{path.name} has no pairs of numbers; download it again")
        facets = [Facet("technique", technique, "file:name"), *facets_by_rules(header, RULES)]
        laser = _LASER.search(path.name)
        if laser and axis.name == "raman_shift":
            (wavelength,) = quantity_facets("laser_wavelength", float(laser[1]), "nm", "")
            facets.append(Facet("laser_wavelength", wavelength.value, "file:name", "m"))
        if "processed" in file_name:
            facets.append(Facet("processing", "processed by RRUFF", "file:name"))
        title = " ".join(filter(None, map(dict(header).get, ("NAMES", "RRUFFID")))) or path.stem
        coordinates = axis_coordinates(path, axis, table[:, 0])
        measurement = spectrum(
            "0", title, coordinates, table[:, 1], "arb. unit", first_of_each_name(facets)
        )
        return Reading(
            [measurement], header, suffix_warnings(path, "an RRUFF text", *TEXT_SUFFIXES)
        )
