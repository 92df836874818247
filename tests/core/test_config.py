from pathlib import Path

import pytest

from motif.core.config.settings import load_config
from motif.core.errors import ConfigError

SIGN_IN = """
[dashboard.sign_in]
issuer = "https://login.example.org/"
client_id = "motif"
url = "http://localhost:8501"
editors = ["ada@example.org"]
"""


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "motif.toml"
    path.write_text(text)
    return path


def test_a_source_keeps_the_keys_of_its_kind(tmp_path: Path) -> None:
    loaded = load_config(
        config(tmp_path, '[sources.spm]\nkind = "folder"\npath = "/data"\ninto = "spm"\n')
    )
    assert loaded.sources["spm"].options == {"path": "/data"}
    assert loaded.sources["spm"].into == "spm"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sorces.a]\nkind='folder'\ninto='a'", 'unknown key "sorces"; did you mean "sources"?'),
        ("[compute]\nschedler='local'", 'did you mean "compute.scheduler"?'),
        ("[jobs.n]\nrun=['ingest a']\nshedule='* * * * *'", 'did you mean "jobs.n.schedule"?'),
        ("[jobs.n]\nrun=['x']\nschedule='daily'", "five fields"),
        ("[sources.a]\ninto='a'", '[sources.a] lacks the key "kind"'),
        ("[sources.a]\nkind='folder'\ninto='../up'", "sources.a.into"),
        ("[sources.'../up']\nkind='folder'\ninto='a'", "must start with a letter"),
        ("[facets.t]\npath='growth.temperature'", "facets.t.path"),
        ("[dashboard]\nport=99999", "dashboard.port"),
        (SIGN_IN + "veiwers = []", 'did you mean "dashboard.sign_in.viewers"?'),
        (SIGN_IN.replace("https://login", "http://login"), "use https"),
        (SIGN_IN.replace("https://login.example.org", "login"), "dashboard.sign_in.issuer"),
        (SIGN_IN.replace("editors", "#"), "nobody could sign in"),
        (SIGN_IN.replace("localhost:8501", "localhost:web"), "dashboard.sign_in.url"),
        ("[store]\nurl='s3://[lab'", "store.url"),
        ("sources = ", "is not valid TOML"),
    ],
)
def test_wrong_keys_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(config(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_environment_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTIF_COMPUTE__SCHEDULER", "tcp://somewhere:8786")
    loaded = load_config(config(tmp_path, "[compute]\nworkers = 3\n"))
    assert loaded.compute.scheduler == "tcp://somewhere:8786"
    assert loaded.compute.workers == 3


def test_a_sign_in_is_declared(tmp_path: Path) -> None:
    loaded = load_config(config(tmp_path, SIGN_IN)).dashboard.sign_in
    assert loaded is not None
    assert loaded.issuer == "https://login.example.org"
    assert loaded.editors == ["ada@example.org"]
