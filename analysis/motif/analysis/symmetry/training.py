"""Trains the symmetry network on generated images of the 17 wallpaper groups."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from motif.analysis.symmetry.evaluation import HELD_OUT, evaluate
from motif.analysis.symmetry.generator import generate
from motif.analysis.symmetry.network import SIZE, GroupNetwork, gather
from motif.core.errors import ConfigError
from motif.core.progress import Progress

BATCH = 170
"""Images generated at once: ten of each group."""
ARTEFACTS = (0.0, 1.0, 0.5)
"""Strength of scanning artefacts, batch by batch."""
EPOCHS = 30
MINIBATCH = 256
RATE = 4e-3
SMOOTHING = 0.02
SEED_STRIDE = 1_000_000


def train(
    images: int = 60_000,
    *,
    seed: int = 1,
    device: str = "auto",
    judge: int = 3400,
    progress: Progress | None = None,
) -> tuple[GroupNetwork, dict[str, Any]]:
    """Train from nothing on `images` generated images; the same seed gives the same network.

    It is judged on `judge` clean held-out images and half as many with artefacts (0: not at all).

    Returns:
        The network, and its model card: command, seed, seconds, hardware, figures, limits.
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
    if progress:
        progress.expect(images // BATCH * BATCH)
    evidence, labels = _evidence(images, seed, chosen, progress)
    network = _fit(evidence, labels, seed)
    card = {
        "model": "symmetry",
        "what": "names the wallpaper group of an image; its penultimate layer is a feature",
        "command": f"motif train symmetry --images {images} --seed {seed}",
        "seed": seed,
        "images": len(labels),
        "size": SIZE,
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(time.process_time() - used, 1),
        "hardware": _hardware(chosen),
        "torch": torch.__version__,
        "held_out": evaluate(network, per_group=True, images=judge) if judge else None,
        "limits": [
            "trained on generated patterns only; real images rarely have one of the 17 groups",
            "needs at least two lattice cells in view and ten pixels a cell",
            "an image without a lattice is still given the group it resembles most",
        ],
    }
    return network, card


def save(network: GroupNetwork, card: dict[str, Any], folder: Path) -> Path:
    """Write ``symmetry.safetensors`` and its card ``symmetry.json``; returns the weights' path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "symmetry.safetensors"
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path)
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
    images: int, seed: int, device: torch.device, progress: Progress | None
) -> tuple[Tensor, Tensor]:
    """Evidence (n, 37) and labels (n,) of a stream of generated images."""
    evidence, labels = [], []
    with torch.inference_mode():
        for number, batch_seed in enumerate(_seeds(seed, images // BATCH)):
            strength = ARTEFACTS[number % len(ARTEFACTS)]
            patterns = generate(
                BATCH, seed=batch_seed, size=SIZE, artefacts=strength, device=device
            )
            evidence.append(gather(patterns.images).cpu())
            labels.append(patterns.labels.cpu())
            if progress:
                progress.advance(BATCH)
    return torch.cat(evidence).clone(), torch.cat(labels).clone()


def _seeds(seed: int, count: int) -> Iterator[int]:
    """Seeds of the batches, all below those of held-out batches."""
    for number in range(count):
        yield seed * SEED_STRIDE + number


def _fit(evidence: Tensor, labels: Tensor, seed: int) -> GroupNetwork:
    torch.manual_seed(seed)
    network = GroupNetwork()
    network.centre.copy_(evidence.mean(0))
    network.spread.copy_(evidence.std(0).clamp_min(1e-4))
    steps = max(1, len(labels) // MINIBATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * steps)
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
    return network.eval()


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"
