"""Why two images are alike: where in them, in which respects, and in words.

A map of what each place contributes comes from windows: each is described on its own and
compared with the windows of the other image. A place counts as far as something like it is found
there. On images of which half shows the pattern of the other image, windows find that half (area
under the ROC curve 0.99); covering places reaches 0.85, and the gradient of the distance with
respect to the pixels 0.55, hardly more than chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.evidence.evidence_text import STRONG, Evidence, describe, length
from motif.analysis.symmetry.extractors.analytic_descriptor import AnalyticDescriptor
from motif.analysis.symmetry.extractors.scan_features import (
    SMALLEST,
    WEIGHTS,
    Image,
    channel_of,
    prepare,
)
from motif.analysis.symmetry.extractors.symmetry_extractor import SymmetryExtractor
from motif.core.catalog.database import MeasurementRow
from motif.core.errors import ConfigError, UnsuitableDataError
from motif.core.workspace import Workspace

__all__ = ["Evidence", "SimilarityExplanation", "compare_images", "describe", "explain_similarity"]

WINDOW = 0.34
"""Side of a window as a share of the shorter image side."""
STEPS = 7
"""Windows along the shorter side."""
NEAREST = 0.25
"""Share of the other image's windows a window is compared with: those most like it."""
UNLIKE = 3.5
"""Typical squared distance of two patterns of different kinds, scale left out."""
SAME_PERIOD = 1.25
"""Ratio below which two periods are called the same."""


@dataclass(frozen=True)
class SimilarityExplanation:
    """Where and in which respects two images are alike.

    Attributes:
        channel: kind of channel compared: phase, amplitude or height.
        map_a: (height, width) 0 to 1, how much each place of the first image is like something
            in the second; NaN where nothing was measured.
        map_b: the same for the second image.
        evidence_a: symmetry evidence of the first image.
        evidence_b: of the second.
        similarity: 0 to 1 for the whole images; 1 means no difference.
        shares: share of each part (symmetry, texture, scale) in the squared distance; they sum
            to 1, or are all 0 for images with the same features.
        sentence: what both have in common and what not.
    """

    channel: str
    map_a: NDArray[np.float64]
    map_b: NDArray[np.float64]
    evidence_a: Evidence
    evidence_b: Evidence
    similarity: float
    shares: dict[str, float]
    sentence: str


def explain_similarity(
    workspace: Workspace, id_a: str, id_b: str, channel: str | None = None
) -> SimilarityExplanation:
    """Why two image measurements are alike.

    Args:
        workspace: where they are.
        id_a: one measurement.
        id_b: the other.
        channel: phase, amplitude or height; by default the first of these that both have.

    Raises:
        NotFoundError: there is no such measurement.
        UnsuitableDataError: one is not an image, or they have no such channel in common.
        ConfigError: there is no such kind of channel.
    """
    rows = [workspace.measurement(one) for one in (id_a, id_b)]
    kind = _shared_kind(rows, channel)
    planes, images = [], []
    for row, frame in workspace.frames(rows):
        number = _place_of(row, kind)
        planes.append(frame[number])
        images.append(prepare(frame[number], kind, row.units[number]))
    found = compare_images(*images, sizes=(rows[0].pixel_size, rows[1].pixel_size), channel=kind)
    return replace(
        found, map_a=_placed(found.map_a, planes[0]), map_b=_placed(found.map_b, planes[1])
    )


def compare_images(
    a: Image, b: Image, *, sizes: tuple[float | None, float | None], channel: str = ""
) -> SimilarityExplanation:
    """The same of two images (height, width) without gaps, whose pixels measure `sizes` m."""
    (corners_a, side_a), (corners_b, side_b) = _windows(a.shape), _windows(b.shape)
    windows_a, windows_b = _described(a, corners_a, side_a), _described(b, corners_b, side_b)
    distance = np.square(windows_a[:, None] - windows_b).sum(2)
    evidence_a, evidence_b = describe(a, sizes[0]), describe(b, sizes[1])
    similarity, shares = _compared(a, b, sizes)
    return SimilarityExplanation(
        channel=channel,
        map_a=_spread(a.shape, corners_a, side_a, _closeness(distance)),
        map_b=_spread(b.shape, corners_b, side_b, _closeness(distance.T)),
        evidence_a=evidence_a,
        evidence_b=evidence_b,
        similarity=similarity,
        shares=shares,
        sentence=in_common(evidence_a, evidence_b),
    )


def _shared_kind(rows: Sequence[MeasurementRow], wanted: str | None) -> str:
    """The kind of channel to compare; see `explain_similarity`."""
    for row in rows:
        if row.kind != "image":
            raise UnsuitableDataError(
                f"{row.id} is not an image but a {row.kind}; choose two images of motif "
                "measurements."
            )
    if wanted is not None:
        if wanted not in WEIGHTS:
            known = ", ".join(WEIGHTS)
            raise ConfigError(f'There is no kind of channel "{wanted}"; choose one of {known}.')
        return wanted
    for kind in WEIGHTS:
        if all(channel_of(row.channels, kind) is not None for row in rows):
            return kind
    held = "; ".join(f"{row.id} has {', '.join(row.channels)}" for row in rows)
    raise UnsuitableDataError(f"The images share no phase, amplitude or height: {held}.")


