"""Folds and orders: those of an order file, stratified folds, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.analysis.composition.datasets.composition_library import load_library, prepare
from motif.analysis.composition.datasets.cross_validation import (
    PRESENT,
    make_partition,
    read_orders,
    stratified_folds,
)
from motif.analysis.composition.regression.training_recipe import FAST, EnsembleMember
from motif.analysis.composition.study import model_comparison
from motif.analysis.composition.study.composition_study import load_study, train_composition
from motif.analysis.composition.training_request import TrainingRequest
from motif.core.errors import ConfigError, MotifError, UnreadableFileError, UnsuitableDataError
from motif.core.workspace import Workspace
from motif.ingest.simulate.simulated_library import simulate_library
from motif.ingest.sync.source_sync import sync

QUICK = replace(FAST, spectrum_epochs=1, composition_epochs=2, joined_epochs=1, batch=16)
N, RUNS = 60, 3
RNG = np.random.default_rng(8)
ORDERS = np.stack([RNG.permutation(N) for _ in range(RUNS)])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a table of the published form in which one P is missing."""
    root = tmp_path_factory.mktemp("published")
    table = root / "tables" / "dataset.csv"
    table.parent.mkdir()
    simulate_library(N, 5).write(table)
    lines = table.read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("Sample, Bi, V, W, Dy, Gd, Mo, Tb, 78.025, ")
    lines[2 + 11] = lines[2 + 11].rpartition(",")[0] + ", "
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with Workspace.init(root / "lab") as workspace:
        (workspace.root / "motif.toml").write_text(
            f'[sources.bivo4]\nkind = "folder"\npath = "{table.parent}"\ninto = "bivo4"\n'
        )
    with Workspace.open(root / "lab") as workspace:
        sync(workspace, "bivo4")
    return root / "lab"


@pytest.fixture
def written(tmp_path: Path) -> Callable[[np.ndarray], Path]:
    def write(orders: np.ndarray) -> Path:
        path = tmp_path / "shuffle_index.txt"
        np.savetxt(path, orders, fmt="%d")
        return path

    return write


def test_runs_have_the_order_of_the_file(lab: Path, written: Callable[[np.ndarray], Path]) -> None:
    with Workspace.open(lab) as workspace:
        prepared = prepare(load_library(workspace, "bivo4"))
        assert len(prepared.ids) == N - 1
        partition = make_partition(
            workspace,
            prepared,
            TrainingRequest("bivo4", seed=4, members=RUNS, shuffle_index=written(ORDERS)),
        )
    names = [str(name) for name in simulate_library(N, 5).samples]
    for run in range(RUNS):
        seen = [prepared.names[i] for i in partition.rows(EnsembleMember(4 + run))]
        assert seen == [names[i] for i in ORDERS[run] if i != 11]
    held_out = [
        np.setdiff1d(np.arange(N - 1), partition.rows(EnsembleMember(4, f))) for f in range(5)
    ]
    order = [names[i] for i in ORDERS[0] if i != 11]
    assert {prepared.names[i] for i in held_out[0]} == set(order[:12])
    assert sorted(np.concatenate(held_out).tolist()) == list(range(N - 1))


