"""Physical units: any spelling an instrument uses, converted to the coherent SI unit.

Pint takes about half a second to import, so it is loaded on first use and its registry is kept.
"""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint

_MAX_LENGTH = 64
_SAME = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−\u212b", "0123456789--Å")
_ATOM = r"[^\W\d_%°]+(?:_[^\W\d_%°]+)*|%|°\s?[^\W\d_]?"
_POWER = r"(?:(?:\*\*|\^)?[+-]?\d{1,2}|(?:\*\*|\^)[+-]?\d\.\d{1,2})?"
_FACTOR = rf"(?:1|(?:{_ATOM}){_POWER})"
_SYNTAX = re.compile(rf"{_FACTOR}(?:\s*(?:\*(?!\*)|/|·|\s)\s*{_FACTOR})*")
_ANGLE = frozenset({("[angle]", 1.0)})
_NO_UNIT = frozenset({"", "1", "none", "a.u.", "a. u.", "arb", "arb.", "arb. unit", "arb. units"})
_SPELLINGS = {
    "Å": "angstrom", "Ang": "angstrom", "°": "degree", "deg": "degree",
    "° C": "degC", "°C": "degC", "Celsius": "degC", "%": "percent",
    "px": "count", "pixel": "count", "pixels": "count", "counts": "count",
}  # fmt: skip

# The usual symbol of a coherent SI unit, and the name of its quantity.
_NAMED: tuple[tuple[str, str], ...] = (
    ("m", "a length"), ("s", "a time"), ("kg", "a mass"), ("K", "a temperature"),
    ("A", "a current"), ("mol", "an amount of substance"), ("V", "a voltage"),
    ("Hz", "a frequency"), ("N", "a force"), ("J", "an energy"), ("W", "a power"),
    ("Pa", "a pressure"), ("C", "a charge"), ("F", "a capacitance"), ("ohm", "a resistance"),
    ("S", "a conductance"), ("T", "a magnetic flux density"), ("N/m", "a stiffness"),
    ("m/V", "a displacement per voltage"), ("V/m", "an electric field"), ("m/s", "a speed"),
    ("m**2", "an area"), ("m**3", "a volume"), ("1/m", "a wavenumber"),
    ("A/m**2", "a current density"), ("W/m**2", "an irradiance"), ("C/m**2", "a polarisation"),
)  # fmt: skip


@cache
def registry() -> pint.UnitRegistry[Any]:
    """The one unit registry of the process."""
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True, cache_folder=None)


def si(value: float, unit: str) -> tuple[float, str]:
    """Convert `value` in `unit` to the coherent SI unit: ``si(2, "um") == (2e-6, "m")``.

    Angles become radians, percentages plain fractions, temperatures kelvin.

    Returns:
        The number and the SI unit's name ("m", "V", "N/m", "" for a pure number).

    Raises:
        ValueError: the unit is unknown; the sentence names the nearest known one.
    """
    if is_pure(unit):
        return float(value), ""
    scale, offset, symbol = _conversion(unit)
    return float(value) * scale + offset, symbol


def is_pure(unit: str) -> bool:
    """Whether `unit` denotes a pure number (empty, "1", "a.u.", "arb")."""
    return unit.strip().lower() in _NO_UNIT


def same_dimension(first: str, second: str) -> bool:
    """Whether quantities in the two units can be compared."""
    return _dimension(first) == _dimension(second)


def quantity_name(unit: str) -> str:
    """The name of a quantity in `unit`: "a length", "a voltage", "a pure number"."""
    dimension = _dimension(unit)
    if dimension == _dimension(""):
        return "a pure number"
    if dimension == _ANGLE:
        return "an angle"
    named = _names().get(dimension)
    return named[1] if named else f"a quantity in {si(1.0, unit)[1]}"


