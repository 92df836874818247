"""How to reach a DataFed server and as which user: explicit options, no file in the home folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import zmq
import zmq.utils.z85

from motif.core.errors import ConfigError

KEY_LENGTH = 40
"""Characters of a CURVE key in Z85."""


@dataclass(frozen=True)
class KeyTriple:
    """The three CURVE keys of a connection, in Z85."""

    server: str
    public: str
    private: str

    def __repr__(self) -> str:
        return f"Keys(server={self.server!r}, public={self.public!r}, private=...)"


@dataclass(frozen=True)
class Connection:
    """Everything needed to use one DataFed server as one user."""

    host: str
    port: int
    server_key: Path
    """File holding the server's public key."""
    public_key: Path
    private_key: Path
    user: str = ""
    """User the key must belong to (``u/alice`` or ``alice``); empty: any known user."""
    endpoint: str = ""
    """Transfer endpoint (Globus UUID or ``name#collection``) that serves this machine's files."""
    local_root: Path | None = None
    """The only local folder the endpoint can reach; None: it reaches every path."""
    endpoint_root: str | None = None
    """Path of `local_root` on the endpoint; None: the same absolute path."""
    timeout: float = 50.0
    """Seconds to wait for an answer."""
    transfer_timeout: float = 3600.0
    """Seconds to wait for one transfer of up to 100 files."""

    @classmethod
    def from_client_options(cls, options: Mapping[str, Any], user: str = "") -> Self:
        """A connection from the client's own options, as ``CommandLib.API`` takes them."""
        return cls(
            host=options["server_host"],
            port=int(options["server_port"]),
            server_key=Path(options["server_pub_key_file"]),
            public_key=Path(options["client_pub_key_file"]),
            private_key=Path(options["client_priv_key_file"]),
            user=user,
            endpoint=options.get("default_ep") or "",
        )

    @property
    def server(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def uid(self) -> str:
        """The expected user as the server spells it."""
        return self.user if not self.user or "/" in self.user else f"u/{self.user}"

    def on_endpoint(self, path: Path) -> str:
        """The path of a local file on the endpoint.

        Raises:
            ConfigError: no endpoint is set, or it cannot reach the path.
        """
        if not self.endpoint:
            raise ConfigError(
                f"No transfer endpoint is set for {self.server}; set `endpoint` to the one that "
                "serves this machine's files."
            )
        real = path.resolve()
        if self.local_root is None:
            return str(real)
        root = self.local_root.resolve()
        if not real.is_relative_to(root):
            raise ConfigError(
                f"Endpoint {self.endpoint} reaches only {root}, not {real}; change `local_root`."
            )
        base = str(root) if self.endpoint_root is None else self.endpoint_root.rstrip("/")
        return f"{base}/{real.relative_to(root).as_posix()}"

    def reaches(self, path: Path) -> bool:
        """Whether the endpoint can read and write a local path."""
        return self.local_root is None or path.resolve().is_relative_to(self.local_root.resolve())

    def keys(self) -> KeyTriple:
        """Read and check the key files.

        The client itself silently falls back to a random key, which the server does not know.

        Raises:
            ConfigError: a file is missing, is not a CURVE key, or the two user keys differ.
        """
        keys = KeyTriple(
            _read_key(self.server_key, "server_key"),
            _read_key(self.public_key, "public_key"),
            _read_key(self.private_key, "private_key"),
        )
        if zmq.curve_public(keys.private.encode()).decode() != keys.public:
            raise ConfigError(
                f"public_key {self.public_key} does not belong to private_key "
                f"{self.private_key}; name the two files of one key pair."
            )
        return keys

    @contextmanager
    def client_options(self, keys: KeyTriple) -> Iterator[dict[str, Any]]:
        """Options with which the client looks up, guesses and writes nothing.

        The client takes an option that is left out from the environment or from a file in the
        home folder and then saves it there, so even the unused ones are set.
        """
        with tempfile.TemporaryDirectory(prefix="motif-keys-") as folder:
            yield {
                "server_host": self.host,
                "server_port": self.port,
                "server_cfg_dir": folder,
                "server_cfg_file": os.devnull,
                "server_pub_key_file": _exact_key_file(self.server_key, keys.server, folder),
                "client_cfg_dir": folder,
                "client_cfg_file": os.devnull,
                "client_pub_key_file": _exact_key_file(self.public_key, keys.public, folder),
                "client_priv_key_file": _exact_key_file(self.private_key, keys.private, folder),
                "client_token": "",
                "allow_self_signed_certs": False,
                "default_ep": self.endpoint,
                "verbosity": 0,
            }


def _read_key(path: Path, option: str) -> str:
    try:
        key = path.read_text(encoding="ascii").strip()
        zmq.utils.z85.decode(key)
    except OSError as error:
        raise ConfigError(
            f"{option} {path} cannot be read ({error.strerror}); give the path of the key file."
        ) from error
    except (UnicodeDecodeError, ValueError, KeyError) as error:
        raise ConfigError(f"{option} {path} does not hold a CURVE key; {_key_format()}") from error
    if len(key) != KEY_LENGTH:
        raise ConfigError(f"{option} {path} holds {len(key)} characters; {_key_format()}")
    return key


def _key_format() -> str:
    return f"a key file holds {KEY_LENGTH} characters of Z85 text."


def _exact_key_file(path: Path, key: str, folder: str) -> str:
    """The key file itself, or a private copy where white space would make the client refuse it."""
    if path.read_bytes() == key.encode():
        return str(path)
    copy = Path(folder) / f"{path.name}.exact"
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return str(copy)
