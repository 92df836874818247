"""The only wrapper of the DataFed client: dictionaries, typed errors and complete listings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.datafed_errors import DataFedError, RefusedError
from motif.ingest.datafed.datafed_session import DataFedSession, plain
from motif.ingest.datafed.record_documents import (
    RecordDraft,
    batch_item,
    batch_items,
    checked_title,
    dependency_messages,
    from_export,
    from_view,
    json_text,
    nonempty,
    whole_number,
)

PAGE = 1000
SEARCH_LIMIT = 10_000
"""Beyond this many results a search silently repeats its last page."""
EXPORT_CHUNK = 150
SORT_BY_UPDATE = 4
ACTIVE_ERROR = 1 << 3
"""Bit in a listed item's annotation flags: a confirmed error that is still open."""
ENCRYPT_IF_AVAILABLE = 1
LISTING_ATTEMPTS = 5


class ListedItem(NamedTuple):
    """One line of a collection's listing."""

    id: str
    title: str
    alias: str
    size: int
    external: bool
    error: bool
    """Whether the item carries an active error annotation."""


@dataclass(frozen=True)
class SearchResult:
    """Result of a search."""

    ids: list[str]
    complete: bool
    """False where the server listed only the first of them."""


@dataclass(frozen=True)
class CollectionTree:
    """All records and collections below a collection."""

    records: dict[str, dict[str, Any]]
    """Listing fields by record id; ``parents`` holds every collection the record is linked to."""
    collections: dict[str, str]
    """Title by collection id, the top collection included."""


