"""How invariant a model is on one's own images: turned, mirrored, inverted, shifted by half a
cell."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import rotate

from motif.analysis.symmetry.evidence.lattice import autocorrelation, estimate, windowed
from motif.analysis.symmetry.extractors.analytic_descriptor import centre_square
from motif.analysis.symmetry.extractors.scan_features import WEIGHTS, channel_of, prepare
from motif.analysis.symmetry.models.model_registry import extractor_of, selected
from motif.core.errors import UnsuitableDataError

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation, MeasurementRow
    from motif.core.contracts import Extractor
    from motif.core.workspace import Workspace

Image: TypeAlias = NDArray[np.float32]

STAGE = "model-invariance"
VERSION = 1
SHARE = 0.7
"""Side of what is compared over that of the image: what a turn by 30 degrees leaves whole."""
LEAST_ORDER = 0.3
"""Mean autocorrelation at the lattice points from which an image counts as having a lattice."""
FEWEST = 8
SMALLEST = 48
"""Pixels a side below which turning an image shows the pixels more than the pattern."""
COUNT = 200


@dataclass(frozen=True)
class InvarianceMeasurement:
    """Squared change of the features over the typical squared distance between two images."""

    id: str
    collection: str
    model: str
    fingerprint: str
    images: int
    channels: Mapping[str, int]
    """Kind of channel -> images looked at in it."""
    changes: Mapping[str, float]
    """Mean by what was done: ``quarter turn``, ``turn by 30 degrees``, ``mirror``, ``inversion``,
    and ``half-cell shift`` where images have a lattice; 0 is perfectly invariant."""
    highest: Mapping[str, float]
    """What 95 % of the images stay below."""
    counts: Mapping[str, int]
    """Images each change was measured on."""
    created_at: str


def measure(
    workspace: Workspace,
    collection: str,
    name: str | None = None,
    *,
    where: str | None = None,
    count: int = COUNT,
    seed: int = 0,
) -> InvarianceMeasurement:
    """Measure how invariant a model is on images of a collection; kept in the ledger.

    Each image is looked at in the channel that tells most (phase, else amplitude, else height),
    prepared as for embedding.

    Args:
        workspace: where the images are.
        collection: which ones.
        name: the model; by default the selected one.
        where: only images that match this query.
        count: how many, drawn when there are more.
        seed: of the draw.

    Raises:
        UnsuitableDataError: fewer than eight images are large enough and show something.
    """
    name = name or selected(workspace)
    extractor = extractor_of(workspace, name)
    rows = _drawn(workspace, collection, where, count, seed)
    parameters = {
        "model": name, "fingerprint": extractor.fingerprint, "version": VERSION, "seed": seed,
    }  # fmt: skip
    inputs = [row.id for row in rows]
    known = workspace.ledger.find(STAGE, parameters, inputs)
    if known is not None:
        return _measurement_of(known)
    started = time.perf_counter()
    images, kinds = _images(workspace, rows)
    if len(images) < FEWEST:
        raise UnsuitableDataError(
            f'{len(images)} of {len(rows)} images of "{collection}" show a pattern on at least '
            f"{SMALLEST} by {SMALLEST} pixels; measuring takes {FEWEST}; ask for more."
        )
    changes = _changes(extractor, images)
    summary = {
        "images": len(images),
        "channels": {kind: kinds.count(kind) for kind in WEIGHTS if kind in kinds},
        "changes": {key: round(float(each.mean()), 5) for key, each in changes.items()},
        "highest": {key: round(float(np.quantile(each, 0.95)), 5) for key, each in changes.items()},
        "counts": {key: len(each) for key, each in changes.items()},
    }
    made = workspace.ledger.record(
        STAGE, collection, parameters, inputs, dict(_arrays(changes)), summary,
        time.perf_counter() - started,
    )  # fmt: skip
    return _measurement_of(made)


def measurements(workspace: Workspace, name: str) -> list[InvarianceMeasurement]:
    """What was measured of a model, oldest first."""
    return [_measurement_of(one) for one in workspace.ledger.all(STAGE, model=name)]


def _measurement_of(made: Derivation) -> InvarianceMeasurement:
    summary = made.summary
    return InvarianceMeasurement(
        id=made.id, collection=made.collection, model=str(made.parameters["model"]),
        fingerprint=str(made.parameters["fingerprint"]), images=int(summary["images"]),
        channels=summary["channels"], changes=summary["changes"], highest=summary["highest"],
        counts=summary["counts"], created_at=made.created_at,
    )  # fmt: skip


def _drawn(
    workspace: Workspace, collection: str, where: str | None, count: int, seed: int
) -> list[MeasurementRow]:
    rows = workspace.select(collection, where, "image")
    if len(rows) <= count:
        return rows
    places = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    return [rows[place] for place in sorted(places.tolist())]


def _images(workspace: Workspace, rows: Sequence[MeasurementRow]) -> tuple[list[Image], list[str]]:
    """The square middle of each image in its most informative channel, and which that is."""
    images, kinds = [], []
    for row, frame in workspace.frames(rows):
        kind = next((one for one in WEIGHTS if channel_of(row.channels, one) is not None), None)
        channel = None if kind is None else channel_of(row.channels, kind)
        if kind is None or channel is None or min(frame.shape[1:]) < SMALLEST:
            continue
        image = prepare(frame[channel], kind, row.units[channel])
        if min(image.shape) >= SMALLEST and image.any():
            images.append(_middle(image, min(image.shape)))
            kinds.append(kind)
    return images, kinds


def _changes(extractor: Extractor, images: Sequence[Image]) -> dict[str, NDArray[np.float64]]:
    """Squared change of each image's features in units of the typical squared distance."""
    # As odd or even as the image, so that the middle stays the middle when it is turned.
    sides = [len(image) - 2 * round((1 - SHARE) / 2 * len(image)) for image in images]
    own = _described(extractor, [_middle(i, s) for i, s in zip(images, sides, strict=True)])
    typical = 2 * float(own.var(0).sum()) or 1.0
    shifted, having = _half_shifted(images, sides)
    pairs = list(zip(images, sides, strict=True))
    # Both ways by half, so that what is compared was interpolated alike.
    back, forth = ([_middle(_turned(i, angle), s) for i, s in pairs] for angle in (-15, 15))
    after: dict[str, tuple[list[Image], NDArray[np.float64]]] = {
        "quarter turn": ([_middle(np.rot90(i), s) for i, s in pairs], own),
        "turn by 30 degrees": (forth, _described(extractor, back)),
        "mirror": ([_middle(i[:, ::-1], s) for i, s in pairs], own),
        "inversion": ([_middle(-i, s) for i, s in pairs], own),
        "half-cell shift": (shifted, own[having]),
    }
    return {
        name: np.square(_described(extractor, changed) - before).sum(1) / typical
        for name, (changed, before) in after.items()
        if changed
    }


