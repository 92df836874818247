import struct
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_tests import ReaderTests
from motif.ingest.readers.gwyddion.gwyddion_objects import parse
from motif.ingest.readers.gwyddion.reader import Gwyddion
from motif.ingest.readers.gwyddion.simple_field import SimpleField

TOP_DOWN = np.arange(5 * 8, dtype=float).reshape(5, 8)
META = {"ImagingMode": "PFM Mode", "ScanSize": "2e-06", "Date": "2021-01-07", "Time": "5:18:38 PM"}
NUMBERS = {"s": 64, "o": 80, "b": 20, "i": 24, "d": 60}


def component(name: str, kind: str, value: object, version: int = 2) -> bytes:
    """A named value; in containers of version 1 its type is a number before the name."""
    if kind == "s":
        raw = str(value).encode() + b"\0"
    elif kind == "D":
        array = np.asarray(value, "<f8").ravel()
        raw = struct.pack("<I", array.size) + array.tobytes()
    elif kind == "o":
        assert isinstance(value, bytes)
        raw = value
    else:
        raw = struct.pack({"i": "<i", "d": "<d", "b": "B"}[kind], value)
    if version == 1:
        return struct.pack("<I", NUMBERS[kind]) + name.encode() + b"\0" + raw
    return name.encode() + b"\0" + kind.encode() + raw


def gwy_object(name: str, *components: bytes) -> bytes:
    raw = b"".join(components)
    return name.encode() + b"\0" + struct.pack("<I", len(raw)) + raw


def data_field(values: np.ndarray, unit: str = "m", **changed: object) -> bytes:
    fields = {"xres": values.shape[1], "yres": values.shape[0], **changed}
    return gwy_object(
        "GwyDataField",
        component("xres", "i", fields["xres"]),
        component("yres", "i", fields["yres"]),
        component("xreal", "d", fields.get("xreal", 8e-7)),
        component("yreal", "d", 5e-7),
        component("si_unit_xy", "o", gwy_object("GwySIUnit", component("unitstr", "s", "m"))),
        component("si_unit_z", "o", gwy_object("GwySIUnit", component("unitstr", "s", unit))),
        component("data", "D", values),
    )


def write(path: Path, *fields: bytes, version: int = 2, meta: dict[str, str] = META) -> None:
    parts = []
    for number, raw in enumerate(fields):
        parts.append(component(f"/{number}/data", "o", raw, version))
        title = ["HeightRetrace", "PhaseRetrace", "Other"][number]
        parts.append(component(f"/{number}/data/title", "s", title, version))
    fields = gwy_object("GwyContainer", *(component(k, "s", v) for k, v in meta.items()))
    if version == 2:
        parts.append(component("/0/meta", "o", fields))
    raw = gwy_object("GwyContainer", *parts)
    path.write_bytes((b"GWYP" if version == 2 else b"GWYO") + raw)


class TestGwyddion(ReaderTests):
    reader = Gwyddion()
    suffix = ".gwy"

    def write_valid(self, path: Path) -> None:
        write(path, data_field(TOP_DOWN), data_field(TOP_DOWN % 360, "deg"))


class TestSimpleField(ReaderTests):
    reader = SimpleField()
    suffix = ".gsf"

    def write_valid(self, path: Path) -> None:
        head = b"Gwyddion Simple Field 1.0\nXRes = 8\nYRes = 5\nXReal = 8e-07\nYReal = 5e-07\n"
        head += b"XYUnits = m\nZUnits = m\nTitle = Topography\n"
        head += bytes(4 - len(head) % 4)
        path.write_bytes(head + TOP_DOWN.astype("<f4").tobytes())


@pytest.mark.parametrize("version", [1, 2])
def test_fields_are_planes_lowest_line_first(tmp_path: Path, version: int) -> None:
    fields = data_field(TOP_DOWN), data_field(TOP_DOWN, "deg")
    write(tmp_path / "a.gwy", *fields, version=version)
    (image,) = Gwyddion()(tmp_path / "a.gwy").measurements
    assert list(image.data["channel"].values) == ["HeightRetrace", "PhaseRetrace"]
    assert list(image.data["unit"].values) == ["m", "deg"]
    np.testing.assert_array_equal(image.data[0], TOP_DOWN[::-1])
    assert image.data["x"].values[-1] == pytest.approx(7e-7), "xreal spans all pixels"
    assert image.data["y"].values[1] == pytest.approx(1e-7)


def test_a_prefix_is_for_display_alone(tmp_path: Path) -> None:
    write(tmp_path / "a.gwy", data_field(TOP_DOWN, "nm"), version=1)
    (image,) = Gwyddion()(tmp_path / "a.gwy").measurements
    assert image.data["unit"].values[0] == "m"
    assert float(image.data.max()) == 39


