"""Dropout masks drawn by each member's own random stream.

The streams run on the host and are read as raw bits, so a member sees the same masks on every
device and in every group, and drawing them costs little: at a rate of 1/4 every byte holds
four draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from motif.analysis.composition.network import Architecture


class DropoutMasks:
    """Draws the two masks of a training step for K members.

    The rate is rounded to 1/256. Factors are 0 or 1/(1 - rate), which keeps the expectation.
    """

    def __init__(
        self,
        architecture: Architecture,
        streams: Sequence[np.random.BitGenerator],
        batch: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._streams = streams
        self._device = device
        self._spectrum = (len(streams), batch, architecture.points)
        self._features = (len(streams), batch, architecture.positions, architecture.filters)
        draws = batch * (architecture.points + architecture.features)
        bits = 2 if architecture.dropout * 4 == round(architecture.dropout * 4) else 8
        words = -(-draws * bits // 64)
        self._bytes = np.empty((len(streams), words * 8), np.uint8)
        table = _factors(architecture.dropout, bits, dtype)
        self._table = table.numpy()
        self._device_table = table.to(device)
        self._drawn = np.empty((*self._bytes.shape, table.shape[1]), self._table.dtype)

    def draw(self) -> tuple[Tensor, Tensor]:
        """Masks (K, B, L) and (K, B, L', filters) of the next step; valid until the next call."""
        words = self._bytes.shape[1] // 8
        for row, stream in zip(self._bytes, self._streams, strict=True):
            row[:] = np.asarray(stream.random_raw(words)).view(np.uint8)
        if self._device.type == "cpu":
            np.take(self._table, self._bytes, axis=0, out=self._drawn, mode="clip")
            factors = torch.from_numpy(self._drawn)
        else:
            factors = self._device_table[torch.from_numpy(self._bytes).to(self._device).long()]
        members, batch, points = self._spectrum
        flat = factors.view(members, -1)
        used = batch * points
        features = batch * self._features[2] * self._features[3]
        return (
            flat[:, :used].view(self._spectrum),
            flat[:, used : used + features].view(self._features),
        )


def _factors(rate: float, bits: int, dtype: torch.dtype) -> Tensor:
    """Factors (256, 8 // bits) that each byte stands for."""
    values = np.arange(256)[:, None] >> np.arange(0, 8, bits) & (2**bits - 1)
    dropped = round(rate * 2**bits)
    keep = 1 - dropped / 2**bits
    return torch.tensor((values >= dropped) / keep, dtype=dtype)
