"""From a library as measured to samples a network can learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motif.analysis.composition.recipes import Recipe
from motif.analysis.composition.samples import Samples
from motif.core.errors import UnsuitableDataError
from motif.core.records import content_id
from motif.core.workspace import Library

MINIMUM = 30
"""Fewest samples with a figure of merit."""
MINIMUM_POINTS = 7
"""Fewest points of a spectrum: the convolution kernel."""
STRETCH = (750.0, 850.0)
"""Window of the V-O stretch in cm⁻¹, by whose maximum Raman spectra are divided."""


PAPER_R2 = {"networks": 0.764, "random forest": 0.741, "kernel ridge": 0.732}
"""5-fold R² on the measured library (Umehara et al., npj Comput. Mater. 5:34, 2019)."""
PAPER_ELEMENTS = frozenset({"Bi", "V", "W", "Dy", "Gd", "Mo", "Tb"})
PAPER_SAMPLES = 1379
PAPER_SHIFT = 78.025
"""First Raman shift of the published table in cm⁻¹."""


@dataclass(frozen=True)
class Prepared:
    """Usable samples of a library, in its order."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    elements: tuple[str, ...]
    axis: NDArray[np.float64]
    """(L,); empty when spectra are left out."""
    axis_name: str
    axis_unit: str
    samples: Samples
    target_name: str
    target_unit: str
    simulated: bool
    notes: tuple[str, ...] = ()
    """What was left out, for the user."""

    @property
    def digest(self) -> str:
        """Hash of the numbers themselves."""
        parts = (self.samples.composition, self.samples.spectra, self.samples.target, self.axis)
        return content_id(*self.elements, *(np.ascontiguousarray(p).tobytes() for p in parts))


def prepare(library: Library) -> Prepared:
    """Normalise spectra and keep the samples that have all that training needs.

    Raises:
        UnsuitableDataError: too few samples, or nothing varies; says which and what to do.
    """
    notes: list[str] = [library.alignment] if library.alignment else []
    spectra, axis = library.spectra, library.axis
    if len(axis) < MINIMUM_POINTS:
        if len(axis):
            notes.append(f"spectra of {len(axis)} points left out: at least {MINIMUM_POINTS}")
        spectra, axis = np.zeros((len(library.ids), 0)), np.zeros(0)
    spectra, usable = normalise(spectra, axis, library.axis_name)
    measured = np.isfinite(library.target)
    known = np.isfinite(library.composition).all(1)
    for missing, what in (
        (~measured, f"without {library.target_name}"),
        (measured & ~known, "without a full composition"),
        (measured & known & ~usable, "whose spectrum has no positive maximum"),
    ):
        if missing.any():
            notes.append(f"{missing.sum()} samples {what}")
    keep = measured & known & usable
    samples = Samples(spectra[keep], library.composition[keep], library.target[keep])
    _refuse_unsuitable(samples, library.target_name, notes)
    chosen = np.flatnonzero(keep)
    return Prepared(
        ids=tuple(library.ids[i] for i in chosen),
        names=tuple(library.samples[i] for i in chosen),
        elements=library.elements,
        axis=axis,
        axis_name=library.axis_name,
        axis_unit=library.axis_unit,
        samples=samples,
        target_name=library.target_name,
        target_unit=library.target_unit,
        simulated=library.simulated,
        notes=tuple(notes),
    )


def normalise(
    spectra: NDArray[np.float64], axis: NDArray[np.float64], axis_name: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Spectra (n, L) divided by their own maximum, and which of them have one.

    The maximum is that within 750-850 cm⁻¹ for Raman spectra with points there (Umehara et
    al. 2019), else that of the whole spectrum.
    """
    n, points = spectra.shape
    if not points:
        return spectra, np.ones(n, bool)
    inside = (axis >= STRETCH[0]) & (axis <= STRETCH[1])
    covered = axis.min() <= STRETCH[0] and axis.max() >= STRETCH[1] and inside.sum() >= 3
    if not (axis_name == "raman_shift" and covered):
        inside = np.ones(points, bool)
    highest = spectra[:, inside].max(1)
    usable = np.isfinite(spectra).all(1) & (highest > 0)
    divisor = np.where(usable, highest, 1.0)
    return spectra / divisor[:, None], usable


def paper_scores(prepared: Prepared) -> dict[str, float] | None:
    """R² of the paper by method, if this is the library it reports on; else None.

    Recognised by its elements, its 1,379 measured samples and the first Raman shift.
    """
    axis = prepared.axis
    same = set(prepared.elements) == PAPER_ELEMENTS and not prepared.simulated
    same = same and len(prepared.ids) == PAPER_SAMPLES and prepared.axis_name == "raman_shift"
    return dict(PAPER_R2) if same and len(axis) and abs(axis[0] - PAPER_SHIFT) < 0.01 else None


def suited(recipe: Recipe, prepared: Prepared) -> Recipe:
    """The recipe for this library: fitted to its size, without a branch whose input is constant."""
    recipe = recipe.fitted(len(prepared.ids))
    if not len(prepared.axis) or not np.ptp(prepared.samples.spectra, axis=0).any():
        return replace(recipe, branches="composition")
    if not np.ptp(prepared.samples.composition, axis=0).any():
        return replace(recipe, branches="spectrum")
    return recipe


def _refuse_unsuitable(samples: Samples, target: str, notes: list[str]) -> None:
    n = len(samples.target)
    left_out = f" ({'; '.join(notes)})" if notes else ""
    if n < MINIMUM:
        raise UnsuitableDataError(
            f"{n} samples have all that training needs{left_out}; "
            f"a composition study takes at least {MINIMUM}."
        )
    if np.ptp(samples.target) == 0:
        raise UnsuitableDataError(
            f"{target} is {samples.target[0]:g} in all {n} samples; "
            "choose a figure of merit that varies with --target."
        )
    constant = [not np.ptp(v, axis=0).any() for v in (samples.composition, samples.spectra)]
    if all(constant):
        raise UnsuitableDataError(
            f"All {n} samples have the same composition and spectrum; "
            "there is nothing to tell them apart by."
        )
