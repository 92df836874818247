"""Arrays of a result as one safetensors file that any language reads without running code.

The file is eight bytes of header length, a JSON header and plain little-endian numbers. Under
``__metadata__.motif`` it carries, as JSON, how the result was made. Text arrays are matrices of
UTF-8 bytes (n, width), padded with zeros, and named under ``text``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.records import canonical_json
from motif.ingest.datafed.metadata import from_json, to_json

SUFFIX = ".safetensors"
FORMAT = "safetensors"


def write(path: Path, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> str:
    """Write the file; equal contents are equal bytes. Returns its SHA-256."""
    from safetensors.numpy import save

    plain: dict[str, NDArray[Any]] = {}
    text = []
    for name in sorted(arrays):
        values = np.asarray(arrays[name])
        if values.dtype.kind in "SU":
            text.append(name)
            values = _bytes(values)
        plain[name] = np.array(values, order="C")
    told = canonical_json(to_json({**document, "text": text}))
    data = save(plain, {"motif": told})
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays, text as dtype ``S``, and the document of a published file."""
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        document = from_json(json.loads(file.metadata()["motif"]))
    for name in document.pop("text"):
        values = np.ascontiguousarray(arrays[name])
        width = values.shape[-1]
        arrays[name] = np.frombuffer(values.tobytes(), f"S{width}").reshape(values.shape[:-1])
    return arrays, document


def described(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, Any]]:
    """Shape and type of each array."""
    return {
        name: {"shape": list(array.shape), "dtype": "text" if array.dtype.kind in "SU" else
               array.dtype.name}
        for name, array in sorted(arrays.items())
    }  # fmt: skip


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    encoded = np.char.encode(values, "utf-8") if values.dtype.kind == "U" else values
    width = max(encoded.dtype.itemsize, 1)
    padded = encoded.astype(f"S{width}")
    return np.frombuffer(padded.tobytes(), np.uint8).reshape(*padded.shape, width)
