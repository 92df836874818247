"""Tables of a JCAMP-DX block as axes and intensities, checked against what it declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet
from motif.ingest.readers.jcamp.jcamp_format import (
    AsdfTable,
    DamagedTableError,
    JcampBlock,
    decode,
    pairs,
)
from motif.ingest.readers.kit import (
    SpectralAxis,
    first_of_each_name,
    moment_facets,
    parse_axis,
    processing_facets,
    quantity_text_facets,
    text_facets,
)

MAX_POINTS = 1 << 20
FORM = re.compile(r"\(\s*([A-Z])(\+\+\(([A-Z])\.\.\3\)|([A-Z])\.\.\1\4)\s*\)", re.IGNORECASE)


@dataclass(frozen=True)
class JcampCurve:
    """One spectrum as the block describes it."""

    page: str
    positions: NDArray[np.float64]
    values: NDArray[np.float64]
    x_unit: str
    y_unit: str
    warnings: tuple[str, ...] = ()


def curves(path: Path, block: JcampBlock) -> Iterator[JcampCurve]:
    """Yield the curves of a block.

    Raises:
        UnreadableFileError: a table has an unknown form, is damaged, or has another number of
            points than the block declares.
    """
    labels = block.labels
    for table, lines in zip(block.tables, block.lines, strict=True):
        form = FORM.search(table["FORM"])
        if form is None:
            raise UnreadableFileError(
                f"{path.name} has its data as {table['FORM'] or 'nothing'}, which is not a "
                "spectrum; export it as XYDATA=(X++(Y..Y))"
            )
        given = _table_labels(labels, table, form[1].upper(), (form[3] or form[4]).upper())
        most = _points(path, given)
        try:
            with np.errstate(all="ignore"):  # extreme factors give infinities, which axes refuse
                if form[3]:
                    curve = _evenly(table, given, decode(lines, most), most)
                else:
                    curve = _paired(table, given, pairs(lines, most), most)
            yield curve
        except DamagedTableError as error:
            raise UnreadableFileError(
                f"{path.name} is damaged: {error}; export it again"
            ) from error


def _table_labels(
    labels: Mapping[str, str], table: Mapping[str, str], x: str, y: str
) -> dict[str, str]:
    """First, last, factors, units and points of the variables of one table."""
    if "SYMBOL" not in labels:
        names = ("FIRSTX", "LASTX", "XFACTOR", "YFACTOR", "XUNITS", "YUNITS", "NPOINTS", "FIRSTY")
        return {name: labels.get(name, "") for name in names}
    symbols = [symbol.strip().upper() for symbol in labels["SYMBOL"].split(",")]

    def of(label: str, symbol: str) -> str:
        values = [value.strip() for value in labels.get(label, "").split(",")]
        index = symbols.index(symbol) if symbol in symbols else len(values)
        return values[index] if index < len(values) else ""

    return {
        "FIRSTX": of("FIRST", x), "LASTX": of("LAST", x), "XFACTOR": of("FACTOR", x),
        "YFACTOR": of("FACTOR", y), "XUNITS": of("UNITS", x), "YUNITS": of("UNITS", y),
        "NPOINTS": table.get("NPOINTS") or of("VARDIM", y), "FIRSTY": "",
    }  # fmt: skip


def _points(path: Path, given: Mapping[str, str]) -> int:
    declared = _number(given["NPOINTS"])
    if not 2 <= declared <= MAX_POINTS:
        raise UnreadableFileError(
            f"{path.name} declares {given['NPOINTS'] or 'no'} points (##NPOINTS=), so it cannot be "
            "checked whether its spectrum is complete; export it again"
        )
    return int(declared)


def _evenly(
    table: Mapping[str, str], given: Mapping[str, str], decoded: AsdfTable, points: int
) -> JcampCurve:
    """A table of ordinates at even steps from the first to the last abscissa."""
    first, last = _number(given["FIRSTX"]), _number(given["LASTX"])
    if not np.isfinite([first, last]).all():
        raise DamagedTableError("it does not state where its axis begins and ends")
    _count(len(decoded.values), points)
    positions = np.linspace(first, last, points)
    step = abs(last - first) / (points - 1)
    factor = _factor(given["XFACTOR"])
    index = np.array([min(i, points - 1) for i, _ in decoded.abscissae])
    written = np.array([x for _, x in decoded.abscissae]) * factor
    # Abscissae are written with few digits: they may deviate by one step of the axis and one digit.
    deviation = np.abs(positions[index] - written)
    if (deviation > 1.5 * step + abs(factor)).any():
        line = int(np.argmax(deviation))
        raise DamagedTableError(
            f"its data line {line + 1} begins at {written[line]:g} where point {index[line] + 1} "
            f"is at {positions[index[line]]:g}"
        )
    values = np.array(decoded.values) * _factor(given["YFACTOR"])
    return JcampCurve(
        table.get("PAGE", ""), positions, values, given["XUNITS"], given["YUNITS"],
        _first_value_warnings(given, values),
    )  # fmt: skip


def _paired(
    table: Mapping[str, str], given: Mapping[str, str], numbers: NDArray[Any], points: int
) -> JcampCurve:
    """A table of pairs."""
    _count(len(numbers), points)
    positions = numbers[:, 0] * _factor(given["XFACTOR"])
    values = numbers[:, 1] * _factor(given["YFACTOR"])
    return JcampCurve(
        table.get("PAGE", ""), positions, values, given["XUNITS"], given["YUNITS"],
        _first_value_warnings(given, values),
    )  # fmt: skip


def _count(count: int, declared: int) -> None:
    if count != declared:
        raise DamagedTableError(f"it declares {declared:,} points and has {count:,}")


def _first_value_warnings(given: Mapping[str, str], values: NDArray[np.float64]) -> tuple[str, ...]:
    first = _number(given["FIRSTY"])
    if np.isfinite(first) and abs(first - values[0]) > 0.01 * np.nanmax(np.abs(values)):
        return (f"##FIRSTY= says {first:g} and the first intensity is {values[0]:g}",)
    return ()


def _factor(text: str) -> float:
    factor = _number(text)
    return factor if np.isfinite(factor) and factor else 1.0


def _number(text: str) -> float:
    try:
        return float("nan" if "_" in text else text.split()[0])
    except (ValueError, IndexError):
        return float("nan")


AXES = {
    "NANOMETERS": SpectralAxis("wavelength", "nm"), "MICROMETERS": SpectralAxis("wavelength", "um"),
    "SECONDS": SpectralAxis("time", "s"), "MINUTES": SpectralAxis("time", "min"),
    "HZ": SpectralAxis("frequency", "Hz"),
    "PPM": SpectralAxis("chemical_shift", "ppm"), "M/Z": SpectralAxis("mass_to_charge", "1"),
    "MASSUNITS": SpectralAxis("mass_to_charge", "1"),
    "DALTONS": SpectralAxis("mass_to_charge", "1"),
    "DEGREES2THETA": SpectralAxis("two_theta", "deg"), "2THETA": SpectralAxis("two_theta", "deg"),
    "EV": SpectralAxis("photon_energy", "eV"), "ELECTRONVOLTS": SpectralAxis("photon_energy", "eV"),
}  # fmt: skip
"""Axes by the units of the standard, spelled without blanks."""
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
"""Unambiguous spellings; 5/6/2023 is kept in the header alone."""


def axis_of(path: Path, block: JcampBlock, curve: JcampCurve) -> SpectralAxis:
    """The axis of a curve.

    Raises:
        UnreadableFileError: its unit is missing or not one of a spectrum.
    """
    unit = curve.x_unit
    axis = AXES.get(unit.upper().replace(" ", "")) or parse_axis(
        unit.lower() if unit.isupper() else unit, block.labels.get("DATATYPE", "")
    )
    if axis is None:
        raise UnreadableFileError(
            f"the axis of {path.name} is in {unit or 'no unit'} (##XUNITS=), which is not a unit "
            "of a "
            "spectral axis; correct it in the file or export it again"
        )
    return axis


def intensity_unit(curve: JcampCurve) -> str:
    """Unit of the intensities.

    Transmittance and reflectance are fractions in the standard and percent in many files, which
    then reach far beyond 1.
    """
    unit = INTENSITIES.get(curve.y_unit.upper().replace(" ", ""), "arb. unit")
    fraction = curve.y_unit.upper() in ("TRANSMITTANCE", "REFLECTANCE")
    return "percent" if fraction and np.nanmedian(curve.values) > 2 else unit


def block_facets(block: JcampBlock, axis: SpectralAxis, y_unit: str) -> list[Facet]:
    """What the records of a block state."""
    return first_of_each_name(_facets(block.labels, axis, y_unit))


def _facets(labels: dict[str, str], axis: SpectralAxis, y_unit: str) -> Iterator[Facet]:
    data_type = labels.get("DATATYPE", "").upper()
    for fragment, technique in TECHNIQUES:
        if fragment in data_type:
            yield Facet("technique", technique, "header:DATA TYPE")
    if y_unit.upper().replace(" ", "") in INTENSITIES:
        yield from text_facets("signal", y_unit.lower(), "YUNITS")
    yield from text_facets("instrument", labels.get("SPECTROMETERDATASYSTEM", ""), "SPECTROMETER")
    yield from text_facets("sample", labels.get("SAMPLEDESCRIPTION", ""), "SAMPLE DESCRIPTION")
    yield from moment_facets(labels.get("LONGDATE", "").split("$$")[0], "LONGDATE", DATES)
    yield from moment_facets(f"{labels.get('DATE', '')} {labels.get('TIME', '')}", "DATE", DATES)
    yield from quantity_text_facets("accumulations", labels.get(".AVERAGES", ""), "", ".AVERAGES")
    yield from processing_facets([labels.get("DATAPROCESSING", "").strip()], "DATA PROCESSING")
    if axis.unit == "cm^-1":
        yield from quantity_text_facets(
            "resolution", labels.get("RESOLUTION", ""), "1/cm", "RESOLUTION"
        )
