"""What the axis of a spectrum is, from what a file says about it: quantity and unit."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """Name of the dimension and the unit of its positions."""

    name: str
    unit: str


UNITS = (
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
"""Spellings (after Unicode normalisation) and the one Motif writes; "" keeps the file's own."""
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
LONGEST = 200
"""Characters of a heading."""
BARE = {
    "cm^-1": "wavenumber", "nm": "wavelength", "eV": "energy", "keV": "energy", "meV": "energy",
    "1/nm": "q", "1/angstrom": "q", "ppm": "chemical_shift",
}  # fmt: skip
"""The quantity a unit alone stands for; a length in um or an angle may be anything."""
_UNIT = [(re.compile(rf"(?:^|[\s(\[/,_:])({spelling})[\s)\]]*$"), unit) for spelling, unit in UNITS]


def parse_axis(text: str, context: str = "") -> Axis | None:
    """The axis a heading declares: ``Raman shift (cm-1)``, ``2θ/°``, ``q [1/Å]``, ``nm``.

    Args:
        text: the heading.
        context: further text of the file; Raman in it turns wavenumbers into Raman shifts.

    Returns:
        None where the text names no unit that belongs to an axis.
    """
    plain = _plain(text)
    for pattern, unit in _UNIT:
        found = pattern.search(plain)
        if found is None:
            continue
        name = _quantity(plain[: found.start(1)].strip(" ([/,_:#"), unit or found.group(1))
        if name == "wavenumber" and "raman" in f"{text} {context}".lower():
            name = "raman_shift"
        if name:
            return Axis(name, unit or found.group(1))
    return None


def declared(quantity: str, unit: str) -> Axis | None:
    """The axis of a quantity and a unit told apart, None where they do not fit."""
    return parse_axis(f"{quantity.replace('_', ' ')} ({unit})")


def _quantity(words: str, unit: str) -> str:
    """Dimension of the quantity called `words`, "" where the unit does not belong to it."""
    if not words:
        return BARE.get(unit, "")
    for pattern, name, units in QUANTITIES:
        if re.search(pattern, words.lower().replace("_", " ")):
            return name if unit in units.split() else ""
    return BARE.get(unit, "") if words.lower() in ("x-axis", "axis", "unit") else ""


def _plain(text: str) -> str:
    """One spelling of superscripts, minus signs, the micro sign and blanks."""
    normal = unicodedata.normalize("NFKC", text[:LONGEST]).replace("−", "-").replace("ϑ", "θ")
    return " ".join(normal.replace('"', " ").split())
