"""Who works here, as far as the machine can tell."""

from __future__ import annotations

import getpass


def account() -> str:
    """The account this process runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "unknown"
