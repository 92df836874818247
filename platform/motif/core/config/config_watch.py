"""Applies changes of ``motif.toml`` in a running process."""

from __future__ import annotations

from threading import Lock

from motif.core.config.settings import FILE_NAME, Config, load_config
from motif.core.errors import ConfigError
from motif.core.workspace import Workspace

Stamp = tuple[int, int]


class ConfigWatch:
    """Keeps the settings of an open workspace equal to its file.

    Attributes:
        problem: why the file's present content is not, or not fully, applied; empty if it is.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.problem = ""
        self._workspace = workspace
        self._first = workspace.config
        self._path = workspace.root / FILE_NAME
        self._read_stamp = self._stamp()
        self._lock = Lock()

    def refresh(self) -> bool:
        """Read the file again if it has changed; True if the settings changed."""
        stamp = self._stamp()
        if stamp == self._read_stamp:
            return False
        with self._lock:
            if stamp == self._read_stamp:
                return False
            self._read_stamp = stamp
            return self._read()

    def _read(self) -> bool:
        try:
            fresh = load_config(self._path)
        except (ConfigError, OSError) as error:
            self.problem = f"{error} Until then the previous settings apply."
            return False
        fixed = fixed_at_start(self._first, fresh)
        self.problem = (
            f"{FILE_NAME} changed {', '.join(fixed)}; that takes effect when Motif is restarted."
            if fixed
            else ""
        )
        changed = fresh != self._workspace.config
        self._workspace.config = fresh
        return changed

    def _stamp(self) -> Stamp | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


def fixed_at_start(before: Config, after: Config) -> list[str]:
    """Tables that differ and are read at the start only."""
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
    sign_in = config.dashboard.sign_in
    if sign_in is None:
        return None
    return sign_in.issuer, sign_in.client_id, sign_in.url, sign_in.secret_file
