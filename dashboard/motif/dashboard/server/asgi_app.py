"""The dashboard as an ASGI application: Streamlit's pages with Motif's own routes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from motif.core.config.settings import SignInConfig
from motif.dashboard.auth.auth_middleware import AuthMiddleware
from motif.dashboard.auth.sign_in import streamlit_secrets
from motif.dashboard.server.data_routes import routes

SCRIPT = Path(__file__).parents[1] / "pages" / "router.py"
"""Streamlit runs it for every view."""

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",  # Streamlit's own needs
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' blob: data:",
        "worker-src 'self' blob:",
        "media-src 'self' blob: data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
"""The browser contacts no other server, whatever metadata contain."""


class Guard:
    """Adds the security headers, and refuses unknown host names.

    A page elsewhere could let its own name point to 127.0.0.1 and read what is served here; its
    requests carry that name in the header ``Host``.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)  # Streamlit checks its own websockets
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
            await send(message)

        name = host_name(Headers(scope=scope).get("host", ""))
        if self._hosts and name not in self._hosts:
            refusal = PlainTextResponse(
                f'This server does not answer to the host name "{name}".', 400
            )
            await refusal(scope, receive, with_headers)
        else:
            await self._app(scope, receive, with_headers)


def host_name(header: str) -> str:
    """The name in a header ``Host``, without port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def build(
    hosts: Collection[str] = (), sign_in: SignInConfig | None = None, secret: str = ""
) -> st.App:
    """The application.

    Args:
        hosts: its host names; requests for any other are refused.
        sign_in: where people sign in, if they have to.
        secret: what the server shares with the provider.
    """
    guards = [Middleware(Guard, hosts=hosts)]
    if sign_in is None:
        return st.App(SCRIPT, routes=routes(), middleware=guards)
    guards.append(Middleware(AuthMiddleware, secure=sign_in.url.startswith("https:")))
    secrets = streamlit_secrets(sign_in, secret)
    return st.App(SCRIPT, routes=routes(), middleware=guards, secrets=secrets)
