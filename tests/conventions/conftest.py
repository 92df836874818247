"""The source tree as the tests of its conventions see it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AREAS = ("platform", "ingest", "analysis", "dashboard")


@dataclass(frozen=True)
class Module:
    """One Python module of the shipped code."""

    path: Path
    name: str

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def basename(self) -> str:
        return self.name.rpartition(".")[2]


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    found = []
    for area in AREAS:
        for path in sorted((ROOT / area / "motif").rglob("*.py")):
            name = ".".join(path.relative_to(ROOT / area).with_suffix("").parts)
            found.append(Module(path, name.removesuffix(".__init__")))
    return found
