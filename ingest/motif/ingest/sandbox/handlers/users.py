"""Users and the endpoints they used."""

from __future__ import annotations

from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.dispatch import Call, handles
from motif.ingest.sandbox.keys import hash_password
from motif.ingest.sandbox.paging import page
from motif.ingest.sandbox.protocol import Message, pb
from motif.ingest.sandbox.refusal import Refused, denied, missing

MOST_ENDPOINTS = 20


def user_row(call: Call, name: str) -> Row:
    """Give the user `name`, with or without ``u/``."""
    uid = name.lower() if name.startswith("u/") else f"u/{name.lower()}"
    row: Row | None = call.db.execute("SELECT * FROM account WHERE id = ?", (uid,)).fetchone()
    if row is None:
        raise missing(f"No such user '{name}'")
    return row


def user_data(row: Row, *, private: bool) -> Message:
    """Give a user; `private` adds what others need not know."""
    data = pb.UserData(
        uid=row["id"],
        name_first=row["first_name"],
        name_last=row["last_name"],
        email=row["email"],
    )
    if private:
        data.options = row["options"]
        data.is_admin = bool(row["admin"])
        data.is_repo_admin = bool(row["admin"])
    return data


def display_name(row: Row) -> str:
    """Give ``Last, First``."""
    return f"{row['last_name']}, {row['first_name']}"


@handles("UserViewRequest")
def view(call: Call, request: Message) -> Message:
    """One user."""
    row = user_row(call, request.uid)
    private = row["id"] == call.uid or call.admin
    return pb.UserDataReply(user=[user_data(row, private=private)])


@handles("UserListAllRequest")
def list_all(call: Call, request: Message) -> Message:
    """All users by name, in pages."""
    rows = call.db.execute("SELECT * FROM account ORDER BY last_name, first_name, id").fetchall()
    return _listed(rows, request)


@handles("UserListCollabRequest")
def collaborators(call: Call, request: Message) -> Message:
    """Users who share a project, a group or an access rule with the caller."""
    rows = call.db.execute(
        """
        WITH mine(id) AS (
            SELECT id FROM project WHERE owner = :me
            UNION SELECT project FROM project_role WHERE account = :me
        ), met(id) AS (
            SELECT owner FROM project WHERE id IN mine
            UNION SELECT account FROM project_role WHERE project IN mine
            UNION SELECT access.subject FROM access JOIN item ON item.id = access.item
                WHERE item.owner = :me
            UNION SELECT item.owner FROM access JOIN item ON item.id = access.item
                WHERE access.subject = :me
            UNION SELECT account FROM party_member WHERE owner = :me
            UNION SELECT owner FROM party_member WHERE account = :me
        )
        SELECT * FROM account WHERE id IN met AND id != :me ORDER BY last_name, first_name, id
        """,
        {"me": call.uid},
    ).fetchall()
    return _listed(rows, request)


@handles("UserFindByNameUIDRequest")
def find(call: Call, request: Message) -> Message:
    """Users whose name or id contains a text."""
    text = request.name_uid.strip().lower()
    if len(text) < 2:
        raise Refused("Input is too short for name/uid search.")
    rows = call.db.execute(
        "SELECT * FROM account WHERE instr(lower(first_name || ' ' || last_name || ' ' || id), ?) "
        "ORDER BY last_name, first_name, id",
        (text,),
    ).fetchall()
    return _listed(rows, request)


def _listed(rows: list[Row], request: Message) -> Message:
    offset, count = page(request)
    shown = rows[offset : offset + count]
    return pb.UserDataReply(
        user=[user_data(row, private=False) for row in shown],
        offset=offset,
        count=len(shown),
        total=len(rows),
    )


@handles("UserUpdateRequest", writes=True)
def update(call: Call, request: Message) -> Message:
    """Change e-mail, password or options of a user."""
    row = user_row(call, request.uid)
    if row["id"] != call.uid and not call.admin:
        raise denied()
    for name, column in (("email", "email"), ("options", "options")):
        if request.HasField(name):
            call.db.execute(
                f"UPDATE account SET {column} = ? WHERE id = ?", (getattr(request, name), row["id"])
            )
    if request.HasField("password"):
        if not request.password:
            raise Refused("Missing required field 'password'.")
        call.db.execute(
            "UPDATE account SET password = ? WHERE id = ?",
            (hash_password(request.password), row["id"]),
        )
    changed = user_row(call, row["id"])
    return pb.UserDataReply(user=[user_data(changed, private=True)])


@handles("UserGetRecentEPRequest")
def recent_endpoints(call: Call, request: Message) -> Message:
    """Paths of the caller's latest transfers."""
    rows = call.db.execute(
        "SELECT path FROM endpoint WHERE account = ? ORDER BY used DESC", (call.uid,)
    )
    return pb.UserGetRecentEPReply(ep=[row[0] for row in rows])


@handles("UserSetRecentEPRequest", writes=True)
def set_recent_endpoints(call: Call, request: Message) -> Message:
    """Replace the list of recent endpoint paths."""
    call.db.execute("DELETE FROM endpoint WHERE account = ?", (call.uid,))
    for place, path in enumerate(request.ep[:MOST_ENDPOINTS]):
        call.db.execute(
            "INSERT OR IGNORE INTO endpoint VALUES (?, ?, ?)", (call.uid, path, call.now - place)
        )
    return pb.AckReply()


def remember_endpoint(call: Call, path: str) -> None:
    """Put `path` at the head of the caller's recent endpoint paths."""
    call.db.execute(
        "INSERT INTO endpoint VALUES (:me, :path, :now) "
        "ON CONFLICT DO UPDATE SET used = excluded.used",
        {"me": call.uid, "path": path, "now": call.now},
    )
    call.db.execute(
        "DELETE FROM endpoint WHERE account = :me AND path NOT IN "
        "(SELECT path FROM endpoint WHERE account = :me ORDER BY used DESC LIMIT :most)",
        {"me": call.uid, "most": MOST_ENDPOINTS},
    )
