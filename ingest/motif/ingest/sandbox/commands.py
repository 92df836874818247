"""``motif sandbox``: the local server that speaks the DataFed client protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="A local server that speaks the DataFed client protocol.", no_args_is_help=True
)

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of the server: database, keys, raw data.")
]


@app.command()
def serve(
    folder: Folder,
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0: a free one.")] = 7512,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=PATH",
            help="Endpoint and its folder; with one, the server has a repository.",
        ),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:PASSWORD[:admin]", help="User to have; repeat for more."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    search_lag: Annotated[
        float, typer.Option(min=0, help="Seconds before a change shows in searches.")
    ] = 0.0,
    transfer_delay: Annotated[
        float, typer.Option(min=0, help="Seconds each transfer waits before it starts.")
    ] = 0.0,
    clock_offset: Annotated[float, typer.Option(help="Seconds added to the server's clock.")] = 0.0,
    tasks_at_once: Annotated[
        int, typer.Option(min=1, max=64, help="Transfer tasks that run at the same time.")
    ] = 10,
) -> None:
    """Serve until ended; prints one line when ready and writes DIR/sandbox.json."""
    import signal
    import threading

    from motif.core.errors import MotifError
    from motif.ingest.sandbox.request_server.faults import Faults, Limits
    from motif.ingest.sandbox.request_server.sandbox_server import Sandbox

    faults = Faults()
    faults.search_lag, faults.transfer_delay = search_lag, transfer_delay
    faults.clock_offset = clock_offset
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with Sandbox(
            folder,
            port=port,
            host=host,
            endpoints=_endpoints(endpoint or []),
            users=user or [],
            faults=faults,
            limits=Limits(tasks_at_once=tasks_at_once),
        ) as sandbox:
            typer.echo(f"Motif sandbox serves {sandbox.folder} on {sandbox.host}:{sandbox.port}")
            ended.wait()
    except MotifError as error:
        _fail(error)


def _endpoints(texts: list[str]) -> dict[str, Path | str]:
    from motif.core.errors import ConfigError

    roots: dict[str, Path | str] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise ConfigError(f"'{text}' is not an endpoint: write ID=PATH.")
        roots[name] = path
    return roots


@app.command("fault", context_settings={"ignore_unknown_options": True})
def fault(
    folder: Folder,
    knob: Annotated[
        str, typer.Argument(help="drop-reply, repeat-reply, delay-reply SECONDS, fail-transfer "
                            "[TEXT], hold-transfers, release-transfers, transfer-delay SECONDS, "
                            "search-lag SECONDS, clock-offset SECONDS, or clear.")
    ],
    value: Annotated[str, typer.Argument(help="What the knob takes.")] = "",
    request: Annotated[
        str | None,
        typer.Option(help="Name of the request whose reply is meant; by default the next one."),
    ] = None,
) -> None:  # fmt: skip
    """Let the running server misbehave: late, lost and doubled replies, failing transfers."""
    from motif.core.errors import MotifError
    from motif.ingest.sandbox.request_server.control import turn

    try:
        turn(folder, knob, value, request)
    except MotifError as error:
        _fail(error)
    typer.echo("All faults are cleared." if knob == "clear" else f"{knob} is set.")


@app.command("user")
def add_user(
    folder: Folder,
    user: Annotated[str, typer.Argument(metavar="NAME:PASSWORD[:admin]")],
) -> None:
    """Add a user, or set the password of one; a running server knows at once."""
    from motif.core.errors import MotifError
    from motif.ingest.sandbox.access import (
        User,
        ensure_user,
        export_credentials,
    )
    from motif.ingest.sandbox.request_server.faults import Limits
    from motif.ingest.sandbox.sandbox_database import connect, transaction

    try:
        wanted = User.parse(user)
        base = folder.resolve()
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        db = connect(base / "sandbox.sqlite")
        try:
            with transaction(db, write=True):
                ensure_user(db, wanted, Limits())
            export_credentials(db, base)
        finally:
            db.close()
    except MotifError as error:
        _fail(error)
    typer.echo(f"User {wanted.name} is ready: keys in {base / wanted.name}.pub and .priv")


def _fail(error: Exception) -> None:
    typer.echo(str(error), err=True)
    raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
