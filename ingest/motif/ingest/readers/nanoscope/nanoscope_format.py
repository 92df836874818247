"""Header and planes of a Nanoscope file, in physical units and with pixel distances."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header
from motif.ingest.readers.kit import (
    ScanGrid,
    ScanPlane,
    base_unit,
    check_announced,
    leading_number,
    length_in_metres,
    moment_facets,
    number_and_rest,
    number_facets,
    pixel_distance,
    processing_facets,
    text_facets,
)

DIRECTIONS = {"trace": "Trace", "retrace": "Retrace"}


@dataclass(frozen=True)
class NanoscopePlane:
    """A plane with the list of the header that describes it."""

    scan_plane: ScanPlane
    section: NanoscopeSection
    warnings: tuple[str, ...]


def read_plane(
    path: Path, raw: bytes, section: NanoscopeSection, sections: list[NanoscopeSection]
) -> NanoscopePlane:
    """Read one plane of 16- or 32-bit integers and scale it.

    From version 9.2 on numbers have 32 bits whatever ``Bytes/pixel`` states, so the length of the
    data decides. The full scale of a plane corresponds to the whole range of its integers.

    Raises:
        UnreadableFileError: data are missing, or their scale is not stated.
    """
    warnings = []
    name = _name(section)
    points, lines = section.whole_number("Samps/line"), section.whole_number("Number of lines")
    offset, length = section.whole_number("Data offset"), section.whole_number("Data length")
    check_announced(path, f"{points} x {lines} pixels of {name}", points * lines, len(raw))
    width = length // (points * lines)
    if width not in (2, 4) or length != width * points * lines:
        raise UnreadableFileError(
            f"{path.name} announces {points} x {lines} pixels of {name} in {length:,} bytes, which "
            "are neither 16-bit nor 32-bit numbers; copy the file again"
        )
    check_announced(
        path, f"{length:,} bytes of {name} at byte {offset:,}", offset + length, len(raw)
    )
    if section.whole_number("Bytes/pixel") not in (0, width):
        warnings.append(f"{name} has {width} bytes per pixel, unlike its header states")
    scale_key = section.starting(r"@\d:Z scale")
    full_scale = scale(section, sections, scale_key)
    if full_scale is None or not math.isfinite(full_scale[0]):
        raise UnreadableFileError(
            f"the header of {path.name} does not state the scale of {name} "
            f"({scale_key or 'Z scale'}: {section.text(scale_key)!r}); export it from NanoScope "
            "Analysis"
        )
    factor, unit = _in_base_unit(*full_scale)
    valid = section.whole_number("Valid data len Y")
    if 0 < valid < lines:
        warnings.append(f"only {valid} of {lines} lines of {name} were measured")
    stored = np.frombuffer(raw, f"<i{width}", points * lines, offset).reshape(lines, points)
    dtype = np.float32 if width == 2 else np.float64
    values = stored * dtype(factor / 2.0 ** (8 * width))
    return NanoscopePlane(ScanPlane(name, unit, values), section, tuple(warnings))


def plane_grid(path: Path, section: NanoscopeSection, sections: list[NanoscopeSection]) -> ScanGrid:
    """Distances of the pixels from the size of the scan, which is that of the plane's own list.

    Raises:
        UnreadableFileError: no size is given.
    """
    points, lines = section.whole_number("Samps/line"), section.whole_number("Number of lines")
    for candidate in (section, *sections):
        text = candidate.text("Scan Size", "Scan size")
        parts = text.split()
        if len(parts) == 3 and (second := leading_number(parts[1])) is not None:
            quantities = [number_and_rest(f"{parts[0]} {parts[2]}"), (second, parts[2])]
        else:
            quantities = [number_and_rest(text)]
        sizes = [
            pair[0] * base_unit(pair[1])[0] for pair in quantities if pair and _length(pair[1])
        ]
        if sizes and min(sizes) > 0:
            step = pixel_distance(sizes[0], points)
            return ScanGrid(pixel_distance(sizes[1], lines) if len(sizes) > 1 else step, step)
    raise UnreadableFileError(
        f"the header of {path.name} does not state the size of the scan; export it from NanoScope "
        "Analysis"
    )


def _in_base_unit(value: float, unit: str) -> tuple[float, str]:
    factor, offset, base = base_unit(unit)
    return (value, unit) if offset else (value * factor, base)


def _length(unit: str) -> bool:
    return base_unit(unit)[2] == "m"


def _name(section: NanoscopeSection) -> str:
    """Name: ``Height Sensor`` in the retrace of a lift pass → ``LiftHeightSensorRetrace``."""
    key = section.starting(r"@\d:Image Data")
    channel = section.choice(key) or section.text("Image data") or "Image"
    lift = "Lift" if section.text("Scan Line", "Scan line").lower() == "interleave" else ""
    direction = section.text("Line Direction", "Line direction").lower()
    return lift + "".join(channel.split()) + DIRECTIONS.get(direction, "")


BEGINNINGS = (b"\\*File list", b"\\*Force file list", b"\\*EC File list")
END = b"\\*File list end"
MAX_HEADER_BYTES = 4 * 2**20
"""Bytes a header may have; genuine ones take 40 to 160 thousand."""
_SCALE = re.compile(r"V\s*(?:\[(?P<sens>[^\]]*)\])?\s*(?:\([^)]*\))?\s*(?P<value>[-+.\deE]+.*)")
_CHOICE = re.compile(r'S\s*\[(?P<key>[^\]]*)\]\s*"(?P<name>[^"]*)"')


@dataclass(frozen=True)
class NanoscopeSection:
    """One list of the header, e.g. ``Ciao image list``; of a repeated key the first counts."""

    name: str
    pairs: list[tuple[str, str]]
    values: dict[str, str]

    def text(self, *keys: str) -> str:
        """Value of the first key that has one, or ""."""
        return next((self.values[key] for key in keys if self.values.get(key)), "")

    def whole_number(self, key: str) -> int:
        """The first whole number of a value, 0 if there is none."""
        value = leading_number(self.text(key).split(" ")[0])
        return int(value) if value is not None and 0 < value < 2**40 else 0

    def choice(self, key: str) -> str:
        """The name a ``S [internal] "external"`` value shows."""
        found = _CHOICE.match(self.text(key))
        return (found["name"] or found["key"]).strip() if found else ""

    def starting(self, pattern: str) -> str:
        """The first key that matches, since parameters carry the number of a group: ``@2:``."""
        return next((key for key in self.values if re.fullmatch(pattern, key)), "")


def read_sections(path: Path, raw: bytes) -> list[NanoscopeSection]:
    """Split the header of a file into its lists.

    Raises:
        UnreadableFileError: the header does not end.
    """
    end = raw.find(END, 0, MAX_HEADER_BYTES)
    if end < 0 or not raw.startswith(BEGINNINGS):
        raise UnreadableFileError(
            f"the header of {path.name} does not end: the file is cut short; copy it again"
        )
    sections: list[NanoscopeSection] = []
    for line in re.split(r"[\r\n]+", raw[:end].decode("latin-1")):
        if line.startswith("\\*"):
            sections.append(NanoscopeSection(line[2:].strip(), [], {}))
        elif line.startswith("\\"):
            key, value = _pair(line[1:])
            sections[-1].pairs.append((key, value))
            sections[-1].values.setdefault(key, value)
    return sections


def header_pairs(sections: list[NanoscopeSection]) -> Header:
    """All keys in file order; the name of each list precedes its keys, without a value."""
    return [
        pair for section in sections for pair in ((f"*{section.name}", ""), *section.pairs)
    ]  # fmt: skip


def scale(
    image: NanoscopeSection, sections: list[NanoscopeSection], key: str
) -> tuple[float, str] | None:
    """Full scale as (number, unit), converted by the sensitivity that it refers to.

    ``V [Sens. Zsens] (0.000375 V/LSB) 24.5 V`` with ``@Sens. Zsens: V 33.5 nm/V`` is 821 nm.
    """
    match = _SCALE.match(image.text(key))
    quantity = number_and_rest(match["value"]) if match else None
    if match is None or quantity is None:
        return None
    value, unit = quantity
    sensitivity_key = f"@{match['sens']}"
    sensitivity_text = next(
        (
            candidate.values[sensitivity_key]
            for candidate in sections
            if sensitivity_key in candidate.values
        ),
        "",
    )
    if not match["sens"] or not sensitivity_text:
        return None if match["sens"] else (value, unit)
    sensitivity = number_and_rest(sensitivity_text.removeprefix("V").strip())
    if sensitivity is None:
        return None
    if not sensitivity[1]:
        return value * sensitivity[0], unit
    above, _, below = sensitivity[1].partition("/")
    factor = base_unit(unit)[0] / base_unit(below)[0] if below else 1.0
    return value * factor * sensitivity[0], above


def _pair(line: str) -> tuple[str, str]:
    """Key and value: ``@2:Z scale: V ...`` has a colon in its key."""
    at = line.find(":", 3 if re.match(r"@\d:", line) else 0)
    return (line.strip(), "") if at < 0 else (line[:at].strip(), line[at + 1 :].strip())


def image_sections(sections: list[NanoscopeSection]) -> Iterator[NanoscopeSection]:
    """The lists that describe one image each."""
    return (
        section
        for section in sections
        if section.name.lower() in ("ciao image list", "ec image list")
    )


DATES = ("%I:%M:%S %p %a %b %d %Y", "%H:%M:%S %a %b %d %Y")
TECHNIQUES = (
    ("piezo", "Piezoresponse force microscopy"), ("pfm", "Piezoresponse force microscopy"),
    ("stm", "Scanning tunnelling microscopy"), ("", "Atomic force microscopy"),
)  # fmt: skip


def scan_facets(
    group: Sequence[NanoscopePlane], sections: Sequence[NanoscopeSection]
) -> list[Facet]:
    """Facets of the planes of one image in SI units; the first list that states one counts."""
    first = group[0].section
    all_sections = (first, *sections)
    size_key, rate_key = (
        _key(all_sections, "Scan Size", "Scan size"),
        _key(all_sections, "Scan Rate", "Scan rate"),
    )
    angle = leading_number(_text(all_sections, "Rotate Ang."))
    mode = _choice(all_sections, "@MicroscopeList") or _text(all_sections, "Operating mode")
    return [
        *moment_facets(_text(all_sections, "Date"), "Date", DATES),
        *text_facets("instrument", _text(all_sections, "Description", "Microscope"), "Description"),
        *text_facets("mode", mode, "@MicroscopeList"),
        *_technique(mode, first),
        *number_facets("scan_size", _size(_text(all_sections, size_key)), "m", size_key),
        *number_facets("scan_rate", leading_number(_text(all_sections, rate_key)), "Hz", rate_key),
        *number_facets(
            "scan_angle",
            None if angle is None else math.radians(angle),
            "rad",
            "Rotate Ang.",
        ),
        *text_facets(
            "scan_direction", _text(all_sections, "Frame direction").lower(), "Frame direction"
        ),
        *text_facets("comment", first.text("Note"), "Note"),
        *_processing(group),
        *number_facets(
            "spring_constant",
            leading_number(first.text("Spring Constant")),
            "N/m",
            "Spring Constant",
        ),
    ]


def _processing(group: Sequence[NanoscopePlane]) -> list[Facet]:
    """Fits subtracted before the planes were saved."""
    steps = []
    for plane in group:
        for stage in ("Realtime", "Offline"):
            fit = plane.section.text(f"{stage} Planefit", f"{stage} planefit")
            if fit and fit.lower() != "none":
                steps.append(f"{plane.scan_plane.name}: {stage.lower()} plane fit {fit}")
    return processing_facets(steps, "Planefit")


def _technique(mode: str, section: NanoscopeSection) -> list[Facet]:
    description = f"{mode} {section.text('Data type')}".lower()
    if not description.strip():
        return []
    technique = next(name for fragment, name in TECHNIQUES if fragment in description)
    return [Facet("technique", technique, "header:@MicroscopeList")]


def _size(text: str) -> float | None:
    parts = text.split()
    return length_in_metres(f"{parts[0]} {parts[-1]}") if len(parts) > 1 else None


def _key(sections: Sequence[NanoscopeSection], *keys: str) -> str:
    return next((key for key in keys for section in sections if section.text(key)), keys[0])


def _text(sections: Sequence[NanoscopeSection], *keys: str) -> str:
    return next((text for section in sections if (text := section.text(*keys))), "")


def _choice(sections: Sequence[NanoscopeSection], key: str) -> str:
    return next((text for section in sections if (text := section.choice(key))), "")
