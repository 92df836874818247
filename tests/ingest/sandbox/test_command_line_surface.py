"""Every command of DataFed's own command line works against the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from datafed import CLI
from datafed import envelope_pb2 as pb

from motif.ingest.sandbox.request_server.sandbox_server import Sandbox

HERE_ALONE = {
    "gendoc", "help", "exit", "verbosity", "ep default get", "ep default set",
    "ep get", "ep set", "setup", "wp",
}  # fmt: skip
"""Commands that ask the server for nothing of its own, or only speak to a person."""


class Line:
    """The command line in this process; notes which commands were used."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def __call__(self, text: str, *words: str) -> Any:
        self.used.add(text)
        reply = CLI.command(" ".join([text, *words]))
        return reply[0] if isinstance(reply, tuple) else reply


@pytest.fixture
def line(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    for name, value in {"_capi": None, "_initialized": False, "_interactive": False}.items():
        monkeypatch.setattr(CLI, name, value)
    monkeypatch.setattr(CLI, "_addConfigOptions", lambda: None)
    assert CLI.init(sandbox.client_options("ada")) == "u/ada"
    yield Line()
    CLI._devnull.close()


def commands(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name


def test_every_command(line: Line, lab: Path, tmp_path: Path, wire: SimpleNamespace) -> None:
    records(line, lab, tmp_path, wire)
    collections(line)
    queries(line)
    people(line, wire)
    schemas(line)
    assert set(commands(CLI._cli)) - line.used == HERE_ALONE


def records(line: Line, lab: Path, tmp_path: Path, wire: SimpleNamespace) -> None:
    (lab / "cli.ibw").write_bytes(b"12345")
    made = line("data create", "Scan", "-a", "cli-scan", "-m", """'{"temp": 300}'""").data[0].id
    line("data update", made, "-t", "'Scan 1'", "-m", """'{"bias": 2}'""")
    seen = line("data view", "cli-scan").data[0]
    assert (seen.title, json.loads(seen.metadata)) == ("Scan 1", {"temp": 300, "bias": 2})
    task = line("data put", made, "local#lab/cli.ibw").task.id
    assert wire.finished(CLI._capi, task).status == 3
    assert line("task view", task).task[0].id == task
    assert task in [listed.id for listed in line("task list", "-S", "succeeded").task]
    task = line("data get", made, "local#lab/cli-out").task.id
    assert wire.finished(CLI._capi, task).status == 3
    assert (lab / "cli-out" / f"{made[2:]}.ibw").read_bytes() == b"12345"
    assert "local#lab/" in "".join(line("ep list").ep)
    batch = tmp_path / "batch.json"
    batch.write_text(json.dumps([{"title": "one", "md": {}}, {"title": "two", "md": {}}]))
    both = [record.id for record in line("data batch create", str(batch)).data]
    batch.write_text(json.dumps([{"id": record, "desc": "changed"} for record in both]))
    assert len(line("data batch update", str(batch)).data) == 2
    line("data delete", "-f", both[0])


def collections(line: Line) -> None:
    made = line("coll create", "Films", "-a", "cli-films").coll[0].id
    assert line("coll view", "cli-films").coll[0].title == "Films"
    assert line("coll update", made, "-t", "'More films'").coll[0].title == "More films"
    line("coll add", made, "cli-scan")
    assert [item.alias for item in line("ls", made).item] == ["cli-scan"]
    line("wc", made)
    line("coll remove", made, "cli-scan")
    assert len(line("ls", made).item) == 0
    line("wc", "root")
    line("coll delete", "-f", made)


def queries(line: Line) -> None:
    assert [item.alias for item in line("query run", "--meta", "'temp == 300'").item] == [
        "cli-scan"
    ]
    made = line("query create", "warm", "--meta", "'temp > 200'").id
    assert made in [item.id for item in line("query list").item]
    assert line("query view", made).title == "warm"
    line("query update", made, "--title", "warmer", "--meta", "'temp > 100'")
    assert [item.alias for item in line("query exec", made).item] == ["cli-scan"]
    line("query delete", made)


def people(line: Line, wire: SimpleNamespace) -> None:
    assert "u/bob" in [user.uid for user in line("user all").user]
    assert line("user view", "u/bob").user[0].uid == "u/bob"
    assert line("user who") == "u/ada"
    line("user collab")
    wire.send(CLI._capi, pb.ProjectCreateRequest(id="cliproject", title="Project"))
    assert "p/cliproject" in [item.id for item in line("project list").item]
    assert line("project view", "p/cliproject").proj[0].title == "Project"
    line("shares")


def schemas(line: Line) -> None:
    shape = json.dumps(
        {"type": "object", "properties": {"temp": {"type": "number"}}, "required": ["temp"]}
    )
    line("schema create", "cli-schema", "-D", f"'{shape}'", "-d", "temperatures")
    assert line("schema view", "cli-schema:0").schema[0].id == "cli-schema"
    line("schema update", "cli-schema:0", "-d", "'all temperatures'")
    line("schema revise", "cli-schema:0", "-D", f"'{shape}'")
    assert line("schema search", "--id", "cli-schema").schema
    assert line("schema validate", "cli-schema:0", "-m", """'{"temp": "warm"}'""").errors
    line("schema delete", "-f", "cli-schema:1")
