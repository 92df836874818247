"""The note of an Asylum image: ``Key: value`` lines divided by carriage returns, and its facets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from motif.core.clock import spelled
from motif.core.records import Facet, Header
from motif.ingest.readers.spm_values import acquired

IGOR_EPOCH = datetime(1904, 1, 1)
"""Igor counts seconds from here, in the local time of the instrument's computer."""

NUMBERS = (
    ("scan_size", "ScanSize", "m", 1.0),
    ("scan_rate", "ScanRate", "Hz", 1.0),
    ("scan_angle", "ScanAngle", "rad", math.pi / 180),
    ("tip_voltage", "TipVoltage", "V", 1.0),
    ("surface_voltage", "SurfaceVoltage", "V", 1.0),
    ("drive_amplitude", "DriveAmplitude", "V", 1.0),
    ("drive_frequency", "DriveFrequency", "Hz", 1.0),
    ("spring_constant", "SpringConstant", "N/m", 1.0),
    ("inverse_optical_lever_sensitivity", "InvOLS", "m/V", 1.0),
)
"""Facet, key of the note, SI unit, and what one unit of the note is in it."""
DATES = ("%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %H:%M:%S")
TEXTS = (("mode", "ImagingMode"), ("instrument", "MicroscopeModel"), ("remark", "ImageNote"))


def parse_note(note: str) -> list[tuple[str, str]]:
    """Split a note into (key, value) pairs in file order, repeated keys kept.

    Values hold colons (times, Windows paths), so a line is cut at its first colon; section
    markers have none and become a key without a value.
    """
    lines = note.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    pairs = (line.partition(":") for line in lines if line.strip("\0 \t"))
    return [(key.strip(), value.strip()) for key, _, value in pairs]


class Note:
    """Looks keys up; where a key repeats, the first value that can be understood counts.

    Asylum writes what was in force during the scan first and panel settings of the same name
    (``NapMode: 0`` after ``NapMode: Off``) later.
    """

    def __init__(self, header: Header) -> None:
        self._values: dict[str, list[str]] = {}
        for key, value in header:
            self._values.setdefault(key, []).append(value)

    def text(self, key: str) -> str:
        """Return the first value that is not empty, or ""."""
        return next((value for value in self._values.get(key, ()) if value), "")

    def number(self, key: str) -> float | None:
        """Return the first finite number, leaving out a unit written behind it."""
        for value in self._values.get(key, ()):
            try:
                number = float(value.split()[0])
            except (ValueError, IndexError):
                continue
            if math.isfinite(number):
                return number
        return None

    def contradictions(self) -> list[str]:
        """Keys Motif uses that repeat with different values, as sentences."""
        used = [key for _, key, *_ in (*NUMBERS, *TEXTS)] + ["Seconds", "StartHeaterTemp"]
        return [
            f"{key} is told as {' and '.join(values)}; the first that can be understood counts"
            for key in used
            if len(values := list(dict.fromkeys(self._values.get(key, ())))) > 1
        ]


def note_facets(header: Header) -> Sequence[Facet]:
    """Facets an Asylum note tells, numbers in SI units.

    Operators are left out on purpose: a note names them only inside the folders of
    ``SaveImage``, next to other personal data.
    """
    return list(_facets(Note(header)))


def _facets(note: Note) -> Iterator[Facet]:
    for name, key in TEXTS:
        if text := note.text(key):
            yield Facet(name, text, f"header:{key}")
    if mode := note.text("ImagingMode"):
        kind = "Piezoresponse" if "PFM" in mode.upper() else "Atomic"
        yield Facet("technique", f"{kind} force microscopy", "header:ImagingMode")
    for name, key, unit, factor in NUMBERS:
        if (number := note.number(key)) is not None:
            yield Facet(name, number * factor, f"header:{key}", unit)
    if (down := note.number("ScanDown")) is not None:
        yield Facet("scan_direction", "down" if down else "up", "header:ScanDown")
    if (nap := note.text("NapMode")) and nap.casefold() not in ("off", "0"):
        yield Facet("nap_mode", nap, "header:NapMode")
    if (celsius := note.number("StartHeaterTemp")) is not None:
        yield Facet("temperature", round(celsius + 273.15, 6), "header:StartHeaterTemp", "K")
    if (acquired := acquired_at(note)) is not None:
        yield acquired
    if note.text("Simulated"):
        yield Facet("simulated", True, "header:Simulated")


def acquired_at(note: Note) -> Facet | None:
    """When the scan was saved, by the instrument's own clock; no note tells its time zone.

    The wave's creation date is one constant
    in every Asylum image and is not used.
    """
    seconds = note.number("Seconds")
    if seconds is not None and 2e9 < seconds < 1e10:
        moment = IGOR_EPOCH + timedelta(seconds=seconds)
        return Facet("acquired_at", spelled(moment), "header:Seconds", told=note.text("Seconds"))
    text = f"{note.text('Date')} {note.text('Time')}"
    return next(iter(acquired(text, DATES, "header:Date")), None)
