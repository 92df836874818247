"""Pictures as planes: grey or colour values, the lowest line first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Reading
from motif.ingest.readers.sidecar import scale, sidecar
from motif.ingest.readers.spm_image import Plane, image
from motif.ingest.readers.spm_values import acquired, decoded

MOST = 40_000_000
"""Values a picture may have: it is unfolded to 32-bit numbers in memory."""
COLOURS = ("Red", "Green", "Blue")
GREY = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
TAGS = {36867: "DateTimeOriginal", 306: "DateTime", 270: "ImageDescription", 271: "Make",
        272: "Model", 305: "Software"}  # fmt: skip
"""EXIF and TIFF tags kept in the header."""
DATES = ("%Y:%m:%d %H:%M:%S", "%Y-%m-%d %H:%M:%S")


def load(path: Path, formats: Iterable[str]) -> tuple[NDArray[Any], dict[str, str]]:
    """Values (lines, points) or (lines, points, 3) of a picture, and its text fields.

    Raises:
        UnreadableFileError: the picture is damaged or larger than a measurement.
    """
    try:
        with Image.open(path, formats=list(formats)) as picture:
            roomy(path, picture.width, picture.height, 1 if picture.mode in GREY else 3)
            exif = picture.getexif()
            texts = {TAGS[k]: _text(v) for k, v in exif.items() if k in TAGS}
            texts |= {str(k): v for k, v in picture.info.items() if isinstance(v, str)}
            mode = picture.mode
            if mode in ("LA", "La", "1"):
                return np.asarray(picture.convert("L")), texts
            return np.asarray(picture if mode in GREY else picture.convert("RGB")), texts
    except UnreadableFileError:
        raise
    except Exception as error:  # Pillow raises nearly every kind there is on damaged files
        raise UnreadableFileError(
            f"{path.name} is a damaged picture ({' '.join(str(error).split())[:200]}); fetch or "
            "copy it again"
        ) from error


def roomy(path: Path, width: int, height: int, bands: int) -> None:
    """Refuse a picture that is too large, before it is unfolded."""
    if not 0 < width * height * bands <= MOST:
        raise UnreadableFileError(
            f"{path.name} announces {width} x {height} pixels in {bands} channels; pictures may "
            f"have {MOST:,} values: cut or bin it"
        )


def reading(
    path: Path, data: NDArray[Any], texts: dict[str, str], own: float | None, notes: list[str]
) -> Reading:
    """A picture (lines, points[, bands]), topmost line first, as an image.

    Args:
        path: the file, with its sidecar beside.
        data: values as stored.
        texts: text fields of the file, kept as header.
        own: pixel size in metres, if the file itself tells it.
        notes: remarks so far.
    """
    told, remarks = sidecar(path)
    bands = data[..., None] if data.ndim == 2 else data
    count = bands.shape[2]
    default = {1: ("Intensity",), 3: COLOURS}.get(count, [f"Channel {n + 1}" for n in range(count)])
    named = told.get("channels")
    fits = (
        isinstance(named, list) and len(named) == count and all(isinstance(n, str) for n in named)
    )
    names = named if fits and isinstance(named, list) else default
    planes = [Plane(name, "arb. unit", bands[::-1, :, n]) for n, name in enumerate(names)]
    grid, told_size, unscaled = scale(path, told, (bands.shape[0], bands.shape[1]), own)
    facets = [
        *told_size,
        *acquired(texts.get("DateTimeOriginal", ""), DATES, "header:DateTimeOriginal"),
        *acquired(texts.get("DateTime", ""), DATES, "header:DateTime"),
    ]
    model = texts.get("Model", "").strip()
    facets += [Facet("instrument", model, "header:Model")] if model else []
    found = image(path, "0", path.stem, planes, grid, facets)
    return Reading([found], list(texts.items()), [*notes, *remarks, *unscaled])


def _text(value: Any) -> str:
    return decoded(value) if isinstance(value, bytes) else str(value).strip("\0 ")
