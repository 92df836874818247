"""Takes weights into a workspace: checked, as safetensors, with a card."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motif.analysis.symmetry.registry import Model, model, new_folder, read_card
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from motif.core.workspace import Workspace


def add(
    workspace: Workspace, file: Path, *, name: str | None = None, backbone: str | None = None
) -> Model:
    """Keep weights in the workspace as a model; the file is not needed afterwards.

    Args:
        workspace: where to.
        file: safetensors of the symmetry network, or of a generic one as safetensors or torch
            state dict.
        name: what to call it; by default as its architecture or file.
        backbone: architecture of a generic network.

    Raises:
        ConfigError: the file is absent, damaged or of another network, or the name is taken.
    """
    if backbone is None:
        return _symmetry(workspace, file, name or file.parent.name)
    from safetensors.torch import save_file

    from motif.analysis.symmetry.backbones import read_weights

    weights = read_weights(backbone, file)
    place = new_folder(workspace, name or backbone) / "backbone.safetensors"
    card = {
        "model": "backbone", "architecture": backbone,
        "what": f"generic features of a {backbone}, for textures no symmetry tells",
        "command": f"motif models add {file.name} --backbone {backbone}",
        "added": _today(),
        "limits": ["knows nothing of symmetry: a turned pattern has other features"],
    }  # fmt: skip
    _write(place, card)
    save_file(weights, place)
    return model(workspace, place.parent.name)


def _symmetry(workspace: Workspace, file: Path, name: str) -> Model:
    from motif.analysis.symmetry.learned import SymmetryExtractor

    if not file.is_file():
        raise ConfigError(f"There are no weights at {file}; train some with motif train symmetry.")
    SymmetryExtractor(file)
    place = new_folder(workspace, name) / "symmetry.safetensors"
    card = read_card(file) or {"model": "symmetry", "what": "weights of unknown origin"}
    _write(place, {**card, "added": _today()})
    shutil.copyfile(file, place)
    return model(workspace, name)


def _write(weights: Path, card: dict[str, Any]) -> None:
    weights.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(card, indent=2) + "\n"
    weights.with_suffix(".json").write_text(text, encoding="utf-8")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
