"""Saved filters, in a file of the workspace."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

from filelock import FileLock

from motif.core.errors import ConfigError
from motif.dashboard.auth.permissions import require_change
from motif.dashboard.state.view_state import View

FILE = "filters.json"
LONGEST = 60
MOST = 200


@dataclass(frozen=True)
class Saved:
    """Named filters of one workspace; what is not understood in the file is left out."""

    root: Path

    def all(self) -> dict[str, View]:
        """Name -> collection and filter, by name."""
        found = self._load()
        return {
            name: View.from_params(parse_qs(found[name])).carried()
            for name in sorted(found, key=str.casefold)
        }

    def save(self, name: str, view: View) -> None:
        """Keep the filter of a view under a name; one of the same name is replaced."""
        require_change()
        name = "".join(c for c in name if c.isprintable()).strip()
        if not name or len(name) > LONGEST:
            raise ConfigError(f"A name has 1 to {LONGEST} characters; this one has {len(name)}.")
        with self._lock():
            found = {**self._load(), name: urlencode(view.carried().params(), doseq=True)}
            if len(found) > MOST:
                raise ConfigError(f"{MOST} filters are saved already; delete one first.")
            self._write(found)

    def forget(self, name: str) -> None:
        """Drop a name."""
        require_change()
        with self._lock():
            self._write({one: text for one, text in self._load().items() if one != name})

    def _lock(self) -> FileLock:
        folder = self.root / "cache"
        folder.mkdir(exist_ok=True)
        return FileLock(folder / f"{FILE}.lock", timeout=10)

    def _load(self) -> dict[str, str]:
        try:
            found = json.loads((self.root / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, Mapping):
            return {}
        return {str(name): text for name, text in found.items() if isinstance(text, str)}

    def _write(self, found: Mapping[str, str]) -> None:
        draft = self.root / f".{FILE}.{uuid4().hex}.tmp"
        draft.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
        os.replace(draft, self.root / FILE)
