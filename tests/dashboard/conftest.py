"""One small workspace for all tests of the dashboard, and a way to ask its routes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import small_lab as labs
from starlette.applications import Starlette

from motif.core.workspace import Workspace
from motif.dashboard.state.workspace_session import WorkspaceSession, lab


@pytest.fixture(scope="session")
def small_lab() -> ModuleType:
    """The module that builds the workspace, for its constants."""
    return labs


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory, small_lab: ModuleType) -> Path:
    """A workspace with sixty images on a map and a library of spectra."""
    root = tmp_path_factory.mktemp("small") / "lab"
    with small_lab.build(root) as workspace:
        small_lab.add_library(workspace)
    return root


@pytest.fixture
def session(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkspaceSession]:
    """The workspace as the dashboard process holds it."""
    monkeypatch.setenv("MOTIF_WORKSPACE", str(root))
    lab.cache_clear()
    yield lab()
    lab().close()
    lab.cache_clear()


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkspaceSession]:
    """A workspace that holds nothing."""
    Workspace.init(tmp_path / "empty").close()
    monkeypatch.setenv("MOTIF_WORKSPACE", str(tmp_path / "empty"))
    lab.cache_clear()
    yield lab()
    lab().close()
    lab.cache_clear()


@dataclass(frozen=True)
class Reply:
    """What a route answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def get(session: WorkspaceSession) -> Callable[[str], Reply]:
    """Ask the dashboard's own routes, without a socket."""
    from motif.dashboard.server.data_routes import routes

    app = Starlette(routes=routes())

    def ask(url: str) -> Reply:
        path, _, query = url.partition("?")
        scope: dict[str, Any] = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "headers": [], "scheme": "http",
            "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "",
            "http_version": "1.1",
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(app(scope, receive, send))
        headers = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:]))

    return ask
