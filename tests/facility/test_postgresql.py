"""A catalog in PostgreSQL answers as one in SQLite does, whatever the collation of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from motif.core.annotations.annotation_log import add_label, add_note
from motif.core.catalog import tables
from motif.core.catalog.database import Catalog
from motif.core.catalog.intake import Intake, NewRecord
from motif.core.errors import ConfigError
from motif.core.records import Asset, Facet, Reading
from motif.core.testing.fill_workspace import fill, image
from motif.core.workspace import Workspace

NAMES = ("ito", "Ito", "éva", "Éva", "_x", "x%", "", "zirconia", "10", "2019-05-17")
QUERIES = (
    'operator = "ito"', 'operator != "ito"', 'operator > "a"', 'operator <= "Ito"',
    'operator like "i%"', 'operator like "É%"', r'operator like "x\%"', 'operator like "_x"',
    'operator in ("ito", "éva")', 'operator not in ("ito", "éva")', 'operator between "A" and "i"',
    "operator >= 2019-05", "operator < 2020-01-01", "voltage = 2.5 V", "voltage > 2000 mV",
    "voltage != 1 V", "has voltage", "not has voltage", "good = true", "good != true",
    'text "ITO"', 'text "ÉV"', 'text "év"', 'text "x"', 'text "scan 3"', 'title like "image%"',
    'label = "to repeat"', "has label", 'text "WORN"', 'kind = "image" and voltage <= 3 V',
)  # fmt: skip


def scans() -> Mapping[str, Sequence[Any]]:
    return {
        f"scan {n}": [
            image(
                np.full((3, 4, 4), n),
                facets=[
                    Facet("operator", name, "header"),
                    Facet("good", n % 2 == 0, "header"),
                    *([Facet("voltage", float(n), "header", "V")] if n % 3 else []),
                ],
            )
        ]
        for n, name in enumerate(NAMES)
    }


def filled(root: Path, url: str | None) -> Workspace:
    root.mkdir()
    config = f'[catalog]\nurl = "{url}"\n' if url else ""
    (root / "motif.toml").write_text(config, encoding="utf-8")
    workspace = Workspace.init(root)
    rows = fill(workspace, "pfm", scans())
    add_label(workspace, [row.id for row in rows[:3]], "to repeat", "ito")
    add_note(workspace, [rows[4].id], "The tip was worn.", "ito")
    fill(workspace, "pfm", {"scan 3": [image(np.full((3, 4, 4), 77))]})
    return workspace


@pytest.fixture
def both(tmp_path: Path, database: str) -> Iterator[tuple[Workspace, Workspace]]:
    """The same lab with its catalog in PostgreSQL and in SQLite."""
    with (
        filled(tmp_path / "postgresql", database) as postgresql,
        filled(tmp_path / "sqlite", None) as sqlite,
    ):
        yield postgresql, sqlite


def test_every_query_has_the_same_answer(both: tuple[Workspace, Workspace]) -> None:
    postgresql, sqlite = both
    for query in QUERIES:
        expected = [row.id for row in sqlite.select("pfm", query)]
        assert [row.id for row in postgresql.select("pfm", query)] == expected, query
        columns = postgresql.columns("pfm")
        assert columns.first(columns.mask(query)) == expected, query


def test_contents_are_the_same_and_can_be_rebuilt(
    both: tuple[Workspace, Workspace],
) -> None:
    postgresql, sqlite = both
    assert postgresql.counts() == sqlite.counts()
    ids = [row.id for row in sqlite.select()]
    assert postgresql.facets(ids) == sqlite.facets(ids)
    numbers = numbered(postgresql)
    assert numbers == numbered(sqlite)
    postgresql.reindex()
    assert numbered(postgresql) == numbers, "links to a moment name measurements by these"
    assert postgresql.facets(ids) == sqlite.facets(ids)
    assert [row.id for row in postgresql.select("pfm", "has label")] == [
        row.id for row in sqlite.select("pfm", "has label")
    ]


def numbered(workspace: Workspace) -> dict[str, int]:
    """Number of each measurement, live or not."""
    table = tables.measurements
    with workspace.catalog.reading() as connection:
        rows = connection.execute(select(table.c.id, table.c.number))
        return {row.id: row.number for row in rows}


def test_a_file_of_gigabytes_is_recorded(tmp_path: Path, database: str) -> None:
    tmp_path.joinpath("motif.toml").write_text(f'[catalog]\nurl = "{database}"\n')
    with Workspace.init(tmp_path) as workspace:
        asset = Asset("map", "map", "1", "1", "map.h5")
        new = NewRecord(asset, Reading((), ()), "test", 1, "0" * 64, 5 * 2**30)
        Intake(workspace, "test", "pfm", workspace.mapper()).commit([new], (), ())
        assert workspace.record("test:map").raw_size == 5 * 2**30


def test_a_null_character_does_not_stop_the_journal(tmp_path: Path, database: str) -> None:
    tmp_path.joinpath("motif.toml").write_text(f'[catalog]\nurl = "{database}"\n')
    with Workspace.init(tmp_path) as workspace:
        torn = image(np.zeros((3, 4, 4)), facets=[Facet("material", "PTO\0", "header")])
        fill(workspace, "pfm", {"scan": [torn]}, {"scan": {"comment": "film\0 A"}})
        assert len(workspace.select("pfm", 'material = "PTO" and text "film A"')) == 1


def test_an_invalid_address_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"catalog\.url is not an address"):
        Catalog("no such thing")
