"""Authentication of every request for data, where sign-in is configured.

Streamlit shows its pages only to those who are signed in because the router asks; requests outside
Streamlit's own traffic (pictures, points, downloads, uploads) are asked for their cookie here.
"""

from __future__ import annotations

from http.cookies import SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from motif.dashboard.auth.permissions import role
from motif.dashboard.auth.sign_in import CALLBACK, signed_in
from motif.dashboard.state.workspace_session import lab

GUARDED = ("/motif/", "/thumbs/", "/media/", "/_stcore/upload_file")
"""Paths that serve or accept data."""

OPEN = ("/_stcore/", "/static/", "/component/", "/auth/", CALLBACK)
"""Streamlit's own static files."""

LOGOUT = "/auth/logout"

WANTED = "motif_wanted"
WANTED_SECONDS = 600


class AuthMiddleware:
    """Answers 401 without sign-in and 403 without a role; brings people back after sign-in.

    A link somebody mailed leads someone not signed in to the provider and back; the page it names
    is kept in
    a cookie meanwhile.
    """

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)  # Streamlit reads the cookie of its websockets
            return
        request = Request(scope)
        path = str(scope["path"])  # as the routes see it; a request's URL holds what Host says too
        if path.startswith(GUARDED):
            refusal = _refusal(request)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        leaving = path == LOGOUT
        wanted = request.cookies.get(WANTED, "") if path == CALLBACK else ""
        keep = _page(request) if _is_page(request) and signed_in(request.cookies) is None else ""

        async def with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                self._change(headers, wanted, keep)
                if leaving:  # so that the next user of this browser finds no cached pictures
                    headers["clear-site-data"] = '"cache"'
            await send(message)

        await self._app(scope, receive, with_cookies)

    def _change(self, headers: MutableHeaders, wanted: str, keep: str) -> None:
        if wanted and headers.get("location") == "/" and is_local(wanted):
            headers["location"] = wanted
            headers.append("set-cookie", self._cookie("", 0))
        if keep:
            headers.append("set-cookie", self._cookie(keep, WANTED_SECONDS))
        if self._secure:
            headers.raw[:] = [
                (name, value + b"; Secure" if name == b"set-cookie" else value)
                for name, value in headers.raw
            ]

    def _cookie(self, value: str, seconds: int) -> str:
        cookie: SimpleCookie = SimpleCookie()
        cookie[WANTED] = value
        cookie[WANTED] |= {
            "path": "/", "max-age": seconds, "httponly": True, "samesite": "Lax",
        }  # fmt: skip
        return cookie[WANTED].OutputString()


def _refusal(request: Request) -> PlainTextResponse | None:
    claims = signed_in(request.cookies)
    never = {"Cache-Control": "no-store"}
    if claims is None:
        return PlainTextResponse("Sign in first; open the dashboard's page.", 401, never)
    lab()  # whose settings give the roles
    if role(claims) is None:
        return PlainTextResponse("Your account has no role in this workspace.", 403, never)
    return None


def _is_page(request: Request) -> bool:
    path = str(request.scope["path"])
    return (
        request.method == "GET"
        and "text/html" in Headers(scope=request.scope).get("accept", "")
        and not path.startswith((*GUARDED, *OPEN))
    )


def _page(request: Request) -> str:
    query = request.url.query
    path = str(request.scope["path"])
    return f"{path}?{query}" if query else path


def is_local(address: str) -> bool:
    """Whether an address stays on this server, however a browser interprets it."""
    return (
        address.startswith("/")
        and not address.startswith("//")
        and "\\" not in address
        and address.isprintable()
    )
