"""Who may look at a workspace in its dashboard, and who may change it.

How people come in is settled when the server starts: on loopback without asking, over the network
for everyone to look only, or signed in with a role. Roles are looked up in motif.toml each time, so
that a name taken off the list there counts at once.
"""

from __future__ import annotations

import os
from typing import Literal, TypeAlias

import streamlit as st

from motif.core.errors import MotifError
from motif.dashboard.signin import Claims, Role, role_of

Entry: TypeAlias = Literal["loopback", "public", "sign-in"]

ENTRY = "MOTIF_DASHBOARD_ENTRY"


class NotAllowedError(MotifError, PermissionError):
    """Whoever asks may look but not change."""


def entry() -> Entry:
    """How people come in to this server."""
    told = os.environ.get(ENTRY)
    return told if told in ("public", "sign-in") else "loopback"  # type: ignore[return-value]


def role(claims: Claims | None = None) -> Role | None:
    """What somebody may do here; None for nothing at all.

    Args:
        claims: what their cookie says; by default those of the session that is being drawn.
    """
    if entry() != "sign-in":
        return "viewer" if entry() == "public" else "editor"
    from motif.dashboard.lab import lab

    settings = lab().config.dashboard.sign_in
    told = dict(st.user) if claims is None else claims
    if settings is None or not told.get("is_logged_in"):
        return None
    return role_of(told, settings)


def may_change() -> bool:
    """Whether whoever looks may also change the workspace."""
    return role() == "editor"


def require_change() -> None:
    """Refuse whoever may only look; every action that changes something begins with this."""
    if not may_change():
        raise NotAllowedError(
            "This dashboard only shows: signing in with the role of an editor, or Motif's "
            "command line, lets you change something."
        )
