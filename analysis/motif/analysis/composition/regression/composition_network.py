"""The composition-spectrum network of Umehara et al. (2019), K members in one program.

Each member is: spectrum → dropout → 1-D convolution (2 filters of 7 points) → ELU → dropout →
flatten; composition → dense 16 → dense 16; both concatenated → dense 32 → dense 32 → 1, ELU
throughout (npj Comput. Mater. 5:34, figure 2). Parameters of the members are stacked along a
first axis K, so one batched matrix product computes them all; members never mix, and each draws
its dropout masks and initial weights from its own random stream. A member is therefore
independent of the others it is computed with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, overload

import numpy as np
import torch
from scipy.special import ndtr, ndtri
from torch import Tensor
from torch.nn import functional

from motif.analysis.arrays import FloatArray
from motif.analysis.composition.regression.training_recipe import Initialisation
from motif.core.errors import UnsuitableDataError

Parameters: TypeAlias = dict[str, Tensor]
"""Name -> tensor (K, ...)."""

BRANCH_PREFIXES = ("convolution.", "composition.")
"""Parameters that the joined network takes over from the branches trained alone."""
TRUNCATED_NORMAL_STD = 0.01
BLOCK = 16
"""Convolution outputs computed by one matrix product (overlap-save blocks)."""


@dataclass(frozen=True)
class NetworkArchitecture:
    """Shape of one member.

    Either input may be absent (0): the network is then the other branch with an output layer of
    its own, as in the first two training steps.
    """

    points: int
    """Points L of a spectrum; 0 for composition alone."""
    elements: int
    """Elements E of a composition; 0 for spectrum alone."""
    filters: int = 2
    kernel: int = 7
    composition_units: tuple[int, ...] = (16, 16)
    joined_units: tuple[int, ...] = (32, 32)
    dropout: float = 0.25

    def __post_init__(self) -> None:
        if not self.points and not self.elements:
            raise UnsuitableDataError("A network needs spectra, compositions or both as input.")
        if 0 < self.points < self.kernel:
            raise UnsuitableDataError(
                f"A spectrum of {self.points} points is shorter than the convolution kernel of "
                f"{self.kernel}; leave out the spectra or measure more points."
            )
        if not 0 <= self.dropout < 1:
            raise UnsuitableDataError(f"The dropout rate {self.dropout} is not within [0, 1).")

    @property
    def positions(self) -> int:
        """Outputs of the convolution per filter."""
        return self.points - self.kernel + 1 if self.points else 0

    @property
    def features(self) -> int:
        """Length of the flattened spectrum branch."""
        return self.positions * self.filters

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter of one member; weights are (inputs, outputs).

        The weight of the first joined layer is stored as two row blocks, one for each branch.
        """
        shapes: dict[str, tuple[int, ...]] = {}
        width = self.joined_units[0]
        if self.points:
            shapes["convolution.weight"] = (self.kernel, self.filters)
            shapes["convolution.bias"] = (self.filters,)
        inputs = self.elements
        if self.elements:
            for i, units in enumerate(self.composition_units):
                shapes[f"composition.{i}.weight"] = (inputs, units)
                shapes[f"composition.{i}.bias"] = (units,)
                inputs = units
            shapes["joined.0.weight.composition"] = (inputs, width)
        if self.points:
            shapes["joined.0.weight.spectrum"] = (self.features, width)
        shapes["joined.0.bias"] = (width,)
        for i, (before, after) in enumerate(
            zip(self.joined_units, (*self.joined_units[1:], 1), strict=True), start=1
        ):
            shapes[f"joined.{i}.weight"] = (before, after)
            shapes[f"joined.{i}.bias"] = (after,)
        return shapes

    def fan_in(self, name: str) -> int:
        """Inputs that reach one unit of the layer `name` belongs to."""
        if name.startswith("joined.0."):
            branch = self.composition_units[-1] if self.elements else 0
            return self.features + branch
        return self.shapes()[name][0]


def initialise(
    architecture: NetworkArchitecture,
    generators: Sequence[np.random.Generator],
    scheme: Initialisation = "truncated-normal",
    dtype: torch.dtype = torch.float32,
) -> Parameters:
    """Initial parameters for as many members as there are generators.

    ``truncated-normal`` is that of the paper: σ = 0.01 cut at 2 σ, biases 0. ``lecun`` has
    variance 1/fan-in in the hidden layers and an output layer of zeros, so that training starts
    at the mean target.
    """
    stacked: Parameters = {}
    last = f"joined.{len(architecture.joined_units)}.weight"
    for name, shape in architecture.shapes().items():
        if name.endswith("bias") or (scheme == "lecun" and name == last):
            stacked[name] = torch.zeros((len(generators), *shape), dtype=dtype)
            continue
        draws = np.stack([_truncated_normal(g, shape) for g in generators])
        std = TRUNCATED_NORMAL_STD
        if scheme == "lecun":
            std = 1 / math.sqrt(architecture.fan_in(name)) / _TRUNCATED_STD
        stacked[name] = torch.from_numpy(draws * std).to(dtype)
    return stacked


_LOWER = float(ndtr(-2.0))
_TRUNCATED_STD = 0.87962566103423978
"""Standard deviation of a standard normal cut at ± 2."""


def _truncated_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    uniform = generator.uniform(_LOWER, 1 - _LOWER, shape)
    return np.asarray(ndtri(uniform), dtype=np.float64)


