"""What is done to a scan before an extractor sees it: chosen by the user, kept with the result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, get_args

from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from motif.core.catalog.database import MeasurementRow

Phase: TypeAlias = Literal["axis", "signed"]
Levelling: TypeAlias = Literal["lines", "plane", "none"]

WEIGHTS: Mapping[str, float] = MappingProxyType({"phase": 1.0, "amplitude": 0.5, "height": 0.1})
"""Share of each kind of channel in the distance between two scans."""
FIELD = 128
"""Pixels a side of what is described at a time where images are compared in nanometres."""
LEAST_FIELD = FIELD // 2
"""Pixels of the chosen size an image needs a side to be compared in nanometres."""
FINEST, COARSEST = 1e-3, 1e5
"""Nanometres per pixel."""


@dataclass(frozen=True)
class PreparationRecipe:
    """How a scan becomes the images an extractor describes, and what they weigh."""

    channels: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    """Weight of each kind of channel; kinds that are absent or weigh nothing do not count."""
    phase: Phase = "axis"
    """``axis``: 180 degree domains may be inverted; ``signed``: which of them prevails counts."""
    levelling: Levelling = "lines"
    """What height loses: plane and line offsets, its plane, or nothing."""
    nm_per_pixel: float | None = None
    """Size all images are resampled to, so that like means like in nanometres; None compares
    whole images whatever their size."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.channels) - set(WEIGHTS))
        if unknown:
            raise ConfigError(
                f'"{unknown[0]}" is not a kind of channel; the kinds are {", ".join(WEIGHTS)}.'
            )
        weights = list(self.channels.values())
        if not all(0 <= weight < math.inf for weight in weights) or not any(weights):
            raise ConfigError("A channel's weight is zero or more, and one at least is more.")
        for value, kind, what in (
            (self.phase, Phase, "phase"), (self.levelling, Levelling, "levelling"),
        ):  # fmt: skip
            if value not in get_args(kind):
                raise ConfigError(
                    f'"{value}" is not a {what}; choose {" or ".join(get_args(kind))}.'
                )
        size = self.nm_per_pixel
        if size is not None and not FINEST <= size <= COARSEST:
            raise ConfigError(
                f"Pixels measure {FINEST:g} to {COARSEST:g} nm, not {size:g}; choose about the "
                "pixel size of the images."
            )

    @property
    def kinds(self) -> Mapping[str, float]:
        """Kinds of channel that count, with their weights, in the usual order."""
        return {kind: float(self.channels[kind]) for kind in WEIGHTS if self.channels.get(kind)}

    def document(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return {
            "channels": dict(self.kinds), "phase": self.phase, "levelling": self.levelling,
            "nm_per_pixel": self.nm_per_pixel,
        }  # fmt: skip

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `document`."""
        return cls(**document)

    def label(self, extractor: str) -> str:
        """Name of the features an extractor makes this way, such as ``symmetry@10nm``."""
        usual = PreparationRecipe()
        size = "" if self.nm_per_pixel is None else f"@{self.nm_per_pixel:g}nm"
        words = [f"{extractor}{size}"]
        if self.phase != usual.phase:
            words.append(self.phase)
        if self.levelling != usual.levelling:
            words.append(f"levelling={self.levelling}")
        if self.kinds != usual.kinds:
            words.append(",".join(f"{kind}={weight:g}" for kind, weight in self.kinds.items()))
        return ":".join(words)

    def refusal(self, row: MeasurementRow, divided: int = 1) -> str:
        """Why an image, or its `divided` by `divided` tiles, cannot be described; else empty."""
        if self.nm_per_pixel is None:
            return ""
        if row.pixel_size is None:
            return "no pixel size"
        zoom = abs(row.pixel_size) * 1e9 / self.nm_per_pixel
        rows, columns = row.shape[-2] * aspect(row), row.shape[-1]
        if min(rows, columns) // divided * zoom < LEAST_FIELD:
            return f"smaller than {LEAST_FIELD * self.nm_per_pixel:g} nm"
        return ""


def aspect(row: MeasurementRow) -> float:
    """Height of a pixel over its width; 1 where the file does not tell or cannot mean it."""
    x, y = (row.layout["coordinates"].get(name) or {} for name in ("x", "y"))
    if x.get("units") != y.get("units") or not x.get("step") or not y.get("step"):
        return 1.0
    ratio = abs(float(y["step"]) / float(x["step"]))
    return ratio if 1 / 16 <= ratio <= 16 else 1.0
