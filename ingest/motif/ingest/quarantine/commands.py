"""The commands ``motif quarantine list|show|retry|release``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit

if TYPE_CHECKING:
    from motif.core.catalog.database import Quarantined

app = typer.Typer(
    no_args_is_help=True, help="Files that could not be read: list, read again, release."
)

SourceArgument = Annotated[str, typer.Argument(help="Source of motif.toml.")]
NativeArgument = Annotated[str, typer.Argument(metavar="ID", help="The asset's id in its source.")]


@app.command("list")
def list_entries(
    source: Annotated[str | None, typer.Argument(help="Only of this source.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is in quarantine, and why."""
    from motif.core.workspace import Workspace
    from motif.ingest.quarantine.quarantine_entries import list_text
    from motif.ingest.sync.source_sync import source_config

    with Workspace.open(workspace) as opened:
        entries = opened.catalog.quarantined(source)
        if source is not None and not entries:
            source_config(opened, source)
    document = {"quarantined": [_document(entry) for entry in entries]}
    emit(document, as_json, list_text(entries))


@app.command()
def show(
    source: SourceArgument,
    native_id: NativeArgument,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one entry: reason, first bytes, readers tried, since when, how often."""
    from motif.core.workspace import Workspace
    from motif.ingest.quarantine.quarantine_entries import entry_text, quarantine_entry

    with Workspace.open(workspace) as opened:
        entry = quarantine_entry(opened, source, native_id)
    emit(_document(entry), as_json, entry_text(entry))


@app.command()
def retry(
    source: SourceArgument,
    native_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only this asset.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read again what is in quarantine."""
    from dataclasses import asdict

    from motif.core.jobs.progress import Progress
    from motif.core.workspace import Workspace
    from motif.ingest.quarantine.quarantine_entries import retry as read_again

    with Workspace.open(workspace) as opened, Progress("retry", quiet=as_json) as progress:
        summary = asdict(read_again(opened, source, native_id, progress))
    emit(summary, as_json, ", ".join(f"{count} {key}" for key, count in summary.items()))


@app.command()
def release(
    source: SourceArgument,
    native_id: NativeArgument,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Store the record with its metadata but without measurements."""
    from motif.core.workspace import Workspace
    from motif.ingest.quarantine.quarantine_entries import release as release_entry

    with Workspace.open(workspace) as opened:
        record = release_entry(opened, source, native_id)
    emit({"record": record}, as_json, f"Released as record {record}, without measurements.")


def _document(entry: Quarantined) -> dict[str, Any]:
    from dataclasses import asdict

    from motif.ingest.quarantine.quarantine_entries import printable_bytes

    return {**asdict(entry), "first_text": printable_bytes(entry)}
