"""What a search asks with, as a view or an uploaded file says it, and the answer kept at hand."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from motif.analysis.search import Alarm, Hit, Telling, alarm, facets_of_answer, search
from motif.core.errors import UnreadableFileError, UnsuitableDataError
from motif.dashboard.lab import Lab
from motif.dashboard.view import View

HEAVIEST = 4.0
FREEDOMS = ("", "exact", "rotation", "rotation,mirror", "rotation,mirror,inversion")
"""What pictures may differ in where they are compared as such; not at all when empty."""


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


def options_of(view: View) -> dict[str, Any]:
    """What a view says of an answer beside the question; whatever makes no sense is left out."""
    found: dict[str, Any] = {}
    if view.not_same:
        found["not_same"] = view.not_same
    if view.different:
        found["different"] = view.different
    if view.up_to in FREEDOMS[1:]:
        found["up_to"] = view.up_to
    diversity, within = _number(view.diversity), _number(view.within)
    if diversity is not None and 0 < diversity <= 1:
        found["diversity"] = diversity
    if within is not None and within >= 0:
        found["within"] = within
    return found


def asked_with(view: View) -> tuple[str, ...]:
    """The measurements a view asks with, each once."""
    return tuple(dict.fromkeys((*([view.id] if view.id else []), *view.like)))


def answers(
    here: Lab,
    view: View,
    upload: Upload | None,
    where: str,
    k: int,
    weights: Mapping[str, float],
    keep: frozenset[str] | None = None,
) -> list[Hit]:
    """Hits of the question a view and an upload put together; kept until the data change.

    Args:
        keep: measurements of which hits are, where `where` does not say it all.
    """
    asked = asked_with(view)
    told = options_of(view)
    if keep is not None:
        told["keep"] = keep
    key = (
        "hits", here.version, view.collection, asked, view.unlike, view.roi,
        upload.digest if upload else "", where, k, tuple(sorted(weights.items())),
        tuple(told.items()),
    )  # fmt: skip

    def ask() -> list[Hit]:
        options: dict[str, Any] = {
            "where": where or None, "k": k, "weights": dict(weights) or None, **told,
        }  # fmt: skip
        if upload is None:
            roi = view.roi if view.roi and len(asked) == 1 else None
            return search(
                here.workspace, view.collection, ids=asked, unlike=view.unlike, roi=roi, **options
            )
        return _of_file(here, view, upload, options)

    return here.keep(key, ask)


def warning(here: Lab, view: View, hits: Sequence[Hit], where: str) -> Alarm:
    """Whether something other than the material explains an answer; kept until the data change."""
    ids, asked = tuple(hit.id for hit in hits), asked_with(view)
    return here.keep(
        ("alarm", here.version, view.collection, ids, asked, where),
        lambda: alarm(here.workspace, view.collection, hits, asked, where or None),
    )


def in_common(here: Lab, view: View, hits: Sequence[Hit]) -> list[Telling]:
    """What the hits have more often than the collection; kept until the data change."""
    ids = tuple(hit.id for hit in hits)
    return here.keep(
        ("in-common", here.version, view.collection, ids),
        lambda: facets_of_answer(here.workspace, view.collection, hits),
    )


def spelled(found: Sequence[Telling], most: int = 4) -> str:
    """``material PbTiO3 (92 %, 13 % of all)`` for the most telling ones."""
    return " · ".join(
        f"{one.name.replace('_', ' ')} {one.value} ({100 * one.share:.0f} %, "
        f"{100 * one.overall:.0f} % of all)"
        for one in found[:most]
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


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
