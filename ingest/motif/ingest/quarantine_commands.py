"""The commands ``motif quarantine list|show|retry|release``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit

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

    with Workspace.open(workspace) as opened:
        entries = opened.catalog.quarantined(source)
    lines = [f"{entry.source}  {entry.native_id}\n    {entry.reason}" for entry in entries]
    document = {"quarantined": [_document(entry) for entry in entries]}
    emit(document, as_json, "\n".join(lines) or "Nothing is in quarantine.")


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

    with Workspace.open(workspace) as opened:
        document = _document(held(opened, source, native_id))
    emit(document, as_json, "\n".join(f"{key:15} {value}" for key, value in document.items()))


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


def _document(entry: Any) -> dict[str, Any]:
    from dataclasses import asdict

    first = bytes.fromhex(entry.first_bytes.replace(" ", ""))
    printable = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in first)
    return {**asdict(entry), "first_text": printable}
