"""Maps as files: CSV and Parquet with every facet, pictures as SVG, PDF and PNG."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.projection.map_figure import (
    FIGURE_FORMATS,
    MapFigure,
    colour_by_label,
    figure_bytes,
    map_figure,
    write_figure,
)
from motif.analysis.projection.map_notes import name_of
from motif.analysis.projection.map_points import point_ids
from motif.analysis.search.candidates import as_ids, texts
from motif.core.errors import ConfigError, UnsuitableDataError

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

TABLE_FORMATS = ("csv", "parquet")
COORDINATES = ("x", "y", "z")
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet would run; such texts get a leading apostrophe."""


def export_map(
    workspace: Workspace,
    result: Derivation,
    path: Path,
    *,
    ids: Sequence[str] | None = None,
    colour: str | None = None,
) -> int:
    """Write a map, or the measurements `ids` of it, to a file.

    Args:
        workspace: holds the map.
        result: the map.
        path: ends in ``.csv``, ``.parquet``, ``.svg``, ``.pdf`` or ``.png``.
        ids: measurements to write; by default all.
        colour: facet that colours the points of a picture.

    Returns:
        Number of points written.

    Raises:
        ConfigError: the ending is unknown, none of the measurements has the facet, or the file
            cannot be written.
        UnsuitableDataError: none of the measurements is on the map.
    """
    file_format = path.suffix.lower().lstrip(".")
    if file_format not in (*TABLE_FORMATS, *FIGURE_FORMATS):
        endings = ", ".join(f".{name}" for name in (*TABLE_FORMATS, *FIGURE_FORMATS))
        raise ConfigError(f'"{path.name}" has an unknown ending; choose one of {endings}.')
    arrays = workspace.ledger.arrays(result)
    measurements = arrays["ids"]
    chosen = np.isin(measurements, measurements if ids is None else as_ids(ids))
    if not chosen.any():
        raise UnsuitableDataError("None of these measurements is on the map; choose others.")
    names = texts(measurements[chosen])
    if file_format in FIGURE_FORMATS:
        write_figure(map_figure(_picture(workspace, result, chosen, colour)), path)
        return len(names)
    table = _table(names, arrays["xy"][chosen], arrays["trust"][chosen], workspace.facets(names))
    if "tiles" in arrays:
        table["tile"] = texts(arrays["tiles"][chosen])
    try:
        if file_format == "csv":
            _write_csv(path, table)
        else:
            _write_parquet(path, table, result)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
    return len(names)


def figures_for_publishing(workspace: Workspace, derivation: Derivation) -> dict[str, Any]:
    """Figures that `motif publish` attaches to a map.

    ``map`` is a Plotly figure that shows the title of the point under the pointer, ``picture``
    the SVG file of `map_figure`.
    """
    import plotly.graph_objects as go

    arrays = workspace.ledger.arrays(derivation)
    xy, ids = arrays["xy"], texts(arrays["ids"])
    rows = workspace.select(ids=ids)
    titles = {row.id: row.title for row in rows}
    points: dict[str, Any] = {
        "mode": "markers", "marker": {"size": 5, "opacity": 0.7},
        "text": [titles.get(identity, identity) for identity in ids],
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    if xy.shape[1] == 3:
        page = go.Figure(go.Scatter3d(x=xy[:, 0], y=xy[:, 1], z=xy[:, 2], **points))
    else:
        page = go.Figure(go.Scattergl(x=xy[:, 0], y=xy[:, 1], **points))
        page.update_yaxes(scaleanchor="x")
    simulated = " (simulated)" if any(row.simulated for row in rows) else ""
    page.update_layout(title=f"Map of {derivation.collection}{simulated}", template="simple_white")
    picture = _picture(workspace, derivation, np.ones(len(ids), bool), None)
    return {"map": page, "picture": figure_bytes(map_figure(picture), "svg")}


def _picture(
    workspace: Workspace, result: Derivation, chosen: NDArray[Any], colour: str | None
) -> MapFigure:
    arrays = workspace.ledger.arrays(result)
    names = texts(arrays["ids"][chosen])
    labels = None
    if colour is not None:
        facets = workspace.facets(names)
        labels = [facets[identity].get(colour) for identity in names]
        if all(label is None for label in labels):
            raise ConfigError(
                f'None of these measurements has the facet "{colour}"; choose another.'
            )
    kind = "tiles" if "tiles" in arrays else "measurements"
    return MapFigure(
        arrays["xy"][chosen],
        **colour_by_label(labels, len(names)),
        legend_title=colour or "",
        title=name_of(workspace, result),
        subtitle=f"{len(point_ids(arrays)[chosen]):,} {kind} of {result.collection}",
        simulated=any(row.simulated for row in workspace.select(ids=names)),
    )


def _table(
    ids: Sequence[str], xy: NDArray[Any], trust: NDArray[Any], facets: dict[str, dict[str, Any]]
) -> dict[str, list[Any]]:
    """Columns by name: id, coordinates, trust, then the facets in alphabetical order."""
    table: dict[str, list[Any]] = {"id": list(ids)}
    for dimension, name in enumerate(COORDINATES[: xy.shape[1]]):
        table[name] = xy[:, dimension].tolist()
    table["trust"] = trust.tolist()
    for name in sorted({name for values in facets.values() for name in values}):
        values = [facets[identity].get(name) for identity in ids]
        types = {type(value) for value in values if value is not None}
        table[name if name not in table else f"facet {name}"] = (
            values if len(types) == 1 else [None if v is None else str(v) for v in values]
        )
    return table


def _write_csv(path: Path, table: dict[str, list[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(map(_spreadsheet_safe, table))
        writer.writerows(
            [_spreadsheet_safe(value) for value in row] for row in zip(*table.values(), strict=True)
        )


def _spreadsheet_safe(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA_PREFIXES):
        return "'" + value
    return "" if value is None else value


def _write_parquet(path: Path, table: dict[str, list[Any]], result: Derivation) -> None:
    import pyarrow
    from pyarrow import parquet

    metadata = {"motif.map": result.id, "motif.snapshot": result.snapshot}
    parquet.write_table(pyarrow.table(table).replace_schema_metadata(metadata), path)
