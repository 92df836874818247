"""Commands of the core: make a workspace, say what is in it, check and rebuild it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit
from motif.core.errors import MotifError, NotFoundError

jobs = typer.Typer(no_args_is_help=True, help="Jobs of motif.toml, and their runs.")

RECORDS_SHOWN = 50


def init(
    directory: Annotated[Path, typer.Argument(help="Directory to make.")] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Make a workspace: motif.toml, the array store and the catalog."""
    from motif.core.workspace import Workspace

    with Workspace.init(directory) as workspace:
        root = str(workspace.root)
    emit(
        {"workspace": root}, as_json, f"Made a workspace at {root}; declare sources in motif.toml."
    )


def status(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Say what is in the workspace."""
    from motif.core.jobs import next_times
    from motif.core.taint_report import taint_document
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        document: dict[str, Any] = {
            "workspace": str(opened.root),
            "snapshot": opened.store.snapshot().id,
            **opened.counts(),
            "sources": {name: source.kind for name, source in opened.config.sources.items()},
            "jobs": dict(next_times(opened)),
            "tainted": taint_document(opened),
        }
    emit(document, as_json, _status_text(document))


def records(
    where: Annotated[str, typer.Argument(help='Filter such as material = "PbTiO3".')] = "",
    collection: Annotated[str | None, typer.Option(help="Only this collection.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = RECORDS_SHOWN,
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
    lines = [f"{row.id}  {row.kind:8}  {row.collection:12}  {row.title}" for row in shown]
    if len(rows) > len(shown):
        lines.append(f"... and {len(rows) - len(shown)} more; raise --limit to see them.")
    nothing = "Nothing matches; motif facets tells what can be asked for."
    emit(document, as_json, "\n".join(lines) or nothing)


def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Record, measurement or result.")],
    header: Annotated[bool, typer.Option("--header", help="With the instrument's header.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one record with its measurements, provenance, facets and header; or one result."""
    from motif.core.showing import record_document, record_text
    from motif.core.taint_report import result_document
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        document = result_document(opened, identity)
        if document is not None:
            emit(document, as_json)
            return
        if ":" not in identity and not opened.catalog.has_measurement(identity):
            raise NotFoundError(
                f'There is no record, measurement or result "{identity}"; list measurements with '
                "motif records, results with motif status --json."
            )
        record_id = identity if ":" in identity else opened.measurement(identity).record_id
        document = record_document(opened, record_id, header=header)
    emit(document, as_json, record_text(document))


def check(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Compare the catalog with the store: every measurement readable, every hash right."""
    from motif.core.check import check_workspace
    from motif.core.progress import Progress
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened, Progress("checking", quiet=as_json) as progress:
        problems = check_workspace(opened, progress)
    emit({"problems": problems}, as_json, "\n".join(problems) or "Everything is in place.")
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
        float, typer.Option(min=1, help="Forget snapshots older than so many days.")
    ] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Free what only old snapshots hold; snapshots that results were made from stay."""
    from datetime import UTC, datetime, timedelta

    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        keep = {one.snapshot for one in opened.ledger.all()}
        older_than = datetime.now(UTC) - timedelta(days=days)
        document = opened.store.collect(older_than, keep, dry_run=dry_run)
    verb = "would free" if dry_run else "freed"
    emit(
        document, as_json,
        f"{verb} {document['bytes']:,} bytes in {document['chunks']} chunks, "
        f"{document['snapshots']} snapshots.",
    )  # fmt: skip


@jobs.command("list")
def jobs_list(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the jobs of motif.toml and when each runs next."""
    from motif.core.jobs import next_times
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        times = next_times(opened)
        document: dict[str, dict[str, Any]] = {
            name: {"run": job.run, "schedule": job.schedule, "next": times[name]}
            for name, job in opened.config.jobs.items()
        }
    lines = [f"{name}: {', '.join(job['run'])}  (next: {job['next'] or 'only when asked'})"
             for name, job in document.items()]  # fmt: skip
    emit({"jobs": document}, as_json, "\n".join(lines) or "motif.toml declares no jobs.")


@jobs.command("run")
def jobs_run(name: str, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Run a job now and wait for its end."""
    from motif.core.jobs import run_job
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        run = run_job(opened, name)
    emit(_run_document(run), as_json, f"{run.job}: {run.state} ({run.id})")


@jobs.command("runs")
def jobs_runs(
    job: Annotated[str | None, typer.Option(help="Only runs of this job.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List runs of jobs, newest first."""
    from motif.core.jobs import mark_lost
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        mark_lost(opened)
        runs = opened.catalog.runs(limit, job)
    lines = [
        f"{run.id}  {run.started_at[:19]}Z  {run.state:9}  {run.job}  {run.error}".rstrip()
        for run in runs
    ]
    document = {"runs": [_run_document(run) for run in runs]}
    emit(document, as_json, "\n".join(lines) or "No runs yet.")


@jobs.command("retry")
def jobs_retry(run_id: str, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Run the job of an earlier run again."""
    from motif.core.jobs import retry
    from motif.core.workspace import Workspace

    with Workspace.open(workspace) as opened:
        run = retry(opened, run_id)
    emit(_run_document(run), as_json, f"{run.job}: {run.state} ({run.id})")


def _run_document(run: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(run)


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
            f"  disagreeing   {document['disagreeing']}: file against record; the file holds"
        )
    for name, by_kind in document["collections"].items():
        inside = ", ".join(_counted(count, kind) for kind, count in by_kind.items())
        lines.append(f"  collection    {name}: {inside}")
    for name, kind in document["sources"].items():
        lines.append(f"  source        {name} ({kind})")
    for stage, count in document["derived"].items():
        lines.append(f"  derived       {stage}: {count}")
    for name, at in document["jobs"].items():
        lines.append(f"  job           {name} (next: {at or 'only when asked'})")
    for record, why in document["tainted"]["records"].items():
        lines.append(f"  wrong         {record}: {why}")
    for result in document["tainted"]["results"]:
        advice = f"; rebuild it: {result['rebuild']}" if result["rebuild"] else ""
        lines.append(f"  tainted       {result['stage']} of {result['collection']}{advice}")
    return "\n".join(lines)


def _counted(count: int, kind: str) -> str:
    many = {"image": "images", "spectrum": "spectra"}
    return f"{count} {kind if count == 1 else many[kind]}"
