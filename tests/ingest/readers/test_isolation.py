"""A reader in a process of its own: a file that it does not survive ends this process alone."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.isolation import ReaderProcess

WORKER = """
import os, signal, time
from pathlib import Path
import numpy as np, xarray as xr
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement, Reading
from motif.ingest.readers.isolation import serve

def read(path: Path) -> Reading:
    content = path.read_text()
    print("libraries print")
    if content == "hang":
        while True: pass
    if content == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if content == "bug":
        raise KeyError(content)
    if content == "memory":
        np.ones(1 << 30)
    if content == "refuse":
        raise UnreadableFileError("nothing to read in " + path.name)
    data = xr.DataArray(np.arange(3.0), {"q": ("q", np.arange(3.0), {"units": "1/nm"})}, ("q",),
                        attrs={"units": "counts"})
    facets = [Facet("pid", float(os.getpid()), "file:pid"), Facet("simulated", True, "file:x")]
    return Reading([Measurement("0", "spectrum", "a µ", data, facets)], [("k", "v")], ["n"])

serve(read)
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReaderProcess]:
    modules = tmp_path_factory.mktemp("modules")
    (modules / "isolated_worker.py").write_text(WORKER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(modules))
        reader = ReaderProcess("isolated_worker")
        yield reader
        reader.close()


def read(process: ReaderProcess, tmp_path: Path, content: str) -> Reading:
    (tmp_path / "file.x").write_text(content)
    return process.read(tmp_path / "file.x")


def test_readings_arrive_complete_and_the_process_is_kept(
    process: ReaderProcess, tmp_path: Path
) -> None:
    first, second = (read(process, tmp_path, "good") for _ in range(2))
    (measurement,) = first.measurements
    assert (measurement.key, measurement.kind, measurement.title) == ("0", "spectrum", "a µ")
    np.testing.assert_array_equal(measurement.data["q"], [0, 1, 2])
    assert measurement.data["q"].attrs == {"units": "1/nm"}
    assert measurement.data.attrs == {"units": "counts"}
    assert (list(first.header), first.warnings) == ([("k", "v")], ["n"])
    assert measurement.facets[0].value != os.getpid()
    assert measurement.facets == second.measurements[0].facets


def test_a_reason_is_passed_on(process: ReaderProcess, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"nothing to read in file\.x"):
        read(process, tmp_path, "refuse")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("hang", "computes without end"),
        ("crash", "SIGSEGV"),
        ("bug", "KeyError"),
        ("memory", "more memory than it can need"),
    ],
)
def test_a_file_that_ends_the_process_is_refused_and_the_next_one_is_read(
    process: ReaderProcess, tmp_path: Path, content: str, reason: str
) -> None:
    started = time.monotonic()
    with pytest.raises(UnreadableFileError, match=rf"file.x is damaged.*{reason}"):
        read(process, tmp_path, content)
    assert time.monotonic() - started < 30
    assert len(read(process, tmp_path, "good").measurements) == 1