def _half_shifted(
    images: Sequence[Image], sides: Sequence[int]
) -> tuple[list[Image], NDArray[np.int_]]:
    """Images with a lattice, shifted by half a cell, and their rows."""
    shifted, rows = [], []
    for row, (image, side) in enumerate(zip(images, sides, strict=True)):
        margin = (len(image) - side) // 2
        square, zoom = centre_square(torch.from_numpy(np.ascontiguousarray(image))[None], 128)
        with torch.inference_mode():
            found = estimate(autocorrelation(windowed(square)))
        if float(found.order[0]) < LEAST_ORDER:
            continue
        x, y = (round(float(part) * zoom / 2) for part in found.basis[0].sum(0))
        if max(abs(x), abs(y)) > margin or (x, y) == (0, 0):
            continue
        top, left = margin + y, margin + x
        shifted.append(image[top : top + side, left : left + side])
        rows.append(row)
    return shifted, np.array(rows, int)


def _described(extractor: Extractor, images: Sequence[Image]) -> NDArray[np.float64]:
    """Features (n, d) of square images; without a pixel size their scale does not count."""
    rows: dict[int, list[int]] = {}
    for row, image in enumerate(images):
        rows.setdefault(len(image), []).append(row)
    made: dict[int, NDArray[np.float32]] = {}
    for members in rows.values():
        stack = np.stack([images[row] for row in members])
        made |= zip(members, extractor(stack, np.full(len(stack), np.nan)), strict=True)
    return np.stack([made[row] for row in range(len(images))]).astype(np.float64)


def _middle(image: Image, side: int) -> Image:
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return np.asarray(image[top : top + side, left : left + side])


def _turned(image: Image, degrees: float) -> Image:
    return np.asarray(rotate(image, degrees, reshape=False, order=3, mode="reflect"), np.float32)


def _arrays(changes: Mapping[str, NDArray[np.float64]]) -> list[tuple[str, NDArray[np.float64]]]:
    return [(name.replace(" ", "-"), each) for name, each in changes.items()]
