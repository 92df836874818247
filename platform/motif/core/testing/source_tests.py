"""Conformance tests for any `motif.core.contracts.Source`.

Subclass `SourceTests` and give it a fixture ``lab`` that returns a `SourceLab`: what the
source reads from, where the tests add, change and remove assets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from motif.core.contracts import Changes, Source, SyncState
from motif.core.errors import ConfigError, MotifError, SourceError
from motif.core.records import Asset


class SourceLab(Protocol):
    """What a source reads from, as its owner changes it."""

    def source(self) -> Source:
        """A new source on the lab; the fixture closes it."""
        ...

    def unreachable(self) -> Source:
        """A source that cannot be reached."""
        ...

    def add(self, name: str, data: bytes, metadata: Mapping[str, Any]) -> str:
        """Add an asset with a raw file of that name; its native id."""
        ...

    def describe(self, native_id: str, metadata: Mapping[str, Any]) -> None:
        """Replace the metadata of an asset."""
        ...

    def rewrite(self, native_id: str, data: bytes) -> None:
        """Replace an asset's raw file by one of another size."""
        ...

    def swap(self, native_id: str, data: bytes) -> None:
        """Replace an asset's raw file by one of the same size, with the same modification time."""
        ...

    def remove(self, native_id: str) -> None: ...


