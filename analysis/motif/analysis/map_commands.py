"""The commands ``motif maps ...``: list, look at, name, share, check and redo maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit

if TYPE_CHECKING:
    from motif.analysis.projection import Card

app = typer.Typer(no_args_is_help=True, help="Maps: their tree, names and notes, and their files.")

Map = Annotated[str, typer.Argument(help="Id of a map, or how it begins.", metavar="MAP")]


@app.command("list")
def list_maps(
    collection: Annotated[str | None, typer.Argument(help="Only maps of this one.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List maps as a tree, with name, points and quality."""
    from motif.analysis.projection import cards
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        if collection is not None:
            opened.require_collection(collection)
        found = cards(opened, collection)
    emit({"maps": [one.document() for one in found]}, as_json, _tree(found))


@app.command()
def show(map_id: Map, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Show one map: name, note, how it was made, the way back and its parts."""
    from motif.analysis.projection import card, children, lineage, name_of
    from motif.analysis.projection.notes import map_of
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        made = map_of(opened, map_id)
        own = card(opened, made)
        way = [(one.id, name_of(opened, one)) for one in lineage(opened, made)[1:]]
        below = [(one.id, name_of(opened, one)) for one in children(opened, made)]
    document = {
        **own.document(), "parameters": dict(made.parameters), "snapshot": made.snapshot,
        "seconds": made.seconds,
        "way_back": [{"id": one, "name": name} for one, name in way],
        "parts": [{"id": one, "name": name} for one, name in below],
    }  # fmt: skip
    lines = [
        f"{own.name}  {own.id}", *([own.note] if own.note else []),
        f"{own.count} measurements of {own.collection}, {own.dims}D, {own.preset}"
        + (f", by {own.by}" if own.by else "") + f", made {own.created_at}",
        f"trustworthiness {own.trustworthiness:.3f}, "
        f"{own.neighbourhood_preservation:.0%} of neighbours kept",
        *(f"part of {name}  {one}" for one, name in way),
        *(f"has the part {name}  {one}" for one, name in below),
    ]  # fmt: skip
    emit(document, as_json, "\n".join(lines))


@app.command()
def rename(
    map_id: Map,
    name: Annotated[str, typer.Argument(help="What to call it from now on.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call a map something else."""
    from motif.analysis.projection import rename as call
    from motif.analysis.projection.notes import map_of
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        told = call(opened, map_of(opened, map_id), name).parameters
    emit({"projection": told["map"], "name": told["name"]}, as_json, f"Named {told['name']}.")


@app.command()
def note(
    map_id: Map,
    text: Annotated[str, typer.Argument(help="The note; empty takes it away.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a note with a map."""
    from motif.analysis.projection import annotate
    from motif.analysis.projection.notes import map_of
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        told = annotate(opened, map_of(opened, map_id), text).parameters
    emit({"projection": told["map"], "note": told["note"]}, as_json, "Noted.")


@app.command()
def export(
    map_id: Map,
    path: Annotated[Path, typer.Argument(help="File that ends in .csv, .parquet, .png or .svg.")],
    where: Annotated[str | None, typer.Option(help="Only measurements that match.")] = None,
    colour: Annotated[str | None, typer.Option(help="Facet that colours a picture.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a map, or what a filter leaves of it, to a file."""
    from motif.analysis.projection import export as write
    from motif.analysis.projection.notes import map_of
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        made = map_of(opened, map_id)
        ids = None
        if where is not None:
            ids = [row.id for row in opened.select(made.collection, where)]
        count = write(opened, made, path, ids=ids, colour=colour)
    emit({"projection": made.id, "path": str(path), "count": count}, as_json,
         f"{count} measurements in {path}.")  # fmt: skip


@app.command()
def moved(
    map_id: Map,
    count: Annotated[int, typer.Option("-k", help="How many.")] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what moved since the map before, and why."""
    from motif.analysis.projection import moves
    from motif.analysis.projection.notes import map_of
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        made = map_of(opened, map_id)
        found = moves(opened, made, count)
    document = {
        "projection": made.id, "before": made.parameters["aligned_to"],
        "shared": made.summary.get("shared"), "median": made.summary.get("moved_median"),
        "moved": [one.document() for one in found],
    }  # fmt: skip
    lines = [f"{one.moved:6.1%}  {one.id}  {one.why}" for one in found]
    emit(document, as_json, "\n".join(lines) or "Nothing moved by a twentieth of the map.")


@app.command()
def redo(map_id: Map, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Make a map again from what the ledger tells, and compare every bit."""
    from motif.analysis.projection import redo as again
    from motif.analysis.projection.notes import map_of
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        made = map_of(opened, map_id)
        told = again(opened, made)
    same = "the same to the last bit" if told["identical"] else f"up to {told['largest']:g} apart"
    emit({"projection": made.id, **told}, as_json, f"Made again: {same}.")


@app.command("clusters")
def list_clusters(
    map_id: Map,
    smallest: Annotated[int | None, typer.Option(help="Fewest members of a cluster.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Group the points, name the groups by what they share, show a representative of each."""
    from motif.analysis.projection import clusters
    from motif.analysis.projection.notes import map_of
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        found = clusters(opened, map_of(opened, map_id), smallest)
    lines = [
        f"{one['count']:6}  {one['representative']}  {one['name']}"
        for one in found.summary["clusters"]
    ]
    lines.append(f"{found.summary['alone']:6}  in no cluster")
    emit({"clustering": found.id, **found.summary}, as_json, "\n".join(lines))


@app.command()
def outliers(
    map_id: Map,
    count: Annotated[int, typer.Option("-k", help="How many.")] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show measurements like nothing else on the map."""
    from motif.analysis.projection import strangers
    from motif.analysis.projection.notes import map_of
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        made = map_of(opened, map_id)
        found = strangers(opened, made, count)
    document = {
        "projection": made.id,
        "outliers": [{"id": one, "loneliness": round(score, 4)} for one, score in found],
    }
    lines = [f"{score:6.2f} times as lonely as those around  {one}" for one, score in found]
    emit(document, as_json, "\n".join(lines))


@app.command()
def duplicates(
    map_id: Map,
    within: Annotated[float | None, typer.Option(help="Largest distance, from 0 to 2.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show pairs of measurements that are nearly the same."""
    from motif.analysis.projection import near_duplicates
    from motif.analysis.projection.clusters import DUPLICATE
    from motif.analysis.projection.notes import map_of
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        made = map_of(opened, map_id)
        found = near_duplicates(opened, made, DUPLICATE if within is None else within)
    document = {
        "projection": made.id,
        "pairs": [
            {"first": one.first, "second": one.second, "distance": round(one.distance, 6)}
            for one in found
        ],
    }
    lines = [f"{one.distance:.4f}  {one.first}  {one.second}" for one in found]
    emit(document, as_json, "\n".join(lines) or "No two are nearly the same.")


def _tree(found: list[Card]) -> str:
    if not found:
        return "There are no maps yet; make one with motif project COLLECTION."
    depth: dict[str, int] = {}
    lines = []
    for one in found:
        depth[one.id] = depth.get(one.parent, -1) + 1
        lines.append(
            f"{one.id}  {one.count:7}  {one.trustworthiness:.3f}  {'  ' * depth[one.id]}{one.name}"
        )
    return "\n".join([f"{'id':32}  {'points':>7}  trust  name", *lines])
