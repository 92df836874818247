"""WITec text exports: ``//Exported ASCII-File`` with a header and one or many spectra."""

from __future__ import annotations

from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.facet_values import once
from motif.ingest.readers.library_text import table_lines
from motif.ingest.readers.naming import TEXTS, misnamed
from motif.ingest.readers.number_rows import LARGEST, rows
from motif.ingest.readers.spectral_axes import parse_axis
from motif.ingest.readers.spectrum import coordinates, sized, spectrum
from motif.ingest.readers.witec_places import pixel, position

COUNTS = ("CCD cts", "cts", "counts")


class WitecText:
    """Reads every spectrum of an export on the axis it names (nm or Raman shift)."""

    name = "witec-text"
    version = 1
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The line every export begins with."""
        return head.removeprefix(b"\xef\xbb\xbf").startswith(b"//Exported ASCII-File")

    def __call__(self, path: Path) -> Reading:
        """Read the file; the columns are checked against the sizes it declares."""
        sized(path, LARGEST)
        lines = table_lines(path.read_bytes())
        stripped = [line.strip() for line in lines]
        if "[Data]" not in stripped:
            raise UnreadableFileError(
                f"{path.name} ends before its [Data]; export it again from WITec Project"
            )
        at = stripped.index("[Data]")
        pairs = [line.partition("=") for line in stripped[:at] if "=" in line]
        header = [(key.strip(), value.strip()) for key, _, value in pairs]
        told = dict(reversed(header))
        unit = told.get("XAxisUnit", "")
        axis = parse_axis(unit, "raman" if unit.startswith("rel") else "")
        if axis is None:
            raise UnreadableFileError(
                f"the axis of {path.name} is in {unit or 'no unit'} (XAxisUnit), which is no unit "
                "of a spectrum; show it in nm or rel. 1/cm in WITec Project and export it again"
            )
        table = rows(path, lines, at + 3)
        points, spectra = len(table), table.shape[1] - 1
        sizes = [told.get(key, "1") for key in ("SizeX", "SizeY", "SizeGraph")]
        declared = [int(size) if size.isdecimal() and len(size) < 9 else 0 for size in sizes]
        if declared != [declared[0], declared[1], points] or declared[0] * declared[1] != spectra:
            raise UnreadableFileError(
                f"{path.name} declares {' x '.join(sizes)} values and holds {spectra} spectra of "
                f"{points} points; export it again"
            )
        on = coordinates(path, axis, table[:, 0])
        intensity = "count" if told.get("DataUnit") in COUNTS else told.get("DataUnit", "arb. unit")
        common = [Facet("instrument", "WITec", "header:[Header]")]
        if axis.name == "raman_shift":
            common.append(Facet("technique", "Raman spectroscopy", "header:XAxisUnit"))
        if spectra == 1:
            common += position(told)
        title = told.get("GraphName") or path.stem
        measurements = [
            spectrum(
                str(i), title if spectra == 1 else f"{title} #{i}", on, table[:, i + 1], intensity,
                once([*(pixel(i, declared[0]) if spectra > 1 else ()), *common]),
            )
            for i in range(spectra)
        ]  # fmt: skip
        return Reading(measurements, header, misnamed(path, "a WITec text", *TEXTS))
