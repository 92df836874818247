"""Items and loops of a file in the Crystallographic Information Framework (STAR) syntax."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from motif.core.errors import UnreadableFileError

Loop = tuple[list[str], list[list[str]]]
_WORD = re.compile(r"""'((?:[^']|'(?=\S))*)'(?=\s|$)|"((?:[^"]|"(?=\S))*)"(?=\s|$)|(#.*)|(\S+)""")


def read_cif(path: Path, lines: Sequence[str]) -> tuple[list[tuple[str, str]], list[Loop]]:
    """Single items in file order, and loops as names with their rows.

    Raises:
        UnreadableFileError: a text field never ends, or a loop has a broken row.
    """
    items: list[tuple[str, str]] = []
    loops: list[Loop] = []
    name = ""
    names: list[str] | None = None
    values: list[str] = []

    def close() -> None:
        nonlocal names
        if names is not None:
            loops.append((names, _rows(path, names, values)))
            names, values[:] = None, []

    for text, plain in _tokens(path, lines):
        if plain and text.startswith("_"):
            if names is not None and not values:
                names.append(text)
                continue
            close()
            name = text
        elif plain and text.lower() == "loop_":
            close()
            names = []
        elif plain and text.lower().startswith("data_"):
            close()
        elif names is not None:
            values.append(text)
        elif name:
            items.append((name, text))
            name = ""
    close()
    return items, loops


def _rows(path: Path, names: Sequence[str], values: Sequence[str]) -> list[list[str]]:
    if not names or len(values) % len(names):
        raise UnreadableFileError(
            f"{path.name} is cut short or damaged: its table of {', '.join(names) or 'nothing'} "
            f"holds {len(values)} values; download it again"
        )
    return [list(values[i : i + len(names)]) for i in range(0, len(values), len(names))]


def _tokens(path: Path, lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield (text, whether it stands without quotes)."""
    field: list[str] | None = None
    for line in lines:
        if line.startswith(";"):
            if field is None:
                field = [line[1:]]
            else:
                yield "\n".join(field).strip(), False
                field = None
            continue
        if field is not None:
            field.append(line)
            continue
        for found in _WORD.finditer(line):
            single, double, comment, word = found.groups()
            if word is not None:
                yield word, True
            elif comment is None:
                yield single if single is not None else double, False
    if field is not None:
        raise UnreadableFileError(
            f"{path.name} ends within the text {field[0][:40]!r}; download it again"
        )
