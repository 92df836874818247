"""Images without a lattice: drawn as they are called, and called what they are."""

import numpy as np
import pytest
import torch

from motif.analysis.symmetry.evidence.order import load_order, order_evidence
from motif.analysis.symmetry.extractors.symmetry_extractor import SHIPPED, name_groups
from motif.analysis.symmetry.learning.group_network import gather
from motif.analysis.symmetry.patterns.aperiodic import (
    KINDS,
    LATTICE,
    NOTHING,
    QUASI,
    draw_aperiodic,
)
from motif.analysis.symmetry.patterns.pattern_generator import generate
from motif.ingest.simulate.domain_patterns import Canvas, draw
from motif.ingest.simulate.simulated_scan import SURFACES

UNORDERED = ("labyrinth", "grains", "rolling", "terraces", "noise")


def kinds_of(images: np.ndarray) -> list[str]:
    return [one.kind for one in name_groups(images)]


def power_by_angle(image: torch.Tensor, fold: int) -> float:
    """Correlation of the power spectrum with itself turned by a full turn over `fold`."""
    power = torch.fft.fftshift(torch.fft.fft2(image).abs())
    power = torch.log1p(power)
    angle = torch.tensor(2 * np.pi / fold)
    matrix = torch.tensor(
        [[angle.cos(), -angle.sin(), 0.0], [angle.sin(), angle.cos(), 0.0]], dtype=torch.float32
    )
    grid = torch.nn.functional.affine_grid(matrix[None], [1, 1, *image.shape], align_corners=True)
    turned = torch.nn.functional.grid_sample(power[None, None], grid, align_corners=True)[0, 0]
    inside = torch.hypot(*torch.meshgrid(*[torch.linspace(-1, 1, 128)] * 2, indexing="ij")) < 0.6
    return float(torch.corrcoef(torch.stack([power[inside], turned[inside]]))[0, 1])


@pytest.mark.parametrize("kind", QUASI)
def test_quasi_crystals_diffract_with_their_own_fold(kind: str) -> None:
    images = draw_aperiodic(6, seed=4, kinds=(kind,)).images
    own = [power_by_angle(image, QUASI[kind]) for image in images]
    for other in (6, *QUASI.values()):
        if QUASI[kind] % other:
            foreign = [power_by_angle(image, other) for image in images]
            assert np.mean(own) > np.mean(foreign) + 0.02, other


def test_stripes_hold_their_power_in_one_direction() -> None:
    power = torch.fft.fft2(draw_aperiodic(12, seed=5, kinds=("stripes",)).images).abs().square()
    fy, fx = torch.meshgrid(torch.fft.fftfreq(128), torch.fft.fftfreq(128), indexing="ij")
    angle = torch.atan2(fy, fx)
    one_way = (power * torch.exp(2j * angle)).sum((1, 2)).abs() / power.sum((1, 2))
    assert one_way.median() > 0.8
    assert one_way.min() > 0.5


def test_the_same_seed_gives_the_same_images() -> None:
    first, again = (draw_aperiodic(20, seed=9, size=64, artefacts=1.0) for _ in range(2))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.labels, again.labels)
    assert first.labels.bincount(minlength=len(KINDS)).tolist() == [0, 4, 4, 4, 4, 4]
    assert torch.isfinite(first.images).all()
    assert not torch.equal(first.images, draw_aperiodic(20, seed=10, size=64).images)


def test_kinds_of_unseen_images_are_recognised() -> None:
    drawn = draw_aperiodic(60, seed=2_000_100_000)
    named = name_groups(drawn.images.numpy())
    right = [one.kind == KINDS[k] for one, k in zip(named, drawn.labels.tolist(), strict=True)]
    assert np.mean(right) > 0.9
    assert all((one.group is None) == (one.kind != LATTICE) for one in named)


def test_patterns_it_was_not_trained_on_are_recognised() -> None:
    """Domain patterns and surfaces of another generator."""
    rng = np.random.default_rng(3)
    unordered, stripes, lattices = [], [], []
    for number in range(20):
        canvas = Canvas(128, rng.uniform(10, 18), rng.uniform(0, 6), rng)
        name = UNORDERED[number % len(UNORDERED)]
        if name in SURFACES:
            unordered.append(SURFACES[name](canvas))
        else:
            unordered.append(
                rng.normal(size=(128, 128)) if name == "noise" else draw(name, canvas).polarity
            )
        stripes.append(draw("stripe", canvas).polarity)
        lattices.append(draw("square lattice", canvas).polarity)
    assert np.mean([k != LATTICE for k in kinds_of(np.stack(unordered).astype("f4"))]) >= 0.9
    assert np.mean([k == "stripes" for k in kinds_of(np.stack(stripes).astype("f4"))]) >= 0.9
    assert np.mean([k == LATTICE for k in kinds_of(np.stack(lattices).astype("f4"))]) >= 0.9


def test_probabilities_of_a_lattice_are_calibrated() -> None:
    """Of images said to have a lattice with probability p, about a share p has one."""
    lattices = generate(170, seed=2_000_200_000, artefacts=1.0)
    others = draw_aperiodic(170, seed=2_000_200_001, artefacts=1.0)
    images = torch.cat([lattices.images, others.images])
    truth = torch.arange(340) < 170
    with torch.inference_mode():
        scores = load_order(SHIPPED)(order_evidence(images, gather(images)))
    said = torch.softmax(scores, 1)[:, KINDS.index(LATTICE)]
    assert (said[truth] > 0.5).float().mean() > 0.95
    assert (said[~truth] < 0.5).float().mean() > 0.95
    assert abs(said.mean() - truth.float().mean()) < 0.03


def test_a_blank_image_has_no_order() -> None:
    assert kinds_of(np.zeros((1, 96, 96), np.float32)) == [NOTHING]
