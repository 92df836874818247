"""What the pages on search and maps show runs, and they name every command of maps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from motif.analysis.map_commands import app

PAGES = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["search.md", "maps.md"])
def test_the_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (PAGES / page).read_text("utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), {})


def test_every_command_of_maps_is_described() -> None:
    page = (PAGES / "maps.md").read_text("utf-8")
    names = [
        one.name or (one.callback.__name__ if one.callback else "")
        for one in app.registered_commands
    ]
    assert len(names) >= 9
    assert [name for name in names if f"motif maps {name}" not in page] == []
