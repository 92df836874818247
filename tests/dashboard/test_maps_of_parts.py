"""Maps of parts: their tree, and the process that makes them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from motif.analysis.projection.projection_request import ProjectionRequest
from motif.core.catalog.database import Derivation
from motif.dashboard.background import projection_worker
from motif.dashboard.background.projection_queue import FINISHED, ProjectionQueue, ProjectionTask
from motif.dashboard.background.projection_worker import make
from motif.dashboard.panels import map_navigation_panel

PART = ProjectionRequest("pfm", parent="", ids=("0" * 32,) * 3, name="part")


def a_map(identity: str, parent: str = "", *, part: bool = False, where: str = "") -> Derivation:
    return Derivation(
        number=int(identity), id=identity, stage="projection", collection="pfm",
        parameters={"parent": parent, "selection": part, "where": where}, inputs=(),
        summary={"name": f"map {identity}", "count": 9}, created_at="2024-01-01T00:00:00+00:00",
        seconds=0.1, snapshot="",
    )  # fmt: skip


def test_a_part_hangs_below_its_map_and_whole_maps_come_newest_first() -> None:
    maps = [a_map("1"), a_map("2", "1", part=True), a_map("3"), a_map("4", "2", part=True)]
    assert [(b.map.id, b.depth) for b in map_navigation_panel.tree(maps)] == [
        ("3", 0), ("1", 0), ("2", 1), ("4", 2),
    ]  # fmt: skip
    assert [step.id for step in map_navigation_panel.lineage(maps[3], maps)] == ["1", "2", "4"]


def test_the_map_shown_at_first_is_never_a_part() -> None:
    maps = [a_map("1"), a_map("2", where="mode = x"), a_map("3", "1", part=True)]
    assert map_navigation_panel.newest(maps).id == "1"
    assert map_navigation_panel.newest(maps[1:]).id == "2"


def test_a_part_whose_map_is_gone_still_has_a_place() -> None:
    assert [b.depth for b in map_navigation_panel.tree([a_map("2", "1", part=True)])] == [0]


def test_the_map_maker_says_why_there_is_not_a_map(root: Path) -> None:
    question = {"task": "t", "request": {"collection": "pfm", "ids": []}}
    answer = make(root, question)
    assert answer["state"] == "failed"
    assert "motif embed pfm" in answer["error"]


def _finished(workshop: ProjectionQueue, task: str, seconds: float = 120.0) -> ProjectionTask:
    deadline = time.monotonic() + seconds
    while (found := workshop.task(task)) is None or found.state not in FINISHED:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_a_task_given_up_is_cancelled_and_its_worker_goes_on(root: Path) -> None:
    workshop = ProjectionQueue(root)
    try:
        given_up = workshop.submit(PART)
        wanted = workshop.submit(replace(PART, name="another"))
        first = workshop._worker
        workshop.cancel(given_up)
        assert _finished(workshop, given_up).state == "cancelled"
        # There is no map to be a part of; the answer shows that the worker came to the next one.
        assert _finished(workshop, wanted).error
        assert workshop._worker is first
        assert _finished(workshop, given_up).state == "cancelled"
    finally:
        workshop.close()
    assert workshop._worker is None


def test_a_map_at_work_is_left_and_the_next_one_made(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two steps of whatever is at work, not at its end."""
    started = threading.Event()

    def slow(_: Path, question: dict[str, Any]) -> dict[str, Any]:
        if question["task"] == "quick":
            return {"task": "quick", "state": "done"}
        started.set()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.01)
        raise AssertionError("it was not left")

    monkeypatch.setattr(projection_worker, "make", slow)
    desk = projection_worker._Desk()
    before = signal.signal(signal.SIGUSR1, desk.interrupt)
    try:
        reading, writing = os.pipe()
        questions = os.fdopen(reading)
        monkeypatch.setattr(sys, "stdin", questions)
        monkeypatch.setattr(os, "_exit", lambda code: None)
        listener = threading.Thread(target=desk.listen, daemon=True)
        listener.start()

        def give_up() -> None:
            assert started.wait(30)
            os.write(writing, b'{"cancel": "slow"}\n')

        threading.Thread(target=give_up, daemon=True).start()
        assert desk.answer(root, {"task": "slow"}) is None
        assert desk.answer(root, {"task": "quick"}) == {"task": "quick", "state": "done"}
        os.close(writing)
        listener.join(10)
        questions.close()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_worker_that_dies_fails_its_task(root: Path) -> None:
    workshop = ProjectionQueue(root)
    try:
        task = workshop.submit(PART)
        assert workshop._worker is not None
        workshop._worker.kill()
        deadline = time.monotonic() + 30
        while (found := workshop.task(task)) and found.state == "waiting":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert found is not None
        assert found.state == "failed"
        assert "request" in found.error
    finally:
        workshop.close()


def test_the_map_maker_ends_with_whoever_started_it(root: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "motif.dashboard.background.projection_worker", str(root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    assert b"warming" in child.stdout.readline()
    child.stdin.close()
    assert child.wait(30) == 0
    child.stdout.close()
