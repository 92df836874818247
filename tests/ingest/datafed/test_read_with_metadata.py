"""What a record in DataFed says, where a file cannot say it itself."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from motif.core.workspace import Workspace
from motif.ingest.sync.source_sync import sync

if TYPE_CHECKING:
    from conftest import DataFedLab  # type: ignore[import-not-found]


@pytest.fixture
def workspace(lab: DataFedLab, tmp_path: Path) -> Iterator[Workspace]:
    root, keys = tmp_path / "w", lab.sandbox.folder
    Workspace.init(root).close()
    (root / "motif.toml").write_text(
        f'[sources.lab]\nkind = "datafed"\ncollection = "{lab.collection}"\ninto = "pfm"\n'
        f'host = "127.0.0.1"\nport = {lab.sandbox.port}\nendpoint = "motif#disk"\n'
        f'server_key = "{keys}/datafed-core-key.pub"\n'
        f'public_key = "{keys}/ann.pub"\nprivate_key = "{keys}/ann.priv"\n'
    )
    with Workspace.open(root) as opened:
        yield opened


def picture(kind: str) -> bytes:
    values = np.random.default_rng(1).integers(0, 255, (12, 11), np.uint8)
    made = io.BytesIO()
    Image.fromarray(values).save(made, kind)
    return made.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_picture_takes_its_scale_from_its_record(
    lab: DataFedLab, workspace: Workspace, kind: str
) -> None:
    metadata = {"pixel_size": {"value": 2, "unit": "nm"}, "material": "PbTiO3"}
    record = lab.add(f"a.{kind.lower()}", picture(kind), metadata)
    plain = lab.add(f"b.{kind.lower()}", picture(kind), {"material": "PbTiO3"})
    assert astuple(sync(workspace, "lab"))[:6] == (2, 2, 0, 0, 0, 0)
    rows = {row.record_id: row for row in workspace.select("pfm")}
    assert rows[f"lab:{record}"].pixel_size == pytest.approx(2e-9)
    assert rows[f"lab:{plain}"].pixel_size is None
    facets = workspace.catalog.facet_rows([rows[f"lab:{record}"].id])
    origins = {facet.name: facet.origin for facet in facets}
    assert origins["scan_size"] == "record metadata:pixel_size"
    assert origins["pixels"] == "header:pixels"
    lab.describe(plain, {"scan_size": "20 nm", "material": "BiFeO3"})
    assert astuple(sync(workspace, "lab"))[:6] == (2, 0, 1, 1, 0, 0)
    rows = {row.record_id: row for row in workspace.select("pfm")}
    assert rows[f"lab:{plain}"].pixel_size == pytest.approx(2e-9)
    assert workspace.facets([rows[f"lab:{plain}"].id])[rows[f"lab:{plain}"].id]["material"]
    assert astuple(sync(workspace, "lab"))[:6] == (2, 0, 0, 2, 0, 0)


def test_columns_without_a_heading_take_their_axis_from_the_record(
    lab: DataFedLab, workspace: Workspace
) -> None:
    text = "".join(f"{400 + n}\t{n * n}\n" for n in range(20)).encode()
    record = lab.add("spectrum.txt", text, {})
    assert astuple(sync(workspace, "lab"))[:6] == (1, 0, 0, 0, 0, 1)
    lab.describe(record, {"axis": "raman_shift", "axis_unit": "1/cm"})
    assert astuple(sync(workspace, "lab"))[:6] == (1, 1, 0, 0, 0, 0)
    (row,) = workspace.select("pfm")
    assert (row.kind, row.dims) == ("spectrum", ("raman_shift",))


def test_bytes_replaced_by_as_many_are_noticed_by_a_full_sync(
    lab: DataFedLab, workspace: Workspace
) -> None:
    """Neither times nor size of the record move: only a look at the bytes tells."""
    lines = ["# Raman shift (cm-1), Intensity (counts)"]
    one, two = (
        "\n".join([*lines, *(f"{400 + n} {level + n}" for n in range(20))]).encode()
        for level in (100, 200)
    )
    record = lab.add("a.txt", one, {})
    assert astuple(sync(workspace, "lab"))[:6] == (1, 1, 0, 0, 0, 0)
    (before,) = workspace.select("pfm")
    lab.swap(record, two)
    assert astuple(sync(workspace, "lab"))[:6] == (1, 0, 0, 1, 0, 0)
    assert astuple(sync(workspace, "lab", full=True))[:6] == (1, 0, 1, 0, 0, 0)
    (after,) = workspace.select("pfm")
    assert after.id != before.id
    assert float(workspace.read(after.id)[0]) == 200
