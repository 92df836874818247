"""The server's memory: one SQLite file in WAL mode, one transaction a request."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from motif.core.errors import ConfigError
from motif.ingest.sandbox.access import Row, ensure_repository
from motif.ingest.sandbox.request_server.faults import Limits, Refused
from motif.ingest.sandbox.request_server.request_dispatch import Call

SCHEMA_VERSION = 1

_TABLES = """
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('key', 1000);

CREATE TABLE account (
    id TEXT PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL, email TEXT NOT NULL,
    options TEXT NOT NULL DEFAULT '{}', password TEXT NOT NULL, token TEXT NOT NULL UNIQUE,
    admin INTEGER NOT NULL, public_key TEXT, private_key TEXT
) WITHOUT ROWID;
CREATE TABLE credential (
    key TEXT PRIMARY KEY, account TEXT NOT NULL, expires REAL
) WITHOUT ROWID;
CREATE INDEX credential_account ON credential (account);

CREATE TABLE item (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, creator TEXT NOT NULL,
    title TEXT NOT NULL, alias TEXT, description TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '[]', ct INTEGER NOT NULL, ut INTEGER NOT NULL,
    created REAL NOT NULL, changed REAL NOT NULL,
    notes INTEGER NOT NULL DEFAULT 0, public_notes INTEGER NOT NULL DEFAULT 0,
    metadata TEXT, external INTEGER NOT NULL DEFAULT 0, source TEXT, repository TEXT,
    size REAL NOT NULL DEFAULT 0, ext TEXT, ext_auto INTEGER NOT NULL DEFAULT 0, dt INTEGER,
    locked INTEGER NOT NULL DEFAULT 0, schema TEXT, metadata_error TEXT,
    topic TEXT, root INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE UNIQUE INDEX item_alias ON item (owner, alias) WHERE alias IS NOT NULL;
CREATE INDEX item_title ON item (kind, owner, title COLLATE NOCASE);
CREATE INDEX item_updated ON item (kind, owner, ut);
CREATE INDEX item_topic ON item (topic) WHERE topic IS NOT NULL;

CREATE TABLE link (
    parent TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL COLLATE NOCASE,
    child TEXT NOT NULL, PRIMARY KEY (parent, kind, title, child)
) WITHOUT ROWID;
CREATE UNIQUE INDEX link_child ON link (child, parent);

CREATE TABLE dependency (
    source TEXT NOT NULL, target TEXT NOT NULL, type INTEGER NOT NULL,
    PRIMARY KEY (source, target, type)
) WITHOUT ROWID;
CREATE INDEX dependency_target ON dependency (target);

CREATE TABLE tag (name TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (name, item)) WITHOUT ROWID;
CREATE INDEX tag_item ON tag (item);

CREATE TABLE project (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL, owner TEXT NOT NULL,
    ct INTEGER NOT NULL, ut INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE project_role (
    project TEXT NOT NULL, account TEXT NOT NULL, role INTEGER NOT NULL,
    PRIMARY KEY (project, account)
) WITHOUT ROWID;
CREATE TABLE party (
    owner TEXT NOT NULL, gid TEXT NOT NULL, title TEXT, description TEXT,
    PRIMARY KEY (owner, gid)
) WITHOUT ROWID;
CREATE TABLE party_member (
    owner TEXT NOT NULL, gid TEXT NOT NULL, account TEXT NOT NULL,
    PRIMARY KEY (owner, gid, account)
) WITHOUT ROWID;
CREATE TABLE access (
    item TEXT NOT NULL, subject TEXT NOT NULL, own INTEGER NOT NULL, inherited INTEGER NOT NULL,
    PRIMARY KEY (item, subject)
) WITHOUT ROWID;
CREATE INDEX access_subject ON access (subject);

CREATE TABLE repository (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL DEFAULT '',
    capacity INTEGER NOT NULL, public_key TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '', endpoint TEXT NOT NULL DEFAULT '',
    path TEXT NOT NULL, domain TEXT NOT NULL DEFAULT '', exp_path TEXT NOT NULL DEFAULT '',
    type TEXT NOT NULL DEFAULT 'globus', admins TEXT NOT NULL DEFAULT '[]'
) WITHOUT ROWID;
CREATE TABLE allocation (
    repository TEXT NOT NULL, owner TEXT NOT NULL, data_limit INTEGER NOT NULL,
    data_size INTEGER NOT NULL DEFAULT 0, rec_limit INTEGER NOT NULL,
    rec_count INTEGER NOT NULL DEFAULT 0, path TEXT NOT NULL, standard INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, repository)
) WITHOUT ROWID;

CREATE TABLE task (
    id INTEGER PRIMARY KEY, type INTEGER NOT NULL, status INTEGER NOT NULL, client TEXT NOT NULL,
    step INTEGER NOT NULL, steps INTEGER NOT NULL, message TEXT NOT NULL, ct INTEGER NOT NULL,
    ut INTEGER NOT NULL, source TEXT NOT NULL, destination TEXT NOT NULL, state TEXT NOT NULL
);
CREATE INDEX task_client ON task (client, ut);
CREATE INDEX task_open ON task (status) WHERE status < 3;

CREATE TABLE query (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, ct INTEGER NOT NULL,
    ut INTEGER NOT NULL, request BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE endpoint (
    account TEXT NOT NULL, path TEXT NOT NULL, used REAL NOT NULL, PRIMARY KEY (account, path)
) WITHOUT ROWID;
CREATE TABLE metadata_schema (
    id TEXT NOT NULL, version INTEGER NOT NULL, owner TEXT, description TEXT NOT NULL,
    public INTEGER NOT NULL, definition TEXT NOT NULL, type TEXT NOT NULL, format TEXT NOT NULL,
    ct INTEGER NOT NULL, ut INTEGER NOT NULL, PRIMARY KEY (id, version)
) WITHOUT ROWID;
CREATE TABLE schema_reference (
    source TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (source, target)
) WITHOUT ROWID;
CREATE INDEX item_schema ON item (schema) WHERE schema IS NOT NULL;
CREATE TABLE note (
    id TEXT PRIMARY KEY, subject TEXT NOT NULL, type INTEGER NOT NULL, state INTEGER NOT NULL,
    title TEXT NOT NULL, comments TEXT NOT NULL, creator TEXT NOT NULL, parent TEXT,
    ct INTEGER NOT NULL, ut INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX note_subject ON note (subject);
CREATE INDEX note_parent ON note (parent) WHERE parent IS NOT NULL;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the database at `path`, making it (readable by its owner alone) where there is none.

    Committed transactions survive the end of the process at any moment; the journal is not
    flushed to the disk at every commit, so the last ones may be lost with the power.

    Raises:
        ConfigError: a newer version of the sandbox wrote it.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA cache_size=-65536")
        _prepare(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    with transaction(db, write=True):
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise ConfigError(
                f"{path} has version {version} but this sandbox knows {SCHEMA_VERSION}: "
                "update Motif or use another folder."
            )
        if version == 0:
            for statement in _TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


@contextmanager
def transaction(db: sqlite3.Connection, *, write: bool) -> Iterator[None]:
    """Run a block in one transaction: committed at its end, rolled back when it raises."""
    db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def next_key(db: sqlite3.Connection) -> int:
    """Give a number never given before; ids of deleted things are not used again."""
    row = db.execute("UPDATE counter SET value = value + 1 WHERE name = 'key' RETURNING value")
    return int(row.fetchone()[0])


def allocate(call: Call, owner: str, repository: str = "") -> str:
    """Count one more record of `owner` in a repository and give the repository's id.

    Raises:
        Refused: no allocation there, or it is full.
    """
    if repository and not repository.startswith("repo/"):
        repository = f"repo/{repository}"
    rows = call.db.execute(
        "SELECT * FROM allocation WHERE owner = ? AND (? = '' OR repository = ?) "
        "ORDER BY standard DESC, repository",
        (owner, repository, repository),
    ).fetchall()
    if not rows:
        raise Refused(
            f"No allocation on repo {repository}" if repository else "No allocation available"
        )
    for row in rows:
        if row["rec_count"] < row["rec_limit"] and row["data_size"] < row["data_limit"]:
            call.db.execute(
                "UPDATE allocation SET rec_count = rec_count + 1 "
                "WHERE owner = ? AND repository = ?",
                (owner, row["repository"]),
            )
            return str(row["repository"])
    full = rows[0]
    if full["data_size"] >= full["data_limit"]:
        raise Refused(f"Allocation data size exceeded (max: {full['data_limit']})")
    raise Refused(f"Allocation record count exceeded (max: {full['rec_limit']})")


def require_data_room(call: Call, record: Row) -> None:
    """Refuse an upload to an allocation that is full."""
    row = call.db.execute(
        "SELECT data_limit, data_size FROM allocation WHERE owner = ? AND repository = ?",
        (record["owner"], record["repository"]),
    ).fetchone()
    if row is None:
        raise Refused(f"No allocation on repo {record['repository']}")
    if row["data_size"] - record["size"] >= row["data_limit"]:
        raise Refused(f"Allocation data size exceeded (max: {row['data_limit']})")


def release(call: Call, record: Row) -> None:
    """Give back the room of a record that is deleted."""
    call.db.execute(
        "UPDATE allocation SET rec_count = rec_count - 1, data_size = data_size - ? "
        "WHERE owner = ? AND repository = ?",
        (record["size"], record["owner"], record["repository"]),
    )


def file_of(call: Call, record: Row) -> str:
    """Give the path of a record's raw data below the folder of all repositories."""
    area = "user" if record["owner"].startswith("u/") else "project"
    return f"{record['repository'][5:]}/{area}/{record['owner'][2:]}/{record['id'][2:]}"


def add_repository(folder: Path) -> None:
    """Add the default repository to the server of a folder, running or not."""
    db = connect(folder.resolve() / "sandbox.sqlite")
    try:
        with transaction(db, write=True):
            ensure_repository(db, Limits())
    finally:
        db.close()
