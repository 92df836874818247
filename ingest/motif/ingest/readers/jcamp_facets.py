"""Axes, units and facets of a JCAMP-DX block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet
from motif.ingest.readers.facet_values import measured, moment, once, text
from motif.ingest.readers.jcamp_blocks import Block
from motif.ingest.readers.jcamp_tables import Curve
from motif.ingest.readers.processing import processing
from motif.ingest.readers.spectral_axes import Axis, parse_axis

AXES = {
    "NANOMETERS": Axis("wavelength", "nm"), "MICROMETERS": Axis("wavelength", "um"),
    "SECONDS": Axis("time", "s"), "MINUTES": Axis("time", "min"), "HZ": Axis("frequency", "Hz"),
    "PPM": Axis("chemical_shift", "ppm"), "M/Z": Axis("mass_to_charge", "1"),
    "MASSUNITS": Axis("mass_to_charge", "1"), "DALTONS": Axis("mass_to_charge", "1"),
    "DEGREES2THETA": Axis("two_theta", "deg"), "2THETA": Axis("two_theta", "deg"),
    "EV": Axis("photon_energy", "eV"), "ELECTRONVOLTS": Axis("photon_energy", "eV"),
}  # fmt: skip
"""Units of the standard by their spelling without blanks."""
INTENSITIES = {
    "ABSORBANCE": "1", "TRANSMITTANCE": "1", "REFLECTANCE": "1", "KUBELKA-MUNK": "1",
    "COUNTS": "count", "%TRANSMITTANCE": "percent", "PERCENTTRANSMITTANCE": "percent",
}  # fmt: skip
TECHNIQUES = (
    ("RAMAN", "Raman spectroscopy"), ("INFRARED", "infrared spectroscopy"),
    ("NMR", "nuclear magnetic resonance"), ("MASS", "mass spectrometry"),
    ("UV", "UV-visible spectroscopy"), ("X-RAY", "X-ray diffraction"),
    ("DIFFRACTION", "X-ray diffraction"), ("FLUORESCENCE", "fluorescence spectroscopy"),
)  # fmt: skip
DATES = (
    "%Y/%m/%d %H:%M:%S.%f %z", "%Y/%m/%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S %z", "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M", "%Y/%m/%d", "%y/%m/%d %H:%M:%S", "%y/%m/%d %H:%M", "%y/%m/%d",
    "%d %b %Y %H:%M:%S", "%d %b %Y", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d",
)  # fmt: skip
"""Spellings that cannot be taken for another date; 5/6/2023 is left in the header."""


def axis_of(path: Path, block: Block, curve: Curve) -> Axis:
    """The axis of a curve.

    Raises:
        UnreadableFileError: its unit is missing or none of a spectrum.
    """
    unit = curve.x_unit
    known = AXES.get(unit.upper().replace(" ", "")) or parse_axis(
        unit.lower() if unit.isupper() else unit, block.labels.get("DATATYPE", "")
    )
    if known is None:
        raise UnreadableFileError(
            f"the axis of {path.name} is in {unit or 'no unit'} (##XUNITS=), which is no unit of a "
            "spectral axis; correct it in the file or export it again"
        )
    return known


def intensity_unit(curve: Curve) -> str:
    """Unit of the intensities; what the standard calls arbitrary is that.

    Transmittance and reflectance are fractions in the standard and percent in many files, which
    then reach far beyond 1.
    """
    unit = INTENSITIES.get(curve.y_unit.upper().replace(" ", ""), "arb. unit")
    fraction = curve.y_unit.upper() in ("TRANSMITTANCE", "REFLECTANCE")
    return "percent" if fraction and np.nanmedian(curve.values) > 2 else unit


def block_facets(block: Block, axis: Axis, y_unit: str) -> list[Facet]:
    """What the records of a block tell."""
    return once(_facets(block.labels, axis, y_unit))


def _facets(labels: dict[str, str], axis: Axis, y_unit: str) -> Iterator[Facet]:
    kind = labels.get("DATATYPE", "").upper()
    for word, technique in TECHNIQUES:
        if word in kind:
            yield Facet("technique", technique, "header:DATA TYPE")
    if y_unit.upper().replace(" ", "") in INTENSITIES:
        yield from text("signal", y_unit.lower(), "YUNITS")
    yield from text("instrument", labels.get("SPECTROMETERDATASYSTEM", ""), "SPECTROMETER")
    yield from text("sample", labels.get("SAMPLEDESCRIPTION", ""), "SAMPLE DESCRIPTION")
    yield from moment(labels.get("LONGDATE", "").split("$$")[0], "LONGDATE", DATES)
    yield from moment(f"{labels.get('DATE', '')} {labels.get('TIME', '')}", "DATE", DATES)
    yield from measured("accumulations", labels.get(".AVERAGES", ""), "", ".AVERAGES")
    yield from processing([labels.get("DATAPROCESSING", "").strip()], "DATA PROCESSING")
    if axis.unit == "cm^-1":
        yield from measured("resolution", labels.get("RESOLUTION", ""), "1/cm", "RESOLUTION")
