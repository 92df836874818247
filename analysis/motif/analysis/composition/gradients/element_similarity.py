"""Which elements are similar: by their gradients, and by the first layer of the networks."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from motif.analysis.arrays import BoolArray, FloatArray

HOST_FRACTION = 0.2
"""Mean atomic fraction from which an element is a host element."""
ALIGNMENT_ROUNDS = 10


def pearson(a: FloatArray, b: FloatArray) -> FloatArray:
    """Coefficients (p, q) between the columns of (n, p) and (n, q); 0 where one is constant."""
    left, right = a - a.mean(0), b - b.mean(0)
    norm = np.outer(np.linalg.norm(left, axis=0), np.linalg.norm(right, axis=0))
    return np.asarray((left.T @ right) / np.where(norm > 0, norm, 1))


def element_groups(
    composition: FloatArray, gradient: FloatArray, elements: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    """Three groups of elements, the corners of a pseudo-ternary map.

    Host elements (a fifth of the average sample or more) are the first group; the others are
    split into two groups of similar gradients. Without host elements, or with fewer than two
    others, the three elements that vary most are one group each.

    Args:
        composition: atomic fractions (n, E).
        gradient: gradients of the same samples (n, E).
        elements: symbols (E).
    """
    varying = np.argsort(-composition.std(0), kind="stable")
    mean = composition.mean(0)
    hosts = [i for i in range(len(elements)) if mean[i] >= HOST_FRACTION]
    others = [i for i in range(len(elements)) if i not in hosts and composition[:, i].any()]
    if not hosts or len(others) < 2:
        return tuple((elements[i],) for i in varying[:3])
    left = _two_clusters(pearson(gradient[:, others], gradient[:, others]))
    groups = ([others[i] for i in np.flatnonzero(left)], [others[i] for i in np.flatnonzero(~left)])
    return tuple(tuple(elements[i] for i in group) for group in (hosts, *groups))


def align_units(weights: FloatArray) -> FloatArray:
    """Reorder the units of each network so that corresponding units have the same column.

    The order of units in a layer is arbitrary. Units are matched by the assignment that
    correlates best with the mean over networks, repeated until it does not change.

    Args:
        weights: first-layer weights (K, E, units) of K networks.

    Returns:
        The same weights with units permuted within each network, strongest columns first.
    """
    aligned = np.array(weights, dtype=np.float64)
    reference = aligned[0].copy()
    for _ in range(ALIGNMENT_ROUNDS):
        before = aligned.copy()
        for k, network in enumerate(aligned):
            _, order = linear_sum_assignment(pearson(reference, network), maximize=True)
            aligned[k] = network[:, order]
        reference = aligned.mean(0)
        if np.array_equal(before, aligned):
            break
    return aligned[:, :, np.argsort(-np.abs(reference).sum(0), kind="stable")]


def weight_similarity(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How similarly the networks treat two elements: Pearson of their first-layer weights.

    Returns:
        Mean and standard deviation (E, E) over K networks of weights (K, E, units). The order
        of the units does not matter.
    """
    by_network = np.stack([np.corrcoef(network) for network in weights.astype(np.float64)])
    return by_network.mean(0), by_network.std(0)


def _two_clusters(coefficients: FloatArray) -> BoolArray:
    """Membership (p,) in the first of two clusters by average linkage on 1 - r."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = np.clip(1 - coefficients, 0, 2)
    np.fill_diagonal(distance, 0)
    if len(distance) == 2:
        return np.array([True, False])
    labels = fcluster(linkage(squareform(distance, checks=False), "average"), 2, "maxclust")
    return np.asarray(labels == labels[0])
