"""Sign-in with an OpenID Connect provider, and the roles motif.toml gives to people.

Streamlit contacts the provider and keeps its claims in a signed cookie. This module derives the
secrets needed for that, reads the cookie of requests outside Streamlit, and assigns roles.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from motif.core.config.settings import SignInConfig
from motif.core.errors import ConfigError

Role: TypeAlias = Literal["viewer", "editor"]
Claims: TypeAlias = Mapping[str, Any]

SECRET_VARIABLE = "MOTIF_SIGN_IN_SECRET"
CALLBACK = "/oauth2callback"
DISCOVERY = "/.well-known/openid-configuration"


def role_of(claims: Claims, settings: SignInConfig) -> Role | None:
    """The role of a person; None without access."""
    email = address_of(claims)
    claimed = claims.get(settings.groups_claim) or []
    groups = set(map(str, claimed if isinstance(claimed, list) else [claimed]))
    if _named(email, settings.editors) or groups & set(settings.editor_groups):
        return "editor"
    if _named(email, settings.viewers) or groups & set(settings.viewer_groups):
        return "viewer"
    return None


def address_of(claims: Claims) -> str:
    """The e-mail address of a person; empty where there is none.

    One the provider calls unverified counts for nothing: anyone could claim it. Some providers
    tell that as text.
    """
    unverified = str(claims.get("email_verified")).casefold() == "false"
    return "" if unverified else str(claims.get("email") or "")


def _named(email: str, patterns: Sequence[str]) -> bool:
    address = email.casefold()
    return bool(address) and any(fnmatchcase(address, pattern.casefold()) for pattern in patterns)


def client_secret(settings: SignInConfig, root: Path) -> str:
    """The secret shared with the provider, from the environment or a file only its owner reads."""
    secret = os.environ.get(SECRET_VARIABLE, "").strip()
    if secret:
        return secret
    if settings.secret_file is None:
        raise ConfigError(
            f'Signing in needs the secret of the client "{settings.client_id}"; set '
            f"{SECRET_VARIABLE} or name a file with it as dashboard.sign_in.secret_file."
        )
    place = root / settings.secret_file
    try:
        if place.stat().st_mode & 0o077:
            raise ConfigError(f"Others can read the secret in {place}; run chmod 600 {place}.")
        secret = place.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"The secret in {place} cannot be read: {error.strerror}.") from error
    if not secret:
        raise ConfigError(f"{place} holds no secret; write the provider's into it.")
    return secret


def streamlit_secrets(settings: SignInConfig, secret: str) -> dict[str, Any]:
    """What Streamlit has to know, handed over in memory.

    The key that signs cookies is derived from the client secret: people stay signed in when the
    server restarts, and changing the client secret ends every session.
    """
    message = f"motif cookies {settings.url} {settings.client_id}".encode()
    key = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return {
        "auth": {
            "redirect_uri": settings.url + CALLBACK,
            "cookie_secret": key,
            "client_id": settings.client_id,
            "client_secret": secret,
            "server_metadata_url": settings.issuer + DISCOVERY,
        }
    }


def signed_in(cookies: Mapping[str, str]) -> Claims | None:
    """What the provider states about whoever sent these cookies; None if nobody is signed in."""
    from streamlit.auth_util import get_cookie_with_chunks, get_origin_from_redirect_uri
    from streamlit.web.server.server_util import get_cookie_secret
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
    from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

    def one(name: str) -> bytes | None:
        value = cookies.get(name)
        return decode_signed_value(get_cookie_secret(), name, value) if value else None

    try:
        found = get_cookie_with_chunks(one, USER_COOKIE_NAME)
        claims = json.loads(found) if found else None
    except ValueError:
        return None
    if not isinstance(claims, dict) or not claims.get("is_logged_in"):
        return None
    return claims if claims.get("origin") == get_origin_from_redirect_uri() else None


def host_of(settings: SignInConfig) -> str:
    """The host name under which browsers reach the dashboard."""
    return urlsplit(settings.url).hostname or ""
