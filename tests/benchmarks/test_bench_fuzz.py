"""Thousands of damaged files of every format: each is read or refused within time and memory."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from motif.core import plugins
from motif.core.testing.reader_fuzz import MEMORY, SECONDS, campaign, reader_tests

pytestmark = pytest.mark.benchmark

SEEDS = range(1000, 3500)
FILES = sorted((Path(__file__).parents[1] / "ingest" / "readers").glob("test_*.py"))
CAMPAIGNS = [
    (file, name) for file in FILES if "fuzz" not in file.name for name in reader_tests(file)
]


@pytest.mark.parametrize(("file", "name"), CAMPAIGNS, ids=[name for _, name in CAMPAIGNS])
def test_damaged_files(file: Path, name: str, report: Callable[..., None]) -> None:
    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        found = pool.submit(campaign, file, name, SEEDS, SECONDS * crowd).result()
    assert found.read + found.refused == len(SEEDS)
    assert found.memory < MEMORY
    report(
        f"damaged files, {name.removeprefix('Test')}", read=found.read, refused=found.refused,
        slowest_s=round(found.slowest, 3), grown_MiB=round(found.memory / 2**20),
        tasks_a_core=round(crowd, 1),
    )  # fmt: skip


def test_every_installed_reader_is_fuzzed() -> None:
    fuzzed = {reader_tests(file)[name].reader.name for file, name in CAMPAIGNS}
    assert {reader.name for reader in plugins.readers()} <= fuzzed
