"""A column table as one file in the cache: safetensors that are memory-mapped, not read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from motif.core.columns.column_table import OWN, ColumnTable, FacetColumn, TextDictionary
from motif.core.records import ID_LENGTH

FORMAT = "2"
LENGTH_BYTES = 8
DTYPES = {"U8": "u1", "I32": "<i4", "I64": "<i8", "F64": "<f8"}

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class CachedTable:
    """A table of a collection at a moment of the catalog.

    Attributes:
        table: the columns.
        collection: of the measurements.
        build: id of the build of the catalog it was read from.
        position: journal lines that were applied.
    """

    table: ColumnTable
    collection: str
    build: str
    position: int

    def leads_to(self, collection: str, build: str, position: int) -> bool:
        """Whether later journal lines are all it lacks of a collection at another moment."""
        return (self.collection, self.build) == (collection, build) and self.position <= position


def save(path: Path, cached: CachedTable) -> None:
    """Write a table; a process that reads meanwhile gets the former file or this one."""
    from safetensors.numpy import save_file

    arrays: Arrays = {"ids": np.ascontiguousarray(cached.table.ids).view(np.uint8)}
    columns = [
        *(("own", name, cached.table.own[name]) for name in OWN),
        *(("facet", name, column) for name, column in cached.table.facets.items()),
    ]
    documents = [
        {"of": of, "name": name, **_packed(f"{number}", column, arrays)}
        for number, (of, name, column) in enumerate(columns)
    ]
    metadata = {
        "format": FORMAT, "collection": cached.collection, "build": cached.build,
        "position": str(cached.position), "columns": json.dumps(documents),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{uuid4().hex}.part")
    try:
        save_file(arrays, partial, metadata)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load(path: Path) -> CachedTable | None:
    """The table of a file, or None where there is no valid one."""
    try:
        whole = np.memmap(path, np.uint8, mode="r")
        start = LENGTH_BYTES + int.from_bytes(whole[:LENGTH_BYTES].tobytes(), "little")
        header = json.loads(whole[LENGTH_BYTES:start].tobytes())
        metadata = header.pop("__metadata__")
        if metadata["format"] != FORMAT:
            return None
        arrays = {name: _mapped(whole[start:], entry) for name, entry in header.items()}
        own: dict[str, FacetColumn] = {}
        facets: dict[str, FacetColumn] = {}
        for number, document in enumerate(json.loads(metadata["columns"])):
            columns = own if document["of"] == "own" else facets
            columns[document["name"]] = _unpacked(f"{number}", document, arrays)
        table = ColumnTable(arrays["ids"].view(f"S{ID_LENGTH}"), own, facets)
        position = int(metadata["position"])
        return CachedTable(table, metadata["collection"], metadata["build"], position)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _mapped(data: NDArray[np.uint8], entry: dict[str, Any]) -> NDArray[Any]:
    start, end = entry["data_offsets"]
    return np.asarray(data[start:end]).view(DTYPES[entry["dtype"]]).reshape(entry["shape"])


def _packed(key: str, column: FacetColumn, arrays: Arrays) -> dict[str, Any]:
    """Add the arrays of a column; returns what else is needed to restore it."""
    if column.codes is not None:
        arrays[f"{key}.codes"] = np.ascontiguousarray(column.codes)
        arrays[f"{key}.blob"] = np.ascontiguousarray(column.labels.blob)
        arrays[f"{key}.offsets"] = np.ascontiguousarray(column.labels.offsets)
    if column.seconds is not None:
        arrays[f"{key}.seconds"] = np.ascontiguousarray(column.seconds)
    for position, numbers in enumerate(column.numbers.values()):
        arrays[f"{key}.number.{position}"] = np.ascontiguousarray(numbers)
    return {"units": list(column.numbers)}


def _unpacked(key: str, document: dict[str, Any], arrays: Arrays) -> FacetColumn:
    codes = arrays.get(f"{key}.codes")
    numbers = {
        unit: arrays[f"{key}.number.{position}"] for position, unit in enumerate(document["units"])
    }
    seconds = arrays.get(f"{key}.seconds")
    if codes is None:
        return FacetColumn(numbers=numbers, seconds=seconds)
    labels = TextDictionary(arrays[f"{key}.blob"], arrays[f"{key}.offsets"])
    return FacetColumn(codes, labels, numbers, seconds)
