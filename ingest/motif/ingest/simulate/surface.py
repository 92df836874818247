"""Topography: what a surface looks like before the tip touches it, and after flattening."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from motif.ingest.simulate.patterns import Canvas, Field


def terraces(canvas: Canvas) -> Field:
    """Steps of one unit cell on a slightly miscut, slightly uneven crystal."""
    y, x = np.mgrid[: canvas.pixels, : canvas.pixels] / canvas.pixels
    direction = canvas.rng.uniform(0, 2 * np.pi)
    slope = canvas.rng.uniform(3, 9) * (np.cos(direction) * x + np.sin(direction) * y)
    level = slope + 0.35 * canvas.smooth(canvas.pixels / 7)
    steps = np.floor(level) + 1 / (1 + np.exp(-((level % 1) - 0.5) * 40))
    return np.asarray(steps - slope + 0.12 * canvas.smooth(4))


def grains(canvas: Canvas) -> Field:
    """Grains of a polycrystalline film, domed, with grooves between them."""
    n = canvas.pixels
    count = int(canvas.rng.integers(40, 220))
    seeds = canvas.rng.uniform(-0.1 * n, 1.1 * n, (count, 2))
    points = np.indices((n, n)).reshape(2, -1).T
    distance, nearest = cKDTree(seeds).query(points, k=2)
    groove = np.sqrt(np.clip((distance[:, 1] - distance[:, 0]) / (n / np.sqrt(count)), 0, 1))
    heights = canvas.rng.normal(0, 0.45, count)[nearest[:, 0]]
    return np.asarray((2 * groove + heights).reshape(n, n) + 0.08 * canvas.smooth(3))


def rolling(canvas: Canvas) -> Field:
    """A smooth film with a little waviness."""
    return 0.8 * canvas.smooth(canvas.rng.uniform(6, 20)) + 0.25 * canvas.smooth(2.5)


SURFACES: dict[str, Callable[[Canvas], Field]] = {
    "terraces": terraces,
    "grains": grains,
    "rolling": rolling,
}
"""What a surface can be, by name."""


def flatten(height: Field) -> Field:
    """Take a straight line out of every scan line, as Asylum's first-order flattening does."""
    x = np.linspace(-1, 1, height.shape[1])
    slope = height @ x / (x @ x)
    return np.asarray(height - height.mean(axis=1, keepdims=True) - slope[:, None] * x)
