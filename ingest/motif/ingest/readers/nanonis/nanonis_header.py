"""Headers of the Nanonis formats and the facets they state."""

from __future__ import annotations

import math
import re
from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header
from motif.ingest.readers.kit import (
    decode_text,
    leading_number,
    length_in_metres,
    moment_facets,
    number_facets,
    text_facets,
)

MAX_HEADER_BYTES = 2**20
"""Bytes a header may have; genuine ones take about ten thousand."""
DATES = ("%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M:%S")
_SIGNAL = re.compile(r"\s*(?P<name>.*?)\s*(?:\((?P<unit>[^()]*)\))?\s*")


def header_text(path: Path, raw: bytes, end: bytes) -> tuple[str, int]:
    """Text before `end` and the offset after it.

    Raises:
        UnreadableFileError: the header does not end.
    """
    end_position = raw.find(end, 0, MAX_HEADER_BYTES)
    if end_position < 0:
        raise UnreadableFileError(
            f"the header of {path.name} does not end ({end.decode()} is missing): the file is cut "
            "short; copy it again"
        )
    return decode_text(raw[:end_position]), end_position + len(end)


def scan_header(text: str) -> Header:
    """Pairs of an ``.sxm`` header, whose keys are enclosed in colons on a line of their own."""
    pairs: list[tuple[str, str]] = []
    for line in text.splitlines():
        if len(line) > 2 and line.startswith(":") and line.rstrip().endswith(":"):
            pairs.append((line.strip().strip(":"), ""))
        elif pairs and line.strip():
            key, value = pairs[-1]
            pairs[-1] = (key, f"{value}\n{line.rstrip()}" if value else line.strip())
    return pairs


def first_values(header: Header) -> dict[str, str]:
    """The first value of every key."""
    first: dict[str, str] = {}
    for key, value in header:
        first.setdefault(key, value)
    return first


def channel_and_unit(text: str) -> tuple[str, str]:
    """Name and unit of a channel: ``Bias calc (V)`` → ``("Bias calc", "V")``."""
    match = _SIGNAL.fullmatch(" ".join(text.split()))
    return (match["name"], match["unit"] or "") if match else (text.strip(), "")


def numbers_of(text: str) -> list[float]:
    """The numbers of a line; other words are left out."""
    return [value for item in text.split() if (value := leading_number(item)) is not None]


def scan_facets(values: dict[str, str]) -> list[Facet]:
    """Facets of an ``.sxm`` header in SI units."""
    controller = values.get("Z-Controller>Controller name", "")
    angle = leading_number(values.get("SCAN_ANGLE", ""))
    ranges = numbers_of(values.get("SCAN_RANGE", ""))
    moment = f"{values.get('REC_DATE', '')} {values.get('REC_TIME', '')}"
    return [
        *moment_facets(moment, "REC_DATE", DATES),
        *_technique(controller),
        *text_facets("mode", controller, "Z-Controller>Controller name"),
        *_instrument(values),
        *number_facets("scan_size", ranges[0] if ranges else None, "m", "SCAN_RANGE"),
        *number_facets("scan_angle", None if angle is None else math.radians(angle), "rad",
                  "SCAN_ANGLE"),
        *text_facets("scan_direction", values.get("SCAN_DIR", "").lower(), "SCAN_DIR"),
        *number_facets("temperature", leading_number(values.get("REC_TEMP", "")), "K", "REC_TEMP"),
        *number_facets("bias", leading_number(values.get("BIAS", "")), "V", "BIAS"),
        *text_facets("comment", values.get("COMMENT", ""), "COMMENT"),
    ]  # fmt: skip


def spectrum_facets(values: dict[str, str]) -> list[Facet]:
    """Facets of a ``.3ds`` or ``.dat`` header in SI units."""
    date = "Date" if values.get("Date") else "Saved Date"
    return [
        *moment_facets(values.get(date, "").strip('"'), date, DATES),
        *text_facets("mode", values.get("Experiment", "").removeprefix("Experiment"), "Experiment"),
        *text_facets("operator", values.get("User", ""), "User"),
        *_instrument(values),
        *number_facets(
            "bias", leading_number(values.get("Bias>Bias (V)", "")), "V", "Bias>Bias (V)"
        ),
        *number_facets("map_x", length_in_metres(values.get("X (m)", ""), "m"), "m", "X (m)"),
        *number_facets("map_y", length_in_metres(values.get("Y (m)", ""), "m"), "m", "Y (m)"),
        *text_facets("comment", values.get("Comment", values.get("Comment01", "")), "Comment"),
    ]


def _instrument(values: dict[str, str]) -> list[Facet]:
    key = "NanonisMain>SW Version"
    return text_facets("instrument", f"Nanonis {values[key]}" if values.get(key) else "", key)


def _technique(controller: str) -> list[Facet]:
    """STM where the current controls the tip, AFM where its oscillation does."""
    origin = "header:Z-Controller>Controller name"
    if "current" in controller.lower():
        return [Facet("technique", "Scanning tunnelling microscopy", origin)]
    if re.search(r"frequency|amplitude|excitation|deflection", controller.lower()):
        return [Facet("technique", "Atomic force microscopy", origin)]
    return []
