"""The one wrapper around the DataFed client: dictionaries out, typed errors, whole listings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from motif.ingest.datafed import documents, drafting
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.drafting import Draft
from motif.ingest.datafed.errors import DataFedError, RefusedError
from motif.ingest.datafed.wire import Session, plain

PAGE = 1000
SEARCH_LIMIT = 10_000
"""Past this many results a search silently answers with its last page again."""
EXPORT_CHUNK = 150
SORT_BY_UPDATE = 4
ACTIVE_ERROR = 1 << 3
"""Bit of a listing's summary of annotations: an error that is open and confirmed."""
ENCRYPT_IF_AVAILABLE = 1
LISTING_ATTEMPTS = 5


class Item(NamedTuple):
    """One line of a collection's listing."""

    id: str
    title: str
    alias: str
    size: int
    external: bool
    error: bool
    """Whether an active error annotation is on it."""


@dataclass(frozen=True)
class Found:
    """Result of a search."""

    ids: list[str]
    complete: bool
    """False where the server would list no more of them."""


@dataclass(frozen=True)
class Tree:
    """What hangs below a collection."""

    records: dict[str, dict[str, Any]]
    """Listing by record id; ``parents`` names every collection the record is linked to."""
    collections: dict[str, str]
    """Title by collection id, the top included."""


