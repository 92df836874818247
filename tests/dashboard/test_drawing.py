"""The map as a file: what is drawn is what is seen, and each format is one its readers open."""

from __future__ import annotations

import io
import re
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from motif.dashboard.drawing import FAINT, MOST, Drawing, draw
from motif.dashboard.drawing_files import as_pdf, as_png, as_svg
from motif.dashboard.parts.map import Legend
from motif.dashboard.placement import place

COLOURS = ["#4477aa", "#ee7733"]
SVG = "{http://www.w3.org/2000/svg}"


def a_drawing(n: int = 300, title: str = "a <b> & (c) µm \\") -> Drawing:
    rng = np.random.default_rng(0)
    placement = place("x", [str(k) for k in range(n)], rng.normal(size=(n, 2)).astype(np.float32))
    codes = (np.arange(n) % 2).astype(np.uint8)
    legend = Legend("Material", COLOURS, labels=["PZT", "<i>"], counts=[n // 2, n - n // 2])
    shown = np.arange(n) % 3 > 0
    corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0)]
    return draw(placement, codes, shown, legend, corners, title, "simulated data")


def test_every_point_is_drawn_once_in_its_colour_and_inside() -> None:
    made = a_drawing()
    by_colour = {colour: len(places) for colour, places in made.layers}
    assert by_colour == {FAINT: 100, COLOURS[0]: 100, COLOURS[1]: 100}
    for _, places in made.layers:
        assert (places >= 0).all()
        assert (places[:, 0] <= made.width).all()
        assert (places[:, 1] <= made.height).all()


def test_of_many_points_a_sample_is_drawn_and_said_to_be_one() -> None:
    made = a_drawing(MOST + 1000)
    assert sum(len(places) for _, places in made.layers) == MOST
    assert any("fair sample of 50,000" in words.text for words in made.words)


def test_the_svg_is_one_and_shows_texts_as_texts() -> None:
    made = a_drawing()
    root = ElementTree.fromstring(as_svg(made))
    assert len(root.findall(f".//{SVG}g/{SVG}circle")) == 300
    texts = [one.text for one in root.findall(f"{SVG}text")]
    assert "a <b> & (c) µm \\" in texts
    assert len(root.findall(f"{SVG}polygon")) == 1


def test_the_pdf_is_one() -> None:
    data = as_pdf(a_drawing())
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF", data)[0])
    assert data[start : start + 4] == b"xref"
    for number, at in enumerate(re.findall(rb"(\d{10}) 00000 n", data), 1):
        assert data[int(at) :].startswith(b"%d 0 obj" % number)
    (page, _) = re.findall(rb"/FlateDecode >>\nstream\n(.*?)\nendstream", data, re.DOTALL)
    content = zlib.decompress(page).decode("latin-1")
    assert content.count("/Dot Do") == 302
    assert r"(a <b> & \(c\) µm \\) Tj" in content


def test_the_png_shows_both_colours() -> None:
    picture = np.asarray(Image.open(io.BytesIO(as_png(a_drawing()))))
    for colour in COLOURS:
        rgb = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        assert (picture == rgb).all(axis=2).sum() > 1000


@pytest.mark.parametrize("write", [as_svg, as_pdf, as_png])
def test_a_scale_and_no_points_are_drawn_too(write: object) -> None:
    empty = place("x", [], np.zeros((0, 2), np.float32))
    legend = Legend("Size", ["#000000", "#ffffff"], continuous=True, low="1 nm", high="5 µm")
    none = np.zeros(0, np.uint8)
    made = draw(empty, none, none.astype(bool), legend, (), "t", "")
    assert callable(write)
    assert write(made)
