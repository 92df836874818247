"""Projects: shared owners of records."""

from __future__ import annotations

from collections.abc import Iterable

from motif.ingest.sandbox import schema_validation
from motif.ingest.sandbox.access import (
    ROLE_ADMIN,
    ROLE_MANAGER,
    ROLE_MEMBER,
    Row,
    open_home,
    project_role,
    require_project,
)
from motif.ingest.sandbox.handlers.allocation_handlers import allocation_data
from motif.ingest.sandbox.handlers.record_handlers import delete_records
from motif.ingest.sandbox.handlers.user_handlers import user_row
from motif.ingest.sandbox.items import forget_items
from motif.ingest.sandbox.request_server.faults import Refused, page
from motif.ingest.sandbox.request_server.protocol import Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles


def _project_data(call: Call, row: Row) -> Message:
    data = pb.ProjectData(
        id=row["id"],
        title=row["title"],
        desc=row["description"],
        owner=row["owner"],
        ct=row["ct"],
        ut=row["ut"],
    )
    for account, role in call.db.execute(
        "SELECT account, role FROM project_role WHERE project = ? ORDER BY account", (row["id"],)
    ):
        (data.admin if role == ROLE_MANAGER else data.member).append(account)
    data.alloc.extend(
        allocation_data(each)
        for each in call.db.execute("SELECT * FROM allocation WHERE owner = ?", (row["id"],))
    )
    return data


@handles("ProjectViewRequest")
def view(call: Call, request: Message) -> Message:
    """One project with its people and allocations."""
    row = require_project(call, request.id)
    return pb.ProjectDataReply(proj=[_project_data(call, row)])


@handles("ProjectCreateRequest", writes=True)
def create(call: Call, request: Message) -> Message:
    """A new project with root collection and default allocation, owned by the caller."""
    most = call.service.limits.projects_per_user
    count = call.db.execute("SELECT count(*) FROM project WHERE owner = ?", (call.uid,))
    if count.fetchone()[0] >= most:
        raise Refused(
            f"Project limit reached ({most}). Contact system administrator to increase limit."
        )
    project = f"p/{schema_validation.IDENTIFIER.new(request.id.removeprefix('p/'))}"
    if call.db.execute("SELECT 1 FROM project WHERE id = ?", (project,)).fetchone():
        raise Refused("Conflicting ID or alias")
    call.db.execute(
        "INSERT INTO project VALUES (?, ?, ?, ?, ?, ?)",
        (
            project,
            schema_validation.TITLE.new(request.title),
            schema_validation.DESCRIPTION.new(request.desc) or "",
            call.uid,
            int(call.now),
            int(call.now),
        ),
    )
    open_home(call.db, project, call.uid, call.now, call.service.limits)
    _set_roles(call, project, request.admin, ROLE_MANAGER)
    _set_roles(call, project, request.member, ROLE_MEMBER)
    return pb.ProjectDataReply(proj=[_project_data(call, require_project(call, project))])


def _set_roles(call: Call, project: str, names: Iterable[str], role: int) -> None:
    call.db.execute("DELETE FROM project_role WHERE project = ? AND role = ?", (project, role))
    owner = require_project(call, project)["owner"]
    for name in names:
        account = user_row(call, name)["id"]
        if account == owner:
            continue
        call.db.execute(
            "INSERT INTO project_role VALUES (:project, :account, :role) "
            "ON CONFLICT DO UPDATE SET role = max(role, excluded.role)",
            {"project": project, "account": account, "role": role},
        )


@handles("ProjectUpdateRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Change title, description or people of a project."""
    needs_admin = request.admin_set or request.HasField("title") or request.HasField("desc")
    row = require_project(call, request.id, ROLE_ADMIN if needs_admin else ROLE_MANAGER)
    title = (
        schema_validation.TITLE.changed(request.title)
        if request.HasField("title")
        else row["title"]
    )
    text = row["description"]
    if request.HasField("desc"):
        text = schema_validation.DESCRIPTION.changed(request.desc) or ""
    call.db.execute(
        "UPDATE project SET title = ?, description = ?, ut = ? WHERE id = ?",
        (title, text, int(call.now), row["id"]),
    )
    if request.admin_set:
        _set_roles(call, row["id"], request.admin, ROLE_MANAGER)
    if request.member_set:
        _set_roles(call, row["id"], request.member, ROLE_MEMBER)
    return pb.ProjectDataReply(proj=[_project_data(call, require_project(call, row["id"]))])


@handles("ProjectDeleteRequest", writes=True)
def delete(call: Call, request: Message) -> Message:
    """Delete projects with everything they own."""
    records: list[Row] = []
    for name in request.id:
        project = require_project(call, name, ROLE_ADMIN)["id"]
        records += call.db.execute(
            "SELECT * FROM item WHERE kind = 'd' AND owner = ?", (project,)
        ).fetchall()
    task = delete_records(call, records)
    for name in request.id:
        owned = call.db.execute("SELECT id FROM item WHERE owner = ?", (name,)).fetchall()
        forget_items(call, [row["id"] for row in owned])
        for statement in (
            "DELETE FROM allocation WHERE owner = ?",
            "DELETE FROM project_role WHERE project = ?",
            "DELETE FROM party_member WHERE owner = ?",
            "DELETE FROM party WHERE owner = ?",
            "DELETE FROM project WHERE id = ?",
        ):
            call.db.execute(statement, (name,))
    return pb.TaskDataReply(task=[task])


@handles("ProjectListRequest")
def list_projects(call: Call, request: Message) -> Message:
    """Projects the caller owns, manages or belongs to, in pages; all of these where none is set."""
    wanted = [
        role
        for name, role in (
            ("as_owner", ROLE_ADMIN),
            ("as_admin", ROLE_MANAGER),
            ("as_member", ROLE_MEMBER),
        )
        if getattr(request, name)
    ] or [ROLE_ADMIN, ROLE_MANAGER, ROLE_MEMBER]
    order = {pb.SORT_TIME_CREATE: "ct", pb.SORT_TIME_UPDATE: "ut", pb.SORT_ID: "id"}
    rows = call.db.execute(
        f"SELECT * FROM project ORDER BY {order.get(request.sort, 'title')} "
        f"{'DESC' if request.sort_rev else ''}"
    ).fetchall()
    mine = [row for row in rows if project_role(call, row["id"]) in wanted]
    offset, count = page(request)
    shown = mine[offset : offset + count]
    return pb.ListingReply(
        item=[
            pb.ListingData(id=row["id"], title=row["title"], owner=row["owner"]) for row in shown
        ],
        offset=offset,
        count=len(shown),
        total=len(mine),
    )


@handles("ProjectGetRoleRequest")
def role(call: Call, request: Message) -> Message:
    """The role of the caller, or of another user, in a project."""
    require_project(call, request.id)
    subject = user_row(call, request.subject)["id"] if request.subject else call.uid
    return pb.ProjectGetRoleReply(role=project_role(call, request.id, subject))
