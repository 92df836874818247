"""Bruker/Nanoscope images (.spm, .000, .001, ...): planes of integers behind a text header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from motif.core.errors import UnreadableFileError
from motif.core.records import Measurement, Reading
from motif.ingest.readers.naming import misnumbered
from motif.ingest.readers.nanoscope_facets import facets
from motif.ingest.readers.nanoscope_header import BEGINNINGS, header, planes_of, sections
from motif.ingest.readers.nanoscope_planes import NanoscopePlane, grid, plane
from motif.ingest.readers.spm_image import image, unknown_units


class Nanoscope:
    """Reads every plane of an image file; force curves and volumes are refused by what they are.

    The first stored line is the lowest, whichever way the frame was captured.
    """

    name = "nanoscope"
    version = 2

    def recognises(self, head: bytes, name: str) -> bool:
        """The first line of the header."""
        return head.startswith(BEGINNINGS)

    def __call__(self, path: Path) -> Reading:
        """Read all planes; those on the same pixels form one image."""
        raw = path.read_bytes()
        lists = sections(path, raw)
        if lists[0].name.lower().startswith("force"):
            raise UnreadableFileError(f"{path.name} is {_force(lists)}, not an image")
        listed = list(planes_of(lists))
        if not listed:
            raise UnreadableFileError(f"{path.name} is a Nanoscope header that lists no image")
        first = min(one.whole("Data offset") for one in listed)
        if first and len(raw) <= first:
            raise UnreadableFileError(
                f"{path.name} is the header of {len(listed)} Nanoscope images without their data "
                f"({len(raw):,} bytes; the data begin at {first:,}); copy the whole file"
            )
        groups: dict[Any, list[NanoscopePlane]] = {}
        for one in listed:
            found = plane(path, raw, one, lists)
            groups.setdefault((found.plane.values.shape, grid(path, one, lists)), []).append(found)
        images: list[Measurement] = []
        for (_, pixels), group in groups.items():
            told = facets(group, lists)
            key = "0" if not images else str(len(images))
            planes = [one.plane for one in group]
            images.append(image(path, key, path.stem, planes, pixels, told))
        everything = [one for group in groups.values() for one in group]
        notes = [note for one in everything for note in one.notes]
        notes += misnumbered(path, "a Nanoscope file", ".spm")
        notes += unknown_units(one.plane for one in everything)
        return Reading(images, header(lists), list(dict.fromkeys(notes)))


def _force(lists: list[Any]) -> str:
    """What a force file holds."""
    curves = [one for one in lists if one.name.lower() == "ciao force image list"]
    names = ", ".join(dict.fromkeys(filter(None, (c.choice("@4:Image Data") for c in curves))))
    points = curves[0].whole("Samps/line") if curves else 0
    volume = any(one.name.lower() == "ciao image list" for one in lists)
    kind = "force volume" if volume or "FV" in lists[0].text("Start context") else "force curve"
    what = f" with channels {names}" if names else ""
    return f"a Nanoscope {kind} of {points} points{what}"
