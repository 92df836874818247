"""Bytes of vectors outlive the process that made them, and count only where they fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from motif.analysis.search import nearest_index as index_module
from motif.analysis.search.byte_codes import ByteCodeFile, ByteCodes
from motif.analysis.search.nearest_index import NearestIndex

N, D = 4000, 40
RNG = np.random.default_rng(0)
VECTORS = (RNG.normal(size=(20, D))[RNG.integers(20, size=N)] + RNG.normal(size=(N, D))).astype(
    np.float32
)
IDS = np.array([f"{n:032x}".encode() for n in range(N)], "S32")
SCALES = np.linspace(0.5, 2, D).astype(np.float32)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often bytes are made; a thousand components are worth keeping here."""
    count: list[int] = []

    class Counted(ByteCodes):
        def __init__(self, *parts: np.ndarray) -> None:
            count.append(1)
            super().__init__(*parts)

    monkeypatch.setattr(index_module, "ByteCodes", Counted)
    monkeypatch.setattr(index_module, "WORTH", 1000)
    return count


@pytest.mark.parametrize("scales", [None, SCALES])
def test_bytes_are_read_back_and_answer_alike(
    tmp_path: Path, made: list[int], scales: np.ndarray | None
) -> None:
    rows = np.flatnonzero(RNG.random(N) < 0.4)
    answers = []
    for _ in range(2):
        index = NearestIndex(VECTORS, scales, ByteCodeFile(tmp_path / "codes" / "a.npz", IDS))
        answers.append(index.nearest(VECTORS[7], 30, rows, "quantised"))
    exact = NearestIndex(VECTORS, scales).nearest(VECTORS[7], 30, rows, "exact")
    assert len(made) == 1
    for found in answers:
        np.testing.assert_array_equal(found[0], exact[0])
        np.testing.assert_allclose(found[1], exact[1])
    assert [one.name for one in (tmp_path / "codes").iterdir()] == ["a.npz"]


def test_rows_that_came_later_are_found(tmp_path: Path, made: list[int]) -> None:
    first = N - 100
    file = ByteCodeFile(tmp_path / "a.npz", IDS[:first])
    NearestIndex(VECTORS[:first], None, file).nearest(VECTORS[0], 3, None, "quantised")
    index = NearestIndex(VECTORS, None, ByteCodeFile(tmp_path / "a.npz", IDS))
    found, _ = index.nearest(VECTORS[N - 1], 20, None, "quantised")
    np.testing.assert_array_equal(
        found, NearestIndex(VECTORS).nearest(VECTORS[N - 1], 20, None, "exact")[0]
    )
    assert len(made) == 1


@pytest.mark.parametrize("harm", ["others", "many more", "torn", "no file", "junk"])
def test_what_does_not_fit_is_recomputed(tmp_path: Path, made: list[int], harm: str) -> None:
    path = tmp_path / "a.npz"
    first = N // 2 if harm == "many more" else N
    NearestIndex(VECTORS[:first], None, ByteCodeFile(path, IDS[:first])).nearest(
        VECTORS[0], 3, None, "quantised"
    )
    ids = IDS[::-1].copy() if harm == "others" else IDS
    if harm == "torn":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif harm == "no file":
        path.unlink()
    elif harm == "junk":
        np.savez(path, numbers=np.zeros(5), index=np.arange(9, dtype=np.uint8))
    index = NearestIndex(VECTORS, None, ByteCodeFile(path, ids))
    found, _ = index.nearest(VECTORS[5], 10, None, "quantised")
    assert len(made) == 2
    np.testing.assert_array_equal(
        found, NearestIndex(VECTORS).nearest(VECTORS[5], 10, None, "exact")[0]
    )
    again = NearestIndex(VECTORS, None, ByteCodeFile(path, ids))
    again.nearest(VECTORS[5], 10, None, "quantised")
    assert len(made) == 2
