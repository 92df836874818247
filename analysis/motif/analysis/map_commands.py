"""The commands ``motif project`` and ``motif maps ...``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from motif.analysis.commands import parse_weights
from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit

if TYPE_CHECKING:
    from motif.analysis.projection import MapSummary
    from motif.core.catalog.database import Derivation
    from motif.core.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Maps: their tree, names and notes, and their files.")

MapArgument = Annotated[str, typer.Argument(help="Id of a map, or its beginning.", metavar="MAP")]


def project(
    collection: Annotated[str, typer.Argument(help="Collection to map.")],
    where: Annotated[str | None, typer.Option(help="Filter, e.g. 'operator = \"xu\"'.")] = None,
    parent: Annotated[
        str | None, typer.Option(help="Map whose points are shown, as far as they match.")
    ] = None,
    of: Annotated[
        str | None, typer.Option(help="Result, such as gradients, whose measurements are shown.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the map.")] = None,
    preset: Annotated[str, typer.Option(help="fast or published.")] = "fast",
    neighbors: Annotated[int | None, typer.Option(help="Neighbours of a point.")] = None,
    min_dist: Annotated[float | None, typer.Option(help="Minimum distance between points.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bits.")] = 42,
    dims: Annotated[int, typer.Option(help="2 or 3 dimensions.")] = 2,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            help="Weight of a feature part, channel or both: texture=2, texture.phase=0.",
        ),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Facet whose values are drawn together.")] = None,
    features: Annotated[
        str | None, typer.Option(help="Name of other features, e.g. symmetry@10nm.")
    ] = None,
    tiles: Annotated[
        int | None, typer.Option(help="A map of the n by n tiles of every image.")
    ] = None,
    place_new: Annotated[
        str | None,
        typer.Option("--place-new", help="Place new measurements on this map; no new map."),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Map a collection: similar measurements are near each other."""
    from motif.analysis import projection
    from motif.core.workspace import Workspace

    if place_new is not None:
        _place_new(collection, place_new, workspace, as_json)
        return
    with Workspace.open(workspace) as opened:
        request = projection.ProjectionRequest(
            collection, where=where, parent=parent, name=name, preset=preset,
            ids=None if of is None else tuple(projection.measurements_of(opened, of)),
            n_neighbors=neighbors, min_dist=min_dist, seed=seed, dims=dims,
            weights=parse_weights(weight), by=by, features=features, tiles=tiles,
        )  # fmt: skip
        result = projection.project(opened, request)
    document = {
        "projection": result.id, "collection": result.collection, "parent": parent,
        **result.summary, "seconds": result.seconds,
    }  # fmt: skip
    emit(document, as_json, _map_text(result))


