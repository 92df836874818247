"""Trains the symmetry networks on generated images: which group, and whether there is one.

One network names the wallpaper group of an image with a lattice, the other tells lattices from
stripes, quasi-crystals and no order. They share a file.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from motif.analysis.symmetry.evidence.order import PREFIX, OrderNetwork, order_evidence
from motif.analysis.symmetry.learning.group_network import GROUPS, SIZE, GroupNetwork, gather
from motif.analysis.symmetry.learning.network_evaluation import HELD_OUT, evaluate
from motif.analysis.symmetry.patterns.aperiodic import draw_aperiodic
from motif.analysis.symmetry.patterns.pattern_generator import generate
from motif.core.errors import ConfigError
from motif.core.jobs.progress import Progress

BATCH = 170
"""Images generated at once: ten of each group."""
ARTEFACTS = (0.0, 1.0, 0.5)
"""Strength of scanning artefacts, batch by batch."""
EPOCHS = 30
MINIBATCH = 256
RATE = 4e-3
SMOOTHING = 0.02
SEED_STRIDE = 1_000_000
ORDER_SEEDS = SEED_STRIDE // 2
"""Batches for the order network begin here within the seeds of a training."""
ORDER_SHARE = 3
"""Images the groups are learnt from for each the order is learnt from."""
ORDER_RATE = 2e-3
SET_ASIDE = 6
"""One batch in so many calibrates the order network, which is not trained on it."""

TEMPERATURES = tuple(2 ** (step / 8) for step in range(-16, 17))
LIMITS = [
    "trained on generated patterns only",
    "needs at least two lattice cells in view and ten pixels a cell",
    "a lattice that bends by more than about a tenth of a cell, or shows fewer than three cells, "
    "may be called without order",
    "8-, 10- and 12-fold quasi-crystals are the only ones known; a 5-fold one counts as 10-fold",
    "half a cell may look like a whole one under strong blur at more than eight cells in view",
]


@dataclass(frozen=True)
class Trained:
    """Both networks."""

    groups: GroupNetwork
    order: OrderNetwork


def train(
    images: int = 60_000,
    *,
    seed: int = 1,
    device: str = "auto",
    judge: int = 3400,
    progress: Progress | None = None,
) -> tuple[Trained, dict[str, Any]]:
    """Train from nothing on `images` generated images; the same seed gives the same networks.

    A third as many further images, half of them without a lattice, train the order network. Both
    are judged on `judge` clean held-out images and half as many with artefacts (0: not at all).

    Returns:
        The networks, and their model card: command, seed, seconds, hardware, figures, limits.
    """
    if images < BATCH:
        raise ConfigError(f"{images} images are too few to train on; ask for {BATCH} or more.")
    if not 0 <= seed < HELD_OUT // SEED_STRIDE:
        raise ConfigError(
            f"Seed {seed} would train on held-out images; "
            f"choose one from 0 to {HELD_OUT // SEED_STRIDE - 1}."
        )
    chosen = device_named(device)
    started, used = time.monotonic(), time.process_time()
    batches = images // BATCH
    order_batches = max(2 * len(ARTEFACTS), batches // ORDER_SHARE)
    if progress:
        progress.expect((batches + order_batches) * BATCH)
    evidence, labels = _evidence(seed, batches, chosen, progress)
    groups = _fit_groups(evidence, labels, seed)
    order = _fit_order(*_order_evidence(seed, order_batches, chosen, progress), seed)
    card = {
        "model": "symmetry",
        "what": "tells whether an image has a lattice, stripes, a quasi-crystal's order or none, "
        "and names the wallpaper group of a lattice; the last hidden layer of the latter is a "
        "feature",
        "command": f"motif train symmetry --images {images} --seed {seed}",
        "seed": seed,
        "images": len(labels),
        "order_images": order_batches * BATCH,
        "size": SIZE,
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(time.process_time() - used, 1),
        "hardware": _hardware(chosen),
        "torch": torch.__version__,
        "held_out": evaluate(groups, order, per_group=True, images=judge) if judge else None,
        "limits": LIMITS,
    }
    return Trained(groups, order), card


def save(networks: Trained, card: dict[str, Any], folder: Path) -> Path:
    """Write ``symmetry.safetensors`` and its card ``symmetry.json``; returns the weights' path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "symmetry.safetensors"
    weights = {
        prefix + name: value.contiguous()
        for prefix, network in ((GROUPS, networks.groups), (PREFIX, networks.order))
        for name, value in network.state_dict().items()
    }
    save_file(weights, path)
    path.chmod(0o644)
    path.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return path


