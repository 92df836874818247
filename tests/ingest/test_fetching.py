"""The next batch is on its way while the present one is used; a failure of either loses nothing."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from motif.core.contracts import Changes, Known
from motif.core.errors import SourceError
from motif.core.records import Asset
from motif.core.workspace import Workspace
from motif.ingest.fetching import BATCH, WHAT, Fetched, batches
from motif.ingest.sync import Sync

WAIT = 20.0


def assets(count: int) -> list[Asset]:
    return [Asset(f"d/{n}", f"scan {n}", f"f{n}", f"r{n}", f"{n}.bin", 4) for n in range(count)]


class Slow:
    """A source whose every fetch is heard of, and may be told to fail or to hang."""

    name = "slow"

    def __init__(self, offered: Sequence[Asset]) -> None:
        self.offered = offered
        self.begun: list[str] = []
        self.threads: set[str] = set()
        self.started = [threading.Event() for _ in range(9)]
        self.fails_at = -1
        self.hangs_at = -1
        self.released = threading.Event()

    def changes(self, known: Mapping[str, Known], cursor: str, *, full: bool = False) -> Changes:
        return Changes(len(self.offered), iter(self.offered), [], "1")

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        number = len(self.begun)
        self.begun.append(assets[0].native_id if assets else "")
        self.threads.add(threading.current_thread().name)
        self.started[number].set()
        if number == self.fails_at:
            raise SourceError("The line is dead.")
        if number == self.hangs_at:
            self.released.wait(WAIT)
        for asset in assets:
            path = into / asset.native_id.replace("/", "-")
            path.write_bytes(b"\x05\0\0\0")
            yield asset, path

    def close(self) -> None:
        self.released.set()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[Slow], Generator[Fetched, None, None]]]:
    made: list[Generator[Fetched, None, None]] = []

    def give(source: Slow) -> Generator[Fetched, None, None]:
        made.append(batches(source, source.offered, lambda _: True, tmp_path))
        return made[-1]

    yield give
    for one in made:
        one.close()


def test_the_next_batch_comes_while_this_one_is_used(
    opened: Callable[[Slow], Generator[Fetched, None, None]], tmp_path: Path
) -> None:
    source = Slow(assets(3 * BATCH))
    coming = opened(source)
    first = next(coming)
    assert source.started[1].wait(WAIT), "the second is asked for before the first is done with"
    assert [asset.native_id for asset, _ in first.arrived] == [f"d/{n}" for n in range(BATCH)]
    files = [path for _, path in first.arrived if isinstance(path, Path)]
    assert all(path.is_file() for path in files)
    assert len(source.begun) == 2, "one batch ahead and no further"
    second = next(coming)
    assert not any(path.exists() for path in files), "only what is in use takes room on the disk"
    assert [a.native_id for a, _ in second.arrived] == [f"d/{n}" for n in range(BATCH, 2 * BATCH)]
    assert len(list(coming)) == 1
    assert source.threads == {"motif-fetch_0"}
    assert list(tmp_path.glob(f"{WHAT}-*")) == []


def test_what_came_before_a_failure_is_stored(tmp_path: Path) -> None:
    source = Slow(assets(2 * BATCH + 5))
    source.fails_at = 2
    with Workspace.init(tmp_path / "w") as workspace:
        with pytest.raises(SourceError, match="The line is dead"):
            Sync(workspace, source, "pfm").run()
        assert len(workspace.catalog.quarantined("slow")) == 2 * BATCH
        assert workspace.catalog.cursor("slow") == ""
        calm = Slow(source.offered)
        assert Sync(workspace, calm, "pfm").run().quarantined == 2 * BATCH + 5


def test_a_reader_that_breaks_down_does_not_wait_for_the_transfer_in_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Slow(assets(3 * BATCH))
    source.hangs_at = 1

    def broken(*_: object) -> None:
        assert source.started[1].wait(WAIT)
        raise RuntimeError("broken on purpose")

    with Workspace.init(tmp_path / "w") as workspace:
        monkeypatch.setattr("motif.ingest.sync.choose", broken)
        with pytest.raises(RuntimeError, match="broken on purpose"):
            Sync(workspace, source, "pfm").run()
        assert not source.released.is_set()
        assert list(workspace.cache.glob(f"{WHAT}-*")) == []
    source.close()
    for thread in threading.enumerate():
        if thread.name.startswith("motif-fetch"):
            thread.join(WAIT)
    assert len(source.begun) == 2, "nothing more is fetched"


def test_files_of_a_killed_process_are_removed(
    opened: Callable[[Slow], Generator[Fetched, None, None]], tmp_path: Path
) -> None:
    gone = 2**22 + 1  # beyond the largest process id there is
    left = tmp_path / f"{WHAT}-{socket.gethostname()}-{gone}-x"
    (left / "0").mkdir(parents=True)
    own = tmp_path / f"{WHAT}-{socket.gethostname()}-{os.getpid()}-y"
    elsewhere = tmp_path / f"{WHAT}-another-machine-{gone}-z"
    namesake = tmp_path / f"{WHAT}-{socket.gethostname()}-{gone}-{os.getpid()}-w"
    own.mkdir()
    elsewhere.mkdir()
    namesake.mkdir()
    next(opened(Slow(assets(1))))
    assert not left.exists()
    assert own.exists()
    assert elsewhere.exists()
    assert namesake.exists(), "a machine may be called as this one is, and a number more"
