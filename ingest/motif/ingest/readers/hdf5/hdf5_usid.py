"""USID: every channel is a table of positions by spectroscopic values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Header, Reading
from motif.ingest.readers.asylum.asylum_note import (
    AsylumNote,
    asylum_processing,
    channel_unit,
    note_facets,
)
from motif.ingest.readers.hdf5.hdf5_file import as_text, attributes, values
from motif.ingest.readers.kit import ScanGrid, ScanPlane, base_unit, image

TABLES = ("Position_Indices", "Position_Values", "Spectroscopic_Indices", "Spectroscopic_Values")

SMALLEST = 1e-12
"""Smallest width of a scan in metres: some translators write metres and call them nm."""


def read_usid(
    path: Path, file: h5py.File, items: Sequence[h5py.Group | h5py.Dataset]
) -> Reading | None:
    """Images of a USID file, None for other files.

    Attributes of the root are kept in the header and left out of the facets, since translators
    fill them from a template. The group of the measurement counts.
    """
    mains = [
        item for item in items
        if isinstance(item, h5py.Dataset) and all(name in item.attrs for name in TABLES)
    ]  # fmt: skip
    if not mains:
        return None
    header = _header(file, mains[0])
    warnings: list[str] = []
    groups: dict[Any, list[ScanPlane]] = {}
    for main in mains:
        grid, order = _pixels(path, file, main, warnings)
        plane = _plane(path, main, order, header, warnings)
        groups.setdefault((main.name.split("/")[1], grid, order.shape), []).append(plane)
    facets = [f for f in note_facets(header) if f.name != "channels"]
    if "simulated" in path.name.lower():
        facets.append(Facet("simulated", True, "file:name"))
        warnings.append("taken for simulated data because of its name")
    if file.attrs:
        warnings.append(
            "attributes of the root are left out of the facets: they come from a template"
        )
    images = [
        image(
            path,
            str(number),
            path.stem,
            planes,
            grid,
            [*facets, *asylum_processing(header, [plane.name for plane in planes])],
        )
        for number, ((_, grid, _), planes) in enumerate(groups.items())
    ]
    return Reading(images, header, list(dict.fromkeys(warnings)))


def _plane(
    path: Path, main: h5py.Dataset, order: NDArray[np.intp], header: Header, warnings: list[str]
) -> ScanPlane:
    """A channel by its quantity, in its unit unless that is impossible for the quantity."""
    name, unit = (as_text(main.attrs.get(key, "")).strip() for key in ("quantity", "units"))
    data = values(path, main)
    if data.shape != (order.size, 1):
        raise UnreadableFileError(
            f"{main.name} in {path.name} holds {' x '.join(map(str, data.shape))} values, one "
            f"spectrum at each of {order.size} positions or more, and is not an image"
        )
    if name.startswith("Phase") and base_unit(unit)[2] == "m":
        right = channel_unit(name, AsylumNote(header))
        warnings.append(
            f"{name} is stated in {unit}, which is not a unit of a phase; taken as {right}"
        )
        unit = right
    return ScanPlane(name or main.name, unit, data[order, 0])


def _pixels(
    path: Path, file: h5py.File, main: h5py.Dataset, warnings: list[str]
) -> tuple[ScanGrid, NDArray[np.intp]]:
    """Pixel positions, and the row of the table of every pixel (lines, points)."""
    tables = {name: file[main.attrs[name]] for name in TABLES[:2]}
    indices, positions = (values(path, tables[name]) for name in TABLES[:2])
    labels, units = (
        np.atleast_1d(tables[TABLES[1]].attrs.get(key, [])) for key in ("labels", "units")
    )
    if indices.ndim != 2 or indices.shape != positions.shape or len(labels) != indices.shape[1]:
        raise UnreadableFileError(
            f"the positions of {main.name} in {path.name} contradict each other"
        )
    counts = indices.max(axis=0, initial=0).astype(np.int64) + 1
    varying = [int(n) for n in np.flatnonzero(counts > 1)]
    names = [as_text(labels[n]).strip().lower()[:1] for n in varying]
    if sorted(names) != ["x", "y"] or np.prod(counts) != len(indices):
        dimensions = ", ".join(as_text(label) for label in labels)
        raise UnreadableFileError(
            f"{main.name} in {path.name} has {len(indices)} positions over {dimensions} that do "
            "not form an image of whole lines"
        )
    x, y = varying[names.index("x")], varying[names.index("y")]
    flat = indices[:, y].astype(np.int64) * counts[x] + indices[:, x]
    order = np.argsort(flat, kind="stable")
    if not np.array_equal(flat[order], np.arange(len(flat))):
        raise UnreadableFileError(
            f"positions of {main.name} in {path.name} repeat; export it again"
        )
    order = order.reshape(counts[y], counts[x])
    scale, _, unit = base_unit(as_text(units[x]) if len(units) == len(labels) else "")
    width = float(np.ptp(positions[:, x]))
    if unit == "m" and width * scale < SMALLEST < width < 1:
        warnings.append(
            f"the scan would be {width:g} {as_text(units[x])} wide; taken as {width:g} m"
        )
        scale = 1.0
    x_positions, y_positions = positions[order[0], x] * scale, positions[order[:, 0], y] * scale
    steps = [
        float(f"{(line[-1] - line[0]) / (len(line) - 1):.7g}")
        for line in (y_positions, x_positions)
    ]
    if steps[0] < 0:
        steps[0], order, y_positions = -steps[0], order[::-1], y_positions[::-1]
    return ScanGrid(
        steps[0], steps[1], unit or "pixel", float(y_positions[0]), float(x_positions[0])
    ), order


def _header(file: h5py.File, main: h5py.Dataset) -> Header:
    """Attributes of the measurement by their names, those of other groups with their path."""
    parents = main.name.strip("/").split("/")[:-1]
    pairs: list[tuple[str, str]] = []
    for depth, _ in enumerate(parents, 1):
        path = "/".join(parents[:depth])
        prefix = "" if depth == 1 else f"/{path}/"
        pairs += [(prefix + key, text) for key, text in attributes(file[path]).items()]
    return pairs + [(f"/{key}", text) for key, text in attributes(file).items()]
