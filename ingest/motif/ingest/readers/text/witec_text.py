"""WITec text exports: ``//Exported ASCII-File`` with a header and one or many spectra."""

from __future__ import annotations

from pathlib import Path

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.kit import (
    MAX_TEXT_BYTES,
    TEXT_SUFFIXES,
    axis_coordinates,
    check_size,
    first_of_each_name,
    parse_axis,
    quantity_facets,
    read_rows,
    spectrum,
    suffix_warnings,
    text_lines,
)

COUNTS = ("CCD cts", "cts", "counts")


class WitecText:
    """Reads every spectrum of an export on the axis it names (nm or Raman shift)."""

    name = "witec-text"
    version = 1
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The line every export begins with."""
        return head.removeprefix(b"\xef\xbb\xbf").startswith(b"//Exported ASCII-File")

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the file; the columns are checked against the sizes it declares."""
        check_size(path, MAX_TEXT_BYTES)
        lines = text_lines(path.read_bytes())
        stripped = [line.strip() for line in lines]
        if "[Data]" not in stripped:
            raise UnreadableFileError(
                f"{path.name} ends before its [Data]; export it again from WITec Project"
            )
        data_line = stripped.index("[Data]")
        pairs = [line.partition("=") for line in stripped[:data_line] if "=" in line]
        header = [(key.strip(), value.strip()) for key, _, value in pairs]
        values = dict(reversed(header))
        unit = values.get("XAxisUnit", "")
        axis = parse_axis(unit, "raman" if unit.startswith("rel") else "")
        if axis is None:
            raise UnreadableFileError(
                f"the axis of {path.name} is in {unit or 'no unit'} (XAxisUnit), which is not an "
                "unit "
                "of a spectrum; show it in nm or rel. 1/cm in WITec Project and export it again"
            )
        table = read_rows(path, lines, data_line + 3)
        points, spectra = len(table), table.shape[1] - 1
        sizes = [values.get(key, "1") for key in ("SizeX", "SizeY", "SizeGraph")]
        declared = [int(size) if size.isdecimal() and len(size) < 9 else 0 for size in sizes]
        if declared != [declared[0], declared[1], points] or declared[0] * declared[1] != spectra:
            raise UnreadableFileError(
                f"{path.name} declares {' x '.join(sizes)} values and has {spectra} spectra of "
                f"{points} points; export it again"
            )
        coordinates = axis_coordinates(path, axis, table[:, 0])
        intensity = (
            "count" if values.get("DataUnit") in COUNTS else values.get("DataUnit", "arb. unit")
        )
        shared = [Facet("instrument", "WITec", "header:[Header]")]
        if axis.name == "raman_shift":
            shared.append(Facet("technique", "Raman spectroscopy", "header:XAxisUnit"))
        if spectra == 1:
            shared += position_facets(values)
        title = values.get("GraphName") or path.stem
        measurements = [
            spectrum(
                str(i), title if spectra == 1 else f"{title} #{i}", coordinates, table[:, i + 1],
                intensity,
                first_of_each_name(
                    [*(pixel_facets(i, declared[0]) if spectra > 1 else ()), *shared]
                ),
            )
            for i in range(spectra)
        ]  # fmt: skip
        return Reading(measurements, header, suffix_warnings(path, "a WITec text", *TEXT_SUFFIXES))


def position_facets(values: dict[str, str]) -> list[Facet]:
    """Where a single spectrum was measured."""
    facets: list[Facet] = []
    for name, key in (("map_x", "PositionX"), ("map_y", "PositionY"), ("map_z", "PositionZ")):
        try:
            facets += quantity_facets(name, float(values[key]), values.get("PositionUnit", ""), key)
        except (KeyError, ValueError):
            continue
    return facets


def pixel_facets(index: int, width: int) -> list[Facet]:
    """Column and row of a spectrum in a map, stored line by line."""
    return [
        Facet("map_column", float(index % width), "header:SizeX"),
        Facet("map_row", float(index // width), "header:SizeY"),
    ]
