"""The command ``motif publish``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from motif.core.cli import JsonOption, WorkspaceOption, emit


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
        bool, typer.Option("--with-inputs", help="Also the results this one was made from.")
    ] = False,
    figures: Annotated[
        bool, typer.Option("--figures/--no-figures", help="With the result's figures.")
    ] = True,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Write a result, or a folder of instrument files, to DataFed; twice is once."""
    from dataclasses import asdict

    from motif.core.errors import ConfigError
    from motif.core.workspace import Workspace
    from motif.ingest.datafed.client import DataFed
    from motif.ingest.publish.target import open_target, options_of, results_target

    if (result is None) == (upload is None):
        raise ConfigError("Name either a result or --upload FOLDER; see motif publish --help.")
    with Workspace.open(workspace) as opened:
        options = options_of(opened, source)
        with DataFed(options.connection()) as client:
            place = open_target(client, options, to)
            if upload is not None:
                from motif.core.progress import Progress
                from motif.ingest.publish.folder import upload_folder

                with Progress("upload", quiet=as_json) as progress:
                    done = asdict(upload_folder(upload, place, opened.cache, progress))
                emit(done, as_json, _upload_text(done))
                return
            from motif.ingest.publish.publishing import publish as write
            from motif.ingest.publish.results import resolve

            found = resolve(opened, str(result), collection)
            if to is None:
                place = results_target(place, found.newest.collection)
            written = write(opened, found, place, with_inputs=with_inputs, with_figures=figures)
            document = {"result": found.id, "stage": found.newest.stage,
                        "server": place.server, "collection": place.collection,
                        **asdict(written)}  # fmt: skip
    emit(document, as_json, _result_text(document))


def _result_text(document: dict[str, Any]) -> str:
    what = "Published" if document["created"] else "Already published:"
    many = "1 record" if document["depends_on"] == 1 else f"{document['depends_on']} records"
    former = f", a new version of {document['version_of']}" if document["version_of"] else ""
    return (
        f"{what} {document['stage']} {document['result'][:12]} as record {document['record']} on "
        f"{document['server']}{former}, made from {many} there"
        + (f" and {document['elsewhere']} elsewhere" if document["elsewhere"] else "")
        + (f"; figures {', '.join(document['figures'])}" if document["figures"] else "")
        + "."
    )


def _upload_text(done: dict[str, Any]) -> str:
    lines = [
        f"{done['files']} files in collection {done['collection']}: {done['uploaded']} uploaded, "
        f"{done['unchanged']} there already, {len(done['duplicates'])} duplicates."
    ]
    lines += [f"  no header    {one['file']}: {one['reason']}" for one in done["unread"]]
    lines += [f"  duplicate    {one['file']} of {one['record']}" for one in done["duplicates"]]
    lines += [f"  long header  {one['file']}: all of it in {one['record']}"
              for one in done["overflow"]]  # fmt: skip
    return "\n".join(lines)
