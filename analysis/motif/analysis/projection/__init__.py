"""Maps of a collection: UMAP of its features, stable, recursive, reproducible."""

from motif.analysis.projection.clusters import clusters, near_duplicates, strangers
from motif.analysis.projection.exporting import export
from motif.analysis.projection.layout import warm
from motif.analysis.projection.maps import children, lineage, place, place_new, project, redo
from motif.analysis.projection.movement import Move, moves
from motif.analysis.projection.notes import Card, annotate, card, cards, name_of, note_of, rename
from motif.analysis.projection.placing import Placement
from motif.analysis.projection.points import measurements_of, point_ids

__all__ = [
    "Card",
    "Move",
    "Placement",
    "annotate",
    "card",
    "cards",
    "children",
    "clusters",
    "export",
    "lineage",
    "measurements_of",
    "moves",
    "name_of",
    "near_duplicates",
    "note_of",
    "place",
    "place_new",
    "point_ids",
    "project",
    "redo",
    "rename",
    "strangers",
    "warm",
]
