"""The labelled records of a JCAMP-DX file as blocks, each with its tables of data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from motif.core.errors import UnreadableFileError
from motif.ingest.readers.library_text import table_lines

DEPTH = 8
"""Blocks within blocks."""
LONGEST = 4000
"""Characters from which on the further lines of a record are passed over."""
TABLES = ("XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE")
_RECORD = re.compile(r"\s*##([^=]{0,80})=(.*)")


@dataclass
class Block:
    """One block: its records in file order and its tables."""

    records: list[tuple[str, str]] = field(default_factory=list)
    tables: list[dict[str, str]] = field(default_factory=list)
    lines: list[list[str]] = field(default_factory=list)
    """Data lines of each table."""
    blocks: list[Block] = field(default_factory=list)
    closed: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """First value of every label that is not empty, spelled without blanks and signs."""
        found: dict[str, str] = {}
        for key, value in self.records:
            if value:
                found.setdefault(label(key), value)
        return found


def label(key: str) -> str:
    """``Data Type``, ``DATA-TYPE`` and ``DATATYPE`` are one label."""
    return re.sub(r"[\s/_-]", "", key).upper()


def read_blocks(path: Path, raw: bytes) -> Block:
    """The outermost block; text before the first title is passed over.

    Raises:
        UnreadableFileError: blocks are nested too deep, or a compound file is cut short.
    """
    root = Block()
    open_blocks = [root]
    page: dict[str, str] = {}
    in_table = False
    for line in table_lines(raw):
        text = line.split("$$")[0]
        found = _RECORD.match(text)
        block = open_blocks[-1]
        if found is None:
            if in_table:
                block.lines[-1].append(text)
            elif block.records and text.strip() and len(block.records[-1][1]) < LONGEST:
                key, value = block.records[-1]
                block.records[-1] = (key, f"{value}\n{text.strip()}".strip())
            continue
        key, value, in_table = found[1].strip(), found[2].strip(), False
        name = label(key)
        if name == "TITLE":
            if len(open_blocks) > DEPTH:
                raise UnreadableFileError(
                    f"{path.name} nests more than {DEPTH} blocks; split it into single spectra"
                )
            block.blocks.append(Block())
            open_blocks.append(block.blocks[-1])
            block, page = open_blocks[-1], {}
        if len(open_blocks) == 1:
            continue
        if name == "END":
            open_blocks.pop().closed = True
        elif name in TABLES:
            block.tables.append({**page, "LABEL": name, "FORM": value})
            block.lines.append([])
            in_table = True
        elif name == "PAGE" or (name == "NPOINTS" and page):
            page[name] = value
            block.records.append((key, value))
        else:
            block.records.append((key, value))
    if not root.blocks:
        raise UnreadableFileError(f"{path.name} has no ##TITLE=, so it is no JCAMP-DX file")
    whole = root.blocks[0]
    if whole.blocks and not whole.closed:
        raise UnreadableFileError(
            f"{path.name} is a compound of {len(whole.blocks)} blocks without its ##END=, so it is "
            "cut short; fetch or copy the file again"
        )
    return root


def data_blocks(block: Block) -> list[Block]:
    """The blocks that hold tables, outermost first."""
    here = [block] if block.tables else []
    return here + [found for inner in block.blocks for found in data_blocks(inner)]
