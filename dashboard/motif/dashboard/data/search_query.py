"""The query of a search as given by a view or an uploaded file, and its cached answer."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from motif.analysis.search.answer_facets import AnswerFacet, alarm, facets_of_answer
from motif.analysis.search.confounding import Alarm
from motif.analysis.search.search_request import SearchRequest
from motif.analysis.search.similarity_search import Hit, search
from motif.core.errors import UnreadableFileError, UnsuitableDataError
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession

HEAVIEST = 4.0
FREEDOMS = ("", "exact", "rotation", "rotation,mirror", "rotation,mirror,inversion")
"""Transformations allowed when pictures are compared directly; empty for none."""


@dataclass(frozen=True)
class Upload:
    """An uploaded query file; it is kept in memory and never stored."""

    name: str
    data: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def parse_weights(text: str, parts: Sequence[str]) -> dict[str, float]:
    """``texture:2;scale:0`` as weights of known parts; invalid entries are ignored."""
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
    """Search options of a view other than the query itself; values that make no sense are
    ignored."""
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
    """The query measurements of a view, without repetition."""
    return tuple(dict.fromkeys((*([view.id] if view.id else []), *view.like)))


def answers(
    session: WorkspaceSession,
    view: View,
    upload: Upload | None,
    where: str,
    k: int,
    weights: Mapping[str, float],
    keep: frozenset[str] | None = None,
) -> list[Hit]:
    """Hits for the query given by a view and an upload; cached until the data change.

    Args:
        keep: measurements of which hits are, where `where` does not say it all.
    """
    examples = asked_with(view)
    options = {
        **options_of(view), "where": where or None, "k": k, "weights": dict(weights) or None,
        "unlike": view.unlike, "keep": keep,
    }  # fmt: skip
    key = (
        "hits", session.version, view.collection, examples, view.unlike, view.roi,
        upload.digest if upload else "", where, k, tuple(sorted(weights.items())),
        tuple(options_of(view).items()), keep,
    )  # fmt: skip

    def compute() -> list[Hit]:
        if upload is not None:
            return _of_file(session, view, upload, options)
        roi = view.roi if view.roi and len(examples) == 1 else None
        return search(
            session.workspace, SearchRequest(view.collection, ids=examples, roi=roi, **options)
        )

    return session.keep(key, compute)


def warning(session: WorkspaceSession, view: View, hits: Sequence[Hit], where: str) -> Alarm:
    """Confounders that may explain the hits; cached until the data change."""
    ids, asked = tuple(hit.id for hit in hits), asked_with(view)
    return session.keep(
        ("alarm", session.version, view.collection, ids, asked, where),
        lambda: alarm(session.workspace, view.collection, hits, asked, where or None),
    )


def in_common(session: WorkspaceSession, view: View, hits: Sequence[Hit]) -> list[AnswerFacet]:
    """Facets enriched among the hits; cached until the data change."""
    ids = tuple(hit.id for hit in hits)
    return session.keep(
        ("in-common", session.version, view.collection, ids),
        lambda: facets_of_answer(session.workspace, view.collection, hits),
    )


def spelled(found: Sequence[AnswerFacet], most: int = 4) -> str:
    """``material PbTiO3 (92 %, 13 % of all)`` for the most enriched facets."""
    return " · ".join(
        f"{enriched.name.replace('_', ' ')} {enriched.value} ({100 * enriched.share:.0f} %, "
        f"{100 * enriched.overall:.0f} % of all)"
        for enriched in found[:most]
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _of_file(
    session: WorkspaceSession, view: View, upload: Upload, options: Mapping[str, Any]
) -> list[Hit]:
    """Readers need a path, so the file is on disk during the search."""
    name = PurePath(upload.name.replace("\\", "/")).name or "upload"
    with tempfile.TemporaryDirectory(prefix="motif-ask-") as folder:
        place = Path(folder) / name
        place.write_bytes(upload.data)
        try:
            return search(session.workspace, SearchRequest(view.collection, file=place, **options))
        except (UnreadableFileError, UnsuitableDataError) as error:
            raise type(error)(str(error).replace(str(place), name)) from error
