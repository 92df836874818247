"""Stages of the analysis, as declared to `motif.core.provenance.stages`. Imports nothing heavy."""

from __future__ import annotations

from typing import Any

from motif.core.provenance.stages import Stage

_TARGET: dict[str, tuple[str, Any]] = {"target": ("--target", None)}
_CURVE: dict[str, tuple[str, Any]] = {
    **_TARGET, "folds": ("--folds", 5), "recipe": ("--recipe", "fast"), "seed": ("--seed", 0),
}  # fmt: skip
_STUDY: dict[str, tuple[str, Any]] = {**_TARGET, "members": ("--members", 8), **_CURVE}
_MAP: dict[str, tuple[str, Any]] = {
    "preset": ("--preset", "fast"), "n_neighbors": ("--neighbors", None),
    "min_dist": ("--min-dist", None), "seed": ("--seed", 42), "dims": ("--dims", 2),
    "by": ("--by", ""), "feature_name": ("--features", ""), "tiles": ("--tiles", None),
}  # fmt: skip

STAGES = (
    Stage("embedding", "Features", "motif embed {collection}", itemwise=True),
    Stage("tiles", "Features of tiles", "motif embed {collection} --tiles 4", itemwise=True),
    Stage("feature-fusion", "Feature fusion"),
    Stage("spectral-basis", "Spectral features"),
    Stage("model-invariance", "Invariance of a model"),
    Stage("model-selection", "Selected model", is_statement=True),
    Stage(
        "projection", "Map", "motif project {collection}", _MAP, figure="projection", page="map"
    ),
    Stage("placement", "Points placed on a map", itemwise=True),
    Stage("clusters", "Clusters of a map"),
    Stage("map-note", "Note on a map", is_statement=True),
    Stage(
        "ensemble-member", "Ensemble member", "motif train composition {collection}", _TARGET,
        page="composition",
    ),
    Stage(
        "gradients", "Composition study", "motif train composition {collection}", _STUDY,
        figure="gradients", page="composition",
    ),
    Stage(
        "composition-baselines", "Simple models compared",
        "motif train composition {collection} --baselines", _STUDY,
    ),
    Stage("learning-curve", "Learning curve", "motif learning-curve {collection}", _CURVE),
    Stage(
        "suggestions", "Suggested compositions", "motif suggest {collection}",
        {**_TARGET, "count": ("--count", 10)}, takes_filter=False,
    ),
    Stage(
        "integrated-gradients", "Integrated gradients",
        "motif gradients {collection} --integrated", _TARGET, takes_filter=False,
    ),
)  # fmt: skip
