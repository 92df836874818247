"""The table of request messages in the documentation, written from the dispatch table."""

from __future__ import annotations

from pathlib import Path

from motif.ingest.sandbox import handlers
from motif.ingest.sandbox.dispatch import TABLE, requests

BEGIN = "<!-- request messages: begin -->"
END = "<!-- request messages: end -->"

_NO_TOKENS = "There is no Globus here: transfers need no access token."
_NO_REPOSITORY_SERVER = "Between core and repository servers; here both are one."
REFUSED: dict[str, str] = {
    "UserSetAccessTokenRequest": _NO_TOKENS,
    "UserGetAccessTokenRequest": _NO_TOKENS,
    "UserCreateRequest": "Users are added with `motif sandbox user`.",
    "UserFindByUUIDsRequest": "Users have no Globus identities here.",
    "RecordAllocChangeRequest": "Only the web application moves records between repositories.",
    "RecordOwnerChangeRequest": "Only the web application moves records between owners.",
    "CollListPublishedRequest": "Only the web application browses the catalog.",
    "ProjectSearchRequest": "Only the web application searches projects.",
    "RepoDataDeleteRequest": _NO_REPOSITORY_SERVER,
    "RepoDataGetSizeRequest": _NO_REPOSITORY_SERVER,
    "RepoPathCreateRequest": _NO_REPOSITORY_SERVER,
    "RepoPathDeleteRequest": _NO_REPOSITORY_SERVER,
    "RepoCalcSizeRequest": "Only the web application shows these sums.",
    "RepoAuthzRequest": "Only the Globus server of a repository asks this.",
    "TopicListTopicsRequest": "Only the web application browses the catalog.",
    "TopicViewRequest": "Only the web application browses the catalog.",
    "TopicSearchRequest": "Only the web application browses the catalog.",
}
"""Request messages that are refused, and why; the client package sends none of them."""


def markdown() -> str:
    """Give the table, one row a request message of the protocol."""
    handlers.load()
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
