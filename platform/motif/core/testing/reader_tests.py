"""Conformance tests of a `motif.core.contracts.Reader`: subclass `ReaderTests`.

class TestMyReader(ReaderTests):
    reader = MyReader()
    suffix = ".my"

    def write_valid(self, path: Path) -> None: ...
"""

from __future__ import annotations

import hashlib
import math
import re
import tempfile
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motif.core.errors import UnreadableFileError
from motif.core.reading_contract import reading_faults
from motif.core.records import Facet, Measurement, Reading

if TYPE_CHECKING:
    from motif.core.contracts import Reader

T = TypeVar("T")
HEAD = 4096
JUNK = (
    b"",
    b"\n",
    b"\0" * HEAD,
    b"\xff" * HEAD,
    b"\x89PNG\r\n\x1a\n" + b"\0" * 64,
    b"\x89HDF\r\n\x1a\n" + b"\0" * 64,
    b"PK\x03\x04" + b"\0" * 64,
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    b"The quick brown fox jumps over the lazy dog.\n" * 40,
    b"1.0, 2.0\n2.0, 3.0\n",
)
"""Beginnings of files that belong to no instrument."""


class ReaderTests:
    """What Motif relies on of every reader; `reader` and `write_valid` are the subclass's."""

    reader: ClassVar[Reader]
    suffix: ClassVar[str] = ""
    examples: ClassVar[int] = 60
    """Damaged files tried for each kind of damage."""
    expected: ClassVar[Mapping[str, Any] | None] = None
    """Key of a measurement -> its values, as `write_valid` wrote them; None to skip the check.

    Rows of an image go from the first value of its axis ``y`` to the last."""
    y_increases: ClassVar[bool | None] = None
    """Whether the ``y`` axis of images increases along the rows; None to skip the check."""

    @abstractmethod
    def write_valid(self, path: Path) -> None:
        """Write a small valid file of the format."""

    @pytest.fixture
    def valid(self, tmp_path: Path) -> Path:
        path = tmp_path / f"valid{self.suffix}"
        self.write_valid(path)
        return path

    def test_has_a_name_and_a_version(self) -> None:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.reader.name)
        assert self.reader.version >= 1

    def test_recognises_its_own_files_whatever_their_name(self, valid: Path) -> None:
        head = valid.read_bytes()[:HEAD]
        assert self.reader.recognises(head, valid.name)
        assert self.reader.recognises(head, "renamed.bin")

    @pytest.mark.parametrize("junk", JUNK)
    def test_does_not_claim_what_is_not_its_own(self, junk: bytes) -> None:
        assert not self.reader.recognises(junk, "file.bin")

    def test_recognising_never_fails(self) -> None:
        @settings(max_examples=self.examples, deadline=None)
        @given(st.binary(max_size=512), st.text(max_size=20))
        def check(head: bytes, name: str) -> None:
            assert self.reader.recognises(head, name + self.suffix) in (True, False)

        check()

    def test_reads_measurements_of_the_contract(self, valid: Path) -> None:
        reading = self.reader(valid)
        assert reading.measurements
        assert list(reading_faults(reading)) == []
        for measurement in reading.measurements:
            check_measurement(measurement)

    def test_reads_the_expected_values(self, valid: Path) -> None:
        if self.expected is None:
            pytest.skip("set `expected` to check the values of the valid file")
        arrays = {each.key: each.data.values for each in self.reader(valid).measurements}
        for key, values in self.expected.items():
            np.testing.assert_allclose(arrays[key], values, rtol=1e-6, err_msg=key)

    def test_images_have_the_expected_orientation(self, valid: Path) -> None:
        if self.y_increases is None:
            pytest.skip("set `y_increases` to check the orientation of images")
        for measurement in self.reader(valid).measurements:
            if measurement.kind == "image" and measurement.data.sizes["y"] > 1:
                steps = np.diff(measurement.data["y"].values)
                assert ((steps > 0) == self.y_increases).all()

    def test_keeps_the_header_as_text(self, valid: Path) -> None:
        reading = self.reader(valid)
        for key, value in reading.header:
            assert isinstance(key, str)
            assert isinstance(value, str)
        assert all(isinstance(warning, str) and warning for warning in reading.warnings)

    def test_facets_have_types_units_and_origins(self, valid: Path) -> None:
        for measurement in self.reader(valid).measurements:
            names = [facet.name for facet in measurement.facets]
            assert len(set(names)) == len(names), "a facet has one value"
            for facet in measurement.facets:
                check_facet(facet)

    def test_leaves_the_file_alone(self, valid: Path) -> None:
        before = valid.read_bytes(), valid.stat().st_mtime_ns
        self.reader(valid)
        assert (valid.read_bytes(), valid.stat().st_mtime_ns) == before
        assert [entry.name for entry in valid.parent.iterdir()] == [valid.name]

    def test_reads_the_same_twice(self, valid: Path) -> None:
        assert fingerprint(self.reader(valid)) == fingerprint(self.reader(valid))

    def test_truncated_files_are_read_or_refused(self, valid: Path) -> None:
        raw = valid.read_bytes()
        self._damage(st.integers(0, len(raw) - 1), lambda cut: raw[:cut])

    def test_flipped_bytes_are_read_or_refused(self, valid: Path) -> None:
        raw = valid.read_bytes()
        early = st.integers(0, min(len(raw), 2048) - 1)
        offsets = st.lists(early | st.integers(0, len(raw) - 1), min_size=1, max_size=4)

        def flip(damage: tuple[list[int], int]) -> bytes:
            changed = bytearray(raw)
            for offset in damage[0]:
                changed[offset] ^= damage[1]
            return bytes(changed)

        self._damage(st.tuples(offsets, st.integers(1, 255)), flip)

    def test_foreign_bytes_are_read_or_refused(self) -> None:
        self._damage(st.binary(max_size=2048) | st.sampled_from(JUNK), lambda raw: raw)

    def _damage(self, choices: st.SearchStrategy[T], damage: Callable[[T], bytes]) -> None:
        """Read damaged files: each gives measurements of the contract or `UnreadableFileError`."""

        @settings(max_examples=self.examples, deadline=None)
        @given(choices)
        def check(choice: T) -> None:
            with _file(damage(choice), self.suffix) as path, suppress(UnreadableFileError):
                for measurement in self.reader(path).measurements:
                    check_measurement(measurement)

        check()


