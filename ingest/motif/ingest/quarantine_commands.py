"""The commands ``motif quarantine list|show|retry|release``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit

if TYPE_CHECKING:
    from motif.core.catalog import Quarantined

app = typer.Typer(no_args_is_help=True, help="Files that could not be read, and what to do.")

SourceArgument = Annotated[str, typer.Argument(help="Source of motif.toml.")]
NativeArgument = Annotated[str, typer.Argument(metavar="ID", help="The asset's id in its source.")]


@app.command("list")
def list_held(
    source: Annotated[str | None, typer.Argument(help="Only of this source.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is in quarantine, and why."""
    from motif.core.workspace import Workspace
    from motif.ingest.quarantine_text import list_text
    from motif.ingest.sync import source_table

    with Workspace.open(workspace) as opened:
        entries = opened.catalog.quarantined(source)
        if source is not None and not entries:
            source_table(opened, source)
    document = {"quarantined": [_document(entry) for entry in entries]}
    emit(document, as_json, list_text(entries))


@app.command()
def show(
    source: SourceArgument,
    native_id: NativeArgument,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one entry: reason, first bytes, readers asked, since when, how often."""
    from motif.core.workspace import Workspace
    from motif.ingest.quarantine import held
    from motif.ingest.quarantine_text import entry_text

    with Workspace.open(workspace) as opened:
        entry = held(opened, source, native_id)
    emit(_document(entry), as_json, entry_text(entry))


@app.command()
def retry(
    source: SourceArgument,
    native_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only this one.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try to read again what is in quarantine."""
    from dataclasses import asdict

    from motif.core.progress import Progress
    from motif.core.workspace import Workspace
    from motif.ingest.quarantine import retry as try_again

    with Workspace.open(workspace) as opened, Progress("retry", quiet=as_json) as progress:
        done = asdict(try_again(opened, source, native_id, progress))
    emit(done, as_json, ", ".join(f"{count} {what}" for what, count in done.items()))


@app.command()
def release(
    source: SourceArgument,
    native_id: NativeArgument,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the record in with its metadata but without measurements."""
    from motif.core.workspace import Workspace
    from motif.ingest.quarantine import release as let_out

    with Workspace.open(workspace) as opened:
        record = let_out(opened, source, native_id)
    emit({"record": record}, as_json, f"Released as record {record}, without measurements.")


def _document(entry: Quarantined) -> dict[str, Any]:
    from dataclasses import asdict

    from motif.ingest.quarantine_text import printable

    return {**asdict(entry), "first_text": printable(entry)}
