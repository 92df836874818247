"""Filters and counts over a million measurements: by SQL, and by columns.

The catalog is written with plain inserts; it has no store.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, insert, select

from motif.core.catalog import journal, tables
from motif.core.catalog.database import Catalog, sqlite_url
from motif.core.columns.facet_columns import FacetColumns, open_columns
from motif.core.records import content_id

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

COUNT = int(os.environ.get("MOTIF_BENCH_MEASUREMENTS", "1000000"))
AT_ONCE = 20_000
COLLECTION = "spm"
FILTER = (
    'material in ("material 1", "material 2", "material 3") and scan_size <= 10 um'
    " and acquired_at >= 2019-01-01"
)
BROAD = 'mode = "PFM" and scan_size > 5 um and simulated = false'
CATEGORIES = {"operator": 40, "material": 60, "substrate": 12, "instrument": 6, "mode": 5,
              "purpose": 25, "technique": 3}  # fmt: skip
WORDS = {"mode": ("PFM", "AFM", "KPFM", "cAFM", "MFM")}
NUMBERS = {"scan_size": "m", "temperature": "K", "tip_voltage": "V"}
LAYOUT = {"dims": ["channel", "y", "x"], "shape": [4, 256, 256], "channels": ["h", "a", "d", "p"],
          "units": ["m", "m", "m", "rad"], "coordinates": {}}  # fmt: skip

OPENING = """
import json, sys, time
from pathlib import Path
from motif.core.catalog.database import Catalog
from motif.core.columns.facet_columns import open_columns
catalog = Catalog(sys.argv[1])
started = time.perf_counter()
columns = open_columns(catalog, Path(sys.argv[2]), sys.argv[3])
opened = time.perf_counter()
mask = columns.mask(sys.argv[4])
first, count = columns.first(mask, 50), int(mask.sum())
print(json.dumps([opened - started, time.perf_counter() - opened, len(columns), count]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("million")
    yield root
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.fixture(scope="module")
def catalog(folder: Path) -> Iterator[Catalog]:
    million = Catalog(sqlite_url(folder / "catalog.sqlite"))
    million.create()
    generator = np.random.default_rng(1)
    for start in range(0, COUNT, AT_ONCE):
        write(million, generator, start, min(AT_ONCE, COUNT - start))
    with million.engine.begin() as connection:
        connection.execute(insert(tables.state).values(key="journal", value="1"))
        names = tables.facets.c
        connection.execute(
            insert(tables.facet_names).from_select(
                ["name", "unit", "is_number", "facets"],
                select(names.name, names.unit, names.number.is_not(None), func.count()).group_by(
                    names.name, names.unit, names.number.is_not(None)
                ),
            )
        )
    yield million
    million.close()


def write(catalog: Catalog, generator: np.random.Generator, start: int, count: int) -> None:
    numbers = range(start + 1, start + count + 1)
    measurements = [
        {
            "number": number, "id": content_id(str(number)), "record_id": f"src:{number}",
            "collection": COLLECTION, "kind": "image" if number % 4 else "spectrum", "key": "0",
            "title": f"Scan {number}", "array": "a", "row": number, "layout": LAYOUT,
            "composition": {}, "targets": {}, "simulated": False, "live": True, "changed": 0,
        }
        for number in numbers
    ]  # fmt: skip
    facets: list[tuple[int, str, str | None, float | None, str]] = []
    for name, size in CATEGORIES.items():
        words = WORDS.get(name) or tuple(f"{name} {code}" for code in range(size))
        chosen = generator.integers(0, size, count).tolist()
        facets += [(n, name, words[c], None, "") for n, c in zip(numbers, chosen, strict=True)]
    for name, unit in NUMBERS.items():
        values = generator.uniform(1e-7, 2e-5, count).tolist()
        facets += [(n, name, None, v, unit) for n, v in zip(numbers, values, strict=True)]
    flags = (generator.random(count) < 0.1).astype(float).tolist()
    facets += [(n, "simulated", None, v, "bool") for n, v in zip(numbers, flags, strict=True)]
    seconds = generator.integers(1_300_000_000, 1_700_000_000, count)
    dates = np.char.add(seconds.astype("datetime64[s]").astype(str), "Z").tolist()
    facets += [(n, "acquired_at", d, None, "") for n, d in zip(numbers, dates, strict=True)]
    rows = [
        {"measurement": n, "name": name, "text": text, "number": value, "unit": unit,
         "origin": "header:Setting"}
        for n, name, text, value, unit in sorted(facets)
    ]  # fmt: skip
    with catalog.engine.begin() as connection:
        connection.execute(insert(tables.measurements), measurements)
        connection.execute(insert(tables.facets), rows)


@pytest.fixture(scope="module")
def columns(catalog: Catalog, folder: Path) -> FacetColumns:
    return open_columns(catalog, folder / "columns", COLLECTION)


def seconds(work: Callable[[], Any], trials: int = 3) -> float:
    best = float("inf")
    for _ in range(trials):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return round(best, 3)


def counted_by_sql(catalog: Catalog, where: str) -> int:
    table = tables.measurements
    statement = (
        select(func.count())
        .select_from(table)
        .where(table.c.live, table.c.collection == COLLECTION, catalog.condition(where))
    )
    with catalog.reading() as connection:
        return int(connection.execute(statement).scalar_one())


def first_by_sql(catalog: Catalog, where: str) -> list[str]:
    table = tables.measurements
    statement = (
        select(table.c.id)
        .where(table.c.live, table.c.collection == COLLECTION, catalog.condition(where))
        .order_by(table.c.id)
        .limit(50)
    )
    with catalog.reading() as connection:
        return list(connection.scalars(statement))


def facets_by_sql(catalog: Catalog, where: str) -> dict[str, dict[str, int]]:
    table, facets = tables.measurements, tables.facets
    counts: dict[str, dict[str, int]] = {}
    with catalog.reading() as connection:
        for name in CATEGORIES:
            statement = (
                select(facets.c.text, func.count())
                .join(table, table.c.number == facets.c.measurement)
                .where(facets.c.name == name, table.c.live, table.c.collection == COLLECTION)
                .where(catalog.condition(where))
                .group_by(facets.c.text)
            )
            counts[name] = {row[0]: row[1] for row in connection.execute(statement)}
    return counts


def test_filters(catalog: Catalog, columns: FacetColumns, report: Callable[..., None]) -> None:
    for what, where in (("three narrow terms", FILTER), ("three broad terms", BROAD)):

        def filtered(where: str = where) -> tuple[int, list[str]]:
            mask = columns.mask(where)
            return int(mask.sum()), columns.first(mask, 50)

        matching, ids = filtered()
        assert matching == counted_by_sql(catalog, where) > 0
        assert ids == first_by_sql(catalog, where)
        took = seconds(filtered)
        report(
            what, measurements=len(columns), matching=matching, columns_s=took,
            sql_count_s=seconds(partial(counted_by_sql, catalog, where), 2),
            sql_first_50_s=seconds(partial(first_by_sql, catalog, where), 2),
        )  # fmt: skip
        assert took <= 0.3


def test_facet_counts(catalog: Catalog, columns: FacetColumns, report: Callable[..., None]) -> None:
    def counts() -> dict[str, dict[str, int]]:
        mask = columns.mask(BROAD)
        return {name: columns.counts(name, mask) for name in CATEGORIES}

    assert counts() == facets_by_sql(catalog, BROAD)
    took = seconds(counts)
    everything = seconds(lambda: {name: columns.counts(name) for name in CATEGORIES})
    histograms = seconds(
        lambda: [columns.histogram(n, columns.mask(BROAD)) for n in (*NUMBERS, "acquired_at")]
    )
    report(
        "facet counts", facets=len(CATEGORIES), under_a_filter_s=took, without_s=everything,
        sql_under_a_filter_s=seconds(lambda: facets_by_sql(catalog, BROAD), 1),
        four_histograms_s=histograms,
    )  # fmt: skip
    assert took <= 0.5


def test_opening_in_another_process(
    catalog: Catalog, columns: FacetColumns, folder: Path, report: Callable[..., None]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPENING, str(catalog.engine.url), str(folder / "columns"),
         COLLECTION, FILTER],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    opened, first_filter, count, matching = json.loads(done.stdout)
    assert (count, matching) == (len(columns), counted_by_sql(catalog, FILTER))
    report(
        "columns in a fresh process", open_s=round(opened, 3), first_filter_s=round(first_filter, 3)
    )
    assert opened <= 0.5


def test_reading_and_updating(
    catalog: Catalog, columns: FacetColumns, folder: Path, report: Callable[..., None]
) -> None:
    read = seconds(lambda: open_columns(catalog, folder / "reread", COLLECTION), 1)
    line: dict[str, Any] = {
        "what": "sync", "source": "src", "at": "2024-01-01T00:00:00Z", "quarantined": [],
        "records": [], "deleted": [], "cursor": None,
    }  # fmt: skip
    table = tables.measurements
    with catalog.engine.begin() as connection:
        connection.execute(table.update().where(table.c.number <= 64).values(live=False, changed=1))
    journal.apply(catalog, 1, line)
    started = time.perf_counter()
    later = open_columns(catalog, folder / "columns", COLLECTION, columns)
    updated = time.perf_counter() - started
    assert len(later) == len(columns) - 64
    size = sum(path.stat().st_size for path in (folder / "columns").iterdir())
    database = (folder / "catalog.sqlite").stat().st_size
    report(
        "columns", read_s=read, updated_after_64_s=round(updated, 3), file_MB=round(size / 1e6),
        catalog_MB=round(database / 1e6), names_s=seconds(catalog.facet_units),
        unchanged_s=seconds(lambda: open_columns(catalog, folder / "columns", COLLECTION, later)),
    )  # fmt: skip
