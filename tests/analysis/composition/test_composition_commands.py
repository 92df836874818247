"""Commands on a workspace that holds the simulated lab's library with its truth."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from motif.analysis.composition import commands, recipes
from motif.analysis.composition.baselines import BASELINES
from motif.analysis.composition.preparation import prepare
from motif.analysis.composition.recipes import FAST
from motif.analysis.composition.truth import true_gradient
from motif.core.testing.filling import fill, spectrum
from motif.core.testing.truth import (
    COEFFICIENTS,
    ELEMENTS,
    bivo4_gradient,
    bivo4_performance,
    bivo4_spectrum,
)
from motif.core.workspace import Workspace

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, simulated_library: Any) -> Path:
    composition = simulated_library(150, 20, 3).composition
    rng = np.random.default_rng(1)
    distortion = rng.normal(size=150)
    shift = np.linspace(78, 1340, 120)
    spectra = bivo4_spectrum(composition, distortion, shift)
    performance = bivo4_performance(composition, distortion)
    names = [f"s{i}" for i in range(150)]
    samples = [
        spectrum(
            spectra[i],
            shift,
            name,
            dict(zip(ELEMENTS, composition[i].tolist(), strict=True)),
            {"P": (float(performance[i]), "mW/cm^2")},
        )
        for i, name in enumerate(names)
    ]
    truth = {
        "function": "bivo4_performance",
        "coefficients": dict(COEFFICIENTS),
        "distortion": dict(zip(names, distortion.tolist(), strict=True)),
    }
    root = tmp_path_factory.mktemp("lab")
    with Workspace.init(root) as workspace:
        fill(workspace, "bivo4", {"d1": samples}, {"d1": {"simulated": True, "truth": truth}})
        exact = true_gradient(workspace, prepare(workspace.library("bivo4")))
        assert exact is not None
        order = [names.index(n) for n in prepare(workspace.library("bivo4")).names]
        expected = bivo4_gradient(composition, distortion)[order] / 100
        np.testing.assert_allclose(exact, expected - expected.mean(1, keepdims=True))
    return root


@pytest.fixture
def run(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    quick = replace(FAST, spectrum_epochs=2, composition_epochs=30, joined_epochs=10, batch=16)
    monkeypatch.setitem(recipes.RECIPES, "fast", quick)
    app = typer.Typer()
    app.command("train")(commands.train_composition)
    app.command("gradients")(commands.gradients)
    app.command("suggest")(commands.suggest)

    def call(*arguments: str) -> Any:
        options = ["-w", str(lab)]
        result = CliRunner().invoke(app, [*arguments, *options], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "--json" in arguments else result.stdout

    return call


def test_training_prints_what_is_promised(run: Run) -> None:
    options = ("bivo4", "--members", "3", "--folds", "3")
    document = run("train", *options, "--json", "--baselines")
    assert document["members"] == 3
    assert document["r2"] > 0.3
    assert document["gradient_cosine"] == document["truth"]["cosine"] > 0.6
    assert set(document["baselines"]) == set(BASELINES)
    assert document["baselines"]["kernel ridge, scaled"]["gradient_cosine"] > 0.5
    again = run("train", *options, "--json", "--baselines")
    assert again["trained"] == 0
    assert again["baselines"] == document["baselines"]
    text = run("train", *options)
    assert "3 members on 150 samples of bivo4 (0 trained now, recipe fast)." in text
    assert "3-fold cross-validation" in text


def test_gradients_name_samples_and_elements(run: Run) -> None:
    run("train", "bivo4", "--members", "3", "--folds", "3", "--json")
    document = run("gradients", "bivo4", "--json")
    assert len(document["samples"]) == 150
    sample = document["samples"][0]
    assert set(sample["composition"]) == set(ELEMENTS)
    assert sum(sample["total_gradient"].values()) == pytest.approx(0, abs=1e-9)
    assert min(sample["sign_agreement"].values()) >= 0
    assert "with --json" in run("gradients", "bivo4")


def test_suggestions_are_new_and_better_than_most(run: Run, lab: Path) -> None:
    run("train", "bivo4", "--members", "3", "--folds", "3", "--json")
    document = run("suggest", "bivo4", "-n", "5", "--json")
    assert 1 <= len(document["table"]) <= 5
    proposed = np.array([[row["composition"][e] for e in ELEMENTS] for row in document["table"]])
    np.testing.assert_allclose(proposed.sum(1), 1, atol=1e-5)
    with Workspace.open(lab) as workspace:
        library = workspace.library("bivo4")
    order = [library.elements.index(e) for e in ELEMENTS]
    measured = library.composition[:, order]
    gap = np.linalg.norm(measured[None] - proposed[:, None], axis=-1)
    assert gap.min() >= 0.0049
    exact = bivo4_performance(proposed, np.zeros(len(proposed)))
    usual = bivo4_performance(measured, np.zeros(len(measured)))
    assert exact.mean() > np.quantile(usual, 0.8)
    merit = [row["prediction"] - row["spread"] for row in document["table"]]
    assert merit == sorted(merit, reverse=True)
    assert "members expect a gain" in run("suggest", "bivo4", "-n", "5")


def test_commands_load_nothing_heavy() -> None:
    script = (
        "import sys, motif.analysis.composition.commands\n"
        "heavy = {'torch', 'sklearn', 'distributed', 'plotly', 'zarr', 'pandas', 'xarray'}\n"
        "sys.exit(f'loaded {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
