"""Writes figures as files: a page that saves vector graphics, plotly JSON, the numbers as CSV."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from numpy.typing import NDArray

from motif.analysis.composition.figures.images import refuse_unable, write_images

MANIFEST = "figures.json"

Table = Mapping[str, Sequence[Any] | NDArray[Any]]
"""Columns of equal length by heading."""


@dataclass(frozen=True)
class Drawing:
    """A figure with the numbers it shows."""

    name: str
    figure: go.Figure
    tables: Mapping[str, Table] = field(default_factory=dict)
    """By what is put behind the drawing's name in a file's name; "" for the main table."""


def export(
    drawings: Sequence[Drawing], folder: Path, about: Mapping[str, Any], images: Sequence[str] = ()
) -> list[Path]:
    """Write every drawing into `folder`; returns the files written.

    NAME.html opens without a network (plotly.js lies beside it once) and its camera button
    saves SVG; NAME.json is the plotly figure; NAME.csv its numbers. ``figures.json`` repeats
    `about` and lists the files. `images` of "svg", "pdf" and "png" need Chromium or Chrome.

    Raises:
        ConfigError: an image format is unknown or the browser that draws it is absent.
    """
    refuse_unable(images)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for drawing in drawings:
        name = re.sub(r"[^\w.-]+", "_", drawing.name)
        page = folder / f"{name}.html"
        drawing.figure.write_html(
            page,
            include_plotlyjs="directory",
            config={
                "displaylogo": False,
                "toImageButtonOptions": {"format": "svg", "filename": name},
            },
        )
        written += [page, _write(folder / f"{name}.json", drawing.figure.to_json())]
        for suffix, table in drawing.tables.items():
            path = folder / (f"{name}-{suffix}.csv" if suffix else f"{name}.csv")
            written.append(_write_table(path, table, bool(about.get("simulated"))))
        pictures = [folder / f"{name}.{form}" for form in images]
        write_images(drawing.figure, pictures)
        written += pictures
    manifest = {**about, "files": [path.name for path in written]}
    written.append(_write(folder / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False)))
    return written


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _write_table(path: Path, table: Table, simulated: bool) -> Path:
    """Comma-separated values; simulated ones say so in a column of their own."""
    rows = [list(row) for row in zip(*table.values(), strict=True)]
    headings = list(table)
    if simulated:
        headings.append("simulated")
        rows = [[*row, "true"] for row in rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headings)
        writer.writerows(rows)
    return path
