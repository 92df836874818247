"""Every figure of a study, with its numbers: for files, for the page and for publishing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from motif.analysis.arrays import FloatArray, IntArray
from motif.analysis.composition import figures
from motif.analysis.composition.datasets.composition_library import (
    PreparedLibrary,
    load_library,
    prepare,
)
from motif.analysis.composition.figures.composition_map import CompositionMap, barycentric
from motif.analysis.composition.figures.figure_files import FigureTable, StudyFigure
from motif.analysis.composition.figures.figure_theme import Theme
from motif.analysis.composition.figures.sample_card import SampleCard
from motif.analysis.composition.gradients.element_similarity import (
    align_units,
    element_groups,
    pearson,
    weight_similarity,
)
from motif.analysis.composition.study.composition_study import CompositionStudy
from motif.analysis.composition.study.model_comparison import LEARNING_STAGE
from motif.core.errors import NotFoundError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

GradientKind = Literal["total", "composition"]
RATIO_STEP = 0.02
"""Samples whose ratio of the two host elements is the same within this step form a slice."""
MIN_SLICE = 20
"""Fewest samples of a slice that gets a map of its own."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def study_figures(
    workspace: Workspace,
    study: CompositionStudy,
    *,
    kind: GradientKind = "total",
    samples: Sequence[str] = (),
    theme: Theme = "light",
) -> list[StudyFigure]:
    """All figures: maps, pairs, bands, weights, parity, learning curve, cards of `samples`.

    The best sample has a card where none is named. There are no figures of what a study does not
    have (spectra, folds, a learning curve).

    Raises:
        NotFoundError: a named sample is not in the study.
    """
    library = load_library(workspace, study.derivation.collection, _target(study))
    drawer = _StudyDrawer(study, prepare(library), kind, theme)
    drawn = [*drawer.maps(), drawer.pairs(), *drawer.bands(), *drawer.weights(), *drawer.parity()]
    drawn += _learning_figures(workspace, study, theme)
    named = samples or (drawer.names[int(np.argmax(drawer.arrays["target"]))],)
    return drawn + [drawer.card(name) for name in named]


def figures_for_publishing(workspace: Workspace, derivation: Derivation) -> dict[str, go.Figure]:
    """The figures of one study by name, as `motif publish` attaches them."""
    study = CompositionStudy(derivation, workspace.ledger.arrays(derivation))
    return {figure.name: figure.figure for figure in study_figures(workspace, study)}


def with_unit_in_brackets(name: str, unit: str) -> str:
    """An axis title: a quantity with its unit in brackets."""
    return f"{name} ({with_superscripts(unit)})" if unit else name


def with_superscripts(unit: str) -> str:
    """A unit whose powers are superscripts."""
    return re.sub(r"\^(-?\d+)", lambda power: power[1].translate(SUPERSCRIPTS), unit)


