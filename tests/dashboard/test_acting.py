"""Commands that pages start: which words, by whom, and how they end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from motif.core.annotations.annotation_log import add_label
from motif.core.jobs.job_runs import JobCancelledError, recording
from motif.dashboard.auth.permissions import ENTRY
from motif.dashboard.background.background_commands import BackgroundCommands
from motif.dashboard.panels import export_and_publish_panel
from motif.dashboard.server.asgi_app import SCRIPT
from motif.dashboard.state import current_view
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession

pytestmark = pytest.mark.filterwarnings("ignore")


def open_page(page: str, view: View) -> AppTest:
    app = AppTest.from_file(str(SCRIPT), default_timeout=60)
    app.run()
    app._page_hash = current_view._pages[page]._script_hash  # type: ignore[index]
    for name, value in view.params().items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.fixture
def started(session: WorkspaceSession, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What pages start, instead of starting it."""
    found: list[tuple[str, ...]] = []
    monkeypatch.setattr(session.background_commands, "start", lambda *words: found.append(words))
    return found


def test_a_map_and_the_labels_are_published_through_the_source_of_the_collection(
    session: WorkspaceSession, started: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_and_publish_panel, "_sources", lambda *_: ["facility", "other"])
    add_label(session.workspace, [session.workspace.select("pfm")[0].id], "published", "xu")
    app = open_page("map", View(collection="pfm"))
    made = session.derivations("projection", "pfm")[-1]
    app.button(key="publish-map").click().run()
    app.button(key="publish-labels").click().run()
    where = ("--collection", "pfm", "--source", "facility")
    assert started == [("publish", made.id, *where), ("publish", "label", *where)]
    monkeypatch.setenv(ENTRY, "public")
    keys = [button.key for button in open_page("map", View(collection="pfm")).button]
    assert "publish-map" not in keys


def test_nothing_can_be_published_without_a_source(session: WorkspaceSession) -> None:
    keys = [button.key for button in open_page("map", View(collection="pfm")).button]
    assert "publish-map" not in keys


def test_a_model_is_measured_and_put_to_use_by_editors_alone(
    session: WorkspaceSession, started: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from motif.analysis.symmetry.models.model_cards_data import selected

    app = open_page("models", View())
    app.button(key="measure-symmetry").click().run()
    assert started == [("models", "measure", "pfm", "--model", "symmetry")]
    app.button(key="use-analytic").click().run()
    assert selected(session.workspace) == "analytic"
    monkeypatch.setenv(ENTRY, "public")
    assert [b.key for b in open_page("models", View()).button] == []


def html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def test_a_run_shows_how_far_it_is_and_that_it_was_cancelled(empty: WorkspaceSession) -> None:
    said = "embedding: 20 of 60 <b>"
    pages = []

    def run() -> None:
        with recording(empty.workspace, "nightly", ["embed pfm"]) as (_, log):
            log.write(f"$ motif embed pfm\n{said}\n")
            log.flush()
            pages.append(html(open_page("jobs", View())))
            raise JobCancelledError("ended by hand")

    with pytest.raises(JobCancelledError):
        run()
    assert 'role="status"' in pages[0]
    assert "embedding: 20 of 60 &lt;b&gt;" in pages[0]
    app = open_page("jobs", View())
    assert "cancelled" in app.dataframe[0].value["State"].iloc[0]
    assert 'role="status"' not in html(app)


def test_a_background_command_shows_its_progress_and_can_be_ended(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import sys

    script = tmp_path / "slow.py"
    script.write_text(
        "import sys, time\n"
        "for k in range(600):\n"
        "    sys.stderr.write(f'measured {k} of 600\\n'); sys.stderr.flush(); time.sleep(0.1)\n"
    )
    commands = BackgroundCommands(root)
    popen: Any = __import__("subprocess").Popen

    def slow(_: list[str], **options: Any) -> Any:
        return popen([sys.executable, str(script)], **options)

    monkeypatch.setattr("motif.dashboard.background.background_commands.subprocess.Popen", slow)
    commands.start("models", "measure", "pfm")
    (command,) = commands.recent()
    deadline = time.monotonic() + 30
    while "measured 3 of 600" not in command.progress:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    command.stop()
    commands.finish()
    (ended,) = commands.recent()
    assert ended.stopped
    assert ended.error == ""
    assert ended.progress == ""
