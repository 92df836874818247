"""What is chosen, as files and as a snippet: CSV, Parquet, and the SDK's words for the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.catalog import Derivation
from motif.core.clock import spelled
from motif.core.remarks import NOTE, Remark, remarks_on
from motif.dashboard.facets import Column, FacetTable
from motif.dashboard.lab import Lab

RISKY = ("=", "+", "-", "@", "\t", "\r")
"""First characters by which a spreadsheet takes a text for a formula."""

LISTED = 200
"""Ids a snippet spells out; more are read from the exported file."""


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


def columns(here: Lab, chosen: Selection) -> dict[str, list[Any]]:
    """Name (with its unit) -> values, one a row: id, title, place on the map, facets, notes."""
    table, ids = chosen.table, chosen.ids
    found: dict[str, list[Any]] = {
        "id": list(ids),
        "title": [table.titles[row] for row in chosen.rows.tolist()],
        "kind": [table.kinds[row] for row in chosen.rows.tolist()],
    }
    if chosen.map is not None:
        arrays = here.workspace.ledger.arrays(chosen.map)
        place = {one.decode(): row for row, one in enumerate(arrays["ids"].tolist())}
        at = [place.get(one) for one in ids]
        for name, values in (("map_x", arrays["xy"][:, 0]), ("map_y", arrays["xy"][:, 1])):
            found[name] = [None if row is None else float(values[row]) for row in at]
    for column in table.columns.values():
        name = f"{column.name} [{column.unit}]" if _has_unit(column) else column.name
        found[name] = [_value(column, row) for row in chosen.rows.tolist()]
    remarks = remarks_on(here.workspace.catalog, ids)
    notes = ["\n".join(_told(one) for one in remarks.get(i, ()) if one.kind == NOTE) for i in ids]
    if any(notes):
        found["notes"] = [note or None for note in notes]
    return found


def _told(note: Remark) -> str:
    return f"{note.who}, {note.at}: {note.text}"


def as_csv(here: Lab, chosen: Selection) -> bytes:
    """UTF-8 with a header line; texts a spreadsheet would run are told to be texts."""
    found = columns(here, chosen)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_harmless(name) for name in found])
    for cells in zip(*found.values(), strict=True):
        writer.writerow(["" if cell is None else _harmless(cell) for cell in cells])
    return out.getvalue().encode()


def as_parquet(here: Lab, chosen: Selection) -> bytes:
    """The same columns with their types; notes on where they come from in the schema."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    found = pa.table(columns(here, chosen))
    origin = {"motif.collection": chosen.collection, "motif.journal": str(here.version)}
    if chosen.map is not None:
        origin["motif.map"] = chosen.map.id
    out = pa.BufferOutputStream()
    pq.write_table(found.replace_schema_metadata(origin), out)
    return bytes(out.getvalue().to_pybytes())


def snippet(here: Lab, chosen: Selection, question: str, exact: bool) -> str:
    """Python that finds the same measurements again.

    Args:
        exact: whether `question` alone names the selection; else its ids are spelled out, or
            read from the exported file when they are many.
    """
    lines = [
        "import numpy as np",
        "from motif.core.workspace import Workspace",
        "",
        f"workspace = Workspace.open({str(here.workspace.root)!r})",
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
    return ["ids = [", *(f"    {one!r}," for one in ids), "]"]


def _has_unit(column: Column) -> bool:
    return column.kind == "number" and bool(column.unit)


def _value(column: Column, row: int) -> str | float | None:
    if not column.known[row]:
        return None
    if column.kind == "category":
        return column.text_at(row)
    value = float(column.values[row])
    return value if column.kind == "number" else spelled(datetime.fromtimestamp(value, UTC))


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RISKY) else cell
