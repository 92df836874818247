"""Damaged files of every format: read or refused, quickly. The long run is a benchmark."""

from pathlib import Path

import pytest

from motif.core.testing.reader_fuzz import mutate, reader_tests, tally
from motif.core.testing.reader_tests import ReaderTests

SEEDS = range(100)
PATIENCE = 20.0
"""Seconds a file may take here, where the machine may be busy; the benchmark is strict."""
TESTS = {
    f"{file.stem}-{name}": tests
    for file in sorted(Path(__file__).parent.glob("test_*.py"))
    if file != Path(__file__)
    for name, tests in reader_tests(file).items()
}


@pytest.mark.parametrize("name", TESTS)
def test_damaged_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    tests: ReaderTests = TESTS[name]()
    path = tmp_path / f"valid{tests.suffix}"
    tests.write_valid(path)
    tests.reader(path)
    found = tally(tests.reader, path.read_bytes(), tmp_path, SEEDS, tests.suffix, PATIENCE)
    assert found.read + found.refused == len(SEEDS)
    assert found.refused, "no damage was noticed"


def test_damage_is_the_same_for_the_same_seed() -> None:
    raw = bytes(range(256)) * 10 + b"Points: 256\r\n" * 20
    assert [mutate(raw, seed) for seed in range(50)] == [mutate(raw, seed) for seed in range(50)]
    assert len({mutate(raw, seed) for seed in range(200)}) > 150


def test_a_tiny_file_can_be_damaged() -> None:
    for raw in (b"", b"x", b"12"):
        for seed in range(200):
            mutate(raw, seed)
