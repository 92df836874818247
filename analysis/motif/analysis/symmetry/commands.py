"""The commands ``motif embed`` and ``motif train symmetry``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit
from motif.core.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from motif.analysis.symmetry.extractors.preparation_recipe import PreparationRecipe
    from motif.core.workspace import Workspace


def embed(
    collection: Annotated[str, typer.Argument(help="A collection of images.")],
    extractor: Annotated[
        str | None,
        typer.Option("--extractor", "--model", help="Model; by default the selected one."),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(help="Join with generic features: resnet18, resnet34, resnet50 or vgg16."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="File of the backbone's weights; never downloaded.")
    ] = None,
    where: Annotated[str | None, typer.Option(help="Only images that match this query.")] = None,
    tiles: Annotated[
        list[int] | None,
        typer.Option(help="Of the n by n tiles of every image too; may be given again."),
    ] = None,
    nm_per_pixel: Annotated[
        float | None,
        typer.Option(help="Resample to this size first: like means like in nanometres."),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(help="Weight of a kind of channel, e.g. phase=1; others do not count then."),
    ] = None,
    phase: Annotated[
        str, typer.Option(help="axis: domains may be inverted; signed: not.")
    ] = "axis",
    levelling: Annotated[
        str, typer.Option(help="What height loses: lines (and plane), plane or none.")
    ] = "lines",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute the features of every image that has none yet."""
    from motif.analysis.symmetry.embedding.fused_embedding import embed as compute
    from motif.core.jobs.progress import Progress
    from motif.core.workspace import Workspace

    recipe = _recipe(channel, phase, levelling, nm_per_pixel)
    documents = []
    with Workspace.open(workspace) as opened:
        if backbone is not None or weights is not None:
            extractor = _with_backbone(opened, extractor, backbone, weights)
        for grid in dict.fromkeys((1, *(tiles or ()))):
            what = collection if grid == 1 else f"{grid} x {grid} tiles of {collection}"
            with Progress(f"embed {what}", quiet=as_json) as progress:
                documents.append(
                    compute(
                        opened, collection, extractor=extractor, recipe=recipe, tiles=grid,
                        where=where, progress=progress,
                    )
                )  # fmt: skip
    document = documents[0]
    if documents[1:]:
        document["of_tiles"] = documents[1:]
    emit(document, as_json, "\n".join(map(_model_text, documents)))


def _with_backbone(
    workspace: Workspace, name: str | None, backbone: str | None, weights: Path | None
) -> str:
    """Name of the model that joins the backbone, whose weights are kept if they are not yet."""
    from motif.analysis.symmetry.models.model_registry import DEFAULT, JOIN, add, models

    if backbone is None:
        raise ConfigError("Weights of what? Name the network with --backbone, such as resnet18.")
    if backbone not in {one.name for one in models(workspace)}:
        if weights is None:
            raise ConfigError(
                f"There are no weights of a {backbone} here, and they are never downloaded; name "
                "a file with --weights."
            )
        add(workspace, weights, backbone=backbone)
    return JOIN.join([name or DEFAULT, backbone])


def _model_text(document: dict[str, Any]) -> str:
    grid = document["tiles"]
    what = "images have" if grid == 1 else f"images have {grid} by {grid} tiles with"
    left_out = "".join(
        f" {count} are left out: {why}." for why, count in document["left_out"].items()
    )
    return (
        f"{document['count']} {what} features {document['features']}; {document['new']} are new."
        + left_out
    )


def _recipe(
    channels: Sequence[str] | None, phase: str, levelling: str, nm_per_pixel: float | None
) -> PreparationRecipe:
    from motif.analysis.symmetry.extractors.preparation_recipe import WEIGHTS, PreparationRecipe

    weights = {}
    for text in channels or ():
        kind, _, number = text.partition("=")
        try:
            weights[kind] = float(number)
        except ValueError:
            raise ConfigError(
                f'"{text}" is not a weight; write the kind of channel and a number, such as '
                "phase=1."
            ) from None
    return PreparationRecipe.of(
        {
            "channels": weights or dict(WEIGHTS), "phase": phase, "levelling": levelling,
            "nm_per_pixel": nm_per_pixel,
        }
    )  # fmt: skip


def train_symmetry(
    images: Annotated[int, typer.Option(help="Generated images to learn from.")] = 60_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    name: Annotated[
        str | None, typer.Option(help="Keep it in the workspace as a model of this name.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for symmetry.safetensors and its card, instead of a workspace."),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the symmetry network on generated images of the 17 wallpaper groups."""
    from motif.analysis.symmetry.learning.network_training import save, train
    from motif.core.jobs.progress import Progress

    place = output or _place(workspace, name or f"symmetry-{images}-{seed}", named=name is not None)
    with Progress("train symmetry", quiet=as_json) as progress:
        network, card = train(images, seed=seed, device=device, progress=progress)
    path = save(network, card, place)
    held_out = card["held_out"]
    emit(
        {"weights": str(path), **card}, as_json,
        f"{path}: names {held_out['accuracy_17']:.1%} of clean held-out images, "
        f"{held_out['accuracy_17_artefacts']:.1%} with scanning artefacts.",
    )  # fmt: skip


def _place(workspace: Path | None, name: str, *, named: bool) -> Path:
    """Folder of a new model in the workspace, or ``models`` here where there is none."""
    from motif.analysis.symmetry.models.model_registry import new_folder
    from motif.core.workspace import Workspace

    try:
        with Workspace.open(workspace) as opened:
            return new_folder(opened, name)
    except NotFoundError:
        if workspace is not None or named:
            raise
        return Path("models")
