"""Quarantine in words: what is wrong with a file, who tried it, and what can be done."""

from __future__ import annotations

import json
import shlex
import shutil
import textwrap
from collections.abc import Sequence

from motif.core.catalog import Quarantined
from motif.ingest.failures import UNFETCHED


def list_text(entries: Sequence[Quarantined]) -> str:
    """Each file with its reason, in the width of the terminal."""
    if not entries:
        return "Nothing is in quarantine."
    lines = []
    for entry in entries:
        lines.append(f"{entry.source}  {entry.native_id}")
        lines += _wrapped(f"{entry.reason}.")
        lines += _wrapped(f"(since {_when(entry)})")
    many = "1 file" if len(entries) == 1 else f"{len(entries)} files"
    lines.append(f"{many}; see one whole with motif quarantine show SOURCE ID.")
    return "\n".join(lines)


def entry_text(entry: Quarantined) -> str:
    """All that is known of a file, and what can be done."""
    asked = [one.replace("/", " version ") for one in entry.readers.split()]
    took = entry.reader.replace("/", " version ")
    if entry.readers == UNFETCHED:
        tried = "none, for the file could not be fetched"
    elif took:
        tried = f"{took} took it and failed; {len(asked) - 1} others do not know it"
    else:
        tried = f"none of {len(asked)} knows it: {', '.join(asked)}"
    place = f"{entry.source} {shlex.quote(entry.native_id)}"
    told = {
        "reason": f"{entry.reason}.",
        "since": _when(entry),
        "readers": tried,
        "first bytes": entry.first_bytes or "none",
        "as text": printable(entry) or "none",
        "record": json.dumps(entry.metadata, ensure_ascii=False) if entry.metadata else "",
        "from": str(entry.origin.get("path", "")),
        "next": (
            "it is read again by itself when its file changes or a reader has learnt more; "
            f"try it now with motif quarantine retry {place}, or keep its record without data "
            f"with motif quarantine release {place}"
        ),
    }
    lines = [f"{entry.source}  {entry.native_id}"]
    for name, words in told.items():
        if words:
            first, *rest = _wrapped(words, 14)
            lines += [f"  {name:12}{first[14:]}", *rest]
    return "\n".join(lines)


def _when(entry: Quarantined) -> str:
    often = (
        "once" if entry.attempts == 1 else f"{entry.attempts} times, last {_day(entry.last_seen)}"
    )
    return f"{_day(entry.first_seen)}, tried {often}"


def _day(moment: str) -> str:
    return moment[:16].replace("T", " ") + " UTC"


def _wrapped(text: str, indent: int = 4) -> list[str]:
    width = max(40, shutil.get_terminal_size().columns)
    margin = " " * indent
    return textwrap.wrap(
        text, width, initial_indent=margin, subsequent_indent=margin,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def printable(entry: Quarantined) -> str:
    """The first bytes as text; a dot for what is no ASCII letter."""
    first = bytes.fromhex(entry.first_bytes.replace(" ", ""))
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in first)
