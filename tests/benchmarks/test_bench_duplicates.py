"""Duplicates among a million channels, half of them spectra of libraries that are nearly alike."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from motif.core.duplicates import _near
from motif.core.outlines import outlines
from motif.core.workspace import Workspace

pytestmark = pytest.mark.benchmark

COUNT = 1_000_000
LIBRARY_SPREAD = 3e-3
"""Spread of the outlines of spectra of one library."""
ASKED = 200


def write_outlines(catalog: Path) -> None:
    rng = np.random.default_rng(0)
    outline = np.clip(rng.normal(0, 0.15, (COUNT, 3)), -1, 1)
    alike = rng.normal([0.1, 0.2, 0.3], LIBRARY_SPREAD, (COUNT // 2, 3))
    outline[::2] = alike
    kinds = ("spectrum", "image")
    forms = ("spectrum over 1/m", "256 x 256 pixels")
    with sqlite3.connect(catalog) as database:
        database.executemany(
            "INSERT INTO measurements VALUES (?,?,?,'c',?,'0','t',?,0,'{}','{}','{}',0,1,0)",
            ((n, f"{n:032x}", f"r{n // 50}", kinds[n % 2], f"a{n}") for n in range(COUNT)),
        )
        database.executemany(
            "INSERT INTO outlines VALUES (?,0,?,?,?,?)",
            ((n, forms[n % 2], *map(float, outline[n])) for n in range(COUNT)),
        )
        database.execute("ANALYZE")


def test_candidates_among_a_million(tmp_path: Path, report: Callable[..., None]) -> None:
    with Workspace.init(tmp_path / "lab") as workspace:
        write_outlines(tmp_path / "lab" / "catalog.sqlite")
        for first, kind in ((0, "spectrum"), (1, "image")):
            seconds, found = [], 0
            with workspace.catalog.reading() as connection:
                for number in range(first, COUNT, COUNT // ASKED):
                    started = time.process_time()
                    found += len(connection.execute(_near([f"{number:032x}"])).all())
                    seconds.append(time.process_time() - started)
            report(
                f"candidates of one {kind} among {COUNT:,} outlines",
                median_cpu_ms=round(1e3 * float(np.median(seconds)), 2),
                p95_cpu_ms=round(1e3 * float(np.quantile(seconds, 0.95)), 2),
                candidates=found / len(seconds),
            )
            assert np.median(seconds) < 0.05


def test_outlines_of_a_scan(report: Callable[..., None]) -> None:
    values = np.random.default_rng(1).normal(size=(4, 256, 256)).astype(np.float32)
    layout = {"dims": ["channel", "y", "x"]}
    started = time.process_time()
    for _ in range(100):
        assert len(outlines(layout, values, {})) == 4
    seconds = (time.process_time() - started) / 100
    report("outlines of 256x256x4", cpu_ms=round(1e3 * seconds, 2))
