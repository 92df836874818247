"""The map as a picture: what is drawn is what the page shows."""

from __future__ import annotations

import numpy as np
import pytest

from motif.analysis.projection.map_figure import FIGURE_FORMATS, MapFigure, figure_bytes, map_figure
from motif.dashboard.components.map_view.map_component import Legend
from motif.dashboard.data.point_colours import OTHER
from motif.dashboard.data.point_grid import place
from motif.dashboard.export.selection_export import map_image

COLOURS = ["#4477aa", "#ee7733", "#228833"]
XY = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)


def image() -> MapFigure:
    placement = place("x", [str(k) for k in range(300)], XY)
    codes = (np.arange(300) % 2).astype(np.uint8)
    legend = Legend("Material", COLOURS, labels=["PZT", "<i>", "BFO"], counts=[150, 150, 0])
    shown = np.arange(300) % 3 > 0
    corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0)]
    return map_image(
        placement, codes, shown, legend, polygon=corners, title="a map", subtitle="200 of 300",
        simulated=True,
    )  # fmt: skip


def test_positions_are_those_of_the_map() -> None:
    placement = place("x", [str(k) for k in range(300)], XY)
    np.testing.assert_allclose(image().xy, XY[placement.rows], atol=1e-3)


def test_the_legend_lists_the_values_of_shown_points() -> None:
    entries = [(entry.label, entry.colour, entry.count) for entry in image().legend]
    assert entries == [("PZT", COLOURS[0], 150), ("<i>", COLOURS[1], 150)]
    assert image().legend_title == "Material"


def test_every_code_has_a_colour() -> None:
    assert list(image().palette[:3]) == COLOURS
    assert set(image().palette[3:]) == {OTHER}
    assert len(image().palette) == 256


@pytest.mark.parametrize("file_format", FIGURE_FORMATS)
def test_a_scale_without_points_is_drawn(file_format: str) -> None:
    empty = place("x", [], np.zeros((0, 2), np.float32))
    legend = Legend("Size", ["#000000", "#ffffff"], continuous=True, low="1 nm", high="5 µm")
    none = np.zeros(0, np.uint8)
    data = map_image(empty, none, none.astype(bool), legend)
    assert data.colour_bar is not None
    assert (data.colour_bar.low, data.colour_bar.high) == ("1 nm", "5 µm")
    assert len(set(data.palette)) > 200
    assert figure_bytes(map_figure(data), file_format)
