"""Figures of a composition study, drawn with Plotly: for the page, for files, for publishing."""

from motif.analysis.composition.figures.composition_map import CompositionMap, composition_map
from motif.analysis.composition.figures.sample_card import SampleCard, sample_card
from motif.analysis.composition.figures.study_charts import (
    band_map,
    calibration_plot,
    element_pairs,
    learning_curve,
    parity,
    weight_maps,
)

__all__ = [
    "CompositionMap",
    "SampleCard",
    "band_map",
    "calibration_plot",
    "composition_map",
    "element_pairs",
    "learning_curve",
    "parity",
    "sample_card",
    "weight_maps",
]
