"""Figures as files: pages that save vector graphics, Plotly JSON, numbers as CSV, images.

SVG, PDF and PNG files are drawn by the Chromium or Chrome of this machine, without a window.
"""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import plotly.graph_objects as go
from numpy.typing import NDArray

from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from motif.analysis.composition.study.composition_study import CompositionStudy

MANIFEST = "figures.json"
IMAGE_FORMATS = ("svg", "pdf", "png")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER_OPTIONS = ("--headless", "--disable-gpu", "--no-sandbox", "--disable-dev-shm-usage")
"""Without a sandbox: the only page shown is written here, and containers seldom allow one."""
DEFAULT_WIDTH = 960
DRAWING_TIME_MS = 20_000
"""Time on the page's own clock after which it counts as drawn."""
BROWSER_TIMEOUT = 120.0
"""Seconds a browser may take."""
SVG_PREFIX = "data:image/svg+xml,"

FigureTable = Mapping[str, Sequence[Any] | NDArray[Any]]
"""Columns of equal length by heading."""


@dataclass(frozen=True)
class StudyFigure:
    """A figure with the numbers it shows."""

    name: str
    figure: go.Figure
    tables: Mapping[str, FigureTable] = field(default_factory=dict)
    """By the suffix of the table's file name; "" for the main table."""


def study_description(study: CompositionStudy, kind: str) -> dict[str, Any]:
    """The entries of ``figures.json`` that describe a study and the kind of its gradients."""
    summary = study.derivation.summary
    return {
        "derivation": study.derivation.id,
        "collection": study.derivation.collection,
        "target": summary["target"],
        "gradient": "partial" if kind == "composition" else kind,
        "units": summary["units"],
        "simulated": summary["simulated"],
    }


def write_figures(
    figures: Sequence[StudyFigure],
    folder: Path,
    description: Mapping[str, Any],
    images: Sequence[str] = (),
) -> list[Path]:
    """Write every figure into `folder`; returns the files written.

    NAME.html opens without a network (plotly.js is stored once in the folder) and its camera
    button saves SVG; NAME.json is the Plotly figure; NAME.csv has its numbers. ``figures.json``
    repeats `description` and lists figures and files. `images` of "svg", "pdf" and "png" need
    Chromium or Chrome.

    Raises:
        ConfigError: an image format is unknown, or the browser that draws it is not installed.
    """
    require_image_support(images)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for figure in figures:
        name = re.sub(r"[^\w.-]+", "_", figure.name)
        page = folder / f"{name}.html"
        figure.figure.write_html(
            page,
            include_plotlyjs="directory",
            config={
                "displaylogo": False,
                "toImageButtonOptions": {"format": "svg", "filename": name},
            },
        )
        written += [page, _write(folder / f"{name}.json", figure.figure.to_json())]
        for suffix, table in figure.tables.items():
            path = folder / (f"{name}-{suffix}.csv" if suffix else f"{name}.csv")
            written.append(_write_table(path, table, bool(description.get("simulated"))))
        image_paths = [folder / f"{name}.{image_format}" for image_format in images]
        write_images(figure.figure, image_paths)
        written += image_paths
    manifest = {
        **description,
        "figures": [figure.name for figure in figures],
        "files": [path.name for path in written],
    }
    written.append(_write(folder / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False)))
    return written


def browser() -> str | None:
    """Path of Chromium or Chrome, None where neither is installed."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def require_image_support(formats: Sequence[str]) -> None:
    """Raise `ConfigError` unless images of all these formats can be drawn."""
    for image_format in formats:
        if image_format not in IMAGE_FORMATS:
            raise ConfigError(
                f"Figures are not written as {image_format}; choose {', '.join(IMAGE_FORMATS)}."
            )
    if formats and browser() is None:
        raise ConfigError(
            f"{formats[0].upper()} files are drawn by Chromium or Chrome, and neither is "
            "installed; install one, or leave out --image, open a figure's page and save it as "
            "SVG with the camera button."
        )


def write_images(figure: go.Figure, paths: Sequence[Path]) -> None:
    """Draw a figure into files ending in svg, pdf or png.

    Raises:
        ConfigError: no browser is installed, or it did not draw.
    """
    require_image_support([path.suffix[1:] for path in paths])
    program = browser()
    if program is None or not paths:
        return
    width = int(figure.layout.width or DEFAULT_WIDTH)
    height = int(figure.layout.height or DEFAULT_WIDTH * 3 // 4)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        svg = _draw_svg(program, figure, folder, width, height)
        page = folder / "image.html"
        page.write_text(_image_page(svg, width, height), encoding="utf-8")
        for path in paths:
            if path.suffix == ".svg":
                path.write_text(svg, encoding="utf-8")
                continue
            output = ["--no-pdf-header-footer", f"--print-to-pdf={path.absolute()}"]
            if path.suffix == ".png":
                size = [f"--window-size={width},{height}", "--force-device-scale-factor=2"]
                output = [*size, f"--screenshot={path.absolute()}"]
            _run_browser(program, folder, [*output, page.as_uri()])
            if not path.exists():
                raise ConfigError(f"{program} did not write {path.name}; draw it as SVG instead.")


def _draw_svg(program: str, figure: go.Figure, folder: Path, width: int, height: int) -> str:
    """The figure as SVG text."""
    from plotly.offline import get_plotlyjs

    (folder / "plotly.js").write_text(get_plotlyjs(), encoding="utf-8")
    size = {"format": "svg", "width": width, "height": height}
    document = str(figure.to_json()).replace("</", "<\\/")
    page = folder / "figure.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><script src="plotly.js"></script><body><script>'
        f"Plotly.toImage({document}, {json.dumps(size)}).then(url => "
        "{document.body.textContent = url});</script></body>",
        encoding="utf-8",
    )
    wait = f"--virtual-time-budget={DRAWING_TIME_MS}"
    dumped = _run_browser(program, folder, [wait, "--dump-dom", page.as_uri()])
    _, prefix, rest = html.unescape(dumped).partition(SVG_PREFIX)
    if not prefix:
        raise ConfigError(
            f"{program} did not draw the figure; open its page and save it as SVG "
            "with the camera button."
        )
    return unquote(rest.partition("</body>")[0])


def _image_page(svg: str, width: int, height: int) -> str:
    """A page of exactly the size of the image."""
    return (
        '<!doctype html><meta charset="utf-8"><style>'
        f"@page {{size: {width}px {height}px; margin: 0}} body {{margin: 0}} svg {{display: block}}"
        f"</style><body>{svg}</body>"
    )


def _run_browser(program: str, folder: Path, arguments: list[str]) -> str:
    """Run the browser with its profile in `folder`; returns its standard output."""
    command = [program, *BROWSER_OPTIONS, f"--user-data-dir={folder / 'profile'}", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=BROWSER_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{program} could not draw: {error}.") from None
    return done.stdout.decode("utf-8", "replace")


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _write_table(path: Path, table: FigureTable, simulated: bool) -> Path:
    """Comma-separated values; those of simulated data have a column that marks them."""
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
