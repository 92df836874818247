"""A map drawn as a picture: points in the colours of a facet, with a legend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

SIZE, MARGIN, LEGEND = 1200, 40, 300
"""Pixels: side of the map, its margin, width of the legend."""
# Okabe & Ito's palette: told apart also by people who see colours differently.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000",
)  # fmt: skip
OTHER = "#B4B4B4"
PAPER, INK = "#FFFFFF", "#222222"

Labels = Sequence[Any] | None


def svg(path: Path, xy: NDArray[Any], labels: Labels, title: str) -> None:
    """Draw coordinates (n, 2 or more) as vectors."""
    places, radius = _places(xy), _radius(len(xy))
    colours, legend = _coloured(labels, len(xy))
    width = SIZE + (LEGEND if legend else 0)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{SIZE}" '
        f'viewBox="0 0 {width} {SIZE}" font-family="sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{SIZE}" fill="{PAPER}"/>',
    ]
    for (x, y), colour in zip(places.tolist(), colours, strict=True):
        lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')
    for place, (name, colour) in enumerate(legend):
        y = MARGIN + 28 * place
        lines.append(f'<circle cx="{SIZE + 12}" cy="{y}" r="7" fill="{colour}"/>')
        lines.append(f'<text x="{SIZE + 28}" y="{y + 6}" fill="{INK}">{escape(name)}</text>')
    path.write_text("\n".join([*lines, "</svg>\n"]), encoding="utf-8")


def png(path: Path, xy: NDArray[Any], labels: Labels, title: str) -> None:
    """Draw coordinates (n, 2 or more) as pixels."""
    from PIL import Image, ImageDraw, ImageFont
    from PIL.PngImagePlugin import PngInfo

    places, radius = _places(xy), _radius(len(xy))
    colours, legend = _coloured(labels, len(xy))
    picture = Image.new("RGB", (SIZE + (LEGEND if legend else 0), SIZE), PAPER)
    draw = ImageDraw.Draw(picture)
    for (x, y), colour in zip(places.tolist(), colours, strict=True):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    font = ImageFont.load_default(16)
    for place, (name, colour) in enumerate(legend):
        y = MARGIN + 28 * place
        draw.ellipse((SIZE + 5, y - 7, SIZE + 19, y + 7), fill=colour)
        draw.text((SIZE + 28, y - 9), name, fill=INK, font=font)
    told = PngInfo()
    told.add_itxt("Title", title)
    picture.save(path, pnginfo=told)


def _places(xy: NDArray[Any]) -> NDArray[np.float64]:
    """Pixels of the first two coordinates, y upwards, the proportions kept."""
    plane = np.asarray(xy[:, :2], np.float64)
    middle = (plane.min(0) + plane.max(0)) / 2
    extent = float(np.ptp(plane, axis=0).max()) or 1.0
    scaled = (plane - middle) * (SIZE - 2 * MARGIN) / extent
    return np.stack([SIZE / 2 + scaled[:, 0], SIZE / 2 - scaled[:, 1]], axis=1)


def _radius(n: int) -> float:
    return round(float(np.clip(120 / np.sqrt(n), 1.2, 7)), 1)


def _coloured(labels: Labels, n: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Colour of each point, and the legend: the most common values, the rest as one."""
    if labels is None:
        return [COLOURS[0]] * n, []
    counts = Counter(str(label) for label in labels if label is not None)
    named = dict(zip([name for name, _ in counts.most_common()], COLOURS, strict=False))
    legend = [(f"{name[:28]} ({counts[name]:,})", colour) for name, colour in named.items()]
    rest = n - sum(counts[name] for name in named)
    if rest:
        legend.append((f"other or not told ({rest:,})", OTHER))
    return [
        named.get(str(label), OTHER) if label is not None else OTHER for label in labels
    ], legend
