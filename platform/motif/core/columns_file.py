"""A table of columns as one file: safetensors that are mapped into memory, not read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from motif.core.columns_labels import Labels
from motif.core.columns_table import OWN, Column, Table
from motif.core.records import ID_LENGTH

FORMAT = "1"
LENGTH_BYTES = 8
DTYPES = {"U8": "u1", "I32": "<i4", "I64": "<i8", "F64": "<f8"}

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Kept:
    """A table as it was after `position` journal lines of the catalog `made` names."""

    table: Table
    collection: str
    made: str
    position: int

    def leads_to(self, collection: str, made: str, position: int) -> bool:
        """Whether later journal lines are all it lacks of a collection as it is now."""
        return (self.collection, self.made) == (collection, made) and self.position <= position


def save(path: Path, kept: Kept) -> None:
    """Write a table; whoever reads meanwhile finds the former one or this one."""
    from safetensors.numpy import save_file

    arrays: Arrays = {"ids": np.ascontiguousarray(kept.table.ids).view(np.uint8)}
    columns = [
        *(("own", name, kept.table.own[name]) for name in OWN),
        *(("facet", name, column) for name, column in kept.table.facets.items()),
    ]
    told = [
        {"of": of, "name": name, **_packed(f"{number}", column, arrays)}
        for number, (of, name, column) in enumerate(columns)
    ]
    metadata = {
        "format": FORMAT, "collection": kept.collection, "made": kept.made,
        "position": str(kept.position), "columns": json.dumps(told),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{uuid4().hex}.part")
    try:
        save_file(arrays, part, metadata)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def load(path: Path) -> Kept | None:
    """The table of a file, or None where there is none or it is no such file."""
    try:
        whole = np.memmap(path, np.uint8, mode="r")
        start = LENGTH_BYTES + int.from_bytes(whole[:LENGTH_BYTES].tobytes(), "little")
        header = json.loads(whole[LENGTH_BYTES:start].tobytes())
        metadata = header.pop("__metadata__")
        if metadata["format"] != FORMAT:
            return None
        arrays = {name: _mapped(whole[start:], one) for name, one in header.items()}
        own: dict[str, Column] = {}
        facets: dict[str, Column] = {}
        for number, told in enumerate(json.loads(metadata["columns"])):
            into = own if told["of"] == "own" else facets
            into[told["name"]] = _unpacked(f"{number}", told, arrays)
        table = Table(arrays["ids"].view(f"S{ID_LENGTH}"), own, facets)
        return Kept(table, metadata["collection"], metadata["made"], int(metadata["position"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _mapped(data: NDArray[np.uint8], told: dict[str, Any]) -> NDArray[Any]:
    start, end = told["data_offsets"]
    return np.asarray(data[start:end]).view(DTYPES[told["dtype"]]).reshape(told["shape"])


def _packed(key: str, column: Column, arrays: Arrays) -> dict[str, Any]:
    if column.codes is not None:
        arrays[f"{key}.codes"] = np.ascontiguousarray(column.codes)
        arrays[f"{key}.blob"] = np.ascontiguousarray(column.labels.blob)
        arrays[f"{key}.offsets"] = np.ascontiguousarray(column.labels.offsets)
    if column.seconds is not None:
        arrays[f"{key}.seconds"] = np.ascontiguousarray(column.seconds)
    for place, part in enumerate(column.numbers.values()):
        arrays[f"{key}.number.{place}"] = np.ascontiguousarray(part)
    return {"units": list(column.numbers)}


def _unpacked(key: str, told: dict[str, Any], arrays: Arrays) -> Column:
    codes = arrays.get(f"{key}.codes")
    numbers = {unit: arrays[f"{key}.number.{place}"] for place, unit in enumerate(told["units"])}
    seconds = arrays.get(f"{key}.seconds")
    if codes is None:
        return Column(numbers=numbers, seconds=seconds)
    labels = Labels(arrays[f"{key}.blob"], arrays[f"{key}.offsets"])
    return Column(codes, labels, numbers, seconds)
