"""The commands ``motif search`` and ``motif train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from motif.analysis.search.answer_facets import AnswerFacet
    from motif.analysis.search.confounding import Alarm
    from motif.analysis.search.similarity_search import Hit

train = typer.Typer(no_args_is_help=True, help="Train models on the workspace's measurements.")

Collection = Annotated[str, typer.Argument(help="Collection to look at.")]
Features = Annotated[str | None, typer.Option(help="Name of other features, e.g. symmetry@10nm.")]
Where = Annotated[str | None, typer.Option(help="Filter, e.g. 'operator = \"xu\"'.")]
WeightOption = Annotated[
    list[str] | None,
    typer.Option(
        "--weight", help="Weight of a feature part, channel or both: texture=2, texture.phase=0."
    ),
]


def search(
    collection: Collection,
    id: Annotated[  # noqa: A002 - the option's name
        list[str] | None,
        typer.Option("--id", help="Measurement to compare with; several are averaged."),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="File to compare with; not stored.")] = None,
    key: Annotated[str | None, typer.Option(help="Which measurement of the file.")] = None,
    unlike: Annotated[
        list[str] | None, typer.Option(help="Measurement the answer should differ from.")
    ] = None,
    roi: Annotated[str | None, typer.Option(help="Region x,y,width,height in pixels.")] = None,
    where: Where = None,
    k: Annotated[int, typer.Option("-k", help="How many.")] = 20,
    weight: WeightOption = None,
    within: Annotated[float | None, typer.Option(help="Largest distance.")] = None,
    include_query: Annotated[
        bool, typer.Option("--include-query", help="Keep what was asked with.")
    ] = False,
    not_same: Annotated[
        list[str] | None,
        typer.Option(help="record, session, sample or a facet no hit may share with the question."),
    ] = None,
    different: Annotated[
        list[str] | None, typer.Option(help="Facet every hit tells otherwise, e.g. material.")
    ] = None,
    diverse: Annotated[
        float, typer.Option(help="0 gives the nearest; up to 1, hits unlike each other.")
    ] = 0.0,
    up_to: Annotated[
        str | None,
        typer.Option(help="Compare as pictures: exact, or some of rotation,mirror,inversion."),
    ] = None,
    features: Features = None,
    tiles: Annotated[
        bool | None,
        typer.Option(
            "--tiles/--no-tiles",
            help="Tiles of images answer; by default where a region is asked with and there are.",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find what is most alike: nearest first, among what the filter leaves."""
    from motif.analysis.search.answer_facets import alarm, facets_of_answer
    from motif.analysis.search.search_request import SearchRequest
    from motif.analysis.search.similarity_search import search as find
    from motif.core.workspace import Workspace

    request = SearchRequest(
        collection, ids=id or (), unlike=unlike or (), file=file, key=key, roi=roi, where=where,
        k=k, weights=parse_weights(weight), within=within, include_query=include_query,
        not_same=not_same or (), different=different or (), diversity=diverse, up_to=up_to,
        features=features, tiles=tiles,
    )  # fmt: skip
    with Workspace.open(workspace) as opened:
        hits = find(opened, request)
        shared = facets_of_answer(opened, collection, hits)
        confounding = alarm(opened, collection, hits, id or (), where)
    document = {
        "results": [hit.document() for hit in hits],
        "facets_of_answer": [one.document() for one in shared],
        "alarm": confounding.document(),
    }
    emit(document, as_json, _answer(hits, shared, confounding))


def parse_weights(given: Sequence[str] | None) -> dict[str, float]:
    """Weights by feature part from texts such as ``texture=2``."""
    weights = {}
    for text in given or ():
        part, _, number = text.partition("=")
        try:
            weights[part] = float(number)
        except ValueError:
            raise ConfigError(
                f'"{text}" is not a weight; write the part and a number, such as texture=2.'
            ) from None
    return weights


def _hits(hits: Sequence[Hit]) -> str:
    if not hits:
        return "Nothing matches; loosen the filter."
    shown = ("material", "operator", "technique", "acquired_at")
    rows = [[str(hit.facets.get(name, "-")) for name in shown] for hit in hits]
    widths = [max(map(len, column)) for column in zip(shown, *rows, strict=True)]
    lines = [f" distance  {'id':32}  {_padded(shown, widths)}".rstrip()]
    for hit, row in zip(hits, rows, strict=True):
        suffix = f"  at {hit.region}" if hit.region else ""
        suffix += f"  correlation {hit.correlation:.3f}" if hit.correlation is not None else ""
        lines.append(f"{hit.distance:9.4f}  {hit.id}  {_padded(row, widths)}{suffix}".rstrip())
    return "\n".join(lines)


def _padded(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True))


def _answer(hits: Sequence[Hit], shared: Sequence[AnswerFacet], confounding: Alarm) -> str:
    lines = [_hits(hits)]
    if shared:
        most = ", ".join(
            f"{one.name} {one.value} ({one.share:.0%}, {one.lift:.1f} times as often)"
            for one in shared[:5]
        )
        lines.append(f"Shared: {most}.")
    if confounding.confounded:
        lines.append(f"Alarm: {confounding.sentence}")
    return "\n".join(lines)
