import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motif.core.contracts import Reader
from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers.text.bwtek_text import BwtekText
from motif.ingest.readers.text.labspec_text import LabspecText
from motif.ingest.readers.text.rod_cif import RodCif
from motif.ingest.readers.text.rruff_text import RruffText
from motif.ingest.readers.text.two_column import TwoColumn
from motif.ingest.readers.text.witec_text import WitecText

WITEC = """//Exported ASCII-File
[Header]
FileName = C:\\Data\\film.wip
GraphName = Film
SizeX = {x}
SizeY = {y}
SizeGraph = 3
PositionUnit = µm
PositionX = 12.5
PositionY = -3
XAxisUnit = {unit}
DataUnit = CCD cts

[Data]
X-Axis,Film
{unit},CCD cts
"""
LABSPEC = """#Acq. time (s)=\t10
#Accumulations=\t3
#Laser=\t532nm
#Objective=\tx100
#Title=\tfilm
#Acquired=\t25.08.2020 15:03:06
"""
AXES = """#AxisType[0]=\tIntens
#AxisUnit[0]=\tCnt
#AxisType[1]=\tSpectr
#AxisUnit[1]=\t{unit}
"""
PLACES = "#AxisType[2]=\tXA\n#AxisUnit[2]=\tµm\n#AxisType[3]=\tYA\n#AxisUnit[3]=\tµm\n"
BWTEK = """File Version;BWRam4.15_10
Date;2025-02-19 12:06:04
model;BTC665N-785S-SYS
operator;
laser_wavelength;785,022475277658
intigration times(us);500000
average number;5
Pixel;Wavelength;Wavenumber;Raman Shift;Dark;Raw data #1;Dark Subtracted #1;
0;782,8;12774,1;;1093;1100,4;7,4;
1;790,0;12658,2;80,1;1093;1200,4;107,4;
2;800,0;12500;238,3;1093;1300,4;207,4;
"""
RRUFF = """##NAMES=Anatase
##RRUFFID=R060277
##IDEAL CHEMISTRY=Ti^4+^O_2_
100.5, 1.0
101.5, 3.0
102.5, 2.0
##END=
"""
ROD = """# Raman Open Database
data_1000679
_chemical_formula_sum            'Al H2 K O9 Si3'
_chemical_name_mineral           K-cymrite # a comment
_publ_section_title
;
 Raman of a 'cymrite'
;
_raman_measurement_device.excitation_laser_wavelength 488
_raman_measurement_device.power_on_sample 60
_raman_measurement.temperature   ?
loop_
_raman_spectrum.raman_shift
_raman_spectrum.intensity
50.0 429
51.2 438 52.5
441
"""
ONE_NM = WITEC.format(x=1, y=1, unit="nm")
IN_NM = LABSPEC + AXES.format(unit="nm")
HEADED = "Raman shift (cm-1), Intensity (counts)\n100.5, 1\n101.5, 3\n102.5, 2\n103.5, 1\n"


def read(reader: Reader, path: Path, text: str, encoding: str = "utf-8") -> Reading:
    path.write_bytes(text.encode(encoding))
    assert reader.recognises(path.read_bytes()[:4096], "renamed.bin")
    return reader(path)


def facets(reading: Reading, index: int = 0) -> dict[str, Any]:
    return {f.name: f.value for f in reading.measurements[index].facets}


class Text:
    """Writes the text of a format."""

    examples = 20
    text = ""
    encoding = "latin-1"

    def write_valid(self, path: Path) -> None:
        path.write_bytes(self.text.encode(self.encoding))


class TestWitecText(Text, ReaderTests):
    reader = WitecText()
    suffix = ".txt"
    encoding = "utf-8"
    text = WITEC.format(x=2, y=1, unit="rel. 1/cm") + "1,2,3\n2,3,4\n3,4,5\n"


class TestLabspecText(Text, ReaderTests):
    reader = LabspecText()
    suffix = ".txt"
    text = (
        LABSPEC + AXES.format(unit="1/cm") + PLACES + "\t\t1\t2\t3\n0\t5\t7\t8\t9\n1\t5\t4\t5\t6\n"
    )


class TestBwtekText(Text, ReaderTests):
    reader = BwtekText()
    suffix = ".txt"
    text = BWTEK


class TestRruffText(Text, ReaderTests):
    reader = RruffText()
    suffix = "__Raman__532__0__unoriented__Raman_Data_RAW__1.txt"
    text = RRUFF


class TestRodCif(Text, ReaderTests):
    reader = RodCif()
    suffix = ".rod"
    text = ROD


class TestTwoColumn(Text, ReaderTests):
    reader = TwoColumn()
    suffix = ".txt"
    text = HEADED


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "film.txt"


def test_witec_single_spectrum_with_its_position(path: Path) -> None:
    text = WITEC.format(x=1, y=1, unit="nm") + " 5.3E+02, 3.5E+02\r\n 5.4E+02, 3.6E+02\n 550, 1\n"
    reading = read(WitecText(), path, text)
    (found,) = reading.measurements
    assert (found.title, found.data.dims, found.data.attrs) == (
        "Film",
        ("wavelength",),
        {"units": "count"},
    )
    assert facets(reading) == {"instrument": "WITec", "map_x": 12.5e-6, "map_y": -3e-6}


