"""The way in where people have to sign in, and the way out."""

from __future__ import annotations

import streamlit as st

from motif.dashboard import rights
from motif.dashboard.parts import frame
from motif.dashboard.people import person

DOES = {"editor": "may look and change", "viewer": "may look, not change"}


def show_entrance() -> None:
    """All that a stranger sees: where to sign in; or why an account does not get further."""
    known = bool(st.user.get("is_logged_in"))
    with st.container(width=460, key="entrance"):
        frame.heading("Motif")
        if known:
            frame.refusal(
                f"{person()} is signed in but has no role in this workspace; ask whoever runs it "
                "to name this account in motif.toml."
            )
            st.button("Sign out", key="sign-out", on_click=st.logout)
        else:
            frame.quiet("The memory of a materials lab. Sign in with your account to look around.")
            st.button(
                "Sign in", key="sign-in", type="primary", icon=":material/login:",
                on_click=st.login,
            )  # fmt: skip
    frame.status("entrance refused" if known else "entrance")


def show_account() -> None:
    """Who is signed in, below the navigation, with the way out."""
    role = rights.role()
    if rights.entry() != "sign-in" or role is None:
        return
    with st.sidebar, st.container(key="account"):
        frame.quiet(person())
        frame.quiet(DOES[role])
        st.button("Sign out", key="sign-out", type="tertiary", on_click=st.logout)
