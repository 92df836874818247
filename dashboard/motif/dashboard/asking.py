"""What a search asks with, as a view or an uploaded file says it, and the answer kept at hand."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from motif.analysis.search import Hit, search
from motif.core.errors import UnreadableFileError, UnsuitableDataError
from motif.dashboard.lab import Lab
from motif.dashboard.view import View

HEAVIEST = 4.0


@dataclass(frozen=True)
class Upload:
    """A file somebody asks with; it is kept in memory and never stored."""

    name: str
    data: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def parse_weights(text: str, parts: Sequence[str]) -> dict[str, float]:
    """``texture:2;scale:0`` as weights of known parts; whatever makes no sense is left out."""
    found: dict[str, float] = {}
    for item in text.split(";"):
        name, _, number = item.partition(":")
        try:
            weight = float(number)
        except ValueError:
            continue
        if name in parts and 0 <= weight <= HEAVIEST:
            found[name] = weight
    return found


def spell_weights(weights: Mapping[str, float], usual: Mapping[str, float]) -> str:
    """The inverse of `parse_weights`, the usual ones left out."""
    return ";".join(f"{name}:{w:g}" for name, w in weights.items() if w != usual[name])


def answers(
    here: Lab,
    view: View,
    upload: Upload | None,
    where: str,
    k: int,
    weights: Mapping[str, float],
) -> list[Hit]:
    """Hits of the question a view and an upload put together; kept until the data change."""
    asked = tuple(dict.fromkeys((*([view.id] if view.id else []), *view.like)))
    key = (
        "hits", here.version, view.collection, asked, view.unlike, view.roi,
        upload.digest if upload else "", where, k, tuple(sorted(weights.items())),
    )  # fmt: skip

    def ask() -> list[Hit]:
        options: dict[str, Any] = {"where": where or None, "k": k, "weights": dict(weights) or None}
        if upload is None:
            roi = view.roi if view.roi and len(asked) == 1 else None
            return search(
                here.workspace, view.collection, ids=asked, unlike=view.unlike, roi=roi, **options
            )
        return _of_file(here, view, upload, options)

    return here.keep(key, ask)


def _of_file(here: Lab, view: View, upload: Upload, options: Mapping[str, Any]) -> list[Hit]:
    """Readers want a path, so the file lives on disk for as long as the search takes."""
    name = PurePath(upload.name.replace("\\", "/")).name or "upload"
    with tempfile.TemporaryDirectory(prefix="motif-ask-") as folder:
        place = Path(folder) / name
        place.write_bytes(upload.data)
        try:
            return search(
                here.workspace, view.collection, file=place, unlike=view.unlike,
                **options,
            )  # fmt: skip
        except (UnreadableFileError, UnsuitableDataError) as error:
            raise type(error)(str(error).replace(str(place), name)) from error
