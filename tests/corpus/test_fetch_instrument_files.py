"""The script that fetches the public instrument files, against a local server."""

import csv
import hashlib
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("fetch_instrument_files.py")
specification = importlib.util.spec_from_file_location("fetch_instrument_files", SCRIPT)
assert specification is not None
assert specification.loader is not None
script = importlib.util.module_from_spec(specification)
sys.modules["fetch_instrument_files"] = script
specification.loader.exec_module(script)

DATA = Path(os.environ.get("MOTIF_REAL_DATA", script.DEFAULT_FOLDER))
SCAN = bytes(range(256)) * 1000
FILES = {"spm/a scan.ibw": SCAN, "spectra/µ.txt": b"1 2\n", "spectra/empty.wdf": b""}
COLUMNS = ("file", "repository", "commit", "path", "bytes", "sha256", "licence")


class RawFiles(ThreadingHTTPServer):
    """Serves ``/owner/lab/c0ffee/<file>``; counts requests and can break the first ones."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), RawFileHandler)
        self.files = dict(files)
        self.ranges: list[str] = []
        self.broken_replies = 0
        self.errors = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class RawFileHandler(BaseHTTPRequestHandler):
    server: RawFiles

    def do_GET(self) -> None:
        name = script.urllib.parse.unquote(self.path).removeprefix("/owner/lab/c0ffee/")
        self.server.ranges.append(self.headers.get("Range", ""))
        if self.server.errors:
            self.server.errors -= 1
            self.send_error(503)
            return
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.server.broken_replies:
            self.server.broken_replies -= 1
            self.wfile.write(content[start : start + 100_000])
            self.close_connection = True
            return
        self.wfile.write(content[start:])

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def server() -> Iterator[RawFiles]:
    with RawFiles(FILES) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    write_table(path, FILES)
    return path


def write_table(path: Path, files: Mapping[str, bytes], private: Mapping[str, bytes] = {}) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for name, content in {**files, **private}.items():
            origin = ("", "", "") if name in private else ("owner/lab", "c0ffee", name)
            digest = hashlib.sha256(content).hexdigest()
            writer.writerow((name, *origin, len(content), digest, "MIT"))


def run(folder: Path, table: Path, server: RawFiles) -> int:
    code: int = script.main([str(folder), "--table", str(table), "--base-url", server.url])
    return code


def test_files_are_fetched_once_and_kept(
    tmp_path: Path, table: Path, server: RawFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    assert run(folder, table, server) == 0
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert "3 fetched, 0 present" in capsys.readouterr().out
    requests = len(server.ranges)
    assert run(folder, table, server) == 0
    assert "0 fetched, 3 present" in capsys.readouterr().out
    assert len(server.ranges) == requests
    assert not list(folder.rglob("*.part"))


def test_an_interrupted_transfer_is_resumed(tmp_path: Path, table: Path, server: RawFiles) -> None:
    server.broken_replies = 1
    assert run(tmp_path / "data", table, server) == 0
    assert (tmp_path / "data" / "spm" / "a scan.ibw").read_bytes() == SCAN
    assert server.ranges[:2] == ["", "bytes=100000-"]


def test_a_transfer_of_an_earlier_run_is_resumed(
    tmp_path: Path, table: Path, server: RawFiles
) -> None:
    part = tmp_path / "data" / "spm" / "a scan.ibw.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(SCAN[:777])
    assert run(tmp_path / "data", table, server) == 0
    assert server.ranges[0] == "bytes=777-"
    assert part.with_name("a scan.ibw").read_bytes() == SCAN


def test_a_busy_server_is_tried_again(tmp_path: Path, table: Path, server: RawFiles) -> None:
    server.errors = 1
    assert run(tmp_path / "data", table, server) == 0


def test_another_file_of_the_same_name_stays(
    tmp_path: Path, table: Path, server: RawFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "data" / "spm" / "a scan.ibw"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"my own scan")
    assert run(tmp_path / "data", table, server) == 1
    assert mine.read_bytes() == b"my own scan"
    output = capsys.readouterr()
    assert output.err.count("\n") == 1
    assert "exists with other contents; move it away" in output.err
    assert "2 fetched, 0 present, 0 without public origin, 1 failed" in output.out


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (SCAN[:-1] + b"\0", "its SHA-256 differs"),
        (SCAN + b"more", "larger than the 256000 bytes"),
        (None, "answered 404"),
    ],
)
def test_what_is_not_the_file_of_the_table_is_refused(
    tmp_path: Path,
    table: Path,
    server: RawFiles,
    capsys: pytest.CaptureFixture[str],
    served: bytes | None,
    reason: str,
) -> None:
    if served is None:
        del server.files["spm/a scan.ibw"]
    else:
        server.files["spm/a scan.ibw"] = served
    assert run(tmp_path / "data", table, server) == 1
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
    assert not (tmp_path / "data" / "spm" / "a scan.ibw").exists()
    server.files["spm/a scan.ibw"] = SCAN
    assert run(tmp_path / "data", table, server) == 0, "nothing wrong stays behind"


def test_a_file_without_public_origin_is_named_and_is_not_a_failure(
    tmp_path: Path, server: RawFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    write_table(table, {}, private={"own.csv": b"x"})
    assert run(tmp_path / "data", table, server) == 0
    assert "own.csv has no public origin" in capsys.readouterr().err


def test_a_path_out_of_the_folder_is_refused(
    tmp_path: Path, server: RawFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(tmp_path / "table.csv", {"../outside.ibw": b"x"})
    assert run(tmp_path / "data", tmp_path / "table.csv", server) == 1
    assert "leads out of the folder" in capsys.readouterr().err
    assert not (tmp_path / "outside.ibw").exists()


def test_the_command_line_reports_a_server_that_is_away(tmp_path: Path, table: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--table", str(table), "--base-url", "http://127.0.0.1:9"],
        env={**os.environ, "MOTIF_REAL_DATA": str(tmp_path / "data")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("run again to resume") == 3
    assert "Traceback" not in done.stderr


def test_the_committed_table_is_complete() -> None:
    files = script.read_table()
    assert len({file.file for file in files}) == len(files) >= 40
    for file in files:
        assert len(file.sha256) == 64
        assert bool(file.repository) == bool(file.path) == (len(file.commit) == 40)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"needs real files under MOTIF_REAL_DATA ({DATA})")
def test_the_committed_table_describes_the_files_that_are_here() -> None:
    for file in script.read_table():
        path = DATA / file.file
        if path.exists():
            assert path.stat().st_size == file.size
            assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
