"""docs/formats.md tells what becomes of every real file.

The table is made by the readers: run this test with ``MOTIF_UPDATE_DOCS=1`` to write it anew.
"""

import os
import re
from pathlib import Path

import pytest

from motif.core.errors import UnreadableFileError
from motif.core.records import Measurement, Reading
from motif.ingest.readers import choose, installed

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("MOTIF_REAL_DATA", ROOT.parent / "shared" / "data"))
PAGE = ROOT / "docs" / "formats.md"
BEGIN, END = "<!-- files: begin -->\n", "<!-- files: end -->\n"
SHOWN = 6
"""Channels or notes of a file that are written out."""


def table() -> str:
    """What the installed readers make of every file, in Markdown."""
    files = sorted(p for p in DATA.rglob("*") if p.is_file() and p.name != "MANIFEST.csv")
    rows = [_row(path) for path in sorted(files, key=lambda path: path.name.lower())]
    return "\n".join(
        (
            "| file | reader | read as | axis or channels | facets | remarks |",
            "|---" * 6 + "|",
            *rows,
        )
    )


def _row(path: Path) -> str:
    try:
        reader = choose(path)
        reading = reader(path)
    except UnreadableFileError as error:
        return _cells(path.name, "", "**not read**", "", "", str(error))
    first = reading.measurements[0]
    names = sorted({f.name for m in reading.measurements for f in m.facets})
    return _cells(
        path.name, reader.name, _what(reading), _axes(first), ", ".join(names),
        "; ".join(reading.notes[:SHOWN]),
    )  # fmt: skip


def _what(reading: Reading) -> str:
    first, count = reading.measurements[0], len(reading.measurements)
    kinds = {measurement.kind for measurement in reading.measurements}
    size = " x ".join(
        map(str, first.data.shape[-2:] if first.kind == "image" else first.data.shape)
    )
    many = {"image": "images", "spectrum": "spectra"}
    noun = " and ".join(sorted(many[kind] if count > 1 else kind for kind in kinds))
    return f"{count} {noun} of {size} {'pixels' if first.kind == 'image' else 'points'}"


def _axes(measurement: Measurement) -> str:
    data = measurement.data
    if measurement.kind == "image":
        units = zip(data["channel"].values, data["unit"].values, strict=True)
        channels = [f"{name} ({unit or 'no unit'})" for name, unit in units]
        more = f" and {len(channels) - SHOWN} more" if len(channels) > SHOWN else ""
        width = abs(float(data["x"][-1] - data["x"][0]))
        return f"{', '.join(channels[:SHOWN])}{more}; {width:.4g} {data['x'].attrs['units']} wide"
    (dimension,) = map(str, data.dims)
    axis = data[dimension]
    ends = f"{float(axis[0]):.6g} to {float(axis[-1]):.6g} {axis.attrs['units']}"
    return f"{dimension} {ends}; intensity in {data.attrs['units']}"


def _cells(*cells: str) -> str:
    plain = (re.sub(r"\s+", " ", cell).replace("|", "\\|").replace("<", "&lt;") for cell in cells)
    return f"| {' | '.join(plain)} |"


def test_the_page_tells_what_the_readers_make_of_every_real_file() -> None:
    if not (DATA / "MANIFEST.csv").is_file():
        pytest.skip(f"needs the real files under MOTIF_REAL_DATA ({DATA})")
    page = PAGE.read_text("utf-8")
    readers = page.partition("## Spectra")[0]
    named = set(re.findall(r"^\| `([a-z0-9-]+)` \|", readers, re.MULTILINE))
    if missing := named - {reader.name for reader in installed()}:
        pytest.skip(f"needs the readers {', '.join(sorted(missing))}, which are not installed")
    before, _, rest = page.partition(BEGIN)
    written, _, after = rest.partition(END)
    made = table() + "\n"
    if os.environ.get("MOTIF_UPDATE_DOCS"):
        PAGE.write_text(before + BEGIN + made + END + after, "utf-8")
        return
    assert written == made, "run this test with MOTIF_UPDATE_DOCS=1 to write the table anew"


def test_the_page_names_every_reader() -> None:
    page = PAGE.read_text("utf-8")
    assert not [reader.name for reader in installed() if f"`{reader.name}`" not in page]


def test_no_path_of_a_machine_is_on_the_page() -> None:
    assert str(ROOT.parent) not in PAGE.read_text("utf-8")