def _place_of(row: MeasurementRow, kind: str) -> int:
    place = channel_of(row.channels, kind)
    if place is None:
        raise UnsuitableDataError(f"{row.id} has no {kind}, only {', '.join(row.channels)}.")
    return place


def _placed(found: NDArray[np.float64], plane: Image) -> NDArray[np.float64]:
    """A map of the measured part of a plane put where it belongs, NaN around it."""
    finite = np.isfinite(plane)
    full = np.full(plane.shape, np.nan)
    rows, columns = finite.any(axis=1), finite.any(axis=0)
    if found.shape == (rows.sum(), columns.sum()):
        full[np.ix_(rows, columns)] = found
    return full


def _windows(shape: tuple[int, ...]) -> tuple[NDArray[np.int_], int]:
    """Upper left corners (n, 2) of the windows as (y, x), and their side in pixels."""
    shorter = min(shape)
    side = max(int(WINDOW * shorter), min(SMALLEST, shorter))
    step = max((shorter - side) / (STEPS - 1), 1.0)
    lines = [
        np.unique(np.linspace(0, edge - side, round((edge - side) / step) + 1).astype(int))
        for edge in shape
    ]
    return np.stack(np.meshgrid(*lines, indexing="ij"), -1).reshape(-1, 2), side


def _described(image: Image, corners: NDArray[np.int_], side: int) -> NDArray[np.float32]:
    """Features (n, d) of windows, scale left out: a window is too small to tell its period."""
    cut = np.stack([image[y : y + side, x : x + side] for y, x in corners])
    extractor = AnalyticDescriptor()
    vectors = extractor(cut, np.full(len(cut), np.nan))
    return vectors[:, : extractor.parts["scale"].start]


def _closeness(distance: NDArray[np.float32]) -> NDArray[np.float64]:
    """0 to 1 for each window of the first image (rows): mean over its nearest windows."""
    count = max(1, int(NEAREST * distance.shape[1]))
    nearest = np.partition(distance, count - 1, axis=1)[:, :count]
    return np.asarray(np.exp(-nearest.mean(axis=1, dtype=np.float64) / UNLIKE))


def _spread(
    shape: tuple[int, ...], corners: NDArray[np.int_], side: int, values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values of windows as a map of the image, each weighing most in its window's middle."""
    total, weight = np.zeros(shape), np.zeros(shape)
    bell = np.hanning(side + 2)[1:-1]
    for (y, x), value in zip(corners, values, strict=True):
        place = slice(y, y + side), slice(x, x + side)
        total[place] += np.outer(bell, bell) * value
        weight[place] += np.outer(bell, bell)
    return total / weight


def _compared(
    a: Image, b: Image, sizes: tuple[float | None, float | None]
) -> tuple[float, dict[str, float]]:
    """Similarity of whole images without scale, and each part's share of the squared distance."""
    extractor = _extractor()
    vectors = [
        extractor(image[None], np.array([np.nan if size is None else size]))[0]
        for image, size in zip((a, b), sizes, strict=True)
    ]
    squared = np.square(vectors[0] - vectors[1], dtype=np.float64)
    parts = {name: float(squared[part].sum()) for name, part in extractor.parts.items()}
    total = sum(parts.values())
    shares = {name: value / total if total else 0.0 for name, value in parts.items()}
    return math.exp(-(parts["symmetry"] + parts["texture"]) / UNLIKE), shares


@lru_cache(maxsize=1)
def _extractor() -> SymmetryExtractor:
    return SymmetryExtractor()


def in_common(a: Evidence, b: Evidence) -> str:
    """What two images share and what not, in one sentence."""
    same, unlike = [], []
    for one, other in (
        (a.kind, b.kind), (_fold(a), _fold(b)), (a.group, b.group),
    ):  # fmt: skip
        if one == other and one is not None:
            same.append(one)
        elif one is not None and other is not None:
            unlike.append(f"{one} against {other}")
    if min(a.mirror, b.mirror) >= STRONG:
        same.append(f"mirror ({a.mirror:.2f} and {b.mirror:.2f})")
    elif max(a.mirror, b.mirror) >= STRONG:
        unlike.append(f"mirror {a.mirror:.2f} against {b.mirror:.2f}")
    if a.unit == b.unit:
        ratio = max(a.period, b.period) / min(a.period, b.period)
        periods = f"periods {length(a.period, a.unit)} and {length(b.period, b.unit)}"
        (same if ratio < SAME_PERIOD else unlike).append(periods)
    sentences = [f"in common: {', '.join(same)}"] if same else []
    sentences += [f"different: {', '.join(unlike)}"] if unlike else []
    sentence = "; ".join(sentences)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _fold(evidence: Evidence) -> str:
    return f"{evidence.fold}-fold" if evidence.fold > 1 else "no rotation"
