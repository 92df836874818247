"""Who is looking."""

from __future__ import annotations

import getpass

import streamlit as st


def person() -> str:
    """Who is looking: the account signed in with, else the account the server runs as."""
    told = st.user.get("email") or st.user.get("name")
    if told:
        return str(told)
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "unknown"