@dataclass(frozen=True)
class _StudyDrawer:
    """Draws a study with gradients of one kind in one theme."""

    study: CompositionStudy
    prepared: PreparedLibrary
    kind: GradientKind
    theme: Theme

    @cached_property
    def arrays(self) -> dict[str, Any]:
        return dict(self.study.arrays)

    @property
    def summary(self) -> Mapping[str, Any]:
        return self.study.derivation.summary

    @property
    def elements(self) -> tuple[str, ...]:
        return self.study.elements

    @cached_property
    def names(self) -> list[str]:
        return [name.decode() for name in self.arrays["names"].tolist()]

    @cached_property
    def gradient(self) -> FloatArray:
        mean: FloatArray = self.arrays[f"gradient_{self.kind}_mean"]
        return mean

    @property
    def title(self) -> str:
        return with_unit_in_brackets(escape(_target(self.study)), self.summary["units"]["target"])

    @property
    def options(self) -> dict[str, Any]:
        return {"theme": self.theme, "simulated": bool(self.summary["simulated"])}

    @property
    def axis_title(self) -> str:
        name = self.prepared.axis_name.replace("_", " ").capitalize()
        return with_unit_in_brackets(name, self.prepared.axis_unit)

    def unit(self, quantity: str) -> str:
        return with_superscripts(self.summary["units"][f"gradient_{quantity}"])

    def maps(self) -> Iterator[StudyFigure]:
        """The whole library, then a slice for each ratio of two host elements."""
        composition: FloatArray = self.arrays["composition"]
        if len(self.elements) < 3:
            return
        groups = element_groups(composition, self.gradient, self.elements)
        all_rows = np.arange(len(composition))
        yield self._map("map", all_rows, groups)
        if len(groups[0]) != 2:
            return
        first, second = (composition[:, self.elements.index(name)] for name in groups[0])
        ratio = np.round(first / np.maximum(first + second, 1e-12) / RATIO_STEP).astype(np.int64)
        steps, counts = np.unique(ratio, return_counts=True)
        for step in steps[counts >= MIN_SLICE].tolist():
            rows = np.flatnonzero(ratio == step)
            if len(rows) < len(all_rows):
                name = f"map-{'-'.join(groups[0])}-{step * RATIO_STEP:.2f}"
                yield self._map(name, rows, groups)

    def _map(self, name: str, rows: IntArray, groups: tuple[tuple[str, ...], ...]) -> StudyFigure:
        arrays, names = self.arrays, [self.names[i] for i in rows]
        composition, gradient = arrays["composition"][rows], self.gradient[rows]
        agreement = arrays["sign_agreement"][rows]
        data = CompositionMap(
            composition, self.elements, arrays["target"][rows], gradient, agreement,
            corners=groups, names=[escape(sample) for sample in names], value_title=self.title,
        )  # fmt: skip
        figure = figures.composition_map(data, **self.options)
        coordinates, _, _ = barycentric(composition, self.elements, groups)
        table: dict[str, Any] = {"sample": names, _target(self.study): arrays["target"][rows]}
        table |= {"+".join(group): coordinates[:, i] for i, group in enumerate(groups)}
        spread = arrays[f"gradient_{self.kind}_std"][rows]
        for heading, values in (
            ("fraction", composition),
            ("gradient", gradient),
            ("spread", spread),
            ("agreement", agreement),
        ):
            table |= {f"{heading} {e}": values[:, i] for i, e in enumerate(self.elements)}
        return StudyFigure(name, figure, {"": table})

    def pairs(self) -> StudyFigure:
        figure = figures.element_pairs(
            self.gradient, self.elements, unit=self.unit("composition"), **self.options
        )
        table = self._matrix_table(pearson(self.gradient, self.gradient))
        return StudyFigure("pairs", figure, {"": table})

    def bands(self) -> Iterator[StudyFigure]:
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
        yield StudyFigure("bands", figure, {"": table})

    def weights(self) -> Iterator[StudyFigure]:
        if "first_layer_weights" not in self.arrays:
            return
        weights = self.arrays["first_layer_weights"]
        figure = figures.weight_maps(weights, self.elements, **self.options)
        aligned = align_units(weights)
        runs, elements, units = (index.ravel() for index in np.indices(aligned.shape))
        table: FigureTable = {
            "run": runs + 1,
            "element": [self.elements[i] for i in elements],
            "unit": units + 1,
            "weight": aligned.ravel(),
        }
        mean, spread = weight_similarity(weights)
        similarity = {**self._matrix_table(mean), **self._matrix_columns(spread, "spread ")}
        yield StudyFigure("weights", figure, {"": table, "similarity": similarity})

    def parity(self) -> Iterator[StudyFigure]:
        arrays = self.arrays
        if "fold_prediction" not in arrays:
            return
        figure = figures.parity(
            arrays["target"], arrays["fold_prediction"], fold=arrays["fold"],
            r2=self.summary["r2"], names=[escape(sample) for sample in self.names],
            title=self.title,
            **self.options,
        )  # fmt: skip
        table = {
            "sample": self.names,
            "measured": arrays["target"],
            "predicted": arrays["fold_prediction"],
            "fold": arrays["fold"] + 1,
        }
        yield StudyFigure("parity", figure, {"": table})

    def card(self, name: str) -> StudyFigure:
        if name not in self.names:
            raise NotFoundError(
                f"The study has no sample {name}; its samples are those of "
                f"motif gradients {self.study.derivation.collection}."
            )
        i, arrays = self.names.index(name), self.arrays
        identity = arrays["ids"][i].decode()
        axis = arrays["axis"] if identity in self.prepared.ids else np.zeros(0)
        spectrum = np.zeros(0)
        if len(axis):
            spectrum = self.prepared.samples.spectra[self.prepared.ids.index(identity)]
        card = SampleCard(
            elements=self.elements,
            composition=arrays["composition"][i],
            gradient=self.gradient[i],
            gradient_std=arrays[f"gradient_{self.kind}_std"][i],
            agreement=arrays["sign_agreement"][i],
            axis=axis,
            spectrum=spectrum,
            spectrum_gradient=arrays["gradient_spectrum_mean"][i],
            spectrum_gradient_std=arrays["gradient_spectrum_std"][i],
            axis_title=self.axis_title,
            gradient_unit=self.unit("composition"),
            spectrum_unit=self.unit("spectrum"),
            title=f"Sample {escape(name)}, {self.title} {arrays['target'][i]:.3g}",
        )
        elements: FigureTable = {
            "element": self.elements,
            "fraction": card.composition,
            "gradient": card.gradient,
            "spread": card.gradient_std,
            "agreement": card.agreement,
        }
        tables: dict[str, FigureTable] = {"elements": elements}
        if len(axis):
            tables["spectrum"] = {
                self.prepared.axis_name: axis,
                "intensity": spectrum,
                "gradient": card.spectrum_gradient,
                "spread": card.spectrum_gradient_std,
            }
        return StudyFigure(f"sample-{name}", figures.sample_card(card, **self.options), tables)

    def _matrix_table(self, values: FloatArray) -> dict[str, Any]:
        """A matrix (E, E) as a table with a column of element names."""
        return {"element": self.elements, **self._matrix_columns(values)}

    def _matrix_columns(self, values: FloatArray, prefix: str = "") -> dict[str, Any]:
        return {f"{prefix}{e}": values[:, i] for i, e in enumerate(self.elements)}


def _target(study: CompositionStudy) -> str:
    return str(study.derivation.summary["target"])


def _learning_figures(
    workspace: Workspace, study: CompositionStudy, theme: Theme
) -> Iterator[StudyFigure]:
    collection, target = study.derivation.collection, _target(study)
    curves = workspace.ledger.all(LEARNING_STAGE, collection, target=target)
    if not curves:
        return
    summary = curves[-1].summary
    figure = figures.learning_curve(
        summary["samples"], summary["r2"], theme=theme, simulated=summary["simulated"]
    )
    table = {"training samples": summary["samples"], **summary["r2"]}
    yield StudyFigure("learning", figure, {"": table})
