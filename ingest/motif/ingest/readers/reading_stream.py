"""Readings through a pipe between two processes, as JSON and plain arrays.

Neither end trusts the other to be sane: nothing is unpickled.
"""

from __future__ import annotations

import io
import json
from typing import IO, Any

import numpy as np
import xarray as xr

from motif.core.records import Facet, Measurement, Reading

LARGEST = 2**31
"""Bytes of one array."""


def send(stream: IO[bytes], reading: Reading, number: int = 0) -> None:
    """Write the answer to a request: one line of JSON, then the arrays in the order it tells."""
    arrays: list[np.ndarray[Any, Any]] = []
    measurements = []
    for one in reading.measurements:
        parts = [("", one.data), *((str(name), one.data[name]) for name in one.data.coords)]
        arrays += [part.values for _, part in parts]
        measurements.append(
            {
                "key": one.key, "kind": one.kind, "title": one.title,
                "facets": [[f.name, f.value, f.origin, f.unit, f.told] for f in one.facets],
                "parts": [[name, list(part.dims), part.attrs] for name, part in parts],
            }
        )  # fmt: skip
    told = {
        "number": number, "measurements": measurements, "header": list(reading.header),
        "notes": list(reading.notes),
    }  # fmt: skip
    stream.write(json.dumps(told).encode() + b"\n")
    for array in arrays:
        block = io.BytesIO()
        np.save(block, np.ascontiguousarray(array), allow_pickle=False)
        stream.write(block.tell().to_bytes(8, "little"))
        stream.write(block.getbuffer())


def receive(stream: IO[bytes], told: dict[str, Any]) -> Reading:
    """Read the arrays that belong to the line of JSON `told`.

    Raises:
        ValueError: the stream ends, or holds something else.
    """
    measurements = []
    for one in told["measurements"]:
        parts = {name: (dims, _array(stream), attrs) for name, dims, attrs in one["parts"]}
        dims, values, attrs = parts.pop("")
        data = xr.DataArray(values, parts, dims, attrs=attrs)
        facets = [Facet(*facet) for facet in one["facets"]]
        measurements.append(Measurement(one["key"], one["kind"], one["title"], data, facets))
    header = [(key, value) for key, value in told["header"]]
    return Reading(measurements, header, told["notes"])


def _array(stream: IO[bytes]) -> np.ndarray[Any, Any]:
    size = int.from_bytes(stream.read(8), "little")
    if size > LARGEST:
        raise ValueError(f"an array of {size:,} bytes is announced")
    array: np.ndarray[Any, Any] = np.load(io.BytesIO(stream.read(size)), allow_pickle=False)
    return array
