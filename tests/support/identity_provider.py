"""A small OpenID Connect provider: discovery, accounts to choose from, codes, RS256 ID tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "motif", "a secret between two servers"


class Provider:
    """Listens on loopback; whoever comes chooses one of `accounts` by its name."""

    def __init__(self, accounts: Mapping[str, Mapping[str, Any]]) -> None:
        self.accounts = accounts
        self.codes: dict[str, dict[str, str]] = {}
        self.key = RSAKey.generate_key(2048, {"use": "sig", "kid": "1"}, auto_kid=False)
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.post(self)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output short."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Provider:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def get(self, ask: BaseHTTPRequestHandler) -> None:
        """Answer the browser, and the dashboard's two questions about this provider."""
        parts = urlsplit(ask.path)
        fields = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            self._json(ask, self._discovery())
        elif parts.path == "/jwks":
            self._json(ask, {"keys": [self.key.as_dict(private=False)]})
        elif parts.path == "/authorize":
            self._choose(ask, fields)
        elif parts.path == "/chosen":
            code = secrets.token_urlsafe()
            self.codes[code] = fields
            back = {"code": code, "state": fields["state"]}
            self._redirect(ask, f"{fields['redirect_uri']}?{urlencode(back)}")
        else:
            ask.send_error(404)

    def post(self, ask: BaseHTTPRequestHandler) -> None:
        """Turn a code into an ID token, once, for the client that asked."""
        length = int(ask.headers["Content-Length"])
        fields = {n: v[-1] for n, v in parse_qs(ask.rfile.read(length).decode()).items()}
        asked = self.codes.pop(fields.get("code", ""), None)
        _, _, credentials = ask.headers.get("Authorization", "").partition(" ")
        who = base64.b64decode(credentials).decode()
        hashed = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).decode().rstrip("=")
        if (
            asked is None
            or unquote(who) not in (f"{CLIENT}:{SECRET}", f"{quote(CLIENT)}:{quote(SECRET)}")
            or fields.get("redirect_uri") != asked["redirect_uri"]
            or challenge != asked.get("code_challenge")
        ):
            self._json(ask, {"error": "invalid_grant"}, 400)
            return
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": asked["account"], "iat": int(time.time()),
            "exp": int(time.time()) + 300, "nonce": asked["nonce"],
            **self.accounts[asked["account"]],
        }  # fmt: skip
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        self._json(ask, {"access_token": "x", "token_type": "Bearer", "id_token": token})

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _choose(self, ask: BaseHTTPRequestHandler, fields: Mapping[str, str]) -> None:
        if fields.get("client_id") != CLIENT or "openid" not in fields.get("scope", ""):
            ask.send_error(400)
            return
        links = "".join(
            f'<p><a href="/chosen?{escape(urlencode({**fields, "account": name}))}">{name}</a></p>'
            for name in self.accounts
        )
        self._send(ask, 200, "text/html", f"<title>Accounts</title>{links}".encode())

    def _redirect(self, ask: BaseHTTPRequestHandler, address: str) -> None:
        ask.send_response(302)
        ask.send_header("Location", address)
        ask.end_headers()

    def _json(self, ask: BaseHTTPRequestHandler, document: Any, status: int = 200) -> None:
        self._send(ask, status, "application/json", json.dumps(document).encode())

    def _send(self, ask: BaseHTTPRequestHandler, status: int, kind: str, body: bytes) -> None:
        ask.send_response(status)
        ask.send_header("Content-Type", kind)
        ask.send_header("Content-Length", str(len(body)))
        ask.end_headers()
        ask.wfile.write(body)
