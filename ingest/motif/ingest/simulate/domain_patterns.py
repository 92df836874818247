"""Domain patterns: fields whose sign gives the polarisation direction of a ferroelectric.

Each is drawn on a square grid with a period in pixels and an angle, is about zero on domain walls
and about one in size inside domains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Field = NDArray[np.float64]


_STAR = ((1.0, 1 / np.sqrt(3)), (0.0, 2 / np.sqrt(3)), (-1.0, 1 / np.sqrt(3)))
"""Three reciprocal vectors of a hexagonal lattice, in units of one over the period."""


@dataclass(frozen=True)
class Pattern:
    """A drawn pattern."""

    polarity: Field
    """Out-of-plane polarisation (n, n), -1 to 1."""
    relief: Field
    """How the surface follows the domains (n, n), -1 to 1."""


@dataclass(frozen=True)
class Canvas:
    """Where to draw: pixels a side, period in pixels, angle in radians, and the dice."""

    pixels: int
    period: float
    angle: float
    rng: np.random.Generator

    def rotated(self) -> tuple[Field, Field]:
        """Coordinates along and across the pattern, in periods, from a random origin."""
        y, x = np.mgrid[: self.pixels, : self.pixels] / self.period
        x0, y0 = self.rng.uniform(0, 50, 2)
        c, s = np.cos(self.angle), np.sin(self.angle)
        return c * (x + x0) + s * (y + y0), -s * (x + x0) + c * (y + y0)

    def ring(self, width: float, stretch: float = 1.0) -> Field:
        """Random field of one wavelength, the period; unit variance.

        Args:
            width: width of the ring of wave numbers, relative to its radius.
            stretch: how much longer structures are along the angle than across it.
        """
        n = self.pixels
        ky, kx = np.meshgrid(fft.fftfreq(n), fft.rfftfreq(n), indexing="ij")
        c, s = np.cos(self.angle), np.sin(self.angle)
        along, across = c * kx + s * ky, -s * kx + c * ky
        radius = np.hypot(along * stretch, across) * self.period
        weight = np.exp(-(((radius - 1) / width) ** 2) / 2)
        field = fft.irfft2(fft.rfft2(self.rng.standard_normal((n, n))) * weight, s=(n, n))
        return np.asarray(field / field.std())

    def smooth(self, length: float) -> Field:
        """Random field that varies over `length` pixels; unit variance."""
        n = self.pixels
        ky, kx = np.meshgrid(fft.fftfreq(n), fft.rfftfreq(n), indexing="ij")
        weight = np.exp(-2 * (np.pi * length) ** 2 * (kx**2 + ky**2) / 4)
        field = fft.irfft2(fft.rfft2(self.rng.standard_normal((n, n))) * weight, s=(n, n))
        return np.asarray((field - field.mean()) / field.std())


def stripe(canvas: Canvas) -> Pattern:
    """180° stripes of slightly wandering walls."""
    along, _ = canvas.rotated()
    wander = canvas.rng.uniform(0.2, 0.9) * canvas.smooth(1.5 * canvas.period)
    duty = canvas.rng.uniform(-0.35, 0.35)
    field = _wall(np.sin(2 * np.pi * along + wander) + duty, canvas)
    return Pattern(field, 0.3 * field)


def labyrinth(canvas: Canvas) -> Pattern:
    """Meandering domains of one width without direction."""
    field = _wall(1.5 * canvas.ring(0.12) + canvas.rng.uniform(-0.25, 0.25), canvas)
    return Pattern(field, 0.1 * field)


def bubble(canvas: Canvas) -> Pattern:
    """Round domains of uneven size in loose hexagonal order, with vacancies, like skyrmions."""
    x, y = canvas.rotated()
    push = canvas.rng.uniform(0.08, 0.22)
    x, y = (v + push * canvas.smooth(1.2 * canvas.period) for v in (x, y))
    crests = sum(np.cos(2 * np.pi * (gx * x + gy * y)) for gx, gy in _STAR)
    present = 1.5 + canvas.rng.uniform(-0.6, 0.4) + canvas.smooth(1.5 * canvas.period)
    field = _wall(
        1.1 + 0.25 * canvas.smooth(canvas.period) - np.clip(present, 0, 1) * crests, canvas
    )
    return Pattern(field, 0.1 * field)


def a_c(canvas: Canvas) -> Pattern:
    """Needles of in-plane a-domains crossing 180° c-domains, with facets in the topography."""
    along, across = canvas.rotated()
    needles, facets = np.zeros_like(along), np.zeros_like(along)
    rows = canvas.ring(0.9, stretch=6.0)
    columns = Canvas(canvas.pixels, canvas.period, canvas.angle + np.pi / 2, canvas.rng)
    for position, cut in ((across, rows), (along, columns.ring(0.9, stretch=6.0))):
        jitter = canvas.rng.uniform(-0.25, 0.25, 128)
        cell = np.floor(position).astype(int)
        distance = position - cell - 0.5 - jitter[cell % 128]
        needle = 1 / (1 + (distance / 0.11) ** 8) * (cut > canvas.rng.uniform(-1.2, 0.2))
        needles = np.maximum(needles, needle)
        facets += np.clip(4 * distance, -1, 1) * needle
    c_domains = _wall(canvas.smooth(1.3 * canvas.period) + canvas.rng.uniform(-0.7, 0.7), canvas)
    return Pattern(c_domains * (1 - 0.85 * needles), facets)


_QUARTER = np.pi / 2
_SQUARE = ((1.0, 0.0), (0.0, 1.0))
_HEXAGONAL = ((1.0, 1 / np.sqrt(3)), (0.0, 2 / np.sqrt(3)))
_RECTANGULAR = ((1.0, 0.0), (0.0, 0.62))
_P4M = ((1, 0, 1.0, 0.0), (0, 1, 1.0, 0.0))
_P6M = ((1, 0, 1.0, 0.0), (0, 1, 1.0, 0.0), (-1, 1, 1.0, 0.0))
_P3M1 = ((1, 0, 1.0, _QUARTER), (-1, 1, 1.0, _QUARTER), (0, -1, 1.0, _QUARTER))
_P4 = ((1, 2, 1.0, 0.0), (-2, 1, 1.0, 0.0), (1, 0, 0.8, 0.0), (0, 1, 0.8, 0.0))
_P6 = (
    *((1, 2, 1.0, 0.4), (-2, 3, 1.0, 0.4), (-3, 1, 1.0, 0.4)),
    *((1, 0, 1.2, 0.0), (0, 1, 1.2, 0.0), (-1, 1, 1.2, 0.0)),
)
_PMM = ((1, 0, 1.0, 0.0), (0, 1, 0.9, 0.0), (1, 1, 0.4, 0.0), (1, -1, 0.4, 0.0))


def lattice(
    basis: tuple[tuple[float, float], ...],
    waves: tuple[tuple[int, int, float, float], ...],
    level: float,
) -> Callable[[Canvas], Pattern]:
    """Domains on a lattice.

    Args:
        basis: the two reciprocal vectors, in units of one over the period.
        waves: (h, k, amplitude, phase) of the structure factors; their symmetry is the pattern's.
        level: where the walls run, in standard deviations; 0 gives equal areas.
    """

    def draw(canvas: Canvas) -> Pattern:
        x, y = canvas.rotated()
        bend = 0.05 * canvas.rng.uniform(0, 1.5)
        x, y = (v + bend * canvas.smooth(2 * canvas.period) for v in (x, y))
        field = np.zeros_like(x)
        for h, k, amplitude, phase in waves:
            gx = h * basis[0][0] + k * basis[1][0]
            gy = h * basis[0][1] + k * basis[1][1]
            field += amplitude * np.cos(2 * np.pi * (gx * x + gy * y) + phase)
        domains = _wall(1.5 * (field - field.mean()) / field.std() - level, canvas)
        return Pattern(domains, 0.2 * domains)

    return draw


def zigzag(canvas: Canvas) -> Pattern:
    """Stripes that turn by 90° back and forth (pmg), as where two families of walls meet."""
    along, across = canvas.rotated()
    turn = np.abs((across / 3) % 1 - 0.5) * 4 - 1
    field = _wall(1.4 * np.sin(2 * np.pi * (along + 0.75 * turn) / np.sqrt(2)), canvas)
    return Pattern(field, 0.3 * turn)


PATTERNS: dict[str, Callable[[Canvas], Pattern]] = {
    "stripe": stripe,
    "labyrinth": labyrinth,
    "bubble": bubble,
    "a/c": a_c,
    "zigzag": zigzag,
    "square lattice": lattice(_SQUARE, _P4M, 0.5),
    "hexagonal lattice": lattice(_HEXAGONAL, _P6M, 0.6),
    "triangular lattice": lattice(_HEXAGONAL, _P3M1, 0.0),
    "rectangular lattice": lattice(_RECTANGULAR, _PMM, 0.3),
    "chiral square lattice": lattice(_SQUARE, _P4, 0.3),
    "chiral hexagonal lattice": lattice(_HEXAGONAL, _P6, 0.3),
}
"""What can be drawn, by name."""


def draw(name: str, canvas: Canvas) -> Pattern:
    """Draw a pattern of `PATTERNS`."""
    return PATTERNS[name](canvas)


def _wall(field: Field, canvas: Canvas) -> Field:
    """Flatten the insides of domains, leaving walls about a tenth of a period wide."""
    sharpness = canvas.rng.uniform(2.5, 5.0)
    return np.asarray(np.tanh(sharpness * field))
