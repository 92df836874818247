"""The command ``motif ingest``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit


def ingest(
    source: Annotated[
        str | None, typer.Argument(help="Source of motif.toml; all of them by default.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Fetch and hash all raw data again.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try what is in quarantine again.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the workspace up to date with its sources."""
    from dataclasses import asdict

    from motif.core.errors import ConfigError
    from motif.core.progress import Progress
    from motif.core.workspace import Workspace
    from motif.ingest.sync import Summary, sync

    with Workspace.open(workspace) as opened:
        names = [source] if source else list(opened.config.sources)
        if not names:
            raise ConfigError(f"{opened.root}/motif.toml declares no source; add [sources.NAME].")
        total = Summary()
        by_source: dict[str, Any] = {}
        for name in names:
            with Progress(f"ingest {name}", quiet=as_json) as progress:
                done = sync(opened, name, full=full, retry=retry, progress=progress)
            by_source[name] = asdict(done)
            for key, count in asdict(done).items():
                setattr(total, key, getattr(total, key) + count)
    document = asdict(total) | ({"sources": by_source} if source is None else {})
    lines = [f"{name}: {_sentence(counts)}" for name, counts in by_source.items()]
    emit(document, as_json, "\n".join(lines))


def _sentence(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())
