"""Who may look at a workspace in its dashboard, and who may change it.

Access is decided when the server starts: on loopback without sign-in, over the network read-only
for
everyone, or signed in with a role. Roles are looked up in motif.toml each time, so that a name
removed from the list there loses access at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal, TypeAlias

import streamlit as st

from motif.core.annotations.annotation_log import account
from motif.core.config.settings import SignInConfig
from motif.core.errors import MotifError
from motif.dashboard.auth.sign_in import Claims, Role, address_of, role_of

Entry: TypeAlias = Literal["loopback", "public", "sign-in"]

ENTRY = "MOTIF_DASHBOARD_ENTRY"


def _closed() -> SignInConfig | None:
    """No settings have been read yet: nobody has a role."""
    return None


_sign_in_settings: Callable[[], SignInConfig | None] = _closed


def read_settings_with(read: Callable[[], SignInConfig | None]) -> None:
    """Look up roles in the settings that `read` returns, from now on."""
    global _sign_in_settings
    _sign_in_settings = read


class NotAllowedError(MotifError, PermissionError):
    """The person may view the workspace but not change it."""


def entry() -> Entry:
    """How people get access to this server."""
    mode = os.environ.get(ENTRY)
    return mode if mode in ("public", "sign-in") else "loopback"  # type: ignore[return-value]


def role(claims: Claims | None = None) -> Role | None:
    """The role of a person; None without access.

    Args:
        claims: of their cookie; by default those of the session that is being drawn.
    """
    if entry() != "sign-in":
        return "viewer" if entry() == "public" else "editor"
    settings = _sign_in_settings()
    user = dict(st.user) if claims is None else claims
    if settings is None or not user.get("is_logged_in"):
        return None
    return role_of(user, settings)


def may_change() -> bool:
    """Whether the current user may change the workspace."""
    return role() == "editor"


def require_change() -> None:
    """Raise `NotAllowedError` if the person may not change the workspace."""
    if not may_change():
        raise NotAllowedError(
            "This dashboard is read-only for you: sign in with the role of an editor, or use "
            "Motif's command line, to change something."
        )


def person() -> str:
    """The account signed in with, else the account the server runs as."""
    return str(address_of(st.user) or st.user.get("name") or account())