class Memory:
    """What a workspace remembers of a source between two syncs."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.known: dict[str, SyncState] = {}
        self.cursor = ""

    def look(self, *, full: bool = False) -> tuple[Changes, list[Asset]]:
        changes = self.source.changes(self.known, self.cursor, full=full)
        return changes, list(changes.changed)

    def sync(self, *, full: bool = False) -> tuple[Changes, list[Asset]]:
        changes, assets = self.look(full=full)
        for asset in assets:
            self.known[asset.native_id] = SyncState(asset.fingerprint, asset.raw_fingerprint)
        for native_id in changes.deleted:
            del self.known[native_id]
        self.cursor = changes.cursor
        return changes, assets


class SourceTests:
    """What sync relies on, whatever the source."""

    @pytest.fixture
    def lab(self) -> SourceLab:
        raise pytest.UsageError("subclasses of SourceTests define the fixture `lab`")

    @pytest.fixture
    def memory(self, lab: SourceLab) -> Memory:
        return Memory(lab.source())

    def test_first_look_describes_everything(self, lab: SourceLab, memory: Memory) -> None:
        first = lab.add("a.ibw", b"alpha", {"material": "PbTiO3"})
        second = lab.add("b.ibw", b"beta+", {})
        changes, assets = memory.look()
        assert changes.seen == 2
        assert not changes.deleted
        assert {asset.native_id for asset in assets} == {first, second}
        described = next(asset for asset in assets if asset.native_id == first)
        assert described.metadata["material"] == "PbTiO3"
        assert described.size == 5
        assert described.file_name == "a.ibw"
        assert described.title
        assert described.fingerprint
        assert described.raw_fingerprint

    def test_second_look_finds_nothing(self, lab: SourceLab, memory: Memory) -> None:
        lab.add("a.ibw", b"alpha", {"n": 1})
        memory.sync()
        changes, assets = memory.look()
        assert (changes.seen, assets, list(changes.deleted)) == (1, [], [])

    def test_another_source_object_continues(self, lab: SourceLab, memory: Memory) -> None:
        lab.add("a.ibw", b"alpha", {"n": 1})
        memory.sync()
        memory.source = lab.source()
        assert memory.look()[1] == []

    def test_only_what_is_new_is_described(self, lab: SourceLab, memory: Memory) -> None:
        lab.add("a.ibw", b"alpha", {})
        memory.sync()
        new = lab.add("b.ibw", b"beta", {})
        changes, assets = memory.sync()
        assert changes.seen == 2
        assert [asset.native_id for asset in assets] == [new]

    def test_changed_metadata_leaves_the_raw_fingerprint(
        self, lab: SourceLab, memory: Memory
    ) -> None:
        changed = lab.add("a.ibw", b"alpha", {"n": 1})
        lab.add("b.ibw", b"beta", {"n": 1})
        memory.sync()
        before = memory.known[changed]
        lab.describe(changed, {"n": 2})
        (asset,) = memory.sync()[1]
        assert asset.native_id == changed
        assert asset.metadata["n"] == 2
        assert asset.fingerprint != before.fingerprint
        assert asset.raw_fingerprint == before.raw_fingerprint

    def test_changed_raw_data_change_both_fingerprints(
        self, lab: SourceLab, memory: Memory
    ) -> None:
        changed = lab.add("a.ibw", b"alpha", {})
        memory.sync()
        before = memory.known[changed]
        lab.rewrite(changed, b"alpha and more")
        (asset,) = memory.sync()[1]
        assert asset.size == len(b"alpha and more")
        assert asset.fingerprint != before.fingerprint
        assert asset.raw_fingerprint != before.raw_fingerprint

    def test_removed_assets_are_reported_once(self, lab: SourceLab, memory: Memory) -> None:
        gone = lab.add("a.ibw", b"alpha", {})
        lab.add("b.ibw", b"beta", {})
        memory.sync()
        lab.remove(gone)
        changes, assets = memory.sync()
        assert (changes.seen, assets, list(changes.deleted)) == (1, [], [gone])
        assert not memory.sync()[0].deleted

    def test_full_describes_what_looks_unchanged(
        self, lab: SourceLab, memory: Memory, tmp_path: Path
    ) -> None:
        native_id = lab.add("a.ibw", b"alpha", {})
        lab.add("b.ibw", b"beta", {})
        memory.sync()
        lab.swap(native_id, b"omega")
        assert memory.look()[1] == []
        assets = memory.sync(full=True)[1]
        assert len(assets) == 2
        assert fetched(memory.source, assets, tmp_path / "in")[native_id] == b"omega"
        assert memory.look()[1] == []

    def test_forgotten_assets_are_described_again(self, lab: SourceLab, memory: Memory) -> None:
        lab.add("a.ibw", b"alpha", {})
        memory.sync()
        memory.known.clear()
        assert len(memory.look()[1]) == 1

    @pytest.mark.parametrize("cursor", ["", "nonsense", "1 c/0 5", "\x00" * 9])
    def test_a_lost_or_foreign_cursor_loses_nothing(
        self, lab: SourceLab, memory: Memory, cursor: str
    ) -> None:
        native_id = lab.add("a.ibw", b"alpha", {"n": 1})
        memory.sync()
        lab.describe(native_id, {"n": 2})
        memory.cursor = cursor
        (asset,) = memory.look()[1]
        assert asset.metadata["n"] == 2

    def test_fetch_brings_the_bytes(self, lab: SourceLab, memory: Memory, tmp_path: Path) -> None:
        data = {
            lab.add(f"{i}.ibw", bytes([i]) * (i + 1), {}): bytes([i]) * (i + 1) for i in range(5)
        }
        assets = memory.look()[1]
        assert fetched(memory.source, assets, tmp_path / "in") == data

    def test_equal_names_and_bytes_are_distinguished(
        self, lab: SourceLab, memory: Memory, tmp_path: Path
    ) -> None:
        first = lab.add("one/scan.ibw", b"same", {})
        second = lab.add("two/scan.ibw", b"same", {})
        assert first != second
        assets = memory.look()[1]
        assert [asset.file_name for asset in assets] == ["scan.ibw", "scan.ibw"]
        paths = {path for _, path in memory.source.fetch(assets, tmp_path / "in")}
        assert len(paths) == 2

    def test_a_removed_asset_fails_alone(
        self, lab: SourceLab, memory: Memory, tmp_path: Path
    ) -> None:
        gone = lab.add("a.ibw", b"alpha", {})
        stays = lab.add("b.ibw", b"beta", {})
        assets = memory.look()[1]
        lab.remove(gone)
        results = {a.native_id: r for a, r in memory.source.fetch(assets, tmp_path / "in")}
        assert isinstance(results[gone], MotifError)
        assert str(results[gone])
        arrived = results[stays]
        assert isinstance(arrived, Path)
        assert arrived.read_bytes() == b"beta"

    def test_nothing_to_fetch(self, lab: SourceLab, memory: Memory, tmp_path: Path) -> None:
        assert list(memory.source.fetch([], tmp_path / "in")) == []

    def test_assets_are_plain_json(self, lab: SourceLab, memory: Memory) -> None:
        lab.add(
            "a.ibw", b"alpha", {"text": "<script>alert('µ')</script>", "deep": {"a": [1, None]}}
        )
        (asset,) = memory.look()[1]
        json.dumps([dict(asset.metadata), dict(asset.origin)], allow_nan=False)
        assert asset.metadata["text"] == "<script>alert('µ')</script>"
        assert asset.metadata["deep"] == {"a": [1, None]}

    def test_an_unreachable_source_is_reported(self, lab: SourceLab) -> None:
        source = lab.unreachable()
        with pytest.raises((SourceError, ConfigError)) as caught:
            list(source.changes({"d/1": SyncState("f", "r")}, "").changed)
        assert str(caught.value)

    def test_closing_twice_is_harmless(self, lab: SourceLab) -> None:
        source = lab.source()
        source.close()
        source.close()


def fetched(source: Source, assets: list[Asset], into: Path) -> dict[str, bytes]:
    """Bytes by native id of everything fetched; fails on the first error."""
    result = {}
    for asset, path in source.fetch(assets, into):
        assert isinstance(path, Path), path
        result[asset.native_id] = path.read_bytes()
    return result
