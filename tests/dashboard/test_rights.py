"""Who may do what, and where the secrets of signing in come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motif.core.config import SignInConfig
from motif.core.errors import ConfigError
from motif.dashboard.gate import is_local
from motif.dashboard.lab import Lab
from motif.dashboard.rights import ENTRY, NotAllowedError, may_change, role
from motif.dashboard.saved import Saved
from motif.dashboard.signin import SECRET_VARIABLE, client_secret, role_of, streamlit_secrets
from motif.dashboard.view import View


def settings(**more: Any) -> SignInConfig:
    told = {"editors": ["ada@lab.org"], "viewers": ["*@lab.org"], "editor_groups": ["spm"]}
    return SignInConfig(
        issuer="https://login.lab.org", client_id="motif", url="https://motif.lab.org",
        **{**told, **more},
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


ACTIONS: dict[str, Callable[[Lab], object]] = {
    "a job": lambda here: here.errands.start("status"),
    "a map": lambda here: here.workshop.ask("pfm", "0" * 32, [], ""),
    "giving up a map": lambda here: here.workshop.cancel("x"),
    "a saved filter": lambda here: Saved(here.workspace.root).save("a", View(where="b = 1")),
    "forgetting a filter": lambda here: Saved(here.workspace.root).forget("a"),
}


@pytest.mark.parametrize("what", ACTIONS)
def test_who_may_only_look_is_refused_by_the_action_itself(
    here: Lab, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setenv(ENTRY, "public")
    assert role() == "viewer"
    with pytest.raises(NotAllowedError, match="only shows"):
        ACTIONS[what](here)


def test_nobody_has_a_role_when_the_declaration_is_gone(
    here: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENTRY, "sign-in")
    assert role({"is_logged_in": True, "email": "ada@lab.org"}) is None
    assert not may_change()
