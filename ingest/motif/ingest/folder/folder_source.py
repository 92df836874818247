"""A folder of instrument files as a source."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from motif.core.contracts import Changes, SyncState, file_stamp
from motif.core.errors import SourceError
from motif.core.records import Asset
from motif.ingest.datafed.metadata_json import parse_json
from motif.ingest.source_options import PathOption, SourceOptions, check_options

SIDECAR = ".json"
LARGEST_SIDECAR = 16 * 2**20
UNDECODABLE = re.compile(r"\\x([89a-f][0-9a-f])")


class FolderOptions(SourceOptions):
    """``[sources.NAME]`` with ``kind = "folder"``."""

    path: PathOption


def from_options(name: str, options: Mapping[str, Any], base: Path) -> FolderSource:
    """The source of a ``motif.toml`` table.

    Raises:
        ConfigError: a key is wrong, missing or unknown.
    """
    return FolderSource(name, check_options(FolderOptions, name, options, base).path)


@dataclass(frozen=True)
class _FolderFile:
    path: Path
    size: int
    modified: int
    sidecar: tuple[Path, int, int] | None
    """Path, size and modification time (ns) of the file's metadata."""

    def known(self, before: SyncState | None) -> SyncState:
        """Fingerprints of the file, where it was known as `before`."""
        own = f"{self.size:x}-{self.modified:x}"
        raw, companions = own, before.companions if before else {}
        if before and companions:
            now = {name: file_stamp(self.path.parent / name) for name in companions}
            same = now == companions and before.raw_fingerprint.partition("+")[0] == own
            raw = before.raw_fingerprint if same else f"{own}+{_digest(sorted(now.items()))}"
        return SyncState(_digest((raw, self.sidecar and self.sidecar[1:])), raw)


class FolderSource:
    """Every regular file below a folder.

    Hidden files and folders, and links that lead out of the folder, are ignored. The file
    ``scan.ibw.json`` next to ``scan.ibw`` holds metadata of its record, as a JSON object. A file
    counts as changed when one of the companion files its reader used has changed.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._root = path

    def changes(
        self, known: Mapping[str, SyncState], cursor: str, *, full: bool = False
    ) -> Changes:
        files = dict(sorted(self._walk(), key=lambda item: item[0]))

        def describe() -> Iterator[Asset]:
            for native_id, file in files.items():
                before = known.get(native_id)
                now = file.known(before)
                if full or before != now:
                    yield _asset(native_id, file, now)

        return Changes(
            seen=len(files),
            changed=describe(),
            deleted=[native_id for native_id in known if native_id not in files],
            cursor=cursor,
        )

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        """The paths of the files; nothing is copied."""
        root = self._resolved_root()
        for asset in assets:
            path = self._locate(asset.native_id)
            if path.is_file() and path.resolve().is_relative_to(root):
                yield asset, path
            else:
                yield asset, SourceError(f"{asset.native_id} is no longer in {self._root}.")

    def close(self) -> None:
        """Does nothing: no file stays open."""

    def _walk(self) -> Iterator[tuple[str, _FolderFile]]:
        root = self._resolved_root()
        for folder, folders, names in os.walk(root, onerror=_refuse):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            regular = {
                name: file
                for name in sorted(names)
                if (file := _regular(Path(folder) / name, root))
            }
            for name, (path, status) in regular.items():
                if name.endswith(SIDECAR) and name[: -len(SIDECAR)] in regular:
                    continue
                metadata = regular.get(name + SIDECAR)
                sidecar = metadata and (
                    metadata[0], metadata[1].st_size, metadata[1].st_mtime_ns
                )  # fmt: skip
                yield (
                    _readable(path.relative_to(root).as_posix()),
                    _FolderFile(path, status.st_size, status.st_mtime_ns, sidecar),
                )

    def _resolved_root(self) -> Path:
        if not self._root.is_dir():
            raise SourceError(
                f"Folder {self._root} of source {self.name} does not exist; "
                "mount it or correct `path`."
            )
        return self._root.resolve()

    def _locate(self, native_id: str) -> Path:
        root = self._resolved_root()
        path = root / native_id
        if path.exists() or not UNDECODABLE.search(native_id):
            return path
        raw = UNDECODABLE.sub(lambda match: os.fsdecode(bytes.fromhex(match[1])), native_id)
        return root / raw


def _refuse(error: OSError) -> None:
    """Refuse a folder that cannot be listed, lest its files look deleted."""
    raise SourceError(
        f"Folder {error.filename} cannot be listed ({error.strerror}); make it readable."
    ) from error


def _regular(path: Path, root: Path) -> tuple[Path, os.stat_result] | None:
    """Path and status of a visible regular file inside `root`."""
    if path.name.startswith("."):
        return None
    try:
        status = path.stat()
    except OSError:  # removed since it was listed, or a dangling or circular link
        return None
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return None
    return (path, status) if stat.S_ISREG(status.st_mode) else None


def _readable(name: str) -> str:
    """A name as Unicode text; bytes that are not UTF-8 are written ``\\xff``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _asset(native_id: str, file: _FolderFile, now: SyncState) -> Asset:
    metadata, problem = _metadata(file.sidecar[0]) if file.sidecar else ({}, "")
    origin: dict[str, Any] = {
        "path": _readable(str(file.path)),
        "modified": datetime.fromtimestamp(file.modified / 1e9, UTC).isoformat(timespec="seconds"),
    }
    if problem:
        origin["sidecar_error"] = problem
    name = _readable(file.path.name)
    return Asset(
        native_id=native_id,
        title=name,
        fingerprint=now.fingerprint,
        raw_fingerprint=now.raw_fingerprint,
        file_name=name,
        size=file.size,
        metadata=metadata,
        origin=origin,
    )


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:32]


def _metadata(path: Path) -> tuple[dict[str, Any], str]:
    """The object in a sidecar, or an empty one and the reason."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_SIDECAR + 1)
        if len(text) > LARGEST_SIDECAR:
            return {}, f"{path.name} is larger than {LARGEST_SIDECAR} bytes"
        value = parse_json(text)
    except (OSError, ValueError) as error:
        return {}, f"{path.name}: {error}"
    if not isinstance(value, dict):
        return {}, f"{path.name} holds a JSON {type(value).__name__}, not an object"
    return value, ""
