import numpy as np
import pytest

from motif.ingest.simulate.domain_patterns import PATTERNS, Canvas, draw
from motif.ingest.simulate.simulated_scan import FAILURES, SURFACES, ScanSettings, flatten, scan


def canvas(period: float = 12.0, angle: float = 0.6, seed: int = 0) -> Canvas:
    return Canvas(128, period, angle, np.random.default_rng(seed))


def settings(failure: str = "", offset: float = 30.0) -> ScanSettings:
    return ScanSettings(
        amplitude=2e-11,
        roughness=1e-9,
        surface="terraces",
        relief=0.5,
        noise=0.1,
        phase_offset=offset,
        failure=failure,
    )


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_have_two_kinds_of_domains(name: str) -> None:
    polarity = draw(name, canvas()).polarity
    assert polarity.shape == (128, 128)
    assert np.abs(polarity).max() <= 1
    assert 0.02 < (polarity > 0).mean() < 0.98
    assert np.median(np.abs(polarity)) > 0.6, "flat inside, steep at walls"


@pytest.mark.parametrize(
    "name", ["stripe", "labyrinth", "square lattice", "hexagonal lattice", "zigzag"]
)
@pytest.mark.parametrize("period", [8.0, 16.0, 24.0])
def test_the_period_is_the_one_asked_for(name: str, period: float) -> None:
    field = draw(name, canvas(period)).polarity
    power = np.abs(np.fft.fft2(field - field.mean())) ** 2
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
    bins = np.digitize(k.ravel(), np.linspace(0, 0.25, 65))
    radial = np.bincount(bins, power.ravel(), 66)[1:65]
    strongest = (np.argmax(radial) + 0.5) / 64 * 0.25
    expected = 2 / np.sqrt(3) if name == "hexagonal lattice" else 1.0
    assert strongest * period == pytest.approx(expected, rel=0.3)


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.2, 2.5])
def test_stripes_run_at_the_angle_asked_for(angle: float) -> None:
    field = draw("stripe", canvas(10.0, angle)).polarity
    power = np.abs(np.fft.fft2(field - field.mean())) ** 2
    ky, kx = np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128), indexing="ij")
    doubled = np.angle(np.sum(power * np.exp(2j * np.arctan2(ky, kx))))
    turned = (doubled / 2 - angle + np.pi / 2) % np.pi - np.pi / 2
    assert abs(turned) < 0.2


def test_domains_differ_by_half_a_turn_and_the_phase_wraps() -> None:
    for offset in (-120.0, 10.0, 175.0):
        phase = scan(draw("stripe", canvas()), canvas(), settings(offset=offset))["PhaseRetrace"]
        assert -90 <= phase.min() < phase.max() < 270
        radians = np.radians(phase)
        assert abs(np.exp(1j * radians).mean()) < 0.6
        axis = np.degrees(np.angle(np.exp(2j * radians).mean())) / 2
        assert abs((axis - offset + 90) % 180 - 90) < 15


def test_amplitude_drops_at_walls() -> None:
    planes = scan(draw("stripe", canvas(24.0)), canvas(24.0), settings())
    amplitude = planes["AmplitudeRetrace"]
    assert np.percentile(amplitude, 2) < 0.5 * np.median(amplitude)
    assert np.median(amplitude) == pytest.approx(2e-11, rel=0.3)


@pytest.mark.parametrize("failure", ["", *FAILURES])
def test_every_plane_is_finite_and_labelled(failure: str) -> None:
    planes = scan(draw("a/c", canvas()), canvas(), settings(failure))
    assert list(planes) == [
        "HeightRetrace", "AmplitudeRetrace", "DeflectionRetrace", "PhaseRetrace",
    ]  # fmt: skip
    for plane in planes.values():
        assert plane.dtype == np.float32
        assert np.isfinite(plane).all()
    assert np.abs(planes["HeightRetrace"]).max() < 1e-7


def test_lost_contact_leaves_no_response() -> None:
    amplitude = scan(draw("stripe", canvas()), canvas(), settings("lost contact"))[
        "AmplitudeRetrace"
    ]
    lines = amplitude.mean(axis=1)
    assert lines[-1] < 0.1 * lines[0]


def test_a_saturated_detector_clips() -> None:
    amplitude = scan(draw("stripe", canvas()), canvas(), settings("saturated"))["AmplitudeRetrace"]
    assert (amplitude == amplitude.max()).mean() > 0.5


@pytest.mark.parametrize("name", SURFACES)
def test_flattened_lines_have_neither_offset_nor_slope(name: str) -> None:
    flat = flatten(SURFACES[name](canvas()))
    assert np.abs(flat.mean(axis=1)).max() < 1e-9
    assert np.abs(flat @ np.linspace(-1, 1, 128)).max() < 1e-9
    assert flat.std() > 0.05
