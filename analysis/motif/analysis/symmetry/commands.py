"""The commands ``motif embed`` and ``motif train symmetry``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit


def embed(
    collection: Annotated[str, typer.Argument(help="A collection of images.")],
    extractor: Annotated[
        str | None, typer.Option(help="Installed extractor; by default the best one.")
    ] = None,
    where: Annotated[str | None, typer.Option(help="Only images that match this query.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute the features of every image that has none yet."""
    from motif.analysis.symmetry.embed import DEFAULT
    from motif.analysis.symmetry.embed import embed as compute
    from motif.core.progress import Progress
    from motif.core.workspace import Workspace

    with (
        Workspace.open(workspace) as opened,
        Progress(f"embed {collection}", quiet=as_json) as progress,
    ):
        document = compute(
            opened, collection, extractor=extractor or DEFAULT, where=where, progress=progress
        )
    emit(
        document, as_json,
        f"{document['count']} images have features by {document['extractor']}; "
        f"{document['new']} are new.",
    )  # fmt: skip


def train_symmetry(
    images: Annotated[int, typer.Option(help="Generated images to learn from.")] = 60_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    output: Annotated[
        Path, typer.Option(help="Folder for symmetry.safetensors and its card.")
    ] = Path("models"),
    as_json: JsonOption = False,
) -> None:
    """Train the symmetry network on generated images of the 17 wallpaper groups."""
    from motif.analysis.symmetry.training import save, train
    from motif.core.progress import Progress

    with Progress("train symmetry", quiet=as_json) as progress:
        network, card = train(images, seed=seed, device=device, progress=progress)
    path = save(network, card, output)
    held_out = card["held_out"]
    emit(
        {"weights": str(path), **card}, as_json,
        f"{path}: names {held_out['accuracy_17']:.1%} of clean held-out images, "
        f"{held_out['accuracy_17_artefacts']:.1%} with scanning artefacts.",
    )  # fmt: skip
