import math
from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from motif.analysis.symmetry.patterns.motifs import (
    GRID,
    accidental_symmetry,
    apply_artefacts,
    cell_values,
    draw_motifs,
    standardise,
    symmetrise,
)
from motif.analysis.symmetry.patterns.pattern_generator import generate, rasterise
from motif.analysis.symmetry.patterns.wallpaper_groups import (
    GROUP_NAMES,
    METRIC_ODDS,
    METRICS,
    extra_operations,
    group,
    holohedry,
)

ORDERS = (1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 8, 8, 3, 6, 6, 6, 12)


def test_orders_are_those_of_the_tables():
    assert tuple(group(name).order for name in GROUP_NAMES) == ORDERS


@pytest.mark.parametrize("name", GROUP_NAMES)
def test_operations_close_into_a_group(name):
    operations = group(name).operations

    def key(w, v):
        return tuple(w.ravel().astype(int)), tuple(np.round(np.mod(v, 1) * 2).astype(int) % 2)

    known = {key(np.array(w), np.array(v)) for w, v in operations}
    assert len(known) == len(operations)
    for (w1, v1), (w2, v2) in product(operations, repeat=2):
        assert key(np.array(w1) @ w2, np.array(w1) @ v2 + v1) in known


@pytest.mark.parametrize("name", GROUP_NAMES)
def test_operations_are_isometries_of_every_metric_drawn(name):
    for metric in METRIC_ODDS[name]:
        assert group(name).point_group <= holohedry(metric)


def _motifs(name, metric, n, seed):
    rng = torch.Generator().manual_seed(seed)
    labels = torch.full((n,), GROUP_NAMES.index(name))
    index = torch.full((n,), METRICS.index(metric))
    reduced = torch.eye(2).repeat(n, 1, 1)
    if metric.startswith("hex"):
        sign = 1 if metric == "hex60" else -1
        reduced[:, 1] = torch.tensor([0.5 * sign, math.sqrt(0.75)])
    return draw_motifs(labels, index, reduced, torch.full((n,), 32.0), rng), labels, index


