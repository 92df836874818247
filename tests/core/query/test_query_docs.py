"""The examples of docs/query.md work as the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import QueryError
from motif.core.query import parse
from motif.core.records import FacetValue
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

PAGE = (Path(__file__).parents[3] / "docs" / "query.md").read_text(encoding="utf-8")
KNOWN = {"scan_size": "m", "tip_voltage": "V", "Flatten Order 0": ""}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_python_blocks_run(workspace: Workspace) -> None:
    rows = fill(workspace, "pfm", {"scan": [image(np.zeros((3, 4, 4)))]})
    for code in blocks("python"):
        known = {"workspace": workspace, "ids": [row.id for row in rows]}
        exec(compile(code, "docs/query.md", "exec"), known)
    assert [row.id for row in workspace.select("pfm", 'label = "to repeat"')] == known["ids"]


def test_errors_are_as_shown() -> None:
    lines = blocks("")[1].splitlines()
    assert len(lines) == 8
    for query, answer in zip(lines[::2], lines[1::2], strict=True):
        with pytest.raises(QueryError) as caught:
            parse(query, known=KNOWN)
        assert answer == f"{' ' * caught.value.position}^  {caught.value}"


def test_queries_of_the_page_are_parsed() -> None:
    example = blocks("")[0].strip()
    facets: dict[str, FacetValue] = {
        "operator": "xu", "material": "PbTiO3", "scan_size": 2e-6, "acquired_at": "2020-01-01",
    }  # fmt: skip
    assert parse(example, known=KNOWN).matches(facets)
    cells = re.findall(r"^\| `([^`]+)`", PAGE, flags=re.MULTILINE)
    assert len(cells) == 10
    for query in cells:
        parse(query, known=KNOWN)
