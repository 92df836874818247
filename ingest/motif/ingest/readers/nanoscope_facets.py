"""What a Nanoscope header tells about a scan, as facets."""

from __future__ import annotations

import math
from collections.abc import Sequence

from motif.core.records import Facet
from motif.ingest.readers.nanoscope_header import Section
from motif.ingest.readers.nanoscope_planes import NanoscopePlane
from motif.ingest.readers.processing import processing
from motif.ingest.readers.spm_values import acquired, measured, metres, number, told

DATES = ("%I:%M:%S %p %a %b %d %Y", "%H:%M:%S %a %b %d %Y")
TECHNIQUES = (
    ("piezo", "Piezoresponse force microscopy"), ("pfm", "Piezoresponse force microscopy"),
    ("stm", "Scanning tunnelling microscopy"), ("", "Atomic force microscopy"),
)  # fmt: skip


def facets(group: Sequence[NanoscopePlane], lists: Sequence[Section]) -> list[Facet]:
    """Facets of the planes of one image in SI units; the list that tells one first counts."""
    first = group[0].section
    every = (first, *lists)
    size_key, rate_key = (
        _key(every, "Scan Size", "Scan size"),
        _key(every, "Scan Rate", "Scan rate"),
    )
    angle = number(_text(every, "Rotate Ang."))
    mode = _choice(every, "@MicroscopeList") or _text(every, "Operating mode")
    return [
        *acquired(_text(every, "Date"), DATES, "header:Date"),
        *told("instrument", _text(every, "Description", "Microscope"), "header:Description"),
        *told("mode", mode, "header:@MicroscopeList"),
        *_technique(mode, first),
        *measured("scan_size", _size(_text(every, size_key)), "m", f"header:{size_key}"),
        *measured("scan_rate", number(_text(every, rate_key)), "Hz", f"header:{rate_key}"),
        *measured(
            "scan_angle",
            None if angle is None else math.radians(angle),
            "rad",
            "header:Rotate Ang.",
        ),
        *told("scan_direction", _text(every, "Frame direction").lower(), "header:Frame direction"),
        *told("remark", first.text("Note"), "header:Note"),
        *_processing(group),
        *measured(
            "spring_constant",
            number(first.text("Spring Constant")),
            "N/m",
            "header:Spring Constant",
        ),
    ]


def _processing(group: Sequence[NanoscopePlane]) -> list[Facet]:
    """Fits subtracted before the planes were saved."""
    steps = []
    for one in group:
        for when in ("Realtime", "Offline"):
            fit = one.section.text(f"{when} Planefit", f"{when} planefit")
            if fit and fit.lower() != "none":
                steps.append(f"{one.plane.name}: {when.lower()} plane fit {fit}")
    return processing(steps, "Planefit")


def _technique(mode: str, section: Section) -> list[Facet]:
    kind = f"{mode} {section.text('Data type')}".lower()
    if not kind.strip():
        return []
    found = next(technique for word, technique in TECHNIQUES if word in kind)
    return [Facet("technique", found, "header:@MicroscopeList")]


def _size(text: str) -> float | None:
    words = text.split()
    return metres(f"{words[0]} {words[-1]}") if len(words) > 1 else None


def _key(every: Sequence[Section], *keys: str) -> str:
    return next((key for key in keys for one in every if one.text(key)), keys[0])


def _text(every: Sequence[Section], *keys: str) -> str:
    return next((text for one in every if (text := one.text(*keys))), "")


def _choice(every: Sequence[Section], key: str) -> str:
    return next((text for one in every if (text := one.choice(key))), "")
