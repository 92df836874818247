"""Files of real microscopes: what they hold in physical units, or why they are refused."""

import os
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.records import Measurement, Reading
from motif.core.testing.reader_tests import check_facet, check_measurement
from motif.ingest.readers import choose
from motif.ingest.readers.gwyddion.reader import Gwyddion
from motif.ingest.readers.gwyddion.simple_field import SimpleField
from motif.ingest.readers.hdf5.reader import Hdf5
from motif.ingest.readers.nanonis.nanonis_3ds import NanonisGrid
from motif.ingest.readers.nanonis.nanonis_dat import NanonisSpectrum
from motif.ingest.readers.nanonis.nanonis_sxm import NanonisScan
from motif.ingest.readers.nanoscope.reader import Nanoscope
from motif.ingest.readers.pictures.picture_file import PictureFile
from motif.ingest.readers.pictures.tiff_file import Tiff

READERS = (
    SimpleField(), Gwyddion(), Hdf5(), NanonisGrid(), NanonisSpectrum(), NanonisScan(),
    Nanoscope(), PictureFile(), Tiff(),
)  # fmt: skip
DATA = Path(os.environ.get("MOTIF_REAL_DATA", Path(__file__).parents[3].parent / "shared" / "data"))


def read(name: str) -> Reading:
    path = DATA / "spm" / name
    if not path.is_file():
        pytest.skip(f"needs the real file {name} under MOTIF_REAL_DATA ({DATA})")
    reading = choose(path, READERS)(path)
    for measurement in reading.measurements:
        check_measurement(measurement)
        for facet in measurement.facets:
            check_facet(facet)
    return reading


def planes(image: Measurement) -> dict[str, str]:
    names, units = image.data["channel"].values, image.data["unit"].values
    return {str(name): str(unit) for name, unit in zip(names, units, strict=True)}


def facets(image: Measurement) -> dict[str, object]:
    return {facet.name: facet.value for facet in image.facets}


def test_pfm_of_lead_titanate_saved_by_gwyddion() -> None:
    reading = read("PTO_110_Virgin0001.gwy")
    (image,) = reading.measurements
    assert planes(image) == {
        "HeightRetrace": "m", "AmplitudeRetrace": "m", "DeflectionRetrace": "m",
        "PhaseRetrace": "deg",
    }  # fmt: skip
    assert image.data.shape == (4, 256, 256)
    assert float(image.data["x"][-1]) == pytest.approx(1e-5, rel=1e-12), "pixel = size / (n - 1)"
    phase = image.data.sel(channel="PhaseRetrace")
    assert float(phase.min()) == pytest.approx(-89.98, abs=0.01)
    assert float(phase.max()) == pytest.approx(269.94, abs=0.01)
    values = facets(image)
    assert values["scan_size"] == 1e-5
    assert values["technique"] == "Piezoresponse force microscopy"
    assert values["instrument"] == "Cypher"
    assert values["acquired_at"] == "2023-12-20T11:44:03"
    assert len(reading.header) == 607


def test_the_same_chip_in_both_formats_of_gwyddion() -> None:
    (old,) = read("GwiddionReader_chip.gwy").measurements
    (simple,) = read("GwiddionReader_chip.gsf").measurements
    assert planes(simple) == {"Topography": "m"}
    assert list(planes(old).values()) == ["m"], "written as nm, kept in metres"
    np.testing.assert_allclose(old.data.values, simple.data.values, atol=1e-11)
    for axis in "xy":
        np.testing.assert_allclose(old.data[axis], simple.data[axis], rtol=1e-12)
        assert float(simple.data[axis][-1]) == pytest.approx(8e-5 * 299 / 300)


def test_a_nanonis_scan_shows_the_same_forward_and_backward() -> None:
    (image,) = read("A151216.123306-02602.sxm").measurements
    assert len(planes(image)) == 18
    assert planes(image)["CurrentRetrace"] == "A"
    assert planes(image)["PhaseTrace"] == "deg"
    forward, backward = (image.data.sel(channel=f"Current{way}") for way in ("Trace", "Retrace"))
    assert np.corrcoef(forward.values.ravel(), backward.values.ravel())[0, 1] > 0.98
    values = facets(image)
    assert values["scan_size"] == 2e-9
    assert values["acquired_at"] == "2015-12-16T11:39:44"
    assert values["technique"] == "Scanning tunnelling microscopy"
    assert values["bias"] == -9e-4


def test_a_grid_of_spectra_under_the_name_of_a_scan() -> None:
    reading = read("MISNAMED_NanonisSXM.sxm")
    assert len(reading.measurements) == 30 * 30 * 4
    first, last = reading.measurements[0], reading.measurements[-1]
    assert first.data["bias"].values[[0, -1]] == pytest.approx([-0.22, 0.22])
    assert (first.data.attrs["units"], last.data.attrs["units"]) == ("A", "V")
    assert facets(first)["map_x"] == pytest.approx(8.0991e-8, rel=1e-5)
    assert any(
        "is a Nanonis grid of spectra in spite of" in warning for warning in reading.warnings
    )


def test_usid_metadata_are_those_of_the_measurement() -> None:
    reading = read("SingFreqPFM_0003.h5")
    (image,) = reading.measurements
    assert planes(image) == {
        "HeightRetrace": "m", "AmplitudeRetrace": "m", "DeflectionRetrace": "m",
        "PhaseRetrace": "deg",
    }  # fmt: skip
    assert float(image.data["x"][-1]) == pytest.approx(5e-6)
    values = facets(image)
    assert values["mode"] == "PFM Mode"
    assert values["acquired_at"] == "2015-02-06T10:39:35", "the root states 2015-10-05"
    assert "material" not in values
    assert ("/sample_name", "PZT") in reading.header


def test_a_simulated_picture_and_its_mistaken_unit() -> None:
    reading = read("simulated_STEM_Image.h5")
    (image,) = reading.measurements
    assert facets(image)["simulated"] is True
    assert "instrument" not in facets(image), "the root claims an AFM"
    assert float(image.data["x"][-1]) == pytest.approx(5e-9, rel=1e-6)
    assert any("taken as 5e-09 m" in warning for warning in reading.warnings)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("20200904_Egel4-Z1.0_00025.spm", "force curve of 1024 points with channels Deflection"),
        ("BrukerReader_ForceCurve_Sapphire_TAP525.001", "force curve of 512 points"),
        ("bruker_data_header.000", "the header of 2 Nanoscope images without their data"),
    ],
)
def test_other_content_is_refused_by_name(name: str, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        read(name)


def test_a_real_header_scales_data_appended_to_it(tmp_path: Path) -> None:
    path = DATA / "spm" / "bruker_data_header.000"
    if not path.is_file():
        pytest.skip(f"needs the real file {path.name} under MOTIF_REAL_DATA ({DATA})")
    data = np.arange(2 * 512 * 512, dtype=np.int64).astype("<i2")
    (tmp_path / "a.000").write_bytes(path.read_bytes().ljust(40960, b"\0") + data.tobytes())
    (image,) = Nanoscope()(tmp_path / "a.000").measurements
    assert planes(image) == {"HeightSensorRetrace": "m", "PeakForceErrorRetrace": "N"}
    assert float(image.data[0, 0, 1]) == pytest.approx(24.57563 * 887.1802e-9 / 65536)
    assert float(image.data[1, 0, 1]) == pytest.approx(24.57563 * 24e-9 / 65536)
    assert facets(image)["scan_size"] == pytest.approx(93e-6)
    assert facets(image)["mode"] == "ScanAsyst"
