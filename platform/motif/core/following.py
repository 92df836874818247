"""A process that goes on follows changes of ``motif.toml``."""

from __future__ import annotations

from threading import Lock

from motif.core.config import FILE_NAME, Config, load_config
from motif.core.errors import ConfigError
from motif.core.workspace import Workspace

Stamp = tuple[int, int]


class Follower:
    """Keeps the settings of an open workspace as its file has them.

    Attributes:
        problem: why the file's present content does not, or not wholly, hold; empty if it does.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.problem = ""
        self._workspace = workspace
        self._first = workspace.config
        self._path = workspace.root / FILE_NAME
        self._seen = self._stamp()
        self._lock = Lock()

    def look(self) -> bool:
        """Read the file again if it has changed; whether the settings are others now."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        with self._lock:
            if stamp == self._seen:
                return False
            self._seen = stamp
            return self._read()

    def _read(self) -> bool:
        try:
            fresh = load_config(self._path)
        except (ConfigError, OSError) as error:
            self.problem = f"{error} Until then the settings read before hold."
            return False
        fixed = fixed_at_start(self._first, fresh)
        self.problem = (
            f"{FILE_NAME} changed {', '.join(fixed)}; that takes effect when Motif starts anew."
            if fixed
            else ""
        )
        changed = fresh != self._workspace.config
        self._workspace.config = fresh
        return changed

    def _stamp(self) -> Stamp | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


def fixed_at_start(before: Config, after: Config) -> list[str]:
    """Tables that differ and are only read at the start."""
    tables = [f"[{name}]" for name in ("store", "catalog")
              if getattr(before, name) != getattr(after, name)]  # fmt: skip
    if _address(before) != _address(after):
        tables.append("[dashboard]")
    if _provider(before) != _provider(after):
        tables.append("[dashboard.sign_in]")
    return tables


def _address(config: Config) -> tuple[str, int]:
    return config.dashboard.host, config.dashboard.port


def _provider(config: Config) -> tuple[str, str, str, str | None] | None:
    told = config.dashboard.sign_in
    return None if told is None else (told.issuer, told.client_id, told.url, told.secret_file)
