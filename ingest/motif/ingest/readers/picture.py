"""Pictures (.png, .jpg): their scale, if any, is told by a JSON file beside them."""

from __future__ import annotations

from pathlib import Path

from motif.core.records import Reading
from motif.ingest.readers.naming import misnamed
from motif.ingest.readers.picture_planes import load, reading

JPEG_MARKERS = b"\xe0\xe1\xe2\xe8\xee\xdb\xc0\xfe"
"""What may follow the beginning of a JPEG."""


class Picture:
    """Reads PNG and JPEG; values are intensities without a unit, colours are channels.

    A resolution in dots per inch is that of a print and no scale of the sample. Without a sidecar
    positions are in pixels.
    """

    name = "picture"
    version = 1
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The signature with the first chunk or marker behind it."""
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return head[12:16] == b"IHDR"
        return head.startswith(b"\xff\xd8\xff") and len(head) > 3 and head[3] in JPEG_MARKERS

    def __call__(self, path: Path) -> Reading:
        """Read the picture."""
        data, texts = load(path, ("PNG", "JPEG"))
        notes = misnamed(path, "a picture", ".png", ".jpg", ".jpeg")
        if path.suffix.lower() in (".jpg", ".jpeg"):
            notes.append("JPEG changes values when it packs them; they are not as measured")
        return reading(path, data, texts, None, notes)
