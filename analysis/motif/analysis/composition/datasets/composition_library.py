"""A composition library as arrays, and its preparation for training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from motif.analysis.arrays import BoolArray, FloatArray
from motif.analysis.composition.regression.training_recipe import TrainingRecipe
from motif.analysis.spectral_alignment import spectra_on_one_axis
from motif.core.errors import UnsuitableDataError
from motif.core.records import content_id

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

MIN_SAMPLES = 30
"""Fewest samples with a figure of merit."""
MIN_POINTS = 7
"""Fewest points of a spectrum: the length of the convolution kernel."""
VO_STRETCH = (750.0, 850.0)
"""Window of the V-O stretching band in cm⁻¹, by whose maximum Raman spectra are divided."""

PAPER_R2 = {"networks": 0.764, "random forest": 0.741, "kernel ridge": 0.732}
"""5-fold R² on the measured library (Umehara et al., npj Comput. Mater. 5:34, 2019)."""
PAPER_ELEMENTS = frozenset({"Bi", "V", "W", "Dy", "Gd", "Mo", "Tb"})
PAPER_SAMPLES = 1379
PAPER_SHIFT = 78.025
"""First Raman shift of the published table in cm⁻¹."""


@dataclass(frozen=True)
class Library:
    """A composition library as measured: n samples, E elements, L spectral points."""

    ids: tuple[str, ...]
    """Measurement of each sample (n)."""
    samples: tuple[str, ...]
    """Name of each sample (n)."""
    elements: tuple[str, ...]
    """Chemical symbols (E)."""
    composition: FloatArray
    """Atomic fractions (n, E)."""
    axis: FloatArray
    """Spectral axis (L,)."""
    axis_name: str
    axis_unit: str
    spectra: FloatArray
    """Intensities (n, L) as measured, or interpolated onto one axis."""
    target_name: str
    target_unit: str
    target: FloatArray
    """Figure of merit (n,), NaN where not measured."""
    simulated: bool
    record_ids: tuple[str, ...]
    alignment: str = ""
    """How spectra of different axes were brought onto one; empty where they are as measured."""


@dataclass(frozen=True)
class Samples:
    """Inputs and target of n samples."""

    spectra: FloatArray
    """(n, L) normalised intensity; L may be 0."""
    composition: FloatArray
    """(n, E) atomic fractions."""
    target: FloatArray
    """(n,)"""


@dataclass(frozen=True)
class PreparedLibrary:
    """The usable samples of a library, in its order, with normalised spectra."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    elements: tuple[str, ...]
    axis: FloatArray
    """(L,); empty when spectra are left out."""
    axis_name: str
    axis_unit: str
    samples: Samples
    target_name: str
    target_unit: str
    simulated: bool
    notes: tuple[str, ...] = ()
    """What was left out or interpolated, one phrase each."""

    @property
    def digest(self) -> str:
        """Hash of the elements and numbers."""
        arrays = (self.samples.composition, self.samples.spectra, self.samples.target, self.axis)
        return content_id(
            *self.elements, *(np.ascontiguousarray(values).tobytes() for values in arrays)
        )


def load_library(
    workspace: Workspace, collection: str, target: str | None = None, where: str | None = None
) -> Library:
    """The spectra of a collection that have compositions, as arrays.

    Args:
        workspace: holds the collection.
        collection: name of the collection.
        target: figure of merit; by default the first in alphabetical order.
        where: query the samples must match.

    Raises:
        UnsuitableDataError: no spectrum has a composition, none has the figure of merit, or
            spectra of different axes cannot be aligned.
    """
    rows = [row for row in workspace.select(collection, where, "spectrum") if row.composition]
    if not rows:
        matched = f" that match {where}" if where else ""
        remedy = "widen the filter" if where else "ingest a library table"
        raise UnsuitableDataError(
            f'"{collection}" holds no spectra with a composition{matched}; {remedy}.'
        )
    names = sorted({name for row in rows for name in row.targets})
    target = target or (names[0] if names else "")
    if target not in names:
        raise UnsuitableDataError(
            f'"{collection}" has no figure of merit "{target}"; it has '
            f"{', '.join(names) or 'none'}."
        )
    elements = tuple(dict.fromkeys(name for row in rows for name in row.composition))
    values = [row.targets.get(target, (None, ""))[0] for row in rows]
    axis_name = rows[0].dims[0]
    spectra, axis, alignment = spectra_on_one_axis(workspace, rows)
    return Library(
        ids=tuple(row.id for row in rows),
        samples=tuple(row.key for row in rows),
        elements=elements,
        composition=np.array([[row.composition.get(e, 0.0) for e in elements] for row in rows]),
        axis=axis,
        axis_name=axis_name,
        axis_unit=rows[0].layout["coordinates"][axis_name]["units"],
        spectra=spectra,
        target_name=target,
        target_unit=next((row.targets[target][1] for row in rows if target in row.targets), ""),
        target=np.array([np.nan if value is None else value for value in values]),
        simulated=any(row.simulated for row in rows),
        record_ids=tuple(sorted({row.record_id for row in rows})),
        alignment=alignment,
    )


