"""Plugins that cannot be imported are skipped, named once, and break no other command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from motif.core import plugins
from motif.core.errors import ConfigError
from motif.core.plugins import MissingExtraError, PluginError, find_plugin, load_plugin

ENTRY_POINTS = """
[motif.commands]
broken = broken_plugin:command
greedy = needs_torch:command
[motif.readers]
tape = broken_plugin:TapeReader
raising = raising_plugin:RaisingReader
[motif.extractors]
exiting = exiting_plugin:Extractor
[motif.figures]
nothing = raising_plugin:no_such_name
"""
MODULES = {
    "broken_plugin": "import module_that_does_not_exist\n",
    "raising_plugin": "def RaisingReader():\n    raise KeyError('x')\n",
    "exiting_plugin": "raise SystemExit(3)\n",
    "needs_torch": "raise ModuleNotFoundError('No module named torch', name='torch')\n",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with an installed distribution whose plugins are all unusable."""
    folder = tmp_path / "site"
    information = folder / "motif_broken-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: motif-broken\nVersion: 1.0\n"
    )
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def motif(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "motif.core.cli.command_line", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": str(site)},
    )  # fmt: skip


def test_status_names_each_failed_plugin_once(site: Path, tmp_path: Path) -> None:
    assert motif(site, tmp_path, "init", "lab").returncode == 0
    done = motif(site, tmp_path / "lab", "status", "--json")
    assert done.returncode == 0, done.stderr
    failed = json.loads(done.stdout)["plugins_failed"]
    assert {(each["group"], each["name"]) for each in failed} == {
        ("motif.commands", "broken"), ("motif.commands", "greedy"), ("motif.readers", "tape"),
        ("motif.readers", "raising"), ("motif.extractors", "exiting"), ("motif.figures", "nothing"),
    }  # fmt: skip
    errors = {each["name"]: each["error"] for each in failed}
    assert "KeyError: 'x'" in errors["raising"]
    assert "of motif-broken cannot be imported" in errors["tape"]
    text = motif(site, tmp_path / "lab", "status").stdout
    assert text.count("The reader tape") == 1


def test_other_commands_work_and_the_failed_one_gives_its_reason(
    site: Path, tmp_path: Path
) -> None:
    listed = motif(site, tmp_path, "--help").stdout
    assert "measurements" in listed
    assert "broken" not in listed
    done = motif(site, tmp_path, "broken", "pfm", "--anything", "1")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "module_that_does_not_exist" in done.stderr
    done = motif(site, tmp_path, "greedy")
    assert done.returncode == 1
    pip = 'pip install "motif-lab[analysis]"'
    assert done.stderr == f'motif: motif greedy needs the extra "analysis": {pip}\n'


class RaisingPoint:
    """An entry point whose import raises."""

    group, value, dist = "motif.extractors", "x:y", None

    def __init__(self, name: str, error: BaseException | None = None) -> None:
        self.name, self._error = name, error

    def load(self) -> type[list[int]]:
        if self._error is not None:
            raise self._error
        return list


@pytest.mark.parametrize("error", [SyntaxError("bad"), SystemExit(2), RuntimeError("x.")])
def test_any_exception_of_a_plugin_is_contained(error: BaseException) -> None:
    point: EntryPoint = RaisingPoint("odd", error)  # type: ignore[assignment]
    with pytest.raises(PluginError, match=r"^The extractor odd .*; report it to its author"):
        load_plugin(point)


def test_a_missing_extra_of_a_plugin_is_named() -> None:
    error = ModuleNotFoundError("No module named 'umap'", name="umap")
    with pytest.raises(MissingExtraError, match='The extractor odd needs the extra "analysis"'):
        load_plugin(RaisingPoint("odd", error))  # type: ignore[arg-type]


def test_lists_skip_what_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    points = [RaisingPoint("bad", OSError("no disk")), RaisingPoint("good")]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)
    assert [loaded for _, loaded in plugins.usable("motif.readers", create=True)] == [[]]
    assert "no disk" in caplog.text


def test_an_unknown_plugin_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match='no source kind "tape"; known ones are datafed'):
        find_plugin("motif.sources", "tape")
    with pytest.raises(ConfigError, match='no extractor "tape"; known ones are analytic'):
        find_plugin("motif.extractors", "tape")
