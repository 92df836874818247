"""Bruker/Nanoscope images (.spm, .000, .001, ...): planes of integers after a text header."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Measurement, Reading
from motif.ingest.readers.kit import image, numbered_suffix_warnings, unit_warnings
from motif.ingest.readers.nanoscope.nanoscope_format import (
    BEGINNINGS,
    NanoscopePlane,
    NanoscopeSection,
    header_pairs,
    image_sections,
    plane_grid,
    read_plane,
    read_sections,
    scan_facets,
)


class Nanoscope:
    """Reads every plane of an image file; force curves and volumes are refused by name.

    The first stored line is the lowest, whichever way the frame was captured.
    """

    name = "nanoscope"
    version = 3

    def recognises(self, head: bytes, name: str) -> bool:
        """The first line of the header."""
        return head.startswith(BEGINNINGS)

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read all planes; those with the same pixels form one image."""
        raw = path.read_bytes()
        sections = read_sections(path, raw)
        if sections[0].name.lower().startswith("force"):
            raise UnreadableFileError(f"{path.name} is {_force_data(sections)}, not an image")
        listed = list(image_sections(sections))
        if not listed:
            raise UnreadableFileError(f"{path.name} is a Nanoscope header that lists no image")
        data_start = min(section.whole_number("Data offset") for section in listed)
        if data_start and len(raw) <= data_start:
            raise UnreadableFileError(
                f"{path.name} is the header of {len(listed)} Nanoscope images without their data "
                f"({len(raw):,} bytes; the data begin at {data_start:,}); copy the whole file"
            )
        groups: dict[Any, list[NanoscopePlane]] = {}
        for section in listed:
            plane = read_plane(path, raw, section, sections)
            pixels = plane.scan_plane.values.shape, plane_grid(path, section, sections)
            groups.setdefault(pixels, []).append(plane)
        images: list[Measurement] = []
        for (_, grid), group in groups.items():
            facets = scan_facets(group, sections)
            planes = [plane.scan_plane for plane in group]
            images.append(image(path, str(len(images)), path.stem, planes, grid, facets))
        all_planes = [plane for group in groups.values() for plane in group]
        warnings = [warning for plane in all_planes for warning in plane.warnings]
        warnings += numbered_suffix_warnings(path, "a Nanoscope file", ".spm")
        warnings += unit_warnings(plane.scan_plane for plane in all_planes)
        return Reading(images, header_pairs(sections), list(dict.fromkeys(warnings)))


def _force_data(sections: Sequence[NanoscopeSection]) -> str:
    """What a force file contains."""
    curves = [part for part in sections if part.name.lower() == "ciao force image list"]
    channels = dict.fromkeys(filter(None, (curve.choice("@4:Image Data") for curve in curves)))
    points = curves[0].whole_number("Samps/line") if curves else 0
    has_images = any(section.name.lower() == "ciao image list" for section in sections)
    is_volume = has_images or "FV" in sections[0].text("Start context")
    kind = "force volume" if is_volume else "force curve"
    with_channels = f" with channels {', '.join(channels)}" if channels else ""
    return f"a Nanoscope {kind} of {points} points{with_channels}"
