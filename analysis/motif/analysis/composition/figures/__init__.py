"""Pictures of a composition study as plotly figures, for the dashboard and for paper."""

from motif.analysis.composition.figures.curves import calibration_plot, learning_curve, parity
from motif.analysis.composition.figures.maps import composition_map
from motif.analysis.composition.figures.matrices import band_map, element_pairs, weight_maps
from motif.analysis.composition.figures.sample import sample_card

__all__ = [
    "band_map",
    "calibration_plot",
    "composition_map",
    "element_pairs",
    "learning_curve",
    "parity",
    "sample_card",
    "weight_maps",
]
