"""Search while ingest adds: committed measurements are found, and nothing is wrong or missing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motif.analysis.search.image_space import space_of
from motif.analysis.search.search_request import SearchRequest
from motif.analysis.search.similarity_search import search
from motif.core.records import Measurement
from motif.core.testing.fill_workspace import fill, spectrum
from motif.core.workspace import Workspace

AXIS = np.linspace(100.0, 1100.0, 120)
FIRST, BATCH, BATCHES = 40, 10, 8


def samples(start: int, count: int) -> list[Measurement]:
    return [
        spectrum(np.exp(-(((AXIS - 300 - 4 * n) / 60) ** 2)), AXIS, f"s{n}", {}, {})
        for n in range(start, start + count)
    ]


def add(workspace: Workspace, start: int, count: int) -> None:
    fill(workspace, "lib", {f"r{start}": samples(start, count)})


def checked(workspace: Workspace, least: int) -> int:
    """Search, compare with brute force, and return how many there are to find."""
    workspace.refresh()
    first = min(row.id for row in workspace.select("lib"))
    hits = search(workspace, SearchRequest("lib", ids=[first], k=10_000, include_query=True))
    ids = [hit.id for hit in hits]
    assert len(set(ids)) == len(ids) >= least
    keys = {row.key for row in workspace.select(ids=ids)}
    assert {f"s{n}" for n in range(least)} <= keys
    # Others may fit the basis again after this search; a hit names the one it was found in.
    space = space_of(workspace, "lib", method=hits[0].method)
    query = space.vectors[space.row(first)].astype(float)
    for hit in hits[:: max(1, len(hits) // 20)]:
        row = space.row(hit.id)
        assert row is not None
        distances = float(np.linalg.norm(space.vectors[row] - query))
        assert abs(distances - hit.distance) < 1e-6 * max(1.0, distances)
    assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)
    return len(hits)


WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from test_search_concurrent import BATCH, BATCHES, FIRST, add
from motif.core.workspace import Workspace
with Workspace.open(sys.argv[1]) as workspace:
    for number in range(BATCHES):
        add(workspace, FIRST + number * BATCH, BATCH)
        print(FIRST + (number + 1) * BATCH, flush=True)
"""
READER = """
import sys
sys.path.insert(0, sys.argv[2])
from test_search_concurrent import BATCH, BATCHES, FIRST, checked
from motif.core.workspace import Workspace
with Workspace.open(sys.argv[1]) as workspace:
    seen = FIRST
    while seen < FIRST + BATCH * BATCHES:
        found = checked(workspace, seen)
        assert found >= seen
        seen = found
print(seen)
"""


def start(script: str, arguments: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_searches_in_two_processes_see_what_a_third_commits(workspace: Workspace) -> None:
    add(workspace, 0, FIRST)
    arguments = [str(workspace.root), str(Path(__file__).parent)]
    writer, reader = start(WRITER, arguments), start(READER, arguments)
    try:
        assert writer.stdout is not None
        for line in writer.stdout:
            checked(workspace, int(line))
        _, complaint = writer.communicate(timeout=60)
        assert writer.returncode == 0, complaint
        stated, complaint = reader.communicate(timeout=60)
        assert reader.returncode == 0, complaint
    finally:
        for each in (writer, reader):
            each.kill()
            each.wait()
    assert int(stated) == checked(workspace, FIRST + BATCH * BATCHES) == FIRST + BATCH * BATCHES


def test_a_distance_can_be_checked_when_the_basis_was_recomputed_since(
    workspace: Workspace,
) -> None:
    add(workspace, 0, FIRST)
    first = min(row.id for row in workspace.select("lib"))
    hit = search(workspace, SearchRequest("lib", ids=[first], k=1))[0]
    add(workspace, FIRST, BATCH * BATCHES)
    assert space_of(workspace, "lib").method != hit.method
    space = space_of(workspace, "lib", method=hit.method)
    distances = space.vectors[space.row(first)] - space.vectors[space.row(hit.id)]
    assert abs(np.linalg.norm(distances.astype(float)) - hit.distance) < 1e-6
