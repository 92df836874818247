"""The selection as CSV, as Parquet, and as a Python snippet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.projection.map_figure import ColourBar, LegendEntry, MapFigure
from motif.core.annotations.annotation_log import NOTE, Annotation, annotations_of
from motif.core.catalog.database import Derivation
from motif.core.facets.clock import iso_text
from motif.dashboard.components.map_view.map_component import Legend
from motif.dashboard.data.facet_table import Column, FacetTable
from motif.dashboard.data.point_colours import OTHER, lookup_table
from motif.dashboard.data.point_grid import LATTICE, Placement
from motif.dashboard.state.workspace_session import WorkspaceSession

RISKY = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet take a text for a formula."""

LISTED = 200
"""Largest number of ids listed in a snippet; more are read from the exported file."""


@dataclass(frozen=True)
class Selection:
    """Rows of a collection's table, and the map they were chosen on if there is one."""

    collection: str
    table: FacetTable
    rows: NDArray[np.intp]
    map: Derivation | None = None

    @property
    def ids(self) -> list[str]:
        return [self.table.ids[row] for row in self.rows.tolist()]


def columns(session: WorkspaceSession, chosen: Selection) -> dict[str, list[Any]]:
    """Name (with its unit) -> one value per row: id, title, coordinates, facets, annotations."""
    table, ids = chosen.table, chosen.ids
    found: dict[str, list[Any]] = {
        "id": list(ids),
        "title": [table.titles[row] for row in chosen.rows.tolist()],
        "kind": [table.kinds[row] for row in chosen.rows.tolist()],
    }
    if chosen.map is not None:
        arrays = session.workspace.ledger.arrays(chosen.map)
        place = {identity.decode(): row for row, identity in enumerate(arrays["ids"].tolist())}
        at = [place.get(identity) for identity in ids]
        for name, values in (("map_x", arrays["xy"][:, 0]), ("map_y", arrays["xy"][:, 1])):
            found[name] = [None if row is None else float(values[row]) for row in at]
    for column in table.columns.values():
        name = f"{column.name} [{column.unit}]" if _has_unit(column) else column.name
        found[name] = [_value(column, row) for row in chosen.rows.tolist()]
    annotations = annotations_of(session.workspace.catalog, ids)
    notes = [
        "\n".join(
            _note_text(annotation)
            for annotation in annotations.get(i, ())
            if annotation.kind == NOTE
        )
        for i in ids
    ]
    if any(notes):
        found["notes"] = [note or None for note in notes]
    return found


def _note_text(note: Annotation) -> str:
    return f"{note.who}, {note.at}: {note.text}"


def as_csv(session: WorkspaceSession, chosen: Selection) -> bytes:
    """CSV in UTF-8 with a header line; what looks like a formula is marked as text."""
    found = columns(session, chosen)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_harmless(name) for name in found])
    for cells in zip(*found.values(), strict=True):
        writer.writerow(["" if cell is None else _harmless(cell) for cell in cells])
    return out.getvalue().encode()


def as_parquet(session: WorkspaceSession, chosen: Selection) -> bytes:
    """The same columns with their types; their origin is stored in the schema metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = pa.table(columns(session, chosen))
    origin = {"motif.collection": chosen.collection, "motif.journal": str(session.version)}
    if chosen.map is not None:
        origin["motif.map"] = chosen.map.id
    out = pa.BufferOutputStream()
    pq.write_table(found.replace_schema_metadata(origin), out)
    return bytes(out.getvalue().to_pybytes())


def snippet(session: WorkspaceSession, chosen: Selection, question: str, exact: bool) -> str:
    """Python that finds the same measurements again.

    Args:
        exact: whether `question` alone names the selection; else its ids are listed, or
            read from the exported file when they are many.
    """
    lines = [
        "import numpy as np",
        "from motif.core.workspace import Workspace",
        "",
        f"workspace = Workspace.open({str(session.workspace.root)!r})",
    ]
    if exact:
        lines.append(f"rows = workspace.select({chosen.collection!r}, where={question!r})")
    else:
        lines += _ids_lines(chosen.ids)
        lines.append(f"rows = workspace.select({chosen.collection!r}, ids=ids)")
    lines.append("facets = workspace.facets([row.id for row in rows])")
    if chosen.map is not None:
        lines += [
            f"map_ = workspace.ledger.get({chosen.map.id!r})",
            "arrays = workspace.ledger.arrays(map_)",
            'chosen = np.isin(arrays["ids"], np.array([row.id.encode() for row in rows]))',
            'xy = arrays["xy"][chosen]',
        ]
    lines.append("data = workspace.read(rows[0].id)")
    return "\n".join(lines)


def _ids_lines(ids: Sequence[str]) -> list[str]:
    if len(ids) > LISTED:
        return ["import csv", "", 'ids = [row["id"] for row in csv.DictReader(open("motif.csv"))]']
    return ["ids = [", *(f"    {identity!r}," for identity in ids), "]"]


def _has_unit(column: Column) -> bool:
    return column.kind == "number" and bool(column.unit)


def _value(column: Column, row: int) -> str | float | None:
    if not column.known[row]:
        return None
    if column.kind == "category":
        return column.text_at(row)
    value = float(column.values[row])
    return value if column.kind == "number" else iso_text(datetime.fromtimestamp(value, UTC))


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RISKY) else cell


def map_image(
    placement: Placement,
    codes: NDArray[np.uint8],
    shown: NDArray[np.bool_],
    legend: Legend,
    *,
    polygon: Sequence[tuple[float, float]] = (),
    title: str = "",
    subtitle: str = "",
    simulated: bool = False,
) -> MapFigure:
    """The points of a map in their colours; those that do not match the filter are faint.

    Args:
        placement: positions of the points (n).
        codes: (n,) places among the legend's colours, or of 256 steps of a scale.
        shown: (n,) which points match the filter and the legend.
        legend: meaning of the colours; values of no shown point are left out.
        polygon: corners of the selection in data coordinates.
        title: above the map.
        subtitle: a line below the title.
        simulated: whether the picture carries the mark of simulated data.
    """
    bounds = placement.bounds
    corner = np.array([bounds.x, bounds.y])
    xy = corner + placement.lattice.astype(np.float64) * bounds.span / LATTICE
    colour_bar, entries = None, []
    if legend.continuous:
        colour_bar = ColourBar(legend.colours, legend.low, legend.high)
        steps = lookup_table("viridis").tolist()
        palette = ["#" + "".join(f"{value:02x}" for value in rgb[:3]) for rgb in steps]
    else:
        palette = [*legend.colours]
        in_use = np.bincount(codes[shown], minlength=256).tolist()
        described = zip(legend.labels, legend.colours, legend.counts, in_use, strict=False)
        entries = [
            LegendEntry(label, colour, count) for label, colour, count, used in described if used
        ]
    palette += [OTHER] * (256 - len(palette))
    return MapFigure(
        xy, codes, palette, legend=entries, colour_bar=colour_bar, legend_title=legend.title,
        shown=shown, polygon=polygon, title=title, subtitle=subtitle, simulated=simulated,
    )  # fmt: skip
