"""Connection options and the options of a source's table."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import zmq

from motif.core.errors import ConfigError
from motif.ingest.datafed.connection import Connection
from motif.ingest.datafed.datafed_source import from_options


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    server, _ = zmq.curve_keypair()
    public, private = zmq.curve_keypair()
    for name, key in (("server", server), ("me.pub", public), ("me.priv", private)):
        (tmp_path / name).write_bytes(key)
    return Connection(
        host="127.0.0.1",
        port=7512,
        server_key=tmp_path / "server",
        public_key=tmp_path / "me.pub",
        private_key=tmp_path / "me.priv",
    )


def test_every_option_is_given(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    from datafed import Config

    monkeypatch.setenv("DATAFED_CLIENT_TOKEN", "secret")
    monkeypatch.setenv("DATAFED_SERVER_PORT", "1")
    monkeypatch.setenv("DATAFED_DEFAULT_ENDPOINT", "elsewhere")
    with connection.client_options(connection.keys()) as options:
        assert set(options) == set(Config._opt_info)
        assert not Config.API(options).getOpts()["client_token"]
        assert Config.API(options).getOpts() == options


def test_white_space_around_a_key_is_ignored(connection: Connection) -> None:
    key = connection.private_key.read_text()
    connection.private_key.write_text(f"{key}\n")
    keys = connection.keys()
    assert keys.private == key
    assert key not in repr(keys)
    with connection.client_options(keys) as options:
        copy = Path(options["client_priv_key_file"])
        assert copy != connection.private_key
        assert copy.read_text() == key
        assert copy.stat().st_mode & 0o777 == 0o600
        assert copy.parent.stat().st_mode & 0o777 == 0o700
    assert not copy.exists()


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("me.priv", b"", "holds 0 characters"),
        ("me.priv", b"\xff" * 40, "does not hold a CURVE key"),
        ("me.pub", b"short", "public_key"),
        ("server", b"x" * 45, "server_key"),
    ],
)
def test_bad_key_files(
    connection: Connection, tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=complaint):
        connection.keys()


def test_missing_and_mismatched_keys(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        replace(connection, private_key=tmp_path / "nothing").keys()
    connection.public_key.write_bytes(zmq.curve_keypair()[0])
    with pytest.raises(ConfigError, match="does not belong"):
        connection.keys()


def test_paths_on_the_endpoint(connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    with pytest.raises(ConfigError, match="No transfer endpoint"):
        connection.on_endpoint(tmp_path)
    whole = replace(connection, endpoint="lab#disk")
    assert whole.on_endpoint(tmp_path / "a b") == os.path.realpath(tmp_path / "a b")
    rooted = replace(whole, local_root=tmp_path / "shared", endpoint_root="/data/")
    assert rooted.on_endpoint(tmp_path / "shared" / "x.ibw") == "/data/x.ibw"
    assert rooted.on_endpoint(tmp_path / "shared" / ".." / "shared" / "y") == "/data/y"
    with pytest.raises(ConfigError, match="reaches"):
        rooted.on_endpoint(tmp_path / "x.ibw")
    assert not rooted.reaches(tmp_path)
    assert replace(rooted, endpoint_root=None).on_endpoint(tmp_path / "shared" / "z") == str(
        (tmp_path / "shared" / "z").resolve()
    )


def test_a_table_of_the_workspace(tmp_path: Path) -> None:
    source = from_options(
        "pfm",
        {"collection": "c/12", "project": "pfm", "server_key": "keys/server.pub", "user": "ann"},
        tmp_path,
    )
    assert source.name == "pfm"
    assert source._connection.server_key == tmp_path / "keys" / "server.pub"
    assert source._connection.uid == "u/ann"
    assert source._connection.private_key == Path.home() / ".datafed" / "datafed-user-key.priv"
    assert source._project == "p/pfm"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "needs the key `collection`"),
        ({"collection": "c/1", "endpiont": "x"}, "did you mean `endpoint`"),
        ({"collection": "c/1", "zzz": 1}, "known keys: collection"),
        ({"collection": "c/1", "port": 0}, "`port` in"),
        ({"collection": "", "port": 1}, "`collection` in"),
        ({"collection": "c/1", "timeout": "soon"}, "`timeout` in"),
    ],
)
def test_wrong_tables(options: dict[str, object], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=complaint):
        from_options("pfm", options, tmp_path)
