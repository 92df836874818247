"""The classes that supervise a map, from a facet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from motif.analysis.search.members import Ids, texts
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

TENTHS = 10
"""Classes that numbers are cut into, of as equal size as they allow."""


def target_of(workspace: Workspace, ids: Ids, facet: str) -> NDArray[np.int32]:
    """Class of each measurement (n,): -1 where it does not tell the facet.

    Raises:
        ConfigError: none of them tells it.
    """
    facets = workspace.facets(texts(ids))
    values = [facets[one].get(facet) for one in texts(ids)]
    if all(value is None for value in values):
        raise ConfigError(
            f'No measurement on this map tells "{facet}"; choose a facet of motif facets.'
        )
    if any(isinstance(value, float) and not isinstance(value, bool) for value in values):
        numbers = np.array([value if isinstance(value, float) else np.nan for value in values])
        return _tenths(numbers)
    names = {
        name: place for place, name in enumerate(sorted({str(v) for v in values if v is not None}))
    }
    return np.array([-1 if v is None else names[str(v)] for v in values], np.int32)


def _tenths(numbers: NDArray[np.float64]) -> NDArray[np.int32]:
    finite = np.isfinite(numbers)
    edges = np.unique(np.quantile(numbers[finite], np.linspace(0, 1, TENTHS + 1)[1:-1]))
    classes = np.searchsorted(edges, numbers, side="right").astype(np.int32)
    classes[~finite] = -1
    return classes
