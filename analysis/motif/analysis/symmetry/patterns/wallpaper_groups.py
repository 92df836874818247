"""The 17 wallpaper groups in a primitive cell, and the lattice metrics each may live on.

Operations are coordinate triplets of the International Tables for Crystallography, volume A,
section 6 (plane groups); cm and cmm are written in their primitive (rhombic) cell, so that
one cell holds one lattice point for every group.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

Operation = tuple[tuple[tuple[int, int], tuple[int, int]], tuple[float, float]]
"""(W, w) of x -> W x + w in fractional coordinates of the primitive cell."""

_TRIPLETS = {
    "p1": "x,y",
    "p2": "x,y; -x,-y",
    "pm": "x,y; -x,y",
    "pg": "x,y; -x,y+1/2",
    "cm": "x,y; y,x",
    "pmm": "x,y; -x,-y; -x,y; x,-y",
    "pmg": "x,y; -x,-y; -x+1/2,y; x+1/2,-y",
    "pgg": "x,y; -x,-y; -x+1/2,y+1/2; x+1/2,-y+1/2",
    "cmm": "x,y; -x,-y; y,x; -y,-x",
    "p4": "x,y; -x,-y; -y,x; y,-x",
    "p4m": "x,y; -x,-y; -y,x; y,-x; -x,y; x,-y; y,x; -y,-x",
    "p4g": "x,y; -x,-y; -y,x; y,-x; -x+1/2,y+1/2; x+1/2,-y+1/2; y+1/2,x+1/2; -y+1/2,-x+1/2",
    "p3": "x,y; -y,x-y; -x+y,-x",
    "p3m1": "x,y; -y,x-y; -x+y,-x; -y,-x; -x+y,y; x,x-y",
    "p31m": "x,y; -y,x-y; -x+y,-x; y,x; x-y,-y; -x,-x+y",
    "p6": "x,y; -y,x-y; -x+y,-x; -x,-y; y,-x+y; x-y,x",
    "p6m": "x,y; -y,x-y; -x+y,-x; -x,-y; y,-x+y; x-y,x; -y,-x; -x+y,y; x,x-y; y,x; x-y,-y; -x,-x+y",
}
GROUP_NAMES: tuple[str, ...] = tuple(_TRIPLETS)
"""The label of an image is the index into this tuple."""

METRICS: tuple[str, ...] = ("oblique", "rectangular", "rhombic", "square", "hex60", "hex120")
"""Lattice metrics; the two hexagonal ones differ by the angle between the cell vectors."""

_OBLIQUE = {"oblique": 0.4, "rectangular": 0.15, "rhombic": 0.15, "square": 0.15, "hex120": 0.15}
_RECTANGULAR = {"rectangular": 0.75, "square": 0.25}
_RHOMBIC = {"rhombic": 0.6, "square": 0.2, "hex60": 0.1, "hex120": 0.1}
_SQUARE = {"square": 1.0}
_HEXAGONAL = {"hex120": 1.0}
METRIC_ODDS: dict[str, dict[str, float]] = {
    **dict.fromkeys(("p1", "p2"), _OBLIQUE),
    **dict.fromkeys(("pm", "pg", "pmm", "pmg", "pgg"), _RECTANGULAR),
    **dict.fromkeys(("cm", "cmm"), _RHOMBIC),
    **dict.fromkeys(("p4", "p4m", "p4g"), _SQUARE),
    **dict.fromkeys(("p3", "p3m1", "p31m", "p6", "p6m"), _HEXAGONAL),
}
"""How often a group is drawn on each metric: a square lattice alone must not name p4."""


@dataclass(frozen=True)
class WallpaperGroup:
    """One group: `order` operations modulo lattice translations."""

    name: str
    operations: tuple[Operation, ...]

    @property
    def order(self) -> int:
        return len(self.operations)

    @property
    def point_group(self) -> frozenset[tuple[int, int, int, int]]:
        """The linear parts, row by row."""
        return frozenset((*w[0], *w[1]) for w, _ in self.operations)


def _parse_axis(text: str) -> tuple[int, int, float]:
    """Coefficients of x and y, and the shift, of one coordinate such as ``-x+1/2``."""
    shift = 0.5 if "1/2" in text else 0.0
    terms = text.replace("1/2", "").replace("-", "+-").split("+")
    counts = {"x": 0, "-x": 0, "y": 0, "-y": 0} | {t: 1 for t in terms if t}
    return counts["x"] - counts["-x"], counts["y"] - counts["-y"], shift


@cache
def group(name: str) -> WallpaperGroup:
    """The group called `name` (short symbol, one of `GROUP_NAMES`)."""
    operations: list[Operation] = []
    for triplet in _TRIPLETS[name].replace(" ", "").split(";"):
        (a, b, u), (c, d, v) = (_parse_axis(axis) for axis in triplet.split(","))
        operations.append((((a, b), (c, d)), (u, v)))
    return WallpaperGroup(name, tuple(operations))


@cache
def holohedry(metric: str) -> frozenset[tuple[int, int, int, int]]:
    """Linear parts, row by row, that map a lattice of this metric onto itself."""
    gram = _example_gram(metric)
    found = set()
    line = (-1, 0, 1)
    for a, b, c, d in product(line, line, line, line):
        w = np.array([[a, b], [c, d]], dtype=float)
        if np.allclose(w.T @ gram @ w, gram):
            found.add((a, b, c, d))
    return frozenset(found)


def _example_gram(metric: str) -> NDArray[np.float64]:
    """Metric tensor of a typical member, general in every respect the metric leaves free."""
    ratio, cosine = {
        "oblique": (1.31, 0.2),
        "rectangular": (1.31, 0.0),
        "rhombic": (1.0, 0.3),
        "square": (1.0, 0.0),
        "hex60": (1.0, 0.5),
        "hex120": (1.0, -0.5),
    }[metric]
    return np.array([[1.0, ratio * cosine], [ratio * cosine, ratio**2]])


@cache
def extra_operations(name: str, metric: str) -> tuple[tuple[int, int, int, int], ...]:
    """Point operations a motif of this group could carry by accident on this metric.

    One representative of each coset of the group's own point group (and of its inverse): a
    motif that has one member of the coset has them all.
    """
    own = [np.array(w).reshape(2, 2) for w in group(name).point_group]
    seen = {tuple(w.ravel()) for w in own}
    chosen = []
    for entries in sorted(holohedry(metric)):
        if entries in seen:
            continue
        w = np.array(entries).reshape(2, 2)
        inverse = np.rint(np.linalg.inv(w)).astype(int)
        seen |= {tuple((g @ w @ h).ravel()) for g in own for h in own}
        seen |= {tuple((g @ inverse @ h).ravel()) for g in own for h in own}
        chosen.append(entries)
    return tuple(chosen)
