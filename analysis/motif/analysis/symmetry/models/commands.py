"""The commands ``motif models``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit

if TYPE_CHECKING:
    from motif.analysis.symmetry.models.model_cards_data import (
        Comparison,
        InvarianceMeasurement,
        ModelCard,
    )


from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from motif.analysis.symmetry.models.similarity_maps import SimilarityExplanation

app = typer.Typer(help="Models that describe images.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of a model; see motif models list.")]


@app.command("list")
def list_models(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the models there are; a star marks the one used where none is named."""
    from motif.analysis.symmetry.models.model_cards_data import cards
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        found = cards(opened)
    lines = [
        f"{'*' if one.selected else ' '} {one.name:24} {one.kind:10} "
        f"{sum(one.embedded.values()):>8} images  {one.what}"
        for one in found
    ]
    emit({"models": [one.as_json() for one in found]}, as_json, "\n".join(lines))


@app.command()
def show(name: Name, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Show a model's card: how it was made, its figures, its limits, what was measured here."""
    from motif.analysis.symmetry.models.model_cards_data import card
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        found = card(opened, name)
    emit(found.as_json(), as_json, _card(found))


@app.command()
def compare(
    names: Annotated[list[str] | None, typer.Argument(help="Models; by default all.")] = None,
    collection: Annotated[
        str | None, typer.Option(help="Compare whom they call neighbours here.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare models: their figures side by side, and how far they agree on neighbours."""
    from motif.analysis.symmetry.models import model_cards_data
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        found = model_cards_data.compare(opened, names or (), collection)
    emit(found.as_json(), as_json, _comparison(found))


@app.command()
def select(name: Name, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Use a model from now on where none is named."""
    from motif.analysis.symmetry.models import model_cards_data
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        model_cards_data.select(opened, name)
    emit({"selected": name}, as_json, f"motif embed uses {name} from now on.")


@app.command()
def measure(
    collection: Annotated[str, typer.Argument(help="A collection of images.")],
    model: Annotated[str | None, typer.Option(help="By default the selected one.")] = None,
    where: Annotated[str | None, typer.Option(help="Only images that match this query.")] = None,
    count: Annotated[int, typer.Option(help="Images, drawn when there are more.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure on your own images how little turning, mirroring and shifting change the features."""
    from dataclasses import asdict

    from motif.analysis.symmetry.models import model_cards_data
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        found = model_cards_data.measure(
            opened, collection, model, where=where, count=count, seed=seed
        )
    emit(asdict(found), as_json, "\n".join(_invariance_lines(found)))


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="Weights: safetensors, or a torch state dict.")],
    name: Annotated[str | None, typer.Option(help="What to call the model.")] = None,
    backbone: Annotated[
        str | None, typer.Option(help="Its architecture where it is a generic one, e.g. resnet18.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep weights in the workspace as a model; the file itself is not needed afterwards."""
    from motif.analysis.symmetry.models.model_registry import add as keep
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        made = keep(opened, file, name=name, backbone=backbone)
    emit(
        {"model": made.name, "kind": made.kind, "weights": str(made.weights)}, as_json,
        f"{made.name} is kept at {made.weights}; use it with motif embed COLLECTION "
        f"--model {made.name}.",
    )  # fmt: skip


def _card(card: ModelCard) -> str:
    lines = [f"{card.name} ({card.kind}): {card.what}."]
    if card.weights:
        lines += [f"weights    {card.weights}", f"sha256     {card.sha256}"]
    for key in ("command", "seed", "images", "seconds", "hardware", "torch"):
        if key in card.document:
            lines.append(f"{key:10} {card.document[key]}")
    lines += [f"{_number(value):<10} {figure}" for figure, value in card.figures.items()]
    lines += [f"limit      {limit}" for limit in card.limits]
    lines += [f"{count:<10} images of {place} embedded" for place, count in card.embedded.items()]
    for one in card.measured:
        lines += _invariance_lines(one)
    return "\n".join(lines)


def _number(value: float) -> str:
    """Counts and seeds in full, measures to four digits."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.4g}"


def _invariance_lines(found: InvarianceMeasurement) -> list[str]:
    lines = [
        f"{found.model} on {found.images} images of {found.collection}; squared change of the "
        "features over the typical squared distance of two images, mean and 95th percentile:"
    ]
    return lines + [
        f"{value:<10.5f} {found.highest[change]:<10.5f} {change} ({found.counts[change]} images)"
        for change, value in found.changes.items()
    ]


def _comparison(found: Comparison) -> str:
    wide = max(12, *(len(name) + 2 for name in found.models))
    lines = [" " * 44 + "".join(f"{name:>{wide}}" for name in found.models)]
    for figure, values in found.figures.items():
        cells = (_number(values[name]) if name in values else "-" for name in found.models)
        lines.append(f"{figure[:44]:44}" + "".join(f"{cell:>{wide}}" for cell in cells))
    lines += [
        f"{one.first} and {one.second} share {one.shared:.0%} of the ten nearest among "
        f"{one.images} images of {one.collection}."
        for one in found.agreements
    ]
    return "\n".join(lines)


def explain(
    first: Annotated[str, typer.Argument(help="A measurement.")],
    second: Annotated[str, typer.Argument(help="The measurement to compare with.")],
    channel: Annotated[
        str | None, typer.Option(help="phase, amplitude or height; by default the first shared.")
    ] = None,
    maps: Annotated[
        Path | None, typer.Option(help="Write the maps of similarity to this .npz file.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain why two images are similar: symmetry evidence of both, what they share, and where."""
    import numpy as np

    from motif.analysis.symmetry.models.similarity_maps import explain_similarity
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        found = explain_similarity(opened, first, second, channel)
    if maps is not None:
        maps = maps.with_suffix(".npz")
        try:
            np.savez_compressed(maps, first=found.map_a, second=found.map_b)
        except OSError as error:
            raise ConfigError(
                f"{maps} cannot be written: {error.strerror}; name another file."
            ) from error
    emit(_document(found, maps), as_json, _text(found, maps))


def _document(found: SimilarityExplanation, maps: Path | None) -> dict[str, Any]:
    evidence = [
        {**asdict(one), "sentence": one.sentence} for one in (found.evidence_a, found.evidence_b)
    ]
    return {
        "channel": found.channel,
        "similarity": round(found.similarity, 4),
        "shares": {name: round(share, 4) for name, share in found.shares.items()},
        "first": evidence[0],
        "second": evidence[1],
        "sentence": found.sentence,
        "maps": None if maps is None else str(maps),
    }


def _text(found: SimilarityExplanation, maps: Path | None) -> str:
    shares = ", ".join(f"{name} {share:.0%}" for name, share in found.shares.items())
    lines = [
        f"By {found.channel}, similarity {found.similarity:.2f}.",
        f"first   {found.evidence_a.sentence}",
        f"second  {found.evidence_b.sentence}",
        found.sentence,
        f"What difference there is: {shares}.",
    ]
    if maps is not None:
        lines.append(f"Maps of similarity: {maps}.")
    return "\n".join(lines)
