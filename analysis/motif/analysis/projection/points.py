"""Whose the points of a map are: measurements, or tiles of images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from motif.analysis.search.members import Ids


def point_ids(arrays: Mapping[str, NDArray[Any]]) -> Ids:
    """Ids of a map's points (n,), each once, ascending: of tiles where it shows tiles."""
    found: Ids = arrays["tiles" if "tiles" in arrays else "ids"]
    return found
