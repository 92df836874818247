"""Direct searches."""

from __future__ import annotations

from motif.ingest.sandbox.dispatch import Call, handles
from motif.ingest.sandbox.paging import page
from motif.ingest.sandbox.protocol import Message
from motif.ingest.sandbox.searching import DEFAULT_COUNT
from motif.ingest.sandbox.searching import search as carry_out


@handles("SearchRequest")
def search(call: Call, request: Message) -> Message:
    """Records or collections by metadata expression, text, tags, times and other criteria."""
    return carry_out(call, request, *page(request, DEFAULT_COUNT))
