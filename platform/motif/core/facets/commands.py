"""The command ``motif facets``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit

if TYPE_CHECKING:
    from motif.core.facets.facet_remap import Offer

SHOWN = 40
PATH, UNIT = 34, 7
"""Characters of the columns of keys and units."""


def facets(
    collection: Annotated[str | None, typer.Argument(help="Only of this collection.")] = None,
    like: Annotated[str, typer.Option(help="Only keys with this text, such as volt.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="List at most this many keys.")] = SHOWN,
    apply: Annotated[
        bool, typer.Option("--apply", help="Map all records again by the present motif.toml.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the keys of headers and metadata; --apply maps all facets again, reading no file."""
    from dataclasses import asdict

    from motif.core.facets.facet_remap import remap, survey
    from motif.core.jobs.progress import Progress
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        if apply:
            with Progress("mapping facets", quiet=as_json) as progress:
                count = remap(opened, progress)
            emit({"records": count}, as_json, f"Mapped the facets of {count} records.")
            return
        if collection is not None:
            opened.require_collection(collection)
        offers = [
            offer for offer in survey(opened, collection) if like.lower() in offer.path.lower()
        ]
    document = {"offers": [asdict(offer) for offer in offers]}
    width = shutil.get_terminal_size().columns
    emit(document, as_json, "\n".join(_table(offers, limit, width)))


def _table(offers: Sequence[Offer], limit: int, width: int) -> Iterator[str]:
    """Lines for a terminal of `width` columns; a key that is too long has its own line."""
    if not offers:
        yield "No such keys; run motif ingest, or change --like."
        return
    yield f"{'share':>6}  {'key':{PATH}}  {'unit':{UNIT}}  values: examples"
    for offer in offers[:limit]:
        start = f"{offer.share:6.1%}  "
        path = f"{offer.path:{PATH}}  "
        if len(offer.path) > PATH:
            yield start + offer.path
            start, path = " " * len(start), " " * len(path)
        facet = f"-> {offer.facet}  " if offer.facet else ""
        examples = " | ".join(" ".join(example.split()) for example in offer.examples)
        line = f"{start}{path}{offer.unit:{UNIT}}  {facet}{offer.values}: {examples}"
        yield line if len(line) <= width else line[: width - 1] + "…"
    if len(offers) > limit:
        yield (
            f"... and {len(offers) - limit} more keys; find one with --like TEXT, "
            "raise --limit, or use --json."
        )
