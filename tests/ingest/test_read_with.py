"""Companion files and metadata count as part of a file where its reader uses them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from motif.core.contracts import READ_WITH, ReaderContext
from motif.core.workspace import Workspace
from motif.ingest.sync.source_sync import sync


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bench = tmp_path / "bench"
    bench.mkdir()
    return bench


@pytest.fixture
def workspace(tmp_path: Path, folder: Path) -> Iterator[Workspace]:
    Workspace.init(tmp_path / "lab").close()
    (tmp_path / "lab" / "motif.toml").write_text(
        f'[sources.bench]\nkind = "folder"\npath = "{folder}"\ninto = "bench"\n'
    )
    with Workspace.open(tmp_path / "lab") as opened:
        yield opened


def counts(workspace: Workspace, **options: bool) -> tuple[int, ...]:
    """(seen, new, updated, unchanged, deleted, quarantined) of one sync."""
    return astuple(sync(workspace, "bench", **options))[:6]


def picture(path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 255, (12, 11), np.uint8)
    Image.fromarray(values).save(path)


def later(path: Path, text: str) -> None:
    """Write text with a later modification time than any earlier write."""
    moment = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    after = max(moment, path.stat().st_mtime_ns) + 1_000_000_000
    os.utime(path, ns=(after, after))


def sizes(workspace: Workspace) -> list[float | None]:
    return [row.scan_size for row in workspace.select("bench")]


def test_a_picture_takes_its_scale_from_its_sidecar(workspace: Workspace, folder: Path) -> None:
    picture(folder / "a.png")
    assert counts(workspace) == (1, 1, 0, 0, 0, 0)
    assert sizes(workspace) == [None]
    later(folder / "a.png.json", json.dumps({"pixel_size": "2 nm"}))
    assert counts(workspace) == (1, 0, 1, 0, 0, 0)
    assert sizes(workspace) == [pytest.approx(20e-9)]
    (row,) = workspace.select("bench")
    assert row.pixel_size == pytest.approx(2e-9)
    facets = workspace.catalog.facet_rows([row.id])
    (scan_size,) = [facet for facet in facets if facet.name == "scan_size"]
    assert scan_size.origin == "record metadata:pixel_size"
    later(folder / "a.png.json", json.dumps({"pixel_size": "3 nm"}))
    assert counts(workspace) == (1, 0, 1, 0, 0, 0)
    assert sizes(workspace) == [pytest.approx(30e-9)]
    assert counts(workspace) == (1, 0, 0, 1, 0, 0)
    (folder / "a.png.json").unlink()
    assert counts(workspace) == (1, 0, 1, 0, 0, 0)
    assert sizes(workspace) == [None]
    workspace.reindex()
    assert counts(workspace) == (1, 0, 0, 1, 0, 0)


def spectrum(path: Path, level: float) -> None:
    lines = [f"{400 + n} {level + n}" for n in range(20)]
    later(path, "\n".join(["# Raman shift (cm-1), Intensity (counts)", *lines]))


def test_a_table_is_read_again_when_its_spectra_change(workspace: Workspace, folder: Path) -> None:
    rows = ["Bi,V,Fe,file", *(f"{50 - n},{50 - n},{2 * n},spectra/s{n}.txt" for n in range(3))]
    (folder / "library.csv").write_text("\n".join(rows))
    assert counts(workspace)[5] == 1, "the spectra are missing"
    (folder / "spectra").mkdir()
    for number in range(3):
        spectrum(folder / "spectra" / f"s{number}.txt", number)
    assert counts(workspace) == (4, 4, 0, 0, 0, 0), "they have arrived, so the table is read again"
    before = {row.key: row.id for row in samples(workspace)}
    assert len(before) == 3
    assert counts(workspace) == (4, 0, 0, 4, 0, 0)
    spectrum(folder / "spectra" / "s1.txt", 100)
    assert counts(workspace) == (4, 0, 2, 2, 0, 0), "the file itself, and the table"
    after = {row.key: row.id for row in samples(workspace)}
    assert [key for key in after if after[key] != before[key]] == [list(after)[1]]
    assert counts(workspace) == (4, 0, 0, 4, 0, 0)
    (folder / "spectra" / "s2.txt").unlink()
    assert counts(workspace) == (3, 0, 0, 2, 1, 1), "the table names a spectrum that is missing"
    entry = workspace.catalog.quarantined("bench")[0]
    assert set(entry.origin[READ_WITH]["files"]) >= {"spectra/s2.txt"}


def samples(workspace: Workspace) -> list:
    rows = [row for row in workspace.select("bench") if row.composition]
    return sorted(rows, key=lambda row: row.key)


def test_sidecars_in_a_member_of_a_federation(
    workspace: Workspace, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    picture(folder / "a.png")
    picture(other / "a.png")
    (workspace.root / "motif.toml").write_text(
        '[sources.all]\nkind = "federation"\ninto = "bench"\nmembers = ['
        f'{{name = "one", kind = "folder", path = "{folder}"}}, '
        f'{{name = "two", kind = "folder", path = "{other}"}}]\n'
    )
    with Workspace.open(workspace.root) as opened:
        assert astuple(sync(opened, "all"))[:6] == (2, 2, 0, 0, 0, 0)
        later(other / "a.png.json", json.dumps({"pixel_size": "2 nm"}))
        assert astuple(sync(opened, "all"))[:6] == (2, 0, 1, 1, 0, 0)
        scaled = {row.record_id: row.scan_size for row in opened.select("bench")}
        assert scaled["all:one/a.png"] is None
        assert scaled["all:two/a.png"] == pytest.approx(20e-9)


def test_a_file_no_reader_used_causes_no_reading(workspace: Workspace, folder: Path) -> None:
    spectrum(folder / "one.txt", 1)
    assert counts(workspace) == (1, 1, 0, 0, 0, 0)
    (folder / "notes.md").write_text("nothing to do with it")
    assert counts(workspace)[:4] == (2, 0, 0, 1)


def test_a_context_records_what_a_reader_uses(tmp_path: Path) -> None:
    own, other, third = tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "c.txt"
    context = ReaderContext(own, {"pixel_size": "1 nm"})
    assert context.document() == {}
    context.use_companion(own)
    assert context.document() == {}, "the file itself is not a companion"
    context.use_companion(other)
    assert context.document()[READ_WITH] == {"files": {"b.txt": ""}}
    assert context.metadata() == {"pixel_size": "1 nm"}
    companion = context.for_companion(other)
    assert companion.metadata() is None, "the record's metadata are not those of a companion"
    companion.use_companion(third)
    used = context.document()[READ_WITH]
    assert used["files"] == {"b.txt": "", "c.txt": ""}
    assert used["metadata"]


def test_a_file_without_a_record_has_no_metadata(tmp_path: Path) -> None:
    context = ReaderContext(tmp_path / "a.txt")
    assert context.metadata() is None
    assert context.document() == {}
