from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers.jcamp.jcamp_format import DamagedTableError, decode, pairs
from motif.ingest.readers.jcamp.reader import JcampDx

SQUEEZED = {**dict(enumerate("@ABCDEFGHI")), **{-i: c for i, c in enumerate("abcdefghi", 1)}}
DIFFERENCE = {**dict(enumerate("%JKLMNOPQR")), **{-i: c for i, c in enumerate("jklmnopqr", 1)}}
REPEAT = " STUVWXYZs"


def jdx(
    table: str,
    points: int = 4,
    form: str = "##XYDATA=(X++(Y..Y))",
    kind: str = "RAMAN SPECTRUM",
    units: str = "1/CM",
    more: str = "",
    title: str = "quartz",
) -> str:
    """A block on the axis 100, 200, ..., with its intensities halved by YFACTOR."""
    return (
        f"##TITLE={title}\n##JCAMP-DX=5.00 $$ written by hand\n##DATA TYPE={kind}\n{more}"
        f"##XUNITS={units}\n##YUNITS=ARBITRARY UNITS\n##FIRSTX=100\n##LASTX={100 * points}\n"
        f"##XFACTOR=1\n##YFACTOR=0.5\n##NPOINTS={points}\n{form}\n{table}\n##END=\n"
    )


def letters(value: int, table: dict[int, str]) -> str:
    """A number in squeezed or difference digits."""
    digits = str(abs(value))
    first = int(digits[0])
    return table[-first if value < 0 else first] + digits[1:]


def compressed(values: list[int], width: int) -> str:
    """A table in DIF and DUP form with its check values, `width` points a line."""
    lines, at = [], 0
    while at < len(values):
        line = str(100 * (at + 1)) + letters(values[at], SQUEEZED)
        end = min(at + width, len(values) - 1)
        steps = [values[i + 1] - values[i] for i in range(at, end)]
        i = 0
        while i < len(steps):
            run = 1
            while i + run < len(steps) and steps[i + run] == steps[i] and run < 9:
                run += 1
            line += letters(steps[i], DIFFERENCE) + (REPEAT[run] if run > 1 else "")
            i += run
        lines.append(line)
        if end == at:
            break
        at = end
    return "\n".join(lines)


def read(path: Path, text: str, encoding: str = "utf-8") -> Reading:
    path.write_bytes(text.encode(encoding))
    return JcampDx()(path)


class TestJcampDx(ReaderTests):
    reader = JcampDx()
    suffix = ".jdx"
    examples = 30

    def write_valid(self, path: Path) -> None:
        path.write_text(jdx("100 A0B0\n300 C0D0", more="##LONGDATE=2024/05/06 07:08:09\n"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "quartz.jdx"


@pytest.mark.parametrize(
    "table",
    [
        "100 10 20 30 40",
        "100 10, 20\n300 30; 40",
        "100+10+20+30+40",
        "100A0B0C0D0",
        "100A0J0J0J0",
        "100A0J0U",
        "100A0J0J0\n300C0J0",
        "100A0J0J0 $$ a comment\n300C0J0\n400D0",
    ],
)
def test_every_form_of_numbers(path: Path, table: str) -> None:
    (found,) = read(path, jdx(table)).measurements
    np.testing.assert_array_equal(found.data, [5, 10, 15, 20])
    np.testing.assert_array_equal(found.data["raman_shift"], [100, 200, 300, 400])
    assert found.data["raman_shift"].attrs == {"units": "cm^-1"}


@given(st.lists(st.integers(-99999, 99999), min_size=2, max_size=60), st.integers(1, 12))
def test_differences_and_repetitions_come_back(values: list[int], width: int) -> None:
    table = decode(compressed(values, width).split("\n"), len(values))
    assert table.values == values


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "   ", "Exported today\n\n"])
def test_line_ends_and_text_before(path: Path, end: str, before: str) -> None:
    text = (before + jdx("100 A0B0C0D0", title="Käse")).replace("\n", end)
    (found,) = read(path, text, "latin-1").measurements
    assert found.title == "Käse"
    assert JcampDx().recognises(path.read_bytes()[:4096], "x")


def test_pairs_in_any_order_and_facets_of_the_records(path: Path) -> None:
    more = (
        "##SPECTROMETER/DATA SYSTEM=R2000\n##DATE=2000/10/04\n##TIME=14:47\n##.AVERAGES=32\n"
        "##SAMPLE DESCRIPTION=a film\n on glass\n"
    )
    text = jdx("400, 8 300 6; 200,4\n100,2", form="##XYPOINTS=(XY..XY)", more=more)
    reading = read(path, text)
    (found,) = reading.measurements
    assert list(found.data["raman_shift"].values) == [400, 300, 200, 100]
    assert list(found.data.values) == [4, 3, 2, 1]
    assert ("SAMPLE DESCRIPTION", "a film\non glass") in reading.header
    assert {f.name: f.value for f in found.facets} == {
        "technique": "Raman spectroscopy",
        "instrument": "R2000",
        "sample": "a film on glass",
        "acquired_at": "2000-10-04T14:47:00",
        "accumulations": 32.0,
    }


