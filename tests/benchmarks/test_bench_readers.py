"""Bare throughput of every reader: the same valid file over and over, from the page cache."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from motif.core.testing.fuzz import reader_tests

pytestmark = pytest.mark.benchmark

FILES = sorted((Path(__file__).parents[1] / "ingest" / "readers").glob("test_*.py"))
READERS = [(file, name) for file in FILES if "fuzz" not in file.name for name in reader_tests(file)]
SECONDS = 1.0


@pytest.mark.parametrize(("file", "name"), READERS, ids=[name for _, name in READERS])
def test_small_files(file: Path, name: str, tmp_path: Path, report: Callable[..., None]) -> None:
    """What a file costs besides its data."""
    tests = reader_tests(file)[name]()
    path = tmp_path / f"valid{tests.suffix}"
    tests.write_valid(path)
    per_second, count = rate(tests.reader, path)
    report(
        f"bare reader, small file, {name.removeprefix('Test')}",
        files_per_s=round(per_second), measurements=count, bytes=path.stat().st_size,
    )  # fmt: skip


def rate(reader: Callable[[Path], object], path: Path) -> tuple[float, int]:
    """Files a second, and measurements in one."""
    count = len(reader(path).measurements)  # type: ignore[attr-defined]
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        reader(path)
        done += 1
    return done / (time.perf_counter() - started), count
