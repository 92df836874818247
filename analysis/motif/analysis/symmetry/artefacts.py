"""What a scanning probe does to an image: drift, blur, double tip, lines, tilt, scars, noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def uniform(rng: torch.Generator, *shape: int) -> Tensor:
    """Uniform numbers in 0..1 on the device of `rng`."""
    return torch.rand(*shape, generator=rng, device=rng.device)


def _normal(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=rng, device=rng.device)


def standardise(images: Tensor) -> Tensor:
    """Zero mean and unit variance for each image (n, height, width)."""
    mean = images.mean((-2, -1), keepdim=True)
    return (images - mean) / images.std((-2, -1), keepdim=True).clamp_min(1e-8)


def drift(n: int, size: int, strength: float, rng: torch.Generator) -> Tensor:
    """Displacement in pixels of each line along the fast and slow axis (2, n, size).

    Linear drift up to 1 % of the image plus the creep of a scanner, quadratic in time.
    """
    time = torch.linspace(-1, 1, size, device=rng.device)
    linear = (2 * uniform(rng, 2, n, 1) - 1) * 0.01
    creep = (2 * uniform(rng, 2, n, 1) - 1) * 0.005
    return strength * size / 2 * (linear * time + creep * (time.square() - 1 / 3))


def apply(images: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Degrade standardised images (n, size, size); each artefact hits a random share of them.

    At `strength` 1: blur up to 1.5 pixels, a ghost of up to 25 % shifted by up to 4 pixels,
    line offsets up to 0.3 and line gains up to 15 % of the contrast, tilt up to one standard
    deviation, up to 4 scars, white noise up to 0.5 standard deviations.
    """
    images = _blur(standardise(images), strength, rng)
    n, size = images.shape[0], images.shape[-1]
    gain = 1 + _share(n, 0.5, rng) * 0.15 * strength * _normal(rng, n, size, 1)
    offset = _share(n, 0.5, rng) * 0.3 * strength * _normal(rng, n, size, 1)
    axis = torch.linspace(-1, 1, size, device=images.device)
    slope = _share(n, 0.5, rng) * strength * (2 * uniform(rng, n, 2, 1) - 1)
    tilt = slope[:, :1] * axis[None, :, None] + slope[:, 1:] * axis
    noise = _share(n, 0.8, rng) * 0.5 * strength * _normal(rng, n, size, size)
    return _scar(images * gain + offset + tilt, strength, rng) + noise


def _share(n: int, share: float, rng: torch.Generator) -> Tensor:
    """Random amplitude (n, 1, 1): 0 for most, else uniform in 0..1 for a `share` of images."""
    return (uniform(rng, n, 1, 1) < share) * uniform(rng, n, 1, 1)


def _blur(images: Tensor, strength: float, rng: torch.Generator) -> Tensor:
    """Gaussian tip of finite size and, sometimes, a second tip that adds a shifted ghost."""
    n, size = images.shape[0], images.shape[-1]
    fy = torch.fft.fftfreq(size, device=images.device)[:, None]
    fx = torch.fft.rfftfreq(size, device=images.device)[None]
    sigma = 1.5 * strength * uniform(rng, n, 1, 1)
    ghost = 0.25 * strength * _share(n, 0.2, rng)
    angle, reach = 2 * math.pi * uniform(rng, n, 1, 1), 4 * uniform(rng, n, 1, 1)
    phase = -2 * math.pi * reach * (torch.cos(angle) * fx + torch.sin(angle) * fy)
    transfer = torch.exp(-2 * (math.pi * sigma).square() * (fx.square() + fy.square()))
    transfer = transfer * (1 - ghost + ghost * torch.polar(torch.ones_like(phase), phase))
    blurred: Tensor = torch.fft.irfft2(torch.fft.rfft2(images) * transfer, s=(size, size))
    return blurred


def _scar(images: Tensor, strength: float, rng: torch.Generator, most: int = 4) -> Tensor:
    """Up to `most` short streaks along the fast axis, one line high."""
    n, size = images.shape[0], images.shape[-1]
    column = torch.arange(size, device=images.device)
    active = uniform(rng, n, most) < 0.3 * strength
    row = (uniform(rng, n, most) * size).long()
    start = uniform(rng, n, most) * size
    length = size * (0.1 + 0.5 * uniform(rng, n, most))
    height = 2 * _normal(rng, n, most)
    inside = (column >= start[..., None]) & (column < (start + length)[..., None])
    streak = torch.where(inside & active[..., None], height[..., None], 0.0)
    return images.scatter_add(1, row[..., None].expand(-1, -1, size), streak)
