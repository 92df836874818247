"""Every figure of a study with its numbers, to be written as files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from motif.analysis.composition import figures, learning
from motif.analysis.composition.alignment import align_units, likeness
from motif.analysis.composition.correlations import alike, pearson
from motif.analysis.composition.figures.export import Drawing, Table
from motif.analysis.composition.figures.maps import barycentric
from motif.analysis.composition.figures.theme import Theme
from motif.analysis.composition.preparation import Prepared, prepare
from motif.analysis.composition.study import Study
from motif.core.catalog import Derivation
from motif.core.errors import NotFoundError
from motif.core.workspace import Workspace

if TYPE_CHECKING:
    import plotly.graph_objects as go

Kind = Literal["total", "composition"]
RATIO = 0.02
"""Samples whose share of the first host element among two is the same within this form a slice."""
SLICE = 20
"""Fewest samples of a slice worth a map of its own."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Array = NDArray[np.float64]


def drawings(
    workspace: Workspace,
    study: Study,
    *,
    kind: Kind = "total",
    samples: Sequence[str] = (),
    theme: Theme = "light",
) -> list[Drawing]:
    """All figures: maps, pairs, bands, weights, parity, learning curve, cards of `samples`.

    The best sample gets a card where none is named. What a study lacks (spectra, folds, a
    learning curve) has no figure.

    Raises:
        NotFoundError: a named sample is not in the study.
    """
    prepared = prepare(workspace.library(study.derivation.collection, _target(study)))
    page = _Page(study, prepared, kind, theme)
    made = [*page.maps(), page.pairs(), *page.bands(), *page.weights(), *page.parity()]
    made += _learning(workspace, study, theme)
    named = samples or (page.names[int(np.argmax(page.arrays["target"]))],)
    return made + [page.card(name) for name in named]


