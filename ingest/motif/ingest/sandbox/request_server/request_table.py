"""The table of request messages in the documentation, written from the dispatch table."""

from __future__ import annotations

from pathlib import Path

import motif.ingest.sandbox.request_server.request_service  # noqa: F401
from motif.ingest.sandbox.request_server.protocol import REFUSED
from motif.ingest.sandbox.request_server.request_dispatch import TABLE, requests

BEGIN = "<!-- request messages: begin -->"
END = "<!-- request messages: end -->"


def markdown() -> str:
    """Give the table, one row a request message of the protocol."""
    lines = ["| Request | | What it does, or why it is refused |", "|---|---|---|"]
    for name in requests():
        entry = TABLE.get(name)
        state = "handled" if entry else "refused"
        lines.append(f"| `{name}` | {state} | {entry.summary if entry else REFUSED[name]} |")
    return "\n".join(lines)


def replaced(document: str) -> str:
    """Give `document` with the present table between its markers."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{markdown()}\n{END}{after}"


def rewrite(path: Path) -> None:
    """Bring the table in the document at `path` up to date."""
    path.write_text(replaced(path.read_text()))
