"""The command ``motif ingest``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit

if TYPE_CHECKING:
    from motif.ingest.sync.source_sync import SyncSummary


def ingest(
    source: Annotated[
        str | None, typer.Argument(help="Source of motif.toml; all of them by default.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Fetch and hash all raw data again.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Read again what is in quarantine.")
    ] = False,
    allow_deletions: Annotated[
        bool,
        typer.Option(
            "--allow-deletions",
            help="Delete all records that are missing in the source, however many.",
        ),
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the workspace up to date with its sources."""
    from dataclasses import asdict

    from motif.core.errors import ConfigError, MotifError, SourceError
    from motif.core.jobs.progress import Progress
    from motif.core.workspace import Workspace
    from motif.ingest.sync.scratch import DiskFullError
    from motif.ingest.sync.source_sync import SyncIncompleteError, sync

    summaries: dict[str, SyncSummary] = {}
    errors: list[MotifError] = []
    with Workspace.open(workspace) as opened:
        names = [source] if source else list(opened.config.sources)
        if not names:
            raise ConfigError(f"{opened.root}/motif.toml declares no source; add [sources.NAME].")
        for name in names:
            try:
                with Progress(f"ingest {name}", quiet=as_json) as progress:
                    summaries[name] = sync(
                        opened,
                        name,
                        full=full,
                        retry=retry,
                        allow_deletions=allow_deletions,
                        progress=progress,
                    )
            except DiskFullError:
                raise
            except SyncIncompleteError as error:
                summaries[name] = error.summary
                errors.append(error)
            except MotifError as error:  # the other sources are independent of this one
                errors.append(error)
    if summaries:
        by_source = {name: asdict(summary) for name, summary in summaries.items()}
        document = _total(by_source) | ({"sources": by_source} if source is None else {})
        emit(document, as_json, "\n".join(map(_sentence, summaries, by_source.values())))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise SourceError(" ".join(map(str, errors)))


def _total(by_source: dict[str, dict[str, int]]) -> dict[str, Any]:
    total: dict[str, int] = {}
    for counts in by_source.values():
        for key, count in counts.items():
            total[key] = total.get(key, 0) + count
    return total


def _sentence(source: str, counts: dict[str, int]) -> str:
    """``pfm: 5 seen, 5 new, ...``; withheld deletions only where there are some."""
    parts = [
        f"{count} {key.replace('_', ' ')}"
        for key, count in counts.items()
        if count or key != "deletions_withheld"
    ]
    return f"{source}: {', '.join(parts)}"
