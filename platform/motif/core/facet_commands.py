"""The command ``motif facets``."""

from __future__ import annotations

from typing import Annotated

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit


def facets(
    collection: Annotated[str | None, typer.Argument(help="Only of this collection.")] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Make all facets anew by the present motif.toml.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what headers and metadata offer as facets; --apply maps them anew, reading no file."""
    from dataclasses import asdict

    from motif.core.progress import Progress
    from motif.core.remapping import remap, survey
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        if apply:
            with Progress("mapping facets", quiet=as_json) as progress:
                count = remap(opened, progress)
            emit({"records": count}, as_json, f"Mapped the facets of {count} records anew.")
            return
        if collection is not None:
            opened.require_collection(collection)
        offers = survey(opened, collection)
    lines = [
        f"{offer.share:6.1%}  {offer.path:40}  {offer.unit:8}  {' | '.join(offer.examples)}"
        + (f"  -> {offer.facet}" if offer.facet else "")
        for offer in offers
    ]
    document = {"offers": [asdict(offer) for offer in offers]}
    emit(document, as_json, "\n".join(lines) or "No records yet; run motif ingest.")
