"""What a microscope makes of a domain pattern: amplitude, phase, topography, and its failings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from motif.ingest.simulate.domain_patterns import Canvas, Field, Pattern

FAILURES = ("lost contact", "tip crash", "saturated", "no response")
"""Ways an experiment fails."""
Planes = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class ScanSettings:
    """How a scan was taken."""

    amplitude: float
    """Piezoresponse inside a domain, in metres."""
    roughness: float
    """Of the topography, in metres."""
    surface: str
    """One of `motif.ingest.simulate.simulated_scan.SURFACES`."""
    relief: float
    """How strongly the topography follows the domains, relative to `roughness`."""
    noise: float
    """Of the response, relative to `amplitude`."""
    phase_offset: float
    """Instrument's phase of the upward domains, in degrees."""
    failure: str = ""
    """One of `FAILURES`, or "" where all went well."""


def scan(pattern: Pattern, canvas: Canvas, settings: ScanSettings) -> Planes:
    """Scan a pattern line by line.

    Returns:
        Label → plane: height, amplitude and deflection in metres, phase in degrees, which wraps
        from -90 to 270 as Asylum stores it.
    """
    rng = canvas.rng
    lines = np.arange(canvas.pixels)
    polarity, relief = _drifted((pattern.polarity, pattern.relief), rng)
    if settings.failure == "tip crash":
        polarity = _crashed(polarity, rng)
    response = polarity * (1 + 0.06 * canvas.smooth(12)) * np.exp(1j * 0.05 * canvas.smooth(20))
    response = response * rng.normal(1, 0.02, (canvas.pixels, 1))
    response += 0.12 * np.exp(1j * rng.uniform(0, 2 * np.pi))
    response += settings.noise * _complex_noise(response.shape, rng)
    height = SURFACES[settings.surface](canvas) + settings.relief * relief
    height += 0.06 * rng.standard_normal(height.shape) + rng.normal(0, 0.3, (canvas.pixels, 1))
    height = flatten(height)
    _scars(height, rng)
    if settings.failure == "no response":
        response = 0.12 + settings.noise * _complex_noise(response.shape, rng)
    if settings.failure == "lost contact":
        gone = lines >= rng.integers(canvas.pixels // 6, canvas.pixels // 2)
        response[gone] = 0.02 * _complex_noise((int(gone.sum()), canvas.pixels), rng)
        height[gone] = 0.02 * rng.standard_normal((int(gone.sum()), canvas.pixels)) + 5
    amplitude = np.abs(response)
    if settings.failure == "saturated":
        amplitude = np.minimum(amplitude * 4, 1.0)
        height = np.clip(height * 3, -1, 1)
    turned = np.degrees(np.angle(response)) + settings.phase_offset
    deflection = 3.8e-8 + 4e-10 * np.gradient(height, axis=1) / (1e-9 + np.ptp(height))
    planes = {
        "HeightRetrace": height * settings.roughness,
        "AmplitudeRetrace": amplitude * settings.amplitude,
        "DeflectionRetrace": deflection + 5e-11 * rng.standard_normal(height.shape),
        "PhaseRetrace": (turned + 90) % 360 - 90,
    }
    return {label: plane.astype(np.float32) for label, plane in planes.items()}


def _drifted(fields: tuple[Field, ...], rng: np.random.Generator) -> list[Field]:
    """Shear and stretch fields as a sample that creeps while lines are taken."""
    n = len(fields[0])
    y, x = np.mgrid[:n, :n].astype(float)
    late = np.exp(-y / (0.2 * n))
    shear, stretch, creep = rng.normal(0, [0.03, 0.02, 3.0])
    where = np.stack([y * (1 + stretch), x + shear * y + creep * late])
    return [ndimage.map_coordinates(field, where, order=1, mode="reflect") for field in fields]


def _crashed(polarity: Field, rng: np.random.Generator) -> Field:
    """From some line on, a blunt double tip: blurred, and every feature twice."""
    line = int(rng.integers(len(polarity) // 5, len(polarity) // 2))
    blurred = ndimage.gaussian_filter(polarity, 3)
    ghost = 0.5 * blurred + 0.5 * np.roll(blurred, int(rng.integers(8, 20)), axis=1)
    return np.concatenate([polarity[:line], 0.6 * ghost[line:]])


def _scars(height: Field, rng: np.random.Generator) -> None:
    """Short streaks where the tip dragged something along, in place."""
    n = len(height)
    for _ in range(int(rng.poisson(2))):
        line, start, length = rng.integers(0, n), rng.integers(0, n), rng.integers(n // 10, n // 2)
        height[line, start : start + length] += rng.normal(0, 2)


def _complex_noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.complex128]:
    real, imaginary = rng.standard_normal((2, *shape)) / np.sqrt(2)
    return np.asarray(real + 1j * imaginary)


def terraces(canvas: Canvas) -> Field:
    """Steps of one unit cell on a slightly miscut, slightly uneven crystal."""
    y, x = np.mgrid[: canvas.pixels, : canvas.pixels] / canvas.pixels
    direction = canvas.rng.uniform(0, 2 * np.pi)
    slope = canvas.rng.uniform(3, 9) * (np.cos(direction) * x + np.sin(direction) * y)
    level = slope + 0.35 * canvas.smooth(canvas.pixels / 7)
    steps = np.floor(level) + 1 / (1 + np.exp(-((level % 1) - 0.5) * 40))
    return np.asarray(steps - slope + 0.12 * canvas.smooth(4))


def grains(canvas: Canvas) -> Field:
    """Grains of a polycrystalline film, domed, with grooves between them."""
    n = canvas.pixels
    count = int(canvas.rng.integers(40, 220))
    seeds = canvas.rng.uniform(-0.1 * n, 1.1 * n, (count, 2))
    points = np.indices((n, n)).reshape(2, -1).T
    distance, nearest = cKDTree(seeds).query(points, k=2)
    groove = np.sqrt(np.clip((distance[:, 1] - distance[:, 0]) / (n / np.sqrt(count)), 0, 1))
    heights = canvas.rng.normal(0, 0.45, count)[nearest[:, 0]]
    return np.asarray((2 * groove + heights).reshape(n, n) + 0.08 * canvas.smooth(3))


def rolling(canvas: Canvas) -> Field:
    """A smooth film with a little waviness."""
    return 0.8 * canvas.smooth(canvas.rng.uniform(6, 20)) + 0.25 * canvas.smooth(2.5)


SURFACES: dict[str, Callable[[Canvas], Field]] = {
    "terraces": terraces,
    "grains": grains,
    "rolling": rolling,
}
"""What a surface can be, by name."""


def flatten(height: Field) -> Field:
    """Take a straight line out of every scan line, as Asylum's first-order flattening does."""
    x = np.linspace(-1, 1, height.shape[1])
    slope = height @ x / (x @ x)
    return np.asarray(height - height.mean(axis=1, keepdims=True) - slope[:, None] * x)
