"""RRUFF text files: ``##KEY=value`` lines, then pairs. They are no JCAMP-DX."""

from __future__ import annotations

import re
from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.facet_values import Rule, by_rules, once, quantity
from motif.ingest.readers.library_text import table_lines
from motif.ingest.readers.naming import TEXTS, misnamed
from motif.ingest.readers.number_rows import LARGEST, first_row, rows
from motif.ingest.readers.spectral_axes import Axis
from motif.ingest.readers.spectrum import coordinates, sized, spectrum

KINDS = (
    ("raman", Axis("raman_shift", "cm^-1"), "Raman spectroscopy"),
    ("broad_scan", Axis("raman_shift", "cm^-1"), "Raman spectroscopy"),
    ("infrared", Axis("wavenumber", "cm^-1"), "infrared spectroscopy"),
    ("powder", Axis("two_theta", "deg"), "X-ray diffraction"),
    ("x-ray", Axis("two_theta", "deg"), "X-ray diffraction"),
)
"""What a file of the collection is called, its axis and its technique (rruff.info)."""
RULES: tuple[Rule, ...] = (
    ("material", "NAMES", None), ("sample", "RRUFFID", None), ("locality", "LOCALITY", None),
    ("chemistry", "IDEAL CHEMISTRY", None), ("status", "STATUS", None),
)  # fmt: skip
_LASER = re.compile(r"__(\d{3,4})__")
_BEGINNING = re.compile(rb"\s*##(NAMES|RRUFFID|IDEAL CHEMISTRY)=")


class RruffText:
    """Reads one spectrum; what it is stands in the file's name, as RRUFF gives it out."""

    name = "rruff-text"
    version = 1
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The first label, and an RRUFF number."""
        return b"##RRUFFID=" in head and _BEGINNING.match(head) is not None

    def __call__(self, path: Path) -> Reading:
        """Read the file; without its name the unit of the axis is not told and it is refused."""
        sized(path, LARGEST)
        lines = table_lines(path.read_bytes())
        at = first_row(lines)
        pairs = [line[2:].partition("=") for line in lines[:at] if line.startswith("##")]
        header = [(key.strip(), value.strip()) for key, _, value in pairs]
        lower = path.name.lower()
        kind = next((kind for kind in KINDS if kind[0] in lower), None)
        if kind is None:
            raise UnreadableFileError(
                f"{path.name} is an RRUFF text whose name does not say Raman, Infrared or "
                "Powder, so the unit of its axis is unknown; give it back the name it came with"
            )
        _, axis, technique = kind
        table = rows(path, lines, at)
        if not len(table) or table.shape[1] != 2:
            raise UnreadableFileError(f"{path.name} holds no pairs of numbers; download it again")
        facets = [Facet("technique", technique, "file:name"), *by_rules(header, RULES)]
        laser = _LASER.search(path.name)
        if laser and axis.name == "raman_shift":
            (wavelength,) = quantity("laser_wavelength", float(laser[1]), "nm", "")
            facets.append(Facet("laser_wavelength", wavelength.value, "file:name", "m"))
        if "processed" in lower:
            facets.append(Facet("processing", "processed by RRUFF", "file:name"))
        title = " ".join(filter(None, map(dict(header).get, ("NAMES", "RRUFFID")))) or path.stem
        on = coordinates(path, axis, table[:, 0])
        found = spectrum("0", title, on, table[:, 1], "arb. unit", once(facets))
        return Reading([found], header, misnamed(path, "an RRUFF text", *TEXTS))
