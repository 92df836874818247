"""Arrays in an Icechunk repository (Zarr format 3), with a journal of all commits.

Every change is one Icechunk commit of the arrays *and* one journal line. The catalog is
an index of that journal: a process killed between the two leaves a line the next one applies.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlparse

import icechunk
import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from motif.core.config.settings import StoreConfig
from motif.core.errors import ConfigError, MotifError, NotFoundError

JOURNAL = "journal"
MANIFEST_ROWS = 10_000
"""Chunks per manifest: keeps the time of a commit constant while arrays grow."""

ConflictError = icechunk.ConflictError

icechunk.set_logs_filter("icechunk=error")


def storage_for(config: StoreConfig, folder: Path) -> icechunk.Storage:
    """Object storage for an ``s3://``, ``gs://`` or ``az://`` prefix, else the local folder."""
    if config.url is None:
        return icechunk.local_filesystem_storage(str(folder))
    parts = urlparse(config.url)
    prefix = parts.path.strip("/")
    if parts.scheme == "s3":
        return icechunk.s3_storage(
            bucket=parts.netloc,
            prefix=prefix,
            region=config.region,
            endpoint_url=config.endpoint,
            allow_http=bool(config.endpoint and config.endpoint.startswith("http://")),
            force_path_style=config.endpoint is not None,
            from_env=True,
        )
    if parts.scheme == "gs":
        return icechunk.gcs_storage(bucket=parts.netloc, prefix=prefix, from_env=True)
    if parts.scheme == "az":
        account, _, container = parts.netloc.partition(".")
        return icechunk.azure_storage(
            account=account, container=container, prefix=prefix, from_env=True
        )
    raise ConfigError(
        f'store.url "{config.url}" does not begin with s3://, gs:// or az://; correct motif.toml.'
    )


def _settings() -> icechunk.RepositoryConfig:
    config = icechunk.RepositoryConfig.default()
    every = icechunk.ManifestSplitCondition.AnyArray()
    rows = icechunk.ManifestSplitDimCondition.Axis(0)
    config.manifest = icechunk.ManifestConfig(
        splitting=icechunk.ManifestSplittingConfig.from_dict({every: {rows: MANIFEST_ROWS}})
    )
    return config


class Transaction:
    """One commit in preparation: append rows, put arrays, then `commit`."""

    def __init__(self, repository: icechunk.Repository) -> None:
        self._session = repository.writable_session("main")
        self.root = zarr.open_group(self._session.store, mode="a", zarr_format=3)

    @property
    def journal_length(self) -> int:
        return int(cast(zarr.Array[Any], self.root[JOURNAL]).shape[0])

    def append(self, path: str, rows: NDArray[Any], start: int, chunk_rows: int = 1) -> None:
        """Write `rows` (n, ...) into the array at `path` from row `start`, creating it."""
        if path in self.root:
            array = cast(zarr.Array[Any], self.root[path])
        else:
            array = self.root.create_array(
                path,
                shape=(0, *rows.shape[1:]),
                chunks=(chunk_rows, *rows.shape[1:]),
                dtype=rows.dtype,
                compressors=_compressor(),
            )
        array.resize((start + len(rows), *array.shape[1:]))
        array[start : start + len(rows)] = rows

    def put(self, path: str, array: NDArray[Any]) -> None:
        """Store one whole array; text is stored as a matrix of UTF-8 bytes."""
        array = np.asarray(array)
        attributes: dict[str, Any] = {}
        if array.dtype.kind == "U":
            array = np.char.encode(array, "utf-8")
        if array.dtype.kind == "S":
            attributes["text"] = True
            width = max(array.dtype.itemsize, 1)
            array = np.frombuffer(array.astype(f"S{width}").tobytes(), np.uint8).reshape(
                *array.shape, width
            )
        self.root.create_array(
            path, data=np.asarray(array, order="C"), compressors=_compressor(),
            attributes=attributes, overwrite=True, chunks=_chunks(array),
        )  # fmt: skip

    def commit(self, entry: Mapping[str, Any]) -> str:
        """Add the journal line and commit; returns the snapshot id."""
        line = json.dumps(entry, separators=(",", ":"), allow_nan=False)
        journal = cast(zarr.Array[Any], self.root[JOURNAL])
        number = journal.shape[0]
        journal.resize((number + 1,))
        journal[number] = line
        return self._session.commit(str(entry["what"]))


