"""Gwyddion files (.gwy): data fields with the metadata of the instrument they came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.asylum_note import note_facets
from motif.ingest.readers.gwyddion_fields import Field, field, header, measurement
from motif.ingest.readers.gwyddion_objects import Object, parse
from motif.ingest.readers.naming import misnamed

VERSIONS = (b"GWYP", b"GWYO")
"""Beginnings of version 2 and of version 1, whose objects are laid out alike."""
_FIELD = re.compile(r"/(\d+)/(?:base/)?data")
OTHERS = {
    "GwyBrick": "volumes", "GwySpectra": "sets of spectra", "GwyGraphModel": "graphs",
    "GwySurface": "point clouds", "GwyLawn": "curve maps",
}  # fmt: skip


class Gwyddion:
    """Reads every data field of a ``.gwy``; fields on the same pixels form one image."""

    name = "gwyddion"
    version = 2
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """A container of version 1 or 2, by its first bytes."""
        return head[:4] in VERSIONS and head[4:17] == b"GwyContainer\0"

    def __call__(self, path: Path) -> Reading:
        """Read all fields; masks, presentations and other kinds of data are remarked."""
        try:
            content = parse(path.read_bytes())
        except ValueError as error:
            raise UnreadableFileError(
                f"{path.name} is no intact Gwyddion file ({error}); copy or save it again"
            ) from error
        groups: dict[Any, list[Field]] = {}
        for number, data in _fields(content):
            one = field(path, number, data, content)
            groups.setdefault(one.pixels, []).append(one)
        others = _others(content)
        if not groups:
            held = ", ".join(others) or "no data"
            raise UnreadableFileError(f"{path.name} holds {held} but no image (data field)")
        pairs = header(content)
        facets = note_facets(pairs)
        images = [measurement(path, group, facets, pairs) for group in groups.values()]
        notes = [f"{path.name} holds {what}, which are not read" for what in others]
        notes += [note for group in groups.values() for one in group for note in one.notes]
        notes += misnamed(path, "a Gwyddion file", ".gwy")
        return Reading(images, pairs, list(dict.fromkeys(notes)))


def _fields(content: Object) -> Iterator[tuple[int, Object]]:
    found = [(int(m[1]), v) for k, v in content.items() if (m := _FIELD.fullmatch(k))]
    for number, value in sorted(found, key=lambda item: item[0]):
        if isinstance(value, dict) and value[""] == "GwyDataField":
            yield number, value


def _others(content: Object) -> list[str]:
    """Kinds of data in the file besides images."""
    kinds = {value[""] for value in content.values() if isinstance(value, dict)}
    found = [words for kind, words in OTHERS.items() if kind in kinds]
    masks = any(re.fullmatch(r"/\d+/(mask|show)", key) for key in content)
    return [*found, *(["masks or presentations"] if masks else [])]
