"""Roles come from the settings of the workspace shown; without settings nobody has one."""

from __future__ import annotations

import pytest

from motif.core.config.settings import SignInConfig
from motif.dashboard.auth import permissions

SETTINGS = SignInConfig(
    issuer="https://login.lab.org", client_id="motif", url="https://motif.lab.org",
    editors=["ada@lab.org"], viewers=["*@lab.org"],
)  # fmt: skip
ADA = {"is_logged_in": True, "email": "ada@lab.org"}
BEN = {"is_logged_in": True, "email": "ben@lab.org"}


@pytest.fixture(autouse=True)
def read_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "_sign_in_settings", permissions._closed)
    monkeypatch.setenv(permissions.ENTRY, "sign-in")


def test_without_settings_nobody_has_a_role() -> None:
    assert permissions.role(ADA) is None


def test_roles_follow_the_settings_that_are_read() -> None:
    permissions.read_settings_with(lambda: SETTINGS)
    assert permissions.role(ADA) == "editor"
    assert permissions.role(BEN) == "viewer"


def test_settings_are_read_each_time() -> None:
    current = [SETTINGS]
    permissions.read_settings_with(lambda: current[0])
    assert permissions.role(ADA) == "editor"
    current[0] = SETTINGS.model_copy(update={"editors": []})
    assert permissions.role(ADA) == "viewer"


def test_a_claim_without_sign_in_has_no_role() -> None:
    permissions.read_settings_with(lambda: SETTINGS)
    assert permissions.role({"email": "ada@lab.org"}) is None


@pytest.mark.parametrize(("entry", "expected"), [("loopback", "editor"), ("public", "viewer")])
def test_without_sign_in_the_way_of_access_decides(
    monkeypatch: pytest.MonkeyPatch, entry: str, expected: str
) -> None:
    monkeypatch.setenv(permissions.ENTRY, entry)
    assert permissions.role(ADA) == expected
    assert permissions.may_change() is (expected == "editor")
