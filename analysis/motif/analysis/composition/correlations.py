"""Pearson coefficients between gradients: which elements, and which bands, act alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def pearson(a: Array, b: Array) -> Array:
    """Coefficients (p, q) between the columns of (n, p) and (n, q); 0 where one is constant."""
    left, right = a - a.mean(0), b - b.mean(0)
    norm = np.outer(np.linalg.norm(left, axis=0), np.linalg.norm(right, axis=0))
    return np.asarray((left.T @ right) / np.where(norm > 0, norm, 1))


def alike(
    composition: Array, gradient: Array, elements: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    """Three groups of elements for a pseudo-ternary map.

    Host elements (a fifth of the average sample or more) form the first group; the others fall
    into two by the likeness of their gradients. Without hosts, or with fewer than two others,
    the three elements that vary most stand alone.
    """
    varying = np.argsort(-composition.std(0), kind="stable")
    mean = composition.mean(0)
    hosts = [i for i in range(len(elements)) if mean[i] >= 0.2]
    others = [i for i in range(len(elements)) if i not in hosts and composition[:, i].any()]
    if not hosts or len(others) < 2:
        return tuple((elements[i],) for i in varying[:3])
    left = _split(pearson(gradient[:, others], gradient[:, others]))
    groups = ([others[i] for i in np.flatnonzero(left)], [others[i] for i in np.flatnonzero(~left)])
    return tuple(tuple(elements[i] for i in group) for group in (hosts, *groups))


def _split(coefficients: Array) -> NDArray[np.bool_]:
    """Two clusters by average linkage on 1 - r."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = np.clip(1 - coefficients, 0, 2)
    np.fill_diagonal(distance, 0)
    if len(distance) == 2:
        return np.array([True, False])
    labels = fcluster(linkage(squareform(distance, checks=False), "average"), 2, "maxclust")
    return np.asarray(labels == labels[0])
