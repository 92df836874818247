"""The sandbox server as a Python object."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from motif.core.errors import ConfigError, NotFoundError
from motif.ingest.sandbox.access import (
    User,
    ensure_repository,
    ensure_user,
    export_credentials,
    server_pair,
)
from motif.ingest.sandbox.file_transfer import Transfers
from motif.ingest.sandbox.request_server.control import Control
from motif.ingest.sandbox.request_server.faults import Faults, Limits
from motif.ingest.sandbox.request_server.protocol import require_protocol
from motif.ingest.sandbox.request_server.request_service import Service
from motif.ingest.sandbox.request_server.socket_loop import Loop
from motif.ingest.sandbox.sandbox_database import connect, transaction

DEFAULT_ENDPOINT = "motif#sandbox"
_ENDPOINT = re.compile(
    r"[\w-]+#[\w-]+|[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.I
)


class Sandbox:
    """A server that speaks the DataFed client protocol, running in threads of this process.

    Used as a context manager::

        with Sandbox(folder, users=["ada:secret"]) as sandbox:
            api = datafed.CommandLib.API(sandbox.client_options("ada"))

    Args:
        folder: folder of database, keys and raw data; created where it does not exist.
        port: TCP port; 0 takes a free one.
        endpoints: endpoint id to the local folder it stands for; where any is
            given, the server has a repository. Without, ``motif#sandbox`` is ``folder/endpoint``
            and a fresh server has no repository, as a fresh DataFed core.
        users: users to have, as `User` or ``NAME:PASSWORD[:admin]``; an existing one gets that
            password.
        host: address to listen on.
        limits: what clients may ask for.
        faults: faults to inject; its knobs work while the server runs.

    Attributes:
        host: address clients connect to.
        port: TCP port, known once started.
        faults: the knobs.

    Raises:
        ConfigError: another server works on the folder, the port is taken, an endpoint or user is
            not allowed, or the installed ``datafed`` speaks another protocol.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        port: int = 0,
        endpoints: Mapping[str, Path | str] | None = None,
        users: Iterable[User | str] = (),
        host: str = "127.0.0.1",
        limits: Limits | None = None,
        faults: Faults | None = None,
    ) -> None:
        require_protocol()
        self.folder = Path(folder).resolve()
        self.host = host
        self.port = port
        self.limits = limits or Limits()
        self.faults = faults or Faults()
        self._explicit_endpoints = bool(endpoints)
        self.endpoints = _checked(endpoints or {DEFAULT_ENDPOINT: self.folder / "endpoint"})
        self._users = [user if isinstance(user, User) else User.parse(user) for user in users]
        self._lock = FileLock(self.folder / "sandbox.lock", mode=0o600)
        self._service: Service | None = None
        self._loop: Loop | None = None
        self._control: Control | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def dropped(self) -> int:
        """How many malformed messages were dropped."""
        return self._loop.dropped if self._loop else 0

    def start(self) -> None:
        """Open folder and port and begin to serve."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for root in self.endpoints.values():
            root.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ConfigError(
                f"Another sandbox serves {self.folder}: use it, or end it first."
            ) from None
        try:
            self._open()
        except BaseException:
            self.stop()
            raise

    def _open(self) -> None:
        _, private = server_pair(self.folder)
        db = connect(self.folder / "sandbox.sqlite")
        try:
            with transaction(db, write=True):
                if self._explicit_endpoints:
                    ensure_repository(db, self.limits)
                for user in self._users:
                    ensure_user(db, user, self.limits)
            export_credentials(db, self.folder)
            transfers = Transfers(
                self.folder, self.endpoints, self.faults, self.limits.tasks_at_once
            )
        except BaseException:
            db.close()
            raise
        self._service = Service(
            self.folder, db, self.endpoints, self.limits, self.faults, transfers
        )
        self._loop = _listen(self._service, self.host, self.port, private)
        self.port = self._loop.port
        self._service.transfers.start()
        self._control = Control(self.folder, self.faults)
        self._control.start()
        self._loop.start()
        self._announce()

    def _announce(self) -> None:
        document = {
            "host": self.host,
            "port": self.port,
            "pid": os.getpid(),
            "endpoints": {name: str(path) for name, path in self.endpoints.items()},
        }
        part = self.folder / ".sandbox.json.part"
        part.write_text(json.dumps(document))
        part.replace(self.folder / "sandbox.json")

    def stop(self) -> None:
        """End the threads, close everything; unfinished transfers continue at the next start."""
        if self._control is not None:
            self._control.stop()
            self._control = None
        if self._loop is not None:
            (self.folder / "sandbox.json").unlink(missing_ok=True)
            self._loop.stop()
            self._loop = None
        if self._service is not None:
            self._service.transfers.stop()
            self._service.db.close()
            self._service = None
        self._lock.release()

    def client_options(self, user: str) -> dict[str, Any]:
        """Give the full options of ``datafed.CommandLib.API`` for `user`.

        All options are explicit, so the client writes no configuration file and looks at no
        environment variable.

        Raises:
            NotFoundError: the user does not exist.
        """
        return client_options(self.folder, user, self.host, self.port, next(iter(self.endpoints)))


def client_options(
    folder: Path | str, user: str, host: str, port: int, endpoint: str
) -> dict[str, Any]:
    """Give the full ``CommandLib`` options for `user` of the sandbox in `folder`."""
    base = Path(folder).resolve()
    public = base / f"{user}.pub"
    if not public.exists():
        raise NotFoundError(
            f"The sandbox in {base} has no user '{user}': "
            f"add one with 'motif sandbox user {base} {user}:PASSWORD'."
        )
    home = base / "client"
    home.mkdir(exist_ok=True)
    return {
        "server_host": host,
        "server_port": port,
        "server_pub_key_file": str(base / "datafed-core-key.pub"),
        "client_cfg_dir": str(home),
        "client_cfg_file": str(home / "datafed-client.ini"),
        "client_pub_key_file": str(public),
        "client_priv_key_file": str(base / f"{user}.priv"),
        "allow_self_signed_certs": False,
        "default_ep": endpoint,
    }


def _listen(service: Service, host: str, port: int, private: str) -> Loop:
    import zmq

    try:
        return Loop(service, host, port, private)
    except zmq.ZMQError as error:
        service.transfers.stop()
        service.db.close()
        raise ConfigError(
            f"Cannot listen on {host}:{port} ({error.strerror}): "
            "choose another port, or 0 for a free one."
        ) from error


def _checked(endpoints: Mapping[str, Path | str]) -> dict[str, Path]:
    for name in endpoints:
        if not _ENDPOINT.fullmatch(name):
            raise ConfigError(
                f"Endpoint '{name}' is not allowed: the client knows names like lab#microscope "
                "and UUIDs."
            )
    return {name: Path(path).absolute() for name, path in endpoints.items()}
