"""The analytic descriptor: unchanged by what does not change a pattern, and made of named parts."""

import numpy as np
import pytest

from motif.analysis.symmetry.extractors.analytic_descriptor import PARTS, AnalyticDescriptor
from motif.analysis.symmetry.extractors.scan_features import (
    channel_of,
    clipped,
    flattened,
    phase_pattern,
    prepare,
)
from motif.ingest.simulate.domain_patterns import Canvas, draw

RNG = np.random.default_rng(5)
PIXEL = np.array([1e-8])


def stripes(angle: float, period: float = 12.0, size: int = 96, phase: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    along = x * np.cos(angle) + y * np.sin(angle)
    return np.tanh(3 * np.sin(2 * np.pi * along / period + phase)).astype(np.float32)


def checks(period: float = 12.0, size: int = 96) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    wave = np.cos(2 * np.pi * x / period) + np.cos(2 * np.pi * y / period)
    return np.tanh(2 * wave).astype(np.float32)


def features(*images: np.ndarray) -> np.ndarray:
    described = AnalyticDescriptor()
    return described(np.stack(images), np.full(len(images), 1e-8))


def distance(first: np.ndarray, second: np.ndarray) -> float:
    a, b = features(first, second)
    return float(np.linalg.norm(a - b))


@pytest.mark.parametrize("change", ["turned", "mirrored", "shifted", "inverted", "gain"])
def test_what_does_not_change_a_pattern_hardly_changes_its_features(change: str) -> None:
    first = checks() + 0.3 * stripes(0.4, 17)
    second = {
        "turned": np.rot90(first).copy(),
        "mirrored": first[:, ::-1].copy(),
        "shifted": np.roll(first, (6, 6), (0, 1)),
        "inverted": -first,
        "gain": 5 * first + 3,
    }[change]
    different = distance(first, stripes(0.4))
    assert distance(first, second) < 0.15 * different


def test_turned_stripes_are_the_same_stripes() -> None:
    alike = distance(stripes(0.0), stripes(np.pi / 6))
    assert alike < 0.3 * distance(stripes(0.0), checks())


def test_the_period_is_found_in_nanometres() -> None:
    described = AnalyticDescriptor()
    scale = described.parts["scale"]
    values = described(np.stack([stripes(0.3, 8), stripes(0.3, 16)]), np.full(2, 1e-8))[:, scale]
    periods = 10 ** (values[:, 0] / PARTS["scale"]["decades"])
    assert periods == pytest.approx([80, 160], rel=0.12)


def test_periods_far_from_each_other_count_little_more_than_unlike_ones() -> None:
    described = AnalyticDescriptor()
    image = np.repeat(stripes(0.3, 10)[None], 5, axis=0)
    sizes = 1e-8 * np.array([1, 1.03, 1.6, 16, 1600])
    scale = described(image, sizes)[:, described.parts["scale"]]
    near, unlike, far, farthest = np.linalg.norm(scale[1:] - scale[0], axis=1)
    assert near < 0.3 * unlike
    assert unlike < far < farthest < 2 * unlike


def test_pixels_without_size_have_no_scale() -> None:
    described = AnalyticDescriptor()
    (vector,) = described(stripes(0.3)[None], np.array([np.nan]))
    assert np.isfinite(vector).all()
    assert not vector[described.parts["scale"]].any()


def test_an_image_without_contrast_has_no_features() -> None:
    (blank,) = features(np.full((32, 40), 3.0, np.float32))
    assert not blank.any()


def test_parts_cover_the_vector() -> None:
    described = AnalyticDescriptor()
    covered = sorted(i for part in described.parts.values() for i in range(part.start, part.stop))
    assert covered == list(range(features(checks()).shape[1]))
    assert set(described.parts) == {"symmetry", "texture", "scale"}


def test_phase_is_circular_and_blind_to_inversion() -> None:
    up = RNG.random((40, 40)) < 0.5
    degrees = np.where(up, 175.0, -5.0) + RNG.normal(0, 8, up.shape)
    wrapped = (degrees + 180) % 360 - 180
    pattern = phase_pattern(wrapped)
    assert abs(np.corrcoef(pattern.ravel(), up.ravel())[0, 1]) > 0.98


def test_phase_in_radians_is_the_same_phase() -> None:
    degrees = RNG.uniform(-180, 180, (24, 24)).astype(np.float32)
    same = prepare(np.deg2rad(degrees), "phase", "rad")
    np.testing.assert_allclose(prepare(degrees, "phase", "deg"), same, atol=1e-3)


def test_lines_never_measured_are_cut_off() -> None:
    scan = RNG.normal(size=(32, 24)).astype(np.float32)
    scan[20:] = np.nan
    scan[3, 4] = np.nan
    picture = prepare(scan, "amplitude")
    assert picture.shape == (20, 24)
    assert np.isfinite(picture).all()
    assert not prepare(np.full((16, 16), np.nan, np.float32), "height").any()


def test_retrieval_finds_the_kind_of_domain_pattern() -> None:
    """Stripes, labyrinths, bubbles, needles and lattices, each at its own angle and period."""
    rng = np.random.default_rng(3)
    names = ("stripe", "labyrinth", "bubble", "square lattice", "hexagonal lattice", "zigzag")
    images, kinds = [], []
    for kind, name in enumerate(names):
        for period in (9.0, 14.0, 20.0) * 3:
            canvas = Canvas(128, period, rng.uniform(0, 2 * np.pi), rng)
            field = draw(name, canvas).polarity * rng.choice([-1, 1])
            images.append((field + 0.2 * rng.normal(size=field.shape)).astype(np.float32))
            kinds.append(kind)
    described = AnalyticDescriptor()
    found = described(np.stack(images), np.full(len(images), 1e-8))
    found = np.delete(found, described.parts["scale"], axis=1)
    raw = np.stack(images).reshape(len(images), -1)
    assert average_precision(found, np.array(kinds)) > 0.85
    assert average_precision(raw, np.array(kinds)) < 0.4


def average_precision(vectors: np.ndarray, kinds: np.ndarray) -> float:
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    np.fill_diagonal(distances, np.inf)
    order = distances.argsort(1)[:, :-1]
    same = kinds[order] == kinds[:, None]
    rank = np.arange(1, same.shape[1] + 1)
    return float(((same * (same.cumsum(1) / rank)).sum(1) / same.sum(1)).mean())


def test_flattening_takes_plane_and_line_offsets() -> None:
    y, x = np.mgrid[:32, :32]
    pattern = np.sin(x / 2)
    raw = pattern + 0.5 * x - 0.2 * y + RNG.normal(0, 1, (32, 1))
    left = flattened(raw)
    assert np.corrcoef(left.ravel(), pattern.ravel())[0, 1] > 0.9


def test_tiny_amplitudes_keep_their_contrast() -> None:
    assert clipped(1e-12 * RNG.normal(size=(16, 16))).std() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("channels", "kind", "found"),
    [
        (("HeightTrace", "HeightRetrace", "PhaseRetrace"), "height", 1),
        (("HeightTrace", "Amplitude1Trace"), "amplitude", 1),
        (("DeflectionRetrace",), "phase", None),
        (("Phase",), "phase", 0),
    ],
)
def test_channels_are_chosen(channels: tuple[str, ...], kind: str, found: int | None) -> None:
    assert channel_of(channels, kind) == found
