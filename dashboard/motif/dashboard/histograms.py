"""Bins for ranges of numbers and dates, with edges people can read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from motif.dashboard.facets import Column
from motif.dashboard.quantities import quantity

BINS = 24
LOG_FROM = 50.0
"""Ratio of largest to smallest quantity above which bins widen in proportion."""

DAY = 86_400.0


@dataclass(frozen=True)
class Bins:
    """Edges (b + 1,) in the column's own numbers, and how they are written."""

    edges: NDArray[np.float64]
    kind: str
    unit: str

    def texts(self) -> list[str]:
        """Edges as people read them."""
        return [self._text(float(edge)) for edge in self.edges]

    def counts(self, values: NDArray[np.float64]) -> list[int]:
        """Values in each bin; missing ones count nowhere."""
        known = values[np.isfinite(values)]
        slack = np.abs(self.edges[[0, -1]]) * 1e-9
        edges = self.edges.copy()
        edges[0] -= slack[0]
        edges[-1] += slack[1]
        return [int(n) for n in np.histogram(known, edges)[0]]

    def nearest(self, value: float) -> int:
        """The edge closest to a value."""
        return int(np.abs(self.edges - value).argmin())

    def spelled(self, low: int, high: int) -> str:
        """From one edge to another, as a URL holds it: SI numbers, or first and last day."""
        start, end = float(self.edges[int(low)]), float(self.edges[int(high)])
        if self.kind == "date":
            return f"{self._text(start)}..{self._text(end - DAY)}"
        return f"{start:.10g}..{end:.10g}"

    def _text(self, value: float) -> str:
        if self.kind == "date":
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
        return quantity(value, self.unit)


def bins_for(column: Column) -> Bins | None:
    """Bins that cover a column; None when all its values are one."""
    known = column.values[np.isfinite(column.values)]
    if known.size == 0 or known.min() == known.max():
        return None
    low, high = float(known.min()), float(known.max())
    if column.kind == "date":
        low, high = np.floor(low / DAY) * DAY, np.ceil(high / DAY) * DAY
        days = max(1, round((high - low) / DAY))
        edges = low + np.unique(np.linspace(0, days, min(BINS, days) + 1).round()) * DAY
        return Bins(edges, column.kind, column.unit)
    if column.unit and low > 0 and high / low > LOG_FROM:
        return Bins(np.geomspace(low, high, BINS + 1), column.kind, column.unit)
    return Bins(np.linspace(low, high, BINS + 1), column.kind, column.unit)
