"""A composition study as the dashboard reads it: cached arrays, one sample at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from motif.core.catalog.database import Derivation
from motif.dashboard.data.number_format import written
from motif.dashboard.state.workspace_session import WorkspaceSession

Array = NDArray[np.float64]
Kind: TypeAlias = Literal["total", "composition"]

MEANING: dict[Kind, str] = {
    "total": "Total gradient: the change of {target} when an element is traded for equal parts of "
    "all others and the spectrum follows as it does on average across the library.",
    "composition": "Partial gradient: the change of {target} with an element's content while the "
    "spectrum stays as it is; what acts through the spectrum is not in it.",
}
SPECTRAL = (
    "The spectrum is coloured by the change of {target} if the intensity there rose: red raises "
    "it, blue lowers it."
)
SPREAD = (
    "Bars and bands are ± one standard deviation over {members} networks trained the same way: "
    "their spread, not a measurement error. Faint arrows: they disagree on the sign."
)
STRONG = 0.2
"""Share of a sample's strongest gradient from which an element is named in the sentence."""


@dataclass(frozen=True)
class StudyView:
    """Arrays of one study, read on first use and cached."""

    lab: WorkspaceSession
    made: Derivation

    def array(self, name: str) -> Any:
        return self.lab.array(self.made.id, name)

    def texts(self, name: str) -> list[str]:
        return [text.decode() for text in self.array(name).tolist()]

    @property
    def ids(self) -> list[str]:
        return self.lab.keep(("study-ids", self.made.id), lambda: self.texts("ids"))

    @property
    def names(self) -> list[str]:
        return self.lab.keep(("study-names", self.made.id), lambda: self.texts("names"))

    @property
    def elements(self) -> list[str]:
        return self.texts("elements")

    @property
    def target(self) -> str:
        return str(self.made.parameters["target"])

    @property
    def target_unit(self) -> str:
        return written(str(self.made.summary["units"]["target"]))

    @property
    def gradient_unit(self) -> str:
        return f"{self.target_unit or '1'} per at.%"

    @property
    def members(self) -> int:
        return int(self.made.parameters["members"])

    @property
    def simulated(self) -> bool:
        return bool(self.made.summary.get("simulated"))

    def gradient(self, kind: Kind) -> tuple[Array, Array]:
        """Mean and spread (n, E) over the members."""
        return self.array(f"gradient_{kind}_mean"), self.array(f"gradient_{kind}_std")

    def spectrum(self, measurement_id: str) -> tuple[Array, str, str]:
        """Normalised intensity (L,) of one sample, with the name and unit of its axis."""
        from motif.analysis.composition.datasets.composition_library import (
            normalise,  # brings torch
        )

        data = self.lab.workspace.read(measurement_id)
        name = str(data.dims[0])
        axis = data.coords[name]
        values = np.asarray(data.values, np.float64)[None]
        normalised, _ = normalise(values, np.asarray(axis.values, np.float64), name)
        return normalised[0], name, str(axis.attrs.get("units", ""))


def signed(value: float) -> str:
    """A number with its sign, two digits and a true minus."""
    return f"{value:+.2g}".replace("-", "−")


def direction(
    elements: Sequence[str], mean: Array, std: Array, agreement: Array, unit: str, members: int
) -> str:
    """What would raise the figure of merit of one sample, in a sentence."""
    limit = STRONG * float(np.abs(mean).max())
    order = np.argsort(-np.abs(mean), kind="stable")
    parts = [
        f"{'more' if mean[e] > 0 else 'less'} {elements[e]} "
        f"({signed(mean[e])} ± {std[e]:.1g}, {round(agreement[e] * members)} of {members} agree)"
        for e in order.tolist()
        if abs(mean[e]) >= limit and mean[e]
    ][:4]
    return f"It would rise with {', '.join(parts)}; in {unit}." if parts else ""