def prepare(library: Library) -> PreparedLibrary:
    """Normalise the spectra and keep the samples that have everything training needs.

    Raises:
        UnsuitableDataError: too few samples are left, or nothing varies among them.
    """
    notes: list[str] = [library.alignment] if library.alignment else []
    spectra, axis = library.spectra, library.axis
    if len(axis) < MIN_POINTS:
        if len(axis):
            notes.append(f"spectra of {len(axis)} points left out: at least {MIN_POINTS}")
        spectra, axis = np.zeros((len(library.ids), 0)), np.zeros(0)
    spectra, usable = normalise(spectra, axis, library.axis_name)
    measured = np.isfinite(library.target)
    known = np.isfinite(library.composition).all(1)
    for missing, reason in (
        (~measured, f"without {library.target_name}"),
        (measured & ~known, "without a full composition"),
        (measured & known & ~usable, "whose spectrum has no positive maximum"),
    ):
        if missing.any():
            notes.append(f"{missing.sum()} samples {reason}")
    kept = np.flatnonzero(measured & known & usable)
    samples = Samples(spectra[kept], library.composition[kept], library.target[kept])
    _require_suitable(samples, library.target_name, notes)
    return PreparedLibrary(
        ids=tuple(library.ids[i] for i in kept),
        names=tuple(library.samples[i] for i in kept),
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
    spectra: FloatArray, axis: FloatArray, axis_name: str
) -> tuple[FloatArray, BoolArray]:
    """Divide spectra (n, L) by their own maximum; the second result tells which have one.

    For Raman spectra that cover 750-850 cm⁻¹ it is the maximum in that window (Umehara et al.
    2019), otherwise that of the whole spectrum.
    """
    n, points = spectra.shape
    if not points:
        return spectra, np.ones(n, bool)
    window = (axis >= VO_STRETCH[0]) & (axis <= VO_STRETCH[1])
    covered = axis.min() <= VO_STRETCH[0] and axis.max() >= VO_STRETCH[1] and window.sum() >= 3
    if not (axis_name == "raman_shift" and covered):
        window = np.ones(points, bool)
    highest = spectra[:, window].max(1)
    usable = np.isfinite(spectra).all(1) & (highest > 0)
    divisor = np.where(usable, highest, 1.0)
    return spectra / divisor[:, None], usable


def paper_scores(prepared: PreparedLibrary) -> dict[str, float] | None:
    """R² by method of Umehara et al. (2019) if this is their library, otherwise None.

    The library is recognised by its elements, its 1,379 measured samples and the first Raman
    shift.
    """
    axis = prepared.axis
    same = set(prepared.elements) == PAPER_ELEMENTS and not prepared.simulated
    same = same and len(prepared.ids) == PAPER_SAMPLES and prepared.axis_name == "raman_shift"
    return dict(PAPER_R2) if same and len(axis) and abs(axis[0] - PAPER_SHIFT) < 0.01 else None


def suited(recipe: TrainingRecipe, prepared: PreparedLibrary) -> TrainingRecipe:
    """The recipe fitted to the size of this library, without a branch whose input is constant."""
    recipe = recipe.fitted(len(prepared.ids))
    if not len(prepared.axis) or not np.ptp(prepared.samples.spectra, axis=0).any():
        return replace(recipe, branches="composition")
    if not np.ptp(prepared.samples.composition, axis=0).any():
        return replace(recipe, branches="spectrum")
    return recipe


def _require_suitable(samples: Samples, target: str, notes: list[str]) -> None:
    n = len(samples.target)
    left_out = f" ({'; '.join(notes)})" if notes else ""
    if n < MIN_SAMPLES:
        raise UnsuitableDataError(
            f"{n} samples have all that training needs{left_out}; "
            f"a composition study takes at least {MIN_SAMPLES}."
        )
    if np.ptp(samples.target) == 0:
        raise UnsuitableDataError(
            f"{target} is {samples.target[0]:g} in all {n} samples; "
            "choose a figure of merit that varies with --target."
        )
    constant = [
        not np.ptp(values, axis=0).any() for values in (samples.composition, samples.spectra)
    ]
    if all(constant):
        raise UnsuitableDataError(
            f"All {n} samples have the same composition and spectrum; "
            "there is nothing a model could distinguish them by."
        )
