"""B&W Tek text files (BWSpec, BWRam): ``key;value`` lines, then a table by pixel."""

from __future__ import annotations

import re
from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.bwtek_table import read_table
from motif.ingest.readers.facet_values import Rule, by_rules, moment, once
from motif.ingest.readers.library_text import table_lines
from motif.ingest.readers.naming import TEXTS, misnamed
from motif.ingest.readers.number_rows import LARGEST
from motif.ingest.readers.spectrum import coordinates, sized, spectrum

RULES: tuple[Rule, ...] = (
    ("instrument", "model", None), ("laser_wavelength", "laser_wavelength", "nm"),
    ("exposure_time", "integration times(ms)", "ms"),
    ("exposure_time", "integration times(us)", "us"),
    ("exposure_time", "intigration times(ms)", "ms"),
    ("exposure_time", "intigration times(us)", "us"),
    ("accumulations", "average number", ""), ("laser_power_setting", "laser_powerlevel", None),
    ("operator", "operator", None), ("sample", "sample", None), ("remark", "comment", None),
)  # fmt: skip
"""``intigration`` is how BWRam 4 spells it."""
DECIMAL = re.compile(r"(?<=\d),(?=\d+$)")
"""The decimal comma of a number in a German or Bulgarian Windows."""
DATES = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S")


class BwtekText:
    """Reads the raw intensities on the first axis that is filled; other columns are remarked."""

    name = "bwtek-text"
    version = 2
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The version line every file begins with."""
        return re.match(rb"(\xef\xbb\xbf)?File Version;BW", head) is not None

    def __call__(self, path: Path) -> Reading:
        """Read the file; the axis is the Raman shift where the program computed it."""
        sized(path, LARGEST)
        lines = table_lines(path.read_bytes())
        at = next((i for i, line in enumerate(lines) if line.startswith("Pixel;")), None)
        if at is None:
            raise UnreadableFileError(f"{path.name} ends before its table; export it again")
        pairs = [line.partition(";") for line in lines[:at]]
        header = [(key.strip(), value.strip(" ;")) for key, _, value in pairs]
        table = read_table(path, lines, at)
        told = [(key, DECIMAL.sub(".", value)) for key, value in header]
        facets = [*by_rules(told, RULES), *moment(dict(header).get("Date", ""), "Date", DATES)]
        if table.axis.name == "raman_shift":
            facets.append(Facet("technique", "Raman spectroscopy", "header:Raman Shift"))
        on = coordinates(path, table.axis, table.positions)
        spectra = [
            spectrum(str(i), f"{path.stem} {name}", on, values, "count", once(facets))
            for i, (name, values) in enumerate(table.measured.items())
        ]
        notes = misnamed(path, "a B&W Tek text", *TEXTS)
        return Reading(spectra, header, [*table.notes, *notes])
