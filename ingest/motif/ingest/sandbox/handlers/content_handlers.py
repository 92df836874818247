"""Contents of collections: listing, linking, moving, parents."""

from __future__ import annotations

from collections.abc import Iterable

from motif.ingest.sandbox.access import (
    Permission,
    Row,
    administers,
    collection_named,
    collections_below,
    item_named,
    require,
    root_of,
)
from motif.ingest.sandbox.items import link, linked, relink_to_root, require_room, unlink
from motif.ingest.sandbox.reply_documents import listing
from motif.ingest.sandbox.request_server.faults import Refused, denied, page
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles

_MASK = "CASE WHEN :all THEN item.notes ELSE item.public_notes END"


@handles("CollReadRequest")
def read(call: Call, request: Message) -> Message:
    """Items of a collection in pages: collections first, then records, each by title."""
    row = collection_named(call, request.id)
    require(call, row, Permission.LIST)
    offset, count = page(request)
    total = call.db.execute("SELECT count(*) FROM link WHERE parent = ?", (row["id"],)).fetchone()[
        0
    ]
    rows = call.db.execute(
        f"SELECT item.id, item.title, item.alias, item.owner, item.creator, item.size, "
        f"item.external, item.locked, {_MASK} FROM "
        "(SELECT kind, title, child FROM link WHERE parent = :parent ORDER BY kind, title, child "
        "LIMIT :count OFFSET :offset) AS page JOIN item ON item.id = page.child "
        "ORDER BY page.kind, page.title, page.child",
        {
            "parent": row["id"],
            "count": count,
            "offset": offset,
            "all": administers(call, row),
        },
    )
    make = pb.ListingData
    items = [
        make(
            id=key,
            title=title,
            alias=alias,
            owner=owner,
            creator=creator,
            size=size,
            external=bool(external),
            locked=bool(locked),
            notes=notes,
        )
        for key, title, alias, owner, creator, size, external, locked, notes in rows
    ]
    return pb.ListingReply(item=items, offset=offset, count=len(items), total=total)


@handles("CollGetOffsetRequest")
def offset_of(call: Call, request: Message) -> Message:
    """The offset of the page of a collection that shows an item."""
    row = collection_named(call, request.id)
    require(call, row, Permission.LIST)
    item = item_named(call, request.item)
    if not linked(call.db, item["id"], row["id"]):
        raise Refused(f"Item {request.item} was not found in collection {request.id}")
    before = call.db.execute(
        "SELECT count(*) FROM link WHERE parent = ? AND (kind, title, child) < (?, ?, ?)",
        (row["id"], item["kind"], item["title"], item["id"]),
    ).fetchone()[0]
    size = max(1, request.page_sz)
    return pb.CollGetOffsetReply(id=row["id"], item=item["id"], offset=before // size * size)


@handles("CollWriteRequest", writes=True)
def write(call: Call, request: Message) -> Message:
    """Link items into a collection, or unlink them; what would lie nowhere goes to the root."""
    if (request.rem or request.rem_all) and request.add:
        raise Refused("Cannot add and remove collection items at the same time.")
    row = collection_named(call, request.id)
    require(call, row, Permission.LINK, "Permission denied - requires LINK on collection.")
    if request.add:
        _add(call, row, request.add)
        return pb.ListingReply()
    loose = relink_to_root(call, _remove(call, row, _removed(call, row, request)))
    return pb.ListingReply(
        item=[listing(call, item) for item in loose], count=len(loose), total=len(loose)
    )


def _removed(call: Call, row: Row, request: Message) -> list[str]:
    if not request.rem_all:
        return list(request.rem)
    children = call.db.execute("SELECT child FROM link WHERE parent = ?", (row["id"],))
    return [child for (child,) in children]


def _add(call: Call, row: Row, names: Iterable[str]) -> None:
    names = list(names)
    require_room(call, row["id"], len(names))
    for name in names:
        item = item_named(call, name)
        if linked(call.db, item["id"], row["id"]):
            raise Refused(f"{item['id']} already linked to {row['id']}")
        if item["owner"] != row["owner"]:
            raise Refused(f"{item['id']} and {row['id']} have different owners")
        _require_linkable(call, row, item)
        if item["kind"] == "c":
            call.db.execute("DELETE FROM link WHERE child = ?", (item["id"],))
        link(call.db, row["id"], item["kind"], item["title"], item["id"])


def _require_linkable(call: Call, target: Row, item: Row) -> None:
    if item["root"]:
        raise Refused("Cannot link root collection")
    if not administers(call, target) and item["creator"] != call.uid:
        raise denied("Cannot link items from other access-control scopes.")
    if item["kind"] == "c" and target["id"] in collections_below(call.db, [item["id"]]):
        raise Refused(f"Cannot link ancestor, {item['id']}, to descendant, {target['id']}")


def _remove(call: Call, row: Row, names: Iterable[str]) -> list[Row]:
    items = [item_named(call, name) for name in names]
    for item in items:
        if not linked(call.db, item["id"], row["id"]):
            raise Refused(f"{item['id']} is not in collection {row['id']}")
        if not administers(call, row) and item["creator"] != call.uid:
            raise denied("Cannot unlink items owned by other users.")
        unlink(call.db, row["id"], item["id"])
    if row["id"] == root_of(row["owner"]):
        for item in items:
            if linked(call.db, item["id"]):
                continue
            link(call.db, row["id"], item["kind"], item["title"], item["id"])
    return items


@handles("CollMoveRequest", writes=True)
def move(call: Call, request: Message) -> Message:
    """Move items from one collection to another."""
    source = collection_named(call, request.src_id)
    target = collection_named(call, request.dst_id)
    if source["owner"] != target["owner"]:
        raise Refused(f"{request.src_id} and {request.dst_id} have different owners")
    require(
        call, source, Permission.LINK, "Permission denied - requires LINK on source collection."
    )
    require(
        call,
        target,
        Permission.LINK,
        "Permission denied - requires LINK on destination collection.",
    )
    for name in request.item:
        item = item_named(call, name)
        if not linked(call.db, item["id"], source["id"]):
            raise Refused(f"{item['id']} is not in collection {source['id']}")
        if linked(call.db, item["id"], target["id"]):
            raise Refused(f"{item['id']} is already in collection {target['id']}")
        _require_linkable(call, target, item)
        unlink(call.db, source["id"], item["id"])
        link(call.db, target["id"], item["kind"], item["title"], item["id"])
    require_room(call, target["id"], 0)
    return pb.AckReply()


@handles("CollGetParentsRequest")
def parents(call: Call, request: Message) -> Message:
    """Every path from an item up to the root, nearest collection first."""
    item = item_named(call, request.id)
    require(call, item, Permission.READ_RECORD)
    reply = pb.CollPathReply()
    for (parent,) in call.db.execute(
        "SELECT parent FROM link WHERE child = ? ORDER BY parent", (item["id"],)
    ).fetchall():
        path = [item] if request.inclusive else []
        while parent:
            row = collection_named(call, parent)
            path.append(row)
            above = call.db.execute(
                "SELECT parent FROM link WHERE child = ?", (row["id"],)
            ).fetchone()
            parent = above[0] if above else ""
        reply.path.add().item.extend(listing(call, row) for row in path)
    if request.inclusive and not reply.path:
        reply.path.add().item.append(listing(call, item))
    return reply
