from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from motif.core.catalog.database import MeasurementRow
from motif.core.records import Facet, Measurement
from motif.core.testing.fill_workspace import fill, spectrum
from motif.core.workspace import Workspace

AXIS = np.linspace(100.0, 1100.0, 300)


def sample(number: int, peak: float, operator: str) -> Measurement:
    shape = np.exp(-(((AXIS - peak) / 25) ** 2)) + 0.3 * np.exp(-(((AXIS - 300) / 15) ** 2))
    share = (peak - 400) / 1000
    made = spectrum(
        shape + 0.1 * number, AXIS, f"s{number}", {"Bi": 1 - share, "V": share},
        {"P": (1.0, "mW/cm^2")},
    )  # fmt: skip
    facets = [Facet("operator", operator, "test"), Facet("dose", peak, "test", "m")]
    return Measurement(
        made.key, "spectrum", made.title, made.data, facets, made.composition, made.targets
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "lab") as opened:
        yield opened


@pytest.fixture
def library(workspace: Workspace) -> list[MeasurementRow]:
    """Sixty samples whose peak moves from 400 to 900, in one record a third."""
    peaks = np.linspace(400, 900, 60)
    samples = [sample(n, peak, ("xu", "wu", "li")[n % 3]) for n, peak in enumerate(peaks)]
    return fill(workspace, "lib", {f"r{n}": samples[n::3] for n in range(3)})
