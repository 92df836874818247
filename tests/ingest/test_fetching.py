"""The next batch is fetched while this one is used; a failure of either loses nothing."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from motif.core.contracts import Changes, SyncState
from motif.core.errors import SourceError
from motif.core.records import Asset
from motif.core.workspace import Workspace
from motif.ingest.sync.fetching import BATCH, PURPOSE, FetchedBatch, fetch_batches
from motif.ingest.sync.source_sync import SourceSync

WAIT = 20.0


def assets(count: int) -> list[Asset]:
    return [Asset(f"d/{n}", f"scan {n}", f"f{n}", f"r{n}", f"{n}.bin", 4) for n in range(count)]


class SlowSource:
    """A source that records every fetch and can be made to fail or to hang."""

    name = "slow"

    def __init__(self, offered: Sequence[Asset]) -> None:
        self.offered = offered
        self.fetches: list[str] = []
        self.threads: set[str] = set()
        self.started = [threading.Event() for _ in range(9)]
        self.fails_at = -1
        self.hangs_at = -1
        self.released = threading.Event()

    def changes(
        self, known: Mapping[str, SyncState], cursor: str, *, full: bool = False
    ) -> Changes:
        return Changes(len(self.offered), iter(self.offered), [], "1")

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        number = len(self.fetches)
        self.fetches.append(assets[0].native_id if assets else "")
        self.threads.add(threading.current_thread().name)
        self.started[number].set()
        if number == self.fails_at:
            raise SourceError("The server is away.")
        if number == self.hangs_at:
            self.released.wait(WAIT)
        for asset in assets:
            path = into / asset.native_id.replace("/", "-")
            path.write_bytes(b"\x05\0\0\0")
            yield asset, path

    def close(self) -> None:
        self.released.set()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[SlowSource], Generator[FetchedBatch, None, None]]]:
    opened_batches: list[Generator[FetchedBatch, None, None]] = []

    def open_batches(source: SlowSource) -> Generator[FetchedBatch, None, None]:
        opened_batches.append(fetch_batches(source, source.offered, lambda _: True, tmp_path))
        return opened_batches[-1]

    yield open_batches
    for batches in opened_batches:
        batches.close()


def test_the_next_batch_is_fetched_while_this_one_is_used(
    opened: Callable[[SlowSource], Generator[FetchedBatch, None, None]], tmp_path: Path
) -> None:
    source = SlowSource(assets(3 * BATCH))
    coming = opened(source)
    first = next(coming)
    assert source.started[1].wait(WAIT), "the second is fetched while the first is in use"
    assert [asset.native_id for asset, _ in first.fetched] == [f"d/{n}" for n in range(BATCH)]
    files = [path for _, path in first.fetched if isinstance(path, Path)]
    assert all(path.is_file() for path in files)
    assert len(source.fetches) == 2, "one batch ahead and no further"
    second = next(coming)
    assert not any(path.exists() for path in files), "only files in use take space on the disk"
    assert [a.native_id for a, _ in second.fetched] == [f"d/{n}" for n in range(BATCH, 2 * BATCH)]
    assert len(list(coming)) == 1
    assert source.threads == {"motif-fetch_0"}
    assert list(tmp_path.glob(f"{PURPOSE}-*")) == []


def test_batches_before_a_failure_are_stored(tmp_path: Path) -> None:
    source = SlowSource(assets(2 * BATCH + 5))
    source.fails_at = 2
    with Workspace.init(tmp_path / "w") as workspace:
        with pytest.raises(SourceError, match="The server is away"):
            SourceSync(workspace, source, "pfm").run()
        assert len(workspace.catalog.quarantined("slow")) == 2 * BATCH
        assert workspace.catalog.cursor("slow") == ""
        working = SlowSource(source.offered)
        assert SourceSync(workspace, working, "pfm").run().quarantined == 2 * BATCH + 5


def test_an_error_while_reading_does_not_wait_for_the_current_transfer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SlowSource(assets(3 * BATCH))
    source.hangs_at = 1

    def broken(*_: object) -> None:
        assert source.started[1].wait(WAIT)
        raise RuntimeError("broken on purpose")

    with Workspace.init(tmp_path / "w") as workspace:
        monkeypatch.setattr("motif.ingest.sync.source_sync.choose", broken)
        with pytest.raises(RuntimeError, match="broken on purpose"):
            SourceSync(workspace, source, "pfm").run()
        assert not source.released.is_set()
        assert list(workspace.cache.glob(f"{PURPOSE}-*")) == []
    source.close()
    for thread in threading.enumerate():
        if thread.name.startswith("motif-fetch"):
            thread.join(WAIT)
    assert len(source.fetches) == 2, "nothing more is fetched"


def test_files_of_a_killed_process_are_removed(
    opened: Callable[[SlowSource], Generator[FetchedBatch, None, None]], tmp_path: Path
) -> None:
    dead = 2**22 + 1  # larger than any process id
    abandoned = tmp_path / f"{PURPOSE}-{socket.gethostname()}-{dead}-x"
    (abandoned / "0").mkdir(parents=True)
    own = tmp_path / f"{PURPOSE}-{socket.gethostname()}-{os.getpid()}-y"
    elsewhere = tmp_path / f"{PURPOSE}-another-machine-{dead}-z"
    namesake = tmp_path / f"{PURPOSE}-{socket.gethostname()}-{dead}-{os.getpid()}-w"
    own.mkdir()
    elsewhere.mkdir()
    namesake.mkdir()
    next(opened(SlowSource(assets(1))))
    assert not abandoned.exists()
    assert own.exists()
    assert elsewhere.exists()
    assert namesake.exists(), "another machine's name may begin with this machine's name"
