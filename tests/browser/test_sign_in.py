"""Signing in, in a real browser with a provider of its own: visitors, viewers, editors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import identity_provider
import pytest
from playwright.sync_api import expect

ACCOUNTS = {
    "ada": {"email": "Ada@example.org", "email_verified": True},
    "ben": {"email": "ben@example.org", "groups": ["readers", "staff"]},
    "eve": {"email": "eve@elsewhere.org"},
    "mallory": {"email": "ada@example.org", "email_verified": False},
}
SETTINGS = """
[dashboard.sign_in]
issuer = "{issuer}"
client_id = "motif"
url = "{url}"
secret_file = "provider-secret"
editors = {editors}
viewer_groups = ["staff"]
"""


@dataclass(frozen=True)
class Guarded:
    """A workspace where people sign in."""

    root: Path
    url: str
    issuer: str
    paths: list[str]
    """Addresses of its data."""
    some: str
    """A measurement."""

    def declare(self, editors: str) -> None:
        """Write who may change something into motif.toml."""
        text = SETTINGS.format(issuer=self.issuer, url=self.url, editors=editors)
        (self.root / "motif.toml").write_text(text)


@pytest.fixture(scope="module")
def guarded(
    tmp_path_factory: pytest.TempPathFactory, small_lab: Any, served: Any, port: int
) -> Iterator[Guarded]:
    root = tmp_path_factory.mktemp("guarded") / "lab"
    with small_lab.build(root, images=12) as workspace:
        some = workspace.select("pfm")[5].id
        mapped = workspace.ledger.latest("projection", "pfm").id
    secret = root / "provider-secret"
    secret.touch(mode=0o600)
    secret.write_text(identity_provider.SECRET + "\n")
    paths = [
        f"/thumbs/{some}.webp", f"/motif/maps/{mapped}/xy.bin", f"/motif/maps/{mapped}/0.json",
        f"/motif/maps/{mapped}/0.webp", f"/motif/blobs/{'0' * 32}.bin", "/media/x.csv",
    ]  # fmt: skip
    with identity_provider.Provider(ACCOUNTS) as idp:
        made = Guarded(root, f"http://127.0.0.1:{port}", idp.issuer, paths, some)
        made.declare('["ada@example.org"]')
        with served(root, port):
            yield made


@pytest.fixture
def visitor(chromium: Any, guarded: Guarded) -> Iterator[Callable[[], Any]]:
    """Opens a page in a browser of its own, where nobody has signed in yet."""
    contexts = []

    def come() -> Any:
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(30_000)
        contexts.append(context)
        return context.new_page()

    yield come
    for context in contexts:
        context.close()


def sign_in(page: Any, address: str, account: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=account).click()
    page.locator(".motif-status").wait_for(state="attached")


def statuses(page: Any, guarded: Guarded) -> set[int]:
    return {page.request.get(guarded.url + path).status for path in guarded.paths}


def test_a_visitor_sees_where_to_sign_in_and_nothing_else(
    visitor: Callable[[], Any], guarded: Guarded
) -> None:
    page = visitor()
    for path in ("/", "/map?collection=pfm", f"/measurement?id={guarded.some}", "/jobs"):
        page.goto(guarded.url + path)
        expect(page.locator(".motif-status")).to_have_text("entrance")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert page.get_by_text("scan 0").count() == 0
        assert page.locator("[data-testid=stPageLink], .map, .wall").count() == 0
    assert statuses(page, guarded) == {401}
    forged = {"name": "_streamlit_user", "value": "eyJpc19sb2dnZWRfaW4iOnRydWV9", "path": "/"}
    page.context.add_cookies([{**forged, "domain": "127.0.0.1"}])
    assert statuses(page, guarded) == {401}


def test_a_viewer_comes_to_the_page_of_the_link_and_changes_nothing(
    visitor: Callable[[], Any], guarded: Guarded
) -> None:
    page = visitor()
    wanted = f"{guarded.url}/map?collection=pfm&f.material=PbTiO3&where=has+operator"
    sign_in(page, wanted, "ben")
    page.locator('.map[data-state="drawn"]').wait_for()
    assert page.url.startswith(wanted)
    assert statuses(page, guarded) == {200, 404}
    expect(page.get_by_text("may look, not change")).to_be_visible()
    assert page.get_by_role("button", name="Label").count() == 0
    assert page.get_by_role("button", name="New map").count() == 0
    page.goto(f"{guarded.url}/measurement?id={guarded.some}")
    expect(page.locator(".motif-status")).to_contain_text(guarded.some)
    assert page.get_by_role("button", name="Label").count() == 0
    page.goto(f"{guarded.url}/jobs")
    expect(page.locator(".motif-status")).to_contain_text("jobs")
    assert page.get_by_role("button", name="Read again").count() == 0


@pytest.mark.parametrize("account", ["eve", "mallory"])
def test_an_account_without_a_role_is_refused(
    visitor: Callable[[], Any], guarded: Guarded, account: str
) -> None:
    page = visitor()
    sign_in(page, guarded.url, account)
    expect(page.locator(".motif-status")).to_have_text("entrance refused")
    assert statuses(page, guarded) == {403}


def test_an_editor_labels_under_the_own_name_until_the_role_is_taken(
    visitor: Callable[[], Any], guarded: Guarded
) -> None:
    page = visitor()
    sign_in(page, f"{guarded.url}/measurement?id={guarded.some}", "ada")
    expect(page.locator(".motif-status")).to_contain_text(guarded.some)
    page.get_by_role("button", name="Label").click()
    page.get_by_label("Note").fill("worth a second look")
    page.get_by_role("button", name="Add annotation").click()
    expect(page.get_by_text("worth a second look")).to_be_visible()
    expect(page.get_by_text("Ada@example.org").first).to_be_visible()
    try:
        guarded.declare('["somebody@example.org"]')
        page.reload()
        expect(page.locator(".motif-status")).to_have_text("entrance refused")
        assert statuses(page, guarded) == {403}
    finally:
        guarded.declare('["ada@example.org"]')
    page.reload()
    expect(page.locator(".motif-status")).to_contain_text(guarded.some)
    out = page.request.get(f"{guarded.url}/auth/logout", max_redirects=0)
    assert out.headers["clear-site-data"] == '"cache"'
    sign_in(page, f"{guarded.url}/measurement?id={guarded.some}", "ada")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator(".motif-status")).to_have_text("entrance")
    assert statuses(page, guarded) == {401}
