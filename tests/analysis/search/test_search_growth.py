"""Indices and feature rows grow: nothing is read twice, and a killed process leaves no trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from motif.analysis.search import byte_codes
from motif.analysis.search.byte_codes import ByteCodeFile, ByteCodes
from motif.analysis.search.candidates import as_ids
from motif.analysis.search.feature_cache import FeatureCache, State
from motif.analysis.search.image_space import space_of
from motif.analysis.search.nearest_index import NearestIndex
from motif.analysis.search.search_request import SearchRequest
from motif.analysis.search.similarity_search import search
from motif.analysis.search.spectral_space import STAGE
from motif.core.catalog.database import MeasurementRow
from motif.core.testing.fill_workspace import fill, spectrum
from motif.core.workspace import Workspace

DIMENSION = 24


def clustered(n: int, d: int, seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    centres = 3 * rng.standard_normal((6, d))
    spread = np.linspace(1.0, 0.05, d)
    return (centres[rng.integers(0, 6, n)] + spread * rng.standard_normal((n, d))).astype("f4")


@settings(max_examples=60, deadline=None)
@given(
    first=st.integers(1, 400),
    more=st.lists(st.integers(0, 60), max_size=3),
    d=st.integers(1, 40),
    weighted=st.booleans(),
    share=st.sampled_from([None, 0.05, 0.5]),
    seed=st.integers(0, 99),
)
def test_an_extended_weighted_index_is_brute_force(
    first: int, more: list[int], d: int, weighted: bool, share: float | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    n = first + sum(more)
    vectors = clustered(n, d, seed)
    scales = rng.choice([0.0, 0.5, 2.0], d).astype("f4") if weighted else np.ones(d, "f4")
    index = NearestIndex(vectors[:first], scales)
    query = vectors[0] + 0.1 * rng.standard_normal(d).astype("f4")
    index.nearest(query, 3, route="quantised")
    for size in np.cumsum([first, *more]):
        index = index.extended(vectors[:size])
    rows = None if share is None else np.flatnonzero(rng.random(n) < share)
    every = np.arange(n) if rows is None else rows
    distances = np.linalg.norm((vectors[every].astype(float) - query) * scales, axis=1)
    expected = every[np.argsort(distances, kind="stable")[:10]]
    for route in ("quantised", "exact", None):
        found, distances = index.nearest(query, 10, rows, route)  # type: ignore[arg-type]
        np.testing.assert_allclose(distances, np.sort(distances)[:10], rtol=1e-9, atol=1e-12)
        if not weighted:
            np.testing.assert_array_equal(found, expected)


def test_cells_far_from_the_question_are_passed_over() -> None:
    vectors = clustered(20_000, 32, 0)
    made = ByteCodes(vectors)
    asked = made.question(vectors[5], None)
    near = np.linalg.norm(vectors.astype(float) - vectors[5], axis=1)
    radius = float(np.sort(near)[50])
    found = asked.within(radius)
    assert np.isin(np.flatnonzero(near <= radius), np.union1d(found, made.aside)).all()
    assert len(found) < len(vectors) / 10
    scanned = made._sizes[asked._reach <= radius].sum()
    assert scanned < len(vectors) / 2


def test_an_index_of_a_collection_is_extended_by_what_comes(
    workspace: Workspace, library: list[MeasurementRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = library[0]
    search(workspace, SearchRequest("lib", ids=[asked.id]))
    lengths: list[tuple[int, int]] = []
    grown = NearestIndex.extended

    def extended(
        self: NearestIndex, vectors: NDArray[np.float32], file: ByteCodeFile
    ) -> NearestIndex:
        lengths.append((len(self), len(vectors)))
        return grown(self, vectors, file)

    monkeypatch.setattr(NearestIndex, "extended", extended)
    monkeypatch.setattr(NearestIndex, "__init__", None)
    data = workspace.read(asked.id)
    twin = spectrum(data.values * 2, data.raman_shift.values, "s99", asked.composition, {})
    fill(workspace, "lib", {"late": [twin]})
    hits = search(workspace, SearchRequest("lib", ids=[asked.id], k=1))
    assert workspace.measurement(hits[0].id).key == "s99"
    assert lengths == [(60, 61)]


def test_a_basis_of_spectra_stays_until_most_are_new(
    workspace: Workspace, library: list[MeasurementRow]
) -> None:
    before = space_of(workspace, "lib")
    data = workspace.read(library[0].id)
    axis = data.raman_shift.values

    def add(name: str, count: int) -> None:
        made = [
            spectrum(np.exp(-(((axis - 450 - 7 * n) / 20) ** 2)), axis, f"{name}{n}", {}, {})
            for n in range(count)
        ]
        fill(workspace, "lib", {name: made})

    add("few", 10)
    after = space_of(workspace, "lib")
    assert after.method == before.method
    np.testing.assert_array_equal(after.ids[:60], before.ids)
    np.testing.assert_array_equal(after.vectors[:60], before.vectors)
    assert len(after.ids) == 70
    add("many", 50)
    assert space_of(workspace, "lib").method != before.method
    assert space_of(workspace, "lib", method=before.method).method == before.method
    assert len(workspace.ledger.all(STAGE, "lib")) == 2


def block(source: str) -> tuple[NDArray[np.bytes_], NDArray[np.float32]]:
    """Forty rows that tell their source, and one that is not finite."""
    number = int(source, 16)
    ids = as_ids([f"{number * 100 + n:032x}" for n in range(41)])
    vectors = np.full((41, DIMENSION), number, np.float32) + np.arange(41)[:, None] / 100
    vectors[40] = np.nan
    return ids, vectors.astype(np.float32)


def load(sources: Sequence[str]) -> Iterable[tuple[NDArray[np.bytes_], NDArray[np.float32]]]:
    return [block(one) for one in sources]


def named(count: int) -> list[str]:
    return [f"{n:032x}" for n in range(1, count + 1)]


def check(folder: Path, count: int) -> None:
    ids, vectors = FeatureCache(folder).rows(named(count), load, DIMENSION)
    expected = [block(one) for one in named(count)]
    np.testing.assert_array_equal(ids, np.concatenate([one[0][:40] for one in expected]))
    np.testing.assert_array_equal(vectors, np.concatenate([one[1][:40] for one in expected]))


def test_only_what_is_new_is_loaded(tmp_path: Path) -> None:
    asked: list[str] = []

    def stated(sources: Sequence[str]) -> Iterable[tuple[NDArray[np.bytes_], NDArray[np.float32]]]:
        asked.extend(sources)
        return load(sources)

    for count in (3, 5, 5, 2):
        ids, vectors = FeatureCache(tmp_path).rows(named(count), stated, DIMENSION)
        assert len(ids) == len(vectors) == 40 * count
    assert asked == named(5)
    other = [*named(2), f"{9:032x}"]
    ids, _ = FeatureCache(tmp_path).rows(other, stated, DIMENSION)
    assert len(ids) == 120
    assert asked[5:] == other
    assert {path.stem for path in tmp_path.glob("*.bin")} == {"ids-2", "vectors-2", "sources-2"}


def test_rows_of_no_order_keep_theirs(tmp_path: Path) -> None:
    first = FeatureCache(tmp_path).rows(named(3), load, DIMENSION, ordered=False)[0]
    later = FeatureCache(tmp_path).rows(named(5)[::-1], load, DIMENSION, ordered=False)[0]
    np.testing.assert_array_equal(later[: len(first)], first)
    assert len(later) == 200


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_search_growth import DIMENSION, load, named
from motif.analysis.search import feature_cache
feature_cache.BATCH = 2
count = 0
while True:
    count += 6
    feature_cache.FeatureCache(Path(sys.argv[1])).rows(named(count), load, DIMENSION)
    print(count, flush=True)
"""


