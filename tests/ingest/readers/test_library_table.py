import time
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers.library.library_table import CompositionTable

HEADINGS = "Sample, Bi, V, W, 78.025, 79.398, 1330.881, P"
ROWS = (
    "97, 0.5, 0.48, 0.02, 0.1, 0.2, 0.3, 1.25",
    "98, 0.5, 0.48, 0.02, 0.1, 0.2, 0.3, 1.25",
    "a_b, 0.4, 0.6, 0, 1, 2, 3, ",
)


def read(path: Path, text: str, encoding: str = "utf-8") -> Reading:
    path.write_bytes(text.encode(encoding))
    return CompositionTable()(path)


def table(*rows: str, headings: str = HEADINGS) -> str:
    return "\n".join((headings, *(rows or ROWS))) + "\n"


class TestCompositionTable(ReaderTests):
    reader = CompositionTable()
    suffix = ".csv"

    def write_valid(self, path: Path) -> None:
        path.write_text("Title\n" + table())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dataset.csv"


def test_each_row_is_a_spectrum_with_composition_and_figure_of_merit(path: Path) -> None:
    first, second, third = read(path, table()).measurements
    assert (first.key, first.kind) == ("97", "spectrum")
    assert first.composition == {"Bi": 0.5, "V": 0.48, "W": 0.02}
    assert first.targets == {"P": (1.25, "mW/cm^2")}
    assert first.data.dims == ("raman_shift",)
    assert first.data["raman_shift"].attrs == {"units": "cm^-1"}
    assert list(first.data["raman_shift"].values) == [78.025, 79.398, 1330.881]
    assert list(first.data.values) == [0.1, 0.2, 0.3]
    assert (second.key, list(second.data.values)) == ("98", [0.1, 0.2, 0.3])
    assert np.isnan(third.targets["P"][0])
    facets = {f.name: f.value for f in first.facets}
    assert facets == {"sample": "97", "technique": "Raman spectroscopy"}


@pytest.mark.parametrize("title", ["", "Supplementary data set\n", "Title\n\n", '"A, B",,,\n'])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_titles_line_ends_and_encodings(path: Path, title: str, end: str, encoding: str) -> None:
    text = (title + table(headings=HEADINGS + " ")).replace("a_b", "ä").replace("\n", end)
    reading = read(path, text, encoding)
    assert [m.key for m in reading.measurements] == ["97", "98", "ä"]
    assert CompositionTable().recognises(path.read_bytes()[:4096], "x")


def test_simulated_titles_mark_every_sample(path: Path) -> None:
    reading = read(path, "Simulated by Motif, seed 7\n" + table())
    marks = [f for m in reading.measurements for f in m.facets if f.name == "simulated"]
    assert len(marks) == 3
    assert all(f.value is True and f.origin == "header:title" for f in marks)
    assert reading.header[0] == ("title", "Simulated by Motif, seed 7")


def test_tabs_percent_units_and_several_figures_of_merit(path: Path) -> None:
    headings = "id;Bi (at.%);P;300.5;310.5;eta (%);P [mW/cm2];yield (furlongs of joy)"
    reading = read(path, table("s;60;40;1;2;0.5;3;9", headings=headings))
    (sample,) = reading.measurements
    assert sample.composition == {"Bi": 0.6, "P": 0.4}, "before the axis P is phosphorus"
    assert sample.targets == {
        "eta": (0.5, "%"),
        "P": (3.0, "mW/cm2"),
        "yield (furlongs of joy)": (9.0, ""),
    }
    assert "the composition is in at.% and was divided by 100" in reading.warnings


def test_repeated_and_missing_names_stay_distinct(path: Path) -> None:
    row = "{}, 0.5, 0.5, 0, 1, 2, 3, 1"
    reading = read(path, table(row.format("A"), row.format("A"), row.format("")))
    assert [m.key for m in reading.measurements] == ["A", "A #2", "3"]


def test_sums_slightly_off_give_a_warning(path: Path) -> None:
    reading = read(path, table("1, 0.5, 0.5, 0.005, 1, 2, 3, 1"))
    assert any("do not add up to 1 (at most 0.0050 off)" in warning for warning in reading.warnings)
    assert not read(path, table("1, 0.5, 0.5001, 0, 1, 2, 3, 1")).warnings


def test_columns_without_meaning_give_a_warning(path: Path) -> None:
    reading = read(path, table("0, 1, 0.5, 0.5, 0, 1, 2, 3, 1", headings="row," + HEADINGS))
    assert reading.warnings == ["columns without a known meaning: row"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (table("1, 0.5, 0.5, 0, 1, 2"), "line 2 of .* has 6 cells under 8 headings"),
        (table(*ROWS, "9, 0.5, 0.5, 0, 1, 2, 3, 1, 7"), "line 5 of .* has 9 cells"),
        (table("1, 0.5, x, 0, 1, 2, 3, 1"), "line 2 of .* has 'x' under V"),
        (table("1, 0.5, 0_5, 0, 1, 2, 3, 1"), "has '0_5' under V"),
        (table("1, 0.2, 0.2, 0, 1, 2, 3, 1"), "add up to 0.4"),
        (table("1, 1.2, -0.2, 0, 1, 2, 3, 1"), "no valid composition"),
        (table("1, , 1, 0, 1, 2, 3, 1"), "add up to nan"),
        (HEADINGS + "\n", "no sample"),
        (table("1, .5, .5, 1, 2", headings="Sample,Bi,V,10.5,80.5"), "not Raman shifts"),
        (table("1, .5, .5, 1, 2, 3", headings="Sample,Bi,V,300,400,350"), "neither rise nor"),
        ("no table at all\n", "no line of headings"),
    ],
)
def test_bad_tables_are_refused_with_line_and_reason(path: Path, text: str, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        read(path, text)


def test_the_published_size_is_read_within_a_second(path: Path) -> None:
    spectra = np.random.default_rng(0).random((1379, 1015))
    axis = ", ".join(f"{78.025 + 1.24 * i:.3f}" for i in range(1015))
    lines = [f"Sample, Bi, V, {axis}, P"]
    lines += [
        f"{i}, 0.5, 0.5, " + ", ".join(f"{v:.6f}" for v in s) + ", 1.0"
        for i, s in enumerate(spectra)
    ]
    path.write_text("\n".join(lines))
    assert CompositionTable().recognises(path.read_bytes()[:4096], path.name)
    started = time.process_time()
    measurements = CompositionTable()(path).measurements
    assert time.process_time() - started < 1.0
    assert len(measurements) == 1379
    np.testing.assert_allclose(measurements[-1].data.values, spectra[-1], atol=5e-7)
