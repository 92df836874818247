"""Draws figures as SVG, PDF and PNG files with the browser of this machine, without a window."""

from __future__ import annotations

import html
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from motif.core.errors import ConfigError

IMAGES = ("svg", "pdf", "png")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = ("--headless", "--disable-gpu", "--no-sandbox", "--disable-dev-shm-usage")
"""No sandbox: the one page shown is written here, and containers seldom allow one."""
WIDTH = 960
PATIENCE_MS = 20_000
"""Time of the page's own clock after which it counts as drawn."""
LIMIT = 120.0
"""Seconds a browser may take."""
START = "data:image/svg+xml,"


def browser() -> str | None:
    """Path of Chromium or Chrome, None where there is neither."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def refuse_unable(forms: Sequence[str]) -> None:
    """Raise `ConfigError` unless pictures can be drawn in all these formats."""
    for form in forms:
        if form not in IMAGES:
            raise ConfigError(f"Figures are not written as {form}; choose {', '.join(IMAGES)}.")
    if forms and browser() is None:
        raise ConfigError(
            f"{forms[0].upper()} files are drawn by Chromium or Chrome, and neither is installed; "
            "install one, or leave out --image, open a figure's page and save it as SVG with the "
            "camera button."
        )


def write_images(figure: go.Figure, paths: Sequence[Path]) -> None:
    """Draw a figure into files ending in svg, pdf or png.

    Raises:
        ConfigError: there is no browser, or it did not draw.
    """
    refuse_unable([path.suffix[1:] for path in paths])
    program = browser()
    if program is None or not paths:
        return
    width = int(figure.layout.width or WIDTH)
    height = int(figure.layout.height or WIDTH * 3 // 4)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "plotly.js").write_text(get_plotlyjs(), encoding="utf-8")
        drawing = _drawn(program, figure, place, width, height)
        page = place / "picture.html"
        page.write_text(_paper(drawing, width, height), encoding="utf-8")
        for path in paths:
            if path.suffix == ".svg":
                path.write_text(drawing, encoding="utf-8")
                continue
            output = ["--no-pdf-header-footer", f"--print-to-pdf={path.absolute()}"]
            if path.suffix == ".png":
                size = [f"--window-size={width},{height}", "--force-device-scale-factor=2"]
                output = [*size, f"--screenshot={path.absolute()}"]
            _run(program, place, [*output, page.as_uri()])
            if not path.exists():
                raise ConfigError(f"{program} did not write {path.name}; draw it as SVG instead.")


def _drawn(program: str, figure: go.Figure, place: Path, width: int, height: int) -> str:
    """The figure as SVG text."""
    size = {"format": "svg", "width": width, "height": height}
    told = str(figure.to_json()).replace("</", "<\\/")
    page = place / "figure.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><script src="plotly.js"></script><body><script>'
        f"Plotly.toImage({told}, {json.dumps(size)}).then(url => "
        "{document.body.textContent = url});</script></body>",
        encoding="utf-8",
    )
    wait = f"--virtual-time-budget={PATIENCE_MS}"
    dumped = _run(program, place, [wait, "--dump-dom", page.as_uri()])
    _, found, rest = html.unescape(dumped).partition(START)
    if not found:
        raise ConfigError(
            f"{program} did not draw the figure; open its page and save it as SVG "
            "with the camera button."
        )
    return unquote(rest.partition("</body>")[0])


def _paper(drawing: str, width: int, height: int) -> str:
    """A page of exactly the drawing's size."""
    return (
        '<!doctype html><meta charset="utf-8"><style>'
        f"@page {{size: {width}px {height}px; margin: 0}} body {{margin: 0}} svg {{display: block}}"
        f"</style><body>{drawing}</body>"
    )


def _run(program: str, place: Path, arguments: list[str]) -> str:
    """What the browser writes to its standard output."""
    command = [program, *OPTIONS, f"--user-data-dir={place / 'profile'}", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{program} could not draw: {error}.") from None
    return done.stdout.decode("utf-8", "replace")