def test_witec_maps_keep_their_pixels(path: Path) -> None:
    reading = read(WitecText(), path, TestWitecText.text)
    assert [m.key for m in reading.measurements] == ["0", "1"]
    assert list(reading.measurements[1].data.values) == [3, 4, 5]
    assert facets(reading, 1) == {
        "map_column": 1.0, "map_row": 0.0, "instrument": "WITec",
        "technique": "Raman spectroscopy",
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
@pytest.mark.parametrize(
    ("axis_lines", "dimension", "unit"),
    [
        (AXES.format(unit="1/cm"), "raman_shift", "cm^-1"),
        (AXES.format(unit="nm"), "wavelength", "nm"),
        ("#Spectro (cm-¹)=\t1000\n", "raman_shift", "cm^-1"),
        ("#Range (nm)=\t454...467\n", "wavelength", "nm"),
    ],
)
def test_labspec_headers_declare_the_axis(
    path: Path, axis_lines: str, dimension: str, unit: str, encoding: str
) -> None:
    reading = read(
        LabspecText(), path, LABSPEC + axis_lines + "100.5\t1\n101.5\t2\n102.5\t3\n", encoding
    )
    (found,) = reading.measurements
    assert found.data[dimension].attrs == {"units": unit}
    facets_by_name = facets(reading)
    facets_by_name.pop("technique", None)
    assert facets_by_name == {
        "laser_wavelength": 532e-9, "exposure_time": 10.0, "accumulations": 3.0,
        "objective": "x100", "acquired_at": "2020-08-25T15:03:06",
    }  # fmt: skip


def test_labspec_maps_keep_their_positions(path: Path) -> None:
    reading = read(LabspecText(), path, TestLabspecText.text, "latin-1")
    assert list(reading.measurements[0].data.values) == [7, 8, 9]
    assert (facets(reading, 1)["map_x"], facets(reading, 1)["map_y"]) == (1e-6, 5e-6)


def test_bwtek_raw_data_with_decimal_commas(path: Path) -> None:
    reading = read(BwtekText(), path, BWTEK)
    (found,) = reading.measurements
    assert list(found.data["raman_shift"].values) == [80.1, 238.3]
    assert list(found.data.values) == [1200.4, 1300.4]
    assert facets(reading) == {
        "instrument": "BTC665N-785S-SYS", "laser_wavelength": pytest.approx(785.022475e-9),
        "exposure_time": 0.5, "accumulations": 5.0, "acquired_at": "2025-02-19T12:06:04",
        "technique": "Raman spectroscopy",
    }  # fmt: skip
    assert reading.warnings[1] == "1 of 3 pixels have no Raman Shift and are left out"


@pytest.mark.parametrize(
    ("name", "dimension"),
    [
        ("Anatase__R060277__Raman__780__0__x__Raman_Data_Processed__1.txt", "raman_shift"),
        ("Anatase__R060277-1__Infrared__Infrared_Data_RAW__1.txt", "wavenumber"),
        ("Anatase__R060277-9__Powder__Xray_Data_XY_RAW__1.txt", "two_theta"),
    ],
)
def test_rruff_files_are_read_by_their_names(tmp_path: Path, name: str, dimension: str) -> None:
    reading = read(RruffText(), tmp_path / name, RRUFF)
    assert reading.measurements[0].data.dims == (dimension,)
    assert facets(reading)["material"] == "Anatase"
    assert facets(reading).get("laser_wavelength") == (780e-9 if "780" in name else None)
    assert ("processing" in facets(reading)) == ("Processed" in name)


def test_rod_entries_carry_their_composition(path: Path) -> None:
    reading = read(RodCif(), path, ROD)
    (found,) = reading.measurements
    assert list(found.data["raman_shift"].values) == [50.0, 51.2, 52.5]
    assert found.composition == {"Al": 1 / 16, "H": 2 / 16, "K": 1 / 16, "O": 9 / 16, "Si": 3 / 16}
    assert facets(reading) == {
        "technique": "Raman spectroscopy", "material": "K-cymrite",
        "laser_wavelength": 488e-9, "laser_power": 0.06,
    }  # fmt: skip
    assert ("_publ_section_title", "Raman of a 'cymrite'") in reading.header


@pytest.mark.parametrize(
    ("text", "dimension", "unit", "intensity"),
    [
        (HEADED, "raman_shift", "cm^-1", "counts"),
        ("# 2θ (°)\tI\n10 1\n11 2\n12 3\n13 4\n", "two_theta", "deg", "arb. unit"),
        ("axis: q [1/Å]\n\n1;2\n2;3\n3;4\n4;5\n", "q", "1/angstrom", "arb. unit"),
        ("Wavelength/nm;PL\n400,5;1,5\n401,5;2\n402;3\n403;4\n", "wavelength", "nm", "arb. unit"),
        ("PL of film 3\nEnergy (eV)  I (cps)\n1  2\n2  3\n3  4\n4  5\n", "energy", "eV", "cps"),
    ],
)  # fmt: skip
def test_two_columns_with_a_heading(
    path: Path, text: str, dimension: str, unit: str, intensity: str
) -> None:
    (found,) = read(TwoColumn(), path, text).measurements
    assert found.data[dimension].attrs == {"units": unit}
    assert found.data.attrs == {"units": intensity}


def test_two_columns_with_a_sidecar(path: Path) -> None:
    bare = "3 1\n2 2\n1 3\n0.5 4\n"
    with pytest.raises(UnreadableFileError, match=r'put \{"axis": "raman_shift".* film\.txt\.json'):
        read(TwoColumn(), path, bare)
    sidecar = path.with_name("film.txt.json")
    sidecar.write_text(
        json.dumps({"axis": "photon_energy", "axis_unit": "eV", "intensity_unit": "V"})
    )
    (found,) = read(TwoColumn(), path, bare).measurements
    assert list(found.data["photon_energy"].values) == [3, 2, 1, 0.5]
    assert found.data.attrs == {"units": "V"}
    sidecar.write_text(json.dumps({"axis": "photon_energy", "axis_unit": "nm"}))
    with pytest.raises(UnreadableFileError, match="no declared quantities and units"):
        read(TwoColumn(), path, bare)


@pytest.mark.parametrize(
    ("reader", "name", "text", "reason"),
    [
        (WitecText(), "a.txt", ONE_NM + "1,2\n2,3\n", "declares 1 x 1 x 3"),
        (WitecText(), "a.txt", WITEC.format(x=1, y=1, unit="px") + "1,2\n2,3\n3,4\n", "is in px"),
        (WitecText(), "a.txt", "//Exported ASCII-File\n[Header]\n", r"ends before its \[Data\]"),
        (LabspecText(), "a.txt", LABSPEC + "1 2\n2 3\n", "does not state the unit"),
        (LabspecText(), "a.txt", IN_NM + "1\t2\n2\tx\n", "line 12 of a.txt"),
        (LabspecText(), "a.txt", IN_NM, "not have two columns"),
        (LabspecText(), "a.txt", TestLabspecText.text.replace("\t9\n", "\n"), "line 17 of a.txt"),
        (BwtekText(), "a.txt", BWTEK.replace("1200,4", "12x"), "has '12x'"),
        (BwtekText(), "a.txt", BWTEK + "3;1\n", "line 12 of a.txt has 2 cells under 8 headings"),
        (BwtekText(), "a.txt", BWTEK.replace("Raw data", "Data"), "no column of raw data"),
        (RruffText(), "a.txt", RRUFF, "does not contain Raman"),
        (RruffText(), "a__Raman.txt", RRUFF + "1 2 3\n", "line 8 of a__Raman.txt is '1 2 3'"),
        (RodCif(), "a.rod", ROD + "442\n", "has 7 values"),
        (RodCif(), "a.rod", ROD.replace("438", "x"), "damaged"),
        (RodCif(), "a.rod", ROD.replace(";\n_raman", "_raman"), "ends within the text"),
        (TwoColumn(), "a.txt", HEADED + "104.5\n", "line 6 of a.txt is '104.5' instead"),
        (TwoColumn(), "a.txt", HEADED + "nan, 5\n", "1 of its 5 positions are not numbers"),
        (TwoColumn(), "a.txt", "#Wave\t\t#I\n" + "1 2\n" * 5, "since 'Wave #I' names no unit"),
        (TwoColumn(), "a.txt", "x (nm), y\n" + "1 2\n" * 5, "names no unit"),
        (TwoColumn(), "a.txt", "Wavelength (nm)\n" + "1 2\n" * 5, "it is constant"),
    ],
)  # fmt: skip
def test_damage_is_named(tmp_path: Path, reader: Reader, name: str, text: str, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        read(reader, tmp_path / name, text)


def test_texts_of_other_instruments_are_left_to_their_readers() -> None:
    others = (WITEC, LABSPEC + "1 2\n", BWTEK, RRUFF, ROD)
    assert not any(TwoColumn().recognises(text.encode(), "a.txt") for text in others)
    assert not TwoColumn().recognises(b"1 2 3\n" * 9, "a.txt")


def test_hostile_lines_cost_no_more_than_their_length(path: Path) -> None:
    for tail in ("1" * 400_000, "1 " * 200_000, " " * 400_000, "1," * 200_000):
        path.write_text(HEADED + tail + "x\n")
        started = time.process_time()
        with pytest.raises(UnreadableFileError):
            TwoColumn()(path)
        assert time.process_time() - started < 1.0


def test_a_long_spectrum_is_read_within_a_second(path: Path) -> None:
    x, y = np.arange(60_000.0), np.random.default_rng(0).random(60_000)
    rows = "\n".join(f"{a:.3f}\t{b:.6f}" for a, b in zip(x, y, strict=True))
    path.write_text("Wavelength (nm)\tI\n" + rows)
    started = time.process_time()
    (found,) = TwoColumn()(path).measurements
    assert time.process_time() - started < 1.0
    np.testing.assert_allclose(found.data, y, atol=1e-6)
