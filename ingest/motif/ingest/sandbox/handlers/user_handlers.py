"""Users and the endpoints they used."""

from __future__ import annotations

import hmac
import time

from motif.ingest.sandbox.access import Row, hash_password, new_pair, password_matches
from motif.ingest.sandbox.request_server.faults import Refused, denied, missing, page
from motif.ingest.sandbox.request_server.protocol import VERSION, Message, pb
from motif.ingest.sandbox.request_server.request_dispatch import Call, handles

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


_NOBODY = hash_password("nobody")


@handles("VersionRequest", anonymous=True)
def version(call: Call, request: Message) -> Message:
    """Version of the protocol: that of the installed ``datafed`` package."""
    return pb.VersionReply(
        release_year=VERSION.DATAFED_RELEASE_YEAR,
        release_month=VERSION.DATAFED_RELEASE_MONTH,
        release_day=VERSION.DATAFED_RELEASE_DAY,
        release_hour=VERSION.DATAFED_RELEASE_HOUR,
        release_minute=VERSION.DATAFED_RELEASE_MINUTE,
        api_major=VERSION.DATAFED_COMMON_PROTOCOL_API_MAJOR,
        api_minor=VERSION.DATAFED_COMMON_PROTOCOL_API_MINOR,
        api_patch=VERSION.DATAFED_COMMON_PROTOCOL_API_PATCH,
    )


@handles("GetAuthStatusRequest", anonymous=True)
def status(call: Call, request: Message) -> Message:
    """Whether the client's key belongs to a user, and to which."""
    return pb.AuthStatusReply(auth=bool(call.uid), uid=call.uid)


@handles("AuthenticateByPasswordRequest", anonymous=True, writes=True)
def by_password(call: Call, request: Message) -> Message:
    """Bind the client's key to a user by name and password."""
    uid = request.uid.lower().removeprefix("u/")
    row = call.db.execute("SELECT id, password FROM account WHERE id = ?", (f"u/{uid}",)).fetchone()
    matches = password_matches(request.password, row["password"] if row else _NOBODY)
    return _open_session(call, row["id"] if row and matches else "")


@handles("AuthenticateByTokenRequest", anonymous=True, writes=True)
def by_token(call: Call, request: Message) -> Message:
    """Bind the client's key to a user by access token."""
    found = ""
    for row in call.db.execute("SELECT id, token FROM account"):
        if hmac.compare_digest(row["token"].encode(), request.token.encode()):
            found = row["id"]
    return _open_session(call, found)


def _open_session(call: Call, uid: str) -> Message:
    """Remember the key for a while; the user's own key stays valid for ever."""
    if not (uid and call.key):
        raise Refused("Authentication Failed", pb.AUTHN_ERROR)
    call.db.execute("DELETE FROM credential WHERE expires < ?", (time.time(),))
    call.db.execute(
        "INSERT INTO credential VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE "
        "SET account = excluded.account, expires = excluded.expires WHERE expires IS NOT NULL",
        (call.key, uid, time.time() + call.service.limits.session_seconds),
    )
    return pb.AuthStatusReply(auth=True, uid=uid)


@handles("DailyMessageRequest", anonymous=True)
def daily_message(call: Call, request: Message) -> Message:
    """The banner of the command line."""
    return pb.DailyMessageReply(message="This is a Motif sandbox: nothing leaves this machine.")


@handles("GenerateCredentialsRequest", writes=True)
def generate_credentials(call: Call, request: Message) -> Message:
    """The user's key pair, created by the server at the first request and the same afterwards."""
    row = call.db.execute(
        "SELECT public_key, private_key FROM account WHERE id = ?", (call.uid,)
    ).fetchone()
    public, private = row["public_key"], row["private_key"]
    if not public:
        public, private = new_pair()
        call.db.execute(
            "UPDATE account SET public_key = ?, private_key = ? WHERE id = ?",
            (public, private, call.uid),
        )
        call.db.execute("INSERT INTO credential VALUES (?, ?, NULL)", (public, call.uid))
    return pb.GenerateCredentialsReply(pub_key=public, priv_key=private)


@handles("RevokeCredentialsRequest", writes=True)
def revoke_credentials(call: Call, request: Message) -> Message:
    """Forget the user's key pair; sessions opened by password continue."""
    call.db.execute("DELETE FROM credential WHERE account = ? AND expires IS NULL", (call.uid,))
    call.db.execute(
        "UPDATE account SET public_key = NULL, private_key = NULL WHERE id = ?", (call.uid,)
    )
    return pb.AckReply()
