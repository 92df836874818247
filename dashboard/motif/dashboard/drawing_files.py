"""Drawings as SVG, PDF and PNG, without any library for figures."""

from __future__ import annotations

import io
import zlib
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from motif.dashboard.drawing import INK, PAPER, Drawing

KEY_RADIUS = 6.0
BEZIER = 0.5523
"""Distance of the handles of a quarter circle of four curves, in radii."""
FINE = 2
"""Pixels of a PNG for each unit of the drawing."""


def as_svg(drawing: Drawing) -> bytes:
    """Vector graphics for the web and for editing."""
    width, height = f"{drawing.width:g}", f"{drawing.height:g}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
    ]
    for colour, places in drawing.layers:
        dots = "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{drawing.radius:.2f}"/>'
            for x, y in places.tolist()
        )
        lines.append(f'<g fill="{colour}">{dots}</g>')
    if drawing.outline:
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawing.outline)
        lines.append(f'<polygon points="{corners}" fill="none" stroke="{INK}"/>')
    lines += [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{KEY_RADIUS:g}" fill="{colour}"/>'
        for x, y, colour in drawing.keys
    ]
    lines += [
        f'<rect x="{p.x:.1f}" y="{p.y:.1f}" width="{p.width:.1f}" height="{p.height:.1f}" '
        f'fill="{p.colour}"/>'
        for p in drawing.patches
    ]
    lines += [
        f'<text x="{w.x:.1f}" y="{w.y:.1f}" font-size="{w.size:g}" fill="{INK}">'
        f"{escape(w.text)}</text>"
        for w in drawing.words
    ]
    return "\n".join([*lines, "</svg>", ""]).encode()


def as_pdf(drawing: Drawing) -> bytes:
    """Vector graphics for print; letters outside Western European ones become question marks."""
    # A drawn dot is one object used again and again; it takes the colour set before it.
    page = [f"1 0 0 -1 0 {drawing.height:g} cm", f"{_rgb(PAPER)} rg"]
    page.append(f"0 0 {drawing.width:g} {drawing.height:g} re f")
    for colour, places in drawing.layers:
        page.append(f"{_rgb(colour)} rg")
        page += [f"q 1 0 0 1 {x:.1f} {y:.1f} cm /Dot Do Q" for x, y in places.tolist()]
    for x, y, colour in drawing.keys:
        grown = KEY_RADIUS / drawing.radius
        page.append(f"{_rgb(colour)} rg q {grown:.3f} 0 0 {grown:.3f} {x:.1f} {y:.1f} cm /Dot Do Q")
    for p in drawing.patches:
        page.append(f"{_rgb(p.colour)} rg {p.x:.1f} {p.y:.1f} {p.width:.1f} {p.height:.1f} re f")
    if drawing.outline:
        (x, y), *rest = drawing.outline
        lines = " ".join(f"{x:.1f} {y:.1f} l" for x, y in rest)
        page.append(f"{_rgb(INK)} RG {x:.1f} {y:.1f} m {lines} s")
    page.append(f"{_rgb(INK)} rg")
    page += [
        f"BT /F {w.size:g} Tf 1 0 0 -1 {w.x:.1f} {w.y:.1f} Tm ({_pdf_text(w.text)}) Tj ET"
        for w in drawing.words
    ]
    box = f"0 0 {drawing.width:g} {drawing.height:g}"
    r = drawing.radius
    return _pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 4 0 R /Resources "
            "<< /Font << /F 5 0 R >> /XObject << /Dot 6 0 R >> >> >>".encode(),
            _stream("\n".join(page), ""),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            _stream(_circle(r), f"/Type /XObject /Subtype /Form /BBox [{-r} {-r} {r} {r}]"),
        ]
    )


def as_png(drawing: Drawing) -> bytes:
    """Pixels for slides."""
    size = round(drawing.width * FINE), round(drawing.height * FINE)
    picture = Image.new("RGB", size, PAPER)
    brush = ImageDraw.Draw(picture)

    def dot(x: float, y: float, radius: float, colour: str) -> None:
        box = [FINE * value for value in (x - radius, y - radius, x + radius, y + radius)]
        brush.ellipse(box, fill=colour)

    for colour, places in drawing.layers:
        for x, y in places.tolist():
            dot(x, y, drawing.radius, colour)
    for x, y, colour in drawing.keys:
        dot(x, y, KEY_RADIUS, colour)
    for p in drawing.patches:
        box = [FINE * value for value in (p.x, p.y, p.x + p.width, p.y + p.height)]
        brush.rectangle(box, fill=p.colour)
    if drawing.outline:
        corners = np.array([*drawing.outline, drawing.outline[0]]) * FINE
        brush.line([(x, y) for x, y in corners.tolist()], fill=INK, width=FINE)
    for w in drawing.words:
        font = ImageFont.load_default(round(w.size * FINE))
        # Pillow's own font has no micro sign and little beyond Western European letters.
        plain = w.text.replace("µ", "u").replace("…", "...").replace("–", "-")
        text = plain.encode("latin-1", "replace").decode("latin-1")
        brush.text((w.x * FINE, w.y * FINE), text, fill=INK, font=font, anchor="ls")
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _rgb(colour: str) -> str:
    return " ".join(f"{int(colour[k : k + 2], 16) / 255:.3f}" for k in (1, 3, 5))


def _pdf_text(text: str) -> str:
    plain = text.encode("cp1252", "replace").decode("latin-1")
    return plain.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _circle(r: float) -> str:
    h = BEZIER * r
    return (
        f"{r:g} 0 m {r:g} {h:g} {h:g} {r:g} 0 {r:g} c {-h:g} {r:g} {-r:g} {h:g} {-r:g} 0 c "
        f"{-r:g} {-h:g} {-h:g} {-r:g} 0 {-r:g} c {h:g} {-r:g} {r:g} {-h:g} {r:g} 0 c f"
    )


def _stream(content: str, entries: str) -> bytes:
    packed = zlib.compress(content.encode("latin-1"))
    head = f"<< {entries} /Length {len(packed)} /Filter /FlateDecode >>\nstream\n"
    return head.encode() + packed + b"\nendstream"


def _pdf(objects: list[bytes]) -> bytes:
    """Objects numbered from 1, the first of them the catalog, as a file with its table."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)
