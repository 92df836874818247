"""The picture of a map: every point, readable text, the same bytes every time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from motif.analysis.projection.map_figure import (
    FAINT,
    FIGURE_FORMATS,
    MAX_ENTRIES,
    MAX_VECTOR_POINTS,
    OTHER,
    PALETTE,
    LegendEntry,
    MapFigure,
    colour_by_label,
    figure_bytes,
    map_figure,
    write_figure,
)
from motif.core.errors import ConfigError

SVG = "{http://www.w3.org/2000/svg}"
TITLE = r"α-Fe₂O₃ <b> & (c) 5 µm Å $\frac{1}{0}$ \alpha"
XY = np.random.default_rng(0).normal(size=(300, 2))
LABELS = [("PZT", "<i>", "$x$")[k % 3] for k in range(300)]


def data(**options: Any) -> MapFigure:
    return MapFigure(
        XY, **{**colour_by_label(LABELS, 300), "title": TITLE, "legend_title": "material"} | options
    )


def svg(figure: MapFigure) -> ElementTree.Element:
    return ElementTree.fromstring(figure_bytes(map_figure(figure), "svg"))


def texts(root: ElementTree.Element) -> list[str | None]:
    return [element.text for element in root.iter(f"{SVG}text")]


def fills(root: ElementTree.Element) -> list[str]:
    points = root.findall(f".//{SVG}g[@id='points']//{SVG}use")
    return [str(point.get("style")).partition("fill: ")[2][:7] for point in points]


def test_every_point_is_drawn_once_in_its_colour() -> None:
    counts = {colour: fills(svg(data())).count(colour.lower()) for colour in PALETTE[:3]}
    assert counts == dict.fromkeys(PALETTE[:3], 100)


def test_points_that_a_filter_leaves_out_are_faint() -> None:
    drawn = fills(svg(data(shown=np.arange(300) % 3 > 0)))
    assert len(drawn) == 300
    assert drawn.count(FAINT.lower()) == 100
    assert PALETTE[0].lower() not in drawn


def test_titles_and_labels_are_text_and_never_mathematics() -> None:
    root = svg(data(subtitle="300 measurements", simulated=True))
    assert {TITLE, "300 measurements", "simulated", "material", "$x$ (100)", "<i> (100)"} <= set(
        texts(root)
    )
    assert "simulated" not in texts(svg(data()))


def test_a_selection_is_outlined() -> None:
    assert svg(data(polygon=[(-1, -1), (1, -1), (1, 1)])).find(f".//{SVG}g[@id='selection']")
    assert svg(data()).find(f".//{SVG}g[@id='selection']") is None


def test_a_long_legend_is_shortened() -> None:
    legend = [LegendEntry(f"value {k} " + "x" * 40, "#112233", k) for k in range(MAX_ENTRIES + 4)]
    drawn = texts(svg(data(legend=legend)))
    assert "and 4 more" in drawn
    assert f"{'value 0 ' + 'x' * 19}… (0)" in drawn


@pytest.mark.parametrize("file_format", FIGURE_FORMATS)
def test_equal_maps_give_equal_bytes(file_format: str) -> None:
    first, second = (figure_bytes(map_figure(data()), file_format) for _ in range(2))
    assert first == second
    beginning = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}[file_format]
    assert first.startswith(beginning)


def test_the_png_shows_all_colours() -> None:
    with Image.open(io.BytesIO(figure_bytes(map_figure(data()), "png"))) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    for colour in PALETTE[:3]:
        rgb = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        assert (pixels == rgb).all(axis=2).sum() > 1000


def test_many_points_are_drawn_as_an_image() -> None:
    n = MAX_VECTOR_POINTS + 1
    xy = np.random.default_rng(1).normal(size=(n, 2))
    drawn = figure_bytes(map_figure(MapFigure(xy, **colour_by_label(None, n))), "svg")
    assert b"<image" in drawn
    assert len(drawn) < 2_000_000


def test_letters_of_no_font_and_no_points_are_drawn() -> None:
    empty = MapFigure(np.zeros((0, 2)), **colour_by_label([], 0), title="漢字 \U0001f9ea")
    assert len(fills(svg(empty))) == 0
    assert figure_bytes(map_figure(empty), "pdf")


def test_the_most_common_values_have_colours_and_the_rest_share_one() -> None:
    labels = [k for k in range(10) for _ in range(10 - k)] + [None]
    fields = colour_by_label(labels, len(labels))
    entries = [(entry.label, entry.count) for entry in fields["legend"]]
    assert entries[:2] == [("0", 10), ("1", 9)]
    assert entries[-1] == ("other or not stated", 2 + 1 + 1)
    assert fields["palette"][int(fields["codes"][-1])] == OTHER


def test_files_are_written_by_their_ending(tmp_path: Path) -> None:
    write_figure(map_figure(data()), tmp_path / "map.SVG")
    assert ElementTree.parse(tmp_path / "map.SVG").getroot().tag == f"{SVG}svg"
    with pytest.raises(ConfigError, match="choose svg, pdf, png"):
        write_figure(map_figure(data()), tmp_path / "map.gif")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_figure(map_figure(data()), tmp_path / "nowhere" / "map.svg")
