"""The command ``motif publish``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit


def publish(
    source: Annotated[
        str | None,
        typer.Option(help="DataFed source of motif.toml to publish through; by default the only "
                     "one there is."),
    ] = None,
    result: Annotated[
        str | None,
        typer.Argument(help="Id of a result, the beginning of one, or a stage (its newest)."),
    ] = None,
    collection: Annotated[
        str | None, typer.Option(help="Collection of this workspace the result is of.")
    ] = None,
    upload: Annotated[
        Path | None, typer.Option(help="Upload this folder of instrument files instead.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(help='DataFed collection to publish into; by default "Motif results" for '
                     "results, the source's own for uploads."),
    ] = None,
    with_inputs: Annotated[
        bool, typer.Option("--with-inputs", help="Also the results this one was computed from.")
    ] = False,
    figures: Annotated[
        bool, typer.Option("--figures/--no-figures", help="With the result's figures.")
    ] = True,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Write a result, or a folder of instrument files, to DataFed; repeating changes nothing."""
    from dataclasses import asdict

    from motif.core.errors import ConfigError
    from motif.core.workspace import Workspace
    from motif.ingest.datafed.client import DataFed
    from motif.ingest.publish.destination import (
        datafed_options,
        open_destination,
        results_destination,
    )

    if (result is None) == (upload is None):
        raise ConfigError("Name either a result or --upload FOLDER; see motif publish --help.")
    with Workspace.open(workspace) as opened:
        options = datafed_options(opened, source)
        with DataFed(options.connection()) as client:
            target = open_destination(client, options, to)
            if upload is not None:
                from motif.core.jobs.progress import Progress
                from motif.ingest.publish.folder_upload import upload_folder

                with Progress("upload", quiet=as_json) as progress:
                    report = asdict(upload_folder(upload, target, opened.cache, progress))
                emit(report, as_json, _upload_text(report))
                return
            from motif.ingest.publish.ledger_results import resolve
            from motif.ingest.publish.result_publisher import publish_result

            resolved = resolve(opened, str(result), collection)
            if to is None:
                target = results_destination(target, resolved.newest.collection)
            publication = publish_result(
                opened, resolved, target, with_inputs=with_inputs, with_figures=figures
            )
            document = {"result": resolved.id, "stage": resolved.newest.stage,
                        "server": target.server, "collection": target.collection,
                        **asdict(publication)}  # fmt: skip
    emit(document, as_json, _result_text(document))


def _result_text(document: dict[str, Any]) -> str:
    verb = "Published" if document["created"] else "Already published:"
    records = "1 record" if document["depends_on"] == 1 else f"{document['depends_on']} records"
    former = f", a new version of {document['version_of']}" if document["version_of"] else ""
    return (
        f"{verb} {document['stage']} {document['result'][:12]} as record {document['record']} on "
        f"{document['server']}{former}, computed from {records} there"
        + (f" and {document['elsewhere']} elsewhere" if document["elsewhere"] else "")
        + (f"; figures {', '.join(document['figures'])}" if document["figures"] else "")
        + "".join(f"; {failure}" for failure in document["figures_failed"])
        + "."
    )


def _upload_text(report: dict[str, Any]) -> str:
    lines = [
        f"{report['files']} files in collection {report['collection']}: "
        f"{report['uploaded']} uploaded, {report['unchanged']} there already, "
        f"{len(report['duplicates'])} duplicates."
    ]
    lines += [f"  no header    {file['file']}: {file['reason']}" for file in report["unread"]]
    lines += [f"  duplicate    {file['file']} of {file['record']}" for file in report["duplicates"]]
    lines += [f"  long header  {file['file']}: in full in {file['record']}"
              for file in report["overflow"]]  # fmt: skip
    return "\n".join(lines)
