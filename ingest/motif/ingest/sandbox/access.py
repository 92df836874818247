"""Who may do what: resolving ids and aliases, permissions granted and inherited."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntFlag
from pathlib import Path

import zmq

from motif.core.errors import ConfigError
from motif.ingest.sandbox.request_server.faults import Limits, Refused, denied, missing
from motif.ingest.sandbox.request_server.request_dispatch import Call

Row = sqlite3.Row

ROLE_NONE, ROLE_MEMBER, ROLE_MANAGER, ROLE_ADMIN = range(4)


class Permission(IntFlag):
    """Permission bits of access rules."""

    NONE = 0
    READ_RECORD = 0x0001
    READ_METADATA = 0x0002
    READ_DATA = 0x0004
    WRITE_RECORD = 0x0008
    WRITE_METADATA = 0x0010
    WRITE_DATA = 0x0020
    LIST = 0x0040
    LINK = 0x0080
    CREATE = 0x0100
    DELETE = 0x0200
    SHARE = 0x0400
    LOCK = 0x0800
    LABEL = 0x1000
    TAG = 0x2000
    ANNOTATE = 0x4000
    PUBLIC = 0x0047
    ALL = 0x7FFF


def item_named(call: Call, name: str, kind: str = "", context: str = "") -> Row:
    """Give the record or collection `name`: an id, an alias, or an alias with its owner
    (``u:user:alias``, ``p:project:alias``).

    Args:
        kind: 'd' or 'c' where only a record or a collection will do.
        context: user or project whose aliases a bare name means; the caller's where empty.
    """
    thing = {"d": "data record", "c": "collection"}.get(kind, "")
    if "/" in name:
        if name[:2] not in ("d/", "c/") or (kind and name[0] != kind):
            raise Refused(f"Invalid {thing} ID '{name}'" if thing else f"Invalid ID '{name}'")
        row = call.db.execute("SELECT * FROM item WHERE id = ?", (name,)).fetchone()
        if row is None:
            noun = "Data record" if name[0] == "d" else "Collection"
            raise missing(f"{noun} '{name}' does not exist.")
        return _as_row(row)
    owner, alias = _alias(name, context or call.uid)
    row = call.db.execute(
        "SELECT * FROM item WHERE owner = ? AND alias = ?", (owner, alias)
    ).fetchone()
    if row is None:
        raise missing(f"Alias '{name}' does not exist")
    if kind and row["kind"] != kind:
        raise Refused(f"Alias '{name}' does not identify a {thing}")
    return _as_row(row)


def _as_row(row: Row) -> Row:
    return row


def _alias(name: str, context: str) -> tuple[str, str]:
    parts = name.lower().split(":")
    if len(parts) == 1:
        return context, parts[0]
    if len(parts) == 3 and parts[0] in ("u", "p"):
        return f"{parts[0]}/{parts[1]}", parts[2]
    raise missing(f"Alias '{name}' does not exist")


def record_named(call: Call, name: str) -> Row:
    """Give the record `name`."""
    return item_named(call, name, "d")


def collection_named(call: Call, name: str, context: str = "") -> Row:
    """Give the collection `name`."""
    return item_named(call, name, "c", context)


def project_role(call: Call, project: str, uid: str = "") -> int:
    """Give the role of a user in a project."""
    account = uid or call.uid
    row = call.db.execute("SELECT owner FROM project WHERE id = ?", (project,)).fetchone()
    if row is None:
        return ROLE_NONE
    if row[0] == account:
        return ROLE_ADMIN
    role = call.db.execute(
        "SELECT role FROM project_role WHERE project = ? AND account = ?", (project, account)
    ).fetchone()
    return int(role[0]) if role else ROLE_NONE


def administers(call: Call, item: Row) -> bool:
    """Whether the caller may do everything with `item`."""
    owner = item["owner"]
    if owner == call.uid or call.admin:
        return True
    if item["kind"] == "d" and item["creator"] == call.uid:
        return True
    return owner.startswith("p/") and project_role(call, owner) >= ROLE_MANAGER


def permissions(call: Call, item: Row) -> Permission:
    """Give everything the caller may do with `item`, by itself and by its collections."""
    if administers(call, item):
        return Permission.ALL
    subjects = _subjects(call, item["owner"])
    granted = _granted(call, item["id"], item["topic"], subjects, below=False)
    for parent in ancestors(call.db, [item["id"]]):
        granted |= _granted(call, parent["id"], parent["topic"], subjects, below=True)
        if (
            parent["root"]
            and item["owner"].startswith("p/")
            and project_role(call, item["owner"]) == ROLE_MEMBER
        ):
            granted |= Permission.PUBLIC
    if item["root"] and project_role(call, item["owner"]) == ROLE_MEMBER:
        granted |= Permission.PUBLIC
    return granted


def _subjects(call: Call, owner: str) -> list[str]:
    groups = call.db.execute(
        "SELECT gid FROM party_member WHERE owner = ? AND account = ?", (owner, call.uid)
    )
    return [call.uid, *(f"g/{row[0]}" for row in groups)]


def _granted(
    call: Call, item: str, topic: str | None, subjects: list[str], *, below: bool
) -> Permission:
    granted = Permission.PUBLIC if topic else Permission.NONE
    marks = ",".join("?" * len(subjects))
    for row in call.db.execute(
        f"SELECT own, inherited FROM access WHERE item = ? AND subject IN ({marks})",
        (item, *subjects),
    ):
        granted |= Permission(row["inherited"] if below else row["own"] | row["inherited"])
    return granted


def require(call: Call, item: Row, wanted: Permission, message: str = "Permission Denied") -> None:
    """Refuse unless the caller has all of `wanted` on `item`."""
    if item["owner"] == call.uid:
        return
    if permissions(call, item) & wanted != wanted:
        raise denied(message)


def require_project(call: Call, project: str, role: int = ROLE_NONE) -> Row:
    """Give the project; refuse where there is none or the caller's role is lower than `role`."""
    row = call.db.execute("SELECT * FROM project WHERE id = ?", (project,)).fetchone()
    if row is None:
        raise missing(f"No such project '{project}'")
    if role and not call.admin and project_role(call, project) < role:
        raise denied()
    return _as_row(row)


