"""Temporary folders in a workspace's cache, and errors of a full disk."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from motif.core.errors import MotifError
from motif.core.records import Asset

RESERVE = 16 * 2**20
"""Bytes left free for the catalog and its log."""
FULL_DISK_CODES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FULL_DISK_PHRASES = (
    "no space left", "disk is full", "file too large", "quota exceeded", "disk i/o error",
)  # fmt: skip
"""How libraries that hide the error number describe a full disk."""


class DiskFullError(MotifError, OSError):
    """The disk has no room for more data; everything stored before is complete."""


@contextmanager
def scratch_folder(cache: Path, purpose: str) -> Iterator[Path]:
    """A temporary folder in the cache, named after this process; removed at the end.

    Folders that killed processes of this machine left behind are removed first.

    Args:
        cache: the workspace's cache, which a transfer endpoint may reach.
        purpose: first word of the folder's name: ``fetch``, ``upload`` or ``publish``.
    """
    prefix = f"{purpose}-{socket.gethostname()}-"
    # The whole name must match: another machine's name may begin with this machine's name.
    own_folder = re.compile(rf"{re.escape(prefix)}(\d+)-[^-]+")
    for path in cache.iterdir():
        match = own_folder.fullmatch(path.name)
        if match and not psutil.pid_exists(int(match[1])):
            shutil.rmtree(path, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{prefix}{os.getpid()}-", dir=cache, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def check_free_space(assets: Sequence[Asset], folder: Path) -> None:
    """Refuse to fetch raw data that do not fit on the disk.

    Raises:
        DiskFullError: these raw data need more than is free at `folder`.
    """
    needed = sum(asset.size for asset in assets)
    free = shutil.disk_usage(folder).free
    if needed and needed + RESERVE > free:
        raise DiskFullError(
            f"The disk of {folder.parent} has {free / 1e6:,.0f} MB left and the next "
            f"{len(assets)} files need {needed / 1e6:,.0f} MB; free some space and run the same "
            "command again."
        )


@contextmanager
def disk_full_as_error(root: Path) -> Iterator[None]:
    """Turn any library's error about a full disk into `DiskFullError`."""
    try:
        yield
    except MotifError:
        raise
    except Exception as error:
        if not is_disk_full(error):
            raise
        raise DiskFullError(
            f"The disk of workspace {root} is full ({_reason(error)}); free some space and run "
            "the same command again: everything stored before is complete."
        ) from error


def is_disk_full(error: BaseException) -> bool:
    """Whether an error means that a disk is full or a quota is used up."""
    if isinstance(error, OSError) and error.errno in FULL_DISK_CODES:
        return True
    return any(phrase in str(error).lower() for phrase in FULL_DISK_PHRASES)


def _reason(error: BaseException) -> str:
    lines = [line.strip(" |─►") for line in str(error).splitlines()]
    matching = [
        line for line in lines if any(phrase in line.lower() for phrase in FULL_DISK_PHRASES)
    ]
    return (matching or lines or [type(error).__name__])[0][:200]
