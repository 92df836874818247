"""One measurement in several formats, through ingest: linked, and each kept as it is."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from motif.core.catalog.duplicates import find_duplicates
from motif.core.workspace import Workspace
from motif.ingest.simulate.ibw_writer import write_ibw
from motif.ingest.sync.source_sync import sync

DATA = Path(os.environ.get("MOTIF_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "files").mkdir()
    Workspace.init(tmp_path / "lab").close()
    (tmp_path / "lab" / "motif.toml").write_text(
        f'[sources.all]\nkind = "folder"\npath = "{tmp_path / "files"}"\ninto = "all"\n'
    )
    with Workspace.open(tmp_path / "lab") as opened:
        yield opened


def links(workspace: Workspace) -> set[tuple[str, str, str]]:
    """Original, derivative and how they are related."""
    return {
        (other.record_id[4:], row.record_id[4:], other.relation)
        for row in workspace.select()
        for other in find_duplicates(workspace, [row.id]).get(row.id, [])
        if other.is_original
    }


def test_an_export_of_a_scan_is_its_derivative(workspace: Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    height = (1e-9 * rng.normal(size=(64, 48)).cumsum(1)).astype(np.float32)
    phase = rng.normal(90, 20, size=(64, 48)).astype(np.float32)
    planes = {"HeightRetrace": height, "PhaseRetrace": phase}
    write_ibw(tmp_path / "files" / "scan.ibw", planes, size=(2e-6, 2e-6), note=[("Key", "x")])
    head = b"Gwyddion Simple Field 1.0\nXRes = 48\nYRes = 64\nXReal = 2e-6\nYReal = 2e-6\n"
    head += b"XYUnits = m\nZUnits = m\nTitle = Topography\n"
    head += b"\0" * (4 - len(head) % 4)
    (tmp_path / "files" / "export.gsf").write_bytes(head + height[::-1].astype("<f4").tobytes())
    shutil.copy(tmp_path / "files" / "scan.ibw", tmp_path / "files" / "the same.ibw")
    assert sync(workspace, "all").new == 3
    assert links(workspace) == {
        ("scan.ibw", "export.gsf", "same values"),
        ("the same.ibw", "export.gsf", "same values"),
        ("scan.ibw", "the same.ibw", "same file"),
    }
    assert len(workspace.select()) == 3, "nothing is merged"


def test_real_files_of_one_measurement_are_linked(workspace: Workspace, tmp_path: Path) -> None:
    names = ("nCal_Qontor785_z005H12_100_1x3s", "GwiddionReader_chip", "Spectrum_532nm")
    files = [path for path in DATA.rglob("*") if path.name.startswith(names)]
    if len(files) != 6:
        pytest.skip(f"needs the real files under MOTIF_REAL_DATA ({DATA})")
    for path in files:
        shutil.copy(path, tmp_path / "files")
    (tmp_path / "files" / f"{names[0]}.txt.json").write_text(
        '{"axis": "raman_shift", "axis_unit": "cm^-1", "intensity_unit": "count"}'
    )
    assert sync(workspace, "all").quarantined == 0
    assert links(workspace) == {
        (f"{names[0]}.wdf", f"{names[0]}.txt", "same values"),
        (f"{names[0]}.wdf", f"{names[0]}.spc", "resampled"),
        (f"{names[0]}.txt", f"{names[0]}.spc", "resampled"),
        ("GwiddionReader_chip.gwy", "GwiddionReader_chip.gsf", "same values"),
    }
