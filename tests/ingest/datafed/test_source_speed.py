"""How long it takes to find that nothing has changed, and to bring new records.

The yardstick is measured in the same run: one page of a listing over the bare client.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from motif.core.testing.sources import Memory
from motif.ingest.datafed.drafting import Draft
from motif.ingest.datafed.transfer import upload

if TYPE_CHECKING:
    from conftest import DataFedLab  # type: ignore[import-not-found]

pytestmark = pytest.mark.benchmark


def seconds(work: Callable[[], object], times: int = 3) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def fill(lab: DataFedLab, count: int) -> None:
    metadata = {"material": "PbTiO3", "scan": {"size": 2e-6, "rate": 1.0}, "channels": ["a"] * 6}
    for start in range(0, count, 9000):
        part = min(9000, count - start)
        collection = lab.client.ensure_collection([f"part {start}"], lab.collection)
        drafts = [Draft(f"scan {start + i}", {**metadata, "n": i}) for i in range(part)]
        lab.client.create_records(drafts, collection)


@pytest.mark.parametrize(("count", "target"), [(1_000, 0.3), (25_133, 8.0)])
def test_unchanged_records(
    lab: DataFedLab, count: int, target: float, record_property: Callable[[str, object], None]
) -> None:
    fill(lab, count)
    memory = Memory(lab.source())
    assert memory.sync()[0].seen == count
    page = seconds(lambda: lab.client.session.api.collectionItemsList("root", count=1000))

    def confirm() -> None:
        changes, assets = memory.look()
        assert (changes.seen, assets, changes.deleted) == (count, [], [])

    taken = seconds(confirm)
    record_property("seconds", taken)
    record_property("round trip", page)
    assert taken <= target


def test_new_records(
    lab: DataFedLab, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    made = lab.client.create_records([Draft(f"{i}") for i in range(1000)], lab.collection)
    pairs = []
    for i, record in enumerate(made):
        path = lab.folder / f"{i}.bin"
        path.write_bytes(i.to_bytes(4, "big") * 16_384)
        pairs.append((record["id"], path))
    assert all(failure is None for _, _, failure in upload(lab.client, pairs))
    memory = Memory(lab.source())
    start = time.perf_counter()
    assets = memory.sync()[1]
    arrived = list(memory.source.fetch(assets, tmp_path / "in"))
    taken = time.perf_counter() - start
    record_property("seconds", taken)
    assert sum(isinstance(path, Path) for _, path in arrived) == 1000
    assert taken <= 3.0
