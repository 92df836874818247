"""The server as a process: its command line, DataFed's own command line, SIGKILL."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from datafed import envelope_pb2 as pb
from datafed.CommandLib import API

from motif.ingest.sandbox.request_server.sandbox_server import client_options

SANDBOX = [sys.executable, "-m", "motif.ingest.sandbox"]
DATAFED = Path(sys.executable).with_name("datafed")


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run ``serve`` until the block ends; give the process and what it wrote to sandbox.json."""
    command = [*SANDBOX, "serve", str(folder), "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            assert line.startswith("Motif sandbox serves"), process.stderr
            yield process, json.loads((folder / "sandbox.json").read_text())
        finally:
            process.terminate()
            assert process.wait(10) in (0, -signal.SIGKILL)


def connect(folder: Path, place: dict[str, Any], user: str = "ada") -> Any:
    endpoint = next(iter(place["endpoints"]))
    return API(client_options(folder, user, place["host"], place["port"], endpoint))


def datafed(
    folder: Path, place: dict[str, Any], home: Path, *words: str, user: str = "ada"
) -> subprocess.CompletedProcess[str]:
    """Run DataFed's own command line in script mode."""
    options = client_options(folder, user, place["host"], place["port"], "local#lab")
    home.mkdir(exist_ok=True)
    flags = [
        *("-s", "-H", options["server_host"], "-P", str(options["server_port"])),
        *("--server-pub-key-file", options["server_pub_key_file"]),
        *("--client-cfg-dir", str(home)),
        *("--client-pub-key-file", options["client_pub_key_file"]),
        *("--client-priv-key-file", options["client_priv_key_file"]),
        *("--default-ep", options["default_ep"]),
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    environment["HTTPS_PROXY"] = "http://127.0.0.1:9"
    return subprocess.run(
        [str(DATAFED), *flags, *words],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )


def output(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Give the document a command printed, which may come behind a notice of the client."""
    assert run.returncode == 0, run.stderr
    start = run.stdout.index("{")
    document: dict[str, Any] = json.loads(run.stdout[start:])
    reply = document.get("message")
    return reply if isinstance(reply, dict) else document


def test_serve_writes_what_clients_need_and_ends_cleanly(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with serving(folder, "--user", "ada:pass:word:admin") as (process, place):
        assert place["pid"] == process.pid
        assert place["endpoints"] == {"motif#sandbox": str(folder / "endpoint")}
        for name in ("datafed-core-key.pub", "ada.pub", "ada.priv"):
            assert len((folder / name).read_text()) == 40
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        added = subprocess.run(
            [*SANDBOX, "user", str(folder), "bob:hunter"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert added.stdout.startswith("User bob is ready")
        assert connect(folder, place, "bob").getAuthUser() == "u/bob"
        api = connect(folder, place)
        api.loginByPassword("ada", "pass:word")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert not (folder / "sandbox.json").exists()


def test_faults_of_a_server_that_is_another_process(tmp_path: Path, wire: SimpleNamespace) -> None:
    folder, lab = tmp_path / "s", tmp_path / "lab"
    lab.mkdir()
    (lab / "f").write_text("f")

    def fault(*words: str) -> subprocess.CompletedProcess[str]:
        command = [*SANDBOX, "fault", str(folder), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert "No sandbox serves" in fault("clear").stderr
    with serving(folder, "--user", "ada:x", "--endpoint", f"local#lab={lab}") as (process, place):
        assert stat.S_IMODE((folder / "faults").stat().st_mode) == 0o700
        api = connect(folder, place)
        record = api.dataCreate("one")[0].data[0].id
        assert fault("drop-reply", "--request", "ProjectListRequest").stdout.strip().endswith(".")
        api._mapi.setDefaultTimeout(300)
        assert api.userView("ada")[0].user[0].uid == "u/ada"
        with pytest.raises(Exception, match="Timeout"):
            api.projectList()
        api._mapi._conn.reset()
        api._mapi.setDefaultTimeout(5000)
        assert fault("fail-transfer", "the tape is torn").returncode == 0
        task = wire.finished(api, api.dataPut(record, "local#lab/f")[0].task.id)
        assert (task.status, task.msg) == (pb.TS_FAILED, "the tape is torn")
        fault("hold-transfers")
        task = api.dataPut(record, "local#lab/f")[0].task.id
        assert wire.finished(api, task, 0.3).status == pb.TS_READY
        fault("clear")
        assert wire.finished(api, task).status == pb.TS_SUCCEEDED
        assert fault("clock-offset", "-5000").returncode == 0
        assert api.dataCreate("old")[0].data[0].ct < time.time() - 4000
        assert "is not a fault" in fault("explode").stderr
        process.kill()
        process.wait()
        assert "does not listen" in fault("clear").stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--endpoint", "lab"], "'lab' is not an endpoint: write ID=PATH."),
        (["--user", "ada"], "'ada' is not a user: write NAME:PASSWORD"),
    ],
)
def test_serve_refuses(tmp_path: Path, words: list[str], text: str) -> None:
    run = subprocess.run(
        [*SANDBOX, "serve", str(tmp_path), *words], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert text in run.stderr
    assert "Traceback" not in run.stderr


def test_commands_load_nothing_heavy() -> None:
    code = (
        "import sys, motif.ingest.sandbox.commands; "
        "print([m for m in ('zmq', 'datafed', 'google.protobuf', 'numpy', 'jsonschema', 'filelock')"
        " if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_datafeds_own_command_line(tmp_path: Path) -> None:
    folder, lab, home = tmp_path / "s", tmp_path / "lab", tmp_path / "home"
    with serving(folder, "--user", "ada:x", "--endpoint", f"local#lab={lab}") as (_, place):

        def run(*words: str) -> dict[str, Any]:
            return output(datafed(folder, place, home, *words))

        assert run("user", "who") == {"uid": "u/ada"}
        coll = run("coll", "create", "Films", "-a", "films")["coll"][0]["id"]
        (lab / "scan.ibw").write_bytes(b"12345")
        made = run("data", "create", "Scan", "-p", "films", "-m", '{"temp": 300}')["data"][0]
        task = run("data", "put", made["id"], "local#lab/scan.ibw")["task"]
        while run("task", "view", task["id"])["task"][0]["status"] != "TS_SUCCEEDED":
            time.sleep(0.05)
        seen = run("data", "view", made["id"])["data"][0]
        assert (seen["size"], json.loads(seen["metadata"])) == (5.0, {"temp": 300})
        assert run("ls", coll)["item"][0]["id"] == made["id"]
        assert run("query", "run", "--meta", "temp > 200")["item"][0]["id"] == made["id"]
        refused = output(datafed(folder, place, home, "data", "view", "nothing"))
        assert refused["msg_type"] == "ClientError"
        assert refused["message"].startswith("Alias 'nothing' does not exist")


def test_sigkill_loses_no_acknowledged_request(tmp_path: Path, wire: SimpleNamespace) -> None:
    created, uploads = killed_at_random(10, tmp_path, wire)
    assert len(created) > 20
    assert uploads


@pytest.mark.benchmark
def test_sigkill_at_50_random_moments(
    tmp_path: Path, wire: SimpleNamespace, record_property: Callable[[str, object], None]
) -> None:
    created, uploads = killed_at_random(50, tmp_path, wire)
    record_property("records", len(created))
    record_property("changes", sum(created.values()))
    record_property("uploads", len(uploads))
    assert len(created) > 100
    assert len(uploads) > 20


def killed_at_random(
    trials: int, tmp_path: Path, wire: SimpleNamespace
) -> tuple[dict[str, int], dict[str, int]]:
    """Kill the server that often in the middle of work; what was acknowledged, checked."""
    folder, lab = tmp_path / "s", tmp_path / "lab"
    lab.mkdir()
    dice = random.Random(7)
    created: dict[str, int] = {}
    uploads: dict[str, int] = {}
    options = ["--user", "ada:x", "--endpoint", f"local#lab={lab}"]
    for trial in range(trials):
        with serving(folder, *options) as (process, place):
            api = connect(folder, place)
            check(api, created, uploads, wire)
            api._mapi.setDefaultTimeout(500)
            kill = threading.Timer(dice.uniform(0.02, 0.25), process.kill)
            kill.start()
            while process.poll() is None:
                if not work_was_acknowledged(api, lab, created, uploads, dice):
                    break
            kill.join()
            assert process.wait(10) == -signal.SIGKILL, trial
    with serving(folder, *options) as (_, place):
        check(connect(folder, place), created, uploads, wire)
    return created, uploads


def work_was_acknowledged(api: Any, *rest: Any) -> bool:
    """Whether the server lived to answer one more request."""
    try:
        work(api, *rest)
    except Exception as error:
        if "Timeout" not in str(error):
            raise
        return False
    return True


def work(
    api: Any, lab: Path, created: dict[str, int], uploads: dict[str, int], dice: random.Random
) -> None:
    """One request; its effect is noted only once it is acknowledged."""
    choice = dice.random()
    if choice < 0.5 or not created:
        made = api.dataCreate("r", metadata='{"version": 0}')[0].data[0].id
        created[made] = 0
        return
    record = dice.choice(list(created))
    if choice < 0.9:
        version = created[record] + 1
        api.dataUpdate(record, metadata=json.dumps({"version": version}))
        created[record] = version
    else:
        size = dice.randrange(1, 100_000)
        (lab / f"{size}.dat").write_bytes(b"x" * size)
        api.dataPut(record, f"local#lab/{size}.dat")
        uploads[record] = size


def check(
    api: Any, created: dict[str, int], uploads: dict[str, int], wire: SimpleNamespace
) -> None:
    """Everything acknowledged is there; a request in flight may or may not have been done."""
    documents = [
        json.loads(text) for text in wire.send(api, pb.RecordExportRequest(id=["root"])).record
    ]
    found = {document["id"]: document["md"]["version"] for document in documents}
    for record, version in created.items():
        assert found[record] in (version, version + 1)
        created[record] = found[record]
    end = time.monotonic() + 10
    while any(task.status < 3 for task in api.taskList(count=1000)[0].task):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert not api.taskList(status=["failed"])[0].task
    for record, size in list(uploads.items()):
        data = api.dataView(record)[0].data[0]
        if data.size != size:
            assert data.source.startswith("local#lab/")
            uploads[record] = int(data.size)
            assert data.source == f"local#lab/{int(data.size)}.dat"
