"""What the intake refuses of a reading, and what it names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from motif.core.catalog.intake import Intake, NewRecord
from motif.core.errors import UnreadableFileError
from motif.core.reading_contract import check_reading, facet_faults, reading_faults
from motif.core.records import Asset, Facet, Measurement, Reading
from motif.core.testing.fill_workspace import image, spectrum
from motif.core.workspace import Workspace

SCAN = image(np.zeros((2, 4, 4)), ["Height", "Phase"], ["m", "deg"])
CURVE = spectrum(np.ones(4), np.arange(4.0), "1", {"Bi": 0.4, "V": 0.6}, {"P": (1.0, "mW/cm^2")})


def faults(*measurements: Measurement) -> list[str]:
    return list(reading_faults(Reading(measurements)))


def with_facet(*facets: Facet) -> Measurement:
    return replace(SCAN, facets=facets)


def with_axis(name: str, unit: str | None) -> Measurement:
    measurement = SCAN if name in ("x", "y") else CURVE
    data = measurement.data.copy()
    attributes = {} if unit is None else {"units": unit}
    data.coords[name] = (name, data.coords[name].values, attributes)
    return replace(measurement, data=data)


def test_valid_readings_have_no_faults() -> None:
    assert faults() == []
    assert faults(SCAN, CURVE) == []
    assert faults(with_facet(Facet("bias", 2.0, "header:B", "V"))) == []
    assert faults(with_facet(Facet("rotation", 0.1, "header:R", "rad"))) == []
    assert faults(with_facet(Facet("lines", 256.0, "header:L"))) == []
    assert faults(with_axis("x", "pixel"), with_axis("raman_shift", "1/cm")) == []


def test_keys_are_unique_and_not_empty() -> None:
    assert faults(SCAN, SCAN) == ['two measurements have the key "0"']
    assert "key is empty" in faults(replace(SCAN, key=""))[0]


@pytest.mark.parametrize(
    ("measurement", "fault"),
    [
        (replace(SCAN, kind="volume"), 'kind is "volume"'),  # type: ignore[arg-type]
        (replace(SCAN, data=SCAN.data.astype(np.int16)), "values are int16"),
        (replace(CURVE, data=CURVE.data[:0]), "no values"),
        (replace(SCAN, data=SCAN.data.transpose("channel", "x", "y")), "dimensions are"),
        (replace(SCAN, data=SCAN.data.drop_vars("unit")), "no coordinate unit"),
        (image(np.zeros((2, 4, 4)), ["A", "A"], ["m", "m"]), "not distinct names"),
        (with_axis("x", None), "axis x has no unit"),
        (with_axis("y", "nm"), "axis y is in nm instead of m"),
        (with_axis("x", "furlongish"), 'axis x has the unknown unit "furlongish"'),
        (with_axis("raman_shift", None), "axis raman_shift has no unit"),
        (replace(CURVE, data=xr.DataArray(np.ones((2, 2)))), "instead of one axis"),
        (replace(CURVE, data=CURVE.data.drop_vars("raman_shift")), "no coordinate raman_shift"),
        (replace(CURVE, composition={"bismuth": 1.0}), "not an element symbol"),
        (with_facet(Facet("a", 1.0, "h:x"), Facet("a", 2.0, "h:x")), "facet a twice"),
    ],
)
def test_faults_of_measurements(measurement: Measurement, fault: str) -> None:
    (text,) = faults(measurement)
    assert text.startswith(f"measurement {measurement.key}: ")
    assert fault in text


@pytest.mark.parametrize(
    ("facet", "fault"),
    [
        (Facet("Scan Size", 1.0, "h:x", "m"), "not lower case"),
        (Facet("bias", 1.0, ""), "has no origin"),
        (Facet("mode", "PFM", "h:x", "m"), "without being a number"),
        (Facet("bias", float("nan"), "h:x", "V"), "finite number"),
        (Facet("bias", None, "h:x", "V"), "finite number"),  # type: ignore[arg-type]
        (Facet("scan_size", 5.0, "h:x", "um"), "has the unit um, which is m in SI"),
        (Facet("temperature", 25.0, "h:x", "degC"), "which is K in SI"),
        (Facet("share", 5.0, "h:x", "percent"), "which is a pure number in SI"),
        (Facet("speed", 5.0, "h:x", "warp"), "which is not a known unit"),
    ],
)
def test_faults_of_facets(facet: Facet, fault: str) -> None:
    (text,) = facet_faults(facet)
    assert fault in text


def test_the_error_names_reader_and_fault() -> None:
    with pytest.raises(UnreadableFileError, match=r'Reader wsxm .* the key "0"; report it'):
        check_reading(Reading([SCAN, SCAN]), "wsxm")


def test_the_intake_stores_nothing_of_an_invalid_reading(workspace: Workspace) -> None:
    intake = Intake(workspace, "s", "pfm", workspace.mapper())
    new = [
        NewRecord(Asset("good", "good", "1", "1"), Reading([CURVE]), "txt", 1, "00", 1),
        NewRecord(Asset("bad", "bad", "1", "1"), Reading([SCAN, SCAN]), "wsxm", 1, "01", 1),
    ]
    with pytest.raises(UnreadableFileError, match="wsxm"):
        intake.commit(new, (), ())
    assert workspace.catalog.records() == []
    intake.commit(new[:1], (), ())
    assert [record.native_id for record in workspace.catalog.records()] == ["good"]
