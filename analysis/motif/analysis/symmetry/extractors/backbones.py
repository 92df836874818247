"""Generic networks for a second feature: ResNet and VGG-16, with weights from a file.

Layers are named as torchvision names them, so that state dicts saved with it (and timm's of the
same networks) fit. Nothing is ever downloaded.

He et al., "Deep residual learning", arXiv:1512.03385; Simonyan, Zisserman, arXiv:1409.1556.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from motif.analysis.symmetry.extractors.analytic_descriptor import centre_square
from motif.core.contracts import check_images
from motif.core.errors import ConfigError
from motif.core.records import content_id

SIZE = 128
"""Pixels a side an image is described at: a third of the work of ImageNet's 224."""
BATCH = 32
VERSION = 1
HEADS = ("fc.", "classifier.", "head.", "pre_logits.")
"""Layers that name classes of photographs; they are left out."""
RESNETS: Mapping[str, tuple[tuple[int, int, int, int], bool]] = {
    "resnet18": ((2, 2, 2, 2), False),
    "resnet34": ((3, 4, 6, 3), False),
    "resnet50": ((3, 4, 6, 3), True),
}
"""Blocks in each of the four layers, and whether blocks are bottlenecks."""
VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Channels of the convolutions; 0 halves the image."""
ARCHITECTURES = (*RESNETS, "vgg16")


class BackboneBlock(nn.Module):
    """Residual block: two 3x3 convolutions, or 1x1, 3x3, 1x1 to four times the width."""

    def __init__(self, inward: int, width: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        outward = 4 * width if bottleneck else width
        sizes = [(inward, width, 1), (width, width, 3), (width, outward, 1)]
        if not bottleneck:
            sizes = [(inward, width, 3), (width, outward, 3)]
        self.depth = len(sizes)
        strided = 1 if bottleneck else 0
        for number, (before, after, size) in enumerate(sizes):
            step = stride if number == strided else 1
            convolution = nn.Conv2d(before, after, size, step, size // 2, bias=False)
            self.add_module(f"conv{number + 1}", convolution)
            self.add_module(f"bn{number + 1}", nn.BatchNorm2d(after))
        self.downsample = None
        if stride != 1 or inward != outward:
            self.downsample = nn.Sequential(
                nn.Conv2d(inward, outward, 1, stride, bias=False), nn.BatchNorm2d(outward)
            )

    def forward(self, x: Tensor) -> Tensor:
        found = x
        for number in range(1, self.depth + 1):
            found = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(found))
            if number < self.depth:
                found = functional.relu(found)
        kept = x if self.downsample is None else self.downsample(x)
        return functional.relu(found + kept)


class ResNet(nn.Module):
    """Images (n, 3, h, w) -> features (n, 512), or (n, 2048) with bottlenecks."""

    def __init__(self, counts: tuple[int, int, int, int], bottleneck: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inward = 64
        for number, count in enumerate(counts):
            width, blocks = 64 << number, nn.Sequential()
            for place in range(count):
                blocks.append(
                    BackboneBlock(inward, width, 2 if number and not place else 1, bottleneck)
                )
                inward = 4 * width if bottleneck else width
            self.add_module(f"layer{number + 1}", blocks)
        self.size = inward

    def forward(self, x: Tensor) -> Tensor:
        found = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for number in range(1, 5):
            found = getattr(self, f"layer{number}")(found)
        return found.mean((2, 3))


class Vgg16(nn.Module):
    """Images (n, 3, h, w) -> features (n, 512)."""

    size = 512

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential()
        before = 3
        for width in VGG16:
            if width:
                self.features.extend([nn.Conv2d(before, width, 3, padding=1), nn.ReLU()])
                before = width
            else:
                self.features.append(nn.MaxPool2d(2))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.features(x).mean((2, 3))
        return found


def network(architecture: str) -> ResNet | Vgg16:
    """A network without weights worth having; `ConfigError` lists the architectures."""
    if architecture not in ARCHITECTURES:
        raise ConfigError(
            f'There is no backbone "{architecture}"; there are {", ".join(ARCHITECTURES)}.'
        )
    return ResNet(*RESNETS[architecture]) if architecture in RESNETS else Vgg16()


def read_weights(architecture: str, file: Path) -> dict[str, Tensor]:
    """The layers a backbone needs, from safetensors or a torch state dict; checked for shape.

    Raises:
        ConfigError: the file is absent, damaged, or of another network.
    """
    wanted = {
        name: value for name, value in network(architecture).state_dict().items()
        if not name.endswith("num_batches_tracked")
    }  # fmt: skip
    found = {name.removeprefix("module."): value for name, value in _tensors(file).items()}
    for name, value in wanted.items():
        if name not in found or found[name].shape != value.shape:
            what = "no" if name not in found else f"another shape {tuple(found[name].shape)} of"
            raise ConfigError(
                f'{file} has {what} "{name}" {tuple(value.shape)}, so it is not of a '
                f"{architecture}; name the architecture it was saved from."
            )
    return {name: found[name].float().contiguous() for name in wanted}


def _tensors(file: Path) -> dict[str, Tensor]:
    if not file.is_file():
        raise ConfigError(
            f"There are no weights at {file}; save them there first, as safetensors or as a torch "
            "state dict. They are never downloaded."
        )
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        # Nothing but tensors is unpacked; whatever else the file holds is refused.
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        if not isinstance(error, SafetensorError | RuntimeError | OSError | ValueError | EOFError):
            from pickle import UnpicklingError

            if not isinstance(error, UnpicklingError):
                raise
        raise ConfigError(
            f"{file} holds no weights that can be read safely: {str(error).splitlines()[0]}; "
            "save the state dict alone."
        ) from error
    inner = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    return {name: value for name, value in inner.items() if isinstance(value, Tensor)}


class Backbone:
    """Extractor of a generic network; see `motif.core.contracts.Extractor`."""

    def __init__(self, name: str, architecture: str, weights: Path) -> None:
        self.name = name
        self._network = network(architecture)
        self._network.load_state_dict(read_weights(architecture, weights), strict=False)
        self._network.eval()
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        self.fingerprint = content_id("backbone", architecture, digest, str(VERSION), str(SIZE))
        self.parts: Mapping[str, slice] = {"generic": slice(0, self._network.size)}

    def __call__(
        self, images: NDArray[np.float32], pixel_size: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Features (n, d) of unit length of images (n, height, width); their size is not used."""
        check_images(images, pixel_size)
        made = np.zeros((len(images), self._network.size), np.float32)
        with torch.inference_mode():
            for start in range(0, len(images), BATCH):
                piece = torch.from_numpy(np.ascontiguousarray(images[start : start + BATCH]))
                square, _ = centre_square(piece, SIZE)
                found = self._network(square[:, None].expand(-1, 3, -1, -1))
                contrast = square.flatten(1).std(1, keepdim=True) > 1e-6
                unit = torch.where(contrast, functional.normalize(found), 0.0)
                made[start : start + BATCH] = unit.numpy()
        return made
