"""Pages of lists."""

from __future__ import annotations

from motif.ingest.sandbox.protocol import Message

DEFAULT_COUNT = 20


def page(request: Message, default: int = DEFAULT_COUNT) -> tuple[int, int]:
    """Give offset and count that `request` asks for."""
    count = request.count if request.HasField("count") else default
    offset = request.offset if request.HasField("offset") else 0
    return offset, count
