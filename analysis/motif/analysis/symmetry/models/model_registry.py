"""Which models there are to describe images with: installed ones, and those a workspace keeps.

A workspace keeps a model as a folder ``models/NAME`` with its weights (safetensors) and its card
(JSON). Which one ``motif embed`` takes when none is named is a result of the ledger.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from motif.core.config.settings import NAME_PATTERN
from motif.core.errors import ConfigError, NotFoundError
from motif.core.plugins import extractor as installed_extractor

if TYPE_CHECKING:
    from motif.core.catalog.database import Derivation
    from motif.core.contracts import Extractor
    from motif.core.workspace import Workspace


import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motif.core.workspace import Workspace

Kind: TypeAlias = Literal["installed", "trained", "backbone", "joined"]

DEFAULT = "symmetry"
STAGE = "model-selection"
FOLDER = "models"
GROUP = "motif.extractors"
BACKBONE = "backbone"
JOIN = "+"
"""Between the names of models whose features are joined."""


@dataclass(frozen=True)
class Model:
    """Something that turns images into features, by name."""

    name: str
    kind: Kind
    weights: Path | None
    """File of its weights; None where it has none or keeps them to itself."""
    document: Mapping[str, Any]
    """Its card as its maker wrote it."""


def folder(workspace: Workspace) -> Path:
    """Where a workspace keeps models."""
    return workspace.root / FOLDER


def models(workspace: Workspace) -> list[Model]:
    """Every model `motif embed` can take here: installed ones, then the workspace's, by name."""
    installed = [_installed(name) for name in sorted(entry_points(group=GROUP).names)]
    kept = [_kept(place) for place in sorted(folder(workspace).glob("*/*.safetensors"))]
    generic = [one.name for one in kept if one.kind == "backbone"]
    return [*installed, *kept, *(_joined([DEFAULT, name]) for name in generic)]


def model(workspace: Workspace, name: str) -> Model:
    """The model of this name.

    Raises:
        NotFoundError: there is none; lists those there are.
    """
    known = {one.name: one for one in models(workspace)}
    parts = name.split(JOIN)
    if len(set(parts)) == len(parts) > 1 and all(part in known for part in parts):
        return _joined(parts)
    if name not in known:
        raise NotFoundError(
            f'There is no model "{name}"; there are {", ".join(known)}. '
            "Add weights with motif models add."
        )
    return known[name]


def extractor_of(workspace: Workspace, name: str) -> Extractor:
    """The extractor of a model, with its weights loaded.

    Raises:
        ConfigError: it is several models joined, which have no extractor of their own.
    """
    found = model(workspace, name)
    if found.kind == "joined":
        raise ConfigError(f'"{name}" is made of several models; name one of them.')
    if found.kind == "installed":
        return installed_extractor(name)
    if found.weights is not None and found.kind == "backbone":
        from motif.analysis.symmetry.extractors.backbones import Backbone

        return Backbone(name, str(found.document.get("architecture")), found.weights)
    from motif.analysis.symmetry.extractors.symmetry_extractor import SHIPPED, SymmetryExtractor

    return SymmetryExtractor(found.weights or SHIPPED)


def new_folder(workspace: Workspace, name: str) -> Path:
    """Folder of a model to be kept under `name`, not made yet.

    Raises:
        ConfigError: the name is taken, or no name.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise ConfigError(
            f'"{name}" cannot name a model; start with a letter and use letters, digits, _ and -.'
        )
    if name in {one.name for one in models(workspace)}:
        raise ConfigError(f'There is a model "{name}" already; choose another name.')
    return folder(workspace) / name


def selected(workspace: Workspace) -> str:
    """Name of the model that is used when none is named."""
    chosen = selection(workspace)
    return DEFAULT if chosen is None else str(chosen.parameters["model"])


def selection(workspace: Workspace) -> Derivation | None:
    """The last choice of a model; None where nobody chose."""
    made = workspace.ledger.all(STAGE)
    return made[-1] if made else None


def select(workspace: Workspace, name: str) -> Model:
    """Use a model from now on where none is named."""
    found = model(workspace, name)
    before = selection(workspace)
    if selected(workspace) != name or before is None:
        # Naming the choice before makes the same choice a new result when it comes back later.
        parameters = {"model": name, "after": before.id if before else ""}
        text = np.array([name.encode()])
        workspace.ledger.record(STAGE, "", parameters, [], {"text": text}, {"model": name}, 0.0)
    return found


def _installed(name: str) -> Model:
    from motif.analysis.symmetry.extractors.symmetry_extractor import SHIPPED, SymmetryExtractor

    if name == SymmetryExtractor.name:
        return Model(name, "installed", SHIPPED, read_card(SHIPPED))
    (point,) = entry_points(group=GROUP, name=name)
    summary = (point.load().__doc__ or "").strip().split("\n")[0].split(";")[0].rstrip(".")
    return Model(name, "installed", None, {"what": summary})


def _kept(weights: Path) -> Model:
    kind: Kind = "backbone" if weights.stem == BACKBONE else "trained"
    return Model(weights.parent.name, kind, weights, read_card(weights))


def _joined(parts: Sequence[str]) -> Model:
    what = f"principal components of the features of {' and '.join(parts)}"
    return Model(JOIN.join(parts), "joined", None, {"what": what})


def read_card(weights: Path) -> Mapping[str, Any]:
    """The card stored next to weights; empty where there is none or it cannot be read."""
    try:
        document = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


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

    from motif.analysis.symmetry.extractors.backbones import read_weights

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
    from motif.analysis.symmetry.extractors.symmetry_extractor import SymmetryExtractor

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
