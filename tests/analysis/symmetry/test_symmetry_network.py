"""The lattice, the evidence in its frame, and the network that weighs it."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from motif.analysis.symmetry.evidence.lattice import autocorrelation, estimate, reduce, windowed
from motif.analysis.symmetry.evidence.operations import OPERATIONS, correlations, settle, strains
from motif.analysis.symmetry.evidence.order import load_order, order_evidence
from motif.analysis.symmetry.extractors.symmetry_extractor import (
    SHIPPED,
    SymmetryExtractor,
    name_groups,
)
from motif.analysis.symmetry.learning.group_network import gather, load_network
from motif.analysis.symmetry.learning.network_evaluation import BATCH, evaluate
from motif.analysis.symmetry.learning.network_training import save, train
from motif.analysis.symmetry.patterns.aperiodic import KINDS, LATTICE
from motif.analysis.symmetry.patterns.pattern_generator import Patterns, generate
from motif.analysis.symmetry.patterns.wallpaper_groups import GROUP_NAMES
from motif.core.errors import ConfigError

MIRRORS = tuple(OPERATIONS)[4:]


def _settled(patterns: Patterns) -> tuple[torch.Tensor, torch.Tensor]:
    flat = windowed(patterns.images)
    return settle(flat, estimate(autocorrelation(flat)).basis)


def test_the_lattice_drawn_is_the_lattice_found() -> None:
    patterns = generate(170, seed=21, cells=(3, 8))
    basis, _ = _settled(patterns)
    steps = basis @ torch.linalg.inv(patterns.lattices)
    exact = (steps - steps.round()).abs().amax((1, 2)) < 0.05
    primitive = torch.linalg.det(steps.round()).abs() == 1
    assert (exact & primitive).float().mean() > 0.97


def test_reduced_cells_are_short_and_nearly_upright() -> None:
    cells = torch.randn(500, 2, 2, generator=torch.Generator().manual_seed(0))
    a, b = reduce(cells).unbind(1)
    assert (a.norm(dim=1) <= b.norm(dim=1) + 1e-5).all()
    along = (a * b).sum(1)
    assert (along >= -1e-6).all()
    assert (along <= a.square().sum(1) / 2 + 1e-4).all()
    areas = torch.linalg.det(cells).abs()
    torch.testing.assert_close(torch.linalg.det(reduce(cells)).abs(), areas, rtol=1e-3, atol=1e-5)


def test_a_pattern_of_stripes_or_nothing_gives_finite_evidence() -> None:
    line = torch.sin(torch.arange(128) / 3.0)
    images = torch.stack([line.expand(128, 128), torch.zeros(128, 128), torch.eye(128)])
    assert torch.isfinite(gather(images)).all()


@pytest.mark.parametrize(
    ("group", "rotation"),
    [("p1", None), ("p2", "C2"), ("p3", "C3"), ("p4", "C4"), ("p6", "C6"), ("pgg", "C2")],
)
def test_rotations_are_found_and_no_others(group: str, rotation: str | None) -> None:
    patterns = generate(12, seed=5, groups=(group,), cells=(4, 7))
    basis, factors = _settled(patterns)
    best, _, _ = correlations(factors)
    fits = strains(basis) < 0.1
    names = list(OPERATIONS)
    if rotation is not None:
        assert (best[:, names.index(rotation)] > 0.9).float().mean() > 0.9
    implied = {None: (), "C2": ("C2",), "C3": ("C3",), "C4": ("C2", "C4"), "C6": ("C2", "C3", "C6")}
    for other in {"C2", "C3", "C4", "C6"} - set(implied[rotation]):
        index = names.index(other)
        assert ((best[:, index] > 0.9) & fits[:, index]).float().mean() < 0.1, other


@pytest.mark.parametrize(("group", "kind"), [("pm", 0), ("pg", 1), ("pmm", 0), ("pgg", 1)])
def test_where_the_translation_sits_tells_a_mirror_from_a_glide(group: str, kind: int) -> None:
    patterns = generate(12, seed=8, groups=(group,), cells=(4, 7))
    _, factors = _settled(patterns)
    _, where, _ = correlations(factors)
    axes = where[:, [MIRRORS.index("a"), MIRRORS.index("b")]]
    strongest = axes.flatten(1).argmax(1) % 2
    assert (strongest == kind).float().mean() > 0.9


def test_evidence_does_not_change_with_the_view() -> None:
    images = generate(34, seed=13, cells=(4, 8)).images
    own = gather(images)
    for other in (torch.rot90(images, 1, (1, 2)), images.flip(2), -images, 3 * images + 1):
        change = (gather(other) - own).abs().amax(1)
        assert change.median() < 1e-3


def test_the_shipped_network_names_the_groups_of_unseen_images() -> None:
    found = evaluate(images=BATCH)
    assert found["accuracy_17"] > 0.97
    assert found["accuracy_17_artefacts"] > 0.93
    assert max(found["invariance"].values()) < 0.05
    assert found["accuracy_22"] > 0.95
    assert found["accuracy_22_artefacts"] > 0.93
    assert found["lattice_mistaken_artefacts"] < 0.03


def test_the_card_says_what_the_weights_do() -> None:
    card = json.loads(SHIPPED.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["command"] == f"motif train symmetry --images {card['images']} --seed 1"
    assert set(card["held_out"]["accuracy_17_by_group"]) == set(GROUP_NAMES)
    assert card["held_out"]["accuracy_17"] > 0.99
    assert card["held_out"]["accuracy_17_artefacts"] > 0.93
    assert card["held_out"]["accuracy_22"] > 0.98
    assert set(card["held_out"]["accuracy_22_by_kind"]) == set(KINDS) - {LATTICE}
    assert SHIPPED.stat().st_size < 10_000_000


def test_training_from_the_same_seed_gives_the_same_network(tmp_path: Path) -> None:
    first, card = train(170, seed=3, device="cpu", judge=0)
    again, _ = train(170, seed=3, device="cpu", judge=0)
    for network, same in ((first.groups, again.groups), (first.order, again.order)):
        for name, value in network.state_dict().items():
            torch.testing.assert_close(value, same.state_dict()[name])
    path = save(first, card, tmp_path / "models")
    patterns = generate(68, seed=1)
    images = patterns.images
    named = first.groups(gather(images)).argmax(1)
    assert (named == patterns.labels).float().mean() > 5 / len(GROUP_NAMES)
    evidence = gather(images)
    torch.testing.assert_close(load_network(path)(evidence), first.groups(evidence))
    wide = order_evidence(images, evidence)
    torch.testing.assert_close(load_order(path)(wide), first.order(wide))
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["seed"] == 3


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.safetensors"
    text.write_text("these are not weights")
    other = tmp_path / "other.safetensors"
    weights = load_file(SHIPPED)
    save_file({name: value for name, value in weights.items() if "head" not in name}, other)
    for path in (text, other, tmp_path / "absent.safetensors"):
        with pytest.raises(ConfigError, match="motif train symmetry"):
            load_network(path)
    with pytest.raises(ConfigError, match="too few"):
        train(10)
    with pytest.raises(ConfigError, match="held-out"):
        train(340, seed=2000)
    with pytest.raises(ConfigError, match="no device"):
        train(340, device="abacus")


def test_features_of_periodic_images_keep_their_group_under_turning() -> None:
    patterns = generate(34, seed=31, size=160, cells=(5, 8))
    images = patterns.images.numpy()
    extractor = SymmetryExtractor()
    sizes = np.full(len(images), 1e-9)
    own = extractor(images, sizes)
    turned = extractor(np.ascontiguousarray(np.rot90(images, axes=(1, 2))), sizes)
    part = extractor.parts["symmetry"]
    change = np.square(own - turned)[:, part].sum(1).mean()
    assert change < 0.05 * 2 * own[:, part].var(0).sum()
    named = [one.group for one in name_groups(images)]
    assert np.mean([n == GROUP_NAMES[i] for n, i in zip(named, patterns.labels, strict=True)]) > 0.9


def test_an_image_without_a_lattice_has_faint_learned_features() -> None:
    extractor = SymmetryExtractor()
    noise = np.random.default_rng(0).normal(size=(4, 128, 128)).astype(np.float32)
    lattices = generate(4, seed=2, groups=("p4m",), cells=(5, 6)).images.numpy()
    sizes = np.full(4, math.nan)
    start = extractor.parts["symmetry"].stop - 64
    learned = slice(start, start + 64)
    of_noise = np.linalg.norm(extractor(noise, sizes)[:, learned], axis=1)
    of_lattices = np.linalg.norm(extractor(lattices, sizes)[:, learned], axis=1)
    assert of_noise.max() < 0.3 * of_lattices.min()
