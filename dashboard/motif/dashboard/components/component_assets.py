"""JavaScript and style sheets of the components, as text."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def text(*names: str) -> str:
    """Contents of files below the folder of components, such as ``"map_view/map.js"``, joined."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)
