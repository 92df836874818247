"""Every stage that Motif declares fulfils the contract of stage plugins."""

from __future__ import annotations

import pytest

from motif.analysis.analysis_stages import STAGES
from motif.core.provenance.stages import CORE_STAGES, Stage, all_stages
from motif.core.testing.stage_tests import StageTests


@pytest.fixture(autouse=True, params=[*CORE_STAGES, *STAGES], ids=lambda stage: stage.name)
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stage:
    if request.cls is not None:
        monkeypatch.setattr(request.cls, "stage", request.param, raising=False)
    declared: Stage = request.param
    return declared


class TestEveryStage(StageTests):
    pass


def test_the_registry_begins_with_the_stages_of_the_core() -> None:
    assert list(all_stages())[: len(CORE_STAGES)] == [stage.name for stage in CORE_STAGES]
