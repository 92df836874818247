"""Folds and orders: those of the authors' file, those spread over systems, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.analysis.composition import baselines
from motif.analysis.composition.partition import (
    PRESENT,
    make_partition,
    read_orders,
    stratified_fold_of,
)
from motif.analysis.composition.preparation import prepare
from motif.analysis.composition.recipes import FAST
from motif.analysis.composition.samples import Member
from motif.analysis.composition.study import load_study, train_composition
from motif.core.errors import ConfigError, MotifError, UnreadableFileError, UnsuitableDataError
from motif.core.workspace import Workspace
from motif.ingest.simulate.library import simulate_library
from motif.ingest.sync import sync

QUICK = replace(FAST, spectrum_epochs=1, composition_epochs=2, joined_epochs=1, batch=16)
N, RUNS = 60, 3
RNG = np.random.default_rng(8)
ORDERS = np.stack([RNG.permutation(N) for _ in range(RUNS)])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that took in a table of the published form in which one P is missing."""
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


def test_runs_see_the_published_table_in_the_order_of_the_file(
    lab: Path, written: Callable[[np.ndarray], Path]
) -> None:
    with Workspace.open(lab) as workspace:
        prepared = prepare(workspace.library("bivo4"))
        assert len(prepared.ids) == N - 1
        partition = make_partition(
            workspace, prepared, folds=5, seed=4, members=RUNS, shuffle_index=written(ORDERS)
        )
    names = [str(name) for name in simulate_library(N, 5).samples]
    for run in range(RUNS):
        seen = [prepared.names[i] for i in partition.rows(Member(4 + run))]
        assert seen == [names[i] for i in ORDERS[run] if i != 11]
    held = [np.setdiff1d(np.arange(N - 1), partition.rows(Member(4, f))) for f in range(5)]
    kept = [names[i] for i in ORDERS[0] if i != 11]
    assert {prepared.names[i] for i in held[0]} == set(kept[:12])
    assert sorted(np.concatenate(held).tolist()) == list(range(N - 1))


def test_the_file_decides_members_and_baselines_are_scored_on_its_folds(
    lab: Path, written: Callable[[np.ndarray], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ridge = {"kernel ridge": baselines.BASELINES["kernel ridge"]}
    monkeypatch.setattr(baselines, "BASELINES", ridge)
    options = {"members": 2, "folds": 3, "recipe": QUICK}
    with Workspace.open(lab) as workspace:
        plain = train_composition(workspace, "bivo4", **options)
        path = written(ORDERS)
        ordered = train_composition(workspace, "bivo4", shuffle_index=path, **options)
        assert (plain["trained"], ordered["trained"]) == (5, 5)
        again = train_composition(workspace, "bivo4", shuffle_index=path, **options)
        assert (again["trained"], again["derivation"]) == (0, ordered["derivation"])
        other = written(ORDERS[[0, 2]])
        swapped = train_composition(workspace, "bivo4", shuffle_index=other, **options)
        assert swapped["trained"] == 1
        fold = load_study(workspace, "bivo4").arrays["fold"]
        assert np.bincount(fold).tolist() == [20, 20, 19]
        scores = baselines.score_baselines(workspace, "bivo4", folds=3, shuffle_index=other)
        assert scores != baselines.score_baselines(workspace, "bivo4", folds=3)


@given(st.integers(2, 30), st.integers(1, 4), st.sampled_from(" \t,;"), st.booleans())
@settings(max_examples=20, deadline=None)
def test_permutations_are_read_whatever_parts_the_numbers(
    tmp_path_factory: pytest.TempPathFactory, n: int, runs: int, between: str, from_one: bool
) -> None:
    rng = np.random.default_rng(n)
    orders = np.stack([rng.permutation(n) for _ in range(runs)])
    path = tmp_path_factory.mktemp("orders") / "orders.txt"
    lines = [between.join(str(i + from_one) for i in line) for line in orders.tolist()]
    path.write_text("\n\n".join(lines))
    np.testing.assert_array_equal(read_orders(path), orders)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 1 2\n0 2 2\n", r"line 2: its 3 numbers are no permutation of 0 to 2 or of 1 to 3"),
        ("0 1 2\n1 0\n", r"line 2: 2 numbers where the first line has 3"),
        ("0 1 x\n", r"line 1: .*'x'.*sample numbers"),
        ("0.5 1 0\n", "no permutation"),
        ("nan 1 0\n", "no permutation"),
        ("\n \n", "holds no numbers"),
    ],
)
def test_files_that_hold_no_permutations_are_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
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
        (ORDERS, {"members": 4}, ConfigError, "orders 3 runs, not 4; ask for --members 3"),
        (ORDERS, {"stratify": True}, ConfigError, "leave out --stratify"),
        (np.arange(50)[None], {}, UnsuitableDataError, '50 samples a line .*"bivo4" has 60'),
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
        train_composition(workspace, "bivo4", shuffle_index=written(orders), **options)  # type: ignore[arg-type]


def test_systems_are_spread_evenly_over_stratified_folds() -> None:
    composition = np.zeros((203, 4))
    system = RNG.choice(3, 203, p=[0.7, 0.2, 0.1])
    composition[:, 0] = 0.9
    composition[np.arange(203), 1 + system] = 0.1
    composition[:, 1] += np.where(system != 0, PRESENT / 10, 0)
    fold = stratified_fold_of(composition, 5, 3)
    assert np.ptp(np.bincount(fold)) <= 1
    for one in range(3):
        assert np.ptp(np.bincount(fold[system == one], minlength=5)) <= 1
    assert (fold != stratified_fold_of(composition, 5, 4)).any()


def test_a_stratified_study_has_members_of_its_own(lab: Path) -> None:
    with Workspace.open(lab) as workspace:
        train_composition(workspace, "bivo4", members=1, folds=3, recipe=QUICK, seed=9)
        told = train_composition(
            workspace, "bivo4", members=1, folds=3, recipe=QUICK, seed=9, stratify=True
        )
        assert told["trained"] == 3
        arrays = load_study(workspace, "bivo4").arrays
        present = arrays["composition"] >= PRESENT
        for system in np.unique(present, axis=0):
            inside = (present == system).all(1)
            assert np.ptp(np.bincount(arrays["fold"][inside], minlength=3)) <= 1
