"""A wrong suffix is read rightly and noted, whatever the format."""

from pathlib import Path

import pytest

from motif.core.testing.fuzz import reader_tests
from motif.ingest.readers import choose

FILES = sorted(
    p
    for p in Path(__file__).parent.glob("test_*.py")
    if p.stem not in ("test_wrong_suffix", "test_fuzz_readers")
)
TESTS = {name: tests for file in FILES for name, tests in reader_tests(file).items()}


@pytest.mark.parametrize("name", TESTS)
def test_a_wrong_suffix_is_noted_and_a_right_one_is_not(name: str, tmp_path: Path) -> None:
    tests = TESTS[name]()
    right = tmp_path / f"valid{tests.suffix}"
    tests.write_valid(right)
    wrong = right.with_suffix(".wdf" if tests.suffix != ".wdf" else ".ibw")
    right.replace(wrong)
    reader = choose(wrong)
    assert reader.name == tests.reader.name
    assert [note for note in reader(wrong).notes if "whatever its suffix says" in note]
    wrong.replace(right)
    assert not [note for note in choose(right)(right).notes if "whatever its" in note]