def test_a_killed_writer_leaves_the_cache_right(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    for attempt in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), here], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.02 + 0.05 * attempt)
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        check(tmp_path, 6)
        check(tmp_path, 30 + attempt)


def test_who_looks_while_another_restarts_looks_again(tmp_path: Path) -> None:
    FeatureCache(tmp_path).rows(named(5), load, DIMENSION)

    class Slow(FeatureCache):
        """Another process begins a new generation right after this one read the state."""

        def _state(self) -> State:
            state = super()._state()
            if state.generation == 1:
                FeatureCache(tmp_path).rows(named(4)[::-1], load, DIMENSION)
            return state

    ids, _ = Slow(tmp_path).rows(named(5), load, DIMENSION)
    assert ids.tolist() == FeatureCache(tmp_path).rows(named(5), load, DIMENSION)[0].tolist()


def test_bytes_half_written_are_written_over(tmp_path: Path) -> None:
    check(tmp_path, 2)
    for name in ("ids-1", "vectors-1", "sources-1"):
        with (tmp_path / f"{name}.bin").open("ab") as stream:
            stream.write(b"\xff" * 1234)
    check(tmp_path, 4)


def test_the_number_of_axes_follows_the_data() -> None:
    flat = np.random.default_rng(0).standard_normal((3000, 64)).astype("f4")
    low = flat[:, :4] @ np.random.default_rng(1).standard_normal((4, 64)).astype("f4")
    assert ByteCodes(low).size == byte_codes.LANES
    assert ByteCodes(flat).size > 2 * byte_codes.LANES
