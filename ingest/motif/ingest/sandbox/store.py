"""Where raw data lie: repositories, allocations and file names."""

from __future__ import annotations

from motif.ingest.sandbox.access import Row
from motif.ingest.sandbox.dispatch import Call
from motif.ingest.sandbox.refusal import Refused


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
