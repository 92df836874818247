"""Users: creation, credentials, default repository and allocation."""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path

from motif.core.errors import ConfigError
from motif.ingest.sandbox.keys import hash_password, new_pair, write_private
from motif.ingest.sandbox.limits import Limits

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
            raise ConfigError(f"'{text}' is no user: write NAME:PASSWORD or NAME:PASSWORD:admin.")
        password = rest.removesuffix(":admin")
        return cls(name, password, admin=password != rest)


def root_of(owner: str) -> str:
    """Give the id of the root collection of a user or project."""
    return f"c/{owner[0]}_{owner[2:]}_root"


def ensure_repository(db: sqlite3.Connection) -> None:
    """Make the default repository."""
    db.execute(
        "INSERT INTO repository (id, title, description, capacity, path) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (DEFAULT_REPOSITORY, "Sandbox", "Files beside the sandbox database", 10**15, "/sandbox"),
    )


def ensure_user(db: sqlite3.Connection, user: User, limits: Limits) -> None:
    """Make `user` with root collection, key pair, token and allocation; where the user exists,
    set password and role.
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
    """Make root collection and default allocation of the user or project `owner`."""
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
    add_allocation(
        db, DEFAULT_REPOSITORY, owner, limits.allocation_bytes, limits.allocation_records
    )
    db.execute(
        "UPDATE allocation SET standard = 1 WHERE owner = ? AND repository = ?",
        (owner, DEFAULT_REPOSITORY),
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