def forward(
    architecture: NetworkArchitecture,
    parameters: Parameters,
    spectra: Tensor | None,
    composition: Tensor | None,
    masks: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Predictions (K, B) of K members for spectra (K, B, L) and compositions (K, B, E).

    `masks` are the dropout factors of spectrum (K, B, L) and of features (K, B, L', filters)
    with L' = L - kernel + 1; without them nothing is dropped.

    A single member is computed together with a copy of itself: libraries round a batch of one
    matrix differently from larger batches, and a member must not depend on the batch.
    """
    if len(parameters["joined.0.bias"]) == 1:
        twice = {name: _twice(value) for name, value in parameters.items()}
        pairs = (_twice(masks[0]), _twice(masks[1])) if masks is not None else None
        return forward(architecture, twice, _twice(spectra), _twice(composition), pairs)[:1]
    hidden = parameters["joined.0.bias"][:, None]
    if architecture.points:
        assert spectra is not None
        features = _spectrum_branch(architecture, parameters, spectra, masks)
        hidden = torch.baddbmm(hidden, features, parameters["joined.0.weight.spectrum"])
    if architecture.elements:
        assert composition is not None
        units = composition
        for i in range(len(architecture.composition_units)):
            units = functional.elu(_dense(parameters, f"composition.{i}", units))
        hidden = torch.baddbmm(hidden, units, parameters["joined.0.weight.composition"])
    depth = len(architecture.joined_units)
    for i in range(1, depth + 1):
        hidden = _dense(parameters, f"joined.{i}", functional.elu(hidden))
    return hidden.squeeze(-1)


@overload
def _twice(value: Tensor) -> Tensor: ...
@overload
def _twice(value: Tensor | None) -> Tensor | None: ...
def _twice(value: Tensor | None) -> Tensor | None:
    return None if value is None else torch.cat([value, value])


def _dense(parameters: Parameters, layer: str, inputs: Tensor) -> Tensor:
    bias = parameters[f"{layer}.bias"][:, None]
    return torch.baddbmm(bias, inputs, parameters[f"{layer}.weight"])


def _spectrum_branch(
    architecture: NetworkArchitecture,
    parameters: Parameters,
    spectra: Tensor,
    masks: tuple[Tensor, Tensor] | None,
) -> Tensor:
    """Flattened features (K, B, L' · filters), position-major.

    The convolution is computed in blocks of `BLOCK` outputs. Each block is the product of the
    inputs it spans with a banded matrix of the kernel: the same sums as a convolution, in one
    batched matrix product over members, and faster than a grouped convolution on a CPU.
    """
    members, batch, _ = spectra.shape
    kernel, filters = architecture.kernel, architecture.filters
    blocks = -(-architecture.positions // BLOCK)
    span = BLOCK + kernel - 1
    if masks is not None:
        spectra = spectra * masks[0]
    padded = functional.pad(spectra, (0, blocks * BLOCK + kernel - 1 - architecture.points))
    windows = padded.unfold(-1, span, BLOCK).reshape(members, batch * blocks, span)
    band = _banded(parameters["convolution.weight"])
    spread = torch.eye(filters).to(spectra).repeat(1, BLOCK).expand(members, -1, -1)
    bias = torch.bmm(parameters["convolution.bias"][:, None], spread)
    units = functional.elu(torch.baddbmm(bias, windows, band))
    units = units.view(members, batch, blocks * BLOCK * filters)[..., : architecture.features]
    if masks is not None:
        units = units * masks[1].reshape(units.shape)
    return units


def _banded(weight: Tensor) -> Tensor:
    """Banded matrices (K, BLOCK + kernel - 1, BLOCK · filters) of kernels (K, kernel, filters)."""
    members, kernel, filters = weight.shape
    span = BLOCK + kernel - 1
    columns = functional.pad(weight, (0, 0, 0, span + 1 - kernel))
    tiled = columns.repeat(1, BLOCK, 1)[:, : BLOCK * span].view(members, BLOCK, span, filters)
    return tiled.transpose(1, 2).reshape(members, span, BLOCK * filters)


class DropoutMasks:
    """Draws the two dropout masks of a training step for K members.

    The random streams run on the host and are read as raw bits, so a member gets the same masks
    on every device and in every group. At a rate of 1/4 each byte gives four draws.

    The rate is rounded to 1/256. Factors are 0 or 1/(1 - rate), which keeps the expectation.
    """

    def __init__(
        self,
        architecture: NetworkArchitecture,
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
        n_words = -(-draws * bits // 64)
        self._bytes = np.empty((len(streams), n_words * 8), np.uint8)
        table = _factors(architecture.dropout, bits, dtype)
        self._table = table.numpy()
        self._device_table = table.to(device)
        self._drawn = np.empty((*self._bytes.shape, table.shape[1]), self._table.dtype)

    def draw(self) -> tuple[Tensor, Tensor]:
        """Masks (K, B, L) and (K, B, L', filters) of the next step; valid until the next call."""
        n_words = self._bytes.shape[1] // 8
        for row, stream in zip(self._bytes, self._streams, strict=True):
            row[:] = np.asarray(stream.random_raw(n_words)).view(np.uint8)
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
    """Dropout factors (256, 8 // bits) that each byte stands for."""
    values = np.arange(256)[:, None] >> np.arange(0, 8, bits) & (2**bits - 1)
    dropped = round(rate * 2**bits)
    keep = 1 - dropped / 2**bits
    return torch.tensor((values >= dropped) / keep, dtype=dtype)