@pytest.mark.parametrize("name", GROUP_NAMES)
def test_every_operation_leaves_the_density_unchanged(name):
    """rho(W x + w) = rho(x) at arbitrary points, for the sum of plane waves itself."""
    metric = next(iter(METRIC_ODDS[name]))
    motifs, _, _ = _motifs(name, metric, 4, seed=3)
    line = torch.arange(-5, 6, dtype=torch.float64)
    h = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    points = torch.rand(300, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def density(x):
        wave = torch.exp(2j * math.pi * (h @ x.T))
        return (motifs.factors.to(torch.complex128) @ wave).real

    at_rest = density(points)
    assert (at_rest.std(1) > 0).all()
    for linear, shift in group(name).operations:
        w = torch.tensor(linear, dtype=torch.float64)
        moved = density(points @ w.T + torch.tensor(shift, dtype=torch.float64))
        assert ((moved - at_rest).abs().amax(1) / at_rest.std(1)).max() < 2e-5


def test_averaging_twice_changes_nothing():
    labels = torch.arange(17)
    factors = torch.randn(17, 121, dtype=torch.complex64)
    once = symmetrise(factors, labels)
    torch.testing.assert_close(symmetrise(once, labels), once, atol=1e-5, rtol=1e-5)


def test_raster_equals_the_sum_of_plane_waves():
    motifs, _, _ = _motifs("p2", "oblique", 3, seed=0)
    motifs.shape[:, 0] = 0
    lattices = torch.tensor([[[17.0, 3.0], [-4.0, 21.0]]]).repeat(3, 1, 1)
    image = rasterise(motifs, lattices, 16, torch.Generator().manual_seed(5))
    offset = torch.rand(3, 2, generator=torch.Generator().manual_seed(5))
    axis = torch.arange(16.0) - 7.5
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    line = torch.arange(-5.0, 6.0)
    h = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    for i in range(3):
        cell = torch.stack([x, y], -1) @ torch.linalg.inv(lattices[i]) + offset[i]
        wave = torch.exp(2j * math.pi * torch.einsum("hk,yxk->hyx", h, cell))
        density = torch.einsum("h,hyx->yx", motifs.factors[i], wave).real
        z = ((density - motifs.centre[i]) / motifs.spread[i]).clamp(-3, 3)
        assert (image[i] - z).abs().max() < 2e-4


def test_accidental_symmetry_stays_below_one_per_cent():
    patterns = generate(1700, seed=11, size=32)
    assert (patterns.spurious > 0.8).float().mean() < 0.01
    assert patterns.labels.bincount(minlength=17).min() == 100


def test_accidental_symmetry_is_seen_where_it_is_planted():
    """A motif of a supergroup labelled as its subgroup has a correlation of one."""
    for name, sub, metric in (
        ("p6m", "p6", "hex120"), ("p4m", "p4", "square"), ("pmm", "p2", "rectangular"),
        ("cmm", "cm", "rhombic"), ("p4", "p1", "square"), ("p6", "p3", "hex120"),
    ):  # fmt: skip
        motifs, labels, index = _motifs(name, metric, 8, seed=2)
        cell = cell_values(motifs.factors)
        wrong = torch.full_like(labels, GROUP_NAMES.index(sub))
        assert (accidental_symmetry(cell, wrong, index) > 0.999).all(), (name, sub)


def test_accidental_translation_is_seen():
    cell = torch.randn(2, GRID // 2, GRID, generator=torch.Generator().manual_seed(0))
    halved = torch.cat([cell, cell], 1)
    p1, oblique = torch.zeros(2, dtype=torch.long), torch.zeros(2, dtype=torch.long)
    assert (accidental_symmetry(halved, p1, oblique) > 0.999).all()


def test_a_group_and_its_foreign_operations_make_up_the_lattice_symmetry():
    for name in GROUP_NAMES:
        for metric in METRIC_ODDS[name]:
            foreign = extra_operations(name, metric)
            full = group(name).point_group == holohedry(metric)
            assert bool(foreign) != full


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_same_seed_same_images(strength):
    first = generate(34, seed=7, size=48, artefacts=strength)
    again = generate(34, seed=7, size=48, artefacts=strength)
    other = generate(34, seed=8, size=48, artefacts=strength)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.images, other.images)


def test_images_repeat_by_their_lattice():
    patterns = generate(68, seed=4, size=96, cells=(2, 3))
    grid = torch.stack(torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij"), -1)
    for i in range(len(patterns.labels)):
        step = patterns.lattices[i, 0].flip(0)
        target = (grid + step) / 95 * 2 - 1
        inside = (target.abs() < 1).all(-1)
        moved = torch.nn.functional.grid_sample(
            patterns.images[i][None, None], target.flip(-1)[None], align_corners=True
        )[0, 0]
        error = (moved - patterns.images[i])[inside].square().mean()
        assert error < 0.1, GROUP_NAMES[int(patterns.labels[i])]


def test_lattice_metric_does_not_name_the_group():
    patterns = generate(1700, seed=3, size=32)
    p1 = patterns.lattices[patterns.labels == GROUP_NAMES.index("p1")]
    length = p1.norm(dim=-1)
    angle = torch.einsum("ni,ni->n", p1[:, 0], p1[:, 1]) / length.prod(1)
    square = ((length[:, 0] / length[:, 1] - 1).abs() < 1e-3) & (angle.abs() < 1e-3)
    assert 5 < square.sum() < 30


def test_metric_alone_names_hardly_any_group():
    """The best guess from the metric is right for 23 % of images, and never more than half sure."""
    odds = np.array([[METRIC_ODDS[g].get(m, 0.0) for m in METRICS] for g in GROUP_NAMES])
    np.testing.assert_allclose(odds.sum(1), 1)
    assert odds.max(0).sum() / len(GROUP_NAMES) < 0.23
    assert (odds.max(0) / odds.sum(0)).max() <= 0.5


def test_shape_of_the_cell_does_not_depend_on_the_group():
    """Among groups that share a metric, ratio and angle are drawn from one distribution."""
    groups = ("pm", "pg", "pmm", "pmg", "pgg")
    patterns = generate(1500, seed=6, size=16, groups=groups, cells=(1.2, 1.6))
    length = patterns.lattices.norm(dim=-1)
    ratio = (length.amax(1) / length.amin(1)).numpy()
    names = patterns.labels.numpy()
    own = [ratio[names == GROUP_NAMES.index(name)] for name in groups]
    for one in own[1:]:
        assert ks_2samp(own[0], one).pvalue > 1e-3


def test_no_group_is_drawn_with_accidental_symmetry():
    for name in GROUP_NAMES:
        patterns = generate(120, seed=17, size=16, groups=(name,), cells=(1.2, 1.6))
        assert (patterns.spurious > 0.8).sum() <= 2, name


def test_cells_in_view_are_bounded_by_resolution():
    patterns = generate(170, seed=1, size=64, cells=(2, 12))
    assert patterns.cells.min() >= 2
    assert patterns.cells.max() <= 64 / 10 + 1e-6


def test_artefacts_scale_with_strength():
    clean = standardise(generate(64, seed=5, size=64).images)
    change = []
    for strength in (0.2, 1.0):
        rng = torch.Generator().manual_seed(0)
        worn = standardise(apply_artefacts(clean, strength, rng))
        change.append((worn - clean).square().mean().item())
    assert 0 < change[0] < change[1] < 1.5
