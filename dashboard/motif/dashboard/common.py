"""What some measurements have in common that the others have less often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motif.analysis.search.sharing import COMMON, LIFT, MOST_VALUES, Shared
from motif.dashboard.facets import FacetTable


def in_common(table: FacetTable, rows: NDArray[np.intp]) -> list[Shared]:
    """Categories over-represented among table rows, the most telling first."""
    if len(rows) == 0:
        return []
    inside = np.zeros(len(table), np.bool_)
    inside[rows] = True
    everything = np.ones(len(table), np.bool_)
    found = []
    for column in table.columns.values():
        if column.kind != "category" or not 2 <= len(column.labels) <= MOST_VALUES:
            continue
        share = column.counts(inside) / len(rows)
        overall = column.counts(everything) / len(table)
        for code in np.flatnonzero((share >= COMMON) & (share >= LIFT * overall)).tolist():
            found.append(
                Shared(column.name, column.labels[code], float(share[code]), float(overall[code]))
            )
    return sorted(found, key=lambda one: (one.overall - one.share, one.name))


def sentence(found: list[Shared], most: int = 4) -> str:
    """``material PbTiO3 (92 %, 13 % of all)`` for the most telling ones."""
    return " · ".join(
        f"{one.name.replace('_', ' ')} {one.value} ({100 * one.share:.0f} %, "
        f"{100 * one.overall:.0f} % of all)"
        for one in found[:most]
    )
