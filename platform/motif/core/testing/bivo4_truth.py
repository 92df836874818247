"""The exact law of the simulated BiVO4 library, and the gradients that follow from it.

Performance depends on the composition and on a hidden lattice distortion, which no table states
and which only the Raman spectrum shows. Everything is analytic, so the derivatives are exact. The
simulation uses these functions and the analysis is compared with them; they need NumPy alone.
The numbers are invented; only the shape of the problem follows Umehara et al., npj Comput. Mater.
5:34 (2019): molybdenum and tungsten act similarly, so do gadolinium, terbium and dysprosium.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ELEMENTS = ("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb")
"""Order of the columns of every composition and gradient here, as in the published table."""

COEFFICIENTS = MappingProxyType(
    {
        "base": 1.35,
        "donor": 0.95,
        "donor_scale": 0.04,
        "rare": 0.50,
        "rare_scale": 0.04,
        "both": 0.06,
        "distortion": 0.36,
        "coupling": 0.10,
        "stoichiometry": 0.10,
        "stoichiometry_centre": 0.03,
        "stoichiometry_scale": 0.05,
    }
)
"""Energies in mW/cm², scales in atomic fraction."""

DONORS = np.array([0, 0, 0.9, 0, 0, 1.0, 0])
RARE_EARTHS = np.array([0, 0, 0, 0.8, 1.0, 0, 0.9])
STOICHIOMETRY = np.array([1.0, -1.0, 0, 0, 0, 0, 0])

MODES = np.array(
    # position, per donor, per rare earth, per distortion; width, per alloy; height, per distortion
    [
        [126.0, -20.0, 15.0, 0.6, 9.0, 60.0, 0.35, 0.00],
        [210.0, -25.0, 10.0, 0.9, 10.0, 70.0, 0.22, 0.02],
        [324.0, 30.0, 22.0, 3.2, 11.0, 80.0, 0.30, 0.02],
        [366.0, -30.0, -18.0, -3.2, 11.0, 80.0, 0.38, -0.02],
        [640.0, -60.0, 10.0, 1.0, 22.0, 90.0, 0.06, 0.00],
        [711.0, -70.0, 30.0, 1.5, 20.0, 90.0, 0.10, 0.01],
        [829.0, -95.0, 40.0, -1.8, 15.0, 110.0, 1.00, 0.00],
    ]
)
"""Raman modes of monoclinic BiVO4 in cm⁻¹; distortion opens or closes the 324/366 doublet."""


def bivo4_performance(composition: Array, distortion: Array) -> Array:
    """Power generation without noise.

    Args:
        composition: atomic fractions (n, 7) in the order of `ELEMENTS`.
        distortion: hidden distortion (n,), about -2 to 2.

    Returns:
        (n,) in mW/cm².
    """
    k = COEFFICIENTS
    donor = composition @ DONORS / k["donor_scale"]
    rare = composition @ RARE_EARTHS / k["rare_scale"]
    stoichiometry = _stoichiometry(composition)
    result: Array = (
        k["base"]
        + k["donor"] * donor * np.exp(1 - donor)
        + k["rare"] * np.tanh(rare)
        + k["both"] * donor * rare
        + (k["distortion"] + k["coupling"] * donor) * distortion
        - k["stoichiometry"] * stoichiometry**2
    )
    return result


def bivo4_gradient(composition: Array, distortion: Array) -> Array:
    """∂P/∂composition at fixed distortion, (n, 7) in mW/cm² per unit of atomic fraction.

    The seven fractions are taken as independent; project on the simplex (subtract the mean over
    the elements) to compare with what data whose fractions add up to one can show. Divide by 100
    for mW/cm² per at.%.
    """
    k = COEFFICIENTS
    donor = composition @ DONORS / k["donor_scale"]
    rare = composition @ RARE_EARTHS / k["rare_scale"]
    by_donor = k["donor"] * (1 - donor) * np.exp(1 - donor) + k["both"] * rare
    by_donor += k["coupling"] * distortion
    by_rare = k["rare"] / np.cosh(rare) ** 2 + k["both"] * donor
    by_stoichiometry = -2 * k["stoichiometry"] * _stoichiometry(composition)
    result: Array = (
        np.outer(by_donor / k["donor_scale"], DONORS)
        + np.outer(by_rare / k["rare_scale"], RARE_EARTHS)
        + np.outer(by_stoichiometry / k["stoichiometry_scale"], STOICHIOMETRY)
    )
    return result


def bivo4_gradient_distortion(composition: Array, distortion: Array) -> Array:
    """∂P/∂distortion at fixed composition, (n,) in mW/cm²."""
    del distortion  # P is linear in it
    donor = composition @ DONORS / COEFFICIENTS["donor_scale"]
    result: Array = COEFFICIENTS["distortion"] + COEFFICIENTS["coupling"] * donor
    return result


def bivo4_spectrum(composition: Array, distortion: Array, shift: Array) -> Array:
    """Raman spectrum without noise or background: one Lorentz line a mode.

    Smooth in all arguments, so that central differences give ∂S/∂composition and ∂S/∂distortion
    for total derivatives.

    Args:
        composition: (n, 7).
        distortion: (n,).
        shift: Raman shifts (m,) in cm⁻¹.

    Returns:
        (n, m), the V-O stretch near 829 cm⁻¹ about one high.
    """
    donor, rare = composition @ DONORS, composition @ RARE_EARTHS
    result = np.zeros((len(composition), len(shift)))
    for at, by_donor, by_rare, by_z, width, by_alloy, height, height_z in MODES:
        position = at + by_donor * donor + by_rare * rare + by_z * distortion
        breadth = width + by_alloy * (donor + rare)
        tallness = height * (1 - 2 * (donor + rare)) + height_z * distortion
        offset = (shift - position[:, None]) / breadth[:, None]
        result += tallness[:, None] / (1 + offset**2)
    return result


def _stoichiometry(composition: Array) -> Array:
    """Bi-V imbalance from its best value, in units of its scale."""
    k = COEFFICIENTS
    imbalance = composition @ STOICHIOMETRY - k["stoichiometry_centre"]
    result: Array = imbalance / k["stoichiometry_scale"]
    return result
