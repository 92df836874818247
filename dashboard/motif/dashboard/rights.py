"""Who may change a workspace from its dashboard.

A dashboard that others on the network can open has no sign-in, so it only shows: jobs,
quarantine, labels, new maps and saved filters are left to the command line and to loopback.
"""

from __future__ import annotations

import os

READ_ONLY = "MOTIF_DASHBOARD_READ_ONLY"


def may_change() -> bool:
    """Whether whoever looks may also change the workspace."""
    return os.environ.get(READ_ONLY) != "1"
