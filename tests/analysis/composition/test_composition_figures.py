"""Figures: right numbers in the right places, in both themes, marked when simulated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest

from motif.analysis.composition import figures
from motif.analysis.composition.figures import figure_files
from motif.analysis.composition.figures.composition_map import (
    CORNERS,
    CompositionMap,
    barycentric,
    group_direction,
)
from motif.analysis.composition.figures.sample_card import SampleCard
from motif.analysis.composition.gradients.element_similarity import (
    align_units,
    element_groups,
    pearson,
    weight_similarity,
)

ELEMENTS = ("Bi", "V", "W", "Dy", "Gd", "Mo", "Tb")
RNG = np.random.default_rng(4)
N, E, L = 60, 7, 50
GRADIENT = RNG.normal(size=(N, E))
GRADIENT[:, 5] = GRADIENT[:, 2] + 0.1 * RNG.normal(size=N)
GRADIENT[:, 6] = GRADIENT[:, 4] + 0.1 * RNG.normal(size=N)
GRADIENT[:, 3] = GRADIENT[:, 4] + 0.1 * RNG.normal(size=N)
GRADIENT -= GRADIENT.mean(1, keepdims=True)
ALLOY = RNG.dirichlet(np.ones(5), N) * 0.1
COMPOSITION = np.concatenate([np.full((N, 2), 0.45), ALLOY], 1)
AGREEMENT = RNG.choice([0.5, 0.75, 1.0], (N, E))
AXIS = np.linspace(100, 900, L)
SPECTRUM_GRADIENT = RNG.normal(size=(N, L))


def draw(name: str, **options: Any) -> go.Figure:
    made = {
        "map": lambda: figures.composition_map(
            CompositionMap(COMPOSITION, ELEMENTS, GRADIENT[:, 0], GRADIENT, AGREEMENT), **options
        ),
        "card": lambda: figures.sample_card(
            SampleCard(
                ELEMENTS,
                COMPOSITION[0],
                GRADIENT[0],
                np.abs(GRADIENT[1]),
                AGREEMENT[0],
                AXIS,
                np.ones(L),
                SPECTRUM_GRADIENT[0],
                np.ones(L),
            ),
            **options,
        ),
        "pairs": lambda: figures.element_pairs(GRADIENT, ELEMENTS, **options),
        "bands": lambda: figures.band_map(GRADIENT, SPECTRUM_GRADIENT, ELEMENTS, AXIS, **options),
        "weights": lambda: figures.weight_maps(RNG.normal(size=(5, E, 16)), ELEMENTS, **options),
        "parity": lambda: figures.parity(
            GRADIENT[:, 0], GRADIENT[:, 1], fold=np.arange(N) % 5, r2=0.5, **options
        ),
        "learning": lambda: figures.learning_curve([10, 20], {"network": [0.1, 0.2]}, **options),
    }
    return made[name]()


NAMES = ("map", "card", "pairs", "bands", "weights", "parity", "learning")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_draws_and_marks_simulated_data(name: str, theme: str) -> None:
    marked = draw(name, theme=theme, simulated=True)
    real = draw(name, theme=theme, simulated=False)
    assert "simulated" in [a.text for a in marked.layout.annotations]
    assert "simulated" not in [a.text for a in real.layout.annotations]
    assert len(json.loads(marked.to_json())["data"]) == len(real.data) > 0
    assert marked.layout.paper_bgcolor == {"light": "#ffffff", "dark": "#11151c"}[theme]


def test_hosts_and_similar_elements_become_corners() -> None:
    groups = element_groups(COMPOSITION, GRADIENT, ELEMENTS)
    assert [set(group) for group in groups] == [{"Bi", "V"}, {"W", "Mo"}, {"Dy", "Gd", "Tb"}]


def test_triangle_is_zoomed_to_the_data_and_keeps_shares() -> None:
    corners = (("Bi", "V"), ("W", "Mo"), ("Dy", "Gd", "Tb"))
    coordinates, low, size = barycentric(COMPOSITION, ELEMENTS, corners)
    np.testing.assert_allclose(coordinates.sum(1), 1)
    assert coordinates.min() == pytest.approx(0)
    shares = low + size * coordinates
    np.testing.assert_allclose(shares[:, 1], COMPOSITION[:, [2, 5]].sum(1))
    moved = group_direction(GRADIENT, ELEMENTS, corners)
    np.testing.assert_allclose(moved.sum(1), 0, atol=1e-12)


def test_arrows_point_along_the_gradient() -> None:
    corners = (("Bi", "V"), ("W", "Mo"), ("Dy", "Gd", "Tb"))
    upward = np.zeros((N, E))
    upward[:, 2] = 1
    upward -= upward.mean(1, keepdims=True)
    data = CompositionMap(
        COMPOSITION, ELEMENTS, GRADIENT[:, 0], upward, np.ones((N, E)), corners=corners
    )
    figure = figures.composition_map(data)
    arrows = [t for t in figure.data if t.meta == "arrows" and len(t.x)]
    assert [t.opacity for t in arrows] == [1.0]
    expected = group_direction(upward, ELEMENTS, corners)[0] @ CORNERS
    for tail in range(0, len(arrows[0].x), 3):
        step = np.array(
            [
                arrows[0].x[tail + 1] - arrows[0].x[tail],
                arrows[0].y[tail + 1] - arrows[0].y[tail],
            ]
        )
        assert step @ expected > 0
        assert abs(step[0] * expected[1] - step[1] * expected[0]) < 1e-9


def test_card_shows_percent_and_faint_arrows_where_members_disagree() -> None:
    figure = draw("card")
    np.testing.assert_allclose(figure.data[0].x, 100 * COMPOSITION[0])
    arrows = figure.data[1 : 1 + E]
    for arrow, mean, agreed in zip(arrows, GRADIENT[0], AGREEMENT[0], strict=True):
        assert arrow.x[1] == mean
        assert arrow.opacity == (1.0 if agreed == 1 else 0.4)


def test_units_are_aligned_for_any_order() -> None:
    run = RNG.normal(size=(E, 16))
    shuffled = np.stack([run[:, RNG.permutation(16)] for _ in range(4)])
    aligned = align_units(shuffled)
    for other in aligned[1:]:
        np.testing.assert_array_equal(aligned[0], other)


def test_weight_similarity_shows_which_elements_the_network_treats_similarly() -> None:
    weights = RNG.normal(size=(8, E, 16))
    weights[:, 5] = 0.9 * weights[:, 2] + 0.1 * weights[:, 5]
    mean, std = weight_similarity(weights)
    assert mean[2, 5] > 0.95
    assert abs(mean[0, 1]) < 0.4
    np.testing.assert_allclose(np.diag(mean), 1)
    assert std.shape == (E, E)


def test_pearson_of_a_constant_is_zero() -> None:
    a = np.column_stack([np.ones(9), np.arange(9.0)])
    np.testing.assert_allclose(pearson(a, a), [[0, 0], [0, 1]], atol=1e-12)


@pytest.mark.skipif(
    figure_files.browser() is None, reason="neither Chromium nor Chrome is installed"
)
def test_images_are_drawn_by_the_browser(tmp_path: Path) -> None:
    figure = figures.learning_curve([10, 100], {"a & <b>": [0.1, 0.8]}, simulated=True)
    paths = [tmp_path / f"curve.{form}" for form in figure_files.IMAGE_FORMATS]
    figure_files.write_images(figure, paths)
    drawing = ElementTree.parse(paths[0]).getroot()
    assert (drawing.get("width"), drawing.get("height")) == ("960", "380")
    words = "".join(drawing.itertext())
    assert "training samples" in words
    assert "simulated" in words
    assert paths[1].read_bytes().startswith(b"%PDF")
    assert paths[2].read_bytes().startswith(b"\x89PNG")


def test_calibration_is_in_the_legend() -> None:
    scores = {"spread": [0.1, 0.2], "error": [0.2, 0.3], "within_1": 0.42, "within_2": 0.8}
    figure = figures.calibration_plot({"networks": scores}, unit="mW/cm² per at.%", theme="dark")
    assert figure.data[1].name == "networks: 42% within ± 1, 80% within ± 2"
    assert list(figure.data[0].x) == [0, 0.3]
