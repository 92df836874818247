"""The documentation tells what the dispatch table does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from motif.ingest.sandbox.request_server.protocol import REFUSED
from motif.ingest.sandbox.request_server.request_dispatch import TABLE, requests
from motif.ingest.sandbox.request_server.request_table import replaced
from motif.ingest.sandbox.request_server.sandbox_server import Sandbox

DOCUMENT = Path(__file__).parents[3] / "docs" / "sandbox.md"


def test_each_request_is_handled_or_refused_with_a_reason() -> None:
    assert set(TABLE).isdisjoint(REFUSED)
    assert set(TABLE) | set(REFUSED) == set(requests())


def test_the_table_is_up_to_date() -> None:
    document = DOCUMENT.read_text()
    assert replaced(document) == document, (
        "docs/sandbox.md is out of date: call "
        "motif.ingest.sandbox.request_server.request_table.rewrite on it"
    )


def test_the_way_to_connect_works_as_written(sandbox: Sandbox) -> None:
    block = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(block.replace('"DIR"', repr(str(sandbox.folder))), names)
    assert names["api"].getAuthUser() == "u/ada"
    assert not (sandbox.folder / "datafed-client.ini").exists()
