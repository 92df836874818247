"""Who is looking."""

from __future__ import annotations

import streamlit as st

from motif.core.people import account
from motif.dashboard.signin import address_of


def person() -> str:
    """Who is looking: the account signed in with, else the account the server runs as."""
    return str(address_of(st.user) or st.user.get("name") or account())
