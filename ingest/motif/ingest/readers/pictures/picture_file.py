"""Pictures as planes: grey or colour values, the lowest line first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from motif.core.contracts import ReaderContext
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.kit import (
    ScanPlane,
    declared_grid,
    decode_text,
    image,
    moment_facets,
    read_sidecar,
    suffix_warnings,
)

MAX_VALUES = 40_000_000
"""Values a picture may have; in memory they take 32 bits each."""
COLOURS = ("Red", "Green", "Blue")
GREY = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
TAGS = {36867: "DateTimeOriginal", 306: "DateTime", 270: "ImageDescription", 271: "Make",
        272: "Model", 305: "Software"}  # fmt: skip
"""EXIF and TIFF tags kept in the header."""
DATES = ("%Y:%m:%d %H:%M:%S", "%Y-%m-%d %H:%M:%S")


def load_picture(path: Path, formats: Iterable[str]) -> tuple[NDArray[Any], dict[str, str]]:
    """Values (lines, points) or (lines, points, 3) of a picture, and its text fields.

    Raises:
        UnreadableFileError: the picture is damaged or larger than a measurement.
    """
    try:
        with Image.open(path, formats=list(formats)) as picture:
            check_picture_size(
                path, picture.width, picture.height, 1 if picture.mode in GREY else 3
            )
            exif = picture.getexif()
            texts = {TAGS[k]: _text(v) for k, v in exif.items() if k in TAGS}
            texts |= {str(k): v for k, v in picture.info.items() if isinstance(v, str)}
            mode = picture.mode
            if mode in ("LA", "La", "1"):
                return np.asarray(picture.convert("L")), texts
            return np.asarray(picture if mode in GREY else picture.convert("RGB")), texts
    except UnreadableFileError:
        raise
    except Exception as error:  # Pillow raises nearly any exception on damaged files
        raise UnreadableFileError(
            f"{path.name} is a damaged picture ({' '.join(str(error).split())[:200]}); fetch or "
            "copy it again"
        ) from error


def check_picture_size(path: Path, width: int, height: int, bands: int) -> None:
    """Refuse a picture that is too large, before it is unpacked."""
    if not 0 < width * height * bands <= MAX_VALUES:
        raise UnreadableFileError(
            f"{path.name} announces {width} x {height} pixels in {bands} channels; pictures may "
            f"have {MAX_VALUES:,} values: cut or bin it"
        )


def picture_reading(
    path: Path,
    data: NDArray[Any],
    texts: dict[str, str],
    own_size: float | None,
    warnings: list[str],
    context: ReaderContext | None,
) -> Reading:
    """A picture (lines, points[, bands]), topmost line first, as an image.

    Args:
        path: the file, with its sidecar next to it.
        data: values as stored.
        texts: text fields of the file, kept as header.
        own_size: pixel size in metres, if the file itself states it.
        warnings: warnings so far.
        context: the record's metadata and companion files.
    """
    declared, sidecar_warnings = read_sidecar(path, context)
    bands = data[..., None] if data.ndim == 2 else data
    count = bands.shape[2]
    default = {1: ("Intensity",), 3: COLOURS}.get(count, [f"Channel {n + 1}" for n in range(count)])
    declared_names = declared.get("channels")
    is_valid = (
        isinstance(declared_names, list)
        and len(declared_names) == count
        and all(isinstance(n, str) for n in declared_names)
    )
    names = declared_names if is_valid and isinstance(declared_names, list) else default
    planes = [ScanPlane(name, "arb. unit", bands[::-1, :, n]) for n, name in enumerate(names)]
    grid, size_facets, unscaled = declared_grid(
        path, declared, (bands.shape[0], bands.shape[1]), own_size
    )
    facets = [
        *size_facets,
        *moment_facets(texts.get("DateTimeOriginal", ""), "DateTimeOriginal", DATES),
        *moment_facets(texts.get("DateTime", ""), "DateTime", DATES),
    ]
    model = texts.get("Model", "").strip()
    facets += [Facet("instrument", model, "header:Model")] if model else []
    measurement = image(path, "0", path.stem, planes, grid, facets)
    return Reading([measurement], list(texts.items()), [*warnings, *sidecar_warnings, *unscaled])


def _text(value: Any) -> str:
    return decode_text(value) if isinstance(value, bytes) else str(value).strip("\0 ")


JPEG_MARKERS = b"\xe0\xe1\xe2\xe8\xee\xdb\xc0\xfe"
"""Markers that may follow the beginning of a JPEG."""


class PictureFile:
    """Reads PNG and JPEG; values are intensities without a unit, colours are channels.

    A resolution in dots per inch is that of a print, not a scale of the sample. Without a sidecar
    positions are in pixels.
    """

    name = "picture"
    version = 1
    exchange = True

    def recognises(self, head: bytes, name: str) -> bool:
        """The signature and the first chunk or marker after it."""
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return head[12:16] == b"IHDR"
        return head.startswith(b"\xff\xd8\xff") and len(head) > 3 and head[3] in JPEG_MARKERS

    def __call__(self, path: Path, context: ReaderContext | None = None) -> Reading:
        """Read the picture."""
        data, texts = load_picture(path, ("PNG", "JPEG"))
        warnings = suffix_warnings(path, "a picture", ".png", ".jpg", ".jpeg")
        if path.suffix.lower() in (".jpg", ".jpeg"):
            warnings.append("JPEG compression changes values; they are not as measured")
        return picture_reading(path, data, texts, None, warnings, context)