def ancestors(db: sqlite3.Connection, ids: Iterable[str]) -> list[Row]:
    """Give every collection above the items `ids`, each once."""
    seen: dict[str, Row] = {}
    level = list(ids)
    while level:
        above = []
        for child in level:
            for row in db.execute(
                "SELECT item.* FROM link JOIN item ON item.id = link.parent WHERE link.child = ?",
                (child,),
            ):
                if row["id"] not in seen:
                    seen[row["id"]] = row
                    above.append(row["id"])
        level = above
    return list(seen.values())


def collections_below(db: sqlite3.Connection, ids: Iterable[str]) -> list[str]:
    """Give the collections `ids` and all collections inside them, each once."""
    seen = dict.fromkeys(ids)
    level = list(seen)
    while level:
        below = []
        for parent in level:
            for (child,) in db.execute(
                "SELECT child FROM link WHERE parent = ? AND kind = 'c'", (parent,)
            ):
                if child not in seen:
                    seen[child] = None
                    below.append(child)
        level = below
    return list(seen)


DEFAULT_REPOSITORY = "repo/sandbox"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True)
class User:
    """A user to be: `name` is the part of ``u/<name>`` after the slash."""

    name: str
    password: str = field(repr=False)
    admin: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"User name '{self.name}' is not allowed: use up to 40 of a-z, 0-9, '_', '.', '-', "
                "beginning with a letter or digit."
            )
        if not self.password:
            raise ConfigError(f"User '{self.name}' needs a password: write NAME:PASSWORD.")

    @classmethod
    def parse(cls, text: str) -> User:
        """Read ``NAME:PASSWORD[:admin]``; everything between the first colon and ``:admin`` is
        the password.
        """
        name, colon, rest = text.partition(":")
        if not colon:
            raise ConfigError(
                f"'{text}' is not a user: write NAME:PASSWORD or NAME:PASSWORD:admin."
            )
        password = rest.removesuffix(":admin")
        return cls(name, password, admin=password != rest)


def root_of(owner: str) -> str:
    """Give the id of the root collection of a user or project."""
    return f"c/{owner[0]}_{owner[2:]}_root"


def ensure_repository(db: sqlite3.Connection, limits: Limits) -> None:
    """Add the default repository, with a default allocation for everybody who has none in it.

    A fresh server has no repository, as a fresh core has none.
    """
    db.execute(
        "INSERT INTO repository (id, title, description, capacity, path) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (DEFAULT_REPOSITORY, "Sandbox", "Files next to the sandbox database", 10**15, "/sandbox"),
    )
    owners = db.execute(
        "SELECT owner FROM item WHERE root = 1 AND owner NOT IN "
        "(SELECT owner FROM allocation WHERE repository = ?)",
        (DEFAULT_REPOSITORY,),
    ).fetchall()
    for (owner,) in owners:
        _allocate_by_default(db, owner, limits)


def has_repository(db: sqlite3.Connection) -> bool:
    """Whether the default repository has been added."""
    statement = "SELECT 1 FROM repository WHERE id = ?"
    return db.execute(statement, (DEFAULT_REPOSITORY,)).fetchone() is not None


