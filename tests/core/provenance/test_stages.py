"""One registry of stages, found through entry points."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from motif.core import plugins as core_plugins
from motif.core.provenance import stages
from motif.core.provenance.stages import Stage, all_stages, command_names, stage

ROUGHNESS = Stage("roughness", "Roughness", "motif roughness {collection}", itemwise=True)


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    points: list[EntryPoint] = []
    monkeypatch.setattr(core_plugins, "entry_points", lambda group: points)
    all_stages.cache_clear()
    yield points
    all_stages.cache_clear()


class LoadedPoint:
    """An entry point whose object is given."""

    group = stages.GROUP
    dist = None

    def __init__(self, name: str, declared: object) -> None:
        self.name = name
        self.value = f"{name}:STAGES"
        self._declared = declared

    def load(self) -> object:
        if isinstance(self._declared, Exception):
            raise self._declared
        return self._declared


def test_core_and_analysis_declare_their_stages() -> None:
    names = list(all_stages())
    assert names[0] == "label"
    for name in ("embedding", "projection", "placement", "gradients", "suggestions"):
        assert name in names
    assert stage("projection").title == "Map"
    assert stage("projection").page == "map"
    assert stage("gradients").figure == "gradients"


def test_one_stage_or_several_are_accepted(plugins: list[object]) -> None:
    plugins += [LoadedPoint("several", (Stage("a"), Stage("b"))), LoadedPoint("one", ROUGHNESS)]
    assert list(all_stages()) == ["roughness", "a", "b"]  # "one" before "several"
    assert stages.itemwise_stages() == {"roughness"}


def test_a_broken_plugin_is_skipped_and_logged(
    plugins: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    broken = LoadedPoint("broken", ImportError("no module named x"))
    plugins += [broken, LoadedPoint("fine", (ROUGHNESS,))]
    with caplog.at_level(logging.WARNING):
        assert list(all_stages()) == ["roughness"]
    assert "stage broken of an unknown package cannot be imported" in caplog.text
    assert "no module named x" in caplog.text


def test_the_core_keeps_its_names(plugins: list[object]) -> None:
    impostor = Stage("label", "Impostor")
    plugins += [LoadedPoint("a", impostor), LoadedPoint("core", stages.CORE_STAGES)]
    assert stage("label").title == "Labels and notes"


def test_an_undeclared_stage_has_its_name_only() -> None:
    unknown = stage("unheard-of")
    assert (unknown.title, unknown.command, unknown.page) == ("unheard-of", "", "")
    assert unknown.create_command("pfm") == "motif status"
    assert not unknown.is_rebuilt


def test_which_results_are_rebuilt() -> None:
    rebuilt = {name for name, each in all_stages().items() if each.is_rebuilt}
    assert rebuilt == {
        "projection", "ensemble-member", "gradients", "composition-baselines", "learning-curve",
        "suggestions", "integrated-gradients",
    }  # fmt: skip
    assert stages.statement_stages() >= {"label", "map-note"}
    assert stages.itemwise_stages() == {"embedding", "tiles", "placement"}


def test_commands_are_named_once_in_order() -> None:
    chosen = [Stage("x"), Stage("a", command="motif b {collection}"), ROUGHNESS]
    chosen.append(Stage("c", command="motif b {collection} --more"))
    assert command_names(chosen) == ("b", "roughness")
    assert command_names()[:2] == ("embed", "project")


def test_loading_the_registry_imports_nothing_heavy() -> None:
    code = (
        "import sys; from motif.core.provenance.stages import all_stages; all_stages(); "
        "heavy = {'torch', 'faiss', 'dask', 'umap', 'sklearn', 'streamlit', 'matplotlib'}; "
        "sys.exit(' '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