def check_measurement(measurement: Measurement) -> None:
    """Assert the dimensions, coordinates, units and numbers that `Measurement` documents."""
    data = measurement.data
    assert measurement.key
    assert measurement.title
    assert data.dtype in (np.float32, np.float64)
    assert data.size
    if measurement.kind == "image":
        assert data.dims == ("channel", "y", "x")
        assert {"channel", "unit", "y", "x"} <= set(data.coords)
        channels = [str(name) for name in data["channel"].values]
        assert all(channels)
        assert len(set(channels)) == len(channels)
        assert data["unit"].dims == ("channel",)
        axes = ["y", "x"]
    else:
        assert measurement.kind == "spectrum"
        assert len(data.dims) == 1
        assert isinstance(data.attrs["units"], str)
        axes = [str(data.dims[0])]
    for axis in axes:
        assert data[axis].attrs["units"], f"{axis} needs a unit"
        assert np.isfinite(data[axis].values).all()
    for element, fraction in measurement.composition.items():
        assert re.fullmatch(r"[A-Z][a-z]?", element)
        assert -0.01 <= fraction <= 1.2
    for name, (value, unit) in measurement.targets.items():
        assert name
        assert isinstance(value, float)
        assert isinstance(unit, str)


def check_facet(facet: Facet) -> None:
    """Assert that a facet is filterable: a plain value, a unit for numbers only, an origin."""
    assert re.fullmatch(r"[a-z][a-z0-9_]*", facet.name)
    assert re.match(r"(header|record|file|wave):", facet.origin), facet.origin
    assert isinstance(facet.unit, str)
    if isinstance(facet.value, bool | str):
        assert facet.unit == "", "only numbers have units"
        assert facet.value != ""
    else:
        assert isinstance(facet.value, float)
        assert math.isfinite(facet.value)


def fingerprint(reading: Reading) -> str:
    """Hash of the whole content of a reading."""
    digest = hashlib.sha256(repr((list(reading.header), list(reading.warnings))).encode())
    for m in reading.measurements:
        digest.update(repr((m.key, m.kind, m.title, list(m.facets))).encode())
        digest.update(repr((dict(m.composition), dict(m.targets), m.data.attrs)).encode())
        for array in (m.data, *(m.data[name] for name in sorted(map(str, m.data.coords)))):
            digest.update(repr((array.dims, array.attrs)).encode())
            digest.update(np.ascontiguousarray(array.values).tobytes())
    return digest.hexdigest()


@contextmanager
def _file(raw: bytes, suffix: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"damaged{suffix}"
        path.write_bytes(raw)
        yield path
