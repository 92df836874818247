"""A small simulated library whose gradient is known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

ELEMENTS = ("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb")
ALLOYS = np.array([2, 3, 4, 5, 6])
PULL = np.array([0.0, 0.0, 22.0, -9.0, -11.0, 20.0, -8.0])
"""Slope of performance by element, mW cm⁻² per unit of atomic fraction."""


@dataclass(frozen=True)
class SimulatedLibrary:
    """Spectra of Lorentz modes that move with composition and a hidden distortion z."""

    composition: NDArray[np.float64]
    spectra: NDArray[np.float64]
    axis: NDArray[np.float64]
    target: NDArray[np.float64]
    gradient: NDArray[np.float64]
    """(n, E) exact ∂P/∂c at fixed distortion, per unit of atomic fraction."""
    distortion: NDArray[np.float64]


def simulate(n: int, points: int, seed: int) -> SimulatedLibrary:
    rng = np.random.default_rng(seed)
    composition = np.zeros((n, len(ELEMENTS)))
    for row in composition:
        chosen = rng.choice(ALLOYS, rng.integers(1, 4), replace=False)
        row[chosen] = rng.dirichlet(np.ones(len(chosen))) * rng.uniform(0, 0.09)
        bismuth = rng.choice([0.48, 0.5, 0.52])
        row[:2] = (1 - row.sum()) * np.array([bismuth, 1 - bismuth])
    z = rng.normal(size=n)
    axis = np.linspace(78.0, 1340.0, points)
    centres = np.array([126.0, 210.0, 327.0, 367.0, 710.0, 826.0, 870.0])
    heights = np.array([0.35, 0.3, 0.45, 0.35, 0.25, 1.0, 0.1])
    widths = np.array([12.0, 16.0, 14.0, 16.0, 18.0, 15.0, 30.0])
    moves = rng.normal(size=(7, len(ELEMENTS))) * 120
    moves[:, :2] = 0
    position = centres + composition @ moves.T + np.outer(z, rng.normal(size=7)) * 3
    height = heights * np.exp(0.15 * np.outer(z, rng.normal(size=7)))
    width = widths * (1 + composition @ (rng.normal(size=(7, len(ELEMENTS))) * 2).T)
    offset = (axis[None, None] - position[..., None]) / width[..., None]
    spectra = (height[..., None] / (1 + offset**2)).sum(1)
    spectra += 0.005 * rng.normal(size=spectra.shape)
    alloy = composition[:, ALLOYS].sum(1)
    transition = composition[:, [2, 5]].sum(1)
    bismuth_excess = composition[:, 0] - composition[:, 1]
    target = 1.5 + composition @ PULL - 90 * transition**2 + 0.25 * z * (1 + 8 * alloy)
    target -= 8 * bismuth_excess**2
    gradient = np.tile(PULL, (n, 1))
    gradient[:, [2, 5]] -= 180 * transition[:, None]
    gradient[:, ALLOYS] += 2.0 * z[:, None]
    gradient[:, 0] -= 16 * bismuth_excess
    gradient[:, 1] += 16 * bismuth_excess
    target += 0.12 * rng.normal(size=n)
    return SimulatedLibrary(composition, spectra, axis, target, gradient, z)


@pytest.fixture(scope="session")
def simulated_library() -> Callable[[int, int, int], SimulatedLibrary]:
    """simulated_library(n, points, seed)"""
    return simulate
