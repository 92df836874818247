"""Files of every format are read under a wrong suffix, with a warning."""

from pathlib import Path

import pytest

from motif.core.testing.reader_fuzz import reader_tests
from motif.ingest.readers import choose

FILES = sorted(
    p
    for p in Path(__file__).parent.glob("test_*.py")
    if p.stem not in ("test_wrong_suffix", "test_fuzz_readers")
)
TESTS = {name: tests for file in FILES for name, tests in reader_tests(file).items()}


@pytest.mark.parametrize("name", TESTS)
def test_a_wrong_suffix_gives_a_warning_and_a_right_one_does_not(name: str, tmp_path: Path) -> None:
    tests = TESTS[name]()
    right = tmp_path / f"valid{tests.suffix}"
    tests.write_valid(right)
    wrong = right.with_suffix(".wdf" if tests.suffix != ".wdf" else ".ibw")
    right.replace(wrong)
    reader = choose(wrong)
    assert reader.name == tests.reader.name
    assert [warning for warning in reader(wrong).warnings if "in spite of its suffix" in warning]
    wrong.replace(right)
    assert not [
        warning for warning in choose(right)(right).warnings if "in spite of its suffix" in warning
    ]
