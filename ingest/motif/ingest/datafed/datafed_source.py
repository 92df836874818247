"""A collection of a DataFed server as a source: its changes and its raw data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from motif.core.contracts import Changes, SyncState
from motif.core.errors import SourceError
from motif.core.records import Asset, canonical_json
from motif.ingest.datafed.connection import Connection
from motif.ingest.source_options import PathOption, SourceOptions, check_options

if TYPE_CHECKING:
    from motif.ingest.datafed.client import CollectionTree, DataFed, SearchResult

OVERLAP = 60
"""Seconds by which every search overlaps the last one: searches see changes late, and times are
whole seconds."""
CURSOR_VERSION = "1"
OWN_MARK = "motif"
"""Metadata key of the records that Motif has published."""


class DataFedOptions(SourceOptions):
    """``[sources.NAME]`` with ``kind = "datafed"``."""

    collection: str = Field(min_length=1)
    """Id (``c/1234``) or alias, ``root`` included."""
    project: str | None = Field(default=None, pattern=r"^(p/)?[A-Za-z0-9_\-.]+$")
    """Project in whose name space an alias is looked up."""
    host: str = Field(default="datafed.ornl.gov", min_length=1)
    port: int = Field(default=7512, ge=1, le=65535)
    user: str = ""
    server_key: PathOption = Field(
        default=Path("~/.datafed/datafed-core-key.pub"), validate_default=True
    )
    public_key: PathOption = Field(
        default=Path("~/.datafed/datafed-user-key.pub"), validate_default=True
    )
    private_key: PathOption = Field(
        default=Path("~/.datafed/datafed-user-key.priv"), validate_default=True
    )
    endpoint: str = ""
    local_root: PathOption | None = None
    endpoint_root: str | None = None
    recursive: bool = True
    timeout: float = Field(default=50.0, gt=0, le=3600)
    transfer_timeout: float = Field(default=3600.0, gt=0)

    def connection(self) -> Connection:
        return Connection(
            host=self.host,
            port=self.port,
            server_key=self.server_key,
            public_key=self.public_key,
            private_key=self.private_key,
            user=self.user,
            endpoint=self.endpoint,
            local_root=self.local_root,
            endpoint_root=self.endpoint_root,
            timeout=self.timeout,
            transfer_timeout=self.transfer_timeout,
        )


def from_options(name: str, options: Mapping[str, Any], base: Path) -> DataFedSource:
    """The source of a ``motif.toml`` table; the server is not contacted yet.

    Raises:
        ConfigError: a key is wrong, missing or unknown.
    """
    checked = check_options(DataFedOptions, name, options, base)
    project = checked.project and f"p/{checked.project.removeprefix('p/')}"
    return DataFedSource(
        name,
        checked.connection(),
        checked.collection,
        project=project or "",
        recursive=checked.recursive,
    )


class DataFedSource:
    """Records in a collection, its sub-collections included.

    A complete listing shows records that are new, moved, unlinked, deleted, renamed or resized; a
    search since the newest change of the last run shows the others. These candidates are exported
    in bulk and compared by fingerprint. Raw data replaced by the same number of bytes escape
    both, since the server keeps no checksum; a full sync fetches everything again.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        collection: str,
        *,
        project: str = "",
        recursive: bool = True,
    ) -> None:
        self.name = name
        self._connection = connection
        self._collection = collection
        self._project = project
        self._recursive = recursive
        self._opened: DataFed | None = None

    @property
    def client(self) -> DataFed:
        """The client, connected on first use."""
        if self._opened is None:
            from motif.ingest.datafed.client import DataFed

            self._opened = DataFed(self._connection)
        return self._opened

    def changes(
        self, known: Mapping[str, SyncState], cursor: str, *, full: bool = False
    ) -> Changes:
        top = self.client.collection(self._collection, self._project)
        collection = str(top["id"])
        scope = {"owner": str(top["owner"]), "coll": [collection]}
        newest = self._newest(scope)
        tree = self.client.tree(collection, recursive=self._recursive)
        previous = _position(cursor, collection)
        if full or previous is None:
            candidates = list(tree.records)
        else:
            updated = self._updated_since(previous, scope)
            candidates = _changed_candidates(tree, known, updated)
        return Changes(
            seen=len(tree.records),
            changed=self._describe(candidates, tree, known, full),
            deleted=[native_id for native_id in known if native_id not in tree.records],
            cursor=_cursor(collection, newest) if newest is not None else cursor,
        )

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        from motif.ingest.datafed.file_transfers import RawFile, download

        by_id = {asset.native_id: asset for asset in assets}
        files = []
        for asset in by_id.values():
            if asset.raw_fingerprint:
                files.append(RawFile(asset.native_id, asset.size, asset.file_name))
            else:
                yield asset, SourceError(f"Record {asset.native_id} holds no raw data to fetch.")
        for file, result in download(self.client, files, into):
            yield by_id[file.record_id], result

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _newest(self, scope: Mapping[str, Any]) -> int | None:
        """Server time of the newest change that a search reports; None where it reports none."""
        from motif.ingest.datafed.client import SORT_BY_UPDATE

        result = self.client.search(limit=1, sort=SORT_BY_UPDATE, sort_rev=True, **scope)
        newest = next(self.client.records(result.ids), None)
        return newest["updated"] if newest else None

    def _updated_since(self, position: int, scope: Mapping[str, Any]) -> SearchResult:
        from motif.ingest.datafed.client import SORT_BY_UPDATE

        since = max(0, position - OVERLAP)
        return self.client.search(from_time=since, sort=SORT_BY_UPDATE, **scope)

    def _describe(
        self, ids: Sequence[str], tree: CollectionTree, known: Mapping[str, SyncState], full: bool
    ) -> Iterator[Asset]:
        repositories = RepositoryLookup(self.client)
        for record in self.client.records(ids):
            listing = tree.records.get(record["id"])
            if listing is None:
                continue
            asset = _asset(record, listing, self._connection)
            now = SyncState(asset.fingerprint, asset.raw_fingerprint)
            if full or known.get(asset.native_id) != now:
                yield replace(asset, origin={**asset.origin, "repository": repositories.of(record)})


