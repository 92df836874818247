"""Cached explanations of similar images, and the symmetry of one image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motif.analysis.symmetry.extractors.scan_features import WEIGHTS, channel_of, prepare
from motif.analysis.symmetry.models.similarity_maps import (
    Evidence,
    SimilarityExplanation,
    describe,
    explain_similarity,
)
from motif.core.catalog.database import MeasurementRow
from motif.dashboard.state.workspace_session import WorkspaceSession

GRID = 32
"""Cells a side of a map as it goes to the browser."""


def why(session: WorkspaceSession, asked: str, found: str) -> SimilarityExplanation:
    """Why one image is similar to another; cached for good, since measurements never change."""
    return session.keep(
        ("why", asked, found), lambda: explain_similarity(session.workspace, asked, found)
    )


def symmetry_of(session: WorkspaceSession, row: MeasurementRow) -> tuple[str, Evidence] | None:
    """The most informative kind of channel of an image, and its symmetry; None without one."""

    def look() -> tuple[str, Evidence] | None:
        data = session.workspace.read(row.id)
        for kind in WEIGHTS:
            place = channel_of(row.channels, kind)
            if place is None:
                continue
            image = prepare(np.asarray(data.values[place], np.float32), kind, row.units[place])
            if image.any():
                return kind, describe(image, row.pixel_size)
        return None

    return session.keep(("symmetry", row.id), look)


def channel_place(row: MeasurementRow, kind: str) -> int:
    """Index of the channel of a kind in a measurement that has one."""
    return channel_of(row.channels, kind) or 0


def coarse(similarity: NDArray[np.float64], low: float, high: float) -> list[list[float]]:
    """A map (y, x) as at most `GRID` by `GRID` shares of the way from `low` to `high`.

    Unmeasured regions count as entirely dissimilar.
    """
    y, x = (np.linspace(0, n - 1, min(GRID, n)).astype(int) for n in similarity.shape)
    shares = (similarity[np.ix_(y, x)] - low) / ((high - low) or 1.0)
    cells: list[list[float]] = np.round(np.clip(np.nan_to_num(shares), 0, 1), 3).tolist()
    return cells