def test_the_file_decides_members_and_baselines_are_scored_on_its_folds(
    lab: Path, written: Callable[[np.ndarray], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ridge = {"kernel ridge": model_comparison.BASELINES["kernel ridge"]}
    monkeypatch.setattr(model_comparison, "BASELINES", ridge)
    options = {"members": 2, "folds": 3, "recipe": QUICK}
    with Workspace.open(lab) as workspace:
        plain = train_composition(workspace, TrainingRequest("bivo4", **options))
        path = written(ORDERS)
        ordered = train_composition(
            workspace, TrainingRequest("bivo4", shuffle_index=path, **options)
        )
        assert (plain["trained"], ordered["trained"]) == (5, 5)
        again = train_composition(
            workspace, TrainingRequest("bivo4", shuffle_index=path, **options)
        )
        assert (again["trained"], again["derivation"]) == (0, ordered["derivation"])
        other = written(ORDERS[[0, 2]])
        swapped = train_composition(
            workspace, TrainingRequest("bivo4", shuffle_index=other, **options)
        )
        assert swapped["trained"] == 1
        fold = load_study(workspace, "bivo4").arrays["fold"]
        assert np.bincount(fold).tolist() == [20, 20, 19]
        scores = model_comparison.score_baselines(
            workspace, TrainingRequest("bivo4", folds=3, shuffle_index=other)
        )
        assert scores != model_comparison.score_baselines(
            workspace, TrainingRequest("bivo4", folds=3)
        )


@given(st.integers(2, 30), st.integers(1, 4), st.sampled_from(" \t,;"), st.booleans())
@settings(max_examples=20, deadline=None)
def test_permutations_are_read_with_any_separator(
    tmp_path_factory: pytest.TempPathFactory, n: int, runs: int, separator: str, from_one: bool
) -> None:
    rng = np.random.default_rng(n)
    orders = np.stack([rng.permutation(n) for _ in range(runs)])
    path = tmp_path_factory.mktemp("orders") / "orders.txt"
    lines = [separator.join(str(i + from_one) for i in line) for line in orders.tolist()]
    path.write_text("\n\n".join(lines))
    np.testing.assert_array_equal(read_orders(path), orders)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 1 2\n0 2 2\n", r"line 2: its 3 numbers are not a permutation of 0 to 2 or of 1 to 3"),
        ("0 1 2\n1 0\n", r"line 2: 2 numbers where the first line has 3"),
        ("0 1 x\n", r"line 1: .*'x'.*sample numbers"),
        ("0.5 1 0\n", "not a permutation"),
        ("nan 1 0\n", "not a permutation"),
        ("\n \n", "has no numbers"),
    ],
)
def test_files_without_permutations_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "orders.txt"
    path.write_text(text)
    with pytest.raises(UnreadableFileError, match=reason):
        read_orders(path)
    with pytest.raises(UnreadableFileError, match="There is no file"):
        read_orders(tmp_path / "absent.txt")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableFileError, match="cannot be read as text"):
        read_orders(path)


@pytest.mark.parametrize(
    ("orders", "options", "error", "reason"),
    [
        (ORDERS, {"members": 4}, ConfigError, "orders 3 runs, not 4; request --members 3"),
        (ORDERS, {"stratify": True}, ConfigError, "leave out --stratify"),
        (np.arange(50)[None], {}, UnsuitableDataError, '50 samples per line .*"bivo4" has 60'),
        (np.zeros((N, 1), int), {}, UnsuitableDataError, "lines and columns seem to be swapped"),
    ],
)
def test_files_that_do_not_fit_the_study_are_refused(
    lab: Path,
    written: Callable[[np.ndarray], Path],
    orders: np.ndarray,
    options: dict[str, int],
    error: type[MotifError],
    reason: str,
) -> None:
    with Workspace.open(lab) as workspace, pytest.raises(error, match=reason):
        train_composition(
            workspace, TrainingRequest("bivo4", shuffle_index=written(orders), **options)
        )  # type: ignore[arg-type]


def test_systems_are_spread_evenly_over_stratified_folds() -> None:
    composition = np.zeros((203, 4))
    system = RNG.choice(3, 203, p=[0.7, 0.2, 0.1])
    composition[:, 0] = 0.9
    composition[np.arange(203), 1 + system] = 0.1
    composition[:, 1] += np.where(system != 0, PRESENT / 10, 0)
    fold = stratified_folds(composition, 5, 3)
    assert np.ptp(np.bincount(fold)) <= 1
    for number in range(3):
        assert np.ptp(np.bincount(fold[system == number], minlength=5)) <= 1
    assert (fold != stratified_folds(composition, 5, 4)).any()


def test_a_stratified_study_has_members_of_its_own(lab: Path) -> None:
    with Workspace.open(lab) as workspace:
        train_composition(
            workspace, TrainingRequest("bivo4", members=1, folds=3, recipe=QUICK, seed=9)
        )
        stratified = train_composition(
            workspace,
            TrainingRequest("bivo4", members=1, folds=3, recipe=QUICK, seed=9, stratify=True),
        )
        assert stratified["trained"] == 3
        arrays = load_study(workspace, "bivo4").arrays
        present = arrays["composition"] >= PRESENT
        for system in np.unique(present, axis=0):
            inside = (present == system).all(1)
            assert np.ptp(np.bincount(arrays["fold"][inside], minlength=3)) <= 1
