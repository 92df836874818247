import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.ingest.readers.kit import (
    SpectralAxis,
    atomic_fractions,
    axis_of_quantity,
    filetime_facets,
    moment_facets,
    parse_axis,
    parse_row,
    quantity_facets,
    quantity_text_facets,
    text_facets,
)


@pytest.mark.parametrize(
    ("heading", "name", "unit"),
    [
        ("Raman shift (cm-1)", "raman_shift", "cm^-1"),
        ("Raman shift / cm⁻¹", "raman_shift", "cm^-1"),
        ("wavenumber [1/cm]", "wavenumber", "cm^-1"),
        ("cm-¹", "wavenumber", "cm^-1"),
        ("Wavelength [nm]", "wavelength", "nm"),
        ("Wavelength (µm)", "wavelength", "um"),
        ("λ, Å", "wavelength", "angstrom"),
        ("nm", "wavelength", "nm"),
        ("Photon energy (meV)", "photon_energy", "meV"),
        ("binding energy, eV", "binding_energy", "eV"),
        ("energy loss (eV)", "energy_loss", "eV"),
        ("2θ (°)", "two_theta", "deg"),
        ("2-Theta [deg]", "two_theta", "deg"),
        ("two_theta (deg)", "two_theta", "deg"),
        ("q (1/Å)", "q", "1/angstrom"),
        ("Q [nm^-1]", "q", "1/nm"),
        ("Frequency (THz)", "frequency", "THz"),
        ("Time (s)", "time", "s"),
        ("m/z", None, None),
        ("Wave", None, None),
        ("Angle (deg)", None, None),
        ("position (um)", None, None),
        ("Wavelength (eV)", None, None),
        ("Intensity (counts)", None, None),
        ("dims", None, None),
        ("", None, None),
    ],
)
def test_headings_declare_an_axis_or_none(heading: str, name: str | None, unit: str | None) -> None:
    assert parse_axis(heading) == (SpectralAxis(name, unit or "") if name else None)


def test_raman_in_the_context_makes_a_wavenumber_a_shift() -> None:
    assert parse_axis("cm-1", "Raman of film 3") == SpectralAxis("raman_shift", "cm^-1")
    assert parse_axis("rel. 1/cm") == SpectralAxis("raman_shift", "cm^-1")
    assert axis_of_quantity("photon_energy", "eV") == SpectralAxis("photon_energy", "eV")
    assert axis_of_quantity("photon_energy", "nm") is None


@given(st.text(), st.text())
def test_any_text_is_an_axis_or_none(heading: str, context: str) -> None:
    axis = parse_axis(heading, context)
    assert axis is None or (axis.name and axis.unit)


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("1 2", [1, 2]), ("1,2", [1, 2]), ("1, 2,", [1, 2]), ("1;2", [1, 2]),
        ("1\t-2e3", [1, -2000]),
        ("1,5;2,5", [1.5, 2.5]), ("1,5\t2,5", [1.5, 2.5]), ("1.5,2.5", [1.5, 2.5]),
        (".5 nan", None), ("1_0 2", None), ("1 2 x", None), ("", None), ("--1 2", None), ("7", [7]),
    ],
)  # fmt: skip
def test_rows_of_numbers(line: str, numbers: list[float] | None) -> None:
    found = parse_row(line)
    if "nan" in line:
        assert found is not None
        assert found[0] == 0.5
    else:
        assert found == numbers


@given(st.text("0123456789.,; \te+-na", max_size=60))
def test_any_line_is_numbers_or_none(line: str) -> None:
    found = parse_row(line)
    assert found is None or all(isinstance(number, float) for number in found)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("532nm", "nm", (532e-9, "m")),
        ("Laser: 785 nm edge", "nm", (785e-9, "m")),
        ("785.02", "nm", (785.02e-9, "m")),
        ("Time: 3000", "ms", (3.0, "s")),
        ("0.5 s", "ms", (0.5, "s")),
        ("600 l/mm", "1/mm", None),
        ("532 V", "nm", None),
        ("off", "nm", None),
    ],
)
def test_numbers_with_units_in_text(value: str, unit: str, expected: object) -> None:
    found = next(iter(quantity_text_facets("x", value, unit, "Key")), None)
    assert (found and (found.value, found.unit)) == expected


def test_unknown_values_give_no_facet() -> None:
    assert not list(text_facets("x", " ? ", "k"))
    assert not list(quantity_facets("x", float("nan"), "m", "k"))
    assert not list(quantity_facets("x", 1.0, "wombats", "k"))
    assert not list(moment_facets("31/31/2020", "k", ("%d/%m/%Y",)))
    assert not list(filetime_facets(0, "k"))
    assert not list(filetime_facets(1 << 62, "k"))
    assert [
        f.value for f in moment_facets("2020-01-02 03:04 +0200", "k", ("%Y-%m-%d %H:%M %z",))
    ] == ["2020-01-02T01:04:00Z"]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("Bi V O4", {"Bi": 1 / 6, "V": 1 / 6, "O": 4 / 6}),
        ("Al0.5 Ga1.5", {"Al": 0.25, "Ga": 0.75}),
        ("Ti_1.00_O_2_", {}),
        ("Xx2", {}),
        ("O0", {}),
        ("", {}),
    ],
)
def test_sum_formulas(formula: str, expected: dict[str, float]) -> None:
    assert atomic_fractions(formula) == pytest.approx(expected)
