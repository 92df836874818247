"""Who is looking."""

from __future__ import annotations

import getpass

import streamlit as st


def person() -> str:
    """Who is looking: the account signed in with, else the account the server runs as."""
    verified = st.user.get("email_verified") is not False
    told = (st.user.get("email") if verified else None) or st.user.get("name")
    if told:
        return str(told)
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "unknown"
