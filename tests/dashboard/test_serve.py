"""The server's start: loopback only, unless said plainly."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from motif.core.config.settings import SignInConfig, is_loopback
from motif.core.errors import ConfigError
from motif.dashboard.server.server_process import allowed_hosts, check_port, command, main


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1"])
def test_loopback_is_served(host: str) -> None:
    assert is_loopback(host)
    assert command("lab", host)[-4:] == ["--host", host, "--port", "8501"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "lab.example.org", ""])
def test_others_are_kept_out_unless_that_was_said(host: str) -> None:
    with pytest.raises(ConfigError, match="Nobody signs in"):
        command("lab", host)
    assert command("lab", host, public=True)[-1] == "--public"
    assert "--public" not in command("lab", host, sign_in=True)
    with pytest.raises(ConfigError, match="leave --public out"):
        command("lab", host, public=True, sign_in=True)


def test_a_server_goes_by_the_name_people_sign_in_at() -> None:
    settings = SignInConfig(
        issuer="https://login.example.org", client_id="motif", editors=["*"],
        url="https://motif.example.org:8443/",
    )  # fmt: skip
    assert "motif.example.org" in allowed_hosts("0.0.0.0", settings)
    assert "motif.example.org" not in allowed_hosts("127.0.0.1", None)


def test_a_taken_port_is_said_in_one_sentence(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=str(port)):
            check_port("127.0.0.1", port)
        assert main([str(root), "--port", str(port)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_workspace_is_said_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none"), "--port", "0"]) == 1
    assert "motif init" in capsys.readouterr().err


def test_importing_the_starter_loads_no_streamlit() -> None:
    code = "import sys, motif.dashboard.server.server_process; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_server_answers_and_ends_on_request(root: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    child = subprocess.Popen(
        command(root, port=port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        reply = _first_reply(f"http://127.0.0.1:{port}/_stcore/health", child)
        assert reply.status == 200
        assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
        disguised = urllib.request.Request(reply.url, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(disguised, timeout=5)
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
    finally:
        child.kill()


def _first_reply(url: str, child: subprocess.Popen[bytes]) -> urllib.request.addinfourl:
    for _ in range(300):
        assert child.poll() is None, "the server ended by itself"
        try:
            return urllib.request.urlopen(url, timeout=5)
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server did not answer within 30 s")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("127.0.0.1:8501", "127.0.0.1"), ("LocalHost", "localhost"), ("[::1]:8501", "::1"),
        ("evil.example:8501", "evil.example"), ("", ""),
    ],
)  # fmt: skip
def test_the_host_a_browser_asks_for(header: str, name: str) -> None:
    from motif.dashboard.server.asgi_app import host_name

    assert host_name(header) == name