@app.command("list")
def list_maps(
    collection: Annotated[str | None, typer.Argument(help="Only maps of this one.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List maps as a tree, with name, points and quality."""
    from motif.analysis.projection import map_summaries
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        if collection is not None:
            opened.require_collection(collection)
        summaries = map_summaries(opened, collection)
    emit({"maps": [summary.document() for summary in summaries]}, as_json, _tree(summaries))


@app.command()
def show(
    map_id: MapArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Show one map: name, note, parameters, the maps above it and its parts."""
    from motif.analysis.projection import children, lineage, map_summary, name_of

    with _open_map(map_id, workspace) as (opened, result):
        summary = map_summary(opened, result)
        ancestors = [(above.id, name_of(opened, above)) for above in lineage(opened, result)[1:]]
        parts = [(below.id, name_of(opened, below)) for below in children(opened, result)]
    document = {
        **summary.document(), "parameters": dict(result.parameters), "snapshot": result.snapshot,
        "seconds": result.seconds,
        "ancestors": [{"id": identity, "name": name} for identity, name in ancestors],
        "parts": [{"id": identity, "name": name} for identity, name in parts],
    }  # fmt: skip
    lines = [
        f"{summary.name}  {summary.id}", *([summary.note] if summary.note else []),
        f"{summary.count} measurements of {summary.collection}, {summary.dims}D, {summary.preset}"
        + (f", by {summary.by}" if summary.by else "") + f", computed {summary.created_at}",
        f"trustworthiness {summary.trustworthiness:.3f}, "
        f"{summary.neighbourhood_preservation:.0%} of neighbours kept",
        *(f"part of {name}  {identity}" for identity, name in ancestors),
        *(f"has the part {name}  {identity}" for identity, name in parts),
    ]  # fmt: skip
    emit(document, as_json, "\n".join(lines))


@app.command()
def rename(
    map_id: MapArgument,
    name: Annotated[str, typer.Argument(help="The new name.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a map another name."""
    from motif.analysis.projection import rename as rename_map

    with _open_map(map_id, workspace) as (opened, result):
        parameters = rename_map(opened, result, name).parameters
    document = {"projection": parameters["map"], "name": parameters["name"]}
    emit(document, as_json, f"Named {parameters['name']}.")


@app.command()
def note(
    map_id: MapArgument,
    text: Annotated[str, typer.Argument(help="The note; an empty one removes it.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Attach a note to a map."""
    from motif.analysis.projection import annotate

    with _open_map(map_id, workspace) as (opened, result):
        parameters = annotate(opened, result, text).parameters
    document = {"projection": parameters["map"], "note": parameters["note"]}
    emit(document, as_json, "Noted." if parameters["note"] else "The note is removed.")


@app.command()
def export(
    map_id: MapArgument,
    path: Annotated[
        Path, typer.Argument(help="File that ends in .csv, .parquet, .svg, .pdf or .png.")
    ],
    where: Annotated[str | None, typer.Option(help="Only measurements that match.")] = None,
    colour: Annotated[str | None, typer.Option(help="Facet that colours a picture.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a map, or the measurements that match a filter, to a file."""
    from motif.analysis.projection import export_map

    with _open_map(map_id, workspace) as (opened, result):
        ids = None
        if where is not None:
            ids = [row.id for row in opened.select(result.collection, where)]
        count = export_map(opened, result, path, ids=ids, colour=colour)
    document = {"projection": result.id, "path": str(path), "count": count}
    emit(document, as_json, f"{count} measurements in {path}.")


@app.command()
def moved(
    map_id: MapArgument,
    count: Annotated[int, typer.Option("-k", help="Number of measurements.")] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which measurements moved since the previous map, and why."""
    from motif.analysis.projection import moved_points

    with _open_map(map_id, workspace) as (opened, result):
        points = moved_points(opened, result, count)
    document = {
        "projection": result.id, "before": result.parameters["aligned_to"],
        "shared": result.summary.get("shared"), "median": result.summary.get("moved_median"),
        "moved": [point.document() for point in points],
    }  # fmt: skip
    lines = [f"{point.moved:6.1%}  {point.id}  {point.why}" for point in points]
    emit(document, as_json, "\n".join(lines) or "Nothing moved by a twentieth of the map.")


@app.command("recompute")
def recompute_map(
    map_id: MapArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Compute a map again from its ledger row, and compare every bit."""
    from motif.analysis.projection import recompute

    with _open_map(map_id, workspace) as (opened, result):
        comparison = recompute(opened, result)
    outcome = (
        "identical to the last bit"
        if comparison["identical"]
        else f"coordinates differ by up to {comparison['largest']:g}"
    )
    emit({"projection": result.id, **comparison}, as_json, f"Computed again: {outcome}.")


@app.command()
def clusters(
    map_id: MapArgument,
    smallest: Annotated[int | None, typer.Option(help="Fewest members of a cluster.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Group the points, name the groups by enriched facets, show a representative of each."""
    from motif.analysis.projection import find_clusters

    with _open_map(map_id, workspace) as (opened, result):
        clustering = find_clusters(opened, result, smallest)
    lines = [
        f"{cluster['count']:6}  {cluster['representative']}  {cluster['name']}"
        for cluster in clustering.summary["clusters"]
    ]
    lines.append(f"{clustering.summary['alone']:6}  in no cluster")
    emit({"clustering": clustering.id, **clustering.summary}, as_json, "\n".join(lines))


@app.command("outliers")
def list_outliers(
    map_id: MapArgument,
    count: Annotated[int, typer.Option("-k", help="Number of measurements.")] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show measurements that are far from all others in the features."""
    from motif.analysis.projection import outliers

    with _open_map(map_id, workspace) as (opened, result):
        found = outliers(opened, result, count)
    document = {
        "projection": result.id,
        "outliers": [
            {"id": identity, "isolation": round(isolation, 4)} for identity, isolation in found
        ],
    }
    lines = [
        f"{isolation:6.2f} times as isolated as its neighbours  {identity}"
        for identity, isolation in found
    ]
    emit(document, as_json, "\n".join(lines))


@app.command()
def duplicates(
    map_id: MapArgument,
    within: Annotated[float | None, typer.Option(help="Largest distance, from 0 to 2.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show pairs of measurements that are nearly the same."""
    from motif.analysis.projection import near_duplicates
    from motif.analysis.projection.map_clusters import DUPLICATE_DISTANCE

    with _open_map(map_id, workspace) as (opened, result):
        pairs = near_duplicates(opened, result, DUPLICATE_DISTANCE if within is None else within)
    document = {
        "projection": result.id,
        "pairs": [
            {"first": pair.first, "second": pair.second, "distance": round(pair.distance, 6)}
            for pair in pairs
        ],
    }
    lines = [f"{pair.distance:.4f}  {pair.first}  {pair.second}" for pair in pairs]
    emit(document, as_json, "\n".join(lines) or "No two are nearly the same.")


@contextmanager
def _open_map(map_id: str, path: Path | None) -> Iterator[tuple[Workspace, Derivation]]:
    """The workspace and the map of this id in it."""
    from motif.analysis.projection import map_of
    from motif.core.workspace import Workspace

    with Workspace.open(path) as opened:
        yield opened, map_of(opened, map_id)


def _place_new(collection: str, map_id: str, path: Path | None, as_json: bool) -> None:
    from motif.analysis.projection import map_of, transform_new
    from motif.analysis.search.candidates import texts
    from motif.core.workspace import Workspace

    with Workspace.open(path) as opened:
        result = map_of(opened, map_id, collection)
        ids, positions = transform_new(opened, result)
    points = list(zip(texts(ids), positions.xy.tolist(), positions.trust.tolist(), strict=True))
    placed = [
        {"id": identity, "xy": xy, "trust": round(trust, 4)} for identity, xy, trust in points
    ]
    lines = [f"{len(placed)} measurements are newer than the map {result.id}."]
    lines += [
        "  ".join([identity, *(f"{value:9.4f}" for value in xy), f"{trust:.2f}"])
        for identity, xy, trust in points
    ]
    emit({"projection": result.id, "placed": placed}, as_json, "\n".join(lines))


def _map_text(result: Derivation) -> str:
    summary = result.summary
    kind = "tiles" if result.parameters["tiles"] else "measurements"
    return (
        f"Map {result.id} of {summary['count']} {kind}: trustworthiness "
        f"{summary['trustworthiness']:.3f}, {summary['neighbourhood_preservation']:.0%} of "
        f"neighbours kept, {result.seconds:.1f} s."
    )


def _tree(summaries: Sequence[MapSummary]) -> str:
    if not summaries:
        return "There are no maps yet; create one with motif project COLLECTION."
    depth: dict[str, int] = {}
    lines = []
    for summary in summaries:
        depth[summary.id] = depth.get(summary.parent, -1) + 1
        name = "  " * depth[summary.id] + summary.name
        lines.append(f"{summary.id}  {summary.count:7}  {summary.trustworthiness:.3f}  {name}")
    return "\n".join([f"{'id':32}  {'points':>7}  trust  name", *lines])
