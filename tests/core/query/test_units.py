"""Units as instruments spell them, in the coherent SI unit."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.units import quantity_name, same_dimension, si


@pytest.mark.parametrize(
    ("value", "unit", "expected", "symbol"),
    [
        (2, "um", 2e-6, "m"),
        (2, "µm", 2e-6, "m"),
        (2, "μm", 2e-6, "m"),
        (5, "Å", 5e-10, "m"),
        (5, "Angstrom", 5e-10, "m"),
        (2500, "mV", 2.5, "V"),
        (1, "nN/nm", 1, "N/m"),
        (520, "cm-1", 52_000, "1/m"),
        (520, "1/cm", 52_000, "1/m"),
        (520, "cm⁻¹", 52_000, "1/m"),
        (20, "°C", 293.15, "K"),
        (90, "deg", 1.5707963267948966, "rad"),
        (50, "%", 0.5, ""),
        (30, "mA/cm²", 300, "A/m**2"),
        (30, "mA cm-2", 300, "A/m**2"),
        (256, "pixels", 256, ""),
        (7, "", 7, ""),
        (7, "a.u.", 7, ""),
        (3, "kHz", 3000, "Hz"),
        (1, "kg m^2", 1, "kg*m**2"),
    ],
)
def test_si(value: float, unit: str, expected: float, symbol: str) -> None:
    number, name = si(value, unit)
    assert number == pytest.approx(expected, rel=1e-12)
    assert name == symbol


@pytest.mark.parametrize("unit", ["umm", "m**9**9**9", "nm**99", "dB", "()", "2 m", "m" * 100])
def test_unknown_units_are_refused(unit: str) -> None:
    with pytest.raises(ValueError, match=r"unit|range"):
        si(1.0, unit)


@given(st.text("munVKdegC°%/*^-123 ._()·²", max_size=10))
def test_any_text_is_a_unit_or_a_value_error(unit: str) -> None:
    try:
        _, symbol = si(1.0, unit)
    except ValueError:
        return
    assert same_dimension(symbol, unit)


def test_names() -> None:
    assert quantity_name("pm/V") == "a displacement per voltage"
    assert quantity_name("kg*m") == "a quantity in kg*m"
    assert quantity_name("deg") == "an angle"
    assert quantity_name("bool") == "a pure number"


def test_parsing_without_units_loads_neither_pint_nor_sqlalchemy() -> None:
    code = (
        "import sys; from motif.core.query import parse; parse('has a');"
        "sys.exit(bool({'pint', 'sqlalchemy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
