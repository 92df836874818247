"""Pictures of measurements: perceptual colours, a scale bar, and a mark on simulated data."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from motif.dashboard.data.point_colours import Scale, lookup_table

VERSION = 3
"""Raised whenever the same measurement would be drawn differently."""

SIZES = (128, 256, 640)
"""Allowed widths in pixels; the larger ones carry a scale bar."""

SCALE_BAR_FROM = 256
STROKE = 96
"""Brightness from which on a pixel of a letter is its stroke rather than its soft edge."""
WHITE = (255, 255, 255, 255)
CLIP = (1.0, 99.0)
"""Percentiles mapped to the ends of the colour scale."""


@dataclass(frozen=True)
class Style:
    """How to draw."""

    size: int = 128
    scale: Scale = "viridis"
    simulated: bool = False


def image_picture(frame: NDArray[np.float32], width_m: float | None, style: Style) -> bytes:
    """WebP of one channel (y, x), its longer side `style.size` pixels.

    `width_m` is the scanned width in metres; without it no scale bar is drawn.
    """
    height, width = frame.shape
    factor = style.size / max(height, width)
    shape = (max(1, round(width * factor)), max(1, round(height * factor)))
    grey = Image.fromarray(_to_bytes(frame))
    way = Image.Resampling.BOX if factor < 1 else Image.Resampling.NEAREST
    grey = grey.resize(shape, way)
    picture = Image.fromarray(lookup_table(style.scale)[np.asarray(grey)])
    draw = ImageDraw.Draw(picture, "RGBA")
    if width_m and style.size >= SCALE_BAR_FROM:
        _draw_scale_bar(draw, picture.size, width_m)
    if style.simulated:
        _draw_mark(draw, picture.size)
    return _webp(picture)


def spectrum_picture(axis: NDArray[np.float64], values: NDArray[np.float64], style: Style) -> bytes:
    """WebP of a spectrum (n,) over its axis (n,) as a line on a plain ground."""
    size = style.size
    picture = Image.new("RGB", (size, size), (246, 248, 249))
    draw = ImageDraw.Draw(picture, "RGBA")
    known = np.isfinite(axis) & np.isfinite(values)
    if known.sum() > 1:
        margin = size * 0.08
        x = _unit(axis[known]) * (size - 2 * margin) + margin
        y = size - margin - _unit(values[known]) * (size * 0.78 - margin)
        step = max(1, len(x) // (4 * size))
        line = list(zip(x[::step].tolist(), y[::step].tolist(), strict=True))
        draw.line(line, fill=(15, 118, 110), width=max(1, size // 128), joint="curve")
    if style.simulated:
        _draw_mark(draw, picture.size)
    return _webp(picture)


def nice_length(width: float) -> float:
    """The largest of 1, 2, 5 x 10^k that is at most a third of `width`."""
    decade = 10.0 ** math.floor(math.log10(width / 3))
    return max(step * decade for step in (1, 2, 5) if step * decade <= width / 3)


def length_text(metres: float) -> str:
    """A length with its usual SI prefix."""
    for unit, name in ((1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm")):
        if metres >= unit * 0.9995:
            return f"{metres / unit:.4g} {name}"
    return f"{metres / 1e-12:.4g} pm"


def _to_bytes(frame: NDArray[np.float32]) -> NDArray[np.uint8]:
    known = frame[np.isfinite(frame)]
    if known.size == 0:
        return np.zeros(frame.shape, np.uint8)
    low, high = np.percentile(known, CLIP)
    if high <= low:
        low, high = float(known.min()), float(known.max())
    span = high - low or 1.0
    scaled = np.nan_to_num((frame - low) / span, nan=0.0, posinf=1.0, neginf=0.0)
    return np.asarray(np.rint(np.clip(scaled, 0, 1) * 255), np.uint8)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    span = float(np.ptp(values)) or 1.0
    return np.asarray((values - values.min()) / span)


def _draw_scale_bar(draw: ImageDraw.ImageDraw, size: tuple[int, int], width_m: float) -> None:
    width, height = size
    length = nice_length(width_m)
    pixels = length / width_m * width
    font = _font(max(12, width // 26))
    text = length_text(length)
    left, base = width * 0.04, height * 0.955
    top = base - width * 0.014
    _, _, text_width, text_height = draw.textbbox((0, 0), text.replace("µ", "g"), font=font)
    pad = width * 0.016
    box_right = left + max(pixels, text_width) + pad
    draw.rounded_rectangle(
        (left - pad, top - text_height - 2 * pad, box_right, base + pad),
        radius=pad, fill=(0, 0, 0, 130),
    )  # fmt: skip
    draw.rectangle((left, top, left + pixels, base), fill=WHITE)
    _draw_text(draw, left, top - text_height - pad * 0.7, text, font)


def _draw_text(
    draw: ImageDraw.ImageDraw, left: float, top: float, text: str, font: ImageFont.FreeTypeFont
) -> None:
    """White text; Pillow's own font lacks the micro sign, so that is a u with a longer stem."""
    for part in re.split("(µ)", text):
        draw.text((left, top), "u" if part == "µ" else part, font=font, fill=WHITE)
        if part == "µ":
            _, u_top, _, baseline = draw.textbbox((left, top), "u", font=font)
            stem = left + _ink_begins(font)
            tail = baseline + 0.38 * (baseline - u_top)
            draw.rectangle((stem, u_top + 1, stem + max(1, font.size // 12), tail), fill=WHITE)
            part = "u"
        left += font.getlength(part)


@cache
def _ink_begins(font: ImageFont.FreeTypeFont) -> int:
    """Pixels from where a u is set to its first stroke."""
    mask = Image.new("L", (2 * int(font.size), 2 * int(font.size)))
    ImageDraw.Draw(mask).text((0, 0), "u", font=font, fill=255)
    columns = np.asarray(mask).max(axis=0)
    return int(np.flatnonzero(columns > STROKE)[0])


def _draw_mark(draw: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
    """The word "simulated" in the upper right corner."""
    width = size[0]
    font = _font(max(10, width // 34))
    _, _, text_width, text_height = draw.textbbox((0, 0), "simulated", font=font)
    pad = max(2, width // 90)
    left = width - text_width - 3 * pad
    draw.rectangle((left, 0, width, text_height + 2 * pad), fill=(0, 0, 0, 150))
    draw.text((left + 1.5 * pad, pad * 0.8), "simulated", font=font, fill=WHITE)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _webp(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82, method=4)
    return out.getvalue()
