"""A disk without room: said in one sentence, before anything is half done where possible."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from motif.core.errors import MotifError
from motif.core.records import Asset

RESERVE = 16 * 2**20
"""Bytes left free for the catalog and its log."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_TOLD = ("no space left", "disk is full", "file too large", "quota exceeded", "disk i/o error")


class DiskFullError(MotifError, OSError):
    """There is no room for more; what was stored before is complete."""


def room_for(assets: Sequence[Asset], folder: Path) -> None:
    """Refuse to begin what cannot end for lack of room.

    Raises:
        DiskFullError: these raw data need more than is free at `folder`.
    """
    needed = sum(asset.size for asset in assets)
    free = shutil.disk_usage(folder).free
    if needed and needed + RESERVE > free:
        raise DiskFullError(
            f"The disk of {folder.parent} has {free / 1e6:,.0f} MB left and the next "
            f"{len(assets)} files need {needed / 1e6:,.0f} MB; make room and run the same again."
        )


@contextmanager
def telling_of_a_full_disk(root: Path) -> Iterator[None]:
    """Turn whatever a full disk makes libraries say into `DiskFullError`."""
    try:
        yield
    except MotifError:
        raise
    except Exception as error:
        if not _is_lack_of_room(error):
            raise
        raise DiskFullError(
            f"The disk of workspace {root} is full ({_first_line(error)}); make room and run the "
            "same again: everything stored before is complete."
        ) from error


def _is_lack_of_room(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return True
    return any(words in str(error).lower() for words in _TOLD)


def _first_line(error: BaseException) -> str:
    lines = [line.strip(" |─►") for line in str(error).splitlines()]
    told = [line for line in lines if any(words in line.lower() for words in _TOLD)]
    return (told or lines or [type(error).__name__])[0][:200]
