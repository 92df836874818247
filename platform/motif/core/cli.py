"""The command ``motif``: commands are found through the entry points ``motif.commands``."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer

from motif.core.errors import MotifError

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", help="Workspace directory; by default the one you are in.",
        show_default=False,
    ),
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def emit(document: dict[str, Any], as_json: bool, text: str | None = None) -> None:
    """Print the result of a command: the document, or `text` for people."""
    if as_json or text is None:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
    elif text:
        typer.echo(text)


def build() -> typer.Typer:
    """The whole command tree; names with a space become sub-commands."""
    app = typer.Typer(
        name="motif", no_args_is_help=True, pretty_exceptions_enable=False,
        help="The memory of a materials lab: ingest, train, map, search, browse.",
        add_completion=False,
    )  # fmt: skip
    groups: dict[str, typer.Typer] = {}

    def group(name: str) -> typer.Typer:
        if name not in groups:
            groups[name] = typer.Typer(no_args_is_help=True, help=GROUP_HELP.get(name))
            app.add_typer(groups[name], name=name)
        return groups[name]

    for point in sorted(entry_points(group="motif.commands"), key=_order):
        command = point.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=point.name)
            groups[point.name] = command
        elif "." in point.name:
            parent, name = point.name.split(".", 1)
            group(parent).command(name)(command)
        else:
            app.command(point.name)(command)
    app.callback()(_globals)
    return app


GROUP_HELP = {
    "train": "Train models on what the workspace holds.",
    "jobs": "Scheduled and on-demand jobs of motif.toml, and their runs.",
    "sandbox": "A local server that speaks the DataFed client protocol.",
}
ORDER = (
    "demo", "init", "status", "sandbox", "ingest", "records", "show", "label", "facets",
    "quarantine", "train", "models", "embed", "project", "maps", "search", "alike", "gradients",
    "suggest", "figures", "learning-curve", "publish", "jobs", "serve", "check", "reindex", "gc",
)  # fmt: skip


def _order(point: Any) -> tuple[int, str]:
    head = point.name.split(".")[0]
    return (ORDER.index(head) if head in ORDER else len(ORDER), point.name)


def _globals(workspace: WorkspaceOption = None) -> None:
    if workspace is not None:
        os.environ["MOTIF_WORKSPACE"] = str(workspace)


def main() -> None:
    """Run the command line; refusals become one sentence on stderr and exit code 1."""
    try:
        build()()
    except MotifError as error:
        sys.stderr.write(f"motif: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
