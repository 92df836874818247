"""The commands ``motif demo`` and ``motif serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from motif.core.cli.command_line import JsonOption, WorkspaceOption, emit

PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the dashboard.")]
HostOption = Annotated[str | None, typer.Option(help="Address the dashboard listens on.")]
PublicOption = Annotated[
    bool,
    typer.Option(
        "--public",
        help="Let others on the network look without signing in; nothing can be changed then.",
    ),
]


def serve(
    host: HostOption = None,
    port: PortOption = None,
    public: PublicOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Run the scheduler and the dashboard together until Ctrl-C."""
    from motif.core.plugins import require_extra
    from motif.core.workspace import Workspace
    from motif.dashboard.server.supervisor import Children, ended_by_signals, operate

    require_extra("dashboard", "motif serve")
    with (
        Workspace.open(workspace) as opened,
        ended_by_signals(),
        Children(opened.root / "logs") as children,
    ):
        operate(opened, children, host, port, public=public)


def demo(
    directory: Annotated[
        Path, typer.Option("--dir", help="Folder of the demonstration workspace.")
    ] = Path("motif-demo"),
    no_serve: Annotated[
        bool,
        typer.Option(
            "--no-serve", help="Exit when the analysis is done instead of serving the dashboard."
        ),
    ] = False,
    host: HostOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run all of Motif on a simulated lab: server, ingest, training, map, dashboard."""
    from motif.core.plugins import require_extra
    from motif.core.workspace import Workspace
    from motif.dashboard.demo import Demo
    from motif.dashboard.server.supervisor import Children, ended_by_signals, operate

    require_extra("dashboard", "motif demo")
    root = directory.absolute()
    with ended_by_signals(), Children(root / "logs") as children:
        document = Demo(root, children).run()
        emit(document, as_json, "" if not no_serve else f"Done; open it with motif serve -w {root}")
        if not no_serve:
            with Workspace.open(root) as workspace:
                operate(workspace, children, host, port)
