from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from motif.analysis.projection import warm
from motif.core.records import Facet, Measurement
from motif.core.testing.fill_workspace import fill, spectrum
from motif.core.workspace import Workspace

AXIS = np.linspace(100.0, 1100.0, 200)
PEAKS = {"BiVO4": 350.0, "PbTiO3": 600.0, "BiFeO3": 850.0}


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    warm()


@pytest.fixture(scope="session")
def samples() -> list[Measurement]:
    """Spectra of three materials, one distinct peak each with some scatter."""
    made = []
    for number in range(102):
        rng = np.random.default_rng(number)
        material = list(PEAKS)[number % 3]
        peak = PEAKS[material] + rng.normal(scale=8)
        shape = np.exp(-(((AXIS - peak) / 40) ** 2)) + 0.01 * rng.standard_normal(len(AXIS))
        one = spectrum(shape, AXIS, f"s{number}", {}, {})
        facets = [Facet("material", material, "test"), Facet("operator", "xu", "test")]
        made.append(Measurement(one.key, "spectrum", one.title, one.data, facets))
    return made


@pytest.fixture
def workspace(tmp_path: Path, samples: list[Measurement]) -> Iterator[Workspace]:
    with Workspace.init(tmp_path / "lab") as opened:
        fill(opened, "lib", {"first": samples[:90]})
        yield opened
