"""A reader in a process of its own: what it cannot survive ends it and no one else."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from motif.core.errors import UnreadableFileError
from motif.core.records import Reading
from motif.ingest.readers.isolation import Child

WORKER = """
import os, signal, time
from pathlib import Path
import numpy as np, xarray as xr
from motif.core.errors import UnreadableFileError
from motif.core.records import Facet, Measurement, Reading
from motif.ingest.readers.isolation import serve

def read(path: Path) -> Reading:
    what = path.read_text()
    print("libraries print")
    if what == "hang":
        while True: pass
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "bug":
        raise KeyError(what)
    if what == "memory":
        np.ones(1 << 30)
    if what == "refuse":
        raise UnreadableFileError("no such thing in " + path.name)
    data = xr.DataArray(np.arange(3.0), {"q": ("q", np.arange(3.0), {"units": "1/nm"})}, ("q",),
                        attrs={"units": "counts"})
    facets = [Facet("pid", float(os.getpid()), "file:pid"), Facet("simulated", True, "file:x")]
    return Reading([Measurement("0", "spectrum", "a µ", data, facets)], [("k", "v")], ["n"])

serve(read)
"""


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    modules = tmp_path_factory.mktemp("modules")
    (modules / "isolated_worker.py").write_text(WORKER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(modules))
        made = Child("isolated_worker")
        yield made
        made.close()


def read(child: Child, tmp_path: Path, what: str) -> Reading:
    (tmp_path / "file.x").write_text(what)
    return child.read(tmp_path / "file.x")


def test_readings_arrive_whole_and_the_process_is_kept(child: Child, tmp_path: Path) -> None:
    first, second = (read(child, tmp_path, "good") for _ in range(2))
    (one,) = first.measurements
    assert (one.key, one.kind, one.title) == ("0", "spectrum", "a µ")
    np.testing.assert_array_equal(one.data["q"], [0, 1, 2])
    assert one.data["q"].attrs == {"units": "1/nm"}
    assert one.data.attrs == {"units": "counts"}
    assert (list(first.header), first.notes) == ([("k", "v")], ["n"])
    assert one.facets[0].value != os.getpid()
    assert one.facets == second.measurements[0].facets


def test_a_reason_is_passed_on(child: Child, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"no such thing in file\.x"):
        read(child, tmp_path, "refuse")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("hang", "computes without end"),
        ("crash", "SIGSEGV"),
        ("bug", "KeyError"),
        ("memory", "more memory than it can need"),
    ],
)
def test_what_it_does_not_survive_is_a_reason_and_the_next_file_is_read(
    child: Child, tmp_path: Path, what: str, reason: str
) -> None:
    started = time.monotonic()
    with pytest.raises(UnreadableFileError, match=rf"file.x is damaged.*{reason}"):
        read(child, tmp_path, what)
    assert time.monotonic() - started < 30
    assert len(read(child, tmp_path, "good").measurements) == 1
