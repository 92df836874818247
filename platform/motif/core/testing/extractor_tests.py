"""Conformance tests of a `motif.core.contracts.Extractor`: subclass `ExtractorTests`.

class TestMyExtractor(ExtractorTests):
    invariances = {"rotation": 0.05, "gain": 0.01}

    def create(self) -> MyExtractor:
        return MyExtractor()
"""

from __future__ import annotations

import itertools
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from motif.core.contracts import Extractor

Images = NDArray[np.float32]

SIZE = 64
PIXEL_SIZE = 1e-8
TRANSFORMS: Mapping[str, Callable[[Images], Images]] = MappingProxyType(
    {
        "rotation": lambda images: np.rot90(images, axes=(1, 2)),
        "mirror": lambda images: images[:, :, ::-1],
        "shift": lambda images: np.roll(images, (8, 24), axis=(1, 2)),
        "gain": lambda images: 3 * images,
        "offset": lambda images: images + 2,
        "inversion": lambda images: -images,
    }
)
"""Changes of images (n, height, width) that an extractor may declare itself invariant to."""


def sample_patterns() -> Images:
    """Five periodic images (5, 64, 64): stripes, two lattices, filtered noise, no contrast.

    Some noise makes them generic: in exact patterns, rounding would choose between equal maxima.
    """
    y, x = np.mgrid[:SIZE, :SIZE] * 2 * np.pi / SIZE
    random = np.random.default_rng(7)
    noise = np.fft.fft2(random.normal(size=(SIZE, SIZE)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE)))
    images = [
        np.cos(8 * x),
        np.cos(4 * x) + np.cos(4 * y),
        np.cos(4 * x) * np.cos(8 * y) + 0.3 * np.sin(4 * x),
        np.fft.ifft2(noise * (frequency < 0.2)).real,
        np.full((SIZE, SIZE), 0.5),
    ]
    images[:3] = [image + 0.1 * random.normal(size=image.shape) for image in images[:3]]
    return np.stack(images).astype(np.float32)


