"""Key files and passwords."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

import zmq

_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


def new_pair() -> tuple[str, str]:
    """Give a new CURVE key pair (public, private), z85 text of 40 characters each."""
    public, private = zmq.curve_keypair()
    return public.decode(), private.decode()


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` so that only its owner may read it, replacing what was there.

    No newline is added: the client takes a key of 41 characters for no key at all.
    """
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    part.replace(path)


def server_pair(folder: Path) -> tuple[str, str]:
    """Give the server's own key pair, made at the first start in `folder`."""
    public, private = folder / "datafed-core-key.pub", folder / "datafed-core-key.priv"
    if not (public.exists() and private.exists()):
        made = new_pair()
        write_private(private, made[1])
        write_private(public, made[0])
    return public.read_text().strip(), private.read_text().strip()


def hash_password(password: str) -> str:
    """Give salt and scrypt hash of `password` as text."""
    salt = secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)
    return f"{base64.b64encode(salt).decode()}:{base64.b64encode(digest).decode()}"


def password_matches(password: str, stored: str) -> bool:
    """Tell whether `password` gives the hash `stored`."""
    salt, digest = (base64.b64decode(part) for part in stored.split(":"))
    found = hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)
    return hmac.compare_digest(found, digest)
