"""The components' own JavaScript and style sheets, as text."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def text(*names: str) -> str:
    """Contents of files beside this module, one after another."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)
