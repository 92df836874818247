"""Exceptions of plugins: a reader's costs one file, a source's ends that source alone."""

import errno
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motif.core import plugins
from motif.core.contracts import Changes, Reader, Source, SyncState
from motif.core.errors import SourceError, UnreadableFileError
from motif.core.records import Asset, Reading
from motif.core.testing.fill_workspace import image
from motif.core.workspace import Workspace
from motif.ingest.federation.federation_source import FederationSource, from_options
from motif.ingest.folder.folder_source import FolderSource
from motif.ingest.quarantine.quarantine_entries import retry
from motif.ingest.sync.containment import ContainedReader, ContainedSource, contained_source
from motif.ingest.sync.scratch import DiskFullError
from motif.ingest.sync.source_sync import SourceSync, sync

GOOD, BAD = b"WSXM good", b"WSXM bad"


class WsxmReader:
    """Reads one constant image, unless `fail` raises or returns something else."""

    name = "wsxm"
    version = 1

    def __init__(self, fail: Callable[[], Any]) -> None:
        self._fail = fail

    def recognises(self, head: bytes, name: str) -> bool:
        return head.startswith(b"WSXM")

    def __call__(self, path: Path, *context: Any) -> Reading:
        if path.read_bytes() == GOOD:
            return Reading([image(np.arange(192.0).reshape(3, 8, 8))])
        result: Reading = self._fail()
        return result


class PickyReader(WsxmReader):
    """Fails while it decides whether a file is of its format."""

    name = "picky"

    def recognises(self, head: bytes, name: str) -> bool:
        result: bool = self._fail()
        return result


def raises(error: BaseException) -> Callable[[], Any]:
    def fail() -> None:
        raise error

    return fail


def recurse() -> Any:
    return recurse()


def duplicate_keys() -> Reading:
    measurement = image(np.ones((3, 8, 8)))
    return Reading([measurement, measurement])


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.stp").write_bytes(GOOD)
    (folder / "b.stp").write_bytes(BAD)
    (folder / "c.stp").write_bytes(GOOD)
    Workspace.init(tmp_path / "lab").close()
    (tmp_path / "lab" / "motif.toml").write_text(
        f'[sources.spm]\nkind = "folder"\npath = "{folder}"\ninto = "spm"\n'
    )
    with Workspace.open(tmp_path / "lab") as opened:
        yield opened


def install(monkeypatch: pytest.MonkeyPatch, *readers: Reader) -> None:
    monkeypatch.setattr(plugins, "readers", lambda: list(readers))


@pytest.mark.parametrize(
    ("fail", "cause"),
    [
        (raises(KeyError("x")), "KeyError: 'x'"),
        (raises(ValueError("first line.\nsecond")), "ValueError: first line"),
        (raises(OSError("truncated")), "OSError: truncated"),
        (raises(MemoryError()), "MemoryError"),
        (raises(AssertionError()), "AssertionError"),
        (recurse, "RecursionError: maximum recursion depth exceeded"),
        (lambda: {"data": 1}, "TypeError: it returned dict, not a Reading"),
        (lambda: None, "TypeError: it returned NoneType, not a Reading"),
        (lambda: Reading(["scan"]), "TypeError: it returned str, not a Measurement"),
        (duplicate_keys, 'two measurements have the key "0"'),
    ],
)
def test_a_failing_reader_costs_one_file(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fail: Callable[[], Any],
    cause: str,
) -> None:
    install(monkeypatch, WsxmReader(fail))
    summary = sync(workspace, "spm")
    assert (summary.seen, summary.new, summary.quarantined) == (3, 2, 1)
    (entry,) = workspace.catalog.quarantined()
    assert entry.native_id == "b.stp"
    assert "reader wsxm" in entry.reason.lower()
    assert cause in entry.reason
    assert entry.reason.endswith("; report it to its author")
    assert "\n" not in entry.reason
    assert entry.reader == "wsxm/1"
    if "failed" in entry.reason:
        assert "b.stp: reader wsxm failed" in caplog.text
        assert ".py:" in caplog.text, "the log names the line that failed"


def test_a_mended_reader_reads_the_file(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, WsxmReader(raises(KeyError("x"))))
    sync(workspace, "spm")
    mended = WsxmReader(lambda: Reading([image(np.ones((3, 8, 8)))]))
    install(monkeypatch, mended)
    assert sync(workspace, "spm").new == 0, "the same version is not tried again"
    assert retry(workspace, "spm").new == 1
    assert not workspace.catalog.quarantined()


