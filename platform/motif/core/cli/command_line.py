"""The command ``motif``: commands are found through the entry points ``motif.commands``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from motif.core.errors import MotifError
from motif.core.plugins import installed, load_plugin, missing_extra
from motif.core.provenance.stages import command_names

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", show_default=False,
        help="Workspace directory; by default the one around the current directory.",
    ),
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def emit(document: dict[str, Any], as_json: bool, text: str | None = None) -> None:
    """Print the result of a command: the document, or `text` for people."""
    if as_json or text is None:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
    elif text:
        typer.echo(text)


COMMANDS = "motif.commands"
ANY_ARGUMENTS: dict[str, Any] = {
    "context_settings": {"ignore_unknown_options": True, "allow_extra_args": True},
    "add_help_option": False,
}

FIRST = (
    "demo", "init", "status", "sandbox", "ingest", "quarantine", "records", "measurements", "show",
    "label", "facets", "models",
)  # fmt: skip
LAST = (
    "maps", "search", "explain", "figures", "publish", "jobs", "serve", "check", "reindex", "gc",
)  # fmt: skip
"""Order of the help, which follows a lab's work: in between come the commands of the stages, in the
order of their registry; commands of other packages come at the end."""


def build() -> typer.Typer:
    """The whole command tree; ``PARENT.NAME`` of an entry point becomes a sub-command.

    A command that cannot be imported is hidden from the help and refuses with the reason.
    """
    app = typer.Typer(
        name="motif", no_args_is_help=True, pretty_exceptions_enable=False,
        help="The memory of a materials lab: ingest, train, map, search, browse.",
        add_completion=False,
    )  # fmt: skip
    groups: dict[str, typer.Typer] = {}

    def group(name: str) -> typer.Typer:
        if name not in groups:
            groups[name] = typer.Typer(no_args_is_help=True)
            app.add_typer(groups[name], name=name)
        return groups[name]

    for point in sorted(installed(COMMANDS), key=_help_order()):
        parent, _, name = point.name.rpartition(".")
        try:
            command = load_plugin(point)
        except MotifError as error:
            (group(parent) if parent else app).command(name, hidden=True, **ANY_ARGUMENTS)(
                _refusing(error)
            )
            continue
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=point.name)
            groups[point.name] = command
        else:
            (group(parent) if parent else app).command(name)(command)
    app.callback()(_globals)
    return app


def _help_order() -> Callable[[EntryPoint], tuple[int, str]]:
    order = list(dict.fromkeys((*FIRST, *command_names(), *LAST)))

    def key(point: EntryPoint) -> tuple[int, str]:
        first_word = point.name.split(".")[0]
        return (order.index(first_word) if first_word in order else len(order), point.name)

    return key


def _refusing(error: MotifError) -> Callable[[], None]:
    """A command that raises the error; its own entry point cannot be imported."""

    def refuse() -> None:
        raise error

    return refuse


def _command_of(arguments: Sequence[str]) -> str:
    """The command that a command line names, e.g. ``motif models compare``."""
    command: Any = typer.main.get_command(build())
    names = ["motif"]
    for argument in arguments:
        subcommands = getattr(command, "commands", {})
        if argument in subcommands:
            command = subcommands[argument]
            names.append(argument)
    return " ".join(names)


def _globals(workspace: WorkspaceOption = None) -> None:
    if workspace is not None:
        os.environ["MOTIF_WORKSPACE"] = str(workspace)


def _refuse(error: Exception) -> NoReturn:
    sys.stderr.write(f"motif: {error}\n")
    sys.exit(1)


def main() -> None:
    """Run the command line; refusals become one sentence on stderr and exit code 1."""
    try:
        build()()
    except MotifError as error:
        _refuse(error)
    except ImportError as error:
        missing = missing_extra(error, _command_of(sys.argv[1:]))
        if missing is None:
            raise
        _refuse(missing)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