class Snapshot:
    """The store after one commit; it stays the same while others write."""

    def __init__(self, repository: icechunk.Repository, snapshot: str) -> None:
        self.id = snapshot
        self._root = zarr.open_group(
            repository.readonly_session(snapshot_id=snapshot).store, mode="r"
        )

    @property
    def journal_length(self) -> int:
        return int(self.array(JOURNAL).shape[0])

    def journal(self, start: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Journal lines from number `start` on."""
        lines = self.array(JOURNAL)
        for number in range(start, lines.shape[0]):
            yield number, json.loads(str(lines[number]))

    def array(self, path: str) -> zarr.Array[Any]:
        try:
            return cast(zarr.Array[Any], self._root[path])
        except KeyError as error:
            raise NotFoundError(f'The store has no array "{path}"; run motif check.') from error

    def names(self, path: str) -> list[str]:
        """Names of the arrays in the group at `path`; empty where there is no such group."""
        group = self._root.get(path)
        return sorted(group.array_keys()) if isinstance(group, zarr.Group) else []

    def load(self, path: str) -> NDArray[Any]:
        """One whole array in memory; text comes back as dtype ``S``."""
        stored = self.array(path)
        values = np.asarray(stored[...])
        if stored.attrs.get("text"):
            return np.frombuffer(values.tobytes(), f"S{values.shape[-1]}").reshape(
                values.shape[:-1]
            )
        return values


class Store:
    """The Icechunk repository of a workspace."""

    def __init__(self, repository: icechunk.Repository) -> None:
        self._repository = repository
        self._latest: Snapshot | None = None

    @classmethod
    def create(cls, config: StoreConfig, folder: Path) -> Store:
        """Create a store; one that exists in object storage already is opened."""
        storage = storage_for(config, folder)
        try:
            if config.url is not None and icechunk.Repository.exists(storage):
                return cls(icechunk.Repository.open(storage))
            repository = icechunk.Repository.create(storage, config=_settings())
        except icechunk.IcechunkError as error:
            raise _refusal(error, config.url or str(folder)) from error
        repository.save_config()
        session = repository.writable_session("main")
        root = zarr.open_group(session.store, mode="a", zarr_format=3)
        root.create_array(JOURNAL, shape=(0,), chunks=(1,), dtype=str)
        session.commit("new workspace")
        return cls(repository)

    @classmethod
    def open(cls, config: StoreConfig, folder: Path) -> Store:
        try:
            return cls(icechunk.Repository.open(storage_for(config, folder)))
        except icechunk.IcechunkError as error:
            raise _refusal(error, config.url or str(folder)) from error

    def transaction(self) -> Transaction:
        return Transaction(self._repository)

    def snapshot(self, snapshot: str | None = None) -> Snapshot:
        """The newest snapshot, or the one named."""
        if snapshot is not None:
            return Snapshot(self._repository, snapshot)
        newest = self._repository.lookup_branch("main")
        if self._latest is None or self._latest.id != newest:
            self._latest = Snapshot(self._repository, newest)
        return self._latest

    def collect(
        self, older_than: datetime, keep: Collection[str], *, dry_run: bool = False
    ) -> dict[str, int]:
        """Expire snapshots older than a time, and delete what only they refer to.

        Snapshots to `keep` are tagged first: tagged ones survive. Objects younger than
        `older_than` are never touched, because a writer may be about to commit them.
        """
        tagged = self._repository.list_tags()
        for snapshot in keep:
            if not dry_run and f"keep-{snapshot}" not in tagged:
                self._repository.create_tag(f"keep-{snapshot}", snapshot)
        expired = set() if dry_run else self._repository.expire_snapshots(older_than)
        freed = self._repository.garbage_collect(older_than, dry_run=dry_run)
        self._latest = None
        return {
            "snapshots": len(expired),
            "chunks": freed.chunks_deleted,
            "bytes": freed.bytes_deleted,
        }


def _refusal(error: icechunk.IcechunkError, address: str) -> MotifError:
    """Why a store cannot be opened; only one that does not exist is called missing."""
    cause = str(error).strip().splitlines()[-1].lstrip("|`-> ")
    if cause == "the repository doesn't exist":
        return NotFoundError(f"There is no Motif store at {address}; create one with motif init.")
    return ConfigError(
        f"The store at {address} cannot be opened ({cause}); check that it can be reached with the "
        "credentials of this environment, or correct [store] in motif.toml."
    )


def _compressor() -> BloscCodec:
    return BloscCodec(cname="lz4", clevel=5, shuffle="shuffle")


def _chunks(array: NDArray[Any]) -> tuple[int, ...]:
    """Chunks of about 4 MB, split along the first axis only."""
    if array.ndim == 0 or array.size == 0:
        return tuple(max(1, n) for n in array.shape)
    row = max(1, array.nbytes // array.shape[0])
    return (max(1, min(array.shape[0], 4_194_304 // row)), *array.shape[1:])
