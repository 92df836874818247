"""Commands on a workspace with a simulated library and its known law."""

from __future__ import annotations

import csv
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

from motif.analysis.composition import commands
from motif.analysis.composition.datasets.composition_library import load_library, prepare
from motif.analysis.composition.figures import figure_files
from motif.analysis.composition.gradients.gradient_truth import true_gradient
from motif.analysis.composition.regression import training_recipe
from motif.analysis.composition.regression.training_recipe import FAST
from motif.analysis.composition.study.model_comparison import BASELINES
from motif.core.errors import ConfigError, MotifError, NotFoundError
from motif.core.testing.bivo4_truth import (
    COEFFICIENTS,
    ELEMENTS,
    bivo4_gradient,
    bivo4_performance,
    bivo4_spectrum,
)
from motif.core.testing.fill_workspace import fill, spectrum
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
        exact = true_gradient(workspace, prepare(load_library(workspace, "bivo4")))
        assert exact is not None
        order = [names.index(n) for n in prepare(load_library(workspace, "bivo4")).names]
        expected = bivo4_gradient(composition, distortion)[order] / 100
        np.testing.assert_allclose(exact, expected - expected.mean(1, keepdims=True))
    return root


@pytest.fixture
def run(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    quick = replace(FAST, spectrum_epochs=5, composition_epochs=100, joined_epochs=20, batch=16)
    monkeypatch.setitem(training_recipe.RECIPES, "fast", quick)
    app = typer.Typer()
    app.command("train")(commands.train_composition)
    app.command("gradients")(commands.gradients)
    app.command("suggest")(commands.suggest)
    app.command("figures")(commands.figures)
    app.command("learning-curve")(commands.learning_curve)

    def call(*arguments: str) -> Any:
        options = ["-w", str(lab)]
        result = CliRunner().invoke(app, [*arguments, *options], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "--json" in arguments else result.stdout

    return call


def test_training_prints_scores_and_baselines(run: Run) -> None:
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
    assert "the exact one is within one spread in" in text


def test_methods_are_compared_in_one_table(run: Run) -> None:
    options = ("bivo4", "--members", "3", "--folds", "3", "--baselines")
    document = run("train", *options, "--json")
    integrated = document["integrated_gradients"]["truth"]
    assert integrated["cosine"] > 0.5
    assert 0 < integrated["calibration"]["within_1"] < 1
    lines = run("train", *options).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("method"))
    assert lines[start].split()[1:6] == ["R²", "MAE", "cosine", "slope", "signs"]
    assert lines[start + 1].split()[2] == f"{document['mae']:.3f}"
    assert lines[start + 2].split()[2] == f"{integrated['cosine']:.3f}"
    assert len(lines[start + 1 : -1]) == 2 + len(BASELINES)


def test_learning_curve_is_stored_and_printed(run: Run, lab: Path) -> None:
    document = run("learning-curve", "bivo4", "--folds", "2", "--json")
    assert document["samples"] == [10, 15, 30, 52, 75]
    for scores in document["r2"].values():
        assert scores[-1] > scores[0]
    with Workspace.open(lab) as workspace:
        stored = workspace.ledger.arrays(workspace.ledger.latest("learning-curve", "bivo4"))
        assert stored["scores"].tolist() == list(document["r2"].values())
    again = run("learning-curve", "bivo4", "--folds", "2", "--json")
    assert again == document
    assert run("learning-curve", "bivo4", "--folds", "2").splitlines()[1].split()[-1] == "75"


def test_figures_are_written_with_their_numbers(run: Run, tmp_path: Path) -> None:
    run("train", "bivo4", "--members", "3", "--folds", "3", "--json")
    run("learning-curve", "bivo4", "--folds", "2", "--json")
    out = tmp_path / "figures"
    document = run("figures", "bivo4", "--out", str(out), "--sample", "s3", "--json")
    expected = {"map", "pairs", "bands", "weights", "parity", "learning", "sample-s3"}
    assert expected <= set(document["figures"])
    assert any(name.startswith("map-Bi-V-0.5") for name in document["figures"])
    assert sorted(document["files"]) == sorted(
        str(path) for path in out.iterdir() if path.name != "plotly.min.js"
    )
    for name in document["figures"]:
        page = (out / f"{name}.html").read_text(encoding="utf-8")
        assert "plotly.min.js" in page
        assert '"format": "svg"' in page
        assert "https://cdn" not in page
        drawn = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
        assert "simulated" in [a["text"] for a in drawn["layout"]["annotations"]]
    with (out / "parity.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 150
    assert {row["simulated"] for row in rows} == {"true"}
    predicted = {row["sample"]: float(row["predicted"]) for row in rows}
    drawn = json.loads((out / "parity.json").read_text(encoding="utf-8"))
    points = [t for t in drawn["data"] if t.get("mode") == "markers"]
    assert sum(len(t["text"]) for t in points) == 150
    with (out / "sample-s3-elements.csv").open(encoding="utf-8", newline="") as file:
        bars = list(csv.DictReader(file))
    sample = next(s for s in run("gradients", "bivo4", "--json")["samples"] if s["sample"] == "s3")
    for row in bars:
        assert float(row["gradient"]) == sample["total_gradient"][row["element"]]
    assert predicted["s3"] == pytest.approx(sample["target"], abs=3)
    assert "figures in" in run(
        "figures", "bivo4", "--out", str(out), "--theme", "dark", "--partial"
    )
    manifest = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert (manifest["gradient"], manifest["simulated"]) == ("partial", True)


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        (("--theme", "sepia"), ConfigError, "no theme 'sepia'; choose light or dark"),
        (("--sample", "nobody"), NotFoundError, "no sample nobody"),
        (("--image", "gif"), ConfigError, "choose svg, pdf, png"),
        (("--image", "svg"), ConfigError, "neither is installed; .* camera button"),
    ],
)
def test_figures_that_cannot_be_written_are_refused(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, str],
    error: type[MotifError],
    reason: str,
) -> None:
    monkeypatch.setattr(figure_files, "browser", lambda: None)
    run("train", "bivo4", "--members", "3", "--folds", "3", "--json")
    with pytest.raises(error, match=reason):
        run("figures", "bivo4", "--out", str(tmp_path / "figures"), *options)
    assert not (tmp_path / "figures").exists()


