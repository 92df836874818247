import json
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers import choose
from motif.ingest.readers.asylum.reader import AsylumIbw
from motif.ingest.readers.library.drnets import DrnetsInstance
from motif.ingest.readers.library.library_table import CompositionTable
from motif.ingest.readers.library.library_workbook import CompositionWorkbook
from motif.ingest.readers.text.two_column import TwoColumn
from motif.ingest.simulate.ibw_writer import write_ibw

SPECTRUM = "Wavelength (nm), PL (counts)\n400, {0}\n500, 2\n600, 3\n700, 4\n"
DRNETS = """// Metadata
M=2
Elements=Bi,V
Composition=Bi,V
Deposition=X,Y
N=2

// Deposition data
X=32.00,36.57
Y=6.94,6.94
sample_no=867,876
plate_id=2783,2783

// Composition data
Bi=0.4,0.25
V=0.6,0.75

//Integrated counts data
Q=14.0,30.0,47.0
I1=0.1,0.2,0.3
I2=1.0,2.0,3.0
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.csv"


def read(path: Path, text: str) -> Reading:
    path.write_text(text)
    reader = CompositionTable([AsylumIbw(), CompositionTable(), TwoColumn()])
    assert reader.recognises(path.read_bytes()[:4096], "renamed.bin")
    return reader(path)


def workbook(path: Path, rows: list[list[object]], sheets: int = 1) -> None:
    book = openpyxl.Workbook()
    for _ in range(sheets - 1):
        book.active.append(["nothing", "here"])
        book.active = book.create_sheet()
    for row in rows:
        book.active.append(row)
    book.save(path)


class TestCompositionWorkbook(ReaderTests):
    reader = CompositionWorkbook()
    suffix = ".xlsx"
    examples = 15

    def write_valid(self, path: Path) -> None:
        workbook(path, [["Sample", "Bi", "V", 100, 200.5, 300], ["a", 0.5, 0.5, 1, 2, None]])


class TestDrnetsInstance(ReaderTests):
    reader = DrnetsInstance()
    suffix = ".txt"
    examples = 30

    def write_valid(self, path: Path) -> None:
        path.write_text(DRNETS)


@pytest.mark.parametrize(
    ("headings", "title", "dimension", "unit", "technique"),
    [
        ("400 nm,500 nm,600 nm", "", "wavelength", "nm", None),
        ("1.5eV,2eV,2.5eV", "", "energy", "eV", None),
        ("20.5,21,21.5", '"XRD, two_theta (deg)"\n', "two_theta", "deg", "X-ray diffraction"),
        ("2,3,4", "axis: q (1/Å)\n", "q", "1/angstrom", "X-ray diffraction"),
        ("300,400,500", "", "raman_shift", "cm^-1", "Raman spectroscopy"),
        ("300,200,100", "Raman of film 1\n", "raman_shift", "cm^-1", "Raman spectroscopy"),
        ("300 cm-1,200 cm-1", "Raman of film 1\n", "raman_shift", "cm^-1", "Raman spectroscopy"),
    ],
)
def test_the_axis_is_what_headings_and_title_declare(
    path: Path, headings: str, title: str, dimension: str, unit: str, technique: str | None
) -> None:
    cells = ",1" * len(headings.split(","))
    (found,) = read(path, f"{title}Sample,Bi,V,{headings},P\ns,.5,.5{cells},3\n").measurements
    assert found.data.dims == (dimension,)
    assert found.data[dimension].attrs == {"units": unit}
    assert {f.name: f.value for f in found.facets}.get("technique") == technique
    assert found.targets == {"P": (3.0, "mW/cm^2")}


def test_the_sidecar_outranks_a_guess(path: Path) -> None:
    table = "Sample,Bi,V,300,400,500\ns,.5,.5,1,2,3\n"
    path.with_name("library.csv.json").write_text(
        json.dumps({"axis": "wavelength", "axis_unit": "nm", "intensity_unit": "count"})
    )
    (found,) = read(path, table).measurements
    assert found.data.dims == ("wavelength",)
    assert found.data.attrs == {"units": "count"}


def test_coordinates_on_the_wafer_and_facets_in_columns(path: Path) -> None:
    headings = "Sample,x (mm),y (mm),Substrate,temperature (degC),Bi,Y,V,300,400,500,P,note,Made_by"
    row = "s,32.5,-6,SrTiO3,25,.3,.3,.4,1,2,3,4,broken,Anna"
    reading = read(path, f"{headings}\n{row}\n")
    (found,) = reading.measurements
    assert found.composition == {"Bi": 0.3, "Y": 0.3, "V": 0.4}
    assert found.targets == {"P": (4.0, "mW/cm^2")}
    assert {f.name: (f.value, f.unit) for f in found.facets} == {
        "sample": ("s", ""), "wafer_x": (0.0325, "m"), "wafer_y": (-0.006, "m"),
        "substrate": ("SrTiO3", ""), "temperature": (298.15, "K"), "made_by": ("Anna", ""),
        "technique": ("Raman spectroscopy", ""),
    }  # fmt: skip
    assert reading.warnings == ["columns without a known meaning: note"]


def test_coordinates_without_a_unit_are_left_out_until_it_is_declared(path: Path) -> None:
    table = "Sample,X,Y,Bi,V,300,400,500\ns,32,6,.5,.5,1,2,3\n"
    reading = read(path, table)
    assert "X and Y have no unit and are left out" in reading.warnings[0]
    assert "wafer_x" not in {f.name for f in reading.measurements[0].facets}
    path.with_name("library.csv.json").write_text('{"coordinate_unit": "mm"}')
    reading = read(path, table)
    assert not reading.warnings
    assert ("wafer_y", 0.006) in {(f.name, f.value) for f in reading.measurements[0].facets}


def test_spectra_are_in_companion_files(path: Path) -> None:
    (path.parent / "pl").mkdir()
    for name, first in (("pl/1.txt", 1), ("2.txt", 9)):
        (path.parent / name).write_text(SPECTRUM.format(first))
    reading = read(
        path, "id;Bi (at.%);V;file;gap (eV);eta\na;40;60;pl\\1.txt;2.4;1\nb;50;50;2.txt;;2\n"
    )
    first, second = reading.measurements
    assert (first.key, first.title) == ("a", "sample a")
    assert list(second.data["wavelength"].values) == [400, 500, 600, 700]
    assert (float(first.data[0]), float(second.data[0])) == (1, 9)
    assert second.data.attrs == {"units": "counts"}
    assert first.composition == {"Bi": 0.4, "V": 0.6}
    assert first.targets == {"gap": (2.4, "eV"), "eta": (1.0, "")}
    assert np.isnan(second.targets["gap"][0])


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "none.txt", "", "link.txt", "\0"])
def test_files_do_not_leave_the_folder_of_the_table(tmp_path: Path, name: str) -> None:
    (tmp_path / "out.txt").write_text(SPECTRUM.format(1))
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "out.txt")
    with pytest.raises(UnreadableFileError, match="1 files of spectra that are not in its folder"):
        CompositionTable([TwoColumn()])(
            _written(folder / "t.csv", f"id,Bi,V,file\na,.4,.6,{name}\n")
        )


def test_files_without_exactly_one_spectrum_are_named(path: Path) -> None:
    planes = {"HeightRetrace": np.zeros((4, 4), np.float32)}
    write_ibw(path.parent / "a.ibw", planes, size=(1e-6, 1e-6), note=[])
    with pytest.raises(UnreadableFileError, match=r"one spectrum from a\.ibw, which has 1 images"):
        read(path, "id,Bi,V,file\na,.4,.6,a.ibw\n")
    with pytest.raises(UnreadableFileError, match=r"needs library\.csv, but library\.csv is"):
        read(path, "id,Bi,V,file\na,.4,.6,library.csv\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Sample,Bi,V,1 nm,2 eV\ns,.5,.5,1,2\n", "names no unit"),
        ("axis: q (1/nm)\nSample,Bi,V,1 nm,2 nm\ns,.5,.5,1,2\n", "none"),
        ("Sample,Bi,V,1 px,2 px\ns,.5,.5,1,2\n", "names no unit"),
        ("id,Bi,V,P,file\na,.4,.6,9,b.txt\n", "add up to 10"),
    ],
)
def test_tables_that_contradict_themselves(path: Path, text: str, reason: str) -> None:
    if reason == "none":
        assert read(path, text).measurements[0].data.dims == ("wavelength",)
        return
    with pytest.raises(UnreadableFileError, match=reason):
        read(path, text)


def test_compositions_without_spectra_are_described(path: Path) -> None:
    path.write_text("Sample,Bi,W,Mo,P\na,.4,.3,.3,1\n")
    with pytest.raises(UnreadableFileError, match="table of compositions without positions"):
        choose(path, [CompositionTable(), TwoColumn()])


def test_workbooks_are_read_as_text_is(tmp_path: Path) -> None:
    path = tmp_path / "library.xlsx"
    rows: list[list[object]] = [
        ["Raman of plate 7"],
        ["Sample", "Bi", "V", 300, 400.5, "P (mW/cm2)", "x (mm)", "y (mm)"],
        [97, 40, 60, 1, 2.5, 3, 5, 6],
        ["b", 50, 50, 1, None, None, 7, 8],
    ]
    workbook(path, rows, sheets=2)
    first, second = CompositionWorkbook()(path).measurements
    assert (first.key, second.key) == ("97", "b")
    assert first.composition == {"Bi": 0.4, "V": 0.6}
    assert list(first.data["raman_shift"].values) == [300, 400.5]
    assert first.targets == {"P": (3.0, "mW/cm2")}
    assert np.isnan(second.data.values[1])
    assert ("wafer_x", 0.005) in {(f.name, f.value) for f in first.facets}


def test_damaged_and_large_workbooks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "library.xlsx"
    workbook(path, [["Sample", "Bi"], ["a", 1]])
    with pytest.raises(UnreadableFileError, match=r"no sheet of .* has headings"):
        CompositionWorkbook()(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", bytes(257 << 20))
    with pytest.raises(UnreadableFileError, match="unpacks to 269,484,032 bytes"):
        CompositionWorkbook()(path)
    path.write_bytes(b"PK\3\4" + b"xl/" + bytes(100))
    with pytest.raises(UnreadableFileError, match="not a workbook that can be opened"):
        CompositionWorkbook()(path)


def test_a_workbook_with_a_distant_last_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "library.xlsx"
    book = openpyxl.Workbook()
    book.active.cell(1_048_576, 16_384).value = 1
    book.save(path)
    with pytest.raises(UnreadableFileError, match="more than 100,000 rows"):
        CompositionWorkbook()(path)


def test_drnets_samples_have_patterns_compositions_and_positions(path: Path) -> None:
    path.with_name("library.csv.json").write_text('{"coordinate_unit": "mm"}')
    reading = DrnetsInstance()(_written(path, DRNETS))
    first, second = reading.measurements
    assert (first.key, second.key) == ("867", "876")
    assert list(second.data["q"].values) == [14, 30, 47]
    assert second.data["q"].attrs == {"units": "1/nm"}
    assert list(second.data.values) == [1, 2, 3]
    assert second.composition == {"Bi": 0.25, "V": 0.75}
    assert {f.name: f.value for f in first.facets} == {
        "sample": "867", "plate": "2783", "wafer_x": 0.032, "wafer_y": 0.00694,
        "technique": "X-ray diffraction",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("N=2\n", "N=3\n", "Bi= of library.csv has 2 numbers instead of 3"),
        ("N=2\n", "N=x\n", "declares N=x"),
        ("0.4,0.25", "0.4,0_25", "no list of numbers Bi="),
        ("I2=1.0,2.0,3.0", "I2=1.0,2.0", "I2= of library.csv has 2 numbers instead of 3"),
        ("I2=", "J2=", "no list of numbers I2="),
        ("Composition=Bi,V", "Composition=Bi,Xx", "not chemical elements"),
        ("V=0.6,0.75", "V=0.6,7.5", "no valid composition"),
        ("Q=14.0,30.0,47.0", "Q=1.4,3.0,4.7", "Q of library.csv runs from 1.4 to 4.7"),
    ],
)
def test_damaged_instances_are_refused(path: Path, before: str, after: str, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        DrnetsInstance()(_written(path, DRNETS.replace(before, after)))


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
