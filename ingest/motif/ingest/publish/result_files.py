"""Files of a published result: its arrays as safetensors, its figures as HTML pages or SVG.

A safetensors file is eight bytes of header length, a JSON header and plain little-endian numbers;
any language reads it without running code. ``__metadata__.motif`` holds, as JSON, how the result
was computed. Text arrays are matrices of UTF-8 bytes (n, width), padded with zeros, and listed
under ``text``.

A package offers figures through an entry point of the group ``motif.figures``, named after the
stage: a function of (workspace, derivation) that returns figures by name, each a Plotly figure or
the bytes of an SVG file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motif.core.catalog.database import Derivation
from motif.core.provenance.stages import stage
from motif.core.records import canonical_json, content_id
from motif.core.workspace import Workspace
from motif.ingest.datafed.metadata_json import from_json, to_json
from motif.ingest.sync.containment import failure_reason, log_failure
from motif.ingest.sync.scratch import is_disk_full

SUFFIX = ".safetensors"
FORMAT = "safetensors"
FIGURE_GROUP = "motif.figures"


def write_arrays(
    path: Path, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
) -> str:
    """Write a safetensors file; equal contents give equal bytes. Returns its SHA-256."""
    from safetensors.numpy import save

    plain: dict[str, NDArray[Any]] = {}
    text = []
    for name in sorted(arrays):
        values = np.asarray(arrays[name])
        if values.dtype.kind in "SU":
            text.append(name)
            values = _bytes(values)
        plain[name] = np.array(values, order="C")
    metadata = canonical_json(to_json({**document, "text": text}))
    data = save(plain, {"motif": metadata})
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read_arrays(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays (text with dtype ``S``) and document of a published safetensors file."""
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        document = from_json(json.loads(file.metadata()["motif"]))
    for name in document.pop("text"):
        values = np.ascontiguousarray(arrays[name])
        width = values.shape[-1]
        arrays[name] = np.frombuffer(values.tobytes(), f"S{width}").reshape(values.shape[:-1])
    return arrays, document


def describe_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, Any]]:
    """Shape and type of each array."""
    return {
        name: {"shape": list(array.shape), "dtype": "text" if array.dtype.kind in "SU" else
               array.dtype.name}
        for name, array in sorted(arrays.items())
    }  # fmt: skip


def write_figures(
    workspace: Workspace, derivation: Derivation, folder: Path
) -> tuple[dict[str, Path], list[str]]:
    """Draw all figures of a result and write each as an HTML page or an SVG file.

    A figure plugin that fails costs its own figures only.

    Returns:
        paths by figure name, and one sentence for each failure.
    """
    paths: dict[str, Path] = {}
    failures: list[str] = []
    plugin = stage(derivation.stage).figure or derivation.stage
    for point in entry_points(group=FIGURE_GROUP, name=plugin):
        name = point.name
        try:
            draw: Callable[[Workspace, Derivation], Mapping[str, Any]] = point.load()
            for name, figure in draw(workspace, derivation).items():
                identity = content_id(derivation.id, "figure", name)
                paths[name] = _write_figure(figure, folder, name, identity[:12])
        except Exception as error:
            if is_disk_full(error):
                raise
            log_failure(f"figure {name}", error, f"{derivation.stage} {derivation.id[:12]}")
            failures.append(failure_reason(f"figure {name}", error))
    return paths, failures


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    encoded = np.char.encode(values, "utf-8") if values.dtype.kind == "U" else values
    width = max(encoded.dtype.itemsize, 1)
    padded = encoded.astype(f"S{width}")
    return np.frombuffer(padded.tobytes(), np.uint8).reshape(*padded.shape, width)


def _write_figure(figure: Any, folder: Path, name: str, identity: str) -> Path:
    """An SVG file, or a page that needs no network; equal figures give equal bytes."""
    if isinstance(figure, bytes):
        path = folder / f"{name}-{identity}.svg"
        path.write_bytes(figure)
        return path
    path = folder / f"{name}-{identity}.html"
    page = figure.to_html(include_plotlyjs=True, div_id=f"motif-{identity}")
    path.write_text(page, encoding="utf-8")
    return path
