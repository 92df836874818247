"""Maps of a collection: UMAP of its features, stable, recursive, reproducible."""

from motif.analysis.projection.clusters import clusters, near_duplicates, strangers
from motif.analysis.projection.layout import warm
from motif.analysis.projection.maps import children, lineage, place, place_new, project
from motif.analysis.projection.placing import Placement

__all__ = [
    "Placement",
    "children",
    "clusters",
    "lineage",
    "near_duplicates",
    "place",
    "place_new",
    "project",
    "strangers",
    "warm",
]
