"""The command ``motif label``."""

from __future__ import annotations

from typing import Annotated

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit
from motif.core.errors import ConfigError, NotFoundError


def label(
    collection: Annotated[str, typer.Argument(help="Collection of the measurements.")],
    add: Annotated[str | None, typer.Option(help="Label to add.")] = None,
    remove: Annotated[str | None, typer.Option(help="Label to remove.")] = None,
    note: Annotated[str | None, typer.Option(help="Note to add.")] = None,
    where: Annotated[str | None, typer.Option(help="Only measurements that match this.")] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="Only these measurements.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a label or note to measurements, or remove a label; without these, list the labels."""
    from motif.core.annotations.annotation_log import account, add_label, add_note, remove_label
    from motif.core.workspace import Workspace

    actions = [
        (action, text)
        for action, text in ((add_label, add), (remove_label, remove), (add_note, note))
        if text is not None
    ]
    with Workspace.open(workspace) as opened:
        opened.require_collection(collection)
        if actions:
            if where is None and not ids:
                raise ConfigError("Choose the measurements with --id or --where.")
            chosen = [row.id for row in opened.select(collection, where, ids=ids)]
            if not chosen:
                raise NotFoundError(_no_match(collection, where, ids))
            for action, text in actions:
                action(opened, chosen, text, account())
            count = "1 measurement" if len(chosen) == 1 else f"{len(chosen)} measurements"
            emit({"measurements": len(chosen)}, as_json, f"Done for {count} of {collection}.")
            return
        columns = opened.columns(collection)
        counts = columns.counts("label") if "label" in columns.names else {}
    lines = [f"{count:8}  {text}" for text, count in counts.items()]
    emit({"labels": counts}, as_json, "\n".join(lines) or f"{collection} has no labels.")


def _no_match(collection: str, where: str | None, ids: list[str] | None) -> str:
    conditions = [f"have the id {' or '.join(ids)}"] if ids else []
    conditions += [f"match {where}"] if where else []
    return (
        f"No measurements of {collection} {' and '.join(conditions)}; "
        "list measurements with motif measurements."
    )
