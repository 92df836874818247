"""Repositories."""

from __future__ import annotations

import json
from collections.abc import Iterable

from motif.ingest.sandbox import schema_validation
from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.handlers.user_handlers import user_row
from motif.ingest.sandbox.request_server.faults import Refused, denied, missing
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles

_TEXTS = ("domain", "exp_path", "address", "endpoint")


def repository_row(call: Call, name: str, *, manage: bool = False) -> Row:
    """Give a repository; `manage` refuses callers who do not administer it."""
    key = name if name.startswith("repo/") else f"repo/{name}"
    row: Row | None = call.db.execute("SELECT * FROM repository WHERE id = ?", (key,)).fetchone()
    if row is None:
        raise missing(f"Repo, '{name}', does not exist")
    if manage and not call.admin and call.uid not in json.loads(row["admins"]):
        raise denied()
    return row


def _data(row: Row, *, details: bool) -> Message:
    data = pb.RepoData(
        id=row["id"], title=row["title"], desc=row["description"], capacity=row["capacity"]
    )
    if details:
        data.pub_key = row["public_key"]
        data.path = row["path"]
        data.type = row["type"]
        data.admin.extend(json.loads(row["admins"]))
        for name in _TEXTS:
            setattr(data, name, row[name])
    return data


@handles("RepoListRequest")
def list_repositories(call: Call, request: Message) -> Message:
    """Repositories the caller administers, or all of them."""
    rows = call.db.execute("SELECT * FROM repository ORDER BY id").fetchall()
    chosen = [
        row for row in rows if request.all or call.admin or call.uid in json.loads(row["admins"])
    ]
    return pb.RepoDataReply(repo=[_data(row, details=True) for row in chosen])


@handles("RepoViewRequest")
def view(call: Call, request: Message) -> Message:
    """One repository."""
    return pb.RepoDataReply(repo=[_data(repository_row(call, request.id), details=True)])


@handles("RepoCreateRequest", writes=True)
def create(call: Call, request: Message) -> Message:
    """A new repository: a folder of its own next to the others."""
    if not call.admin:
        raise denied()
    key = str(schema_validation.IDENTIFIER.new(request.id.removeprefix("repo/")))
    if call.db.execute("SELECT 1 FROM repository WHERE id = ?", (f"repo/{key}",)).fetchone():
        raise Refused("Conflicting ID or alias")
    if request.capacity < 1 or request.capacity >= 2**63:
        raise Refused("Invalid repository capacity.")
    path = request.path or f"/{key}"
    _check_path(path, key)
    call.db.execute(
        "INSERT INTO repository (id, title, description, capacity, public_key, address, endpoint, "
        "path, domain, exp_path, type, admins) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            f"repo/{key}",
            schema_validation.TITLE.new(request.title),
            schema_validation.DESCRIPTION.new(request.desc) or "",
            request.capacity,
            request.pub_key,
            request.address,
            request.endpoint,
            path,
            request.domain,
            request.exp_path,
            request.type or "globus",
            json.dumps(_admins(call, request.admin) or [call.uid]),
        ),
    )
    return pb.RepoDataReply(repo=[_data(repository_row(call, key), details=True)])


def _check_path(path: str, key: str) -> None:
    if not path.startswith("/"):
        raise Refused("Repository path must be an absolute path file system path.")
    if path.rstrip("/").rsplit("/", 1)[-1] != key:
        raise Refused(f"Last part of repository path must be repository ID suffix ({key})")


def _admins(call: Call, names: Iterable[str]) -> list[str]:
    return [user_row(call, name)["id"] for name in names]


@handles("RepoUpdateRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Change a repository."""
    row = repository_row(call, request.id, manage=True)
    values: dict[str, object] = {}
    if request.HasField("title"):
        values["title"] = schema_validation.TITLE.changed(request.title)
    if request.HasField("desc"):
        values["description"] = schema_validation.DESCRIPTION.changed(request.desc) or ""
    if request.HasField("capacity"):
        values["capacity"] = min(request.capacity, 2**63 - 1)
    if request.HasField("pub_key"):
        values["public_key"] = request.pub_key
    if request.HasField("path"):
        _check_path(request.path, row["id"][5:])
        values["path"] = request.path
    values.update({name: getattr(request, name) for name in _TEXTS if request.HasField(name)})
    if request.admin:
        values["admins"] = json.dumps(_admins(call, request.admin))
    for name, value in values.items():
        call.db.execute(f"UPDATE repository SET {name} = ? WHERE id = ?", (value, row["id"]))
    return pb.RepoDataReply(repo=[_data(repository_row(call, row["id"]), details=True)])


@handles("RepoDeleteRequest", writes=True)
def delete(call: Call, request: Message) -> Message:
    """Delete a repository without allocations."""
    row = repository_row(call, request.id, manage=True)
    used = call.db.execute("SELECT 1 FROM allocation WHERE repository = ?", (row["id"],))
    if used.fetchone():
        raise Refused(
            "Cannot delete repo with associated allocations. "
            "Allocations still exist on the repository."
        )
    call.db.execute("DELETE FROM repository WHERE id = ?", (row["id"],))
    return pb.AckReply()
