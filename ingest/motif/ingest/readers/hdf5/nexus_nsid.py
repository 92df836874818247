"""NeXus: groups of class ``NXdata`` that name their signal and its axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from motif.core.errors import UnreadableFileError
from motif.core.facets.clock import iso_moment
from motif.core.records import Facet, Measurement, Reading
from motif.ingest.readers.hdf5.hdf5_file import as_text, attributes, first_text, values
from motif.ingest.readers.kit import (
    ScanGrid,
    ScanPlane,
    SpectralAxis,
    axis_coordinates,
    axis_of_quantity,
    base_unit,
    image,
    processing_facets,
    spectrum,
    text_facets,
)

TEXTS = (
    ("material", "NXsample", ("chemical_formula", "name")), ("operator", "NXuser", ("name",)),
    ("instrument", "NXinstrument", ("name",)), ("technique", "NXentry", ("definition",)),
    ("comment", "NXentry", ("experiment_description",)),
)  # fmt: skip
"""Facet, class of the group, and datasets that may state it."""


def read_nexus(
    path: Path, file: h5py.File, items: Sequence[h5py.Group | h5py.Dataset]
) -> Reading | None:
    """Images and spectra of a NeXus file, None for other files.

    Raises:
        UnreadableFileError: it has neither.
    """
    groups = [item for item in items if isinstance(item, h5py.Group)]
    classes = {item: as_text(item.attrs.get("NX_class", "")) for item in groups}
    data = [item for item in groups if classes[item] == "NXdata"]
    if not data and "NXentry" not in classes.values():
        return None
    facets = _facets(classes)
    measurements: list[Measurement] = []
    warnings: list[str] = []
    for group in data:
        item = _measurement(path, str(len(measurements)), group, facets, warnings)
        measurements += [item] if item is not None else []
    if not measurements:
        reason = f": {warnings[0]}" if warnings else ""
        raise UnreadableFileError(
            f"{path.name} is a NeXus file without an image or spectrum{reason}"
        )
    header = [
        (f"{item.name}@{key}", text) for item in groups for key, text in attributes(item).items()
    ]
    header += [
        (str(item.name), as_text(item[()])) for item in items
        if isinstance(item, h5py.Dataset) and item.shape == () and not item.external
    ]  # fmt: skip
    return Reading(measurements, header, warnings)


def _measurement(
    path: Path, key: str, group: h5py.Group, facets: Sequence[Facet], warnings: list[str]
) -> Measurement | None:
    """The signal of a group with its auxiliary signals, None (and a warning) if it is not an
    image."""
    signal = as_text(group.attrs.get("signal", "")) or _marked(group)
    main = _inside(group, signal)
    if main is None:
        warnings.append(f"{group.name} in {path.name} names no signal that it contains")
        return None
    if main.ndim not in (1, 2):
        warnings.append(f"{main.name} has {main.ndim} dimensions and is neither image nor spectrum")
        return None
    scales = _scales(path, group, main)
    title = as_text(group.attrs.get("title", "")) or first_text(group, "title") or path.stem
    unit = as_text(main.attrs.get("units", ""))
    if main.ndim == 1:
        data = values(path, main)
        return scaled_spectrum(path, key, title, signal, scales[0], data, unit, facets)
    auxiliary = np.atleast_1d(group.attrs.get("auxiliary_signals", [])).tolist()
    auxiliary_datasets = [_inside(group, as_text(name)) for name in auxiliary]
    channels = [
        (
            dataset.name.rsplit("/", 1)[-1],
            as_text(dataset.attrs.get("units", "")),
            values(path, dataset),
        )
        for dataset in (main, *auxiliary_datasets)
        if dataset is not None and dataset.shape == main.shape
    ]
    return scaled_image(path, key, title, channels, scales[0], scales[1], facets)


def _scales(path: Path, group: h5py.Group, main: h5py.Dataset) -> list[DimensionScale]:
    """One scale per dimension; pixels where none is given."""
    axes_attribute = group.attrs.get("axes", main.attrs.get("axes", ""))
    listed = np.atleast_1d(axes_attribute).tolist()
    names = [as_text(name) for name in listed]
    if len(names) == 1 and main.ndim > 1:
        names = names[0].strip("[]").replace(":", ",").split(",")
    scales = []
    for number, count in enumerate(main.shape):
        axis = _inside(group, names[number].strip()) if number < len(names) else None
        if axis is None or axis.ndim != 1:
            scales.append(DimensionScale("pixels", "", np.arange(count, dtype=float)))
            continue
        name = as_text(axis.attrs.get("long_name", "")) or names[number]
        scales.append(
            DimensionScale(name, as_text(axis.attrs.get("units", "")), values(path, axis))
        )
    return scales


def _inside(group: h5py.Group, name: str) -> h5py.Dataset | None:
    """A dataset of the group itself."""
    link = group.get(name, getlink=True) if name and "/" not in name else None
    item = group[name] if isinstance(link, h5py.HardLink) else None
    return item if isinstance(item, h5py.Dataset) else None


def _marked(group: h5py.Group) -> str:
    """The signal by the older rule: the dataset carries ``signal = 1``."""
    names = (name for name in group if (item := _inside(group, name)) is not None
             and as_text(item.attrs.get("signal", "")) == "1")  # fmt: skip
    return next(names, "")


def _facets(classes: dict[h5py.Group, str]) -> list[Facet]:
    """What the first entry, sample, user and instrument state."""
    facets: list[Facet] = []
    for name, nexus_class, datasets in TEXTS:
        group = next((item for item, kind in classes.items() if kind == nexus_class), None)
        if group is not None:
            facets += text_facets(name, first_text(group, *datasets), f"{group.name}/{datasets[0]}")
    entry = next((item for item, kind in classes.items() if kind == "NXentry"), None)
    start = first_text(entry, "start_time") if entry is not None else ""
    if entry is not None and (moment := iso_moment(start)):
        facets.append(
            Facet("acquired_at", moment, f"header:{entry.name}/start_time", raw_text=start)
        )
    processes = [group for group, kind in classes.items() if kind == "NXprocess"]
    steps = [first_text(item, "program", "description") or str(item.name) for item in processes]
    return [*facets, *processing_facets(steps, str(processes[0].name) if processes else "")]


NEEDED = ("quantity", "units", "data_type")


def read_nsid(
    path: Path, file: h5py.File, items: Sequence[h5py.Group | h5py.Dataset]
) -> Reading | None:
    """Images and spectra of an NSID file, None for other files.

    Raises:
        UnreadableFileError: it has neither.
    """
    mains = [
        item for item in items
        if isinstance(item, h5py.Dataset)
        and all(key in item.attrs for key in NEEDED)
        and item.ndim == len(item.dims)
        and any(len(dimension) for dimension in item.dims)
    ]  # fmt: skip
    if not mains:
        return None
    measurements, warnings = [], []
    for number, main in enumerate(mains):
        item = _nsid_measurement(path, str(number), main)
        if item is None:
            kind = as_text(main.attrs["data_type"]).lower().replace("_", " ")
            warnings.append(f"{main.name} is a {kind} of {main.ndim} dimensions, which is not read")
        else:
            measurements.append(item)
    if not measurements:
        raise UnreadableFileError(f"{path.name} has no image or single spectrum: {warnings[0]}")
    header = list(attributes(mains[0]).items())
    header += [(f"/{key}", text) for key, text in attributes(file).items()]
    return Reading(measurements, header, warnings)


def _nsid_measurement(path: Path, key: str, main: h5py.Dataset) -> Measurement | None:
    scales = [
        _scale(path, dimension, n) for dimension, n in zip(main.dims, main.shape, strict=True)
    ]
    attrs = attributes(main)
    name, unit = attrs["quantity"], attrs["units"]
    title = attrs.get("title") or path.stem
    names = [scale.name.lower()[:1] for scale in scales]
    if main.ndim == 1:
        return scaled_spectrum(path, key, title, name, scales[0], values(path, main), unit, [])
    if main.ndim != 2:
        return None
    data = values(path, main)
    if names == ["x", "y"]:
        data, scales = data.T, scales[::-1]
    channel = [(name, unit, data)]
    facets = (
        [Facet("technique", attrs["modality"], "header:modality")] if attrs.get("modality") else []
    )
    return scaled_image(path, key, title, channel, scales[0], scales[1], facets)


def _scale(path: Path, dimension: Any, count: int) -> DimensionScale:
    """The scale of a dimension; pixels where it has none."""
    if not len(dimension):
        return DimensionScale(dimension.label or "pixels", "", np.arange(count, dtype=float))
    scale = dimension[0]
    attrs = attributes(scale)
    name = attrs.get("name") or dimension.label or scale.name.rsplit("/", 1)[-1]
    return DimensionScale(name, attrs.get("units", ""), values(path, scale).ravel())


UNEVEN = 0.02
"""Largest relative deviation of a pixel distance from the mean."""


@dataclass(frozen=True)
class DimensionScale:
    """Positions along one dimension and their unit, "" where none is stated."""

    name: str
    unit: str
    positions: NDArray[Any]


def scaled_image(
    path: Path,
    key: str,
    title: str,
    channels: Sequence[tuple[str, str, NDArray[Any]]],
    y_scale: DimensionScale,
    x_scale: DimensionScale,
    facets: Sequence[Facet],
) -> Measurement:
    """Channels (name, unit, values (lines, points)) as an image, y ascending.

    Raises:
        UnreadableFileError: a scale is uneven or does not fit the values.
    """
    shape = channels[0][2].shape
    steps, starts, unit = [], [], "pixel"
    for scale, count in ((y_scale, shape[0]), (x_scale, shape[1])):
        factor, _, base = base_unit(scale.unit)
        step, start = _even(path, scale, count)
        steps.append(step * (factor if base else 1.0))
        starts.append(start * (factor if base else 1.0))
        unit = base or unit
    descends = steps[0] < 0
    if descends:
        steps[0], starts[0] = -steps[0], starts[0] + steps[0] * (shape[0] - 1)
    planes = [
        ScanPlane(name, unit, data[::-1] if descends else data) for name, unit, data in channels
    ]
    grid = ScanGrid(steps[0], steps[1], unit, starts[0], starts[1])
    return image(path, key, title, planes, grid, facets)


def scaled_spectrum(
    path: Path,
    key: str,
    title: str,
    quantity: str,
    scale: DimensionScale,
    data: NDArray[Any],
    unit: str,
    facets: Sequence[Facet],
) -> Measurement:
    """Values along one scale as a spectrum."""
    if scale.positions.shape != data.shape:
        raise UnreadableFileError(
            f"the {len(scale.positions)} positions of {scale.name} in {path.name} do not fit the "
            f"{len(data)} values of {quantity}; export it again"
        )
    name = re.sub(r"\W+", "_", scale.name.lower()).strip("_") or "axis"
    axis = axis_of_quantity(scale.name, scale.unit) or SpectralAxis(name, scale.unit or "1")
    coordinates = axis_coordinates(path, axis, scale.positions)
    return spectrum(key, title, coordinates, data, unit or "arb. unit", facets)


def _even(path: Path, scale: DimensionScale, count: int) -> tuple[float, float]:
    """Distance of neighbours and the first position."""
    positions = np.asarray(scale.positions, float)
    if positions.shape != (count,):
        raise UnreadableFileError(
            f"the {positions.size} positions of {scale.name} in {path.name} do not fit {count} "
            "pixels"
        )
    if count < 2:
        return 1.0, 0.0
    step = float(f"{(positions[-1] - positions[0]) / (count - 1):.9g}")
    if (
        not np.isfinite(positions).all()
        or (np.abs(np.diff(positions) - step) > UNEVEN * abs(step)).any()
    ):
        raise UnreadableFileError(
            f"the pixels of {path.name} are uneven along {scale.name}, so they do not form an "
            "image; "
            "export them on an even grid"
        )
    return step, float(positions[0])
