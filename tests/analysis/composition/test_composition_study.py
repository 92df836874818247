"""The study end to end: ledger rows, resuming, honest validation, refusals."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motif.analysis.composition.datasets.composition_library import (
    PreparedLibrary,
    Samples,
    load_library,
    normalise,
    paper_scores,
    prepare,
)
from motif.analysis.composition.datasets.cross_validation import make_partition, r2_score
from motif.analysis.composition.figures.study_figures import study_figures
from motif.analysis.composition.regression.training_recipe import FAST, EnsembleMember
from motif.analysis.composition.study.composition_study import (
    load_study,
    make_plan,
    train_composition,
)
from motif.analysis.composition.study.ensemble_members import MEMBER_STAGE, grouped, train_group
from motif.analysis.composition.study.model_comparison import score_baselines
from motif.analysis.composition.training_request import TrainingRequest
from motif.core.errors import ConfigError, NotFoundError, UnsuitableDataError
from motif.core.jobs.progress import Progress
from motif.core.testing.fill_workspace import fill, spectrum
from motif.core.workspace import Workspace

QUICK = replace(FAST, spectrum_epochs=2, composition_epochs=10, joined_epochs=8, batch=16)
Fill = Callable[..., Workspace]


@pytest.fixture
def lab(tmp_path: Path, simulated_library: Any) -> Fill:
    """lab(n, points, target=...) makes a workspace holding a simulated library as "alloys"."""

    def make(
        n: int = 120,
        points: int = 90,
        target: Callable[[np.ndarray], np.ndarray] = lambda p: p,
        spectra: Callable[[np.ndarray], np.ndarray] = lambda s: s,
    ) -> Workspace:
        library = simulated_library(n, points, 3)
        elements = ("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb")
        performance = target(library.target)
        measured = spectra(library.spectra)
        samples = [
            spectrum(
                measured[i],
                library.axis,
                f"s{i}",
                dict(zip(elements, library.composition[i].tolist(), strict=True)),
                {"P": (float(performance[i]), "mW/cm^2")},
            )
            for i in range(n)
        ]
        workspace = Workspace.init(tmp_path / "lab")
        fill(workspace, "alloys", {"library": samples})
        return workspace

    return make


def test_a_study_is_kept_and_never_repeated(lab: Fill) -> None:
    workspace = lab(n=60, points=40)
    first = train_composition(
        workspace, TrainingRequest("alloys", members=3, folds=4, recipe=QUICK)
    )
    assert (first["members"], first["folds"], first["trained"]) == (3, 4, 7)
    assert first["units"]["gradient_composition"] == "mW/cm^2 per at.%"
    assert first["gradient_cosine"] is None
    again = train_composition(
        workspace, TrainingRequest("alloys", members=3, folds=4, recipe=QUICK)
    )
    assert again["trained"] == 0
    assert again["derivation"] == first["derivation"]
    more = train_composition(workspace, TrainingRequest("alloys", members=4, folds=4, recipe=QUICK))
    assert more["trained"] == 1
    assert more["r2"] == first["r2"]


def test_arrays_are_those_promised(lab: Fill) -> None:
    workspace = lab()
    train_composition(workspace, TrainingRequest("alloys", members=2, folds=3, recipe=QUICK))
    study = load_study(workspace, "alloys")
    arrays = study.arrays
    n, elements, points = 120, 7, 90
    shapes = {
        "prediction_mean": (n,),
        "gradient_composition_mean": (n, elements),
        "gradient_composition_std": (n, elements),
        "gradient_total_mean": (n, elements),
        "gradient_total_std": (n, elements),
        "sign_agreement": (n, elements),
        "gradient_spectrum_mean": (n, points),
        "gradient_spectrum_std": (n, points),
        "first_layer_weights": (2, elements, 16),
        "fold_prediction": (n,),
    }
    assert {name: arrays[name].shape for name in shapes} == shapes
    assert all(np.isfinite(arrays[name]).all() for name in shapes)
    rows = {row.id: row for row in workspace.select("alloys")}
    chosen = rows[arrays["ids"][5].decode()]
    assert chosen.composition["Bi"] == pytest.approx(arrays["composition"][5, 0])
    assert chosen.targets["P"][0] == pytest.approx(arrays["target"][5])


def test_validation_uses_held_out_predictions_only(lab: Fill) -> None:
    workspace = lab()
    summary = train_composition(
        workspace, TrainingRequest("alloys", members=1, folds=3, recipe=QUICK)
    )
    members = workspace.ledger.all(MEMBER_STAGE, "alloys")
    folds = {m.parameters["fold"]: m for m in members if m.parameters["fold"] is not None}
    study = load_study(workspace, "alloys")
    expected = np.empty(120)
    for fold, member in folds.items():
        held = study.arrays["fold"] == fold
        expected[held] = workspace.ledger.arrays(member)["predictions"][held]
        assert member.summary["held_out"] == held.sum()
    np.testing.assert_array_equal(study.arrays["fold_prediction"], expected)
    assert summary["r2"] == pytest.approx(r2_score(study.arrays["target"], expected))
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(study.arrays["target"])
    assert r2_score(shuffled, expected) < summary["r2"]


def test_noise_cannot_be_predicted(lab: Fill) -> None:
    rng = np.random.default_rng(5)
    workspace = lab(target=lambda p: rng.normal(size=len(p)))
    summary = train_composition(
        workspace, TrainingRequest("alloys", members=1, folds=4, recipe=QUICK)
    )
    assert summary["r2"] < 0.1


def test_samples_without_target_are_left_out(lab: Fill) -> None:
    workspace = lab(target=lambda p: np.where(np.arange(len(p)) < 20, np.nan, p))
    summary = train_composition(
        workspace, TrainingRequest("alloys", members=1, folds=0, recipe=QUICK)
    )
    assert summary["samples"] == 100
    assert summary["notes"] == ["20 samples without P"]
    assert summary["r2"] is None


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"n": 20}, "20 samples .* at least 30"),
        ({"target": lambda p: np.full(len(p), 2.0)}, "P is 2 in all 120 samples"),
        ({"target": lambda p: np.full(len(p), np.nan)}, "0 samples .*120 samples without P"),
    ],
)
def test_unsuitable_libraries_are_refused(lab: Fill, options: dict[str, Any], reason: str) -> None:
    workspace = lab(**options)
    with pytest.raises(UnsuitableDataError, match=reason):
        train_composition(workspace, TrainingRequest("alloys"))
    assert not workspace.ledger.all(MEMBER_STAGE)


def test_options_out_of_range_are_refused(lab: Fill) -> None:
    workspace = lab()
    with pytest.raises(ConfigError, match="0 members"):
        train_composition(workspace, TrainingRequest("alloys", members=0))
    with pytest.raises(ConfigError, match="2 to 60, or 0"):
        train_composition(workspace, TrainingRequest("alloys", folds=61))
    with pytest.raises(ConfigError, match="2 or more, or 0"):
        TrainingRequest("alloys", folds=1)
    with pytest.raises(ConfigError, match="no recipe 'slow'; choose fast, smooth, published"):
        TrainingRequest("alloys", recipe="slow")
    with pytest.raises(NotFoundError, match="motif train composition alloys"):
        load_study(workspace, "alloys")


def test_constant_spectra_leave_composition_alone(lab: Fill) -> None:
    workspace = lab(spectra=lambda s: np.ones_like(s))
    train_composition(workspace, TrainingRequest("alloys", members=1, folds=0, recipe=QUICK))
    arrays = load_study(workspace, "alloys").arrays
    assert not arrays["gradient_spectrum_mean"].any()
    assert arrays["gradient_total_mean"].any()


def test_one_composition_everywhere_leaves_the_spectrum_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    axis = np.linspace(10, 80, 30)
    measured = 1 + rng.random((40, 30))
    samples = [
        spectrum(s, axis, f"s{i}", {"Ga": 0.5, "As": 0.5}, {"P": (float(s[3]), "")})
        for i, s in enumerate(measured)
    ]
    workspace = Workspace.init(tmp_path / "lab")
    fill(workspace, "gaas", {"library": samples})
    summary = train_composition(
        workspace, TrainingRequest("gaas", members=2, folds=2, recipe=QUICK)
    )
    assert summary["units"]["gradient_composition"] == "1 per at.%"
    arrays = load_study(workspace, "gaas").arrays
    assert arrays["gradient_spectrum_mean"].any()
    assert "first_layer_weights" not in arrays
    assert {d.name for d in study_figures(workspace, load_study(workspace, "gaas"))} == {
        "pairs", "bands", "parity", "sample-" + _best(arrays)
    }  # fmt: skip
    flat = [
        spectrum(np.ones(30), axis, f"s{i}", {"Ga": 0.5, "As": 0.5}, {"P": (float(i), "")})
        for i in range(40)
    ]
    fill(workspace, "flat", {"flat library": flat})
    with pytest.raises(UnsuitableDataError, match="same composition and spectrum"):
        train_composition(workspace, TrainingRequest("flat"))


def _best(arrays: Mapping[str, np.ndarray]) -> str:
    name: bytes = arrays["names"][np.argmax(arrays["target"])]
    return name.decode()


def test_each_figure_of_merit_has_a_study_of_its_own_and_short_spectra_none(
    tmp_path: Path, simulated_library: Any
) -> None:
    library = simulated_library(40, 5, 3)
    samples = [
        spectrum(
            library.spectra[i],
            library.axis,
            f"s{i}",
            {"V": float(c[1]), "Bi": float(1 - c[1]), "W": 0.0},
            {
                "P": (float(library.target[i]), "mW/cm^2"),
                "gap": (float(c[0]) if i % 8 else np.nan, "eV"),
            },
        )
        for i, c in enumerate(library.composition)
    ]
    workspace = Workspace.init(tmp_path / "lab")
    fill(workspace, "alloys", {"library": samples})
    gap, power = (
        train_composition(
            workspace, TrainingRequest("alloys", target=t, members=1, folds=2, recipe=QUICK)
        )
        for t in ("gap", "P")
    )
    assert (gap["samples"], power["samples"]) == (35, 40)
    assert gap["units"]["gradient_composition"] == "eV per at.%"
    assert "5 samples without gap" in gap["notes"]
    assert "spectra of 5 points left out: at least 7" in gap["notes"]
    study = load_study(workspace, "alloys", "gap")
    assert study.derivation.id == gap["derivation"] != power["derivation"]
    assert study.arrays["axis"].shape == (0,)
    absent = study.elements.index("W")
    assert not study.arrays["composition"][:, absent].any()
    assert np.isfinite(study.arrays["gradient_total_mean"]).all()
    baselines = score_baselines(workspace, TrainingRequest("alloys", target="gap", folds=2))
    assert all(np.isfinite(scores["r2"]) for scores in baselines.values())
    drawn = {drawing.name for drawing in study_figures(workspace, study)}
    assert {"pairs", "weights", "parity"} <= drawn
    assert "bands" not in drawn
    with pytest.raises(UnsuitableDataError, match='no figure of merit "yield"; it has P, gap'):
        train_composition(workspace, TrainingRequest("alloys", target="yield"))


def test_the_published_library_is_recognised_and_others_are_not() -> None:
    elements = ("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb")
    axis = np.linspace(78.025, 1340, 9)
    samples = Samples(np.ones((1379, 9)), np.ones((1379, 7)), np.arange(1379.0))
    names = tuple(map(str, range(1379)))
    library = PreparedLibrary(
        names, names, elements, axis, "raman_shift", "1/cm", samples, "P", "mW/cm^2", False
    )
    scores = paper_scores(library)
    assert scores == {"networks": 0.764, "random forest": 0.741, "kernel ridge": 0.732}
    for change in (
        {"simulated": True},
        {"ids": names[1:]},
        {"axis": axis + 5},
        {"axis": np.zeros(0)},
        {"elements": elements[1:]},
    ):
        assert paper_scores(replace(library, **change)) is None


def test_raman_spectra_are_divided_by_their_stretch_others_by_their_maximum() -> None:
    axis = np.linspace(100, 1000, 91)
    spectra = np.ones((2, 91))
    spectra[0, 5], spectra[0, 70], spectra[1, 70] = 8, 4, -1
    spectra[1] = 0
    raman, usable = normalise(spectra, axis, "raman_shift")
    other, _ = normalise(spectra, axis, "two_theta")
    assert usable.tolist() == [True, False]
    assert (raman[0].max(), raman[0, 70]) == (2, 1)
    assert (other[0].max(), other[0, 70]) == (1, 0.5)


def test_groups_hold_members_with_equal_steps(lab: Fill) -> None:
    workspace = lab(n=61)
    prepared = prepare(load_library(workspace, "alloys"))
    request = TrainingRequest("alloys", members=5, recipe=replace(QUICK, batch=6))
    partition = make_partition(workspace, prepared, request)
    plan = make_plan(workspace, request, prepared, partition)
    groups = grouped(plan, plan.members, 4)
    assert {m for group in groups for m in group} == set(plan.members)
    for group in groups:
        assert len(group) <= 4
        assert len({-(-len(plan.rows(m)) // 6) for m in group}) == 1


KILLED = """
import os, signal
from motif.analysis.composition.study.model_comparison import score_baselines
from motif.analysis.composition.study.ensemble_members import TrainingPlan
from motif.analysis.composition.regression.training_recipe import TrainingRecipe
from motif.analysis.composition.study.composition_study import train_composition
from motif.analysis.composition.training_request import TrainingRequest
from motif.core.workspace import Workspace

