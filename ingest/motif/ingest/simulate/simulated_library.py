"""A BiVO4-like composition library whose law is known (`motif.core.testing.bivo4_truth`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.testing.bivo4_truth import (
    COEFFICIENTS,
    ELEMENTS,
    bivo4_performance,
    bivo4_spectrum,
)

Array = NDArray[np.float64]

POINTS = 1015
FIRST_SAMPLE = 97
MOST_ALLOY = 0.09
"""Largest share of one alloying element (atomic fraction)."""
CEILING = 0.885
"""Share of the variance of P that is not noise: the R² nobody can exceed."""


@dataclass(frozen=True)
class SimulatedLibrary:
    """Samples with everything that is known of them; rows agree throughout."""

    seed: int
    samples: tuple[str, ...]
    composition: Array
    """(n, 7) atomic fractions in the order of `motif.core.testing.bivo4_truth.ELEMENTS`."""
    distortion: Array
    """(n,), hidden: it stands in no table."""
    shift: Array
    """(m,) Raman shifts in cm⁻¹."""
    spectra: Array
    """(n, m) as measured: with background, gain and noise."""
    performance: Array
    """(n,) as measured, in mW/cm²."""
    noise: float
    """Standard deviation of the noise in `performance`, in mW/cm²."""

    @property
    def title(self) -> str:
        return f"Simulated by Motif, seed {self.seed}: BiVO4-like alloys, no measured data"

    def truth(self) -> dict[str, Any]:
        """What a record must hold for gradients to be judged later; JSON values."""
        return {
            "function": "bivo4_performance",
            "seed": self.seed,
            "coefficients": dict(COEFFICIENTS),
            "noise": round(self.noise, 6),
            "distortion": dict(zip(self.samples, self.distortion.tolist(), strict=True)),
        }

    def write(self, path: Path) -> None:
        """Write the table in the published form: title, ``Sample, <elements>, <shifts>, P``."""
        headings = ["Sample", *ELEMENTS, *(f"{value:.3f}" for value in self.shift), "P"]
        table = np.column_stack([self.composition, self.spectra, self.performance])
        row = ", ".join(["%.6f"] * table.shape[1])
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.write(f"{self.title}\n{', '.join(headings)}\n")
            for sample, values in zip(self.samples, table.tolist(), strict=True):
                stream.write(f"{sample}, {row % tuple(values)}\n")


def simulate_library(samples: int = 1379, seed: int = 7) -> SimulatedLibrary:
    """Draw a library; the same seed gives the same numbers."""
    rng = np.random.default_rng([seed, 1])
    composition = _compositions(samples, rng)
    distortion: Array = np.clip(rng.normal(0, 0.9, samples), -2.2, 2.2).round(4)
    shift = raman_shifts(POINTS)
    spectra = _measured(bivo4_spectrum(composition, distortion, shift), shift, rng)
    exact = bivo4_performance(composition, distortion)
    noise = float(exact.std() * np.sqrt(1 / CEILING - 1))
    performance = np.maximum(exact + rng.normal(0, noise, samples), 0.01)
    names = tuple(str(FIRST_SAMPLE + i) for i in range(samples))
    return SimulatedLibrary(
        seed, names, composition, distortion, shift, spectra, performance, noise
    )


def raman_shifts(points: int) -> Array:
    """Shifts of a grating spectrometer: steps shrink from 1.373 to 1.127 cm⁻¹ along the axis."""
    steps = np.linspace(1.373, 1.127, points - 1)
    return np.round(78.025 + np.concatenate([[0.0], np.cumsum(steps)]), 3)


def _compositions(samples: int, rng: np.random.Generator) -> Array:
    """Up to three alloying elements in BiVO4, six decimals, adding up to one exactly."""
    alloying = [i for i, element in enumerate(ELEMENTS) if element not in ("Bi", "V")]
    count = rng.choice([0, 1, 2, 3], samples, p=[0.02, 0.23, 0.40, 0.35])
    order = rng.permuted(np.tile(np.arange(5), (samples, 1)), axis=1)
    amounts = np.where(order < count[:, None], rng.uniform(0.004, MOST_ALLOY, (samples, 5)), 0)
    amounts /= np.sqrt(np.maximum(count, 1))[:, None]
    composition = np.zeros((samples, len(ELEMENTS)))
    composition[:, alloying] = np.round(amounts, 6)
    host = 1 - composition.sum(axis=1)
    bismuth = 0.5 + np.clip(rng.normal(0.012, 0.012, samples), -0.03, 0.05)
    composition[:, ELEMENTS.index("Bi")] = np.round(host * bismuth, 6)
    composition[:, ELEMENTS.index("V")] = np.round(1 - composition.sum(axis=1), 6)
    return composition


def _measured(exact: Array, shift: Array, rng: np.random.Generator) -> Array:
    """Add what an instrument adds: gain, a sloping fluorescence background, shot and read noise."""
    samples = len(exact)
    gain = rng.lognormal(0, 0.25, (samples, 1))
    slope = rng.uniform(0.01, 0.06, (samples, 1)) * np.exp(-(shift - shift[0]) / 700)
    counts = exact + rng.uniform(0.01, 0.03, (samples, 1)) + slope
    noise = rng.standard_normal(exact.shape) * np.sqrt(1e-5 + 4e-5 * counts)
    return np.asarray(0.5 * gain * (counts + noise))
