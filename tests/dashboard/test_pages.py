"""Pages as Streamlit runs them: what they say for each view, and that metadata stay text."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from motif.dashboard.server.asgi_app import SCRIPT
from motif.dashboard.state import current_view
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession

# AppTest runs without a browser, so Streamlit warns about what only a browser has.
pytestmark = pytest.mark.filterwarnings("ignore")


def open_page(page: str, view: View | None = None) -> AppTest:
    """Run the app as if a browser had opened this page of this view."""
    app = AppTest.from_file(str(SCRIPT), default_timeout=60)
    if page != "overview":
        app.run()
        app._page_hash = current_view._pages[page]._script_hash  # type: ignore[index]
    for name, value in (view or View()).params().items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def status(app: AppTest) -> str:
    found = re.findall(r'<div class="motif-status">(.*?)</div>', html(app))
    assert len(found) == 1
    return str(found[0])


def set_status(app: AppTest) -> dict[str, int]:
    return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", status(app))}


PAGES = (
    "overview", "map", "search", "composition", "jobs", "measurement", "compare", "models",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_workspace_says_what_to_do(empty: WorkspaceSession, page: str) -> None:
    app = open_page(page)
    assert status(app)
    assert "<code>motif " in html(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_title_is_text_on_every_page(
    session: WorkspaceSession, small_lab: Any, page: str
) -> None:
    hostile = next(r.id for r in session.workspace.select("pfm") if r.title == small_lab.HOSTILE)
    app = open_page(page, View(collection="pfm", id=hostile))
    assert "<img src=x" not in html(app)
    for element in (*app.markdown, *app.caption, *app.title):
        assert small_lab.HOSTILE not in element.value
    if page in ("map", "measurement"):
        assert escape(small_lab.HOSTILE) in html(app)


def test_the_map_shows_the_filter_of_its_url(session: WorkspaceSession) -> None:
    everything = set_status(open_page("map", View(collection="pfm")))
    assert everything == {"n": 60, "shown": 60, "selected": 0}
    some = set_status(open_page("map", View(collection="pfm", facets={"material": ("PbTiO3",)})))
    assert some["shown"] == len(session.workspace.select("pfm", 'material = "PbTiO3"'))
    both = View(collection="pfm", facets={"material": ("PbTiO3",)}, where='operator = "xu"')
    expected = session.workspace.select("pfm", 'material = "PbTiO3" and operator = "xu"')
    assert set_status(open_page("map", both))["shown"] == len(expected)


def test_a_lasso_counts_what_it_encloses(session: WorkspaceSession) -> None:
    square = ((-99.0, -99.0), (99.0, -99.0), (99.0, 99.0), (-99.0, 99.0))
    view = View(collection="pfm", polygon=square, facets={"operator": ("xu",)})
    found = set_status(open_page("map", view))
    assert (
        found["selected"]
        == found["shown"]
        == len(session.workspace.select("pfm", 'operator = "xu"'))
    )


def test_an_entry_hidden_in_the_legend_is_not_shown(session: WorkspaceSession) -> None:
    view = View(collection="pfm", colour="material", hidden=("PbTiO3",))
    gone = len(session.workspace.select("pfm", 'material = "PbTiO3"'))
    assert set_status(open_page("map", view))["shown"] == 60 - gone


def test_a_wrong_query_filters_nothing(session: WorkspaceSession) -> None:
    app = open_page("map", View(collection="pfm", where='opertor = "xu"'))
    assert set_status(app)["shown"] == 60


def test_a_click_in_the_panel_makes_it_the_address(session: WorkspaceSession) -> None:
    app = open_page("map", View(collection="pfm", facets={"operator": ("xu",)}))
    app.button(key="clear-filter").click().run()
    assert not [name for name in app.query_params if name.startswith("f.")]
    assert set_status(app)["shown"] == 60


def test_a_collection_without_a_map_says_how_to_make_one(session: WorkspaceSession) -> None:
    app = open_page("map", View(collection="library"))
    assert "motif project library" in html(app)


def test_a_library_without_images_shows_how_to_get_a_map(session: WorkspaceSession) -> None:
    text = html(open_page("map", View(collection="library")))
    assert "motif embed library" not in text
    assert "motif embed pfm" in html(open_page("search", View(collection="pfm")))


def test_search_offers_something_to_pick_from(session: WorkspaceSession) -> None:
    app = open_page("search", View(collection="library"))
    assert set_status(app)["picks"] == 60
    app.text_input(key="find-by-name").set_value("Sample 12").run()
    assert set_status(app)["picks"] == 1


def test_search_answers_with_the_nearest_spectra(session: WorkspaceSession) -> None:
    some = session.table("library").ids[0]
    app = open_page("search", View(collection="library", id=some, k="12"))
    assert set_status(app) == {"results": 12, "of": 60}


def test_results_of_a_search_are_labelled_and_taken_along(session: WorkspaceSession) -> None:
    one = session.table("library").ids[5]
    app = open_page("search", View(collection="library", id=one, k="12"))
    app.text_input(key="label-text").set_value("like number five")
    next(b for b in app.button if b.label == "Put on 12 measurements").click().run()
    assert not app.exception
    assert len(session.workspace.select("library", 'label = "like number five"')) == 12
    assert "ids = [" in app.code[-1].value


def test_images_without_features_say_how_to_get_them(session: WorkspaceSession) -> None:
    assert "motif embed pfm" in html(open_page("search", View(collection="pfm")))


def test_composition_without_a_study_says_how_to_make_one(session: WorkspaceSession) -> None:
    assert "motif train composition library" in html(open_page("composition"))


def test_jobs_show_the_quarantine_with_its_reason(session: WorkspaceSession) -> None:
    app = open_page("jobs")
    assert set_status(app) == {"runs": 0, "quarantined": 1}
    assert "<td>broken.ibw</td>" in html(app)
    assert "The file ends after 1 byte" in html(app)


def test_overview_names_what_needs_attention(session: WorkspaceSession) -> None:
    text = html(open_page("overview"))
    assert "1 file of &quot;microscope&quot; could not be read." in text
    assert "motif embed pfm" in text


def test_a_measurement_tells_where_it_comes_from(session: WorkspaceSession) -> None:
    row = session.workspace.select("pfm")[3]
    text = html(open_page("measurement", View(id=row.id)))
    record = session.workspace.record(row.record_id)
    for stated in (record.native_id, record.raw_sha256, "asylum-ibw version 1", row.id):
        assert stated in text


def test_the_same_measurement_in_another_record_is_reported(
    session: WorkspaceSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from motif.core.catalog.duplicates import Duplicate

    one, other, *_ = session.workspace.select("pfm")
    same = Duplicate(
        other.id, other.record_id, other.title, "gwyddion", "same values", [("Height", "Z")], True
    )
    alone = html(open_page("measurement", View(id=one.id)))
    assert "Duplicates in other records" not in alone
    monkeypatch.setattr(
        "motif.dashboard.pages.measurement_page.find_duplicates", lambda _, ids: {ids[0]: [same]}
    )
    other_lab = html(open_page("measurement", View(id=other.id)))
    assert "Duplicates in other records" in other_lab
    assert "1 measurement of other records" in other_lab


def test_symmetry_is_described(session: WorkspaceSession) -> None:
    text = html(open_page("measurement", View(id=session.workspace.select("pfm")[5].id)))
    assert re.search(r"\d-fold \d\.\d\d", text)
    assert "period" in text


@pytest.mark.parametrize("identity", ["", "x", "../../etc/passwd", "0" * 32])
def test_a_measurement_that_is_not_there_is_said_plainly(
    session: WorkspaceSession, identity: str
) -> None:
    app = open_page("measurement", View(id=identity))
    assert "No measurement is selected" in html(app) or "There is no measurement" in html(app)


def test_the_jobs_page_offers_what_can_be_done_with_a_file_in_quarantine(
    session: WorkspaceSession,
) -> None:
    app = open_page("jobs")
    keys = {button.key: button.disabled for button in app.button}
    # The small lab's source is declared nowhere, so only looking is possible.
    assert keys["held-retry"]
    assert keys["held-release"]
    assert "not in motif.toml any more" in html(app)


def test_nothing_can_be_changed_where_nobody_signs_in(
    session: WorkspaceSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from motif.dashboard.auth.permissions import ENTRY

    (row, *_) = session.workspace.select("pfm")
    pages = {"jobs": View(), "map": View(where="has operator"), "measurement": View(id=row.id)}
    harmless = {"clear-filter", "use-saved", "close-one"}
    acting = {name: {b.key for b in open_page(name, v).button} for name, v in pages.items()}
    assert "held-release" in acting["jobs"]
    monkeypatch.setenv(ENTRY, "public")
    for name, view in pages.items():
        buttons = [b for b in open_page(name, view).button if not b.disabled]
        assert {button.key for button in buttons} <= harmless, name


def test_a_label_put_on_from_the_page_is_seen_there(session: WorkspaceSession) -> None:
    identity = session.workspace.select("pfm")[7].id
    app = open_page("measurement", View(id=identity))
    app.text_input(key="label-text").set_value("worn tip")
    next(one for one in app.button if one.label.startswith("Put on")).click().run()
    assert not app.exception
    assert "worn tip" in html(app)
    found = set_status(open_page("map", View(collection="pfm", facets={"label": ("worn tip",)})))
    assert found["shown"] == 1


def test_measurements_are_compared_side_by_side(session: WorkspaceSession) -> None:
    images = tuple(row.id for row in session.workspace.select("pfm")[:3])
    app = open_page("compare", View(like=images, channel="Height"))
    assert status(app) == "compare images=3 spectra=0"
    assert html(app).count("<figure") == 3
    spectra = tuple(row.id for row in session.workspace.select("library")[:2])
    assert status(open_page("compare", View(like=spectra))) == "compare images=0 spectra=2"
    gone = open_page("compare", View(like=(images[0], "0" * 32)))
    assert status(gone) == "compare none"


def test_a_saved_filter_is_used_again(session: WorkspaceSession) -> None:
    app = open_page("map", View(collection="pfm", facets={"material": ("PbTiO3",)}))
    shown = set_status(app)["shown"]
    app.text_input(key="saved-name").set_value("lead")
    next(one for one in app.button if one.label == "Save").click().run()
    assert not app.exception
    again = open_page("map", View(collection="pfm"))
    assert set_status(again)["shown"] == 60
    again.button(key="use-saved").click().run()
    assert set_status(again)["shown"] == shown
