"""overview"""

from __future__ import annotations

from motif.dashboard.parts import frame


def show() -> None:
    """Draw the page."""
    frame.heading("overview")
