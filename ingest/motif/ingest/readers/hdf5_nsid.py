"""NSID: arrays of one quantity whose dimensions are described by scales."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement, Reading
from motif.ingest.readers.hdf5_file import as_text, attributes, values
from motif.ingest.readers.hdf5_scales import Scale, scaled_image, scaled_spectrum

NEEDED = ("quantity", "units", "data_type")


def read_nsid(
    path: Path, file: h5py.File, found: Sequence[h5py.Group | h5py.Dataset]
) -> Reading | None:
    """Images and spectra of an NSID file, None if it is none.

    Raises:
        UnreadableFileError: it holds neither.
    """
    mains = [
        one for one in found
        if isinstance(one, h5py.Dataset)
        and all(key in one.attrs for key in NEEDED)
        and one.ndim == len(one.dims)
        and any(len(dimension) for dimension in one.dims)
    ]  # fmt: skip
    if not mains:
        return None
    measurements, notes = [], []
    for number, main in enumerate(mains):
        one = _measurement(path, str(number), main)
        if one is None:
            kind = as_text(main.attrs["data_type"]).lower().replace("_", " ")
            notes.append(f"{main.name} is a {kind} of {main.ndim} dimensions, which is not read")
        else:
            measurements.append(one)
    if not measurements:
        raise UnreadableFileError(f"{path.name} holds no image or single spectrum: {notes[0]}")
    header = list(attributes(mains[0]).items())
    header += [(f"/{key}", text) for key, text in attributes(file).items()]
    return Reading(measurements, header, notes)


def _measurement(path: Path, key: str, main: h5py.Dataset) -> Measurement | None:
    scales = [
        _scale(path, dimension, n) for dimension, n in zip(main.dims, main.shape, strict=True)
    ]
    told = attributes(main)
    name, unit = told["quantity"], told["units"]
    title = told.get("title") or path.stem
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
        [Facet("technique", told["modality"], "header:modality")] if told.get("modality") else []
    )
    return scaled_image(path, key, title, channel, scales[0], scales[1], facets)


def _scale(path: Path, dimension: Any, count: int) -> Scale:
    """The scale of a dimension; pixels where it has none."""
    if not len(dimension):
        return Scale(dimension.label or "pixels", "", np.arange(count, dtype=float))
    scale = dimension[0]
    told = attributes(scale)
    name = told.get("name") or dimension.label or scale.name.rsplit("/", 1)[-1]
    return Scale(name, told.get("units", ""), values(path, scale).ravel())