def test_gradients_name_samples_and_elements(run: Run) -> None:
    run("train", "bivo4", "--members", "3", "--folds", "3", "--json")
    document = run("gradients", "bivo4", "--json")
    assert len(document["samples"]) == 150
    sample = document["samples"][0]
    assert set(sample["composition"]) == set(ELEMENTS)
    assert sum(sample["total_gradient"].values()) == pytest.approx(0, abs=1e-9)
    assert min(sample["sign_agreement"].values()) >= 0
    assert "with --json" in run("gradients", "bivo4")
    both = run("gradients", "bivo4", "--integrated", "--json")
    averaged = both["samples"][0]["integrated_gradient"]
    assert sum(averaged.values()) == pytest.approx(0, abs=1e-9)
    assert averaged != both["samples"][0]["total_gradient"] == sample["total_gradient"]


def test_suggestions_are_new_and_better_than_most(run: Run, lab: Path) -> None:
    run("train", "bivo4", "--members", "3", "--folds", "3", "--json")
    document = run("suggest", "bivo4", "-n", "5", "--json")
    assert 1 <= len(document["table"]) <= 5
    proposed = np.array([[row["composition"][e] for e in ELEMENTS] for row in document["table"]])
    np.testing.assert_allclose(proposed.sum(1), 1, atol=1e-5)
    with Workspace.open(lab) as workspace:
        library = load_library(workspace, "bivo4")
    order = [library.elements.index(e) for e in ELEMENTS]
    measured = library.composition[:, order]
    gap = np.linalg.norm(measured[None] - proposed[:, None], axis=-1)
    assert gap.min() >= 0.0049
    exact = bivo4_performance(proposed, np.zeros(len(proposed)))
    usual = bivo4_performance(measured, np.zeros(len(measured)))
    assert exact.mean() > np.quantile(usual, 0.8)
    merit = [row["prediction"] - row["spread"] for row in document["table"]]
    assert merit == sorted(merit, reverse=True)
    assert "members predict a gain" in run("suggest", "bivo4", "-n", "5")
    with Workspace.open(lab) as workspace:
        result = workspace.ledger.get(document["derivation"])
        stored = workspace.ledger.arrays(result)
        assert [e.decode() for e in stored["elements"].tolist()] == document["elements"]
        for name in ("prediction", "spread", "gain", "distance"):
            assert stored[name].tolist() == [row[name] for row in document["table"]]
        names = {row.id: row.key for row in workspace.select("bivo4")}
        assert [names[row["origin"]] for row in document["table"]] == [
            row["sample"] for row in document["table"]
        ]
    assert max(row["spread"] for row in document["table"]) <= document["most_spread"]


def test_commands_load_nothing_heavy() -> None:
    script = (
        "import sys, motif.analysis.composition.commands\n"
        "heavy = {'torch', 'sklearn', 'distributed', 'plotly', 'zarr', 'pandas', 'xarray'}\n"
        "sys.exit(f'loaded {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
