"""The command ``motif label``."""

from __future__ import annotations

from typing import Annotated

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit
from motif.core.errors import ConfigError, NotFoundError


def label(
    collection: Annotated[str, typer.Argument(help="Collection of the measurements.")],
    put: Annotated[str | None, typer.Option(help="Label to put on.")] = None,
    take: Annotated[str | None, typer.Option(help="Label to take off.")] = None,
    note: Annotated[str | None, typer.Option(help="Note to write.")] = None,
    where: Annotated[str | None, typer.Option(help="The measurements that match this.")] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="These measurements.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a label on measurements, take one off, or write a note; without these, list labels."""
    from motif.core.people import account
    from motif.core.remarks import put_label, put_note, take_label
    from motif.core.workspace import Workspace

    acts = ((put_label, put), (take_label, take), (put_note, note))
    wanted = [(act, text) for act, text in acts if text is not None]
    with Workspace.open(workspace) as opened:
        opened.require_collection(collection)
        if wanted:
            if where is None and not ids:
                raise ConfigError("Say which measurements are meant, with --id or --where.")
            chosen = [row.id for row in opened.select(collection, where, ids=ids)]
            if not chosen:
                raise NotFoundError(_nothing_chosen(collection, where, ids))
            for act, text in wanted:
                act(opened, chosen, text, account())
            many = "1 measurement" if len(chosen) == 1 else f"{len(chosen)} measurements"
            text = f"Done for {many} of {collection}."
            emit({"measurements": len(chosen)}, as_json, text)
            return
        columns = opened.columns(collection)
        counts = columns.counts("label") if "label" in columns.names else {}
    lines = [f"{count:8}  {one}" for one, count in counts.items()]
    emit({"labels": counts}, as_json, "\n".join(lines) or f"Nothing in {collection} has a label.")


def _nothing_chosen(collection: str, where: str | None, ids: list[str] | None) -> str:
    parts = [f"have the id {' or '.join(ids)}"] if ids else []
    parts += [f"match {where}"] if where else []
    return f"No measurements of {collection} {' and '.join(parts)}; list them with motif records."