def test_compounds_give_every_spectrum(path: Path) -> None:
    inner = jdx("100 A0B0C0D0") + jdx("100 D0C0B0A0", kind="INFRARED SPECTRUM", title="glass")
    link = "##TITLE=both\n##JCAMP-DX=5.00\n##DATA TYPE=LINK\n##BLOCKS=2\n"
    first, second = read(path, f"{link}{inner}##END=\n").measurements
    assert (first.data.dims, second.data.dims) == (("raman_shift",), ("wavenumber",))
    assert (first.title, second.title) == ("quartz", "glass")
    with pytest.raises(UnreadableFileError, match="compound of 2 blocks without its ##END="):
        read(path, link + inner)


def test_pages_of_an_ntuple(path: Path) -> None:
    text = (
        "##TITLE=fid\n##JCAMP-DX=5.00\n##DATA TYPE=NMR FID\n##NTUPLES=NMR FID\n"
        "##SYMBOL=X, R, I, N\n##VAR_DIM=4, 4, 4, 2\n##UNITS=SECONDS, COUNTS, COUNTS, \n"
        "##FIRST=0, 1, 1, 1\n##LAST=3, 4, 4, 2\n##FACTOR=1, 2, 1, 1\n"
        "##PAGE=N=1\n##DATA TABLE=(X++(R..R)), XYDATA\n0 A B C D\n"
        "##PAGE=N=2\n##DATA TABLE=(X++(I..I)), XYDATA\n0 D C B A\n"
        "##END NTUPLES=NMR FID\n##END=\n"
    )
    real, imaginary = read(path, text).measurements
    assert real.title == "fid N=1"
    assert real.data.attrs == {"units": "count"}
    assert real.data["time"].attrs == {"units": "s"}
    assert list(real.data.values) == [2, 4, 6, 8]
    assert list(imaginary.data.values) == [4, 3, 2, 1]


def test_transmittance_far_above_one_is_percent(path: Path) -> None:
    text = jdx("100 A0B0C0D0").replace("ARBITRARY UNITS", "TRANSMITTANCE")
    (found,) = read(path, text).measurements
    assert found.data.attrs == {"units": "percent"}


def test_a_first_intensity_that_disagrees_gives_a_warning(path: Path) -> None:
    reading = read(path, jdx("100 A0B0C0D0", more="##FIRSTY=77\n"))
    assert reading.warnings == ["spectrum 1: ##FIRSTY= says 77 and the first intensity is 5"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (jdx("100 A0B0C0"), "declares 4 points and has 3"),
        (jdx("100 A0B0C0D0E0F0"), "more than the 4 points"),
        (jdx("100 A0B0C0D0", points=0), "declares 0 points"),
        (jdx("100 A0B0C0D0").replace("##NPOINTS=4\n", ""), "declares no points"),
        (
            jdx("100A0J0\n300E0J0"),
            "data line 2 begins with 50, but the line before it ended at 20",
        ),
        (jdx("100A0B0\n700C0D0"), "data line 2 begins at 700 where point 3 is at 300"),
        (jdx("100A0B0C0&0"), "has '&'"),
        (jdx("100SA0"), "repeats nothing"),
        (jdx("100J0A0"), "begins with a difference"),
        (jdx("A0B0C0D0E0\n&"), "has '&'"),
        (jdx("100,1 200", form="##XYPOINTS=(XY..XY)"), "do not form pairs"),
        (jdx("100,1 200,b", form="##XYPOINTS=(XY..XY)"), "not a number"),
        (jdx("100,1 200,2", form="##XYPOINTS=(XY..XY)"), "declares 4 points and has 2"),
        (jdx("100,1", form="##PEAK TABLE=(XYA)"), "has its data as"),
        (jdx("100 A0B0C0D0", units="FURLONGS"), "is in FURLONGS"),
        (jdx("100 A0B0C0D0").replace("##FIRSTX=100\n", ""), "where its axis begins"),
        ("##TITLE=x\n##JCAMP-DX=5\n##END=\n", "without a spectrum"),
        ("##JCAMP-DX=5\n" + "no title\n", "no ##TITLE="),
        ("##TITLE=x\n##JCAMP-DX=5\n" * 20, "nests more than"),
    ],
)
def test_damage_is_named(path: Path, text: str, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        read(path, text)


@given(st.lists(st.text("0123456789 +-.,;?ABjkST%@eE", max_size=40), max_size=5))
def test_decoding_gives_numbers_or_a_reason(lines: list[str]) -> None:
    for parse in (decode, pairs):
        with suppress(DamagedTableError):
            parse(lines, 50)
