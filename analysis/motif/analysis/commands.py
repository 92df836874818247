"""The commands ``motif search`` and ``motif project``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit
from motif.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from motif.analysis.search import Alarm, Hit, Telling
    from motif.core.catalog import Derivation

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
    from motif.analysis.search import alarm, facets_of_answer
    from motif.analysis.search import search as find
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        hits = find(
            opened, collection, ids=id or (), unlike=unlike or (), file=file, key=key, roi=roi,
            where=where, k=k, weights=_weights(weight), within=within,
            include_query=include_query, not_same=not_same or (), different=different or (),
            diversity=diverse, up_to=up_to, features=features, tiles=tiles,
        )  # fmt: skip
        shared = facets_of_answer(opened, collection, hits)
        told = alarm(opened, collection, hits, id or (), where)
    document = {
        "results": [hit.document() for hit in hits],
        "facets_of_answer": [one.document() for one in shared],
        "alarm": told.document(),
    }
    emit(document, as_json, _answer(hits, shared, told))


def project(
    collection: Collection,
    where: Where = None,
    parent: Annotated[str | None, typer.Option(help="Map to take a part of.")] = None,
    of: Annotated[
        str | None, typer.Option(help="Result, such as gradients, whose measurements are shown.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the map.")] = None,
    preset: Annotated[str, typer.Option(help="fast or published.")] = "fast",
    neighbors: Annotated[int | None, typer.Option(help="Neighbours of a point.")] = None,
    min_dist: Annotated[float | None, typer.Option(help="Least distance of points.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bits.")] = 42,
    dims: Annotated[int, typer.Option(help="2 or 3 dimensions.")] = 2,
    weight: WeightOption = None,
    by: Annotated[str | None, typer.Option(help="Facet that draws its values together.")] = None,
    features: Features = None,
    tiles: Annotated[
        int | None, typer.Option(help="A map of the n by n tiles of every image.")
    ] = None,
    place_new: Annotated[
        str | None,
        typer.Option("--place-new", help="Make no map; place on this one what came after it."),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a map of a collection, alike measurements together; a known one is not made again."""
    from motif.analysis.projection import measurements_of
    from motif.analysis.projection import project as make
    from motif.core.workspace import Workspace

    if place_new is not None:
        _place_new(collection, place_new, workspace, as_json)
        return

    with Workspace.open(workspace) as opened:
        made = make(
            opened, collection, where=where, parent=parent, name=name, preset=preset,
            ids=None if of is None else measurements_of(opened, of),
            n_neighbors=neighbors, min_dist=min_dist, seed=seed, dims=dims,
            weights=_weights(weight), by=by, features=features, tiles=tiles,
        )  # fmt: skip
    document = {
        "projection": made.id, "collection": made.collection, "parent": parent, **made.summary,
        "seconds": made.seconds,
    }  # fmt: skip
    emit(document, as_json, _map(made))


def _place_new(collection: str, map_id: str, workspace: Path | None, as_json: bool) -> None:
    from motif.analysis.projection import place_new
    from motif.analysis.projection.notes import map_of
    from motif.analysis.search.members import texts
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        made = map_of(opened, map_id, collection)
        ids, placed = place_new(opened, made)
    points = [
        (one, [float(value) for value in xy], round(float(trust), 4))
        for one, xy, trust in zip(texts(ids), placed.xy, placed.trust, strict=True)
    ]
    lines = [f"{len(points)} measurements came after the map {made.id}."]
    lines += [
        "  ".join([one, *(f"{value:9.4f}" for value in xy), f"{trust:.2f}"])
        for one, xy, trust in points
    ]
    document = [{"id": one, "xy": xy, "trust": trust} for one, xy, trust in points]
    emit({"projection": made.id, "placed": document}, as_json, "\n".join(lines))


def _weights(given: Sequence[str] | None) -> dict[str, float]:
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
        beside = f"  at {hit.region}" if hit.region else ""
        beside += f"  correlation {hit.correlation:.3f}" if hit.correlation is not None else ""
        lines.append(f"{hit.distance:9.4f}  {hit.id}  {_padded(row, widths)}{beside}".rstrip())
    return "\n".join(lines)


def _padded(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True))


def _answer(hits: Sequence[Hit], shared: Sequence[Telling], told: Alarm) -> str:
    lines = [_hits(hits)]
    if shared:
        most = ", ".join(
            f"{one.name} {one.value} ({one.share:.0%}, {one.lift:.1f} times as often)"
            for one in shared[:5]
        )
        lines.append(f"Shared: {most}.")
    if told.confounded:
        lines.append(f"Alarm: {told.sentence}")
    return "\n".join(lines)


def _map(made: Derivation) -> str:
    summary = made.summary
    what = "tiles" if made.parameters["tiles"] else "measurements"
    return (
        f"Map {made.id} of {summary['count']} {what}: trustworthiness "
        f"{summary['trustworthiness']:.3f}, {summary['neighbourhood_preservation']:.0%} of "
        f"neighbours kept, {made.seconds:.1f} s."
    )
