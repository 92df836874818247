"""A large simulated workspace in little time: images in blocks, the catalog by plain inserts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, insert, select

from motif.analysis.symmetry.embedding.fused_embedding import embed
from motif.core.catalog import tables
from motif.core.catalog.database import now
from motif.core.records import content_id
from motif.core.workspace import Workspace

COLLECTION = "spm"
DESCRIBED = 400
"""Images that have features: enough for a search to fill a gallery. They are the batch "first"."""
SIDE = 32
IMAGES_AT_ONCE = 2_048
ROWS_AT_ONCE = 20_000
MATERIALS, OPERATORS, CLUSTERS = 12, 40, 24
STEP = 2e-6 / (SIDE - 1)
LAYOUT = {
    "dims": ["channel", "y", "x"], "shape": [1, SIDE, SIDE], "dtype": "float32",
    "channels": ["Height"], "units": ["m"],
    "coordinates": {axis: {"units": "m", "start": 0.0, "step": STEP} for axis in "yx"},
}  # fmt: skip
ARRAY = "collections/spm/image/big"


def build(root: Path, count: int, images: int = 25_000) -> str:
    """Create the workspace; returns the id of its map.

    Args:
        count: measurements, each a point of the map.
        images: how many of them have an image.
    """
    random = np.random.default_rng(7)
    with Workspace.init(root) as workspace:
        _images(workspace, min(count, images))
        ids = [content_id(str(number)) for number in range(count)]
        cluster = random.integers(0, CLUSTERS, count)
        projection = workspace.ledger.record(
            "projection", COLLECTION, {"seed": 7}, [], _map(random, ids, cluster),
            {"count": count}, 1.0,
        )  # fmt: skip
        for start in range(0, count, ROWS_AT_ONCE):
            _rows(workspace, random, ids[start : start + ROWS_AT_ONCE], start, cluster)
        _names(workspace)
        embed(workspace, COLLECTION, extractor="analytic", where='batch = "first"')
        workspace.columns(COLLECTION)  # writes the cache, as in any used workspace
        return projection.id


def _images(workspace: Workspace, count: int) -> None:
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    waves = np.arange(IMAGES_AT_ONCE)[:, None, None]
    block = np.sin(2 * np.pi * ((2 + waves % 7) * x + (waves % 5) * y)).astype(np.float32)
    transaction = workspace.store.transaction()
    for start in range(0, count, IMAGES_AT_ONCE):
        rows = block[: min(IMAGES_AT_ONCE, count - start), None]
        transaction.append(ARRAY, rows, start, chunk_rows=16)
    transaction.commit(
        {"what": "sync", "at": now(), "source": "big", "records": [], "quarantined": [],
         "deleted": [], "cursor": None}
    )  # fmt: skip
    workspace.refresh()


def _map(
    random: np.random.Generator, ids: list[str], cluster: NDArray[np.int64]
) -> dict[str, NDArray[np.generic]]:
    centres = random.uniform(-10, 10, (CLUSTERS, 2))
    xy = centres[cluster] + random.normal(0, 1, (len(ids), 2))
    return {
        "ids": np.array([identity.encode() for identity in ids], "S32"),
        "xy": xy.astype(np.float32),
        "trust": random.uniform(0.5, 1, len(ids)).astype(np.float32),
    }


def _rows(
    workspace: Workspace,
    random: np.random.Generator,
    ids: list[str],
    start: int,
    cluster: NDArray[np.int64],
) -> None:
    numbers = range(start + 1, start + len(ids) + 1)
    rows = [
        {
            "number": number, "id": identity, "record_id": f"big:{number}",
            "collection": COLLECTION, "kind": "image", "key": "0",
            "title": f"scan {number}", "array": ARRAY, "row": number - 1, "layout": LAYOUT,
            "composition": {}, "targets": {}, "simulated": True, "live": True, "changed": 1,
        }
        for number, identity in zip(numbers, ids, strict=True)
    ]  # fmt: skip
    materials = (cluster[start : start + len(ids)] % MATERIALS).tolist()
    operators = random.integers(0, OPERATORS, len(ids)).tolist()
    sizes = random.uniform(5e-7, 2e-5, len(ids)).tolist()
    facets: list[tuple[int, str, str | None, float | None, str]] = []
    for number, material, operator, size in zip(numbers, materials, operators, sizes, strict=True):
        facets += [
            (number, "material", f"material {material}", None, ""),
            (number, "operator", f"operator {operator}", None, ""),
            (number, "batch", "first" if number <= DESCRIBED else "later", None, ""),
            (number, "scan_size", None, size, "m"),
            (number, "simulated", None, 1.0, "bool"),
        ]
    cells = [
        {"measurement": n, "name": name, "text": text, "number": value, "unit": unit,
         "origin": "simulation"}
        for n, name, text, value, unit in facets
    ]  # fmt: skip
    with workspace.catalog.engine.begin() as connection:
        connection.execute(insert(tables.measurements), rows)
        connection.execute(insert(tables.facets), cells)


def _names(workspace: Workspace) -> None:
    columns = tables.facets.c
    is_number = columns.number.is_not(None)
    counts = select(columns.name, columns.unit, is_number, func.count()).group_by(
        columns.name, columns.unit, is_number
    )
    with workspace.catalog.engine.begin() as connection:
        connection.execute(
            insert(tables.facet_names).from_select(["name", "unit", "is_number", "facets"], counts)
        )