class DataFed:
    """A DataFed server as seen by one user; use it as a context manager or call `close`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.session = Session(connection)

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
        """Any message of the protocol by name; its reply as a dictionary."""
        return plain(self.session.request(name, timeout=timeout, **fields))

    def resolve(self, name: str, context: str = "") -> str:
        """An id as it is, or an alias in the name space of `context` (``p/pfm``, ``u/alice``)."""
        if name[1:2] == "/" or ":" in name or not context:
            return name
        kind, _, owner = context.partition("/")
        return f"{kind}:{owner}:{name}"

    # Records

    def record(self, record_id: str) -> dict[str, Any]:
        """One record in full (form of `documents`)."""
        reply = self.request("RecordViewRequest", id=record_id, details=True)
        return documents.from_view(reply["data"][0])

    def records(self, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Records in full, in bulk; one that is gone or may not be read is left out."""
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
            yield documents.from_export(text)

    def view_if_there(self, record_id: str) -> Iterator[dict[str, Any]]:
        """One record in full, or none where it is gone or may not be read."""
        try:
            yield self.record(record_id)
        except RefusedError:
            return

    def create_record(self, draft: Draft, collection: str) -> dict[str, Any]:
        """Create one record in a collection."""
        reply = self.request(
            "RecordCreateRequest",
            title=drafting.checked_title(draft.title),
            metadata=drafting.json_text(draft.metadata, draft.title),
            parent_id=collection,
            **drafting.given(
                desc=draft.description,
                tags=list(draft.tags),
                alias=draft.alias,
                deps=drafting.dependencies(draft.dependencies),
            ),
        )
        return documents.from_view(reply["data"][0])

    def create_records(self, drafts: Sequence[Draft], collection: str) -> list[dict[str, Any]]:
        """Create records in a collection in few requests; they come back in order."""
        created: list[dict[str, Any]] = []
        for batch in drafting.batches([drafting.batch_item(draft, collection) for draft in drafts]):
            reply = self.request("RecordCreateBatchRequest", records=f"[{','.join(batch)}]")
            created.extend(map(documents.from_view, reply["data"]))
        titles = [drafting.checked_title(draft.title) for draft in drafts]
        if len(created) != len(titles) or not all(
            record["title"].startswith(title)  # equal titles get the record's number behind them
            for record, title in zip(created, titles, strict=True)
        ):
            raise DataFedError(
                f"DataFed answered {len(titles)} new records with {len(created)} others; "
                f"look at collection {collection}."
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
        """Change a record; `metadata` is merged deeply, where None deletes a key.

        Args:
            fields: ``title``, ``desc``, ``alias``, ``source`` or ``ext``.
        """
        request: dict[str, Any] = {"id": record_id, **fields}
        if metadata is not None:
            request |= {
                "metadata": drafting.json_text(metadata, record_id),
                "mdset": replace_metadata,
            }
        if tags is not None:
            request |= {"tags": list(tags)} if tags else {"tags_clear": True}
        request |= drafting.given(dep_add=drafting.dependencies(add_dependencies))
        self.request("RecordUpdateRequest", **request)

    def delete_records(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), EXPORT_CHUNK):
            self.request("RecordDeleteRequest", id=ids[start : start + EXPORT_CHUNK])

    # Collections

    def collection(self, collection: str, context: str = "") -> dict[str, Any]:
        """Id, title, alias, owner and more of a collection named by id or alias."""
        name = self.resolve(collection, context)
        found: dict[str, Any] = self.request("CollViewRequest", id=name)["coll"][0]
        return found

    def items(self, collection: str) -> list[Item]:
        """Records and collections directly in a collection.

        A listing that moves while its pages are read is read again, since an item that slips
        from one page to the one before would look deleted.
        """
        for _ in range(LISTING_ATTEMPTS):
            found: dict[str, Item] = {}
            totals = set()
            offset = 0
            while True:
                reply = self.session.request(
                    "CollReadRequest", id=collection, offset=offset, count=PAGE
                )
                totals.add(reply.total)
                found.update((item.id, _item(item)) for item in reply.item)
                offset += len(reply.item)
                if not reply.item or offset >= reply.total:
                    break
            if totals == {len(found)}:
                return list(found.values())
        raise DataFedError(
            f"Collection {collection} keeps changing while it is listed; try again later."
        )

    def tree(self, collection: str, *, recursive: bool = True) -> Tree:
        """Everything below a collection; a record linked twice is one record."""
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
        return Tree(records, collections)

    def ensure_collection(
        self, path: Sequence[str], parent: str = "root", aliases: Sequence[str] = ()
    ) -> str:
        """Id of the collection at `path` of titles below `parent`, created where missing."""
        here = str(self.collection(parent)["id"])
        for depth, title in enumerate(path):
            same = [i for i, name, *_ in self.items(here) if name == title and i[:2] == "c/"]
            if same:
                here = same[0]
                continue
            alias = aliases[depth] if depth < len(aliases) else ""
            reply = self.request(
                "CollCreateRequest",
                title=drafting.checked_title(title),
                parent_id=here,
                **drafting.given(alias=alias),
            )
            here = str(reply["coll"][0]["id"])
        return here

    def repositories(self, item: str) -> list[str]:
        """Ids of the repositories in which the owner of a record or collection has a share."""
        try:
            reply = self.request("RepoListObjectAllocationsRequest", id=item)
        except RefusedError:
            return []
        return [str(share["repo"]) for share in reply["alloc"]]

    def find(self, alias: str, owner: str) -> dict[str, Any] | None:
        """The record of this alias among those of `owner` (``u/ann``, ``p/pfm``), if any."""
        try:
            return self.record(self.resolve(alias, owner))
        except RefusedError as error:
            if "not exist" in str(error) or "not found" in str(error):
                return None
            raise

    def link(self, collection: str, ids: Sequence[str]) -> None:
        self.request("CollWriteRequest", id=collection, add=list(ids))

    def unlink(self, collection: str, ids: Sequence[str]) -> None:
        """Take items out; a record without any collection left moves to its owner's root."""
        self.request("CollWriteRequest", id=collection, rem=list(ids))

    # Searches

    def search(self, *, limit: int = SEARCH_LIMIT, **criteria: Any) -> Found:
        """Ids of all records that meet the criteria, each once.

        Args:
            limit: how many at most.
            criteria: fields of ``SearchRequest``; ``from_time`` is its ``from``.
        """
        if "from_time" in criteria:
            criteria["from"] = criteria.pop("from_time")
        found: dict[str, None] = {}
        offset = 0
        while offset < limit:
            count = min(PAGE, limit - offset)
            reply = self.session.request("SearchRequest", offset=offset, count=count, **criteria)
            if reply.offset != offset:
                return Found(list(found), complete=False)
            found.update((item.id, None) for item in reply.item)
            if not reply.item or reply.total <= offset + count:
                return Found(list(found), complete=True)
            offset += count
        return Found(list(found), complete=False)

    # Transfers

    def start_get(self, ids: Sequence[str], folder: Path) -> str:
        """Start bringing the raw data of records into a folder; id of the task.

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
        """Start bringing a file to a record; id of the task."""
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
            raise DataFedError(f"DataFed knows no task {task_id}.")
        found: dict[str, Any] = tasks[0]
        return found

    def _on_endpoint(self, path: Path) -> str:
        place = self.connection.on_endpoint(path)
        return str(self.session.api._resolvePathForGlobus(place, False))


def _item(message: Any) -> Item:
    return Item(
        message.id,
        message.title,
        message.alias,
        documents.whole(message.size),
        message.external,
        bool(message.notes & ACTIVE_ERROR),
    )


def _task_id(reply: Any, ids: Sequence[str]) -> str:
    if not reply.task.id:
        raise RefusedError(f"DataFed has no raw data to transfer for {', '.join(ids[:3])}.")
    return str(reply.task.id)
