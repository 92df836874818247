"""Who may do what, and where the secrets of signing in come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.analysis.projection.projection_request import ProjectionRequest
from motif.core.config.settings import SignInConfig
from motif.core.errors import ConfigError
from motif.dashboard.auth.auth_middleware import is_local
from motif.dashboard.auth.permissions import ENTRY, NotAllowedError, may_change, role
from motif.dashboard.auth.sign_in import SECRET_VARIABLE, client_secret, role_of, streamlit_secrets
from motif.dashboard.state.saved_filters import Saved
from motif.dashboard.state.view_state import View
from motif.dashboard.state.workspace_session import WorkspaceSession


def settings(**more: Any) -> SignInConfig:
    stated = {"editors": ["ada@lab.org"], "viewers": ["*@lab.org"], "editor_groups": ["spm"]}
    return SignInConfig(
        issuer="https://login.lab.org", client_id="motif", url="https://motif.lab.org",
        **{**stated, **more},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"email": "ada@lab.org"}, "editor"),
        ({"email": "ADA@Lab.org", "email_verified": True}, "editor"),
        ({"email": "ada@lab.org", "email_verified": False}, None),
        ({"email": "ada@lab.org", "email_verified": "false"}, None),
        ({"email": "ben@lab.org"}, "viewer"),
        ({"email": "ben@lab.org.evil.com"}, None),
        ({"email": "", "groups": ["spm"]}, "editor"),
        ({"groups": "spm"}, "editor"),
        ({"groups": ["spm2", "s", "p", "m"]}, None),
        ({"groups": "xspmx"}, None),
        ({}, None),
        ({"email": None, "groups": None}, None),
        ({"groups": True}, None),
    ],
)
def test_a_role_comes_from_the_address_or_a_group(claims: Any, expected: str | None) -> None:
    assert role_of(claims, settings()) == expected


def test_groups_may_stand_in_another_claim() -> None:
    assert role_of({"roles": ["spm"]}, settings(groups_claim="roles")) == "editor"
    assert role_of({"groups": ["spm"]}, settings(groups_claim="roles")) is None


def test_the_secret_is_read_where_only_its_owner_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=SECRET_VARIABLE):
        client_secret(settings(), tmp_path)
    named = settings(secret_file="secret")
    with pytest.raises(ConfigError, match="No such file"):
        client_secret(named, tmp_path)
    place = tmp_path / "secret"
    place.touch(mode=0o600)
    with pytest.raises(ConfigError, match="holds no secret"):
        client_secret(named, tmp_path)
    place.write_text("abc\n")
    assert client_secret(named, tmp_path) == "abc"
    place.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        client_secret(named, tmp_path)
    monkeypatch.setenv(SECRET_VARIABLE, "from outside")
    assert client_secret(named, tmp_path) == "from outside"


def test_the_key_of_cookies_is_another_than_the_secret_and_follows_it() -> None:
    one, again, other = (
        streamlit_secrets(settings(), secret)["auth"]["cookie_secret"] for secret in ("a", "a", "b")
    )
    assert one == again
    assert len({one, other, "a"}) == 3


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("/map?where=a", True), ("/", True), ("//evil.org/", False), ("/\\evil.org", False),
        ("https://evil.org", False), ("map", False), ("", False), ("/a\nb", False),
    ],
)  # fmt: skip
def test_after_signing_in_one_stays_on_this_server(address: str, local: bool) -> None:
    assert is_local(address) is local


@given(st.text(max_size=20))
def test_whatever_the_cookie_says_is_judged(address: str) -> None:
    assert is_local(f"//{address}") is False


ACTIONS: dict[str, Callable[[WorkspaceSession], object]] = {
    "a job": lambda session: session.background_commands.start("status"),
    "a map": lambda session: session.projections.submit(ProjectionRequest("pfm")),
    "giving up a map": lambda session: session.projections.cancel("x"),
    "a saved filter": lambda session: Saved(session.workspace.root).save("a", View(where="b = 1")),
    "forgetting a filter": lambda session: Saved(session.workspace.root).forget("a"),
}


@pytest.mark.parametrize("what", ACTIONS)
def test_who_may_only_look_is_refused_by_the_action_itself(
    session: WorkspaceSession, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setenv(ENTRY, "public")
    assert role() == "viewer"
    with pytest.raises(NotAllowedError, match="read-only"):
        ACTIONS[what](session)


def test_nobody_has_a_role_when_the_declaration_is_gone(
    session: WorkspaceSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENTRY, "sign-in")
    assert role({"is_logged_in": True, "email": "ada@lab.org"}) is None
    assert not may_change()
