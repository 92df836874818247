"""Bare throughput of every reader: the same file over and over, from the page cache."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from motif.core.contracts import Reader
from motif.core.errors import UnreadableFileError
from motif.core.testing.reader_fuzz import reader_tests
from motif.ingest.readers import choose

pytestmark = pytest.mark.benchmark

SECONDS = 1.0
ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("MOTIF_REAL_DATA", ROOT.parent / "shared" / "data"))
FILES = sorted((ROOT / "tests" / "ingest" / "readers").glob("test_*.py"))
TESTS = {
    name: tests
    for file in FILES
    if "fuzz" not in file.name
    for name, tests in reader_tests(file).items()
}


@pytest.mark.parametrize("name", TESTS)
def test_small_files(name: str, tmp_path: Path, report: Callable[..., None]) -> None:
    """What a file costs in addition to its data."""
    tests = TESTS[name]()
    path = tmp_path / f"valid{tests.suffix}"
    tests.write_valid(path)
    figures = throughput(tests.reader, path)
    report(f"bare reader, small file, {name.removeprefix('Test')}", **figures)


def test_real_files(report: Callable[..., None]) -> None:
    """Files of real instruments, by the reader that recognises them."""
    if not DATA.is_dir():
        pytest.skip(f"needs the real files in MOTIF_REAL_DATA ({DATA})")
    readers = list({tests.reader.name: tests.reader for tests in TESTS.values()}.values())
    for path in sorted(path for path in DATA.rglob("*") if path.is_file()):
        try:
            reader = choose(path, readers)
            figures = throughput(reader, path)
        except UnreadableFileError:
            continue
        report(f"bare reader, {reader.name}, {path.name[:32]}", **figures)


def throughput(reader: Reader, path: Path) -> dict[str, object]:
    """Files and megabytes per second."""
    count = len(reader(path).measurements)
    done, started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - started) < SECONDS:
        reader(path)
        done += 1
    size = path.stat().st_size
    return {
        "files_per_s": round(done / seconds, 1),
        "MB_per_s": round(done * size / seconds / 1e6, 1),
        "measurements": count,
        "bytes": size,
    }