class DataFed:
    """A DataFed server used as one user; a context manager, or call `close`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.session = DataFedSession(connection)

    @property
    def user(self) -> str:
        return self.session.user

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.session.close()

    def request(self, name: str, *, timeout: float | None = None, **fields: Any) -> dict[str, Any]:
        """Send any message of the protocol by its name; the reply as a dictionary."""
        return plain(self.session.request(name, timeout=timeout, **fields))

    def resolve(self, name: str, context: str = "") -> str:
        """An id unchanged; an alias with the name space of `context` (``p/pfm``, ``u/alice``)."""
        if name[1:2] == "/" or ":" in name or not context:
            return name
        kind, _, owner = context.partition("/")
        return f"{kind}:{owner}:{name}"

    # Records

    def record(self, record_id: str) -> dict[str, Any]:
        """One complete record, in the form of `record_documents`."""
        reply = self.request("RecordViewRequest", id=record_id, details=True)
        return from_view(reply["data"][0])

    def records(self, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Complete records, in bulk; those that are gone or may not be read are left out."""
        for start in range(0, len(ids), EXPORT_CHUNK):
            yield from self._export(ids[start : start + EXPORT_CHUNK])

    def _export(self, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        try:
            reply = self.session.request("RecordExportRequest", id=ids)
        except RefusedError:
            if len(ids) == 1:
                yield from self.view_if_there(ids[0])
                return
            middle = len(ids) // 2
            yield from self._export(ids[:middle])
            yield from self._export(ids[middle:])
            return
        for text in reply.record:
            yield from_export(text)

    def view_if_there(self, record_id: str) -> Iterator[dict[str, Any]]:
        """One complete record, or nothing where it is gone or may not be read."""
        try:
            yield self.record(record_id)
        except RefusedError:
            return

    def create_record(self, draft: RecordDraft, collection: str) -> dict[str, Any]:
        """Create one record in a collection."""
        reply = self.request(
            "RecordCreateRequest",
            title=checked_title(draft.title),
            metadata=json_text(draft.metadata, draft.title),
            parent_id=collection,
            **nonempty(
                desc=draft.description,
                tags=list(draft.tags),
                alias=draft.alias,
                deps=dependency_messages(draft.dependencies),
            ),
        )
        return from_view(reply["data"][0])

    def create_records(
        self, drafts: Sequence[RecordDraft], collection: str
    ) -> list[dict[str, Any]]:
        """Create records in a collection in few requests; returns them in the same order."""
        created: list[dict[str, Any]] = []
        for batch in batch_items([batch_item(draft, collection) for draft in drafts]):
            reply = self.request("RecordCreateBatchRequest", records=f"[{','.join(batch)}]")
            created.extend(map(from_view, reply["data"]))
        titles = [checked_title(draft.title) for draft in drafts]
        if len(created) != len(titles) or not all(
            record["title"].startswith(title)  # the server appends a number to equal titles
            for record, title in zip(created, titles, strict=True)
        ):
            raise DataFedError(
                f"DataFed created {len(created)} records, not the {len(titles)} requested, or with "
                f"other titles; check collection {collection}."
            )
        return created

    def update_record(
        self,
        record_id: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        replace_metadata: bool = False,
        add_dependencies: Sequence[tuple[str, str]] = (),
        tags: Sequence[str] | None = None,
        **fields: str,
    ) -> None:
        """Change a record; `metadata` is merged recursively, and None deletes a key.

        Args:
            fields: ``title``, ``desc``, ``alias``, ``source`` or ``ext``.
        """
        request: dict[str, Any] = {"id": record_id, **fields}
        if metadata is not None:
            request |= {
                "metadata": json_text(metadata, record_id),
                "mdset": replace_metadata,
            }
        if tags is not None:
            request |= {"tags": list(tags)} if tags else {"tags_clear": True}
        request |= nonempty(dep_add=dependency_messages(add_dependencies))
        self.request("RecordUpdateRequest", **request)

    def delete_records(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), EXPORT_CHUNK):
            self.request("RecordDeleteRequest", id=ids[start : start + EXPORT_CHUNK])

    # Collections

    def collection(self, collection: str, context: str = "") -> dict[str, Any]:
        """Id, title, alias, owner and more of a collection named by id or alias."""
        name = self.resolve(collection, context)
        document: dict[str, Any] = self.request("CollViewRequest", id=name)["coll"][0]
        return document

    def items(self, collection: str) -> list[ListedItem]:
        """Records and collections directly in a collection.

        A listing that changes while its pages are read is read again, since an item that moves
        to a page already read would look deleted.
        """
        for _ in range(LISTING_ATTEMPTS):
            items: dict[str, ListedItem] = {}
            totals = set()
            offset = 0
            while True:
                reply = self.session.request(
                    "CollReadRequest", id=collection, offset=offset, count=PAGE
                )
                totals.add(reply.total)
                items.update((item.id, _listed_item(item)) for item in reply.item)
                offset += len(reply.item)
                if not reply.item or offset >= reply.total:
                    break
            if totals == {len(items)}:
                return list(items.values())
        raise DataFedError(
            f"Collection {collection} kept changing while it was listed; try again later."
        )

    def tree(self, collection: str, *, recursive: bool = True) -> CollectionTree:
        """All below a collection; a record linked to two collections is listed once."""
        records: dict[str, dict[str, Any]] = {}
        collections = {collection: ""}
        queue = [collection]
        while queue:
            parent = queue.pop()
            for item in self.items(parent):
                if item.id.startswith("c/"):
                    if recursive and item.id not in collections:
                        queue.append(item.id)
                        collections[item.id] = item.title
                elif item.id in records:
                    records[item.id]["parents"].append(parent)
                else:
                    records[item.id] = {
                        "title": item.title,
                        "alias": item.alias,
                        "size": item.size,
                        "external": item.external,
                        "error": item.error,
                        "parents": [parent],
                    }
        return CollectionTree(records, collections)

    def ensure_collection(
        self, path: Sequence[str], parent: str = "root", aliases: Sequence[str] = ()
    ) -> str:
        """Id of the collection at `path` of titles below `parent`, created where missing."""
        collection_id = str(self.collection(parent)["id"])
        for depth, title in enumerate(path):
            existing = [
                item.id
                for item in self.items(collection_id)
                if item.title == title and item.id.startswith("c/")
            ]
            if existing:
                collection_id = existing[0]
                continue
            alias = aliases[depth] if depth < len(aliases) else ""
            reply = self.request(
                "CollCreateRequest",
                title=checked_title(title),
                parent_id=collection_id,
                **nonempty(alias=alias),
            )
            collection_id = str(reply["coll"][0]["id"])
        return collection_id

    def repositories(self, item: str) -> list[str]:
        """Ids of the repositories in which the owner of an item has an allocation."""
        try:
            reply = self.request("RepoListObjectAllocationsRequest", id=item)
        except RefusedError:
            return []
        return [str(allocation["repo"]) for allocation in reply["alloc"]]

    def find(self, alias: str, owner: str) -> dict[str, Any] | None:
        """The record with this alias that `owner` (``u/ann``, ``p/pfm``) owns, if any."""
        try:
            return self.record(self.resolve(alias, owner))
        except RefusedError as error:
            if "not exist" in str(error) or "not found" in str(error):
                return None
            raise

    def link(self, collection: str, ids: Sequence[str]) -> None:
        self.request("CollWriteRequest", id=collection, add=list(ids))

    def unlink(self, collection: str, ids: Sequence[str]) -> None:
        """Remove links; a record that is left in no collection moves to its owner's root."""
        self.request("CollWriteRequest", id=collection, rem=list(ids))

    # Searches

    def search(self, *, limit: int = SEARCH_LIMIT, **criteria: Any) -> SearchResult:
        """Ids of all records that match the criteria, each once.

        Args:
            limit: largest number of ids.
            criteria: fields of ``SearchRequest``; ``from_time`` stands for its ``from``.
        """
        if "from_time" in criteria:
            criteria["from"] = criteria.pop("from_time")
        ids: dict[str, None] = {}
        offset = 0
        while offset < limit:
            count = min(PAGE, limit - offset)
            reply = self.session.request("SearchRequest", offset=offset, count=count, **criteria)
            if reply.offset != offset:
                return SearchResult(list(ids), complete=False)
            ids.update((item.id, None) for item in reply.item)
            if not reply.item or reply.total <= offset + count:
                return SearchResult(list(ids), complete=True)
            offset += count
        return SearchResult(list(ids), complete=False)

    # Transfers

    def start_get(self, ids: Sequence[str], folder: Path) -> str:
        """Start the transfer of the raw data of records into a folder; returns the task's id.

        Files are named ``<digits of the id><extension>``.
        """
        reply = self.session.request(
            "DataGetRequest",
            id=ids,
            path=self._on_endpoint(folder),
            encrypt=ENCRYPT_IF_AVAILABLE,
            orig_fname=False,
        )
        return _task_id(reply, ids)

    def start_put(self, record_id: str, path: Path) -> str:
        """Start the transfer of a file to a record; returns the task's id."""
        reply = self.session.request(
            "DataPutRequest",
            id=record_id,
            path=self._on_endpoint(path),
            encrypt=ENCRYPT_IF_AVAILABLE,
        )
        return _task_id(reply, [record_id])

    def task(self, task_id: str) -> dict[str, Any]:
        """Status and message of a transfer task."""
        tasks = self.request("TaskViewRequest", task_id=task_id)["task"]
        if not tasks:
            raise DataFedError(f"DataFed does not know the task {task_id}.")
        document: dict[str, Any] = tasks[0]
        return document

    def _on_endpoint(self, path: Path) -> str:
        endpoint_path = self.connection.on_endpoint(path)
        return str(self.session.api._resolvePathForGlobus(endpoint_path, False))


def _listed_item(message: Any) -> ListedItem:
    return ListedItem(
        message.id,
        message.title,
        message.alias,
        whole_number(message.size),
        message.external,
        bool(message.notes & ACTIVE_ERROR),
    )


def _task_id(reply: Any, ids: Sequence[str]) -> str:
    if not reply.task.id:
        raise RefusedError(f"DataFed has no raw data to transfer for {', '.join(ids[:3])}.")
    return str(reply.task.id)