class RepositoryLookup:
    """The repository of each record, which a bulk export leaves out.

    The records of an owner with a single allocation are all in its repository, so one request
    serves all of them. Records of other owners are viewed one by one.
    """

    def __init__(self, client: DataFed) -> None:
        self._client = client
        self._by_owner: dict[str, list[str]] = {}

    def of(self, record: Mapping[str, Any]) -> str:
        """Id of the repository; empty for external data and where the server does not report it."""
        if record["repository"] or record["external"]:
            return str(record["repository"])
        owner = record["owner"]
        if owner not in self._by_owner:
            self._by_owner[owner] = self._client.repositories(record["id"])
        allocated = self._by_owner[owner]
        if len(allocated) == 1:
            return allocated[0]
        viewed = next(self._client.view_if_there(record["id"]), None)
        return str(viewed["repository"]) if viewed else ""


def _position(cursor: str, collection: str) -> int | None:
    """Server time of a cursor; None where the cursor is of another collection or form."""
    version, _, rest = cursor.partition(" ")
    cursor_collection, _, position = rest.partition(" ")
    if version != CURSOR_VERSION or cursor_collection != collection or not position.isdigit():
        return None
    return int(position)


def _cursor(collection: str, position: int) -> str:
    return f"{CURSOR_VERSION} {collection} {position}"


def _changed_candidates(
    tree: CollectionTree, known: Mapping[str, SyncState], updated: SearchResult
) -> list[str]:
    """Ids of records that are new, listed differently than before, or recently updated."""
    if not updated.complete:
        return list(tree.records)
    updated_ids = set(updated.ids)
    return [
        record_id
        for record_id, listing in tree.records.items()
        if record_id in updated_ids
        or record_id not in known
        or known[record_id].fingerprint.partition(".")[0] != _listing_digest(listing)
    ]


def _listing_digest(listing: Mapping[str, Any]) -> str:
    fields = ("title", "alias", "size", "external")
    listed = [*(listing[field] for field in fields), sorted(listing["parents"])]
    if listing["error"]:  # an annotation changes no time of the record
        listed.append("error")
    return _digest(listed)[:16]


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:32]


def _asset(record: Mapping[str, Any], listing: Mapping[str, Any], connection: Connection) -> Asset:
    raw = [record[field] for field in ("uploaded", "size", "source", "ext", "external")]
    descriptive = ("title", "alias", "description", "tags", "metadata", "dependencies")
    content = _digest([*raw, *(record[field] for field in descriptive)])
    has_raw = (
        record["size"] > 0 and not record["external"] and not _is_published(record["metadata"])
    )
    digits = record["id"].partition("/")[2]
    return Asset(
        native_id=record["id"],
        title=record["title"],
        fingerprint=f"{_listing_digest(listing)}.{content}",
        raw_fingerprint=_digest(raw) if has_raw else "",
        file_name=record["source"].replace("\\", "/").rpartition("/")[2] or digits + record["ext"],
        size=record["size"] if has_raw else 0,
        metadata=record["metadata"],
        origin={
            "server": connection.server,
            "parents": sorted(listing["parents"]),
            "marks": ["error"] if listing["error"] else [],
            **{field: record[field] for field in _ORIGIN},
        },
    )


def _is_published(metadata: Mapping[str, Any]) -> bool:
    """Whether Motif published the record: a result must not be read as a measurement."""
    mark = metadata.get(OWN_MARK)
    return isinstance(mark, Mapping) and bool(mark.get("what"))


_ORIGIN = (
    "alias", "description", "tags", "owner", "creator", "repository", "dependencies", "schema",
    "source", "external", "created", "updated", "uploaded",
)  # fmt: skip
