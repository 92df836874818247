"""The tabs of the composition page that tell whether its method is worth using."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import expect


def test_methods_learning_and_files(visit: Any) -> None:
    visit.open("/composition")
    visit.says("samples=60")
    expect(visit.page.get_by_text("Total gradient: the change of")).to_be_visible()
    visit.page.get_by_role("tab", name="First layer").click()
    expect(visit.page.get_by_text("Most similar")).to_be_visible()
    visit.page.get_by_role("tab", name="Methods").click()
    expect(visit.page.get_by_text("motif train composition library --baselines")).to_be_visible()
    visit.page.get_by_role("tab", name="Learning").click()
    expect(visit.page.get_by_text("motif learning-curve library")).to_be_visible()
    visit.page.get_by_role("tab", name="Files").click()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="All figures").click()
    packed = Path(download.value.path()).read_bytes()
    names = {Path(name).name for name in zipfile.ZipFile(io.BytesIO(packed)).namelist()}
    assert {"map.html", "map.csv", "bands.json", "weights-similarity.csv", "plotly.min.js"} <= names
