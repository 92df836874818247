"""Duplicates among a million channels, half of them spectra of libraries that are nearly equal."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from motif.core.catalog.content_signatures import content_signatures
from motif.core.catalog.duplicates import neighbours_statement
from motif.core.workspace import Workspace

pytestmark = pytest.mark.benchmark

COUNT = 1_000_000
LIBRARY_SPREAD = 3e-3
"""Spread of the signatures of spectra of one library."""
QUERIES = 200


def write_signatures(catalog: Path) -> None:
    rng = np.random.default_rng(0)
    signatures = np.clip(rng.normal(0, 0.15, (COUNT, 3)), -1, 1)
    similar = rng.normal([0.1, 0.2, 0.3], LIBRARY_SPREAD, (COUNT // 2, 3))
    signatures[::2] = similar
    kinds = ("spectrum", "image")
    forms = ("spectrum over 1/m", "256 x 256 pixels")
    with sqlite3.connect(catalog) as database:
        database.executemany(
            "INSERT INTO measurements VALUES (?,?,?,'c',?,'0','t',?,0,'{}','{}','{}',0,1,0)",
            ((n, f"{n:032x}", f"r{n // 50}", kinds[n % 2], f"a{n}") for n in range(COUNT)),
        )
        database.executemany(
            "INSERT INTO content_signatures VALUES (?,0,?,?,?,?)",
            ((n, forms[n % 2], *map(float, signatures[n])) for n in range(COUNT)),
        )
        database.execute("ANALYZE")


def test_candidates_among_a_million(tmp_path: Path, report: Callable[..., None]) -> None:
    with Workspace.init(tmp_path / "lab") as workspace:
        write_signatures(tmp_path / "lab" / "catalog.sqlite")
        for first, kind in ((0, "spectrum"), (1, "image")):
            seconds, candidates = [], 0
            with workspace.catalog.reading() as connection:
                for number in range(first, COUNT, COUNT // QUERIES):
                    started = time.process_time()
                    candidates += len(
                        connection.execute(neighbours_statement([f"{number:032x}"])).all()
                    )
                    seconds.append(time.process_time() - started)
            report(
                f"candidates of one {kind} among {COUNT:,} signatures",
                median_cpu_ms=round(1e3 * float(np.median(seconds)), 2),
                p95_cpu_ms=round(1e3 * float(np.quantile(seconds, 0.95)), 2),
                candidates=candidates / len(seconds),
            )
            assert np.median(seconds) < 0.05


def test_signatures_of_a_scan(report: Callable[..., None]) -> None:
    values = np.random.default_rng(1).normal(size=(4, 256, 256)).astype(np.float32)
    layout = {"dims": ["channel", "y", "x"]}
    started = time.process_time()
    for _ in range(100):
        assert len(content_signatures(layout, values, {})) == 4
    seconds = (time.process_time() - started) / 100
    report("signatures of 256x256x4", cpu_ms=round(1e3 * seconds, 2))
