"""NeXus: groups of class ``NXdata`` that name their signal and its axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from motif.core.clock import iso_moment
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement, Reading
from motif.ingest.readers.hdf5_file import as_text, attributes, first_text, values
from motif.ingest.readers.hdf5_scales import Scale, scaled_image, scaled_spectrum
from motif.ingest.readers.processing import processing
from motif.ingest.readers.spm_values import told

TEXTS = (
    ("material", "NXsample", ("chemical_formula", "name")), ("operator", "NXuser", ("name",)),
    ("instrument", "NXinstrument", ("name",)), ("technique", "NXentry", ("definition",)),
    ("remark", "NXentry", ("experiment_description",)),
)  # fmt: skip
"""Facet, class of the group, and datasets that may tell it."""


def read_nexus(
    path: Path, file: h5py.File, found: Sequence[h5py.Group | h5py.Dataset]
) -> Reading | None:
    """Images and spectra of a NeXus file, None if it is none.

    Raises:
        UnreadableFileError: it holds neither.
    """
    groups = [one for one in found if isinstance(one, h5py.Group)]
    classes = {one: as_text(one.attrs.get("NX_class", "")) for one in groups}
    data = [one for one in groups if classes[one] == "NXdata"]
    if not data and "NXentry" not in classes.values():
        return None
    facets = _facets(classes)
    measurements: list[Measurement] = []
    notes: list[str] = []
    for group in data:
        one = _measurement(path, str(len(measurements)), group, facets, notes)
        measurements += [one] if one is not None else []
    if not measurements:
        why = f": {notes[0]}" if notes else ""
        raise UnreadableFileError(f"{path.name} is a NeXus file without an image or spectrum{why}")
    header = [
        (f"{one.name}@{key}", text) for one in groups for key, text in attributes(one).items()
    ]
    header += [
        (str(one.name), as_text(one[()])) for one in found
        if isinstance(one, h5py.Dataset) and one.shape == () and not one.external
    ]  # fmt: skip
    return Reading(measurements, header, notes)


def _measurement(
    path: Path, key: str, group: h5py.Group, facets: Sequence[Facet], notes: list[str]
) -> Measurement | None:
    """The signal of a group with its auxiliary signals, None (and a remark) if it is no image."""
    signal = as_text(group.attrs.get("signal", "")) or _marked(group)
    main = _inside(group, signal)
    if main is None:
        notes.append(f"{group.name} in {path.name} names no signal that is there")
        return None
    if main.ndim not in (1, 2):
        notes.append(f"{main.name} has {main.ndim} dimensions and is neither image nor spectrum")
        return None
    scales = _scales(path, group, main)
    title = as_text(group.attrs.get("title", "")) or first_text(group, "title") or path.stem
    unit = as_text(main.attrs.get("units", ""))
    if main.ndim == 1:
        data = values(path, main)
        return scaled_spectrum(path, key, title, signal, scales[0], data, unit, facets)
    auxiliary = np.atleast_1d(group.attrs.get("auxiliary_signals", [])).tolist()
    others = [_inside(group, as_text(name)) for name in auxiliary]
    channels = [
        (one.name.rsplit("/", 1)[-1], as_text(one.attrs.get("units", "")), values(path, one))
        for one in (main, *others)
        if one is not None and one.shape == main.shape
    ]
    return scaled_image(path, key, title, channels, scales[0], scales[1], facets)


def _scales(path: Path, group: h5py.Group, main: h5py.Dataset) -> list[Scale]:
    """One scale a dimension; pixels where none is told."""
    told_axes = group.attrs.get("axes", main.attrs.get("axes", ""))
    listed = np.atleast_1d(told_axes).tolist()
    names = [as_text(one) for one in listed]
    if len(names) == 1 and main.ndim > 1:
        names = names[0].strip("[]").replace(":", ",").split(",")
    scales = []
    for number, count in enumerate(main.shape):
        axis = _inside(group, names[number].strip()) if number < len(names) else None
        if axis is None or axis.ndim != 1:
            scales.append(Scale("pixels", "", np.arange(count, dtype=float)))
            continue
        name = as_text(axis.attrs.get("long_name", "")) or names[number]
        scales.append(Scale(name, as_text(axis.attrs.get("units", "")), values(path, axis)))
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
    """What the entry, its sample, user and instrument tell; the first of a kind counts."""
    facets: list[Facet] = []
    for name, wanted, datasets in TEXTS:
        group = next((one for one, kind in classes.items() if kind == wanted), None)
        if group is not None:
            facets += told(name, first_text(group, *datasets), f"header:{group.name}/{datasets[0]}")
    entry = next((one for one, kind in classes.items() if kind == "NXentry"), None)
    start = first_text(entry, "start_time") if entry is not None else ""
    if entry is not None and (moment := iso_moment(start)):
        facets.append(Facet("acquired_at", moment, f"header:{entry.name}/start_time", told=start))
    processes = [group for group, kind in classes.items() if kind == "NXprocess"]
    steps = [first_text(one, "program", "description") or str(one.name) for one in processes]
    return [*facets, *processing(steps, str(processes[0].name) if processes else "")]