def ensure_user(db: sqlite3.Connection, user: User, limits: Limits) -> None:
    """Create `user` with root collection, key pair and token; where the user exists, set password
    and role.
    """
    account = f"u/{user.name}"
    known = db.execute("SELECT 1 FROM account WHERE id = ?", (account,)).fetchone()
    if known:
        db.execute(
            "UPDATE account SET password = ?, admin = ? WHERE id = ?",
            (hash_password(user.password), user.admin, account),
        )
        return
    public, private = new_pair()
    first, _, last = user.name.partition(".")
    db.execute(
        "INSERT INTO account (id, first_name, last_name, email, password, token, admin, "
        "public_key, private_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            account,
            first.capitalize(),
            last.capitalize() or "User",
            f"{user.name}@sandbox.invalid",
            hash_password(user.password),
            secrets.token_urlsafe(32),
            user.admin,
            public,
            private,
        ),
    )
    db.execute("INSERT INTO credential VALUES (?, ?, NULL)", (public, account))
    open_home(db, account, account, time.time(), limits)


def open_home(db: sqlite3.Connection, owner: str, creator: str, now: float, limits: Limits) -> None:
    """Create the root collection of the user or project `owner`.

    Where the server has a repository, its default allocation too.
    """
    db.execute(
        "INSERT INTO item (id, kind, owner, creator, title, alias, description, ct, ut, created, "
        "changed, root) VALUES (?, 'c', ?, ?, 'Root Collection', 'root', ?, ?, ?, ?, ?, 1)",
        (
            root_of(owner),
            owner,
            creator,
            f"Root collection of {owner}",
            int(now),
            int(now),
            now,
            now,
        ),
    )
    if has_repository(db):
        _allocate_by_default(db, owner, limits)


def _allocate_by_default(db: sqlite3.Connection, owner: str, limits: Limits) -> None:
    add_allocation(
        db, DEFAULT_REPOSITORY, owner, limits.allocation_bytes, limits.allocation_records
    )
    db.execute(
        "UPDATE allocation SET standard = 1 WHERE owner = ? AND repository = ? AND NOT EXISTS "
        "(SELECT 1 FROM allocation AS other WHERE other.owner = ? AND other.standard = 1)",
        (owner, DEFAULT_REPOSITORY, owner),
    )


def add_allocation(
    db: sqlite3.Connection, repository: str, owner: str, data_limit: int, rec_limit: int
) -> None:
    """Give `owner` room in `repository`."""
    area = "user" if owner.startswith("u/") else "project"
    db.execute(
        "INSERT INTO allocation (repository, owner, data_limit, rec_limit, path) "
        "VALUES (?, ?, ?, ?, ?)",
        (repository, owner, data_limit, rec_limit, f"{repository[5:]}/{area}/{owner[2:]}"),
    )


def export_credentials(db: sqlite3.Connection, folder: Path) -> None:
    """Write ``NAME.pub``, ``NAME.priv`` and ``NAME.token`` of every user into `folder`."""
    for row in db.execute("SELECT id, public_key, private_key, token FROM account"):
        name = row["id"][2:]
        if row["public_key"]:
            write_private(folder / f"{name}.pub", row["public_key"])
            write_private(folder / f"{name}.priv", row["private_key"])
        write_private(folder / f"{name}.token", row["token"])


_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


def new_pair() -> tuple[str, str]:
    """Give a new CURVE key pair (public, private), z85 text of 40 characters each."""
    public, private = zmq.curve_keypair()
    return public.decode(), private.decode()


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` so that only its owner may read it, replacing what was there.

    No newline is added: the client takes a key of 41 characters for no key at all.
    """
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    part.replace(path)


def server_pair(folder: Path) -> tuple[str, str]:
    """Give the server's own key pair, made at the first start in `folder`."""
    public, private = folder / "datafed-core-key.pub", folder / "datafed-core-key.priv"
    if not (public.exists() and private.exists()):
        made = new_pair()
        write_private(private, made[1])
        write_private(public, made[0])
    return public.read_text().strip(), private.read_text().strip()


def hash_password(password: str) -> str:
    """Give salt and scrypt hash of `password` as text."""
    salt = secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)
    return f"{base64.b64encode(salt).decode()}:{base64.b64encode(digest).decode()}"


def password_matches(password: str, stored: str) -> bool:
    """Tell whether `password` gives the hash `stored`."""
    salt, digest = (base64.b64decode(part) for part in stored.split(":"))
    found = hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)
    return hmac.compare_digest(found, digest)
