"""Pictures of a result as plotly figures, from whoever knows how to draw its stage.

A package offers them through an entry point of the group ``motif.figures`` named after the
stage: a function of (workspace, derivation) that gives figures by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motif.core.catalog import Derivation
from motif.core.workspace import Workspace

if TYPE_CHECKING:
    import plotly.graph_objects as go

GROUP = "motif.figures"
Draw = Callable[[Workspace, Derivation], Mapping[str, Any]]


def figures(workspace: Workspace, made: Derivation) -> dict[str, Any]:
    """Figures by name; none where nobody draws this stage."""
    points = entry_points(group=GROUP, name=made.stage)
    draw: list[Draw] = [point.load() for point in points]
    return {name: figure for one in draw for name, figure in one(workspace, made).items()}


def write(figure: Any, path: Path, name: str) -> None:
    """One HTML page that needs no network; equal figures are equal bytes."""
    page = figure.to_html(include_plotlyjs=True, div_id=name)
    path.write_text(page, encoding="utf-8")


def map_figures(workspace: Workspace, made: Derivation) -> dict[str, go.Figure]:
    """The map of a collection: every measurement at its place, named when pointed at."""
    import plotly.graph_objects as go

    arrays = workspace.ledger.arrays(made)
    xy = arrays["xy"]
    ids = [one.decode() for one in arrays["ids"].tolist()]
    titles = {row.id: row.title for row in workspace.select(ids=ids)}
    simulated = any(row.simulated for row in workspace.select(ids=ids))
    points: dict[str, Any] = {
        "mode": "markers", "marker": {"size": 5, "opacity": 0.7},
        "text": [titles.get(one, one) for one in ids], "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    if xy.shape[1] == 3:
        figure = go.Figure(go.Scatter3d(x=xy[:, 0], y=xy[:, 1], z=xy[:, 2], **points))
    else:
        figure = go.Figure(go.Scattergl(x=xy[:, 0], y=xy[:, 1], **points))
        figure.update_yaxes(scaleanchor="x")
    told = " (simulated)" if simulated else ""
    figure.update_layout(title=f"Map of {made.collection}{told}", template="simple_white")
    return {"map": figure}
