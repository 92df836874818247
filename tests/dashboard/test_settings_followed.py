"""The Jobs page follows motif.toml, and tells what is wrong in it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from motif.dashboard.server.asgi_app import SCRIPT
from motif.dashboard.state import current_view
from motif.dashboard.state.workspace_session import WorkspaceSession

# AppTest runs without a browser, so Streamlit warns about what only a browser has.
pytestmark = pytest.mark.filterwarnings("ignore")

JOB = '[jobs.nightly]\nrun = ["status"]\nschedule = "0 2 * * *"\n'


def jobs_page() -> str:
    app = AppTest.from_file(str(SCRIPT), default_timeout=60)
    app.run()
    app._page_hash = current_view._pages["jobs"]._script_hash  # type: ignore[index]
    app.run()
    assert not app.exception, app.exception
    return "\n".join(element.proto.body for element in app.get("html"))


def test_a_new_job_is_there_and_a_mistake_is_reported(empty: WorkspaceSession) -> None:
    assert "nightly" not in jobs_page().replace("[jobs.nightly]", "")
    file = empty.workspace.root / "motif.toml"
    file.write_text(JOB)
    assert "<b>nightly</b>" in jobs_page()
    file.write_text(JOB + "[jbos.more]\n")
    text = jobs_page()
    assert "did you mean &quot;jobs&quot;?" in text
    assert "Until then the previous settings apply." in text
    assert "<b>nightly</b>" in text
    file.write_text(JOB + "[dashboard]\nport = 9999\n")
    assert "takes effect when Motif is restarted" in jobs_page()
