"""Commands of the core: create a workspace, list its contents, check it and rebuild it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit
from motif.core.errors import MotifError, NotFoundError

ROWS_SHOWN = 50

WhereArgument = Annotated[str, typer.Argument(help='Filter such as material = "PbTiO3".')]
CollectionOption = Annotated[str | None, typer.Option(help="Only this collection.")]
LimitOption = Annotated[int, typer.Option(min=1, help="List at most this many.")]


def init(
    directory: Annotated[Path, typer.Argument(help="Directory to create.")] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Create a workspace: motif.toml, the array store and the catalog."""
    from motif.core.workspace import Workspace

    with Workspace.init(directory) as workspace:
        root = str(workspace.root)
    emit(
        {"workspace": root},
        as_json,
        f"Created a workspace at {root}; declare sources in motif.toml.",
    )


def status(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Summarise the workspace: records, collections, results, jobs, problems."""
    from dataclasses import asdict

    from motif.core.jobs.job_runs import next_times
    from motif.core.plugins import failed_plugins
    from motif.core.provenance.record_view import taint_document
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        document: dict[str, Any] = {
            "workspace": str(opened.root),
            "snapshot": opened.store.snapshot().id,
            **opened.counts(),
            "sources": {name: source.kind for name, source in opened.config.sources.items()},
            "jobs": dict(next_times(opened)),
            "tainted": taint_document(opened),
            "plugins_failed": [asdict(failed) for failed in failed_plugins()],
        }
    emit(document, as_json, _status_text(document))


def records(
    where: WhereArgument = "",
    collection: CollectionOption = None,
    limit: LimitOption = ROWS_SHOWN,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List records, all or those with a measurement that matches a filter."""
    from motif.core.catalog.catalog_queries import matching_records, measurement_counts
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        rows = matching_records(opened.catalog, collection, where)
        if collection is not None and not rows:
            opened.require_collection(collection)
        shown = rows[:limit]
        counts = measurement_counts(opened.catalog, [row.id for row in shown])
    document = {
        "total": len(rows),
        "records": [
            {"id": row.id, "source": row.source, "collection": row.collection, "title": row.title,
             "file_name": row.file_name, "reader": row.reader, "updated_at": row.updated_at,
             "measurements": counts[row.id]}
            for row in shown
        ],
    }  # fmt: skip
    table = [
        (row.id, row.collection, str(sum(counts[row.id].values())), row.reader, row.title)
        for row in shown
    ]
    emit(
        document, as_json,
        _listing(("record", "collection", "measurements", "reader", "title"), table, len(rows)),
    )  # fmt: skip


def measurements(
    where: WhereArgument = "",
    collection: CollectionOption = None,
    limit: LimitOption = ROWS_SHOWN,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List measurements, all or those that match a filter."""
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        rows = opened.select(collection, where)
        shown = rows[:limit]
        facets = opened.facets([row.id for row in shown])
    document = {
        "total": len(rows),
        "measurements": [
            {"id": row.id, "record": row.record_id, "collection": row.collection,
             "kind": row.kind, "title": row.title, "facets": facets[row.id]}
            for row in shown
        ],
    }  # fmt: skip
    table = [(row.id, row.kind, row.collection, row.title) for row in shown]
    emit(
        document, as_json,
        _listing(("measurement", "kind", "collection", "title"), table, len(rows)),
    )  # fmt: skip


def _listing(heading: Sequence[str], table: Sequence[Sequence[str]], total: int) -> str:
    """Aligned columns for a terminal; the last column is not padded."""
    if not table:
        return "No matches; motif facets lists the facets that a filter can use."
    widths = [max(map(len, column)) for column in zip(heading, *table, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heading, *table)
    ]
    if total > len(table):
        lines.append(f"... and {total - len(table)} more; raise --limit to list them.")
    return "\n".join(lines)


def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Record, measurement or result.")],
    header: Annotated[bool, typer.Option("--header", help="With the instrument's header.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one record with its measurements, provenance, facets and header; or one result."""
    from motif.core.provenance.record_view import record_document, record_text, result_document
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        document = result_document(opened, identity)
        if document is not None:
            emit(document, as_json)
            return
        if ":" not in identity and not opened.catalog.has_measurement(identity):
            raise NotFoundError(
                f'There is no record, measurement or result "{identity}"; list measurements with '
                "motif measurements, results with motif status --json."
            )
        record_id = identity if ":" in identity else opened.measurement(identity).record_id
        document = record_document(opened, record_id, header=header)
    emit(document, as_json, record_text(document))


def check(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Compare the catalog with the store: every measurement is readable, every hash matches."""
    from motif.core.jobs.progress import Progress
    from motif.core.store.integrity import check_workspace
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened, Progress("checking", quiet=as_json) as progress:
        problems = check_workspace(opened, progress)
    emit({"problems": problems}, as_json, "\n".join(problems) or "No problems found.")
    if problems:
        raise MotifError(f"{len(problems)} problems found; run motif reindex, then motif check.")


def reindex(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Rebuild the catalog from the store's journal."""
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        lines = opened.reindex()
        document = {"journal_lines": lines, **opened.counts()}
    emit(document, as_json, f"Replayed {lines} journal lines.")


def gc(
    days: Annotated[
        float, typer.Option(min=1, help="Delete snapshots older than this many days.")
    ] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Free nothing, only report.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Free what only old snapshots need; snapshots that results were computed from are kept."""
    from datetime import UTC, datetime, timedelta

    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        keep = {result.snapshot for result in opened.ledger.all()}
        older_than = datetime.now(UTC) - timedelta(days=days)
        document = opened.store.collect(older_than, keep, dry_run=dry_run)
    verb = "would free" if dry_run else "freed"
    emit(
        document, as_json,
        f"{verb} {document['bytes']:,} bytes in {document['chunks']} chunks, "
        f"{document['snapshots']} snapshots.",
    )  # fmt: skip


def _status_text(document: dict[str, Any]) -> str:
    kinds = ", ".join(_counted(count, kind) for kind, count in document["measurements"].items())
    lines = [
        f"Workspace {document['workspace']}",
        f"  records       {document['records']}",
        f"  measurements  {kinds or 'none'}",
        f"  quarantined   {document['quarantined']}",
    ]
    if document["disagreeing"]:
        lines.append(
            f"  disagreeing   {document['disagreeing']}: the file's value is used, not the record's"
        )
    for name, by_kind in document["collections"].items():
        contents = ", ".join(_counted(count, kind) for kind, count in by_kind.items())
        lines.append(f"  collection    {name}: {contents}")
    for name, kind in document["sources"].items():
        lines.append(f"  source        {name} ({kind})")
    for stage, count in document["derived"].items():
        lines.append(f"  derived       {stage}: {count}")
    for name, at in document["jobs"].items():
        lines.append(f"  job           {name} (next: {at or 'on demand only'})")
    for record, reason in document["tainted"]["records"].items():
        lines.append(f"  marked wrong  {record}: {reason}")
    for result in document["tainted"]["results"]:
        advice = f"; rebuild it: {result['rebuild']}" if result["rebuild"] else ""
        lines.append(f"  tainted       {result['stage']} of {result['collection']}{advice}")
    for failed in document["plugins_failed"]:
        lines.append(f"  plugin        {failed['error']}")
    return "\n".join(lines)


def _counted(count: int, kind: str) -> str:
    plural = {"image": "images", "spectrum": "spectra"}
    return f"{count} {kind if count == 1 else plural[kind]}"
