"""Motif sandbox: a local server that speaks the DataFed client protocol.

The unmodified ``datafed`` 5.1 client and command line work against it on loopback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motif.ingest.sandbox.limits import Limits
    from motif.ingest.sandbox.server import Sandbox

__all__ = ["Limits", "Sandbox"]


def __getattr__(name: str) -> Any:
    """Load the server on first use: the command line imports this package for ``--help``."""
    if name == "Sandbox":
        from motif.ingest.sandbox.server import Sandbox

        return Sandbox
    if name == "Limits":
        from motif.ingest.sandbox.limits import Limits

        return Limits
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