def device_named(name: str) -> torch.device:
    """``auto`` is a GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f'There is no device "{name}" here; use --device cpu or --device auto.'
        ) from error
    return device


def _evidence(
    seed: int, batches: int, device: torch.device, progress: Progress | None
) -> tuple[Tensor, Tensor]:
    """Evidence (n, 37) and labels (n,) of a stream of generated images."""

    def batch(batch_seed: int, strength: float) -> tuple[Tensor, Tensor]:
        patterns = generate(BATCH, seed=batch_seed, size=SIZE, artefacts=strength, device=device)
        return gather(patterns.images).cpu(), patterns.labels.cpu()

    return _stream(_seeds(seed, 0, batches), batch, progress)


def _order_evidence(
    seed: int, batches: int, device: torch.device, progress: Progress | None
) -> tuple[Tensor, Tensor]:
    """Order evidence (n, k) and kinds (n,) of images half of which have a lattice."""

    def batch(batch_seed: int, strength: float) -> tuple[Tensor, Tensor]:
        half = BATCH // 2
        patterns = generate(half, seed=batch_seed, size=SIZE, artefacts=strength, device=device)
        drawn = draw_aperiodic(half, seed=batch_seed, size=SIZE, artefacts=strength)
        images = torch.cat([patterns.images.cpu(), drawn.images])
        evidence = gather(images.to(device)).cpu()
        labels = torch.cat([torch.zeros(half, dtype=torch.long), drawn.labels])
        return order_evidence(images, evidence), labels

    return _stream(_seeds(seed, ORDER_SEEDS, batches), batch, progress)


def _stream(
    seeds: Iterator[int],
    batch: Callable[[int, float], tuple[Tensor, Tensor]],
    progress: Progress | None,
) -> tuple[Tensor, Tensor]:
    """Join batches of evidence and labels; the strength of artefacts changes batch by batch."""
    evidence, labels = [], []
    with torch.inference_mode():
        for number, seed in enumerate(seeds):
            one, label = batch(seed, ARTEFACTS[number % len(ARTEFACTS)])
            evidence.append(one)
            labels.append(label)
            if progress:
                progress.advance(BATCH)
    return torch.cat(evidence).clone(), torch.cat(labels).clone()


def _seeds(seed: int, first: int, count: int) -> Iterator[int]:
    """Seeds of the batches, all below those of held-out batches."""
    for number in range(count):
        yield seed * SEED_STRIDE + first + number


def _fit_groups(evidence: Tensor, labels: Tensor, seed: int) -> GroupNetwork:
    torch.manual_seed(seed)
    network = GroupNetwork()
    _standardise(network, evidence)
    _fit(network, evidence, labels, RATE)
    return network.eval()


def _fit_order(evidence: Tensor, labels: Tensor, seed: int) -> OrderNetwork:
    """Fit on most batches; a temperature then makes the probabilities of the others true."""
    torch.manual_seed(seed)
    network = OrderNetwork()
    aside = torch.arange(len(labels)) // BATCH % SET_ASIDE == 0
    _standardise(network, evidence[~aside])
    _fit(network, evidence[~aside], labels[~aside], ORDER_RATE)
    network.eval()
    with torch.inference_mode():
        scores = network(evidence[aside])
        losses = [
            functional.cross_entropy(scores / temperature, labels[aside]).item()
            for temperature in TEMPERATURES
        ]
    network.temperature.fill_(TEMPERATURES[losses.index(min(losses))])
    return network


def _standardise(network: GroupNetwork | OrderNetwork, evidence: Tensor) -> None:
    network.centre.copy_(evidence.mean(0))
    network.spread.copy_(evidence.std(0).clamp_min(1e-4))


def _fit(network: nn.Module, evidence: Tensor, labels: Tensor, rate: float) -> None:
    steps = max(1, len(labels) // MINIBATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=EPOCHS * steps)
    for _ in range(EPOCHS):
        order = torch.randperm(len(labels))
        for part in torch.split(order, MINIBATCH)[:steps]:
            loss = functional.cross_entropy(
                network(evidence[part]), labels[part], label_smoothing=SMOOTHING
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"
