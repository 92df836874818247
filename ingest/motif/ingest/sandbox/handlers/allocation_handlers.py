"""Allocations: room of users and projects in repositories."""

from __future__ import annotations

from motif.ingest.sandbox.access import (
    ROLE_MANAGER,
    Permission,
    Row,
    add_allocation,
    item_named,
    require,
    require_project,
)
from motif.ingest.sandbox.handlers.repository_handlers import repository_row
from motif.ingest.sandbox.handlers.user_handlers import user_row
from motif.ingest.sandbox.request_server.faults import Refused, denied, missing
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles
from motif.ingest.sandbox.schedule import new_task, task_data

_LARGEST = 2**63 - 1
_HISTOGRAM = 15
"""Classes of the size histogram, one for each power of ten."""


def allocation_data(row: Row) -> Message:
    """Give an allocation as a message."""
    return pb.AllocData(
        repo=row["repository"],
        id=row["owner"],
        data_limit=row["data_limit"],
        data_size=max(0, row["data_size"]),
        rec_limit=row["rec_limit"],
        rec_count=row["rec_count"],
        path=f"/{row['path']}",
        is_def=bool(row["standard"]),
        repo_type="globus",
    )


def _subject(call: Call, name: str, *, manage: bool = False) -> str:
    """Give the id of the user or project `name`; `manage` refuses those with no say over it."""
    if name.startswith("p/"):
        return str(require_project(call, name, ROLE_MANAGER if manage else 0)["id"])
    uid = user_row(call, name)["id"] if name else call.uid
    if manage and uid != call.uid and not call.admin:
        raise denied()
    return str(uid)


def _allocation(call: Call, repository: str, owner: str) -> Row:
    row: Row | None = call.db.execute(
        "SELECT * FROM allocation WHERE owner = ? AND repository = ?", (owner, repository)
    ).fetchone()
    if row is None:
        raise missing(f"Subject, '{owner}', has no allocation on {repository}")
    return row


@handles("RepoListAllocationsRequest")
def list_allocations(call: Call, request: Message) -> Message:
    """All allocations of a repository, for those who administer it."""
    row = repository_row(call, request.id, manage=True)
    rows = call.db.execute(
        "SELECT * FROM allocation WHERE repository = ? ORDER BY owner", (row["id"],)
    )
    return pb.RepoAllocationsReply(alloc=[allocation_data(each) for each in rows])


@handles("RepoListSubjectAllocationsRequest")
def of_subject(call: Call, request: Message) -> Message:
    """Allocations of the caller, or of a project."""
    return _allocations_of(call, _subject(call, request.subject, manage=True), request.stats)


@handles("RepoListObjectAllocationsRequest")
def of_object(call: Call, request: Message) -> Message:
    """Allocations of the owner of a record or collection."""
    item = item_named(call, request.id)
    require(call, item, Permission.READ_RECORD)
    return _allocations_of(call, item["owner"], stats=False)


def _allocations_of(call: Call, owner: str, stats: bool) -> Message:
    reply = pb.RepoAllocationsReply()
    for row in call.db.execute(
        "SELECT * FROM allocation WHERE owner = ? ORDER BY standard DESC, repository", (owner,)
    ).fetchall():
        reply.alloc.append(allocation_data(row))
        if stats:
            reply.alloc[-1].stats.CopyFrom(_statistics(call, row["repository"], owner))
    return reply


@handles("RepoViewAllocationRequest")
def view(call: Call, request: Message) -> Message:
    """One allocation."""
    repository = repository_row(call, request.repo)["id"]
    owner = _subject(call, request.subject, manage=True)
    return pb.RepoAllocationsReply(alloc=[allocation_data(_allocation(call, repository, owner))])


@handles("RepoAllocationStatsRequest")
def statistics(call: Call, request: Message) -> Message:
    """How an allocation is used."""
    repository = repository_row(call, request.repo)["id"]
    owner = _subject(call, request.subject, manage=True)
    _allocation(call, repository, owner)
    return pb.RepoAllocationStatsReply(alloc=_statistics(call, repository, owner))


def _statistics(call: Call, repository: str, owner: str) -> Message:
    histogram = [0] * _HISTOGRAM
    sizes = [
        row[0]
        for row in call.db.execute(
            "SELECT size FROM item WHERE kind = 'd' AND owner = ? AND repository = ?",
            (owner, repository),
        )
    ]
    for size in sizes:
        if size > 0:
            histogram[min(len(str(int(size))) - 1, _HISTOGRAM - 1)] += 1
    return pb.AllocStatsData(
        repo=repository,
        rec_count=len(sizes),
        file_count=sum(size > 0 for size in sizes),
        data_size=int(sum(sizes)),
        histogram=histogram,
    )


@handles("RepoAllocationCreateRequest", writes=True)
def create(call: Call, request: Message) -> Message:
    """A new allocation; the task that would prepare its folder succeeds at once."""
    repository = repository_row(call, request.repo, manage=True)["id"]
    owner = _subject(call, request.subject)
    _check_limits(request)
    known = call.db.execute(
        "SELECT 1 FROM allocation WHERE owner = ? AND repository = ?", (owner, repository)
    ).fetchone()
    if known:
        raise Refused(f"Subject, '{owner}', already has as allocation on {repository}")
    add_allocation(call.db, repository, owner, request.data_limit, request.rec_limit)
    task = new_task(call, pb.TT_ALLOC_CREATE, {"remove": []}, destination=repository)
    return pb.TaskDataReply(task=[task_data(task)])


def _check_limits(request: Message) -> None:
    if not (0 < request.data_limit <= _LARGEST and request.rec_limit > 0):
        raise Refused("Allocation limits must be greater than zero.")


@handles("RepoAllocationSetRequest", writes=True)
def change(call: Call, request: Message) -> Message:
    """Change the limits of an allocation."""
    repository = repository_row(call, request.repo, manage=True)["id"]
    owner = _subject(call, request.subject)
    _check_limits(request)
    _allocation(call, repository, owner)
    call.db.execute(
        "UPDATE allocation SET data_limit = ?, rec_limit = ? WHERE owner = ? AND repository = ?",
        (request.data_limit, request.rec_limit, owner, repository),
    )
    return pb.AckReply()


@handles("RepoAllocationSetDefaultRequest", writes=True)
def set_default(call: Call, request: Message) -> Message:
    """Choose the allocation that new records use."""
    repository = repository_row(call, request.repo)["id"]
    owner = _subject(call, request.subject, manage=True)
    _allocation(call, repository, owner)
    call.db.execute(
        "UPDATE allocation SET standard = (repository = ?) WHERE owner = ?", (repository, owner)
    )
    return pb.AckReply()


@handles("RepoAllocationDeleteRequest", writes=True)
def delete(call: Call, request: Message) -> Message:
    """Delete an allocation that holds no records."""
    repository = repository_row(call, request.repo, manage=True)["id"]
    owner = _subject(call, request.subject)
    if _allocation(call, repository, owner)["rec_count"]:
        raise Refused("Cannot delete allocation - records present")
    call.db.execute(
        "DELETE FROM allocation WHERE owner = ? AND repository = ?", (owner, repository)
    )
    task = new_task(call, pb.TT_ALLOC_DEL, {"remove": []}, source=repository)
    return pb.TaskDataReply(task=[task_data(task)])