def test_a_reading_that_cannot_be_stored_costs_one_file(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    flat = image(np.ones((3, 8, 8)))
    flat.data.attrs["made"] = object()
    broken = Reading([flat], header=[("key", object())])  # type: ignore[list-item]
    install(monkeypatch, WsxmReader(lambda: broken))
    summary = sync(workspace, "spm")
    assert (summary.new, summary.quarantined) == (2, 1)
    (entry,) = workspace.catalog.quarantined()
    assert entry.native_id == "b.stp"
    assert entry.reason.startswith("reader wsxm failed: ")
    assert {row.record_id for row in workspace.select("spm")} == {"spm:a.stp", "spm:c.stp"}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_an_interrupt_and_a_full_disk_are_not_the_fault_of_a_file(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    install(monkeypatch, WsxmReader(raises(error)))
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else DiskFullError
    with pytest.raises(expected):
        sync(workspace, "spm")
    assert not workspace.catalog.quarantined()


def test_a_reader_that_cannot_decide_leaves_the_file_to_others(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    picky = PickyReader(raises(IndexError("head")))
    install(monkeypatch, picky, WsxmReader(raises(UnreadableFileError("b.stp is damaged"))))
    summary = sync(workspace, "spm")
    assert (summary.new, summary.quarantined) == (2, 1)
    assert workspace.catalog.quarantined()[0].reason == "b.stp is damaged"


def test_a_reader_that_cannot_decide_is_the_reason_where_no_other_does(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, PickyReader(raises(IndexError("head"))))
    assert sync(workspace, "spm").quarantined == 3
    reasons = {entry.reason for entry in workspace.catalog.quarantined()}
    assert reasons == {"reader picky failed: IndexError: head; report it to its author"}


def test_refusals_of_a_reader_stay_as_they_are() -> None:
    reader = ContainedReader(WsxmReader(raises(UnreadableFileError("the scan is empty"))))
    with pytest.raises(UnreadableFileError, match=r"^the scan is empty$"):
        reader(Path(__file__))


def test_a_file_that_cannot_be_opened_counts_as_not_fetched(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, WsxmReader(raises(KeyError("x"))))
    opened = Path.open

    def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "a.stp":
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return opened(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match=r"1 files of .* could not be fetched, first a.stp"):
        sync(workspace, "spm")
    assert {row.record_id for row in workspace.select("spm")} == {"spm:c.stp"}


class FtpSource:
    """A source of three files whose methods fail on request."""

    name = "ftp"

    def __init__(self, **failures: BaseException) -> None:
        self._failures = failures
        self.closed = 0

    def changes(
        self, known: Mapping[str, SyncState], cursor: str, *, full: bool = False
    ) -> Changes:
        self._fail("changes")
        return Changes(3, self._assets(known), [], "1")

    def fetch(
        self, assets: Sequence[Asset], into: Path
    ) -> Iterator[tuple[Asset, Path | Exception]]:
        for asset in assets:
            self._fail("fetch")
            if "one" in self._failures and asset.native_id == "1":
                yield asset, self._failures["one"]  # type: ignore[misc]
                continue
            if "missing" in self._failures and asset.native_id == "1":
                continue
            path = into / asset.native_id
            path.write_bytes(GOOD)
            yield asset, path

    def close(self) -> None:
        self.closed += 1
        self._fail("close")

    def _assets(self, known: Mapping[str, SyncState]) -> Iterator[Asset]:
        for number in range(3):
            if number == 2:
                self._fail("listing")
            if str(number) not in known:
                yield Asset(str(number), f"scan {number}", "f", "r", f"{number}.stp", len(GOOD))

    def _fail(self, method: str) -> None:
        if method in self._failures:
            raise self._failures[method]


def synced(workspace: Workspace, source: Source) -> SourceSync:
    return SourceSync(workspace, ContainedSource(source, "ftp", "ftp-server"), "spm")


@pytest.mark.parametrize("method", ["changes", "listing", "fetch"])
def test_a_failing_source_ends_with_one_sentence(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    install(monkeypatch, WsxmReader(raises(KeyError("x"))))
    sync(workspace, "spm")
    error = KeyError("token")
    with pytest.raises(SourceError) as caught:
        synced(workspace, FtpSource(**{method: error})).run()
    assert str(caught.value) == (
        'Source "ftp" of kind "ftp-server" failed: KeyError: \'token\'; everything stored '
        "before is complete: report it to its author."
    )
    assert caught.value.__cause__ is error
    stored = len(workspace.catalog.records("ftp"))
    assert stored == (2 if method == "listing" else 0), "what came before is stored"
    assert len(workspace.catalog.records("spm")) == 2, "other sources lose nothing"
    assert synced(workspace, FtpSource()).run().new == 3 - stored, "the next run continues"


def test_a_source_that_cannot_connect_is_not_reported_as_a_bug() -> None:
    source = ContainedSource(FtpSource(changes=TimeoutError("timed out")), "ftp", "ftp-server")
    with pytest.raises(SourceError, match="check that it can be reached and run motif ingest"):
        source.changes({}, "")


@pytest.mark.parametrize("kind", ["one", "missing"])
def test_an_exception_for_one_asset_costs_that_asset(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    install(monkeypatch, WsxmReader(raises(KeyError("x"))))
    with pytest.raises(SourceError, match=r"1 files of .* could not be fetched, first 1 "):
        synced(workspace, FtpSource(**{kind: ZeroDivisionError("size")})).run()
    assert {record.native_id for record in workspace.catalog.records("ftp")} == {"0", "2"}


def test_a_full_disk_and_an_interrupt_of_a_source_propagate(workspace: Workspace) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    for failure in (full, KeyboardInterrupt()):
        with pytest.raises(type(failure)):
            synced(workspace, FtpSource(fetch=failure)).run()
    with pytest.raises(OSError, match="No space left"):
        synced(workspace, FtpSource(one=full)).run()


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"seen": 1}, "TypeError: changes() returned dict, not Changes"),
        (Changes(1, [{"id": "1"}], [], ""), "TypeError: changes() listed dict, not Asset"),  # type: ignore[list-item]
    ],
)
def test_invalid_results_of_a_source_are_named(
    monkeypatch: pytest.MonkeyPatch, result: Any, reason: str
) -> None:
    monkeypatch.setattr(FtpSource, "changes", lambda *_, **__: result)
    with pytest.raises(SourceError) as caught:
        list(ContainedSource(FtpSource(), "ftp", "ftp-server").changes({}, "").changed)
    assert reason in str(caught.value)


def test_a_failure_to_close_is_logged(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    source = FtpSource(close=RuntimeError("socket"))
    ContainedSource(source, "ftp", "ftp-server").close()
    assert source.closed == 1
    assert "RuntimeError: socket" in caplog.text


def test_metadata_that_cannot_be_stored_cost_one_record(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, WsxmReader(raises(KeyError("x"))))

    class Undated(FtpSource):
        def _assets(self, known: Mapping[str, SyncState]) -> Iterator[Asset]:
            for asset in super()._assets(known):
                metadata = {"measured": object()} if asset.native_id == "1" else {}
                yield Asset(
                    asset.native_id, asset.title, "f", "r", asset.file_name, asset.size, metadata
                )

    summary = synced(workspace, Undated()).run()
    assert (summary.new, summary.quarantined) == (2, 1)
    assert workspace.catalog.quarantined()[0].native_id == "1"


def test_the_other_members_of_a_federation_continue(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, WsxmReader(raises(KeyError("x"))))
    members: dict[str, Source] = {
        "files": FolderSource("files", tmp_path / "scans"),
        "ftp": ContainedSource(FtpSource(changes=KeyError("token")), "ftp", "ftp-server"),
    }
    with pytest.raises(SourceError, match=r"Member ftp: Source .* KeyError: 'token'"):
        SourceSync(workspace, FederationSource("all", members), "spm").run()
    assert len(workspace.catalog.records("all")) == 2


@pytest.mark.parametrize(
    "error", [AttributeError("no host"), plugins.PluginError("no host: it cannot be imported.")]
)
def test_a_member_that_cannot_be_opened_does_not_stop_the_others(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    install(monkeypatch, WsxmReader(raises(KeyError("x"))))
    real = plugins.source

    def open_source(kind: str, name: str, options: Mapping[str, Any], base: Path) -> Source:
        if kind == "ftp-server":
            raise error
        return real(kind, name, options, base)

    monkeypatch.setattr(plugins, "source", open_source)
    tables = [
        {"name": "files", "kind": "folder", "path": str(tmp_path / "scans")},
        {"name": "ftp", "kind": "ftp-server"},
    ]
    federation = from_options("all", {"members": tables}, tmp_path)
    with pytest.raises(SourceError, match=r"Member ftp: Source .*no host"):
        SourceSync(workspace, federation, "spm").run()
    assert len(workspace.catalog.records("all")) == 2


def test_motif_ingest_continues_with_the_next_source(workspace: Workspace, tmp_path: Path) -> None:
    config = workspace.root / "motif.toml"
    config.write_text(
        f'[sources.away]\nkind = "folder"\npath = "{tmp_path}/nowhere"\ninto = "spm"\n'
        + config.read_text()
    )
    done = subprocess.run(
        [sys.executable, "-m", "motif.core.cli.command_line", "ingest", "--json"],
        cwd=workspace.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert list(document["sources"]) == ["spm"]
    assert document["seen"] == 3
    assert done.stderr.count("nowhere") == 1
    assert "Traceback" not in done.stderr


def test_own_errors_pass_through() -> None:
    with (
        pytest.raises(SourceError, match=r"^the server is away$"),
        contained_source('source "x" of kind "y"'),
    ):
        raise SourceError("the server is away")
