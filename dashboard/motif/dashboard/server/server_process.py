"""Starts the dashboard's server: one process, on loopback by default."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from motif.core.config.settings import SignInConfig, is_loopback
from motif.core.errors import ConfigError, MotifError

TEAL, TEAL_ON_DARK = "#0f766e", "#2dd4bf"

SETTINGS: Mapping[str, Any] = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "type",
    "client.toolbarMode": "viewer",
    "logger.hideWelcomeMessage": True,
    "runner.magicEnabled": False,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "theme.baseRadius": "8px",
    "theme.baseFontSize": 15,
    "theme.showWidgetBorder": True,
    "theme.light.primaryColor": TEAL,
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f3f6f6",
    "theme.light.textColor": "#1d2a2c",
    "theme.light.borderColor": "#d9e0e1",
    "theme.light.linkColor": TEAL,
    "theme.dark.primaryColor": TEAL_ON_DARK,
    "theme.dark.backgroundColor": "#0f1416",
    "theme.dark.secondaryBackgroundColor": "#172024",
    "theme.dark.textColor": "#e3eaea",
    "theme.dark.borderColor": "#2a373c",
    "theme.dark.linkColor": TEAL_ON_DARK,
    "theme.light.sidebar.backgroundColor": "#f3f6f6",
    "theme.light.sidebar.secondaryBackgroundColor": "#ffffff",
    "theme.dark.sidebar.backgroundColor": "#141b1e",
    "theme.dark.sidebar.secondaryBackgroundColor": "#1c262a",
}


def check_host(host: str, *, public: bool = False, sign_in: bool = False) -> None:
    """Refuse an address that others can reach, unless they sign in or --public is given."""
    if public and sign_in:
        raise ConfigError("motif.toml lets people sign in; leave --public out, or sign_in.")
    if not public and not sign_in and not is_loopback(host):
        raise ConfigError(
            f"Nobody signs in to this dashboard, and at {host} anyone on the network could open "
            "it; bind it to 127.0.0.1, declare [dashboard.sign_in], or say --public to let them "
            "look without changing anything."
        )


def check_port(host: str, port: int) -> None:
    """Refuse a port that is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"The dashboard cannot listen on {host}:{port} ({error.strerror}); "
                "choose another port."
            ) from error


def command(
    root: Path | str,
    host: str = "127.0.0.1",
    port: int = 8501,
    *,
    public: bool = False,
    sign_in: bool = False,
) -> list[str]:
    """Arguments that run the server of a workspace as a child process; SIGTERM ends it.

    Args:
        public: others may reach it and look.
        sign_in: whether the workspace lets people sign in.

    Raises:
        ConfigError: others could reach `host` and neither is given.
    """
    check_host(host, public=public, sign_in=sign_in)
    arguments = [sys.executable, "-m", "motif.dashboard.server.server_process", str(root)]
    arguments += ["--host", host, "--port", str(port)]
    return [*arguments, "--public"] if public else arguments


def serve(
    root: Path | str, host: str = "127.0.0.1", port: int = 8501, *, public: bool = False
) -> None:
    """Serve the dashboard of a workspace until the process is ended."""
    from motif.core.workspace import Workspace

    with Workspace.open(root) as workspace:
        os.environ["MOTIF_WORKSPACE"] = str(workspace.root)
        settings = workspace.config.dashboard.sign_in
    check_host(host, public=public, sign_in=settings is not None)
    check_port(host, port)
    hosts = [] if public else allowed_hosts(host, settings)

    from motif.dashboard.auth.permissions import ENTRY
    from motif.dashboard.auth.sign_in import client_secret
    from motif.dashboard.server.asgi_app import build
    from motif.dashboard.server.data_routes import warm_up

    os.environ[ENTRY] = "public" if public else "loopback" if settings is None else "sign-in"
    secret = "" if settings is None else client_secret(settings, workspace.root)
    warm_up()
    build(hosts, settings, secret).run(
        config={
            **SETTINGS,
            "server.address": host,
            "server.port": port,
            "server.allowedHosts": hosts,
        }
    )


def allowed_hosts(host: str, settings: SignInConfig | None) -> list[str]:
    """The host names of a server."""
    from motif.dashboard.auth.sign_in import host_of

    public = {host_of(settings)} if settings is not None else set()
    return sorted({"localhost", "127.0.0.1", "::1", host, *public})


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``python -m motif.dashboard.server.server_process``."""
    parser = argparse.ArgumentParser(
        prog="motif.dashboard.server.server_process", description=__doc__
    )
    parser.add_argument("root", help="workspace directory")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument(
        "--public", action="store_true", help="let others on the network look without sign-in"
    )
    asked = parser.parse_args(arguments)
    try:
        serve(asked.root, asked.host, asked.port, public=asked.public)
    except MotifError as error:
        sys.stderr.write(f"motif: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
