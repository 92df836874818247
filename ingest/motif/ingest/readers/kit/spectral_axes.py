"""Axes of spectra, as files and sidecars declare them, and spectra on a checked axis."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement


@dataclass(frozen=True)
class SpectralAxis:
    """Name of the dimension, such as ``raman_shift``, and unit of its positions."""

    name: str
    unit: str


ARBITRARY_UNIT = "arb. unit"
UNIT_SPELLINGS = (
    (r"1/cm|/cm|cm\^?\{?-1\}?|cm\*\*-1", "cm^-1"),
    (r"1/nm|/nm|nm\^?\{?-1\}?|nm\*\*-1", "1/nm"),
    (r"1/(?:Å|A|Ang\w*)|(?:Å|A|Ang|angstrom)\^?\{?-1\}?", "1/angstrom"),
    (r"nm|nanomet(?:er|re)s?", "nm"),
    (r"[μu]m|microns?|micromet(?:er|re)s?", "um"),
    (r"Å|[Aa]ngstr[oö]ms?", "angstrom"),
    (r"meV", "meV"),
    (r"keV", "keV"),
    (r"eV", "eV"),
    (r"°|deg\.?|degrees?(?: 2θ)?", "deg"),
    (r"ppm", "ppm"),
    (r"Hz|kHz|MHz|GHz|THz", ""),
    (r"s|sec|seconds?", "s"),
    (r"ms", "ms"),
    (r"min|minutes?", "min"),
    (r"m/z", "1"),
)
"""Spellings (after Unicode normalisation) and the unit of the axis; "" keeps the spelling."""
QUANTITIES = (
    (r"raman|^rel\.?$|^shift$", "raman_shift", "cm^-1"),
    (r"wave ?number", "wavenumber", "cm^-1"),
    (r"wave ?length|^lambda$|^λ$", "wavelength", "nm um angstrom"),
    (r"binding", "binding_energy", "eV meV keV"),
    (r"kinetic", "kinetic_energy", "eV meV keV"),
    (r"energy ?loss", "energy_loss", "eV meV keV"),
    (r"photon|^hν$|^hv$", "photon_energy", "eV meV keV"),
    (r"energy|^e$", "energy", "eV meV keV"),
    (r"2 ?-?_?(?:theta|θ)|two ?theta|^2th$", "two_theta", "deg"),
    (r"^q$|scattering vector|momentum transfer", "q", "1/nm 1/angstrom"),
    (r"chemical shift|^δ$", "chemical_shift", "ppm"),
    (r"freq", "frequency", "Hz kHz MHz GHz THz"),
    (r"^m/z$|mass", "mass_to_charge", "1"),
    (r"^time$|^t$|delay", "time", "s ms min"),
)
"""What a file calls a quantity, the name of the dimension, and the units it may have."""
MAX_HEADING_LENGTH = 200
MAX_CONTEXT_LENGTH = 4000
QUANTITY_OF_UNIT = {
    "cm^-1": "wavenumber", "nm": "wavelength", "eV": "energy", "keV": "energy", "meV": "energy",
    "1/nm": "q", "1/angstrom": "q", "ppm": "chemical_shift",
}  # fmt: skip
"""The quantity a unit alone stands for; a length in um or an angle may be anything."""
_UNITS = [
    (re.compile(rf"(?:^|[\s(\[/,_:])({spelling})[\s)\]]*$"), unit)
    for spelling, unit in UNIT_SPELLINGS
]
_CELL_SEPARATOR = re.compile(r"\t+|\s*[,;]\s*|\s{2,}")
_BRACKETED_UNIT = re.compile(r"[(\[]([^)\]]*)[)\]]\s*$")


def parse_axis(heading: str, context: str = "") -> SpectralAxis | None:
    """The axis a heading declares: ``Raman shift (cm-1)``, ``2θ/°``, ``q [1/Å]``, ``nm``.

    Args:
        heading: the heading.
        context: further text of the file; Raman in it turns wavenumbers into Raman shifts.

    Returns:
        None where the heading names no unit that belongs to an axis.
    """
    plain = _plain(heading)
    for pattern, unit in _UNITS:
        match = pattern.search(plain)
        if match is None:
            continue
        unit = unit or match.group(1)
        name = _dimension(plain[: match.start(1)].strip(" ([/,_:#"), unit)
        if name == "wavenumber" and "raman" in f"{heading} {context}".lower():
            name = "raman_shift"
        if name:
            return SpectralAxis(name, unit)
    return None


def axis_of_quantity(quantity: str, unit: str) -> SpectralAxis | None:
    """The axis of a quantity and a unit; None where they do not belong together."""
    return parse_axis(f"{quantity.replace('_', ' ')} ({unit})")


def axis_from_lines(lines: Sequence[str]) -> tuple[SpectralAxis | None, str]:
    """Axis and unit of the intensities, from the last of some lines that declares one.

    Such a line is ``Raman shift (cm-1), Intensity (counts)`` or ``axis: wavelength (nm)``.
    """
    context = " ".join(lines)[:MAX_CONTEXT_LENGTH]
    for line in reversed(lines):
        cells = [
            cell.strip().strip('"#')
            for cell in _CELL_SEPARATOR.split(line[:MAX_CONTEXT_LENGTH])
            if cell.strip()
        ]
        if cells and (axis := parse_axis(cells[0].partition(":")[2] or cells[0], context)):
            unit = _BRACKETED_UNIT.search(cells[1]) if len(cells) > 1 else None
            return axis, unit[1].strip() if unit else ARBITRARY_UNIT
    return None, ARBITRARY_UNIT


def axis_from_sidecar(declared: Mapping[str, Any]) -> SpectralAxis | None:
    """The axis a sidecar declares as ``axis`` and ``axis_unit``; None where it does not."""
    if "axis_unit" not in declared:
        return None
    return axis_of_quantity(str(declared.get("axis", "")), str(declared["axis_unit"]))


def intensity_unit_from_sidecar(declared: Mapping[str, Any], default: str) -> str:
    """Unit of the intensities that a sidecar declares, or else the default."""
    return str(declared.get("intensity_unit", default)) or ARBITRARY_UNIT


def declaration_hint(file_name: str) -> str:
    """What to do about a text file that does not declare its axis."""
    return (
        'head them with a line like "Raman shift (cm-1), Intensity (counts)" or put '
        f'{{"axis": "raman_shift", "axis_unit": "cm^-1"}} into {file_name}.json next to it'
    )


def _dimension(quantity: str, unit: str) -> str:
    """Name of the dimension of a quantity, "" where the unit does not belong to it."""
    if not quantity:
        return QUANTITY_OF_UNIT.get(unit, "")
    for pattern, name, units in QUANTITIES:
        if re.search(pattern, quantity.lower().replace("_", " ")):
            return name if unit in units.split() else ""
    is_generic = quantity.lower() in ("x-axis", "axis", "unit")
    return QUANTITY_OF_UNIT.get(unit, "") if is_generic else ""


def _plain(heading: str) -> str:
    """One spelling of superscripts, minus signs, the micro sign and blanks."""
    normal = unicodedata.normalize("NFKC", heading[:MAX_HEADING_LENGTH])
    return " ".join(normal.replace("−", "-").replace("ϑ", "θ").replace('"', " ").split())


MAX_POINTS = 1 << 24
"""Points of one spectrum; no spectrometer records more."""
MAX_SPECTRA = 1 << 20
"""Spectra of one file."""


def axis_coordinates(path: Path, axis: SpectralAxis, positions: NDArray[Any]) -> xr.Coordinates:
    """The coordinate of a spectrum.

    Args:
        path: the file.
        axis: name of the dimension and unit of the positions.
        positions: (n,), ascending or descending as measured.

    Raises:
        UnreadableFileError: there are fewer than two positions, some are not finite, or all are
            equal.
    """
    if len(positions) < 2:
        raise UnreadableFileError(
            f"{path.name} has {len(positions)} points, too few for a spectrum; export it again"
        )
    with np.errstate(invalid="ignore", over="ignore"):
        numbers = np.asarray(positions, np.float64)
        bad = int((~np.isfinite(numbers)).sum())
        constant = not bad and numbers.min() == numbers.max()
    if bad or constant:
        fault = (
            f"{bad} of its {len(numbers)} positions are not numbers" if bad else "it is constant"
        )
        raise UnreadableFileError(
            f"the axis of {path.name} ({axis.name}) is damaged: {fault}; export the file again"
        )
    return xr.Coordinates({axis.name: xr.Variable(axis.name, numbers, {"units": axis.unit})})


def spectrum(
    key: str,
    title: str,
    coordinates: xr.Coordinates,
    values: NDArray[Any],
    unit: str,
    facets: Sequence[Facet],
) -> Measurement:
    """One spectrum, kept in the precision it is stored in.

    Args:
        key: identifies the spectrum in its file, such as ``"0"``.
        title: a name for people; the key if empty.
        coordinates: what `axis_coordinates` returned; spectra may share it.
        values: intensities (n,).
        unit: unit of the intensities, ``"arb. unit"`` where the file states none.
        facets: facets with distinct names.
    """
    floats = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    data = xr.DataArray(floats, coordinates, list(coordinates), attrs={"units": unit})
    return Measurement(key, "spectrum", title or key, data, facets)
