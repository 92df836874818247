"""The contract of a reading, as the intake enforces it: what every reader's result fulfils.

Keys are unique, dimensions and dtypes are those of `motif.core.records.Measurement`, axes have
known units (lengths in metres for images), and numeric facets are finite and in SI base units.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement, Reading
from motif.core.units import si

FACET_NAME = re.compile(r"[a-z][a-z0-9_]*")
ELEMENT = re.compile(r"[A-Z][a-z]?")
KINDS = ("image", "spectrum")


def check_reading(reading: Reading, reader: str) -> None:
    """Raise `UnreadableFileError` naming the reader and the first fault of its reading.

    Args:
        reading: what the reader returned.
        reader: name of the reader.
    """
    fault = next(reading_faults(reading), None)
    if fault is not None:
        raise UnreadableFileError(
            f"Reader {reader} returned an invalid reading: {fault}; report it to its author."
        )


def reading_faults(reading: Reading) -> Iterator[str]:
    """Faults of a reading, each a clause such as ``measurement 0: axis x has no unit``."""
    keys: set[str] = set()
    for measurement in reading.measurements:
        if measurement.key in keys:
            yield f'two measurements have the key "{measurement.key}"'
        keys.add(measurement.key)
        for fault in measurement_faults(measurement):
            yield f"measurement {measurement.key or 'without a key'}: {fault}"


def measurement_faults(measurement: Measurement) -> Iterator[str]:
    """Faults of one measurement."""
    if not measurement.key:
        yield "its key is empty"
    if measurement.kind not in KINDS:
        yield f'its kind is "{measurement.kind}" instead of image or spectrum'
        return
    data = measurement.data
    if data.dtype not in (np.float32, np.float64):
        yield f"its values are {data.dtype} instead of float32 or float64"
    if not data.size:
        yield "it has no values"
    structure = _image_faults if measurement.kind == "image" else _spectrum_faults
    yield from structure(measurement)
    names: set[str] = set()
    for facet in measurement.facets:
        if facet.name in names:
            yield f"it has the facet {facet.name} twice"
        names.add(facet.name)
        yield from facet_faults(facet)
    for element in measurement.composition:
        if not ELEMENT.fullmatch(element):
            yield f'its composition names "{element}", which is not an element symbol'


def facet_faults(facet: Facet) -> Iterator[str]:
    """Faults of one facet."""
    name, value, unit = facet.name, facet.value, facet.unit
    if not FACET_NAME.fullmatch(name):
        yield f'facet "{name}" is not lower case with underscores'
    if not facet.origin:
        yield f"facet {name} has no origin"
    if isinstance(value, bool | str):
        if unit:
            yield f"facet {name} has the unit {unit} without being a number"
    elif not isinstance(value, int | float) or not math.isfinite(value):
        yield f"facet {name} is {value!r} instead of text, a flag or a finite number"
    elif (expected := _si_unit(unit)) != unit:
        correct = f"{expected} in SI" if expected else "not a known unit"
        yield f"facet {name} has the unit {unit}, which is {correct}"


def _image_faults(measurement: Measurement) -> Iterator[str]:
    data = measurement.data
    if data.dims != ("channel", "y", "x"):
        yield f"its dimensions are {data.dims} instead of ('channel', 'y', 'x')"
        return
    variables = data.coords.variables
    missing = [name for name in ("channel", "unit", "y", "x") if name not in variables]
    if missing:
        yield f"it has no coordinate {', '.join(missing)}"
        return
    channels = [str(name) for name in variables["channel"].values]
    if not all(channels) or len(set(channels)) < len(channels):
        yield f"its channels {', '.join(channels)} are not distinct names"
    for axis in ("y", "x"):
        unit = variables[axis].attrs.get("units", "")
        yield from _axis_faults(axis, unit)
        if unit != "m" and _si_unit(unit) == "m":
            yield f"axis {axis} is in {unit} instead of m"


def _spectrum_faults(measurement: Measurement) -> Iterator[str]:
    data = measurement.data
    if len(data.dims) != 1:
        yield f"its dimensions are {data.dims} instead of one axis"
        return
    axis = str(data.dims[0])
    variables = data.coords.variables
    if axis not in variables:
        yield f"it has no coordinate {axis}"
        return
    if not isinstance(data.attrs.get("units", ""), str):
        yield 'attrs["units"] of its intensity is not text'
    yield from _axis_faults(axis, variables[axis].attrs.get("units", ""))


def _axis_faults(axis: str, unit: object) -> Iterator[str]:
    if not isinstance(unit, str) or not unit:
        yield f"axis {axis} has no unit"
    elif _si_unit(unit) is None:
        yield f'axis {axis} has the unknown unit "{unit}"'


@lru_cache(maxsize=1024)
def _si_unit(unit: str) -> str | None:
    """SI base unit of a unit's dimension; None for an unknown unit.

    A unit that differs from the base unit by a factor or offset is given the base unit's name.
    """
    try:
        factor, base = si(1.0, unit)
        zero, _ = si(0.0, unit)
    except ValueError:
        return None
    if unit == base or (zero == 0 and factor == 1 and not base):
        return unit
    return base or "a pure number"
