"""The note of an Asylum image, ``Key: value`` lines ended by carriage returns, and its facets."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from motif.core.records import Facet, Header
from motif.ingest.readers.kit import (
    SETTING_OFF,
    datetime_facets,
    moment_facets,
    processing_facets,
)

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
"""Facet, key of the note, SI unit, and the factor from the unit of the note."""
DATES = ("%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %H:%M:%S")
TEXTS = (("mode", "ImagingMode"), ("instrument", "MicroscopeModel"), ("comment", "ImageNote"))


def parse_note(note: str) -> list[tuple[str, str]]:
    """Split a note into (key, value) pairs in file order, repeated keys kept.

    Values contain colons (times, Windows paths), so a line is split at its first colon. Section
    markers have none and become a key without a value.
    """
    lines = note.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    pairs = (line.partition(":") for line in lines if line.strip("\0 \t"))
    return [(key.strip(), value.strip()) for key, _, value in pairs]


class AsylumNote:
    """Looks up keys; where a key repeats, the first value that can be parsed counts.

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
        """Return the first finite number, without the unit after it."""
        for value in self._values.get(key, ()):
            try:
                number = float(value.split()[0])
            except (ValueError, IndexError):
                continue
            if math.isfinite(number):
                return number
        return None

    def contradictions(self) -> list[str]:
        """Warnings about keys that Motif uses and that repeat with different values."""
        used = [key for _, key, *_ in (*NUMBERS, *TEXTS)] + ["Seconds", "StartHeaterTemp"]
        return [
            f"{key} is given as {' and '.join(values)}; the first that can be parsed counts"
            for key in used
            if len(values := list(dict.fromkeys(self._values.get(key, ())))) > 1
        ]


def note_facets(header: Header) -> Sequence[Facet]:
    """Facets that an Asylum note states, numbers in SI units.

    Operators are left out on purpose: a note names them only inside the folders of
    ``SaveImage``, next to other personal data.
    """
    return list(_facets(AsylumNote(header)))


def _facets(note: AsylumNote) -> Iterator[Facet]:
    for name, key in TEXTS:
        if text := note.text(key):
            yield Facet(name, text, f"header:{key}")
    if mode := note.text("ImagingMode"):
        kind = "Piezoresponse" if "PFM" in mode.upper() else "Atomic"
        yield Facet("technique", f"{kind} force microscopy", "header:ImagingMode")
    for name, key, unit, factor in NUMBERS:
        if (number := note.number(key)) is not None:
            yield Facet(name, number * factor, f"header:{key}", unit)
    if (scan_down := note.number("ScanDown")) is not None:
        yield Facet("scan_direction", "down" if scan_down else "up", "header:ScanDown")
    if (nap_mode := note.text("NapMode")) and nap_mode.casefold() not in ("off", "0"):
        yield Facet("nap_mode", nap_mode, "header:NapMode")
    if (celsius := note.number("StartHeaterTemp")) is not None:
        yield Facet("temperature", round(celsius + 273.15, 6), "header:StartHeaterTemp", "K")
    yield from acquired_at(note)
    if note.text("Simulated"):
        yield Facet("simulated", True, "header:Simulated")


def acquired_at(note: AsylumNote) -> list[Facet]:
    """When the scan was saved, by the clock of the instrument, whose time zone no note states.

    The creation date of the wave is the same constant in every Asylum image and is not used.
    """
    seconds = note.number("Seconds")
    if seconds is not None and 2e9 < seconds < 1e10:
        moment = IGOR_EPOCH + timedelta(seconds=seconds)
        return datetime_facets(moment, "Seconds", note.text("Seconds"))
    return moment_facets(f"{note.text('Date')} {note.text('Time')}", "Date", DATES)


UNITS = {
    "Height": "m", "ZSensor": "m", "XSensor": "m", "YSensor": "m", "Amplitude": "m",
    "Deflection": "m", "Phase": "deg", "Frequency": "Hz", "Current": "A", "Potential": "V",
    "Dissipation": "W", "Inputi": "V", "Inputq": "V", "Count": "1", "Lateral": "V",
    "UserIn": "V", "BackPackIn": "V", "Capacitance": "F", "Force": "N", "Adhesion": "N",
}  # fmt: skip
"""SI unit by channel; Asylum stores planes in the base unit, phases in degrees."""
SYMBOLS = {"°": "deg", "º": "deg", "µm": "um", "μm": "um", "%": "percent"}
_PLANE_FIT = re.compile(r"(Planefit|FlattenOrder) (\d{1,3})")
_CHANGED_BY_HAND = re.compile(r"Mod\d*$")
_STEM = re.compile(r"(.+?)(Retrace|Trace)(Mod\d*)?")


def clean_label(label: str) -> str:
    """Remove what an earlier, longer label left: ``PhaseRetracerace`` → ``PhaseRetrace``.

    The stem is everything up to the first ``Trace`` or ``Retrace``, with the ``Mod0`` that
    Asylum appends to a plane changed by hand.
    """
    stem = _STEM.match(label)
    return stem.group(0) if stem else label.strip()


def asylum_processing(header: Header, channels: Sequence[str]) -> list[Facet]:
    """What a note states about the planes: flattening, plane fits, changes by hand.

    ``Planefit 0: Flatten 1`` means that a fit of order 1 was subtracted from each line of the
    first plane.
    """
    fits: dict[int, str] = {}
    for key, value in header:
        match = _PLANE_FIT.fullmatch(key)
        if match and match[1] == "Planefit" and value.casefold() not in SETTING_OFF:
            fits[int(match[2])] = value
        elif match and match[1] == "FlattenOrder" and value.casefold() not in SETTING_OFF - {"0"}:
            fits.setdefault(int(match[2]), f"Flatten {value}")
    steps = [f"{name}: {fits[i]}" for i, name in enumerate(channels) if i in fits]
    steps += [f"{name}: changed by hand" for name in channels if _CHANGED_BY_HAND.search(name)]
    return processing_facets(steps, "Planefit")


def channel_unit(channel: str, note: AsylumNote) -> str:
    """Unit of a plane, "" where neither the note nor Asylum's convention gives it.

    Planes of the lift pass (``NapPhaseRetrace``) have the unit of their quantity. User channels
    (``UserIn0``, ``UserCalc``) carry the unit the operator declared in the note.
    """
    stem = _STEM.match(channel)
    quantity = (stem.group(1) if stem else channel).removeprefix("Nap")
    declared = note.text(f"{quantity}Unit")
    if declared:
        return SYMBOLS.get(declared, declared)
    return UNITS.get(quantity) or UNITS.get(quantity.rstrip("0123456789"), "")