def test_fields_on_other_pixels_are_images_of_their_own(tmp_path: Path) -> None:
    write(tmp_path / "a.gwy", data_field(TOP_DOWN), data_field(TOP_DOWN[:3]))
    found = Gwyddion()(tmp_path / "a.gwy").measurements
    assert [(one.key, one.title, one.data.shape) for one in found] == [
        ("0", "HeightRetrace", (1, 5, 8)),
        ("1", "PhaseRetrace", (1, 3, 8)),
    ]


def test_metadata_of_the_instrument_become_facets(tmp_path: Path) -> None:
    write(tmp_path / "a.gwy", data_field(TOP_DOWN))
    reading = Gwyddion()(tmp_path / "a.gwy")
    facets = {f.name: (f.value, f.origin) for f in reading.measurements[0].facets}
    assert facets["scan_size"] == (2e-6, "header:ScanSize")
    assert facets["acquired_at"] == ("2021-01-07T17:18:38", "header:Date")
    assert ("ImagingMode", "PFM Mode") in reading.header
    assert ("/0/data/title", "HeightRetrace") in reading.header


def test_what_was_done_in_gwyddion_is_recorded(tmp_path: Path) -> None:
    lines = ["file::igorfile(x)@2024", "proc::level(method=0)@2024", "proc::median()@2024"]
    array = b"strings\0S" + struct.pack("<I", 3) + b"".join(s.encode() + b"\0" for s in lines)
    log = component("/0/data/log", "o", gwy_object("GwyStringList", array))
    raw = component("/0/data", "o", data_field(TOP_DOWN)) + log
    (tmp_path / "a.gwy").write_bytes(b"GWYP" + gwy_object("GwyContainer", raw))
    (image,) = Gwyddion()(tmp_path / "a.gwy").measurements
    facets = {f.name: f.value for f in image.facets}
    assert facets["processing"] == "Data field 0: level, median"


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (data_field(TOP_DOWN, xres=9), "announces 9 x 5 pixels but has 40"),
        (data_field(TOP_DOWN, xres=-8), "has no pixels"),
        (data_field(TOP_DOWN, xreal=float("nan")), "is not a scan"),
        (gwy_object("GwySpectra"), "sets of spectra but no image"),
        (gwy_object("GwyDataField", b"data\0D\xff\xff\xff\x7f"), "are announced at byte"),
        (gwy_object("GwyDataField", b"data\0"), "has no type"),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, field: bytes, reason: str) -> None:
    write(tmp_path / "a.gwy", field)
    with pytest.raises(UnreadableFileError, match=reason):
        Gwyddion()(tmp_path / "a.gwy")


def test_objects_nested_without_end_are_refused() -> None:
    raw = gwy_object("A")
    for _ in range(40):
        raw = gwy_object("A", component("x", "o", raw))
    with pytest.raises(ValueError, match="nested"):
        parse(b"GWYP" + raw)


def test_agrees_with_gwyfile(tmp_path: Path) -> None:
    gwyfile = pytest.importorskip("gwyfile", reason="needs gwyfile as a second opinion")
    write(tmp_path / "a.gwy", data_field(TOP_DOWN))
    theirs = gwyfile.load(str(tmp_path / "a.gwy"))
    np.testing.assert_array_equal(theirs["/0/data"].data, TOP_DOWN)
    ours = parse((tmp_path / "a.gwy").read_bytes())
    assert ours["/0/data"]["xreal"] == theirs["/0/data"].xreal


def test_simple_fields_without_a_unit_have_no_scale(tmp_path: Path) -> None:
    TestSimpleField().write_valid(tmp_path / "a.gsf")
    raw = (tmp_path / "a.gsf").read_bytes()
    (image,) = SimpleField()(tmp_path / "a.gsf").measurements
    np.testing.assert_array_equal(image.data[0], TOP_DOWN[::-1])
    assert float(image.data["x"][-1]) == pytest.approx(7e-7)
    (tmp_path / "b.gsf").write_bytes(raw.replace(b"XYUnits = m", b"XComment=  "))
    reading = SimpleField()(tmp_path / "b.gsf")
    assert reading.measurements[0].data["x"].attrs["units"] == "pixel"
    assert any("no lateral unit" in warning for warning in reading.warnings)
    (tmp_path / "c.gsf").write_bytes(raw[:-8])
    with pytest.raises(UnreadableFileError, match="cut short"):
        SimpleField()(tmp_path / "c.gsf")