@lru_cache(maxsize=1024)
def _conversion(unit: str) -> tuple[float, float, str]:
    """Scale, offset and name of the SI unit for `unit`; both numbers rounded to 15 digits."""
    parsed = _parse(unit)
    quantity = registry().Quantity
    try:
        zero, one, two = (quantity(n, parsed).to_base_units() for n in (0.0, 1.0, 2.0))
    except (OverflowError, ZeroDivisionError) as error:
        raise ValueError(f"{unit!r} is outside the range of numbers.") from error
    offset, scale = float(zero.magnitude), float(one.magnitude - zero.magnitude)
    if not math.isclose(float(two.magnitude - one.magnitude), scale, rel_tol=1e-9):
        raise ValueError(f"{unit!r} is a logarithmic unit; give a linear value.")
    if not 0 < abs(scale) < math.inf:
        raise ValueError(f"{unit!r} is outside the range of numbers.")
    return _rounded(scale), _rounded(offset), _symbol(zero.units)


def _rounded(number: float) -> float:
    # Pint multiplies prefixes and factors one by one; 15 digits remove the accumulated error.
    return float(f"{number:.15g}")


def _symbol(base: Any) -> str:
    if base.dimensionless:
        return "rad" if str(base) == "radian" else ""
    named = _names().get(_frozen(base))
    return named[0] if named else f"{base:~C}"


@lru_cache(maxsize=1024)
def _dimension(unit: str) -> frozenset[tuple[str, float]]:
    if is_pure(unit) or unit == "bool":
        return frozenset()
    parsed = _parse(unit)
    # Angles are pure numbers in the SI, but a scan angle of 30 usually means degrees.
    is_angle = parsed.dimensionless and si(1.0, unit)[1] == "rad"
    return _ANGLE if is_angle else _frozen(parsed)


def _frozen(unit: Any) -> frozenset[tuple[str, float]]:
    return frozenset((str(name), float(power)) for name, power in unit.dimensionality.items())


@cache
def _names() -> dict[frozenset[tuple[str, float]], tuple[str, str]]:
    return {_frozen(registry().parse_units(symbol)): (symbol, name) for symbol, name in _NAMED}


def _parse(unit: str) -> pint.Unit:
    import pint

    text = " ".join(unit.split())
    text = _SPELLINGS.get(text, text).translate(_SAME).replace("Å", "angstrom")
    # The syntax is checked before pint parses it: a file may state the unit m**9**9**9.
    if len(text) > _MAX_LENGTH or not _SYNTAX.fullmatch(text):
        raise ValueError(f"{unit[:_MAX_LENGTH]!r} is not a unit; write one like um, mV, N/m, 1/cm.")
    text = re.sub(r"(?<=[^\W\d_])(?=[+-]?\d)", "**", text).replace("·", "*").replace("^", "**")
    text = re.sub(r"(?<=\w) (?=\w)", "*", text)
    for spelling in (text, text.lower()):
        try:
            return registry().parse_units(spelling)
        except pint.UndefinedUnitError:
            if len(text) < 4:  # "MV" is not "mv", but "Angstrom" is "angstrom"
                break
        except Exception:  # pint raises various errors, such as for "e/e"
            break
    raise ValueError(f"{unit!r} is not a known unit{_nearest(unit)}.")


def _nearest(unit: str) -> str:
    nearest = get_close_matches(unit, _spellings(), n=1, cutoff=0.6)
    return f"; the nearest is {nearest[0]!r}" if nearest else ""


@cache
def _spellings() -> list[str]:
    prefixes = ("", "f", "p", "n", "u", "m", "k", "M", "G")
    stems = ("m", "V", "A", "s", "Hz", "N", "Pa", "J", "W", "K", "eV", "N/m", "m/V", "ohm")
    words = (
        "meter metre micron micrometer nanometer millimeter centimeter angstrom volt millivolt "
        "second minute hour day hertz kilohertz megahertz newton nanonewton kelvin degC degree "
        "radian pascal bar joule watt ampere percent 1/cm cm mm inch"
    )
    return [prefix + stem for stem in stems for prefix in prefixes] + words.split()
