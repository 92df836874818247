"""docs/formats.md lists what the readers return for every real file.

Run this test with ``MOTIF_UPDATE_DOCS=1`` to write the table again.
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
"""Channels or warnings of a file that are written out."""


def table() -> str:
    """What the installed readers return for every file, in Markdown."""
    files = sorted(p for p in DATA.rglob("*") if p.is_file() and p.name != "MANIFEST.csv")
    rows = [_row(path) for path in sorted(files, key=lambda path: path.name.lower())]
    return "\n".join(
        (
            "| file | reader | read as | axis or channels | facets | warnings |",
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
        path.name, reader.name, _measurements_of(reading), _axes(first), ", ".join(names),
        "; ".join(reading.warnings[:SHOWN]),
    )  # fmt: skip


def _measurements_of(reading: Reading) -> str:
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


def test_the_page_lists_what_the_readers_return_for_every_real_file() -> None:
    present = {path.name for path in DATA.rglob("*") if path.is_file()} - {"MANIFEST.csv"}
    if not present:
        pytest.skip(f"needs the real files in MOTIF_REAL_DATA ({DATA})")
    page = PAGE.read_text("utf-8")
    readers = page.partition("## Spectra")[0]
    named = set(re.findall(r"^\| `([a-z0-9-]+)` \|", readers, re.MULTILINE))
    if missing := named - {reader.name for reader in installed()}:
        pytest.skip(f"needs the readers {', '.join(sorted(missing))}, which are not installed")
    before, _, rest = page.partition(BEGIN)
    written, _, after = rest.partition(END)
    expected = table() + "\n"
    if os.environ.get("MOTIF_UPDATE_DOCS"):
        PAGE.write_text(before + BEGIN + expected + END + after, "utf-8")
        return
    heading, rows = written.splitlines(keepends=True)[:2], written.splitlines(keepends=True)[2:]
    rows = [row for row in rows if row.split(" | ")[0].removeprefix("| ") in present]
    message = "run this test with MOTIF_UPDATE_DOCS=1 to write the table again"
    assert "".join([*heading, *rows]) == expected, message


def test_the_page_names_every_reader() -> None:
    page = PAGE.read_text("utf-8")
    assert not [reader.name for reader in installed() if f"`{reader.name}`" not in page]


def test_no_path_of_a_machine_is_on_the_page() -> None:
    assert str(ROOT.parent) not in PAGE.read_text("utf-8")
