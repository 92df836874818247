"""Names and units of the planes of an Asylum image."""

from __future__ import annotations

import re
from collections.abc import Sequence

from motif.ingest.readers.asylum_note import Note

UNITS = {
    "Height": "m", "ZSensor": "m", "XSensor": "m", "YSensor": "m", "Amplitude": "m",
    "Deflection": "m", "Phase": "deg", "Frequency": "Hz", "Current": "A", "Potential": "V",
    "Dissipation": "W", "Inputi": "V", "Inputq": "V", "Count": "1", "Lateral": "V",
    "UserIn": "V", "BackPackIn": "V", "Capacitance": "F", "Force": "N", "Adhesion": "N",
}  # fmt: skip
"""SI unit by channel; Asylum stores planes in the base unit, phases in degrees."""
SYMBOLS = {"°": "deg", "º": "deg", "µm": "um", "μm": "um", "%": "percent"}
_STEM = re.compile(r"(.+?)(Retrace|Trace)(Mod\d*)?")


def clean_label(label: str) -> str:
    """Cut what an earlier, longer label left behind: ``PhaseRetracerace`` → ``PhaseRetrace``.

    The stem is everything up to the first ``Trace`` or ``Retrace``, with the ``Mod0`` that
    Asylum appends to a plane changed by hand.
    """
    stem = _STEM.match(label)
    return stem.group(0) if stem else label.strip()


def unique(names: Sequence[str]) -> list[str]:
    """Tell equal names apart by their place: ``Height``, ``Height 2``."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return result


def channel_unit(channel: str, note: Note) -> str:
    """Unit of a plane, "" where neither the note nor Asylum's convention tells it.

    Planes of the lift pass (``NapPhaseRetrace``) have the unit of their quantity. User channels
    (``UserIn0``, ``UserCalc``) carry the unit the operator declared in the note.
    """
    stem = _STEM.match(channel)
    quantity = (stem.group(1) if stem else channel).removeprefix("Nap")
    declared = note.text(f"{quantity}Unit")
    if declared:
        return SYMBOLS.get(declared, declared)
    return UNITS.get(quantity) or UNITS.get(quantity.rstrip("0123456789"), "")
