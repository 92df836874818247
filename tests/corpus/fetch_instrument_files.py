"""Fetches the public instrument files that the reader tests use, each verified by its SHA-256.

    python tests/corpus/fetch_instrument_files.py [FOLDER]

FOLDER is by default the environment variable MOTIF_REAL_DATA, and without it ``../shared/data``,
as in the tests. `instrument_files.csv` names repository, commit and path of each file; a row
without a repository is a file that was never published and cannot be fetched. Files keep the
licences of their repositories and never become part of this one.

Files that exist already are verified and kept, and an interrupted transfer is resumed. A file of
the same name with other contents is never replaced. The exit code is 0 if every file that has a
public origin is there, else 1.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import http.client
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("instrument_files.csv")
DEFAULT_FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data"
RAW_FILES = "https://raw.githubusercontent.com"
ATTEMPTS = 3
TIMEOUT = 60.0
"""Seconds to wait for the server."""
PIECE = 1 << 16


@dataclass(frozen=True)
class InstrumentFile:
    """One row of the table."""

    file: str
    """Path below the folder."""
    repository: str
    """``owner/name``; empty where the file has no public origin."""
    commit: str
    path: str
    """Path in the repository."""
    size: int
    sha256: str

    def url(self, base: str) -> str:
        """Address of the raw file."""
        path = urllib.parse.quote(f"{self.repository}/{self.commit}/{self.path}")
        return f"{base.rstrip('/')}/{path}"


class FetchError(Exception):
    """Why a file is missing, in one sentence."""


def read_table(path: Path = TABLE) -> list[InstrumentFile]:
    """All rows of a table."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            InstrumentFile(
                row["file"], row["repository"], row["commit"], row["path"],
                int(row["bytes"]), row["sha256"],
            )
            for row in csv.DictReader(stream)
        ]  # fmt: skip


def fetch(file: InstrumentFile, folder: Path, base: str = RAW_FILES) -> bool:
    """Bring one file into a folder; whether it had to be downloaded.

    Raises:
        FetchError: the file is not there and cannot be fetched, or another one has its name.
    """
    final = folder / file.file
    if not final.resolve().is_relative_to(folder.resolve()):
        raise FetchError(f"{file.file} leads out of the folder {folder}; correct the table.")
    if final.exists():
        if _sha256(final) == file.sha256:
            return False
        raise FetchError(f"{final} exists with other contents; move it away and run again.")
    if not file.repository:
        raise FetchError(f"{file.file} has no public origin; copy it from whoever has it.")
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f"{final.name}.part")
    url = file.url(base)
    for attempt in range(ATTEMPTS):
        try:
            _download(url, part, file.size)
            break
        except urllib.error.HTTPError as error:
            if error.code < 500 or attempt + 1 == ATTEMPTS:
                raise FetchError(
                    f"{file.file}: {url} answered {error.code} {error.reason}."
                ) from error
        except (OSError, http.client.HTTPException) as error:
            if attempt + 1 == ATTEMPTS:
                reason = getattr(error, "reason", error)
                raise FetchError(
                    f"{file.file}: {url} cannot be fetched ({reason}); run again to resume."
                ) from error
        time.sleep(attempt)
    if _sha256(part) != file.sha256:
        part.unlink()
        raise FetchError(f"{file.file}: {url} is not the file of the table (its SHA-256 differs).")
    part.replace(final)
    return True


def _download(url: str, part: Path, size: int) -> None:
    """Append what is missing of a file to `part`."""
    start = part.stat().st_size if part.exists() else 0
    if start >= size > 0 and part.exists():
        return
    headers = {"User-Agent": "motif-corpus"} | ({"Range": f"bytes={start}-"} if start else {})
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
        resumed = start > 0 and reply.status == http.client.PARTIAL_CONTENT
        received = start if resumed else 0
        with part.open("ab" if resumed else "wb") as stream:
            while piece := reply.read(PIECE):
                received += len(piece)
                if received > size:
                    raise FetchError(f"{url} is larger than the {size} bytes of the table.")
                stream.write(piece)
    if received < size:
        raise http.client.IncompleteRead(b"", size - received)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch all files of a table; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path(os.environ.get("MOTIF_REAL_DATA", DEFAULT_FOLDER))
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    parser.add_argument("--table", type=Path, default=TABLE, help="table of files")
    parser.add_argument("--base-url", default=RAW_FILES, help="server of the raw files")
    options = parser.parse_args(arguments)
    counts = {"fetched": 0, "present": 0, "without public origin": 0, "failed": 0}
    for file in read_table(options.table):
        try:
            fetched = fetch(file, options.folder, options.base_url)
            counts["fetched" if fetched else "present"] += 1
        except FetchError as error:
            counts["failed" if file.repository else "without public origin"] += 1
            sys.stderr.write(f"{error}\n")
    summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    sys.stdout.write(f"{options.folder}: {summary}.\n")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