store, left = TrainingPlan.store, [2]

def store_then_die(*arguments):
    return_value = store(*arguments)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return return_value

TrainingPlan.store = store_then_die
with Workspace.open({root!r}) as workspace:
    recipe = TrainingRecipe(**{recipe!r})
    train_composition(workspace, TrainingRequest("alloys", members=4, folds=0, recipe=recipe))
"""


def test_killed_at_a_member_it_resumes_there(lab: Fill) -> None:
    workspace = lab()
    script = KILLED.format(root=str(workspace.root), recipe=QUICK.parameters())
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == -signal.SIGKILL
    workspace.refresh()
    assert len(workspace.ledger.all(MEMBER_STAGE)) == 2
    summary = train_composition(
        workspace, TrainingRequest("alloys", members=4, folds=0, recipe=QUICK)
    )
    assert summary["trained"] == 2
    samples = prepare(load_library(workspace, "alloys")).samples
    members = [EnsembleMember(k) for k in range(4)]
    undisturbed, _ = train_group(samples, [np.arange(120)] * 4, members, QUICK)
    for row in workspace.ledger.all(MEMBER_STAGE):
        kept = workspace.ledger.arrays(row)
        for name, value in undisturbed[row.parameters["seed"]].items():
            np.testing.assert_array_equal(kept[name], value)


def test_members_trained_by_workers_equal_those_trained_here(lab: Fill) -> None:
    from distributed import Client, LocalCluster

    workspace = lab()
    summary: list[int] = []
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
        Progress("composition", quiet=True) as bar,
    ):
        train_composition(
            workspace,
            TrainingRequest("alloys", members=3, folds=2, recipe=QUICK),
            client=client,
            progress=bar,
        )
        summary.append(bar.done)
    assert summary == [500]
    samples = prepare(load_library(workspace, "alloys")).samples
    alone, _ = train_group(samples, [np.arange(120)], [EnsembleMember(2)], QUICK)
    [row] = workspace.ledger.all(MEMBER_STAGE, seed=2)
    kept = workspace.ledger.arrays(row)
    for name, value in alone[0].items():
        np.testing.assert_array_equal(kept[name], value)
