"""Who is looking."""

from __future__ import annotations

import streamlit as st

from motif.core.people import account


def person() -> str:
    """Who is looking: the account signed in with, else the account the server runs as."""
    verified = st.user.get("email_verified") is not False
    told = (st.user.get("email") if verified else None) or st.user.get("name")
    return str(told) if told else account()
