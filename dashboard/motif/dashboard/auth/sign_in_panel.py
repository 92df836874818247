"""The page before sign-in, and the account line after it."""

from __future__ import annotations

import streamlit as st

from motif.dashboard.auth import permissions
from motif.dashboard.auth.permissions import person
from motif.dashboard.components import page_frame

DOES = {"editor": "may look and change", "viewer": "may look, not change"}


def show_entrance() -> None:
    """The page before sign-in: where to sign in, or why an account has no access."""
    known = bool(st.user.get("is_logged_in"))
    with st.container(width=460, key="entrance"):
        page_frame.heading("Motif")
        if known:
            page_frame.refusal(
                f"{person()} is signed in but has no role in this workspace; ask its "
                "administrator to "
                "add this account to motif.toml."
            )
            st.button("Sign out", key="sign-out", on_click=st.logout)
        else:
            page_frame.quiet("The memory of a materials lab. Sign in with your account.")
            st.button(
                "Sign in", key="sign-in", type="primary", icon=":material/login:",
                on_click=st.login,
            )  # fmt: skip
    page_frame.status("entrance refused" if known else "entrance")


def show_account() -> None:
    """The signed-in account and the button to sign out, below the navigation."""
    role = permissions.role()
    if permissions.entry() != "sign-in" or role is None:
        return
    with st.sidebar, st.container(key="account"):
        page_frame.quiet(person())
        page_frame.quiet(DOES[role])
        st.button("Sign out", key="sign-out", type="tertiary", on_click=st.logout)
