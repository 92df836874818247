"""The folder source."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from motif.core.contracts import Source
from motif.core.errors import ConfigError, SourceError
from motif.core.testing.source_tests import Memory, SourceTests
from motif.ingest.folder.folder_source import FolderSource, from_options


class FolderLab:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def source(self) -> Source:
        return FolderSource("lab", self.root)

    def unreachable(self) -> Source:
        return FolderSource("lab", self.root / "unmounted")

    def add(self, name: str, data: bytes, metadata: Mapping[str, Any]) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if metadata:
            self.describe(name, metadata)
        return name

    def describe(self, native_id: str, metadata: Mapping[str, Any]) -> None:
        sidecar = self.root / f"{native_id}.json"
        before = sidecar.stat().st_mtime_ns if sidecar.exists() else 0
        sidecar.write_text(json.dumps(metadata))
        os.utime(sidecar, ns=(before + 10**9, before + 10**9))

    def rewrite(self, native_id: str, data: bytes) -> None:
        (self.root / native_id).write_bytes(data)

    def swap(self, native_id: str, data: bytes) -> None:
        path = self.root / native_id
        stat = path.stat()
        path.write_bytes(data)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def remove(self, native_id: str) -> None:
        (self.root / native_id).unlink()
        (self.root / f"{native_id}.json").unlink(missing_ok=True)


@pytest.fixture
def lab(tmp_path: Path) -> FolderLab:
    return FolderLab(tmp_path / "lab")


class TestFolderContract(SourceTests):
    @pytest.fixture
    def lab(self, tmp_path: Path) -> FolderLab:
        return FolderLab(tmp_path / "lab")


def names(lab: FolderLab) -> list[str]:
    return [asset.native_id for asset in Memory(lab.source()).look()[1]]


def test_order_hidden_files_and_links(lab: FolderLab, tmp_path: Path) -> None:
    outside = tmp_path / "secret.ibw"
    outside.write_bytes(b"secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.ibw").write_bytes(b"x")
    for name in ("b/2.ibw", "b/10.ibw", "a.ibw", ".hidden.ibw", ".git/config", "z.ibw"):
        lab.add(name, b"data", {})
    (lab.root / "out.ibw").symlink_to(outside)
    (lab.root / "in.ibw").symlink_to(lab.root / "a.ibw")
    (lab.root / "dangling.ibw").symlink_to(lab.root / "nothing")
    (lab.root / "circle.ibw").symlink_to(lab.root / "circle.ibw")
    (lab.root / "folder").symlink_to(tmp_path / "elsewhere")
    (lab.root / "loop").symlink_to(lab.root)
    os.mkfifo(lab.root / "pipe")
    assert names(lab) == ["a.ibw", "b/10.ibw", "b/2.ibw", "in.ibw", "z.ibw"]


def test_a_link_changed_to_point_outside_is_not_fetched(lab: FolderLab, tmp_path: Path) -> None:
    lab.add("a.ibw", b"data", {})
    source = lab.source()
    assets = list(source.changes({}, "").changed)
    (tmp_path / "secret").write_bytes(b"secret")
    (lab.root / "a.ibw").unlink()
    (lab.root / "a.ibw").symlink_to(tmp_path / "secret")
    ((_, result),) = source.fetch(assets, tmp_path / "in")
    assert isinstance(result, SourceError)


def test_fetch_copies_nothing(lab: FolderLab, tmp_path: Path) -> None:
    lab.add("a.ibw", b"data", {})
    source = lab.source()
    ((_, path),) = source.fetch(list(source.changes({}, "").changed), tmp_path / "in")
    assert path == lab.root / "a.ibw"
    assert not (tmp_path / "in").exists()


def test_sidecars(lab: FolderLab) -> None:
    lab.add("a.ibw", b"data", {"bias": 1.5})
    lab.add("alone.json", b'{"not": "a sidecar"}', {})
    lab.add("broken.ibw", b"data", {})
    (lab.root / "broken.ibw.json").write_text('{"half": ')
    lab.add("list.ibw", b"data", {})
    (lab.root / "list.ibw.json").write_text("[1]")
    lab.add("odd.ibw", b"data", {})
    (lab.root / "odd.ibw.json").write_text('{"a": NaN, "b": 1e999, "c": -Infinity}')
    assets = {asset.native_id: asset for asset in lab.source().changes({}, "").changed}
    assert list(assets) == ["a.ibw", "alone.json", "broken.ibw", "list.ibw", "odd.ibw"]
    assert assets["a.ibw"].metadata == {"bias": 1.5}
    assert assets["broken.ibw"].metadata == {}
    assert "broken.ibw.json" in assets["broken.ibw"].origin["sidecar_error"]
    assert "list" in assets["list.ibw"].origin["sidecar_error"]
    assert assets["odd.ibw"].metadata == {
        "a": {"$float": "nan"},
        "b": {"$float": "inf"},
        "c": {"$float": "-inf"},
    }


def test_names_that_are_not_unicode(lab: FolderLab, tmp_path: Path) -> None:
    raw = os.path.join(os.fsencode(lab.root), b"caf\xe9.ibw")
    with open(raw, "wb") as file:
        file.write(b"data")
    source = lab.source()
    (asset,) = source.changes({}, "").changed
    assert asset.native_id == "caf\\xe9.ibw"
    asset.native_id.encode()
    ((_, path),) = source.fetch([asset], tmp_path)
    assert isinstance(path, Path)
    assert path.read_bytes() == b"data"


def test_an_unreadable_folder_is_not_an_empty_one(
    lab: FolderLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.add("sub/a.ibw", b"data", {})
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match="cannot be listed"):
        lab.source().changes({}, "")


def test_a_missing_folder_deletes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="mount it"):
        FolderSource("spm", tmp_path / "gone").changes({}, "")


def test_options(lab: FolderLab) -> None:
    lab.add("a.ibw", b"data", {})
    source = from_options("spm", {"path": "lab"}, lab.root.parent)
    assert source.name == "spm"
    assert source.changes({}, "").seen == 1
    with pytest.raises(ConfigError, match=r"Unknown key `pth` in \[sources.spm\]; did you mean"):
        from_options("spm", {"path": "lab", "pth": "x"}, lab.root)
    with pytest.raises(ConfigError, match="needs the key `path`"):
        from_options("spm", {}, lab.root)
