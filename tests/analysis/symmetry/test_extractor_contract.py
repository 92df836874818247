"""The installed extractors fulfil the contract that every extractor plugin is tested by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest

from motif.core.contracts import Extractor, check_images
from motif.core.errors import UnsuitableDataError
from motif.core.plugins import extractor, installed
from motif.core.testing.extractor_tests import ExtractorTests


class TestAnalytic(ExtractorTests):
    invariances: ClassVar[Mapping[str, float]] = {
        "rotation": 0.05, "mirror": 0.05, "gain": 0.02, "offset": 0.02, "inversion": 0.05,
    }  # fmt: skip

    def create(self) -> Extractor:
        return extractor("analytic")


class TestSymmetry(ExtractorTests):
    invariances: ClassVar[Mapping[str, float]] = {
        "rotation": 0.05, "mirror": 0.05, "gain": 0.02, "offset": 0.02, "inversion": 0.05,
    }  # fmt: skip

    def create(self) -> Extractor:
        return extractor("symmetry")


def test_every_installed_extractor_is_tested_here() -> None:
    tested = {"analytic", "symmetry"}
    own = {point.name for point in installed("motif.extractors") if "motif.analysis" in point.value}
    assert own == tested


def test_images_are_checked_in_one_place() -> None:
    check_images(np.zeros((2, 4, 4), np.float32), np.array([np.nan, 1e-9]))
    with pytest.raises(UnsuitableDataError, match=r"shape \(4, 4\)"):
        check_images(np.zeros((4, 4), np.float32), np.ones(4))
