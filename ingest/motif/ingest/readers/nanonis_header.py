"""Headers of the Nanonis formats, and what they tell about a measurement, as facets."""

from __future__ import annotations

import math
import re
from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header
from motif.ingest.readers.spm_values import acquired, decoded, measured, metres, number, told

LONGEST = 2**20
"""Bytes a header may have; genuine ones take about ten thousand."""
DATES = ("%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M:%S")
_SIGNAL = re.compile(r"\s*(?P<name>.*?)\s*(?:\((?P<unit>[^()]*)\))?\s*")


def head_of(path: Path, raw: bytes, end: bytes) -> tuple[str, int]:
    """Text before `end` and the place behind it.

    Raises:
        UnreadableFileError: the header does not end.
    """
    at = raw.find(end, 0, LONGEST)
    if at < 0:
        raise UnreadableFileError(
            f"the header of {path.name} does not end ({end.decode()} is missing): the file is cut "
            "short; copy it again"
        )
    return decoded(raw[:at]), at + len(end)


def scan_header(text: str) -> Header:
    """Pairs of an ``.sxm`` header, whose keys stand between colons on a line of their own."""
    pairs: list[tuple[str, str]] = []
    for line in text.splitlines():
        if len(line) > 2 and line.startswith(":") and line.rstrip().endswith(":"):
            pairs.append((line.strip().strip(":"), ""))
        elif pairs and line.strip():
            key, value = pairs[-1]
            pairs[-1] = (key, f"{value}\n{line.rstrip()}" if value else line.strip())
    return pairs


def lookup(header: Header) -> dict[str, str]:
    """The first value of every key."""
    first: dict[str, str] = {}
    for key, value in header:
        first.setdefault(key, value)
    return first


def signal(text: str) -> tuple[str, str]:
    """Name and unit of a channel: ``Bias calc (V)`` → ``("Bias calc", "V")``."""
    found = _SIGNAL.fullmatch(" ".join(text.split()))
    return (found["name"], found["unit"] or "") if found else (text.strip(), "")


def numbers(text: str) -> list[float]:
    """The numbers of a line, as far as they are some."""
    return [value for word in text.split() if (value := number(word)) is not None]


def scan_facets(values: dict[str, str]) -> list[Facet]:
    """Facets of an ``.sxm`` header in SI units."""
    controller = values.get("Z-Controller>Controller name", "")
    angle = number(values.get("SCAN_ANGLE", ""))
    ranges = numbers(values.get("SCAN_RANGE", ""))
    moment = f"{values.get('REC_DATE', '')} {values.get('REC_TIME', '')}"
    return [
        *acquired(moment, DATES, "header:REC_DATE"),
        *_technique(controller),
        *told("mode", controller, "header:Z-Controller>Controller name"),
        *_instrument(values),
        *measured("scan_size", ranges[0] if ranges else None, "m", "header:SCAN_RANGE"),
        *measured("scan_angle", None if angle is None else math.radians(angle), "rad",
                  "header:SCAN_ANGLE"),
        *told("scan_direction", values.get("SCAN_DIR", "").lower(), "header:SCAN_DIR"),
        *measured("temperature", number(values.get("REC_TEMP", "")), "K", "header:REC_TEMP"),
        *measured("bias", number(values.get("BIAS", "")), "V", "header:BIAS"),
        *told("remark", values.get("COMMENT", ""), "header:COMMENT"),
    ]  # fmt: skip


def spectrum_facets(values: dict[str, str]) -> list[Facet]:
    """Facets of a ``.3ds`` or ``.dat`` header in SI units."""
    date = "Date" if values.get("Date") else "Saved Date"
    return [
        *acquired(values.get(date, "").strip('"'), DATES, f"header:{date}"),
        *told("mode", values.get("Experiment", "").removeprefix("Experiment"), "header:Experiment"),
        *told("operator", values.get("User", ""), "header:User"),
        *_instrument(values),
        *measured("bias", number(values.get("Bias>Bias (V)", "")), "V", "header:Bias>Bias (V)"),
        *measured("map_x", metres(values.get("X (m)", ""), "m"), "m", "header:X (m)"),
        *measured("map_y", metres(values.get("Y (m)", ""), "m"), "m", "header:Y (m)"),
        *told("remark", values.get("Comment", values.get("Comment01", "")), "header:Comment"),
    ]


def _instrument(values: dict[str, str]) -> list[Facet]:
    key = "NanonisMain>SW Version"
    return told("instrument", f"Nanonis {values[key]}" if values.get(key) else "", f"header:{key}")


def _technique(controller: str) -> list[Facet]:
    """A tip held by its current tunnels; one held by its oscillation feels a force."""
    origin = "header:Z-Controller>Controller name"
    if "current" in controller.lower():
        return [Facet("technique", "Scanning tunnelling microscopy", origin)]
    if re.search(r"frequency|amplitude|excitation|deflection", controller.lower()):
        return [Facet("technique", "Atomic force microscopy", origin)]
    return []