@dataclass(frozen=True)
class _Page:
    """A study whose gradients of one kind are drawn in one theme."""

    study: Study
    prepared: Prepared
    kind: Kind
    theme: Theme

    @cached_property
    def arrays(self) -> dict[str, Any]:
        return dict(self.study.arrays)

    @property
    def elements(self) -> tuple[str, ...]:
        return self.study.elements

    @cached_property
    def names(self) -> list[str]:
        return [name.decode() for name in self.arrays["names"].tolist()]

    @cached_property
    def gradient(self) -> Array:
        mean: Array = self.arrays[f"gradient_{self.kind}_mean"]
        return mean

    @property
    def title(self) -> str:
        return titled(escape(_target(self.study)), self.study.derivation.summary["units"]["target"])

    @property
    def options(self) -> dict[str, Any]:
        simulated = bool(self.study.derivation.summary["simulated"])
        return {"theme": self.theme, "simulated": simulated}

    @property
    def axis_title(self) -> str:
        name = self.prepared.axis_name.replace("_", " ").capitalize()
        return titled(name, self.prepared.axis_unit)

    def unit(self, what: str) -> str:
        return raised(self.study.derivation.summary["units"][f"gradient_{what}"])

    def maps(self) -> Iterator[Drawing]:
        """The whole library, then a slice for each ratio of two host elements."""
        composition: Array = self.arrays["composition"]
        if len(self.elements) < 3:
            return
        groups = alike(composition, self.gradient, self.elements)
        everything = np.arange(len(composition))
        yield self._map("map", everything, groups)
        if len(groups[0]) != 2:
            return
        first, second = (composition[:, self.elements.index(name)] for name in groups[0])
        share = np.round(first / np.maximum(first + second, 1e-12) / RATIO).astype(np.int64)
        found, count = np.unique(share, return_counts=True)
        for one in found[count >= SLICE].tolist():
            ratio = f"{'-'.join(groups[0])}-{one * RATIO:.2f}"
            rows = np.flatnonzero(share == one)
            if len(rows) < len(everything):
                yield self._map(f"map-{ratio}", rows, groups)

    def _map(
        self, name: str, rows: NDArray[np.int64], groups: tuple[tuple[str, ...], ...]
    ) -> Drawing:
        arrays, names = self.arrays, [self.names[i] for i in rows]
        composition, gradient = arrays["composition"][rows], self.gradient[rows]
        agreement = arrays["sign_agreement"][rows]
        figure = figures.composition_map(
            composition, self.elements, arrays["target"][rows], gradient, agreement,
            corners=groups, names=[escape(one) for one in names], value_title=self.title,
            **self.options,
        )  # fmt: skip
        place, _, _ = barycentric(composition, self.elements, groups)
        table: dict[str, Any] = {"sample": names, _target(self.study): arrays["target"][rows]}
        table |= {"+".join(group): place[:, i] for i, group in enumerate(groups)}
        spread = arrays[f"gradient_{self.kind}_std"][rows]
        for heading, values in (
            ("fraction", composition),
            ("gradient", gradient),
            ("spread", spread),
            ("agreement", agreement),
        ):
            table |= {f"{heading} {e}": values[:, i] for i, e in enumerate(self.elements)}
        return Drawing(name, figure, {"": table})

    def pairs(self) -> Drawing:
        figure = figures.element_pairs(
            self.gradient, self.elements, unit=self.unit("composition"), **self.options
        )
        return Drawing("pairs", figure, {"": self._square(pearson(self.gradient, self.gradient))})

    def bands(self) -> Iterator[Drawing]:
        axis = self.arrays["axis"]
        if not len(axis):
            return
        spectral = self.arrays["gradient_spectrum_mean"]
        figure = figures.band_map(
            self.gradient, spectral, self.elements, axis, axis_title=self.axis_title, **self.options
        )
        coefficient = pearson(self.gradient, spectral)
        table = {
            self.prepared.axis_name: axis,
            **dict(zip(self.elements, coefficient, strict=True)),
        }
        yield Drawing("bands", figure, {"": table})

    def weights(self) -> Iterator[Drawing]:
        if "first_layer_weights" not in self.arrays:
            return
        weights = self.arrays["first_layer_weights"]
        figure = figures.weight_maps(weights, self.elements, **self.options)
        aligned = align_units(weights)
        runs, elements, units = (index.ravel() for index in np.indices(aligned.shape))
        table: Table = {
            "run": runs + 1,
            "element": [self.elements[i] for i in elements],
            "unit": units + 1,
            "weight": aligned.ravel(),
        }
        mean, spread = likeness(weights)
        alikeness = {**self._square(mean), **self._square(spread, "spread ")}
        yield Drawing("weights", figure, {"": table, "likeness": alikeness})

    def parity(self) -> Iterator[Drawing]:
        arrays = self.arrays
        if "fold_prediction" not in arrays:
            return
        figure = figures.parity(
            arrays["target"], arrays["fold_prediction"], fold=arrays["fold"],
            r2=self.study.derivation.summary["r2"], names=[escape(one) for one in self.names],
            title=self.title,
            **self.options,
        )  # fmt: skip
        table = {
            "sample": self.names,
            "measured": arrays["target"],
            "predicted": arrays["fold_prediction"],
            "fold": arrays["fold"] + 1,
        }
        yield Drawing("parity", figure, {"": table})

    def card(self, name: str) -> Drawing:
        if name not in self.names:
            raise NotFoundError(
                f"The study has no sample {name}; its samples are those of "
                f"motif gradients {self.study.derivation.collection}."
            )
        i, arrays, kind = self.names.index(name), self.arrays, self.kind
        identity = arrays["ids"][i].decode()
        axis = arrays["axis"] if identity in self.prepared.ids else np.zeros(0)
        spectrum = np.zeros(0)
        if len(axis):
            spectrum = self.prepared.samples.spectra[self.prepared.ids.index(identity)]
        by_element = arrays["composition"], arrays[f"gradient_{kind}_mean"]
        spread, agreement = arrays[f"gradient_{kind}_std"][i], arrays["sign_agreement"][i]
        slope, width = arrays["gradient_spectrum_mean"][i], arrays["gradient_spectrum_std"][i]
        figure = figures.sample_card(
            self.elements, by_element[0][i], by_element[1][i], spread, agreement,
            axis, spectrum, slope, width, axis_title=self.axis_title,
            gradient_unit=self.unit("composition"), spectrum_unit=self.unit("spectrum"),
            title=f"Sample {escape(name)}, {self.title} {arrays['target'][i]:.3g}", **self.options,
        )  # fmt: skip
        elements: Table = {
            "element": self.elements,
            "fraction": by_element[0][i],
            "gradient": by_element[1][i],
            "spread": spread,
            "agreement": agreement,
        }
        tables: dict[str, Table] = {"elements": elements}
        if len(axis):
            tables["spectrum"] = {
                self.prepared.axis_name: axis,
                "intensity": spectrum,
                "gradient": slope,
                "spread": width,
            }
        return Drawing(f"sample-{name}", figure, tables)

    def _square(self, values: Array, before: str = "") -> dict[str, Any]:
        """A matrix by element and element as a table."""
        columns = {f"{before}{e}": values[:, i] for i, e in enumerate(self.elements)}
        return columns if before else {"element": self.elements, **columns}


def by_name(workspace: Workspace, derivation: Derivation) -> dict[str, go.Figure]:
    """The figures of one study by name, as `motif publish` takes them along."""
    study = Study(derivation, workspace.ledger.arrays(derivation))
    return {drawing.name: drawing.figure for drawing in drawings(workspace, study)}


def titled(name: str, unit: str) -> str:
    """A quantity with its unit in brackets."""
    return f"{name} ({raised(unit)})" if unit else name


def raised(unit: str) -> str:
    """A unit with its powers as superscripts."""
    return re.sub(r"\^(-?\d+)", lambda found: found[1].translate(SUPERSCRIPTS), unit)


def _target(study: Study) -> str:
    return str(study.derivation.summary["target"])


def _learning(workspace: Workspace, study: Study, theme: Theme) -> Iterator[Drawing]:
    collection, target = study.derivation.collection, _target(study)
    curves = workspace.ledger.all(learning.STAGE, collection, target=target)
    if not curves:
        return
    told = curves[-1].summary
    figure = figures.learning_curve(
        told["samples"], told["r2"], theme=theme, simulated=told["simulated"]
    )
    yield Drawing("learning", figure, {"": {"training samples": told["samples"], **told["r2"]}})
