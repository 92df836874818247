"""How fast the sandbox answers the unmodified client, each in a process of its own.

Show the figures with ``-m benchmark --log-cli-level=INFO``.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from datafed import envelope_pb2 as pb

from motif.ingest.sandbox.request_server.sandbox_server import client_options

log = logging.getLogger(__name__)
pytestmark = pytest.mark.benchmark

COUNT = 9_000
DATA = 1_000
METADATA = {"instrument": {"name": "Cypher", "tip": "ASYELEC", "k": 1.9}, "note": "x" * 300}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, wire: SimpleNamespace) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("speed")
    command = [sys.executable, "-m", "motif.ingest.sandbox", "serve", str(folder)]
    command += ["--port", "0", "--user", "ada:x"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        place = json.loads((folder / "sandbox.json").read_text())
        options = client_options(folder, "ada", "127.0.0.1", place["port"], "motif#sandbox")
        client = SimpleNamespace(client_options=lambda _user: options)
        yield wire.connect(client, "ada")
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def many(api: Any, wire: SimpleNamespace) -> str:
    coll = str(api.collectionCreate("many")[0].coll[0].id)
    for start in range(0, COUNT, 1000):
        records = [
            {"title": f"r{index:05}", "parent": coll, "md": {**METADATA, "index": index}}
            for index in range(start, start + 1000)
        ]
        wire.send(api, pb.RecordCreateBatchRequest(records=json.dumps(records)))
    return coll


def rate(work: Callable[[], int], repeats: int = 3) -> float:
    """Things per second in the best of some runs."""
    best = 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        done = work()
        best = max(best, done / (time.perf_counter() - start))
    return best


def test_views(api: Any, wire: SimpleNamespace) -> None:
    record = wire.record(api, "one", metadata=json.dumps(METADATA))

    def work() -> int:
        for _ in range(1000):
            api.dataView(record)
        return 1000

    found = rate(work)
    log.info("dataView/s: %.4g", found)
    assert found >= 1_200


def test_listing(api: Any, many: str) -> None:
    def work() -> int:
        done = 0
        while items := api.collectionItemsList(many, offset=done, count=1000)[0].item:
            done += len(items)
        return done

    found = rate(work)
    log.info("listed items/s: %.4g", found)
    assert found >= 25_000


def test_export(api: Any, many: str, wire: SimpleNamespace) -> None:
    ids = [item.id for item in api.collectionItemsList(many, count=COUNT)[0].item]

    def work() -> int:
        done = 0
        for start in range(0, COUNT, 200):
            reply = wire.send(api, pb.RecordExportRequest(id=ids[start : start + 200]))
            done += len(reply.record)
        return done

    found = rate(work)
    log.info("exported records/s: %.4g", found)
    assert found >= 8_000


def test_get(api: Any, wire: SimpleNamespace) -> None:
    endpoint = Path(api.cfg.get("client_cfg_dir")).parent / "endpoint"
    (endpoint / "f.bin").write_bytes(b"x" * 65_536)
    coll = api.collectionCreate("data")[0].coll[0].id
    for index in range(DATA):
        record = wire.record(api, f"d{index}", parent_id=coll)
        task = api.dataPut(record, "motif#sandbox/f.bin")[0].task.id
    assert wire.finished(api, task, 60).status == 3

    def work() -> int:
        task = api.dataGet(coll, "motif#sandbox/out")[0].task.id
        assert wire.finished(api, task, 60).status == 3
        return DATA

    seconds = DATA / rate(work)
    log.info("seconds for 1,000 x 64 KiB: %.4g", seconds)
    assert seconds <= 0.6


def test_search(api: Any, many: str) -> None:
    def work() -> int:
        assert api.queryDirect(coll=[many], meta="index >= 8990", count=100)[0].count == 10
        return COUNT

    log.info("searched records/s: %.4g", rate(work))