class ExtractorTests:
    """What Motif relies on of every extractor; `create` is the subclass's."""

    invariances: ClassVar[Mapping[str, float]] = MappingProxyType({})
    """Name in `TRANSFORMS` -> largest change of a feature vector, relative to its length."""
    tolerance: ClassVar[float] = 1e-4
    """Largest relative change by rounding, where the same image comes in another batch."""

    @abstractmethod
    def create(self) -> Extractor:
        """A new extractor."""

    @pytest.fixture
    def extractor(self) -> Extractor:
        return _shared_extractor(self)

    @pytest.fixture
    def features(self, extractor: Extractor) -> Images:
        return _features(extractor, sample_patterns())

    def test_has_a_name(self, extractor: Extractor) -> None:
        assert re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", extractor.name)

    def test_fingerprint_is_the_same_for_every_instance(self, extractor: Extractor) -> None:
        assert extractor.fingerprint
        assert self.create().fingerprint == extractor.fingerprint

    def test_one_row_per_image(self, extractor: Extractor, features: Images) -> None:
        assert features.ndim == 2
        assert len(features) == len(sample_patterns())
        assert features.shape[1] == _dimension(extractor)

    def test_features_are_finite_float32(self, features: Images) -> None:
        assert features.dtype == np.float32
        assert np.isfinite(features).all()

    def test_parts_cover_the_vector_without_overlap(self, extractor: Extractor) -> None:
        assert extractor.parts
        assert all(part.step in (None, 1) for part in extractor.parts.values())
        ranges = sorted((part.start, part.stop) for part in extractor.parts.values())
        assert ranges[0][0] == 0
        assert all(start < stop for start, stop in ranges)
        assert all(before[1] == after[0] for before, after in itertools.pairwise(ranges))

    def test_no_images_give_no_rows(self, extractor: Extractor) -> None:
        features = _features(extractor, np.empty((0, SIZE, SIZE), np.float32))
        assert features.shape == (0, _dimension(extractor))

    @pytest.mark.parametrize("shape", [(2, 48, 96), (1, 33, 33)])
    def test_other_sizes_are_accepted(
        self, extractor: Extractor, shape: tuple[int, int, int]
    ) -> None:
        images = np.random.default_rng(3).normal(size=shape).astype(np.float32)
        features = _features(extractor, images)
        assert features.shape == (shape[0], _dimension(extractor))
        assert np.isfinite(features).all()

    def test_an_unknown_pixel_size_gives_finite_features(self, extractor: Extractor) -> None:
        images = sample_patterns()
        features = extractor(images, np.full(len(images), np.nan))
        assert np.isfinite(features).all()

    def test_features_are_deterministic(self, extractor: Extractor, features: Images) -> None:
        assert np.array_equal(_features(extractor, sample_patterns()), features)

    def test_another_instance_gives_the_same_features(self, features: Images) -> None:
        self._assert_close(_features(self.create(), sample_patterns()), features, self.tolerance)

    def test_a_row_depends_on_its_image_alone(self, extractor: Extractor, features: Images) -> None:
        images = sample_patterns()
        singly = np.concatenate([_features(extractor, image[None]) for image in images])
        self._assert_close(singly, features, self.tolerance)
        reverse = _features(extractor, images[::-1].copy())
        self._assert_close(reverse[::-1], features, self.tolerance)

    def test_inputs_are_not_changed(self, extractor: Extractor) -> None:
        images, pixel_size = sample_patterns(), np.full(len(sample_patterns()), PIXEL_SIZE)
        extractor(images, pixel_size)
        assert np.array_equal(images, sample_patterns())
        assert (pixel_size == PIXEL_SIZE).all()

    def test_different_images_have_different_features(self, features: Images) -> None:
        with_contrast = features[:4]
        distances = np.linalg.norm(with_contrast[:, None] - with_contrast[None], axis=2)
        scale = np.linalg.norm(with_contrast, axis=1).max()
        assert (distances[~np.eye(4, dtype=bool)] > 1e-3 * scale).all()

    def test_declared_invariances_hold(self, extractor: Extractor, features: Images) -> None:
        for name, largest in self.invariances.items():
            images = np.ascontiguousarray(TRANSFORMS[name](sample_patterns()))
            self._assert_close(_features(extractor, images), features, largest, name)

    @pytest.mark.parametrize(
        ("images", "pixel_size"),
        [
            (np.zeros((SIZE, SIZE), np.float32), np.ones(SIZE)),
            (np.zeros((2, 3, SIZE, SIZE), np.float32), np.ones(2)),
            (np.zeros((2, SIZE, SIZE), np.float32), np.ones(3)),
            (np.zeros((2, 0, SIZE), np.float32), np.ones(2)),
            (np.full((1, SIZE, SIZE), np.nan, np.float32), np.ones(1)),
            (np.full((1, SIZE, SIZE), np.inf, np.float32), np.ones(1)),
            (np.zeros((1, SIZE, SIZE), np.float32), np.array([-1e-9])),
        ],
        ids=["2-d", "4-d", "pixel sizes", "empty", "nan", "infinite", "negative pixel size"],
    )
    def test_bad_input_is_refused(
        self, extractor: Extractor, images: Images, pixel_size: NDArray[np.float64]
    ) -> None:
        """`motif.core.contracts.check_images` checks all of it."""
        with pytest.raises(ValueError, match=r"\w+"):
            extractor(images, pixel_size)

    @staticmethod
    def _assert_close(actual: Images, expected: Images, largest: float, what: str = "") -> None:
        change = np.linalg.norm(actual - expected, axis=1)
        length = np.maximum(np.linalg.norm(expected, axis=1), 1e-6)
        assert (change <= largest * length).all(), f"{what} {change / length}"


_EXTRACTORS: dict[str, Extractor] = {}


def _shared_extractor(tests: ExtractorTests) -> Extractor:
    """One extractor for all tests of a subclass, since some load large weights."""
    name = f"{type(tests).__module__}.{type(tests).__qualname__}"
    if name not in _EXTRACTORS:
        _EXTRACTORS[name] = tests.create()
    return _EXTRACTORS[name]


def _features(extractor: Extractor, images: Images) -> Images:
    return extractor(images, np.full(len(images), PIXEL_SIZE))


def _dimension(extractor: Extractor) -> Any:
    return max(part.stop for part in extractor.parts.values())
