"""The command ``motif sandbox seed``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from motif.core.cli.command_line import JsonOption, emit


def seed(
    directory: Annotated[Path, typer.Argument(help="Directory of a running sandbox.")],
    user: Annotated[str, typer.Option(help="Who uploads; a user of the sandbox.")],
    endpoint: Annotated[
        str, typer.Option(help="Transfer endpoint of the sandbox that reaches DIRECTORY.")
    ] = "motif#sandbox",
    scans: Annotated[int, typer.Option(min=1, help="Simulated scans.")] = 300,
    samples: Annotated[int, typer.Option(min=10, help="Samples of the simulated library.")] = 1379,
    number: Annotated[int, typer.Option("--seed", help="Seed of the simulation.")] = 20211008,
    as_json: JsonOption = False,
) -> None:
    """Fill a running sandbox with the simulated lab, through the datafed client."""
    import json

    from motif.core.errors import NotFoundError
    from motif.core.jobs.progress import Progress
    from motif.ingest.datafed.connection import Connection
    from motif.ingest.sandbox.sandbox_database import add_repository
    from motif.ingest.simulate.seeding import seed as upload_lab
    from motif.ingest.simulate.simulated_lab import write_lab

    state = directory / "sandbox.json"
    if not state.is_file():
        raise NotFoundError(
            f"No sandbox runs at {directory}; start one with motif sandbox serve {directory}."
        )
    add_repository(directory)
    running = json.loads(state.read_text(encoding="utf-8"))
    connection = Connection(
        host=running["host"],
        port=running["port"],
        server_key=directory / "datafed-core-key.pub",
        public_key=directory / f"{user}.pub",
        private_key=directory / f"{user}.priv",
        user=user,
        endpoint=endpoint,
    )
    folder = directory / "endpoint" / "simulated-lab"
    files = write_lab(folder, scans=scans, samples=samples, seed=number)
    with Progress("seeding", quiet=as_json) as progress:
        done = upload_lab(connection, files, progress)
    emit(
        done, as_json,
        f"The lab is in collection {done['collection']}: {done['records']} records, "
        f"{done['uploaded']} uploaded.",
    )  # fmt: skip
