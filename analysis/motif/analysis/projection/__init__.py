"""Maps of a collection: UMAP of its features, aligned to previous maps, reproducible to the bit."""

from motif.analysis.projection.map_clusters import find_clusters, near_duplicates, outliers
from motif.analysis.projection.map_drift import MovedPoint, moved_points
from motif.analysis.projection.map_export import export_map
from motif.analysis.projection.map_figure import MapFigure, map_figure
from motif.analysis.projection.map_notes import (
    MapSummary,
    annotate,
    map_of,
    map_summaries,
    map_summary,
    name_of,
    note_of,
    rename,
)
from motif.analysis.projection.map_points import measurements_of, point_ids
from motif.analysis.projection.map_projection import children, lineage, project, recompute
from motif.analysis.projection.map_transform import MapPositions, transform, transform_new
from motif.analysis.projection.projection_request import ProjectionRequest
from motif.analysis.projection.umap_layout import warm

__all__ = [
    "MapFigure",
    "MapPositions",
    "MapSummary",
    "MovedPoint",
    "ProjectionRequest",
    "annotate",
    "children",
    "export_map",
    "find_clusters",
    "lineage",
    "map_figure",
    "map_of",
    "map_summaries",
    "map_summary",
    "measurements_of",
    "moved_points",
    "name_of",
    "near_duplicates",
    "note_of",
    "outliers",
    "point_ids",
    "project",
    "recompute",
    "rename",
    "transform",
    "transform_new",
    "warm",
]
