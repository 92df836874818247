"""Maps as files: CSV and Parquet with every facet, PNG and SVG to look at."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motif.analysis.projection.notes import name_of
from motif.analysis.projection.picturing import png, svg
from motif.analysis.search.members import as_ids, texts
from motif.core.errors import ConfigError, UnsuitableDataError

if TYPE_CHECKING:
    from motif.core.catalog import Derivation
    from motif.core.workspace import Workspace

FORMATS = (".csv", ".parquet", ".png", ".svg")
COORDINATES = ("x", "y", "z")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings a spreadsheet would run; such texts get a leading apostrophe."""


def export(
    workspace: Workspace,
    made: Derivation,
    path: Path,
    *,
    ids: Sequence[str] | None = None,
    colour: str | None = None,
) -> int:
    """Write a map, or the measurements `ids` of it, to a file; its ending says how.

    Args:
        workspace: where the map is.
        made: the map.
        path: ends in ``.csv``, ``.parquet``, ``.png`` or ``.svg``.
        ids: measurements to write; by default all.
        colour: facet that colours the points of a picture.

    Returns:
        How many measurements were written.
    """
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f'"{path.name}" is none of {", ".join(FORMATS)}; change its ending.')
    arrays = workspace.ledger.arrays(made)
    chosen = (
        np.ones(len(arrays["ids"]), bool) if ids is None else np.isin(arrays["ids"], as_ids(ids))
    )
    if not chosen.any():
        raise UnsuitableDataError("None of these measurements is on the map; choose others.")
    xy, trust, names = arrays["xy"][chosen], arrays["trust"][chosen], texts(arrays["ids"][chosen])
    facets = workspace.facets(names)
    try:
        if path.suffix.lower() in (".png", ".svg"):
            labels = None if colour is None else [facets[one].get(colour) for one in names]
            if labels is not None and not any(label is not None for label in labels):
                raise ConfigError(
                    f'None of these measurements tells the facet "{colour}"; choose another.'
                )
            draw = png if path.suffix.lower() == ".png" else svg
            draw(path, xy, labels, title=name_of(workspace, made))
        else:
            table = _table(names, xy, trust, facets)
            if "tiles" in arrays:
                table["tile"] = texts(arrays["tiles"][chosen])
            (_csv if path.suffix.lower() == ".csv" else _parquet)(path, table, made)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
    return len(names)


def _table(
    ids: Sequence[str], xy: NDArray[Any], trust: NDArray[Any], facets: dict[str, dict[str, Any]]
) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = {"id": list(ids)}
    for place, name in enumerate(COORDINATES[: xy.shape[1]]):
        table[name] = xy[:, place].tolist()
    table["trust"] = trust.tolist()
    for name in sorted({name for each in facets.values() for name in each}):
        values = [facets[one].get(name) for one in ids]
        kinds = {type(value) for value in values if value is not None}
        table[name if name not in table else f"facet {name}"] = (
            values if len(kinds) == 1 else [None if v is None else str(v) for v in values]
        )
    return table


def _csv(path: Path, table: dict[str, list[Any]], _: Derivation) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(map(_safe, table))
        writer.writerows(
            [_safe(value) for value in row] for row in zip(*table.values(), strict=True)
        )


def _safe(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULAS):
        return "'" + value
    return "" if value is None else value


def _parquet(path: Path, table: dict[str, list[Any]], made: Derivation) -> None:
    try:
        import pyarrow  # type: ignore[import-untyped]
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError("Parquet needs the package pyarrow; write .csv instead.") from error
    metadata = {"motif.map": made.id, "motif.snapshot": made.snapshot}
    parquet.write_table(pyarrow.table(table).replace_schema_metadata(metadata), path)
